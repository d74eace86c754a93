"""`Stream`: one stream of pictures through a stylizer, and what is held still from each picture to the next.

Any number of streams may share a stylizer; they know nothing of each other.
"""

import numpy as np

from realtime_nst.engines.interface import Held
from realtime_nst.painting.stylizer import Stylizer
from realtime_nst.style.look import PLAIN, Look
from realtime_nst.style.style import Style


class Stream:
    """Paint the pictures of one stream in their order.

    Args:
        stylizer: Compiles and paints.
    """

    def __init__(self, stylizer: Stylizer) -> None:
        self._stylizer = stylizer
        self._held: Held | None = None
        self._held_as: tuple[object, ...] = ()

    def paint(self, image: np.ndarray, style: Style, look: Look = PLAIN) -> np.ndarray:
        """Stylize the next picture. One of another size or stability begins anew.

        Args:
            image: uint8 `(height, width, 3)` RGB.
            style: The style.
            look: How the picture is held still, and how its painting is retouched.

        Returns:
            A new image, like the input.
        """
        now = (image.shape, look.stability)
        before = self._held if now == self._held_as else None
        painted, self._held = self._stylizer.paint_next(image, style, look, before)
        self._held_as = now
        return painted

    def forget(self) -> None:
        """Hold nothing of the pictures so far: what comes next has nothing to do with them."""
        self._held = None

    def held(self) -> Held | None:
        """What is held of the pictures so far; `None` if nothing is."""
        return self._held

    def go_on(self, held: Held, width: int, height: int, stability: float) -> None:
        """Go on from what another stream held.

        Args:
            held: What it held.
            width: Of its pictures.
            height: Of its pictures.
            stability: Of its look.
        """
        self._held, self._held_as = held, ((height, width, 3), stability)
