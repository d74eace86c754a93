"""`Pace`: how finely to paint, so that a frame rate holds. Numbers only: it is told times, and answers with a scale."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from statistics import median

from realtime_nst.live.settings import SCALES

SAMPLES = 12
"""Frames whose median decides; the first of a new scale do not count, because they warm it up."""
WARM_UP = 2
TOO_SLOW, ROOM_DOWN, ROOM_UP = 0.95, 0.8, 0.7
"""Shares of the time for a frame: above which it is too coarse a promise, and what to plan for on the way down or up.
The gap between the last two keeps it from hunting."""
WAIT, LONGEST_WAIT = 3.0, 60.0
"""Seconds before a finer scale is tried; twice as long after each try that failed."""


class Pace:
    """Choose the process size.

    Time is taken to grow with the number of pixels. A step down happens within a few frames and goes as far as it
    must; a step up waits, goes one step, and waits longer after it has failed.

    Args:
        fps: Frames per second that should hold.
        scales: What to choose from, rising.
        clock: Seconds.
    """

    def __init__(self, fps: float, scales: Sequence[float] = SCALES, clock: Callable[[], float] = time.monotonic) -> None:
        self.scale = scales[-1]
        self._budget = 1.0 / fps
        self._scales = list(scales)
        self._clock = clock
        self._times: deque[float] = deque(maxlen=SAMPLES)
        self._timed = self.scale
        self._unused = WARM_UP
        self._patience = WAIT
        self._changed = clock()
        self._rose = False

    def observe(self, seconds: float, scale: float, finest: float = 1.0) -> None:
        """A frame has been painted.

        Args:
            seconds: How long that took.
            scale: How finely; frames of another scale than the wanted one, which is not ready yet, tell nothing.
            finest: What the user wants; it is never exceeded, and need not be one of the scales.
        """
        if scale != min(self.scale, finest):
            return
        if scale != self._timed:  # the user's doing, or this one's
            self._timed, self._unused = scale, WARM_UP
            self._times.clear()
        if self._unused:
            self._unused -= 1
            return
        self._times.append(seconds)
        if len(self._times) < SAMPLES:
            return
        now, usual = self._clock(), median(self._times)
        coarser = [other for other in self._scales if other < scale]

        def expected(other: float) -> float:
            return usual * (other / scale) ** 2

        if usual > TOO_SLOW * self._budget and coarser:
            if self._rose and now - self._changed < 2 * WAIT:
                self._patience = min(2 * self._patience, LONGEST_WAIT)
            fitting = [other for other in coarser if expected(other) <= ROOM_DOWN * self._budget]
            self._change(max(fitting, default=coarser[0]), rose=False)
        elif scale < min(self._scales[-1], finest) and now - self._changed >= self._patience:
            finer = min([other for other in self._scales if scale < other < finest], default=finest)
            if expected(finer) <= ROOM_UP * self._budget:
                self._change(finer, rose=True)
        elif scale == min(self._scales[-1], finest) and now - self._changed > LONGEST_WAIT:
            self._patience = WAIT

    def refuse(self, scale: float, present: float) -> None:
        """A scale cannot be had.

        Args:
            scale: It is not chosen again.
            present: The scale of the frames now.
        """
        self._scales = [other for other in self._scales if other != scale] or [present]
        if self.scale == scale:
            self._change(present, rose=False)

    def _change(self, scale: float, *, rose: bool) -> None:
        self.scale = scale
        self._rose = rose
        self._changed = self._clock()
        self._times.clear()
        self._unused = WARM_UP
