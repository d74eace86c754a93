"""A style from any picture, without training. It needs a style encoder: a network from a picture to a style's vector."""

import numpy as np

from realtime_nst.errors import StyleError
from realtime_nst.style.style import Style

MISSING = "A style from a picture needs a style encoder, and there is none here. `realtime-nst train` learns styles instead."


def has_encoder() -> bool:
    """Whether `style_of` can make styles here."""
    return False


def style_of(picture: np.ndarray, name: str) -> Style:
    """The style of a picture.

    Args:
        picture: uint8 `(height, width, 3)` RGB, of any size.
        name: What the style is called.

    Raises:
        StyleError: There is no style encoder, or it makes nothing of the picture.
    """
    raise StyleError(MISSING)
