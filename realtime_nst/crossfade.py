"""`Crossfade`: the style of this moment, on a path between style vectors. It knows no frames and no keys."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np

from realtime_nst.styles import Style

FADE_SECONDS = 1.0
PHOTO_STYLE = "none"
"""The style that gives the photo back: where the path of strength begins."""


class Crossfade:
    """Lead from one style to the next over about a second: one painting that changes, not two laid over each other.

    It starts fast and arrives softly, so that a change shows in the next frame. Styles of another body cannot be
    reached by a path, and are there at once.

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
            if self._start is not None and seconds:  # the first step shows in the frame that asks
                self._started -= min(1 / 30, seconds / 2)
        share = 1.0 if seconds <= 0 else min((self._clock() - self._started) / seconds, 1.0)
        start = self._start
        if share >= 1.0 or start is None or start.body.sha256 != target.body.sha256:
            self._start, self._now = None, target
        else:
            self._now = blend(start, target, 1.0 - (1.0 - share) ** 3)
        return self._now


def blend(first: Style, second: Style, share: float) -> Style:
    """A style between two of one body, named and described as the second.

    Args:
        first: Where share is 0.
        second: Where share is 1.
        share: From 0 to 1.
    """
    return replace(second, vector=(first.vector + np.float32(share) * (second.vector - first.vector)).astype(np.float32))


def with_strength(style: Style, strength: float, photos: Mapping[str, Style]) -> tuple[Style, float]:
    """A style at a strength: on the path from the style that gives the photo back, where its body has one.

    Args:
        style: The style.
        strength: From 0, the photo, to 1, the style.
        photos: The style `none` of each body, by the body's hash.

    Returns:
        The style to paint with, and the strength that is left for a blend of pixels: 1 where there was a path.
    """
    photo = photos.get(style.body.sha256)
    if strength >= 1.0 or photo is None:
        return style, strength
    return blend(photo, style, strength), 1.0


def photo_styles(styles: Iterable[Style]) -> dict[str, Style]:
    """The style `none` of each body that has one, by the body's hash."""
    return {style.body.sha256: style for style in styles if style.name == PHOTO_STYLE}
