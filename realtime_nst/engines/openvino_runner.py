"""Keras models on OpenVINO: exported by Keras once, compiled, and kept on disk for the next start.

No array is copied on its way in or out: OpenVINO reads a picture's own memory, and writes into the picture that is handed
on. Keras is imported only where the compiled model is not on disk.
"""

import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import LifoQueue
from typing import TYPE_CHECKING, Any

import numpy as np

from realtime_nst.engines.backend import PROCESSOR, Backend, activate, cores, openvino_core, openvino_devices
from realtime_nst.engines.cache import forget_model, load_model, model_key, store_model
from realtime_nst.errors import BackendError
from realtime_nst.pipeline.buffers import Buffers

if TYPE_CHECKING:
    import keras

ROUNDING = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}


class OpenVINORunner:
    """`Runner` on a processor, or on another device.

    Args:
        backend: OpenVINO, with its precision and device.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.in_strips = backend.precision == "float32"  # bfloat16 takes half as much anyway

    def compile(
        self, build: Callable[[], "keras.Model"], *facts: object, float32: bool = False, at_once: int = 1
    ) -> "OpenVINOProgram":
        """From disk if it was compiled before, else by Keras; see `Runner.compile`."""
        precision = "float32" if float32 else self._backend.precision
        if float32:  # a small graph, which each thread that paints runs on its own core
            at_once = self._backend.at_once
        device, options = self._backend.device, options_of(precision, at_once)
        elsewhere = [] if device == PROCESSOR else [device, openvino_devices().get(device)]
        key = model_key(*facts, precision, *elsewhere, *([] if at_once == 1 else [at_once, cores()]))
        blob = load_model(key)
        if blob is not None:
            try:
                return OpenVINOProgram(openvino_core().import_model(blob, device, options), at_once)
            except RuntimeError:  # of another processor or version after all, or damaged
                forget_model(key)
        activate(self._backend)
        compiled = compile_network(build(), options, device)
        store_model(key, compiled.export_model().getvalue())
        return OpenVINOProgram(compiled, at_once)

    def upload(self, array: np.ndarray) -> np.ndarray:
        """The array itself: it is there."""
        return array

    def download(self, array: np.ndarray) -> np.ndarray:
        """The array itself: it never left."""
        return array


class OpenVINOProgram:
    """A compiled model with its requests; any thread may call it, and waits where all are at work.

    Args:
        compiled: From `compile_network`.
        at_once: How many requests.
    """

    def __init__(self, compiled: Any, at_once: int = 1) -> None:
        import openvino

        self.shapes = {tensor.any_name: lengths_of(tensor.partial_shape) for tensor in compiled.inputs}
        self._tensor = openvino.Tensor
        self._requests = LifoQueue[Any]()
        for _ in range(at_once):
            self._requests.put(compiled.create_infer_request())
        self._places = {name: index for index, name in enumerate(self.shapes)}
        self._taking = threading.Lock()
        self._outputs = [Buffers(tuple(output.shape), output.element_type.to_dtype().type) for output in compiled.outputs]

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> tuple[np.ndarray, ...]:
        """The outputs, in memory that is used again once nobody looks at them any more."""
        # A copy only of a mirrored or read-only frame. Tensors do not hold their arrays: `given` does until the end.
        given = {name: np.require(array, requirements=["C", "W"]) for name, array in inputs.items()}
        with self._taking:
            outputs = tuple(buffers.take() for buffers in self._outputs)
        request = self._requests.get()
        try:
            for name, array in given.items():
                request.set_input_tensor(self._places[name], self._tensor(array, shared_memory=True))
            for index, array in enumerate(outputs):
                request.set_output_tensor(index, self._tensor(array, shared_memory=True))
            request.infer(share_outputs=True)  # else it copies the outputs into a result that nobody wants
        finally:
            self._requests.put(request)
        return outputs


def lengths_of(shape: Any) -> tuple[int, ...]:
    """A shape of OpenVINO's; -1 for a length that is free."""
    return tuple(length.get_length() if length.is_static else -1 for length in shape)


def options_of(precision: str, at_once: int = 1) -> dict[str, str]:
    """OpenVINO's options for a precision: one frame after the other on all cores, or several at once."""
    options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": ROUNDING[precision]}
    return options if at_once == 1 else options | {"PERFORMANCE_HINT": "THROUGHPUT", "NUM_STREAMS": str(at_once)}


def compile_network(network: "keras.Model", options: Mapping[str, str], device: str = PROCESSOR) -> Any:
    """Have Keras export a model, and OpenVINO compile it for batches of one.

    Args:
        network: Built with the OpenVINO backend, channels first, of one size.
        options: OpenVINO's.
        device: As OpenVINO names it.

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
    copy_biases(model)
    model.reshape({node.output(0): [1, *list(node.output(0).partial_shape)[1:]] for node in model.get_parameters()})
    return core.compile_model(model, device, dict(options))


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


def copy_biases(model: Any) -> None:
    """Give each addition after a convolution numbers of its own: only then OpenVINO computes both at once.

    Where a network looks at several pictures, the additions share them.
    """
    from openvino import opset13 as op

    for node in model.get_ordered_ops():
        if node.get_type_name() != "Add":
            continue
        source = node.input_value(1).get_node()
        while source.get_type_name() in ("Convert", "Reshape"):
            source = source.input_value(0).get_node()
        given = node.input_value(1)
        if source.get_type_name() != "Constant" or given.get_element_type() != source.get_element_type():
            continue
        channels = [1, source.data.size, 1, 1]
        if given.get_partial_shape().is_static and list(given.get_shape()) == channels:
            node.input(1).replace_source_output(op.constant(source.data.reshape(channels)).output(0))
