"""Keras models on whatever JAX finds, compiled by XLA; weights stay on the device."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from realtime_nst.engines.backend import Backend, activate

if TYPE_CHECKING:
    import keras


class JaxRunner:
    """`Runner` on a GPU, or on a processor.

    Args:
        backend: JAX, with its precision.
    """

    in_strips = False

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def compile(
        self, build: Callable[[], "keras.Model"], *facts: object, float32: bool = False, at_once: int = 1
    ) -> "JaxProgram":
        """See `Runner.compile`. The precision is Keras' dtype policy, which models in float32 do not follow."""
        activate(self._backend)
        return JaxProgram(build())

    def upload(self, array: np.ndarray) -> Any:
        """An array of JAX."""
        import jax

        return jax.device_put(array)

    def download(self, array: Any) -> np.ndarray:
        """A copy, which may be written to."""
        return np.array(array)


class JaxProgram:
    """A model as a function of JAX; outputs stay on the device.

    Args:
        model: Built with the JAX backend.
    """

    def __init__(self, model: "keras.Model") -> None:
        import jax
        import keras

        def call(weights: Any, inputs: dict[str, Any]) -> Any:
            outputs, _ = model.stateless_call(*weights, inputs)
            return keras.tree.flatten(outputs)

        self.shapes = {name: (1, *tensor.shape[1:]) for name, tensor in model.input.items()}
        parts = model.trainable_variables, model.non_trainable_variables
        self._weights = jax.device_put([[variable.value for variable in part] for part in parts])
        self._as_array, self._call = jax.numpy.asarray, jax.jit(call)

    def __call__(self, inputs: Mapping[str, Any]) -> tuple[Any, ...]:
        # A held photo comes as an array of JAX: else JAX would compile for each of the two kinds.
        return tuple(self._call(self._weights, {name: self._as_array(value) for name, value in inputs.items()}))
