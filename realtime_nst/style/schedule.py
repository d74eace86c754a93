"""`StylePath`: which style a moment of a video has, when it changes on the way.

Between two styles the vector moves from one to the other, so that each frame is one painting in a style between
them, not two paintings laid over each other.
"""

import hashlib
from collections.abc import Sequence
from fractions import Fraction

from realtime_nst.errors import StyleError
from realtime_nst.style.book import StyleBook
from realtime_nst.style.mixing import mix_styles
from realtime_nst.style.style import Style

FADE = 1.0
"""Seconds from one style to the next, at most half of the time that a style has."""


class StylePath:
    """Styles one after another, over and over.

    Args:
        styles: One or more, of one body if there are several.
        every: Seconds for each, or `None` for the first one all the time.

    Raises:
        StyleError: They belong to different bodies.
    """

    def __init__(self, styles: Sequence[Style], every: float | None = None) -> None:
        self.styles = list(styles[:1] if every is None else styles)
        self.every = every
        self._fade = 0.0 if every is None else min(FADE, every / 2)
        if len(self.styles) > 1:
            mix_styles("path", self.styles, [1.0] * len(self.styles))  # all of one body, or it says so

    def at(self, seconds: float) -> Style:
        """The style of a moment."""
        if self.every is None or len(self.styles) == 1:
            return self.styles[0]
        turn, passed = divmod(max(seconds, 0.0), self.every)
        now = self.styles[int(turn) % len(self.styles)]
        after = self.styles[(int(turn) + 1) % len(self.styles)]
        share = (passed - (self.every - self._fade)) / self._fade
        if share <= 0:
            return now
        return mix_styles(f"{now.name}:{1 - share:.3f},{after.name}:{share:.3f}", [now, after], [1 - share, share])

    def description(self) -> list[str]:
        """What tells this path from any other: names, vectors and times."""
        return [f"{style.name} {style.body.sha256[:12]} {_fingerprint(style)}" for style in self.styles] + [f"every {self.every}"]


def read_path(book: StyleBook, text: str, every: float | None) -> StylePath:
    """The path that a user asks for: with `every`, the names in `text` come one after another.

    Raises:
        StyleError: An unknown name, or styles of different bodies.
    """
    if every is None:
        return StylePath([book.mix(text)])
    names = [name.strip() for name in text.split(",") if name.strip()]
    if len(names) < 2:
        raise StyleError(f"--every needs several styles, and '{text}' names {len(names)}. Write them as in wave,scream,kiss.")
    return StylePath(book.several(names), every)


def moment(time: Fraction | None, index: int, fps: float) -> float:
    """Seconds of a frame, also where its file does not say."""
    return index / fps if time is None else float(time)


def _fingerprint(style: Style) -> str:
    return hashlib.sha256(style.vector.tobytes()).hexdigest()[:12]
