"""A body on a processor: exported by Keras once, compiled by OpenVINO, and kept on disk for the next start.

A frame is neither copied on its way in nor on its way out: OpenVINO reads the frame's own memory and writes
into the picture that is handed on. This module imports Keras only where the compiled network is not on disk.
"""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from realtime_nst.backend import Backend, activate, openvino_core
from realtime_nst.buffers import Buffers
from realtime_nst.errors import BackendError
from realtime_nst.graphs import compiled_once
from realtime_nst.modelcache import model_key
from realtime_nst.styles import Body

if TYPE_CHECKING:
    import keras

OPTIONS = {"PERFORMANCE_HINT": "LATENCY"}
ROUNDING = {"float32": "f32", "bfloat16": "bf16"}


class OpenVINOEngine:
    """Image and vector to image.

    Args:
        compiled: From `compile_body` or `compile_network`.
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
    options = {**OPTIONS, "INFERENCE_PRECISION_HINT": ROUNDING[backend.precision]}

    def make() -> Any:
        activate(backend)
        from realtime_nst.network import build_transform_network, set_kernels

        network = build_transform_network(body.architecture, width=width, height=height)
        set_kernels(network, body.weights())
        return compile_network(network, body.architecture.vector_size, width, height, options)

    return compiled_once(model_key(body.sha256, width, height, backend.precision), options, make)


def compile_network(network: "keras.Model", vector_size: int, width: int, height: int, options: dict[str, str]) -> Any:
    """Have Keras export a network, and OpenVINO compile it.

    Args:
        network: Built with the OpenVINO backend, channels first.
        vector_size: Length of a style vector.
        width: Width of the frames in pixels.
        height: Height of the frames in pixels.
        options: OpenVINO's.

    Raises:
        BackendError: The temporary folder is full.
    """
    core = openvino_core()
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "network.xml")
        try:
            network.export(file, format="openvino", verbose=False)
        except RuntimeError as error:
            raise BackendError(f"The temporary folder '{folder}' took no file of 2 MB. Free its disk, or set TMPDIR.") from error
        model = core.read_model(file)
    inputs = {node.get_friendly_name(): node for node in model.get_parameters()}
    fold_crops(model)
    model.reshape({inputs["images"].output(0): [1, height, width, 3], inputs["vectors"].output(0): [1, vector_size]})
    return core.compile_model(model, "CPU", options)


def fold_crops(model: Any) -> None:
    """Let transposed convolutions leave out the border that is cropped right after them.

    Keras knows only "same" and "valid" padding; OpenVINO takes any, and then writes the result once instead of twice.
    """
    from openvino import opset13 as op

    for node in model.get_ordered_ops():
        if node.get_type_name() != "ConvolutionBackpropData":
            continue
        crops = [taker.get_node() for taker in node.output(0).get_target_inputs()]
        if len(crops) != 1 or crops[0].get_type_name() not in ("Slice", "StridedSlice"):
            continue
        whole, cropped = node.output(0).get_partial_shape(), crops[0].output(0).get_partial_shape()
        edges = [(whole[axis].get_length() - cropped[axis].get_length()) // 2 for axis in (2, 3)]
        folded = op.convolution_backprop_data(
            node.input_value(0), node.input_value(1), strides=[2, 2], pads_begin=edges, pads_end=edges
        )
        crops[0].output(0).replace(folded.output(0))
