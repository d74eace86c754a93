"""Keras models on OpenVINO: compiled once and kept on disk; small graphs beside the network, run on arrays where they are."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from realtime_nst.backend import Backend, activate, openvino_core
from realtime_nst.errors import BackendError
from realtime_nst.modelcache import forget_model, load_model, model_key, store_model

if TYPE_CHECKING:
    import keras

ROUNDING = {"float32": "f32", "bfloat16": "bf16"}


def options_of(precision: str) -> dict[str, str]:
    """OpenVINO's options: one frame after the other, in "float32" or "bfloat16"."""
    return {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": ROUNDING[precision]}


class Graph:
    """A compiled graph with one request.

    Args:
        compiled: From `compile_graph`.
    """

    def __init__(self, compiled: Any) -> None:
        import openvino

        self.shapes = [tuple(output.shape) for output in compiled.outputs]
        self.shapes_in = {tensor.any_name: tuple(tensor.shape) for tensor in compiled.inputs}
        self._tensor = openvino.Tensor
        self._request = compiled.create_infer_request()
        self._places = {tensor.any_name: index for index, tensor in enumerate(compiled.inputs)}

    def __call__(self, inputs: Mapping[str, np.ndarray], outputs: Sequence[np.ndarray]) -> None:
        """Compute. No array is copied, and all must be contiguous and writable.

        Args:
            inputs: By name.
            outputs: Where the results go; `shapes` has theirs.
        """
        for name, array in inputs.items():  # tensors do not hold their arrays: whoever calls does until the end
            self._request.set_input_tensor(self._places[name], self._tensor(array, shared_memory=True))
        for index, array in enumerate(outputs):
            self._request.set_output_tensor(index, self._tensor(array, shared_memory=True))
        self._request.infer(share_outputs=True)


def compile_graph(name: str, build: Callable[[], "keras.Model"], width: int, height: int, backend: Backend) -> Any:
    """A graph as OpenVINO's compiled model: from disk if it was compiled before, else by Keras.

    Args:
        name: Of the graph, for its place on disk.
        build: Builds it with Keras, which is imported by then.
        width: Width of the images in pixels.
        height: Height of the images in pixels.
        backend: OpenVINO.

    Raises:
        BackendError: The temporary folder is full.
    """
    options = options_of("float32")

    def make() -> Any:
        activate(backend)
        return compile_network(build(), options)

    return compiled_once(model_key(name, width, height), options, make)


def compiled_once(key: str, options: Mapping[str, str], make: Callable[[], Any]) -> Any:
    """A compiled model: from disk if it was compiled before, else made now, and kept there.

    Args:
        key: From `model_key`.
        options: OpenVINO's.
        make: Compiles it.
    """
    blob = load_model(key)
    if blob is not None:
        try:
            return openvino_core().import_model(blob, "CPU", dict(options))
        except RuntimeError:  # of another processor or version after all, or damaged
            forget_model(key)
    compiled = make()
    store_model(key, compiled.export_model().getvalue())
    return compiled


def compile_network(network: "keras.Model", options: Mapping[str, str]) -> Any:
    """Have Keras export a model, and OpenVINO compile it for batches of one.

    Args:
        network: Built with the OpenVINO backend, channels first, of one size.
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
    fold_crops(model)
    model.reshape({node.output(0): [1, *list(node.output(0).partial_shape)[1:]] for node in model.get_parameters()})
    return core.compile_model(model, "CPU", dict(options))


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
