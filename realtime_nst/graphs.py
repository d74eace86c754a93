"""Compiled once and kept on disk, on OpenVINO; and the small graphs beside the network, run on arrays where they are."""

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

OPTIONS = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}


class Graph:
    """A compiled graph with one request.

    Args:
        compiled: From `compile_graph`.
    """

    def __init__(self, compiled: Any) -> None:
        import openvino

        self.shapes = [tuple(output.shape) for output in compiled.outputs]
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
        build: Builds it with Keras, which is imported by then; its inputs have a batch of any size.
        width: Width of the images in pixels.
        height: Height of the images in pixels.
        backend: OpenVINO.

    Raises:
        BackendError: The temporary folder is full.
    """
    return compiled_once(model_key(name, width, height), OPTIONS, lambda: _compiled(name, build, backend))


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


def _compiled(name: str, build: Callable[[], "keras.Model"], backend: Backend) -> Any:
    core = openvino_core()
    activate(backend)
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / f"{name}.xml")
        try:
            build().export(file, format="openvino", verbose=False)
        except RuntimeError as error:
            raise BackendError(f"The temporary folder '{folder}' took no file. Free its disk, or set TMPDIR.") from error
        graph = core.read_model(file)
    graph.reshape({node.output(0): [1, *list(node.output(0).partial_shape)[1:]] for node in graph.get_parameters()})
    return core.compile_model(graph, "CPU", OPTIONS)
