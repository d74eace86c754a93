"""`PicturePainter`: pictures in a style, as strong, with whose colours and as still as the user wants; for files."""

import math
from collections.abc import Callable

import numpy as np

from realtime_nst.painting.stream import Stream
from realtime_nst.painting.stylizer import Stylizer
from realtime_nst.style.field import Offset
from realtime_nst.style.look import LEAST_SHARE, Look
from realtime_nst.style.style import Style

Polish = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Photo and painting to a picture, uint8 `(height, width, 3)` each."""
FAINT = 0.5
"""Grey levels that nobody sees."""
CAMERA_FRAMES = 16
"""Pictures by which one knows a scene, whatever was before the lens meanwhile."""


class PicturePainter:
    """Paint pictures in one look.

    Args:
        stylizer: Compiles and paints.
        look: How.
    """

    def __init__(self, stylizer: Stylizer, look: Look) -> None:
        self._stylizer, self.look = stylizer, look
        self._stream = Stream(stylizer)
        self._warming: Stream | None = None

    def prepare(self, style: Style, width: int, height: int) -> None:
        """Compile for pictures of a size, where anything is to be painted; what is held of others is forgotten.

        Raises:
            StyleError: The weights are damaged.
        """
        self._stream, self._warming = Stream(self._stylizer), None
        if self.look.strength > 0:
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
        if self.look.strength <= 0:
            return image
        if polish is None:
            return self._stream.paint(image, style, self.look)
        painting = self._stylizer.paint(image, style, self.look._replace(strength=1.0, colours=0.0))
        return self._stylizer.recolour(image, polish(image, painting), self.look)

    def begin(self, image: np.ndarray, style: Style) -> Callable[[], np.ndarray]:
        """The next picture of a video in two steps: what is returned paints it, on any thread, while the next is begun with."""
        return self._stream.begin(image, style, self.look) if self.look.strength > 0 else lambda: image

    @property
    def at_once(self) -> int:
        """How many may be painted at the same time."""
        return self._stylizer.at_once

    @property
    def memory(self) -> int:
        """How many pictures before one tell all that it depends on: of what was held before them, less than half a grey level
        is left, and whether a picture was a flash is known. 0 where a picture depends on none.
        """
        if self.look.strength <= 0 or not (self.look.stability or self.look.follow_camera):
            return 0
        held = math.log(FAINT / max(self.look.stability, FAINT)) / math.log(1 - LEAST_SHARE)
        return max(math.ceil(held), CAMERA_FRAMES)

    @property
    def offset(self) -> Offset:
        """How the texture field has moved."""
        return self._stream.offset

    @offset.setter
    def offset(self, offset: Offset) -> None:
        self._stream.offset = offset

    def hold(self, image: np.ndarray, style: Style) -> None:
        """Take notice of the next picture of a video, which is not painted."""
        self._stream.hold(image, style, self.look)

    def warm_up(self, image: np.ndarray, style: Style) -> None:
        """Take notice of a picture before `renew`."""
        self._warming = self._warming or Stream(self._stylizer)
        self._warming.hold(image, style, self.look)

    def renew(self) -> None:
        """Let the next picture depend on nothing but those of `warm_up`, and on how the texture field has moved."""
        self._stream.go_on_from(self._warming or Stream(self._stylizer))
        self._warming = None

    def description(self) -> dict[str, object]:
        """What tells this look from any other, beside the style."""
        look = self.look
        return {
            "strength": look.strength,
            "own colours": bool(look.colours),
            "stability": look.stability,
            "texture": look.texture,
            "follow camera": look.follow_camera,
        }
