"""`PatientRemote`: a wish to stop waits for the end of the segment under way, so that no painted frame is lost.

The second wish is not kept waiting; but two in one second are one that was pressed twice.
"""

import time
from collections.abc import Callable, Sequence

from realtime_nst.pipeline.loop import Remote
from realtime_nst.pipeline.stats import Stats

FINISH_SECONDS = 10.0
"""A segment is finished if it takes no longer."""
TWICE = 1.0
"""Seconds in which a second wish to stop is the first one again."""


class PatientRemote:
    """A `Remote` for one file, which quits between two segments.

    Args:
        outer: That of the whole command; it learns of the wish at once.
        checks: Called between frames, and while none comes; they raise when something hangs.
        missing: Frames that are missing in the segment under way; 0 between two.
        stats: How fast it goes.
        notice: Tells the user what is waited for.
        clock: Seconds.
    """

    idle = False

    def __init__(
        self,
        outer: Remote,
        checks: Sequence[Callable[[], object]],
        missing: Callable[[], int],
        stats: Stats,
        notice: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.quit = outer.quit
        self._outer, self._checks, self._missing, self._stats = outer, checks, missing, stats
        self._tell, self._now = notice, clock
        self._asked: float | None = None
        self._told = False

    def leave(self) -> None:
        """Ask to quit; called inside of a signal handler."""
        self._outer.leave()
        if self._asked is None:
            self._asked = self._now()
        elif self._now() - self._asked > TWICE:
            self.quit = True

    def poll(self, timeout: float) -> None:
        """See whether anything hangs, and whether it is time to quit."""
        for check in self._checks:
            check()
        if self._asked is None:
            return
        missing, speed = self._missing(), self._stats.fps
        late = self._now() - self._asked > 2 * FINISH_SECONDS
        if not missing or late or (not self._told and missing > FINISH_SECONDS * speed):
            self.quit = True
        elif not self._told:
            self._told = True
            self._tell(f"Stopping after this segment, in {missing / speed:.0f} seconds. Ctrl-C again stops at once.")
