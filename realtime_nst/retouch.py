"""`Retouch`: strength and own colours on the device, compiled.

A second compiled graph behind the network; left out where nothing is retouched, so that it costs nothing then. It
does not know styles, or where frames come from, and imports Keras only where the compiled graph is not on disk.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from realtime_nst.backend import Backend, activate
from realtime_nst.buffers import Buffers
from realtime_nst.graphs import Graph, compile_graph
from realtime_nst.look import Look
from realtime_nst.stylizer import Retouch

if TYPE_CHECKING:
    import keras


def build_retouch_engine(width: int, height: int, backend: Backend) -> Retouch:
    """Compile the graph for one size of frame.

    Args:
        width: Width of the images in pixels, a multiple of 8.
        height: Height of the images in pixels, a multiple of 8.
        backend: What runs it; it becomes Keras' own where Keras is needed.

    Returns:
        A function of photo uint8 `(height, width, 3)`, painting as `on_device` of an engine gives it, and `Look`, to an
        image like the photo.
    """
    if backend.name == "openvino":

        def build() -> "keras.Model":
            from realtime_nst.retouch_network import build_retouch

            return build_retouch(width, height)

        return OpenVINORetouch(compile_graph("retouch", build, width, height, backend))
    activate(backend)
    from realtime_nst.retouch_network import build_retouch

    return KerasRetouch(build_retouch(width, height), backend)


class OpenVINORetouch:
    """On a processor; no image is copied.

    Args:
        compiled: From `compile_graph`.
    """

    def __init__(self, compiled: Any) -> None:
        self._graph = Graph(compiled)
        self._pictures = Buffers(self._graph.shapes[0])

    def __call__(self, photo: np.ndarray, painting: np.ndarray, look: Look) -> np.ndarray:
        picture = self._pictures.take()
        photos = np.require(photo, requirements=["C", "W"])[None]
        self._graph({"photos": photos, "paintings": painting, "settings": _settings(look)}, [picture])
        retouched: np.ndarray = picture[0]
        return retouched


class KerasRetouch:
    """With TensorFlow or JAX, compiled by XLA.

    Args:
        model: From `build_retouch`.
        backend: TensorFlow or JAX.
    """

    def __init__(self, model: "keras.Model", backend: Backend) -> None:
        if backend.name == "tensorflow":
            import tensorflow

            self._call = tensorflow.function(model, jit_compile=backend.gpu)
        else:
            import jax

            self._call = jax.jit(model)

    def __call__(self, photo: Any, painting: Any, look: Look) -> np.ndarray:
        from keras import ops

        images = {"photos": ops.convert_to_tensor(photo[None]), "paintings": painting}
        pictures = self._call({**images, "settings": ops.convert_to_tensor(_settings(look))})
        return np.array(ops.convert_to_numpy(pictures)[0])


def _settings(look: Look) -> np.ndarray:
    return np.array([[look.strength, look.colours]], np.float32)
