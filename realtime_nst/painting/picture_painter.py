"""`PicturePainter`: pictures in a style, as strong, with whose colours and as still as the user wants; for files."""

from collections.abc import Callable, Mapping

import numpy as np

from realtime_nst.engines.interface import StabilizedPhoto
from realtime_nst.painting.stream import Stream
from realtime_nst.painting.stylizer import Stylizer
from realtime_nst.style.look import Look
from realtime_nst.style.style import Style

Polish = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Photo and painting to a picture, uint8 `(height, width, 3)` each."""
CAMERA = "camera_"
"""How the names of arrays begin that tell how the camera moved."""


class PicturePainter:
    """Paint pictures in one look.

    Args:
        stylizer: Compiles and paints.
        look: How.
    """

    def __init__(self, stylizer: Stylizer, look: Look) -> None:
        self._stylizer, self._look = stylizer, look
        self._stream = Stream(stylizer)
        self._size = (0, 0)

    def prepare(self, style: Style, width: int, height: int) -> None:
        """Compile for pictures of a size, where anything is to be painted; what is held of others is forgotten.

        Raises:
            StyleError: The weights are damaged.
        """
        self._stream, self._size = Stream(self._stylizer), (width, height)
        if self._look.strength > 0:
            self._stylizer.prepare([style.body], width, height)

    def paint(self, image: np.ndarray, style: Style, polish: Polish | None = None) -> np.ndarray:
        """Paint a picture of any size, or the next one of a video.

        Args:
            image: uint8 `(height, width, 3)` RGB.
            style: The style at full strength.
            polish: What makes a better one of photo and painting, before it is recoloured; for pictures by themselves.

        Returns:
            An image like it; at strength 0 the very same.
        """
        if self._look.strength <= 0:
            return image
        if polish is None:
            return self._stream.paint(image, style, self._look)
        painting = self._stylizer.paint(image, style, self._look._replace(strength=1.0, colours=0.0))
        return self._stylizer.recolour(image, polish(image, painting), self._look)

    @property
    def holds(self) -> bool:
        """Whether a picture depends on those before it."""
        return self._look.strength > 0 and (self._look.stability > 0 or self._look.follow_camera)

    def held(self) -> Mapping[str, np.ndarray] | None:
        """What is held of the pictures so far, and how the camera moved, as arrays for a file; `None` if nothing."""
        stabilized, motion = self._stream.stabilized(), self._stream.motion.known()
        arrays = {name: np.array(value) for name, value in vars(stabilized).items()} if stabilized else {}
        arrays |= {CAMERA + name: array for name, array in (motion or {}).items()}
        return arrays or None

    def go_on(self, held: Mapping[str, np.ndarray]) -> None:
        """Go on from what was held, after `prepare`."""
        if "photo" in held:
            kept = StabilizedPhoto(held["blocks"], held["photo"], int(held["frames"]))
            self._stream.go_on(kept, *self._size, self._look.stability)
        motion = {name.removeprefix(CAMERA): array for name, array in held.items() if name.startswith(CAMERA)}
        if motion:
            self._stream.motion.go_on(motion)

    def description(self) -> dict[str, object]:
        """What tells this look from any other, beside the style."""
        look = self._look
        return {
            "strength": look.strength,
            "own colours": bool(look.colours),
            "stability": look.stability,
            "texture": look.texture,
            "follow camera": look.follow_camera,
        }
