"""`Crossfade`: the style of this moment, on a path between style vectors. It knows no frames and no keys."""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from realtime_nst.style.style import Style

FADE_SECONDS = 1.0
FIRST_STEP = 0.3
"""Share of the way that the first frame goes: less is hardly seen, more is a cut. Pictures follow the vectors nearly
in proportion, so that it is also the share of the difference between the two paintings."""


class Crossfade:
    """Lead from one style to the next over about a second: one painting that changes, not two laid over each other.

    It begins with a step and arrives softly, so that the very next frame shows that the key was heard. Styles of
    another body cannot be reached by a path, and are there at once.

    Args:
        clock: Seconds.

    Reference:
        Dumoulin, Shlens, Kudlur (2017), section 3.3: the space between two style vectors is made of styles.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._target: Style | None = None
        self._now: Style | None = None
        self._start: Style | None = None
        self._started = 0.0

    def towards(self, target: Style, seconds: float) -> Style:
        """The style of this moment, on the way to `target`.

        Args:
            target: Where to go; the same object as in the last call goes on.
            seconds: How long the way takes; 0 is there at once.
        """
        if target is not self._target:
            self._start, self._started, self._target = self._now, self._clock(), target
        share = 1.0 if seconds <= 0 else min((self._clock() - self._started) / seconds, 1.0)
        start = self._start
        if share >= 1.0 or start is None or start.body.sha256 != target.body.sha256:
            self._start, self._now = None, target
        else:
            self._now = blend(start, target, 1.0 - (1.0 - FIRST_STEP) * (1.0 - share) ** 3)
        return self._now


def blend(first: Style, second: Style, share: float) -> Style:
    """A style between two of one body, named and described as the second.

    Args:
        first: Where share is 0.
        second: Where share is 1.
        share: From 0 to 1.
    """
    return replace(second, vector=(first.vector + np.float32(share) * (second.vector - first.vector)).astype(np.float32))
