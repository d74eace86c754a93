"""A body compiled for one size of frame: `(image, vector) -> image`, on the device that serves.

Weights stay on the device. A frame costs one upload and one download of uint8; a style is an argument, so that
switching compiles nothing. This module does not know styles by name, or where frames come from.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from realtime_nst.backend import Backend, activate
from realtime_nst.style import Body

if TYPE_CHECKING:
    import keras


def build_engine(body: Body, width: int, height: int, backend: Backend) -> Any:
    """Load a body's weights and compile it.

    Args:
        body: The network.
        width: Width of the frames in pixels, a multiple of 8.
        height: Height of the frames in pixels, a multiple of 8.
        backend: What runs it; it becomes Keras' own where Keras is needed.

    Returns:
        An engine: image uint8 `(height, width, 3)` and vector float32 `(V,)` to an image alike.

    Raises:
        StyleError: The body's weights are damaged.
        BackendError: Keras already runs on another backend in this process.
    """
    if backend.name == "openvino":
        from realtime_nst.openvino_engine import OpenVINOEngine, compile_body
        from realtime_nst.strips import LARGE_PICTURE, StripEngine

        if width * height > LARGE_PICTURE and backend.precision == "float32":  # bfloat16 takes half as much anyway
            return StripEngine(body, width, height, backend)
        return OpenVINOEngine(compile_body(body, width, height, backend), width, height)
    activate(backend)
    from realtime_nst.network import build_transform_network, set_kernels

    network = build_transform_network(body.architecture, width=width, height=height)
    set_kernels(network, body.weights())
    if backend.name == "tensorflow":
        return TensorFlowEngine(network, backend.gpu)
    return JaxEngine(network)


class TensorFlowEngine:
    """On a GPU, compiled by XLA; on a processor as a plain graph, where XLA is slower.

    Args:
        network: Built with the TensorFlow backend.
        gpu: Whether a GPU does the work.
    """

    def __init__(self, network: "keras.Model", gpu: bool) -> None:
        import tensorflow

        self._tensorflow = tensorflow
        self._call = tensorflow.function(lambda images, vectors: network({"images": images, "vectors": vectors}), jit_compile=gpu)

    def __call__(self, image: Any, vector: np.ndarray) -> np.ndarray:
        painted: np.ndarray = self.on_device(image, vector).numpy()[0]
        return painted

    def on_device(self, image: Any, vector: np.ndarray) -> Any:
        """The painting `(1, height, width, 3)` where it is."""
        tf = self._tensorflow
        return self._call(tf.constant(image[None]), tf.constant(vector[None]))


class JaxEngine:
    """On whatever JAX finds, compiled by XLA.

    Args:
        network: Built with the JAX backend.
    """

    def __init__(self, network: "keras.Model") -> None:
        import jax

        weights = jax.device_put([variable.value for variable in network.trainable_variables])

        def call(weights: Any, images: Any, vectors: Any) -> Any:
            outputs, _ = network.stateless_call(weights, [], {"images": images, "vectors": vectors})
            return outputs

        self._weights, self._as_array = weights, jax.numpy.asarray
        self._call = jax.jit(call)

    def __call__(self, image: Any, vector: np.ndarray) -> np.ndarray:
        painted: np.ndarray = np.array(self.on_device(image, vector))[0]
        return painted

    def on_device(self, image: Any, vector: np.ndarray) -> Any:
        """The painting `(1, height, width, 3)` where it is."""
        as_array = self._as_array  # a held photo comes as one: else JAX would compile for each of the two kinds
        return self._call(self._weights, as_array(image[None]), as_array(vector[None]))
