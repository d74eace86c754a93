"""`Stream`: one stream of pictures through a stylizer, stabilized from each picture to the next, its texture too.

Any number of streams may share a stylizer; they know nothing of each other.
"""

import numpy as np

from realtime_nst.engines.interface import StabilizedPhoto
from realtime_nst.painting.camera_motion import CameraMotion
from realtime_nst.painting.stylizer import Stylizer
from realtime_nst.style.field import HOME
from realtime_nst.style.look import PLAIN, Look
from realtime_nst.style.style import Style


class Stream:
    """Paint the pictures of one stream in their order.

    Args:
        stylizer: Compiles and paints.

    `motion` is how the camera moved, where a look follows it.
    """

    def __init__(self, stylizer: Stylizer) -> None:
        self._stylizer = stylizer
        self.motion = CameraMotion()
        self._stabilized: StabilizedPhoto | None = None
        self._stabilized_as: tuple[object, ...] = ()

    def paint(self, image: np.ndarray, style: Style, look: Look = PLAIN) -> np.ndarray:
        """Stylize the next picture. One of another size or stability begins anew.

        Args:
            image: uint8 `(height, width, 3)` RGB.
            style: The style.
            look: How the picture is held still, whether its texture goes with the camera, how its painting is recoloured.

        Returns:
            A new image, like the input.
        """
        if look.follow_camera and style.body.architecture.field:
            offset = self.motion(image)
        else:
            offset = HOME
            self.motion.forget()
        now = (image.shape, look.stability)
        before = self._stabilized if now == self._stabilized_as else None
        painted, self._stabilized = self._stylizer.paint_next(image, style, look, before, offset)
        self._stabilized_as = now
        return painted

    def forget(self) -> None:
        """Forget the pictures so far: what comes next has nothing to do with them."""
        self._stabilized = None
        self.motion.forget()

    def stabilized(self) -> StabilizedPhoto | None:
        """What the stabilizer knows of the pictures so far; `None` if nothing."""
        return self._stabilized

    def go_on(self, stabilized: StabilizedPhoto, width: int, height: int, stability: float) -> None:
        """Go on from where another stream was.

        Args:
            stabilized: What its stabilizer knew.
            width: Of its pictures.
            height: Of its pictures.
            stability: Of its look.
        """
        self._stabilized, self._stabilized_as = stabilized, ((height, width, 3), stability)
