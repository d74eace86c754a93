"""`Stream`: one stream of pictures through a stylizer, stabilized from each picture to the next, its texture too.

Any number of streams may share a stylizer; they know nothing of each other.
"""

from collections.abc import Callable

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

    `motion` is how the camera moved, where a look follows it, and `offset` how the texture field has moved with it.
    """

    def __init__(self, stylizer: Stylizer) -> None:
        self._stylizer = stylizer
        self.motion = CameraMotion()
        self.offset = HOME
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
        return self.begin(image, style, look)()

    def begin(self, image: np.ndarray, style: Style, look: Look = PLAIN) -> Callable[[], np.ndarray]:
        """The same in two steps: what is returned paints it, on any thread, while the next picture is begun with."""
        paint, self._stabilized = self._stylizer.begin(image, style, look, self._before(image, style, look), self.offset)
        return paint

    def hold(self, image: np.ndarray, style: Style, look: Look) -> None:
        """Take notice of the next picture, as `paint` does, without painting it."""
        self._stabilized = self._stylizer.hold_next(image, look, self._before(image, style, look))

    def forget(self) -> None:
        """Forget the pictures so far: what comes next has nothing to do with them."""
        self._stabilized = None
        self.motion.forget()

    def go_on_from(self, other: "Stream") -> None:
        """Go on from the pictures of another stream, which may go on no more; the texture field stays where it is."""
        self._stabilized, self._stabilized_as, self.motion = other._stabilized, other._stabilized_as, other.motion
        self.motion.settle(self.offset)

    def _before(self, image: np.ndarray, style: Style, look: Look) -> StabilizedPhoto | None:
        """Follow the camera to a picture; what was held before it."""
        if look.follow_camera and style.body.architecture.field:
            self.offset = self.motion(image)
        else:
            self.offset = HOME
            self.motion.forget()
        now = (image.shape, look.stability)
        if now != self._stabilized_as:
            self._stabilized, self._stabilized_as = None, now
        return self._stabilized
