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
        """Compile for pictures of a size, where anything is to be painted; what the stabilizer knew is forgotten.

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
    def stabilizes(self) -> bool:
        """Whether a picture depends on those before it."""
        return self._look.strength > 0 and self._look.stability > 0

    def stabilized(self) -> Mapping[str, np.ndarray] | None:
        """What the stabilizer knows of the pictures so far, as arrays for a file; `None` if nothing."""
        stabilized = self._stream.stabilized()
        return {name: np.array(value) for name, value in vars(stabilized).items()} if stabilized else None

    def go_on(self, stabilized: Mapping[str, np.ndarray]) -> None:
        """Go on from what the stabilizer knew, after `prepare`."""
        kept = StabilizedPhoto(stabilized["blocks"], stabilized["photo"], int(stabilized["frames"]))
        self._stream.go_on(kept, *self._size, self._look.stability)

    def description(self) -> dict[str, object]:
        """What tells this look from any other, beside the style."""
        look = self._look
        return {
            "strength": look.strength,
            "own colours": bool(look.colours),
            "stability": look.stability,
            "texture": look.texture,
        }
