"""`Stretches`: where a film forgets. It is painted in stretches whose pictures depend on none before their own warm-up.

Holding still and following the camera look back, and would have each frame wait for all before it. So what is held is
gathered anew from the last frames before each stretch, and then depends on the film alone: a run that was interrupted, and
any other machine, paints a stretch like the one that has painted all before it. How far the texture field has moved until
there is a number, which is handed on.
"""

from dataclasses import dataclass

STRETCH_FRAMES = 480
"""Frames of a stretch at least: what is gathered twice stays little."""


@dataclass(frozen=True)
class Stretches:
    """The stretches of a film.

    Args:
        segment: Frames of its segments; a stretch is one or several.
        warm_up: Frames before a stretch from which what is held is gathered.
    """

    segment: int
    warm_up: int

    @property
    def frames(self) -> int:
        """Frames of a stretch."""
        return -(-STRETCH_FRAMES // self.segment) * self.segment

    def start(self, index: int) -> int:
        """The first frame of the stretch of a frame."""
        return index - index % self.frames

    def seen_from(self, index: int) -> int:
        """The first frame that one must have seen to paint from a frame on."""
        return max(0, self.start(index) - min(self.warm_up, self.frames))

    def warms_up(self, index: int) -> bool:
        """Whether the next stretch depends on a frame."""
        return self.frames - index % self.frames <= self.warm_up

    def warm_up_follows(self, index: int) -> bool:
        """Whether that of a stretch begins after a frame."""
        return (index + 1 + min(self.warm_up, self.frames)) % self.frames == 0

    def ends(self, index: int) -> bool:
        """Whether a frame is the last of its stretch."""
        return (index + 1) % self.frames == 0
