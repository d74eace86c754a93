"""A body compiled for one size of frame: `(image, vector) -> image`, on the device that serves.

Weights stay on the device. A frame costs one upload and one download of uint8; a style is an argument, so that
switching compiles nothing. This module does not know styles by name, or where frames come from.
"""

import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from realtime_nst.backend import Backend, openvino_core
from realtime_nst.errors import BackendError
from realtime_nst.network import build_transform_network, set_kernels
from realtime_nst.styles import Body


def build_engine(body: Body, width: int, height: int, backend: Backend) -> Any:
    """Load a body's weights and compile it.

    Args:
        body: The network.
        width: Width of the frames in pixels, a multiple of 4.
        height: Height of the frames in pixels, a multiple of 4.
        backend: The one that `backend.activate` has made Keras' own.

    Returns:
        An engine: image uint8 `(height, width, 3)` and vector float32 `(V,)` to an image alike.

    Raises:
        StyleError: The body's weights are damaged.
    """
    network = build_transform_network(body.architecture, width=width, height=height)
    set_kernels(network, body.weights())
    if backend.name == "openvino":
        return OpenVINOEngine(network, body.architecture.vector_size, width, height, backend.precision)
    if backend.name == "tensorflow":
        return TensorFlowEngine(network, backend.gpu)
    return JaxEngine(network)


class OpenVINOEngine:
    """On a processor. Keras exports its own graph once; after that OpenVINO runs it without Keras.

    Args:
        network: Built with the OpenVINO backend, channels first.
        vector_size: Length of a style vector.
        width: Width of the frames in pixels.
        height: Height of the frames in pixels.
        precision: "float32" or "bfloat16".
    """

    def __init__(self, network: keras.Model, vector_size: int, width: int, height: int, precision: str) -> None:
        core = openvino_core()
        with tempfile.TemporaryDirectory() as folder:
            file = str(Path(folder) / "network.xml")
            try:
                network.export(file, format="openvino", verbose=False)
            except RuntimeError as error:
                raise BackendError(
                    f"The temporary folder '{folder}' took no file of 2 MB. Free its disk, or set TMPDIR."
                ) from error
            model = core.read_model(file)
        inputs = {node.get_friendly_name(): node for node in model.get_parameters()}
        self._order = [node.get_friendly_name() for node in model.get_parameters()]
        model.reshape({inputs["images"].output(0): [1, height, width, 3], inputs["vectors"].output(0): [1, vector_size]})
        rounding = {"float32": "f32", "bfloat16": "bf16"}[precision]
        options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": rounding}
        self._request = core.compile_model(model, "CPU", options).create_infer_request()

    def __call__(self, image: np.ndarray, vector: np.ndarray) -> np.ndarray:
        return np.array(self.on_device(image, vector).data[0])

    def on_device(self, image: np.ndarray, vector: np.ndarray) -> Any:
        """The painting `(1, height, width, 3)` where it is; the next call overwrites it."""
        given = {"images": image[None], "vectors": vector[None]}
        for index, name in enumerate(self._order):
            self._request.get_input_tensor(index).data[...] = given[name]
        self._request.infer()
        return self._request.get_output_tensor(0)


class TensorFlowEngine:
    """On a GPU, compiled by XLA; on a processor as a plain graph, where XLA is slower.

    Args:
        network: Built with the TensorFlow backend.
        gpu: Whether a GPU does the work.
    """

    def __init__(self, network: keras.Model, gpu: bool) -> None:
        import tensorflow

        self._tensorflow = tensorflow
        self._call = tensorflow.function(lambda images, vectors: network({"images": images, "vectors": vectors}), jit_compile=gpu)

    def __call__(self, image: np.ndarray, vector: np.ndarray) -> np.ndarray:
        painted: np.ndarray = self.on_device(image, vector).numpy()[0]
        return painted

    def on_device(self, image: np.ndarray, vector: np.ndarray) -> Any:
        """The painting `(1, height, width, 3)` where it is."""
        tf = self._tensorflow
        return self._call(tf.constant(image[None]), tf.constant(vector[None]))


class JaxEngine:
    """On whatever JAX finds, compiled by XLA.

    Args:
        network: Built with the JAX backend.
    """

    def __init__(self, network: keras.Model) -> None:
        import jax

        weights = jax.device_put([variable.value for variable in network.trainable_variables])

        def call(weights: Any, images: Any, vectors: Any) -> Any:
            outputs, _ = network.stateless_call(weights, [], {"images": images, "vectors": vectors})
            return outputs

        self._weights = weights
        self._call = jax.jit(call)

    def __call__(self, image: np.ndarray, vector: np.ndarray) -> np.ndarray:
        return np.array(self.on_device(image, vector)[0])

    def on_device(self, image: np.ndarray, vector: np.ndarray) -> Any:
        """The painting `(1, height, width, 3)` where it is."""
        return self._call(self._weights, image[None], vector[None])
