"""`Stylizer`: frame to frame, in the style that is wanted at that moment.

Every body and size is compiled once; a style is only a vector, so that a switch takes effect on the next frame
and costs nothing. Engines are given to it: it imports no framework.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable

import numpy as np

from realtime_nst.styles import Body, Style
from realtime_nst.video import Frame, pad_to_multiple, padded_length

Engine = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""A body compiled for one size: image uint8 `(height, width, 3)` and vector float32 `(V,)` to an image alike."""

SIZES_KEPT = 2
"""Compiled sizes that are kept per body; a size takes about 100 MB at 1280x720."""


class Stylizer:
    """Paint frames.

    Args:
        compile: Body, width and height (multiples of 8) to an `Engine`: `engine.build_engine` with a backend.
    """

    def __init__(self, compile: Callable[[Body, int, int], Engine]) -> None:
        self._compile = compile
        self._sizes: OrderedDict[tuple[int, int], dict[str, Engine]] = OrderedDict()

    def prepare(self, bodies: Iterable[Body], width: int, height: int) -> None:
        """Compile for frames of a size, so that no switch between these bodies has to wait.

        Raises:
            StyleError: A body's weights are damaged.
        """
        for body in bodies:
            self._engine(body, padded_length(width), padded_length(height))

    def paint(self, image: np.ndarray, style: Style) -> np.ndarray:
        """Stylize one picture of any size.

        Args:
            image: uint8 `(height, width, 3)` RGB.
            style: The style.

        Returns:
            A new image, like the input.
        """
        height, width = image.shape[:2]
        padded = pad_to_multiple(image)
        engine = self._engine(style.body, padded.shape[1], padded.shape[0])
        painted = engine(padded, style.vector)
        return painted if padded is image else painted[:height, :width]

    def follow(self, style: Callable[[], Style], mirror: Callable[[], bool] = lambda: False) -> Callable[[Frame], Frame]:
        """A function from frame to frame that asks for the style anew each time.

        Args:
            style: The style wanted now.
            mirror: Whether to flip the frame left to right first.
        """

        def stylize(frame: Frame) -> Frame:
            image = frame.image[:, ::-1] if mirror() else frame.image
            return frame.with_image(self.paint(image, style()))

        return stylize

    def _engine(self, body: Body, width: int, height: int) -> Engine:
        engines = self._sizes.setdefault((width, height), {})
        if len(self._sizes) > SIZES_KEPT:
            self._sizes.popitem(last=False)
        if body.sha256 not in engines:
            engines[body.sha256] = self._compile(body, width, height)
        return engines[body.sha256]
