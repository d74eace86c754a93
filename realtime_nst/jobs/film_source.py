"""`FilmSource`: the frames of a file between two moments, exactly; an interrupted run goes on at the frame after its last.

Seeking in video is a promise that not every file keeps. So the decoder starts a little early, and the frame where
the last run stopped must be found there, with its time and its very pixels; otherwise decoding starts at the
beginning.
"""

import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from realtime_nst.errors import SourceError
from realtime_nst.frames import Frame
from realtime_nst.media.decoding import FrameReader
from realtime_nst.media.probing import VideoInfo

MARGIN = 2.0
"""Seconds of decoding before the frame that is looked for: filters may look at its neighbours."""
SPARSE = 16
SLACK = Fraction(1, 2000)
"""Seconds that containers' rounding may put a frame on the wrong side of `begin` or `end`."""
Shot = tuple[np.ndarray, Fraction | None, Fraction | None]
"""A picture, its time, and how long it is shown."""


@dataclass(frozen=True)
class Mark:
    """Where an earlier run stopped.

    Args:
        frames: Frames that it has painted.
        time: Seconds of the last of them.
        check: Its `fingerprint`.
    """

    frames: int
    time: Fraction | None
    check: int


class FilmSource:
    """A `Source`: frames of a file with their times and `fingerprint`s, as fast as they are taken.

    Args:
        path: The file.
        info: From `probe`, with the size that frames are to have.
        begin: Seconds of the file at which to begin.
        end: Seconds at which to end, or `None` for all of it.
        after: Go on after this.
        first: Number of the first frame to give.
        before: Called with the frames between the two.
        checked: Whether frames come with their `fingerprint`s, which few of them need: it takes a tenth of the time.
    """

    live = False

    def __init__(
        self,
        path: str,
        info: VideoInfo,
        *,
        begin: Fraction = Fraction(0),
        end: Fraction | None = None,
        after: Mark | None = None,
        first: int = 0,
        before: Callable[[Frame], object] = lambda frame: None,
        checked: bool = True,
    ) -> None:
        self.width, self.height, self.fps = info.width, info.height, float(info.rate)
        self._usual = 1 / info.rate
        self._path, self._info, self._begin, self._end = path, info, begin, end
        self._after, self._first, self._before = after, first, before
        self._checked = checked
        self._closed = False
        self._reader: FrameReader | None = None

    def __iter__(self) -> Iterator[Frame]:
        index = self._after.frames if self._after else 0
        for image, moment, shown in self._frames():
            if self._end is not None and moment is not None:
                if moment >= self._end - SLACK:
                    return
                shown = None if shown is None else min(shown, self._end - moment)
            frame = Frame(image, index, time.monotonic(), moment, shown, fingerprint(image) if self._checked else 0)
            if index >= self._first:
                yield frame
            else:
                self._before(frame)
            index += 1

    @property
    def complaints(self) -> int:
        """How often ffmpeg has complained of damage."""
        return self._reader.complaints if self._reader is not None else 0

    @property
    def interlaced(self) -> bool:
        """Whether one of the frames was interlaced."""
        return self._reader is not None and self._reader.interlaced

    @property
    def sizes(self) -> dict[tuple[int, int], Fraction | None]:
        """Width and height that decoded frames have had, each with its first moment."""
        return {} if self._reader is None else self._reader.sizes

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

    def _frames(self) -> Iterator[Shot]:
        """Frames from where to begin, or after where an earlier run stopped."""
        if self._after is not None and self._found_again(self._after):
            yield from self._rest()
            return
        skip = self._after.frames if self._after else 0
        for shot in self._from_begin():
            if skip:
                skip -= 1
            else:
                yield shot

    def _found_again(self, mark: Mark) -> bool:
        """Read up to the last frame of an earlier run; False if it is not there."""
        if mark.time is None:
            return False
        try:
            for image, moment, _ in self._from(float(mark.time) - MARGIN):
                if moment is None or moment > mark.time:
                    return False
                if moment == mark.time:
                    return fingerprint(image) == mark.check
        except SourceError:  # nothing where the index of a damaged file said there was something
            return False
        return False

    def _from_begin(self) -> Iterator[Shot]:
        """Frames from `begin` on."""
        if self._begin > MARGIN and self._info.duration is not None:  # without one, times after a leap are made up
            landed = False
            try:
                for shot in self._from_first_shown(self._from(float(self._begin) - MARGIN)):
                    landed = True
                    yield shot
            except SourceError:
                if landed:
                    raise
            if landed or self._closed:
                return
        yield from self._from_first_shown(self._from(0.0), early=True)

    def _from_first_shown(self, shots: Iterator[Shot], *, early: bool = False) -> Iterator[Shot]:
        """Those from `begin` on; a frame before it that is still on show then is the first.

        Args:
            shots: Frames from about there on.
            early: Whether they begin where the file does; otherwise, if the first is too late, there are none.
        """
        before: Shot | None = None
        for image, moment, shown in shots:
            if moment is not None and moment < self._begin - SLACK:
                before = image, moment, shown
                continue
            if before is None and not early and (moment is None or moment > self._begin):
                return
            if before is not None and moment is not None and moment - self._begin > self._usual + SLACK:
                yield before[0], self._begin, moment - self._begin
            before, early = None, True
            yield image, moment, shown
        if before is not None and before[1] is not None and before[2] is not None and not self._closed:
            left = before[1] + before[2] - self._begin
            if left > SLACK:  # the last frame of the file
                yield before[0], self._begin, left

    def _from(self, seconds: float) -> Iterator[Shot]:
        """Frames from about here on, with a new decoder."""
        if self._reader is not None:
            self._reader.close()
        if not self._closed:
            self._reader = FrameReader(self._path, self._info, seek=max(0.0, seconds))
        yield from self._rest()

    def _rest(self) -> Iterator[Shot]:
        """What the present decoder still has."""
        reader = self._reader
        while reader is not None and not self._closed and (image := reader.read()) is not None:
            yield image, reader.time, reader.duration


def fingerprint(image: np.ndarray) -> int:
    """CRC-32 of every sixteenth row: with its time, that is enough to know a frame again."""
    return zlib.crc32(np.ascontiguousarray(image[::SPARSE]).data)
