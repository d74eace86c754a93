"""`Brush`: a picture in a style, as strong and with whose colours the user wants; for files, where nothing is held."""

import numpy as np

from realtime_nst.look import Look
from realtime_nst.styles import Style
from realtime_nst.stylizer import Stylizer


class Brush:
    """Paint pictures in one look.

    Args:
        stylizer: Compiles and paints.
        strength: From 0, the picture itself, to 1, the painting.
        colours: Keep the picture's colours.
    """

    def __init__(self, stylizer: Stylizer, strength: float = 1.0, colours: bool = False) -> None:
        self._stylizer = stylizer
        self._strength, self._colours = strength, colours

    def prepare(self, style: Style, width: int, height: int) -> None:
        """Compile for pictures of a size, where anything is to be painted.

        Raises:
            StyleError: The weights are damaged.
        """
        if self._strength > 0:
            self._stylizer.prepare([style.body], width, height)

    def paint(self, image: np.ndarray, style: Style) -> np.ndarray:
        """Paint a picture of any size.

        Args:
            image: uint8 `(height, width, 3)` RGB.
            style: The style at full strength.

        Returns:
            An image like it; at strength 0 the very same.
        """
        if self._strength <= 0:
            return image
        return self._stylizer.paint(image, style, Look(self._strength, float(self._colours)))

    def description(self) -> dict[str, object]:
        """What tells this look from any other, beside the style."""
        return {"strength": self._strength, "own colours": self._colours}
