"""A body on a processor: exported by Keras once, compiled by OpenVINO, and kept on disk for the next start.

A frame is neither copied on its way in nor on its way out: OpenVINO reads the frame's own memory and writes
into the picture that is handed on. This module imports Keras only where the compiled network is not on disk.
"""

from typing import Any

import numpy as np

from realtime_nst.backend import Backend, activate
from realtime_nst.buffers import Buffers
from realtime_nst.graphs import compile_network, compiled_once, options_of
from realtime_nst.modelcache import model_key
from realtime_nst.style import Body


class OpenVINOEngine:
    """Image and vector to image.

    Args:
        compiled: From `compile_body` or `graphs.compile_network`.
        width: Width of the frames in pixels.
        height: Height of the frames in pixels.
    """

    def __init__(self, compiled: Any, width: int, height: int) -> None:
        import openvino

        self._tensor = openvino.Tensor
        self._request = compiled.create_infer_request()
        self._places = {tensor.any_name: index for index, tensor in enumerate(compiled.inputs)}
        self._pictures = Buffers((1, height, width, 3))

    def __call__(self, image: np.ndarray, vector: np.ndarray) -> np.ndarray:
        painted: np.ndarray = self.on_device(image, vector)[0]
        return painted

    def on_device(self, image: np.ndarray, vector: np.ndarray) -> np.ndarray:
        """The painting `(1, height, width, 3)` in the memory that OpenVINO wrote, for a `Retouch`."""
        picture = self._pictures.take()
        # A copy only of a mirrored or read-only frame. Tensors do not hold their arrays: `given` does until the end.
        given = {"images": np.require(image, requirements=["C", "W"]), "vectors": np.require(vector, requirements=["C", "W"])}
        for name, array in given.items():
            self._request.set_input_tensor(self._places[name], self._tensor(array[None], shared_memory=True))
        self._request.set_output_tensor(0, self._tensor(picture, shared_memory=True))
        self._request.infer(share_outputs=True)  # else it copies the picture into a result that nobody wants
        return picture


def compile_body(body: Body, width: int, height: int, backend: Backend) -> Any:
    """A body as OpenVINO's compiled model: from disk if it was compiled before, else by Keras.

    Args:
        body: The network.
        width: Width of the frames in pixels, a multiple of 8.
        height: Height of the frames in pixels, a multiple of 8.
        backend: OpenVINO, with its precision.

    Raises:
        StyleError: The body's weights are damaged.
        BackendError: The temporary folder is full.
    """
    options = options_of(backend.precision)

    def make() -> Any:
        activate(backend)
        from realtime_nst.network import build_transform_network, set_kernels

        network = build_transform_network(body.architecture, width=width, height=height)
        set_kernels(network, body.weights())
        return compile_network(network, options)

    return compiled_once(model_key(body.sha256, width, height, backend.precision), options, make)
