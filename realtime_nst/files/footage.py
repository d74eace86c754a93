"""`Footage`: the frames of a file between two moments, exactly; an interrupted run goes on at the frame after its last.

Seeking in video is a promise that not every file keeps. So the decoder starts a little early, and the frame where
the last run stopped must be found there, with its time and its very pixels; otherwise decoding starts at the
beginning.
"""

import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from realtime_nst.errors import SourceError
from realtime_nst.files.decoding import FrameReader
from realtime_nst.files.probing import VideoInfo
from realtime_nst.video import Frame

MARGIN = 2.0
"""Seconds of decoding before the frame that is looked for: filters may look at its neighbours."""
SLACK = Fraction(1, 2000)
"""Seconds that containers' rounding may put a frame on the wrong side of `begin` or `end`."""


@dataclass(frozen=True)
class Mark:
    """Where an earlier run stopped.

    Args:
        frames: Frames that it has painted.
        time: Seconds of the last of them.
        check: CRC-32 of its picture.
    """

    frames: int
    time: Fraction | None
    check: int


class Footage:
    """A `Source`: frames of a file with their times, as fast as they are taken.

    Args:
        path: The file.
        info: From `probe`, with the size that frames are to have.
        begin: Seconds of the file at which to begin.
        end: Seconds at which to end, or `None` for all of it.
        marks_every: The pictures before each multiple of so many frames are remembered in `checks`.
        after: Go on after this.
    """

    live = False

    def __init__(
        self,
        path: str,
        info: VideoInfo,
        *,
        begin: Fraction = Fraction(0),
        end: Fraction | None = None,
        marks_every: int = 0,
        after: Mark | None = None,
    ) -> None:
        self.width, self.height, self.fps = info.width, info.height, float(info.rate)
        self.checks: dict[int, int] = {}
        self.complaints = 0
        self._path, self._info, self._begin, self._end = path, info, begin, end
        self._marks_every = marks_every
        self._after = after
        self._closed = False
        self._reader: FrameReader | None = None

    def __iter__(self) -> Iterator[Frame]:
        index = self._after.frames if self._after else 0
        for image, moment in self._frames():
            if self._end is not None and moment is not None and moment >= self._end - SLACK:
                return
            if self._marks_every and (index + 1) % self._marks_every == 0:
                self.checks[index] = zlib.crc32(image.data)
            yield Frame(image, index, time.monotonic(), moment)
            index += 1

    def check(self) -> None:
        """Make sure that the decoder does not hang; called now and then from another thread.

        Raises:
            SourceError: It does.
        """
        reader = self._reader
        if reader is not None:
            reader.check()

    def close(self) -> None:
        self._closed = True
        if self._reader is not None:
            self._reader.close()

    def _frames(self) -> Iterator[tuple[np.ndarray, Fraction | None]]:
        """Frames from where to begin, or after where an earlier run stopped."""
        if self._after is not None and self._found_again(self._after):
            yield from self._rest()
            return
        skip = self._after.frames if self._after else 0
        for image, moment in self._from_begin():
            if skip:
                skip -= 1
            else:
                yield image, moment

    def _found_again(self, mark: Mark) -> bool:
        """Read up to the last frame of an earlier run; False if it is not there."""
        if mark.time is None:
            return False
        try:
            for image, moment in self._from(float(mark.time) - MARGIN):
                if moment is None or moment > mark.time:
                    return False
                if moment == mark.time:
                    return zlib.crc32(image.data) == mark.check
        except SourceError:  # nothing where the index of a damaged file said there was something
            return False
        return False

    def _from_begin(self) -> Iterator[tuple[np.ndarray, Fraction | None]]:
        """Frames from `begin` on."""
        earliest = self._begin - SLACK
        if self._begin > MARGIN:
            landed = False
            try:
                for image, moment in self._from(float(self._begin) - MARGIN):
                    landed = landed or (moment is not None and moment <= self._begin)
                    if not landed:
                        break
                    if moment is None or moment >= earliest:
                        yield image, moment
            except SourceError:
                if landed:
                    raise
            if landed or self._closed:
                return
        for image, moment in self._from(0.0):
            if moment is None or moment >= earliest:
                yield image, moment

    def _from(self, seconds: float) -> Iterator[tuple[np.ndarray, Fraction | None]]:
        """Frames from about here on, with a new decoder."""
        if self._reader is not None:
            self._reader.close()
        if not self._closed:
            self._reader = FrameReader(self._path, self._info, seek=max(0.0, seconds))
        yield from self._rest()

    def _rest(self) -> Iterator[tuple[np.ndarray, Fraction | None]]:
        """What the present decoder still has."""
        reader = self._reader
        while reader is not None and not self._closed and (image := reader.read()) is not None:
            yield image, reader.time
        self.complaints += reader.complaints if reader is not None else 0
