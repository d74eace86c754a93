"""`Scout`: reads a film ahead of those who paint it, and writes their orders.

Where a stretch begins in the file, by time and pixels, when its frames are shown, and how far the camera has moved until
there follow from all frames before it. All of that is cheap beside painting, so one machine does it for all.
"""

from collections import deque
from collections.abc import Iterator
from fractions import Fraction

from realtime_nst.cluster.orders import Order
from realtime_nst.frames import Frame
from realtime_nst.jobs.farm import FarmedFilm
from realtime_nst.jobs.film_source import Mark
from realtime_nst.jobs.painter import FramePainter
from realtime_nst.jobs.stretches import Stretches
from realtime_nst.jobs.workfolder import Note, WorkFolder
from realtime_nst.style.field import HOME, Offset

Began = tuple[int, Mark | None, tuple[Fraction | None, int, Fraction] | None, Offset]
"""What is known where a stretch begins: its first frame, where to read from, the clock, the field."""


class Scout:
    """Iterate over it for the orders of all stretches of which a segment is missing.

    Args:
        film: The film.
        work: What is painted of it.
        field: Whether the texture field goes along with the camera.
    """

    def __init__(self, film: FarmedFilm, work: WorkFolder, *, field: bool) -> None:
        reel, memory = film.reel, film.picture_painter.memory
        self._stretches = reel.stretches(memory) or Stretches(reel.length, 0)
        self._work, self._field = work, field
        done = self._stretches.start(work.frames) // reel.length  # only whole stretches are skipped
        self._first = done * reel.length
        last: Note | None = work.notes[done - 1] if done else None
        self._clock = reel.clock(last)
        self._follower = film.picture_painter.follower()
        self._follower.offset = last.offset if last else HOME
        self._painter = FramePainter(
            self._follower, film.styles, float(reel.begin), float(reel.info.rate), stretches=self._stretches, first=self._first
        )
        self._begins = reel.mark(work.notes[:done], memory)
        self.source = reel.source(str(film.source), self._begins, self._first, self._see)
        self._marks: deque[tuple[Fraction | None, int]] = deque(maxlen=self._stretches.warm_up + 1)

    def __iter__(self) -> Iterator[Order]:
        began: Began | None = None
        ends: list[tuple[Fraction | None, int]] = []
        count, newest = 0, None
        for frame in self.source:
            if began is None:
                clock = None if self._clock.last is None else (self._clock.origin, self._clock.last, self._clock.shift)
                began, ends, count = (frame.index, self._mark(frame.index), clock, self._follower.offset), [], 0
            self._clock.tick(frame.time)
            self._see(frame)
            count, newest = count + 1, (frame.time, frame.check)
            if (frame.index + 1) % self._stretches.segment == 0:
                ends.append(newest)
            if self._stretches.ends(frame.index):
                yield from self._order(began, count, ends)
                began = None
        if began is not None and newest is not None:
            yield from self._order(began, count, ends if count % self._stretches.segment == 0 else [*ends, newest])

    def close(self) -> None:
        """Stop reading."""
        self.source.close()

    def _see(self, frame: Frame) -> None:
        self._marks.append((frame.time, frame.check))
        if self._field:
            self._painter.hold(frame)

    def _mark(self, first: int) -> Mark | None:
        """Where to begin to read for a stretch."""
        seen = self._stretches.seen_from(first)
        if seen == 0:
            return None
        if len(self._marks) <= first - seen:  # it is where this one has begun to read
            return self._begins
        moment, check = self._marks[seen - 1 - first]
        return Mark(seen, moment, check)

    def _order(
        self,
        began: Began,
        count: int,
        ends: list[tuple[Fraction | None, int]],
    ) -> Iterator[Order]:
        first, mark, clock, offset = began
        order = Order(first // self._stretches.segment, first, count, mark, clock, offset, tuple(ends))
        if not all(number in self._work for number in order.segments):
            yield order
