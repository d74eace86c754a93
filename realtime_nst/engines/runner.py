"""`Runner`: what compiles Keras models and runs them on arrays; one for each backend, in a module of its own.

The network, the stabilizer before it and the recolour behind it are all run so. A runner does not know what they compute.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from realtime_nst.engines.backend import Backend
from realtime_nst.engines.jax_runner import JaxRunner
from realtime_nst.engines.openvino_runner import OpenVINORunner
from realtime_nst.engines.tensorflow_runner import TensorFlowRunner

if TYPE_CHECKING:
    import keras


class Program(Protocol):
    """A model compiled for batches of one, of one size or of any; one thread at a time may call it."""

    shapes: dict[str, tuple[int, ...]]
    """Of the inputs, by name; what stands for a length that is free differs."""

    def __call__(self, inputs: Mapping[str, Any]) -> tuple[Any, ...]:
        """Compute.

        Args:
            inputs: By name: NumPy's arrays, or what a program of the same runner gave.

        Returns:
            The model's outputs in their order, where they were computed; nothing overwrites them.
        """


class Runner(Protocol):
    """A backend at a precision."""

    in_strips: bool
    """Whether pictures of millions of pixels take so much memory at once that they are painted in strips."""

    def compile(self, build: Callable[[], "keras.Model"], *facts: object, float32: bool = False) -> Program:
        """Compile a model.

        Args:
            build: Builds it by Keras, which is imported and set up by then; not called if the model is on disk.
            facts: All that it depends on, beside the precision.
            float32: Whether it computes in float32, whatever the precision.

        Raises:
            BackendError: Keras already runs on another backend in this process, or the temporary folder is full.
        """

    def upload(self, array: np.ndarray) -> Any:
        """An array to where programs compute, for an input that many calls share."""

    def download(self, array: Any) -> np.ndarray:
        """An output of a program as an array of NumPy's own that may be written to."""


RUNNERS: dict[str, Callable[[Backend], Runner]] = {
    "openvino": OpenVINORunner,
    "tensorflow": TensorFlowRunner,
    "jax": JaxRunner,
}


def runner_for(backend: Backend) -> Runner:
    """The runner of a backend."""
    return RUNNERS[backend.name](backend)
