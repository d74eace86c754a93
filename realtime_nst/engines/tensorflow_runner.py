"""Keras models on TensorFlow: on a GPU compiled by XLA; on a processor as plain graphs, where XLA is slower."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from realtime_nst.engines.backend import Backend, activate

if TYPE_CHECKING:
    import keras


class TensorFlowRunner:
    """`Runner` on a GPU, or on a processor.

    Args:
        backend: TensorFlow, with its precision.
    """

    in_strips = False

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def compile(
        self, build: Callable[[], "keras.Model"], *facts: object, float32: bool = False, at_once: int = 1
    ) -> "TensorFlowProgram":
        """See `Runner.compile`. The precision is Keras' dtype policy, which models in float32 do not follow."""
        activate(self._backend)
        return TensorFlowProgram(build(), self._backend.gpu)

    def upload(self, array: np.ndarray) -> Any:
        """A tensor."""
        import tensorflow

        return tensorflow.convert_to_tensor(array)

    def download(self, array: Any) -> np.ndarray:
        """A copy."""
        downloaded: np.ndarray = array.numpy()
        return downloaded


class TensorFlowProgram:
    """A model as a function of TensorFlow; outputs stay on the device.

    Args:
        model: Built with the TensorFlow backend.
        gpu: Whether a GPU does the work.
    """

    def __init__(self, model: "keras.Model", gpu: bool) -> None:
        import tensorflow

        self.shapes = {name: (1, *tensor.shape[1:]) for name, tensor in model.input.items()}
        self._as_tensor = tensorflow.convert_to_tensor
        # A partial, because TensorFlow takes functions of the same code for one that is compiled again and again, and warns.
        self._call = tensorflow.function(partial(outputs_of, model), jit_compile=gpu)

    def __call__(self, inputs: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(self._call({name: self._as_tensor(value) for name, value in inputs.items()}))


def outputs_of(model: "keras.Model", inputs: Mapping[str, Any]) -> list[Any]:
    """A model's outputs in their order, also where there is one."""
    import keras

    outputs: list[Any] = keras.tree.flatten(model(inputs))
    return outputs
