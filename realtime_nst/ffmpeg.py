"""Running ffmpeg: what is in a file, frames out of it, frames into one. No other module starts a process.

It is the executable that imageio-ffmpeg ships, so that nothing has to be installed, and a process of its own,
so that a codec that crashes does not take the program along. This module knows frames only as bytes.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import IO, Any

import imageio_ffmpeg
import numpy as np

from realtime_nst.errors import SinkError, SourceError

CLOSE_TIMEOUT = 60.0  # seconds for ffmpeg to finish a file: it may move an index to the front of a large one
PROBE_TIMEOUT = 30.0
MP4_AUDIO = {"aac", "mp3", "ac3", "eac3", "alac", "opus"}  # copied into an MP4 as they are; others become AAC
USELESS_WORDS = ("Conversion failed", "Error opening input files")


@dataclass(frozen=True)
class VideoInfo:
    """What ffmpeg makes of the first video stream of a file.

    Args:
        width: Width of the decoded frames in pixels, after rotation.
        height: Height of the decoded frames in pixels, after rotation.
        rate: Frames per second, exactly.
        duration: Seconds, or `None` where the file does not say.
        pixel_aspect: Width of a pixel over its height.
        audio_codecs: Codec of each audio track.
    """

    width: int
    height: int
    rate: Fraction
    duration: float | None
    pixel_aspect: Fraction
    audio_codecs: tuple[str, ...]


@cache
def executable() -> str:
    """The path of ffmpeg."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def probe(path: str) -> VideoInfo:
    """Look into a file or stream, by letting ffmpeg decode its first frame.

    Reads the header that ffmpeg writes for raw video: the frame rate there is an exact ratio, and the size is
    the one after rotation.

    Args:
        path: A file's path or a URL.

    Raises:
        SourceError: It holds no video that ffmpeg can decode.
    """
    command = [executable(), "-hide_banner", "-nostdin", "-i", address(path), "-map", "0:V:0", "-frames:v", "1"]
    command += ["-pix_fmt", "yuv420p", "-f", "yuv4mpegpipe", "-"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PROBE_TIMEOUT, **_quiet())
    except subprocess.TimeoutExpired as error:
        raise SourceError(f"'{path}' gave no picture within {PROBE_TIMEOUT:.0f} seconds. Check the address.") from error
    said = done.stderr.decode("utf-8", "replace")
    header = done.stdout[:200].partition(b"\n")[0].decode("ascii", "replace").split()
    if not header or header[0] != "YUV4MPEG2":
        raise SourceError(f"'{path}' holds no video that can be read. ffmpeg said: {last_words(said, path)}")
    fields = {field[0]: field[1:] for field in header[1:]}
    length = re.search(r"Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)", said)
    duration = sum(float(part) * unit for part, unit in zip(length.groups(), (3600, 60, 1))) if length else None
    return VideoInfo(
        width=int(fields["W"]),
        height=int(fields["H"]),
        rate=_ratio(fields["F"], Fraction(25)),
        duration=duration or None,
        pixel_aspect=_ratio(fields.get("A", "1:1"), Fraction(1)),
        audio_codecs=tuple(re.findall(r"^\s*Stream #0:\d+.*?: Audio: (\w+)", said, re.MULTILINE)),
    )


def address(path: str) -> str:
    """A path or URL as ffmpeg takes it: without a prefix it would read `10:30.mp4` as a protocol named 10."""
    return path if "://" in path else f"file:{path}"


class FrameReader:
    """Decode a file's frames as RGB, at a constant rate, in order.

    Args:
        path: A file's path or a URL.
        info: From `probe`; frames are scaled to its width and height.
        live: Read no faster than it plays, and start again at its end.

    Raises:
        SourceError: ffmpeg does not start.
    """

    def __init__(self, path: str, info: VideoInfo, *, live: bool = False) -> None:
        self.path = path
        self._shape = (info.height, info.width, 3)
        command = [executable(), "-hide_banner", "-nostdin", "-loglevel", "error"]
        command += ["-re", "-stream_loop", "-1"] if live else []
        command += ["-i", address(path), "-map", "0:V:0", "-vf", f"fps={info.rate},scale={info.width}:{info.height}"]
        command += ["-pix_fmt", "rgb24", "-f", "rawvideo", "-"]
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self._errors, **_quiet())
        self._closing = False
        self.frames = 0

    def read(self) -> np.ndarray | None:
        """The next frame, uint8 `(height, width, 3)`, or `None` at the end.

        Raises:
            SourceError: ffmpeg could not decode even one frame.
        """
        frame = np.empty(self._shape, np.uint8)
        pipe: Any = self._process.stdout
        view, filled = frame.reshape(-1).data, 0
        while filled < len(view):
            try:
                count = pipe.readinto(view[filled:])
            except ValueError:  # closed by another thread a moment ago
                if not self._closing:
                    raise
                return None
            if not count:
                if self.frames == 0 and not self._closing:
                    self._process.wait()
                    raise SourceError(f"'{self.path}' could not be decoded. ffmpeg said: {_said(self._errors, self.path)}")
                return None
            filled += count
        self.frames += 1
        return frame

    def close(self) -> None:
        """Stop decoding. Safe to call twice and from another thread: a waiting `read` then returns `None`."""
        self._closing = True
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()


class FrameWriter:
    """Encode RGB frames as H.264 in an MP4 file.

    The file grows under a temporary name beside its final one, which it gets in `close`.

    Args:
        path: The file to write.
        width: Width of the frames in pixels.
        height: Height of the frames in pixels.
        rate: Frames per second.
        pixel_aspect: Width of a pixel over its height.
        audio_from: A file whose audio tracks go along, or `None`.
        audio_codecs: Codec of each of those tracks.

    Raises:
        SinkError: The folder does not exist.
    """

    def __init__(
        self,
        path: Path,
        width: int,
        height: int,
        rate: Fraction,
        *,
        pixel_aspect: Fraction = Fraction(1),
        audio_from: str | None = None,
        audio_codecs: Sequence[str] = (),
    ) -> None:
        self.path = path
        self.frames = 0
        self._rate = rate
        if not path.parent.is_dir():
            raise SinkError(f"No folder '{path.parent}' for '{path.name}'. Create it, or choose another place.")
        self._draft = path.with_name(f".{path.stem}.part{path.suffix}")
        command = [executable(), "-hide_banner", "-loglevel", "error", "-y"]
        command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(rate), "-i", "-"]
        if audio_from is not None and audio_codecs:
            command += ["-i", address(audio_from), "-map", "0:v", "-map", "1:a"]
            for track, codec in enumerate(audio_codecs):
                command += [f"-c:a:{track}", "copy"] if codec in MP4_AUDIO else [f"-c:a:{track}", "aac", f"-b:a:{track}", "192k"]
        aspect = f"{pixel_aspect.numerator}/{pixel_aspect.denominator}"
        tags = "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"
        command += ["-vf", f"scale=out_color_matrix=bt709:out_range=tv,{tags},setsar={aspect}"]
        command += ["-c:v", "libx264", "-preset", "veryfast", "-crf", "18"]
        # 4:2:0 cannot hold an odd number of pixels; 4:4:4 can, and shifts nothing.
        command += ["-pix_fmt", "yuv444p" if width % 2 or height % 2 else "yuv420p"]
        command += ["-movflags", "+faststart", "-f", "mp4", address(str(self._draft))]
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self._errors, **_quiet()
        )

    def write(self, image: np.ndarray) -> None:
        """Append a frame, uint8 `(height, width, 3)`.

        Raises:
            SinkError: ffmpeg stopped, for example because the disk is full.
        """
        pipe: Any = self._process.stdin
        try:
            pipe.write(np.ascontiguousarray(image).reshape(-1).data)
        except (BrokenPipeError, OSError) as error:
            raise self._failure() from error
        self.frames += 1

    def close(self) -> None:
        """Finish the file and give it its name. Does nothing after `close` or `discard`.

        Raises:
            SinkError: The file could not be finished; nothing of it is left.
        """
        if self._errors.closed:
            return
        self._finish()
        self._errors.close()
        self._draft.replace(self.path)

    def cut(self) -> None:
        """Like `close`, but end the sound with the last frame: for a video that stops before its original does.

        Raises:
            SinkError: The file could not be finished; nothing of it is left.
        """
        self._finish()
        whole = self._draft
        self._draft = whole.with_name(f".cut{whole.name}")
        command = [executable(), "-hide_banner", "-nostdin", "-loglevel", "error", "-y", "-i", address(str(whole)), "-map", "0"]
        command += ["-c", "copy", "-t", f"{float(self.frames / self._rate):.6f}", "-movflags", "+faststart", "-f", "mp4"]
        self._process = subprocess.Popen(
            [*command, address(str(self._draft))], stdin=subprocess.PIPE, stderr=self._errors, **_quiet()
        )
        try:
            self.close()
        finally:
            whole.unlink(missing_ok=True)

    def _finish(self) -> None:
        """Wait until ffmpeg has written everything under the temporary name."""
        pipe: Any = self._process.stdin
        try:
            pipe.close()
        except OSError:
            pass  # ffmpeg's own words follow
        try:
            self._process.wait(CLOSE_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.returncode or not self._draft.exists():
            raise self._failure()

    def discard(self) -> None:
        """Stop, and leave nothing behind. Does nothing after `close`."""
        if self._errors.closed:
            return
        self._process.kill()
        self._process.wait()
        try:
            if self._process.stdin is not None:
                self._process.stdin.close()
        except OSError:
            pass  # bytes that a dead ffmpeg did not take
        self._errors.close()
        self._draft.unlink(missing_ok=True)

    def _failure(self) -> SinkError:
        try:
            self._process.wait(CLOSE_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
        words = _said(self._errors, str(self._draft))
        error = SinkError(f"ffmpeg stopped while writing '{self.path}' (frame {self.frames}). It said: {words}")
        self.discard()
        return error


def last_words(said: str, path: str) -> str:
    """The most telling line of ffmpeg's messages, without its own prefixes and the file's path."""
    lines = [re.sub(r"^\[[^\]]*\]\s*", "", line).strip() for line in said.splitlines()]
    lines = [
        line.replace(path, "the file")
        for line in lines
        if line and not line.startswith(("Conversion failed", "Error opening input files"))
    ]
    telling = [line for line in lines if re.search(r"error|invalid|no such|denied|space|failed|matches no", line, re.IGNORECASE)]
    return ((telling or lines or ["nothing"])[0])[:200].rstrip(".") + "."


def _said(errors: IO[bytes], path: str) -> str:
    errors.seek(0)
    return last_words(errors.read(20_000).decode("utf-8", "replace"), path)


def _ratio(text: str, default: Fraction) -> Fraction:
    above, _, below = text.partition(":")
    if not below or int(below) == 0 or int(above) <= 0:
        return default
    return Fraction(int(above), int(below))


def _quiet() -> dict[str, Any]:
    """Keep Ctrl-C away from ffmpeg: it would stop in mid-file, before the program has sent its last frame."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}
