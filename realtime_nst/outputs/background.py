"""`BackgroundSink`: a sink with a thread of its own, so that a slow disk or network does not hold up the show."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace

from realtime_nst.errors import NSTError, SinkError
from realtime_nst.frames import Frame, Sink
from realtime_nst.pipeline.stage import Stage

log = logging.getLogger(__name__)

WAITING = 8
"""Frames that wait at most. A sink that falls behind further misses frames, and its times stay right."""
FINISH_TIMEOUT = 60.0
"""Seconds in which it may finish at the end."""


class BackgroundSink:
    """Write to a sink on another thread.

    Args:
        sink: Where the frames go; used on that thread only, until it is closed.
        failed: Called once, on the caller's thread, when the sink fails; it takes no more frames then. Without it
            the error is raised.
        patience: Seconds in which it may finish what waits at the end.
        name: What to call it when it is too slow.
        missing: Called once, on the caller's thread, with the words for the first frame that it missed.
        repeat: Seconds without a new frame after which it gets the last one again, with the time of that moment, so
            that those who look at a stream are not cut off; `None` leaves it waiting.
    """

    def __init__(
        self,
        sink: Sink,
        failed: Callable[[NSTError], None] | None = None,
        patience: float = FINISH_TIMEOUT,
        *,
        name: str = "An output",
        missing: Callable[[str], object] = lambda words: None,
        repeat: float | None = None,
    ) -> None:
        self.sink = sink
        self.missed = self.frames = 0
        self._failed = failed
        self._patience = patience
        self._name, self._missing = name, missing
        self._repeat = repeat
        self._waiting: deque[Frame] = deque()
        self._changed = threading.Condition()
        self._ending = self._dead = False
        self._stage = Stage(self._write(), keep="latest", name="output")

    @property
    def watched(self) -> bool:
        """Whether someone takes the frames: no longer once the sink has failed."""
        return not self._dead

    def write(self, frame: Frame) -> None:
        if self._failed_before():
            return
        self.frames += 1
        with self._changed:
            full = len(self._waiting) >= WAITING
            if not full:
                self._waiting.append(frame)
                self._changed.notify_all()
        if full:
            self.missed += 1
            if self.missed == 1:
                self._missing(f"{self._name} is too slow: it misses frames")

    def check(self) -> None:
        """Meet the error of the other thread."""
        if self._dead:
            return
        try:
            self._stage.get(timeout=0.0)
        except (NSTError, OSError) as error:
            self._give_up(error)

    def close(self) -> None:
        """Finish. A sink that does not come to an end in time is given up; missed frames are told."""
        if self._dead:
            return
        self._end()
        in_time = self._stage.join(self._patience)
        if self._failed_before():
            return
        self._dead = True
        if self.missed:
            log.warning("%s was too slow: it missed %d of %d frames.", self._name, self.missed, self.frames)
        if not in_time:
            self.sink.discard()
            self._stage.join(self._patience)
            self._tell(SinkError(f"{self._name} took nothing for {self._patience:.0f} seconds and was given up."))
            return
        try:
            self.sink.close()
        except (NSTError, OSError) as error:
            self._give_up(error)

    def discard(self) -> None:
        with self._changed:
            self._waiting.clear()
        self._end()
        self.sink.discard()  # frees a thread that waits for it to take a frame
        self._stage.join(self._patience)
        self._dead = True

    def _end(self) -> None:
        with self._changed:
            self._ending = True
            self._changed.notify_all()

    def _failed_before(self) -> bool:
        self.check()
        return self._dead

    def _give_up(self, error: NSTError | OSError) -> None:
        self._dead = True
        self.sink.discard()
        self._tell(error if isinstance(error, NSTError) else SinkError(f"{self._name} failed: {error}. Free the disk."))

    def _tell(self, error: NSTError) -> None:
        if self._failed is None:
            raise error
        self._failed(error)

    def _write(self) -> Iterator[bool]:
        frame: Frame | None = None
        while True:
            with self._changed:
                timeout = None if frame is None else self._repeat
                if self._changed.wait_for(lambda: self._waiting or self._ending, timeout):
                    if not self._waiting:
                        return
                    frame = self._waiting.popleft()
                elif frame is not None:
                    frame = replace(frame, captured_at=time.monotonic())
            if frame is not None:
                self.sink.write(frame)
            yield True
