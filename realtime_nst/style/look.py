"""`Look`: what a user adds to a style: how much of it, whose colours, how still, how much texture. Numbers only.

`engines/recolour.py` and `engines/stabilizer.py` compute.
"""

from typing import NamedTuple

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the brightness that the eye sees (BT.601)."""
STABILITIES = (0, 8, 16, 32)
"""Changes of the input, in grey levels of 255, up to which a pixel holds still; 0 is off."""
LEAST_SHARE = 1 / 32
"""How far a held pixel still moves with each frame: what stayed below the threshold is gone within seconds, and what is
left of a camera's noise moves so little that strokes no longer hang on it."""
DEFAULT_STABILITY = 8
"""A camera's noise and what compression leaves change less than this, almost anything that moves more."""


class Look(NamedTuple):
    """How a photo is held still before it is painted, how much texture the painting has, and how it is recoloured.

    Args:
        strength: 0 is the photo, 1 the painting, between them a blend of pixels.
        colours: 0 keeps the painting's colours, 1 gives it the photo's: the style's brush on the own palette.
        stability: A pixel holds while its input changes by less than so many grey levels; 0 is off.
        texture: How much of the texture field strokes hang on where the photo is plain, from 0, none of it, to 1.
        follow_camera: Whether the texture field goes along when the camera moves, from picture to picture of a stream.
    """

    strength: float = 1.0
    colours: float = 0.0
    stability: float = 0.0
    texture: float = 1.0
    follow_camera: bool = False

    @property
    def recolours(self) -> bool:
        """False where a painting stays as the network gives it, so that nothing needs to be computed behind it."""
        return self.strength != 1.0 or self.colours != 0.0


PLAIN = Look()
