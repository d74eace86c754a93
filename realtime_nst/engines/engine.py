"""A body compiled for one size of frame: `(image, vector) -> image`, on the device that serves.

Weights stay on the device. A frame costs one upload and one download of uint8; a style is an argument, so that
switching compiles nothing. This module does not know styles by name, or where frames come from.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from realtime_nst.engines.field import KeptField
from realtime_nst.engines.interface import Engine, Runner
from realtime_nst.engines.strips import StripEngine
from realtime_nst.style.field import HOME, Offset
from realtime_nst.style.style import Body

if TYPE_CHECKING:
    import keras

STRIPS_FROM = 16_000_000
"""Pixels from which on the end of the network works in strips, where a runner asks for that."""


def build_engine(body: Body, width: int, height: int, runner: Runner, at_once: int = 1) -> Engine:
    """Compile a body, for pictures at once or in strips.

    Args:
        body: The network.
        width: Width of the frames in pixels, a multiple of 8.
        height: Height of the frames in pixels, a multiple of 8.
        runner: What runs it.
        at_once: How many threads want to paint at the same time; of large frames, fewer can.

    Raises:
        StyleError: The body's weights are damaged.
        BackendError: Keras already runs on another backend in this process, or the temporary folder is full.
    """
    if runner.in_strips and width * height > STRIPS_FROM:
        return StripEngine(body, width, height, runner)
    return WholeEngine(body, width, height, runner, max(1, min(at_once, PIXELS_AT_ONCE // (width * height))))


PIXELS_AT_ONCE = 17_000_000
"""Of all frames in work together: each takes 50 bytes or so for a pixel, and a large one keeps several cores busy by itself."""


class WholeEngine:
    """Image and vector to image, at once; for the arguments see `build_engine`."""

    def __init__(self, body: Body, width: int, height: int, runner: Runner, at_once: int = 1) -> None:
        def build() -> "keras.Model":
            from realtime_nst.networks.transform import build_transform_network, set_kernels

            network = build_transform_network(body.architecture, width=width, height=height)
            set_kernels(network, body.weights())
            return network

        self._program = runner.compile(build, body.sha256, width, height, at_once=at_once)
        self._download = runner.download
        self._field = KeptField(body.architecture, width, height, runner)

    def __call__(self, image: Any, vector: np.ndarray, offset: Offset = HOME) -> np.ndarray:
        painted: np.ndarray = self._download(self.on_device(image, vector, offset))[0]
        return painted

    def on_device(self, image: Any, vector: np.ndarray, offset: Offset = HOME) -> Any:
        """The painting `(1, height, width, 3)` where it is, for a `Recolour`."""
        (painting,) = self._program({"images": image[None], "vectors": vector[None], **self._field.at(offset)})
        return painting
