"""Keras models on ONNX Runtime, for devices that nothing else here reaches: written as ONNX once, and kept on disk.

Programs of this runner take NumPy's arrays and give them, wherever they compute.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from realtime_nst.engines.backend import PROCESSOR, Backend, activate
from realtime_nst.engines.cache import load_model, model_key, store_model
from realtime_nst.errors import BackendError

if TYPE_CHECKING:
    import keras

ERRORS_ONLY = 3


class OnnxRuntimeRunner:
    """`Runner` by one of ONNX Runtime's providers.

    Args:
        backend: ONNX Runtime, with its precision and, as its device, "CPU" or a provider's name.
    """

    in_strips = False

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def compile(
        self, build: Callable[[], "keras.Model"], *facts: object, float32: bool = False, at_once: int = 1
    ) -> "OnnxRuntimeProgram":
        """From a graph on disk if it was written before, else by Keras; see `Runner.compile`."""
        half = self._backend.precision == "float16" and not float32
        key = model_key("onnx", *facts, half)
        graph = load_model(key)
        if graph is None:
            activate(self._backend)
            import keras

            from realtime_nst.networks.onnx_layers import to_onnx

            model = build()
            outputs = [f"output{index}" for index, _ in enumerate(keras.tree.flatten(model.output))]
            graph = to_onnx(model, outputs, half=half)
            store_model(key, graph)
        return OnnxRuntimeProgram(graph, self._backend.device)

    def upload(self, array: np.ndarray) -> np.ndarray:
        """The array itself: each call takes it along."""
        return array

    def download(self, array: np.ndarray) -> np.ndarray:
        """The array itself: it is there."""
        return array


class OnnxRuntimeProgram:
    """A graph in a session of its own.

    Args:
        graph: An ONNX file's bytes.
        device: "CPU", or a provider's name.

    Raises:
        BackendError: There is no such provider here.
    """

    def __init__(self, graph: bytes, device: str) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = ERRORS_ONLY
        providers = ["CPUExecutionProvider"] if device == PROCESSOR else list(dict.fromkeys([device, "CPUExecutionProvider"]))
        lost = BackendError(f"ONNX Runtime's {providers[0]} did not start. `realtime-nst doctor` lists what there is.")
        if providers[0] not in onnxruntime.get_available_providers():
            raise lost
        self._session = onnxruntime.InferenceSession(graph, options, providers=providers)
        if self._session.get_providers()[0] != providers[0]:  # it goes on without
            raise lost
        self.shapes = {given.name: tuple(given.shape) for given in self._session.get_inputs()}

    def __call__(self, inputs: Mapping[str, Any]) -> tuple[np.ndarray, ...]:
        given = {name: np.ascontiguousarray(inputs[name]) for name in self.shapes}
        return tuple(self._session.run(None, given))
