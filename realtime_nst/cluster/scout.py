"""`Scout`: reads a film ahead of those who paint it, and writes their orders.

Where a stretch begins in the file, by time and pixels, when its frames are shown, and how far the camera has moved until
there follow from all frames before it. So one machine does it for all, and what takes longest, how the camera moved, for
several stretches at once: each movement is found in a process of its own, and they are added up in order.
"""

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import BrokenExecutor, Future
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from functools import partial

from realtime_nst.cluster.album import Album, movement
from realtime_nst.cluster.orders import Order
from realtime_nst.engines.backend import cores
from realtime_nst.errors import ClusterError
from realtime_nst.frames import Frame
from realtime_nst.jobs.farm import FarmedFilm
from realtime_nst.jobs.film_source import Mark, fingerprint
from realtime_nst.jobs.painter import FrameHolder
from realtime_nst.jobs.stretches import Stretches
from realtime_nst.jobs.workfolder import Note, WorkFolder
from realtime_nst.painting.camera_motion import Movement
from realtime_nst.pipeline.in_flight import InFlight
from realtime_nst.pipeline.stage import Stage
from realtime_nst.style.field import HOME

MOST = 4
"""Processes that follow the camera: more would wait, as reading takes about a third of the time of following."""


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
        self._at_once = min(MOST, cores()) if field else 1
        done = self._stretches.start(work.frames) // reel.length  # only whole stretches are skipped
        self._first = done * reel.length
        last: Note | None = work.notes[done - 1] if done else None
        self._clock = reel.clock(last)
        self._offset = last.offset if last else HOME
        self._album = Album()
        self._holder = FrameHolder(
            self._album, film.styles, float(reel.begin), float(reel.info.rate), stretches=self._stretches, first=self._first
        )
        self._begins = reel.mark(work.notes[:done], memory)
        self.source = reel.source(str(film.source), self._begins, self._first, self._see, checked=False)
        self._marks: deque[Mark] = deque(maxlen=2)  # a warm-up may be as long as a stretch

    def __iter__(self) -> Iterator[Order]:
        in_flight, orders, offset = InFlight(self._at_once, apart=True), deque[Order](), self._offset
        try:
            with closing(self._begun(in_flight, orders)) as begun:  # also after an error, whose traceback would keep it alive
                for moved in in_flight.in_order(begun):
                    offset = moved(offset) if moved is not None else offset
                    order = replace(orders.popleft(), offset=offset)
                    if not all(number in self._work for number in order.segments):
                        yield order
        except BrokenExecutor as error:
            raise ClusterError(
                "A process that follows the camera has died; memory may have run out. What is finished is kept; the same "
                "command goes on."
            ) from error

    def close(self) -> None:
        """Stop reading."""
        self.source.close()

    def _begun(self, in_flight: InFlight, orders: deque[Order]) -> Generator["Future[Movement | None]", None, None]:
        """Of each stretch that is read, what finds the movement before it; its order waits for that."""
        before: Future[Movement | None] = Future()
        before.set_result(None)
        with closing(self._read()) as read:
            for order in read:
                orders.append(order)
                yield before
                if self._field and self._stretches.ends(order.first + order.frames - 1):
                    before = in_flight.begin(partial(movement, *self._album.stretch))

    def _read(self) -> Generator[Order, None, None]:
        """The orders of all stretches, each with the offset of the first one."""
        began: Order | None = None
        ends: list[tuple[Fraction | None, int]] = []
        newest: Frame | None = None
        with Stage(self.source, keep="all", name="capture") as frames:
            for newest in frames:
                if began is None:
                    began, ends = self._order(newest.index), []
                self._clock.tick(newest.time)
                self._see(newest)
                if (newest.index + 1) % self._stretches.segment == 0:
                    ends.append((newest.time, fingerprint(newest.image)))
                if self._stretches.ends(newest.index):
                    yield replace(began, frames=newest.index + 1 - began.first, ends=tuple(ends))
                    began = None
        if began is not None and newest is not None:
            count = newest.index + 1 - began.first
            if count % self._stretches.segment:
                ends.append((newest.time, fingerprint(newest.image)))
            yield replace(began, frames=count, ends=tuple(ends))

    def _order(self, first: int) -> Order:
        """That of a stretch, as far as it is known where it begins."""
        clock = None if self._clock.last is None else (self._clock.origin, self._clock.last, self._clock.shift)
        return Order(first // self._stretches.segment, first, 0, self._mark(first), clock, self._offset, ())

    def _see(self, frame: Frame) -> None:
        if self._stretches.warm_up_follows(frame.index):
            self._marks.append(Mark(frame.index + 1, frame.time, fingerprint(frame.image)))
        if self._field:
            self._holder.hold(frame)

    def _mark(self, first: int) -> Mark | None:
        """Where to begin to read for a stretch."""
        seen = self._stretches.seen_from(first)
        if seen == 0:
            return None
        found = next((mark for mark in self._marks if mark.frames == seen), None)
        return found or self._begins  # which is where this one has begun to read
