"""`FrameReader`: the frames of a file as RGB, with their times.

Pictures come through one pipe of ffmpeg's, their times through the other: the `showinfo` filter tells the time of
each frame before the frame itself is sent.
"""

import re
import threading
import time
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from realtime_nst.errors import SourceError
from realtime_nst.media.addresses import is_address
from realtime_nst.media.colours import on_white, to_rgb
from realtime_nst.media.ffmpeg import PIPE, STALL_TIMEOUT, address, last_words, start, stop, wait
from realtime_nst.media.probing import CLOCK, SHOWN, VideoInfo, all_tracks, joining, looking
from realtime_nst.pipeline.buffers import Buffers
from realtime_nst.pipeline.stage import Stage

THREADS = ((10_000_000, 1), (4_000_000, 2))
"""Pixels from which on ffmpeg decodes on so few threads: each holds several frames."""
DECODED = "showinfo@decoded"
"""The filter that tells of each frame before anything is done to it."""
TIMES_AHEAD = 4096
WORDS_KEPT = 100
FINITE = re.compile(r"(?:\[info\])? *Duration: \d")
LEVEL = re.compile(r"(?:\[[^\]]* @ [^\]]*\] )*\[(?:warning|error|fatal|panic)\]")
OWN = "to muxer"
"""In a complaint of how frames are passed on: an edit list may put two of them on one moment."""
WARNING = re.compile(r"error|invalid|corrupt|missing|damaged|concealing|prematurely|truncat", re.IGNORECASE)


class FrameReader:
    """Decode a file's frames as RGB, in order, each once.

    Args:
        path: A file's path or a URL.
        info: From `probe`; frames are scaled to its width and height.
        live: Stand in for a camera: come at a constant rate; a file starts again at its end.
        seek: Begin about here, in seconds; frames a little before it may come first.

    Raises:
        SourceError: ffmpeg does not start.
    """

    def __init__(self, path: str, info: VideoInfo, *, live: bool = False, seek: float = 0.0) -> None:
        self.path = path
        self.frames = 0
        self.time: Fraction | None = None
        self.duration: Fraction | None = None
        self.complaints = 0
        self.interlaced = self.finite = False
        self.sizes: dict[tuple[int, int], Fraction | None] = {}
        self._frames = Buffers((info.height, info.width, 3))
        self._words: deque[str] = deque(maxlen=WORDS_KEPT)
        self._closing = False
        self._lock = threading.Lock()
        self._tells_of_decoded = not live
        self._locked = any(track.locked for track in info.tracks)
        self._asked: float | None = None
        self._heard = 0.0
        self._process = start(_arguments(path, info, live, seek), stdout=PIPE, stderr=PIPE)
        self._times = Stage(self._listen(self._process.stderr), keep="all", depth=TIMES_AHEAD, name="times")

    def read(self) -> np.ndarray | None:
        """The next frame, uint8 `(height, width, 3)`, or `None` at the end.

        `time` and `duration` are then its time and how long it is shown, in seconds, where the file says so. `sizes`
        are those that decoded frames have had until now (width and height), each with its first moment, and
        `interlaced` is whether one of them was. `finite` is whether the length of the whole is known.

        Raises:
            SourceError: ffmpeg could not decode even one frame.
        """
        frame = self._frames.take()
        pipe: Any = self._process.stdout
        view, filled = frame.reshape(-1).data, 0
        self._asked = time.monotonic()
        while filled < len(view):
            try:
                count = pipe.readinto(view[filled:])
            except ValueError:  # closed by another thread a moment ago
                if not self._closing:
                    raise
                return None
            if not count:
                self._asked = None
                wait(self._process, 5.0)
                self._times.join(1.0)  # its last words
                if self.frames == 0 and not self._closing:
                    raise SourceError(f"'{self.path}' could not be decoded. ffmpeg said: {self._said()}")
                return None
            self._asked = time.monotonic()
            filled += count
        self._asked = None
        self.frames += 1
        self.time, self.duration = self._times.get() or (None, None)
        return frame

    def check(self) -> None:
        """Make sure that ffmpeg does not hang; to be called now and then from another thread than `read`.

        While it looks for the place to begin at, it sends no frames, but tells of those that it decodes.

        Raises:
            SourceError: A frame has been waited for too long.
        """
        asked = self._asked
        if asked is not None and time.monotonic() - max(asked, self._heard) > STALL_TIMEOUT:
            self.close()
            raise SourceError(
                f"'{self.path}' gave no frame for {STALL_TIMEOUT:.0f} seconds after frame {self.frames}. "
                "The file may be damaged, or its disk asleep. Copy it, and try again."
            )

    def close(self) -> None:
        """Stop decoding. Safe to call twice and from another thread: a waiting `read` then returns `None`."""
        self._closing = True
        self._process.kill()
        self._process.wait()
        self._times.close()
        self._times.join(2.0)
        with self._lock:
            stop(self._process)

    def _said(self) -> str:
        return last_words("\n".join(self._words), self.path)

    def _listen(self, pipe: Any) -> Iterator[tuple[Fraction | None, Fraction | None]]:
        """Times out of ffmpeg's messages; its other words are kept for when it fails.

        A message that follows one without an end has no name in front; what it is then follows from the others.
        """
        ticks = [Fraction(1, 1000), Fraction(1, 1000)]
        upcoming = 0  # number of the frame that is decoded next
        counts = not self._locked  # of an encrypted track, ffmpeg complains while it looks for what is in the file
        for raw in pipe:
            line = raw.decode("utf-8", "replace")
            named, decoded = "showinfo" in line, line.startswith(f"[{DECODED} ")
            if shown := SHOWN.search(line):
                number = int(shown["number"])
                if not (decoded or (self._tells_of_decoded and not named and number == upcoming)):
                    yield _seconds(shown["pts"], ticks[False]), _seconds(shown["duration"], ticks[False])
                    continue
                upcoming = number + 1
                self._heard = time.monotonic()
                self.interlaced = self.interlaced or shown["field"] in "TB"
                self.sizes.setdefault((int(shown["width"]), int(shown["height"])), _seconds(shown["pts"], ticks[True]))
            elif clock := CLOCK.search(line):
                tick = Fraction(int(clock[1]), max(1, int(clock[2])))
                ticks = [ticks[False], tick] if decoded else [tick, ticks[True]] if named else [tick, tick]
                upcoming = 0 if decoded or not named else upcoming
            elif not named:
                self.finite = self.finite or bool(FINITE.match(line))
                self._words.append(line)
                counts = counts or "Stream mapping:" in line
                told = counts and LEVEL.match(line) and OWN not in line
                self.complaints += bool(told and WARNING.search(line.replace(self.path, "")))


def _arguments(path: str, info: VideoInfo, live: bool, seek: float) -> list[str]:
    distant = is_address(path)
    threads = next((count for pixels, count in THREADS if info.width * info.height > pixels), 0)
    if live:
        before = [] if distant else ["-stream_loop", "-1"]  # which never ends where a server cannot go back
    else:
        before = ["-copyts", *(joining(info) if distant else ["-start_at_zero"])]
    before += ["-threads", str(threads), "-filter_threads", "1"] if threads else []
    filters = [f"fps={info.rate}"] if live else [f"{DECODED}=checksum=0"]
    if seek > 0:  # by a filter of ours, because ffmpeg's own would drop frames before it tells of them
        before += ["-noaccurate_seek", "-ss", f"{seek:.3f}"]
        filters += [f"trim=start={seek:.3f}"]
    fits = bool(info.shape)
    filters += ["bwdif=mode=send_frame:deint=interlaced"] if info.interlaced or (info.deinterlaced and not live) else []
    filters += [
        to_rgb(info.colours, info.width, info.height, shape=info.shape if fits else Fraction(0), odd=info.odd, deep=info.deep),
        *([on_white()] if info.alpha else []),
        "format=rgb24",
        *([f"pad={info.width}:{info.height}:-1:-1"] if fits else []),
        "sidedata=mode=delete",
        "showinfo=checksum=0",
    ]
    command = ["-nostdin", "-nostats", "-loglevel", "repeat+level+info", *before, *info.decoder]
    command += [*looking(path), "-i", address(path)]
    command += [*([] if live or distant else all_tracks(info, 0)), "-map", info.selector]
    command += ["-vf", ",".join(filters), "-fps_mode", "passthrough", "-thread_queue_size", "1"]
    return [*command, "-pix_fmt", "rgb24", "-f", "rawvideo", "-"]


def _seconds(ticks: str, tick: Fraction) -> Fraction | None:
    try:
        count = int(ticks)
    except ValueError:  # NOPTS
        return None
    return count * tick
