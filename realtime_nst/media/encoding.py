"""`FrameWriter`: RGB frames with their times into one video file, through an encoder.

The file grows under a temporary name beside its final one, which it gets in `close`.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from realtime_nst.errors import DiskFullError, SinkError
from realtime_nst.files import draft_of, on_disk
from realtime_nst.media.colours import Colours, from_rgb
from realtime_nst.media.containers import MP4
from realtime_nst.media.encoders import Encoder, choose_encoder
from realtime_nst.media.ffmpeg import NOWHERE, PIPE, address, interrupt, said, start, stop, wait, watch
from realtime_nst.media.rawstream import frame_head, stream_head
from realtime_nst.media.timing import ticks_per_second

CLOSE_TIMEOUT = 60.0
"""Seconds that ffmpeg may stand still while it finishes a file: it may have to encode the last frames."""
BREAK_OFF_SECONDS = 2.0
USUAL_PICTURE = 1920 * 1080
"""Pixels above which it gets more time in proportion."""
FRUGAL_FROM = 4_000_000
"""Pixels from which on an encoder must not hold many frames."""
FRUGAL = {
    "libx264": ("-threads:v:0", "1", "-x264-params", "rc-lookahead=4:sync-lookahead=0:bframes=1"),
    "libx265": ("-x265-params", "log-level=error:rc-lookahead=5:bframes=2:frame-threads=1:lookahead-slices=0"),
    "libvpx-vp9": ("-lag-in-frames", "0"),
    "libsvtav1": ("-svtav1-params", "lp=1:lookahead=0"),
}
"""Arguments for pictures above that."""
RECORDING_COLOURS = Colours("bt709", "bt709", "bt709")


@dataclass(frozen=True)
class Contents:
    """What a video file is, beside its frames.

    Args:
        format: ffmpeg's name of the kind of file.
        colours: What the file is to hold.
        pixel_aspect: Width of a pixel over its height.
        inputs: Arguments that open more inputs.
        tracks: Arguments that take tracks from them.
        arguments: More arguments for the file.
    """

    format: str = "mp4"
    colours: Colours = RECORDING_COLOURS
    pixel_aspect: Fraction = Fraction(1)
    inputs: Sequence[str] = ()
    tracks: Sequence[str] = ()
    arguments: Sequence[str] = ()


MP4_OF_FRAMES = Contents()


class FrameWriter:
    """Encode RGB frames into a file.

    Args:
        path: The file to write; `None` writes to standard output.
        width: Width of the frames in pixels.
        height: Height of the frames in pixels.
        rate: Frames per second; with variable rate about.
        encoder: How; H.264 unless said otherwise.
        contents: What the file is beside them; an MP4 file with nothing else unless said otherwise.
        draft: Where it grows, instead of a name of its own; after a failure it is the caller's, to keep or to remove.

    Raises:
        SinkError: The folder does not exist.
    """

    def __init__(
        self,
        path: Path | None,
        width: int,
        height: int,
        rate: Fraction,
        *,
        encoder: Encoder | None = None,
        contents: Contents = MP4_OF_FRAMES,
        draft: Path | None = None,
    ) -> None:
        self.path = path
        self.frames = 0
        self._broken_off = False
        self.ticks_per_second = ticks_per_second(rate)
        self._step = int(self.ticks_per_second / rate)
        self._draft = None if path is None else draft or draft_of(path)
        self._keeps = draft is not None
        self._patience = CLOSE_TIMEOUT * max(1.0, width * height / USUAL_PICTURE)
        encoder = encoder or choose_encoder(MP4, width, height)[0]
        if path is not None and not path.parent.is_dir():
            raise SinkError(f"No folder '{path.parent}' for '{path.name}'. Create it, or choose another place.")
        aspect = f"setsar={contents.pixel_aspect.numerator}/{contents.pixel_aspect.denominator}"
        filters = [f"format={encoder.pixel_format}"] if encoder.rgb else [from_rgb(contents.colours)]
        command = ["-loglevel", "error", "-y", *encoder.before, "-probesize", "32", "-analyzeduration", "0"]
        command += [
            "-fpsprobesize",
            "0",
            "-thread_queue_size",
            "1",
            "-f",
            "matroska",
            "-i",
            "-",
            *contents.inputs,
            "-map",
            "0:v:0",
            *contents.tracks,
        ]
        command += ["-fps_mode:v:0", "passthrough", "-enc_time_base:v:0", f"1:{self.ticks_per_second}"]
        command += ["-filter:v:0", ",".join([*filters, aspect, *encoder.filters])]
        command += [argument.replace("-c:v", "-c:v:0") for argument in encoder.arguments]
        command += [] if encoder.filters else ["-pix_fmt:v:0", encoder.pixel_format]
        command += FRUGAL.get(encoder.name, ()) if width * height > FRUGAL_FROM else ()
        command += ["-video_track_timescale", str(self.ticks_per_second)] if contents.format in ("mp4", "mov") else []
        command += [*contents.arguments, "-f", contents.format, "-" if self._draft is None else address(str(self._draft))]
        self._errors = tempfile.TemporaryFile()
        output = None if self._draft is None else NOWHERE
        self._process = start(command, stdin=PIPE, stdout=output, stderr=self._errors)
        self._head = stream_head(width, height, rate)

    def write(self, image: np.ndarray, tick: int | None = None) -> None:
        """Append a frame.

        Args:
            image: uint8 `(height, width, 3)`.
            tick: When it is shown, in ticks of `ticks_per_second`, later than the frame before; `None` is one frame
                of the constant rate later.

        Raises:
            SinkError: ffmpeg stopped, for example because the disk is full.
        """
        moment = Fraction(self.frames * self._step if tick is None else tick, self.ticks_per_second)
        pipe: Any = self._process.stdin
        try:
            pipe.write(self._head + frame_head(moment, image.nbytes))
            pipe.write(np.ascontiguousarray(image).reshape(-1).data)
        except (BrokenPipeError, OSError) as error:
            raise self._failure() from error
        self._head = b""
        self.frames += 1

    @property
    def finished(self) -> bool:
        """Whether ffmpeg has ended, well or not: `close` will not have to wait."""
        return self._process.poll() is not None

    def end(self) -> None:
        """No more frames will come; ffmpeg finishes the file meanwhile."""
        pipe: Any = self._process.stdin
        try:
            pipe.close()
        except OSError:
            pass  # `close` finds out why

    def break_off(self) -> None:
        """No more frames will come, and nothing else either: other inputs end here, too.

        ffmpeg looks twice a second whether it is to end. If its pipe were closed before, it would take all the rest.
        """
        self._broken_off = True
        interrupt(self._process)
        wait(self._process, BREAK_OFF_SECONDS)
        self.end()

    def close(self) -> None:
        """Finish the file and give it its name. Does nothing after `close` or `discard`.

        Raises:
            SinkError: The file could not be finished; nothing of it is left.
        """
        if self._errors.closed:
            return
        self.end()
        if self._draft is None:
            self._process.wait()  # whoever reads the pipe may take as long as they like
        elif watch(self._process, self._draft, self._patience) is None:
            stop(self._process)
            self._errors.write(f"No progress for {self._patience:.0f} seconds".encode())
        if (self._process.returncode and not self._broken_off) or (self._draft is not None and not self._draft.exists()):
            raise self._failure()
        self._errors.close()
        if self._draft is not None and self.path is not None:
            on_disk(self._draft)
            self._draft.replace(self.path)

    def discard(self) -> None:
        """Stop, and leave nothing behind. Does nothing after `close`."""
        if self._errors.closed:
            return
        stop(self._process)
        self._errors.close()
        if self._draft is not None and not self._keeps:
            self._draft.unlink(missing_ok=True)

    def _failure(self) -> SinkError:
        wait(self._process, CLOSE_TIMEOUT)
        words = said(self._errors, str(self._draft))
        self.discard()
        if self.path is None and "Broken pipe" in words:
            raise BrokenPipeError(words)
        kind = DiskFullError if "No space left" in words else SinkError
        name = "standard output" if self.path is None else f"'{self.path}'"
        return kind(f"ffmpeg stopped while writing {name} (frame {self.frames}). It said: {words}")
