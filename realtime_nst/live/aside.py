"""`Aside`: a sink beside the window, on a thread of its own, so that a slow disk or network does not hold up the show."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator

from realtime_nst.errors import NSTError
from realtime_nst.stage import Stage
from realtime_nst.video import Frame, Sink

log = logging.getLogger(__name__)

WAITING = 8
"""Frames that wait at most. A sink that falls behind further misses frames, and its times stay right."""
PATIENCE = 60.0
"""Seconds in which it may finish at the end."""


class Aside:
    """Write to a sink on another thread.

    Args:
        sink: Where the frames go; used on that thread only, until it is closed.
        failed: Called once, on the caller's thread, when the sink fails; it takes no more frames then. Without it
            the error is raised.
        patience: Seconds in which it may finish what waits at the end.
    """

    def __init__(self, sink: Sink, failed: Callable[[NSTError], None] | None = None, patience: float = PATIENCE) -> None:
        self.sink = sink
        self.missed = 0
        self._failed = failed
        self._patience = patience
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
        with self._changed:
            if len(self._waiting) >= WAITING:
                self.missed += 1
                return
            self._waiting.append(frame)
            self._changed.notify_all()

    def poll_key(self, timeout: float) -> str | None:
        self._check()
        return None

    def close(self) -> None:
        """Finish. A sink that does not come to an end in time is given up."""
        if self._dead:
            return
        self._end()
        in_time = self._stage.join(self._patience)
        if self._failed_before():
            return
        self._dead = True
        if not in_time:
            log.warning("An output took nothing for %.0f seconds and was given up.", self._patience)
            self.sink.discard()
            self._stage.join(self._patience)
            return
        try:
            self.sink.close()
        except NSTError as error:
            self._tell(error)

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
        self._check()
        return self._dead

    def _check(self) -> None:
        """Meet the error of the other thread."""
        if self._dead:
            return
        try:
            self._stage.get(timeout=0.0)
        except NSTError as error:
            self._dead = True
            self.sink.discard()
            self._tell(error)

    def _tell(self, error: NSTError) -> None:
        if self._failed is None:
            raise error
        self._failed(error)

    def _write(self) -> Iterator[bool]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ending)
                if not self._waiting:
                    return
                frame = self._waiting.popleft()
            self.sink.write(frame)
            yield True
