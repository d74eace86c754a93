"""`Hold`: the photo before it is painted, held still where the scene stands still, so that the painting does, too.

A network paints what it sees, a camera's noise included: strokes hang on the last grey level, and flicker with it. What
is held is the photo and not the painting, so that every frame is painted whole and stays as crisp as the first.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from realtime_nst.backend import Backend, activate
from realtime_nst.buffers import Buffers
from realtime_nst.graphs import Graph, compile_graph
from realtime_nst.stylizer import Held, Hold

if TYPE_CHECKING:
    import keras

STEP = 0.618034
"""From one frame's thresholds of rounding to the next one's: the golden ratio spreads any few of them evenly."""
LARGEST = np.float32(1 - 2**-12)
"""The largest threshold: white and more would be 256 in float32, and black as a byte."""


def build_hold_engine(width: int, height: int, backend: Backend) -> Hold:
    """Compile the graph for one size of frame.

    Args:
        width: Width of the photos in pixels, a multiple of 8.
        height: Height of the photos in pixels, a multiple of 8.
        backend: What runs it; it becomes Keras' own where Keras is needed.
    """
    if backend.name == "openvino":

        def build() -> "keras.Model":
            from realtime_nst.hold_network import build_hold

            return build_hold(width, height)

        return OpenVINOHold(compile_graph("hold", build, width, height, backend))
    activate(backend)
    from realtime_nst.hold_network import build_hold

    return KerasHold(build_hold(width, height), backend)


class Thresholds:
    """Where a held pixel is rounded up: of every place, and frame by frame evenly spread, so that nothing is lost.

    Args:
        shape: The graph's, `(8, width / 8, 24)`.
    """

    def __init__(self, shape: Sequence[int]) -> None:
        self._first = np.random.default_rng(0).random((1, *shape), np.float32)

    def __call__(self, frame: int) -> np.ndarray:
        """Of a frame: float32 `(1, 8, width / 8, 24)`, from 0 to `LARGEST`."""
        thresholds: np.ndarray = np.minimum((self._first + np.float32(frame * STEP % 1.0)) % np.float32(1.0), LARGEST)
        return thresholds


class OpenVINOHold:
    """On a processor; no photo is copied.

    Args:
        compiled: From `compile_graph`.
    """

    def __init__(self, compiled: object) -> None:
        self._graph = Graph(compiled)
        self._thresholds = Thresholds(self._graph.shapes_in["thresholds"][1:])
        blocks, photos = self._graph.shapes
        self._no_blocks = np.zeros(blocks, np.float32)
        self._blocks, self._photos = Buffers(blocks, np.float32), Buffers(photos)

    def __call__(self, photo: np.ndarray, stability: float, before: Held | None) -> Held:
        photos = np.require(photo, requirements=["C", "W"])[None]
        held = before or Held(self._no_blocks, photos, -1)
        now = Held(self._blocks.take(), self._photos.take(), held.frames + 1)
        given = {"photos": photos, "held_photos": held.photo, "held_blocks": held.blocks}
        given |= {"thresholds": self._thresholds(now.frames), "settings": np.array([[stability, before is None]], np.float32)}
        self._graph(given, [now.blocks, now.photo])
        return now


class KerasHold:
    """With TensorFlow or JAX, compiled by XLA; what is held stays on the device.

    Args:
        model: From `build_hold`.
        backend: TensorFlow or JAX.
    """

    def __init__(self, model: "keras.Model", backend: Backend) -> None:
        if backend.name == "tensorflow":
            import tensorflow

            self._call = tensorflow.function(model, jit_compile=backend.gpu)
        else:
            import jax

            self._call = jax.jit(model)
        self._thresholds = Thresholds(model.input["thresholds"].shape[1:])
        self._no_blocks = np.zeros((1, *model.input["held_blocks"].shape[1:]), np.float32)

    def __call__(self, photo: np.ndarray, stability: float, before: Held | None) -> Held:
        from keras import ops

        photos = ops.convert_to_tensor(photo[None])
        held = before or Held(self._no_blocks, photos, -1)
        frames = held.frames + 1
        given = {"photos": photos, "held_photos": held.photo, "held_blocks": held.blocks}
        given |= {"thresholds": self._thresholds(frames), "settings": np.array([[stability, before is None]], np.float32)}
        blocks, still = self._call({name: ops.convert_to_tensor(value) for name, value in given.items()})
        return Held(blocks, still, frames)
