"""`Retouch`: strength, own colours and stability on the device, compiled; between frames it keeps what is held.

A second compiled graph behind the network; left out where nothing is retouched, so that it costs nothing then. It
does not know styles, or where frames come from, and imports Keras only where the compiled graph is not on disk.
"""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from realtime_nst.backend import Backend, activate, openvino_core
from realtime_nst.buffers import Buffers
from realtime_nst.errors import BackendError
from realtime_nst.look import Look
from realtime_nst.modelcache import forget_model, load_model, model_key, store_model

if TYPE_CHECKING:
    import keras

CREEP_EVERY = 4
"""Frames between two steps of one grey level by which a held pixel follows what is below the threshold."""
OPTIONS = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}


def build_retouch_engine(width: int, height: int, backend: Backend) -> Any:
    """Compile the graph for one size of frame.

    Args:
        width: Width of the images in pixels, even.
        height: Height of the images in pixels, even.
        backend: What runs it; it becomes Keras' own where Keras is needed.

    Returns:
        A function of photo uint8 `(height, width, 3)`, painting as `on_device` of an engine gives it, `Look`, and
        whether to forget what was held, to an image like the photo.
    """
    if backend.name == "openvino":
        return OpenVINORetouch(compile_retouch(width, height, backend), width, height)
    activate(backend)
    from realtime_nst.retouch_network import build_retouch

    return KerasRetouch(build_retouch(width, height), backend)


def compile_retouch(width: int, height: int, backend: Backend) -> Any:
    """The graph as OpenVINO's compiled model: from disk if it was compiled before, else by Keras.

    Raises:
        BackendError: The temporary folder is full.
    """
    core = openvino_core()
    key = model_key("retouch", width, height)
    blob = load_model(key)
    if blob is not None:
        try:
            return core.import_model(blob, "CPU", OPTIONS)
        except RuntimeError:  # of another processor or version after all, or damaged
            forget_model(key)
    activate(backend)
    from realtime_nst.retouch_network import build_retouch

    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "retouch.xml")
        try:
            build_retouch(width, height).export(file, format="openvino", verbose=False)
        except RuntimeError as error:
            raise BackendError(f"The temporary folder '{folder}' took no file. Free its disk, or set TMPDIR.") from error
        graph = core.read_model(file)
    for node in graph.get_parameters():
        shape = node.output(0).partial_shape
        shape[0] = 1
        graph.reshape({node.output(0): shape})
    compiled = core.compile_model(graph, "CPU", OPTIONS)
    store_model(key, compiled.export_model().getvalue())
    return compiled


class OpenVINORetouch:
    """On a processor; no image is copied, and the held ones change places with the new ones.

    Args:
        compiled: From `compile_retouch`.
        width: Width of the images in pixels.
        height: Height of the images in pixels.
    """

    def __init__(self, compiled: Any, width: int, height: int) -> None:
        import openvino

        self._tensor = openvino.Tensor
        self._request = compiled.create_infer_request()
        self._places = {tensor.any_name: index for index, tensor in enumerate(compiled.inputs)}
        held = openvino.Shape([1, 3, height, width])
        self._held = [[openvino.Tensor(openvino.Type.u8, held) for _ in range(2)] for _ in range(2)]
        self._pictures = Buffers((1, height, width, 3))
        self._frames = 0

    def __call__(self, photo: np.ndarray, painting: np.ndarray, look: Look, fresh: bool) -> np.ndarray:
        self._frames += 1
        picture = self._pictures.take()
        settings = _settings(look, fresh, self._frames)
        # Tensors do not hold their arrays: `given` does until the end.
        given = {"photos": np.require(photo, requirements=["C", "W"])[None], "paintings": painting, "settings": settings[None]}
        for name, array in given.items():
            self._request.set_input_tensor(self._places[name], self._tensor(array, shared_memory=True))
        for index, name in enumerate(("held_photos", "held_paintings")):
            self._request.set_input_tensor(self._places[name], self._held[0][index])
            self._request.set_output_tensor(index, self._held[1][index])
        self._request.set_output_tensor(2, self._tensor(picture, shared_memory=True))
        self._request.infer(share_outputs=True)
        self._held.reverse()
        retouched: np.ndarray = picture[0]
        return retouched


class KerasRetouch:
    """With TensorFlow or JAX, compiled by XLA; what is held stays on the device.

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
        self._held: Any = None
        self._frames = 0

    def __call__(self, photo: np.ndarray, painting: Any, look: Look, fresh: bool) -> np.ndarray:
        self._frames += 1
        from keras import ops

        photos = ops.convert_to_tensor(photo[None])
        held_photos, held_paintings = self._held or (photos, photos)
        held = {"held_photos": held_photos, "held_paintings": held_paintings}
        settings = ops.convert_to_tensor(_settings(look, fresh or self._held is None, self._frames)[None])
        *self._held, pictures = self._call({"photos": photos, "paintings": painting, **held, "settings": settings})
        return np.array(ops.convert_to_numpy(pictures)[0])


def _settings(look: Look, fresh: bool, frames: int) -> np.ndarray:
    still = look.stability > 0
    return np.array([look.strength, look.colours, look.stability, fresh or not still, frames % CREEP_EVERY == 0], np.float32)
