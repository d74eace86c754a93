"""The runner of each backend, in a module of its own; `interface.py` says what a `Runner` is."""

from collections.abc import Callable
from dataclasses import replace

from realtime_nst.engines.backend import Backend
from realtime_nst.engines.device_runner import DeviceRunner
from realtime_nst.engines.interface import Runner
from realtime_nst.engines.jax_runner import JaxRunner
from realtime_nst.engines.onnxruntime_runner import OnnxRuntimeRunner
from realtime_nst.engines.openvino_runner import OpenVINORunner
from realtime_nst.engines.tensorflow_runner import TensorFlowRunner

RUNNERS: dict[str, Callable[[Backend], Runner]] = {
    "openvino": OpenVINORunner,
    "tensorflow": TensorFlowRunner,
    "jax": JaxRunner,
    "onnxruntime": OnnxRuntimeRunner,
}


def runner_for(backend: Backend) -> Runner:
    """The runner of a backend, or of the fastest of its candidates."""
    if backend.candidates:
        return DeviceRunner(backend.candidates, replace(backend, candidates=()), runner_for)
    return RUNNERS[backend.name](backend)
