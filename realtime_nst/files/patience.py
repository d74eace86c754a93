"""`PatientControls`: a wish to stop waits for the end of the segment under way, so that no painted frame is lost.

The second wish is not kept waiting; but two in one second are one that was pressed twice.
"""

import time
from collections.abc import Callable

from realtime_nst.controls import Controls
from realtime_nst.stats import Stats

FINISH_SECONDS = 10.0
"""A segment is finished if it takes no longer."""
TWICE = 1.0
"""Seconds in which a second wish to stop is the first one again."""


class PatientControls(Controls):
    """Controls that quit between two segments.

    Args:
        outer: Those of the whole command; it learns of the wish at once.
        missing: Frames that are missing in the segment under way; 0 between two.
        stats: How fast it goes.
        notice: Tells the user what is waited for.
        clock: Seconds.
    """

    def __init__(
        self,
        outer: Controls,
        missing: Callable[[], int],
        stats: Stats,
        notice: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(outer.styles)
        self.quit = outer.quit
        self._outer, self._missing, self._stats, self._tell, self._now = outer, missing, stats, notice, clock
        self._asked: float | None = None
        self._told = False

    def leave(self) -> None:
        """Ask to quit; called inside of a signal handler."""
        self._outer.leave()
        if self._asked is None:
            self._asked = self._now()
        elif self._now() - self._asked > TWICE:
            self.quit = True

    def tick(self) -> None:
        if self._asked is None:
            return
        missing, speed = self._missing(), self._stats.fps
        late = self._now() - self._asked > 2 * FINISH_SECONDS
        if not missing or late or (not self._told and missing > FINISH_SECONDS * speed):
            self.quit = True
        elif not self._told:
            self._told = True
            self._tell(f"Stopping after this segment, in {missing / speed:.0f} seconds. Ctrl-C again stops at once.")
