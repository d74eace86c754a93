"""`Retouch`: strength, own colours and stability on the device, compiled; between frames it keeps what is held.

Two small compiled graphs behind the network, each left out where it has nothing to do, so that it costs nothing then.
It does not know styles, or where frames come from, and imports Keras only where a compiled graph is not on disk.
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
from realtime_nst.stylizer import Held, Retouch

if TYPE_CHECKING:
    import keras

THRESHOLDS = (0.4375, 0.8125, 0.1875, 0.5625, 0.9375, 0.3125, 0.6875, 0.0625)
"""Where a held pixel is rounded up, frame by frame: evenly spread, so that on average nothing is lost."""
OPTIONS = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}


def build_retouch_engine(width: int, height: int, backend: Backend) -> Retouch:
    """Compile the graphs for one size of frame.

    Args:
        width: Width of the images in pixels, a multiple of 8.
        height: Height of the images in pixels, a multiple of 8.
        backend: What runs them; it becomes Keras' own where Keras is needed.
    """
    if backend.name == "openvino":
        return OpenVINORetouch(*(compile_retouch(name, width, height, backend) for name in ("blend", "hold")))
    activate(backend)
    from realtime_nst.retouch_network import build_blend, build_hold

    return KerasRetouch(build_blend(width, height), build_hold(width, height), backend)


def compile_retouch(name: str, width: int, height: int, backend: Backend) -> Any:
    """A graph as OpenVINO's compiled model: from disk if it was compiled before, else by Keras.

    Args:
        name: "blend" or "hold".
        width: Width of the images in pixels, a multiple of 8.
        height: Height of the images in pixels, a multiple of 8.
        backend: OpenVINO.

    Raises:
        BackendError: The temporary folder is full.
    """
    core = openvino_core()
    key = model_key(name, width, height)
    blob = load_model(key)
    if blob is not None:
        try:
            return core.import_model(blob, "CPU", OPTIONS)
        except RuntimeError:  # of another processor or version after all, or damaged
            forget_model(key)
    activate(backend)
    from realtime_nst.retouch_network import build_blend, build_hold

    build = {"blend": build_blend, "hold": build_hold}[name]
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / f"{name}.xml")
        try:
            build(width, height).export(file, format="openvino", verbose=False)
        except RuntimeError as error:
            raise BackendError(f"The temporary folder '{folder}' took no file. Free its disk, or set TMPDIR.") from error
        graph = core.read_model(file)
    graph.reshape({node.output(0): [1, *list(node.output(0).partial_shape)[1:]] for node in graph.get_parameters()})
    compiled = core.compile_model(graph, "CPU", OPTIONS)
    store_model(key, compiled.export_model().getvalue())
    return compiled


class OpenVINORetouch:
    """On a processor; no image is copied.

    Args:
        blend: From `compile_retouch`.
        hold: Likewise.
    """

    def __init__(self, blend: Any, hold: Any) -> None:
        self.held: Held | None = None
        self._blend, self._hold = _Graph(blend), _Graph(hold)
        blocks, pictures = (tuple(output.shape) for output in hold.outputs)
        self._blended, self._pictures = Buffers(pictures), Buffers(pictures)
        self._blocks = [np.zeros(blocks, np.float32) for _ in range(2)]

    def __call__(self, photo: np.ndarray, painting: np.ndarray, look: Look, fresh: bool) -> np.ndarray:
        photos = np.require(photo, requirements=["C", "W"])[None]
        if not look.unblended:
            blended = self._blended.take()
            self._blend({"photos": photos, "paintings": painting, "settings": _blend_settings(look)}, [blended])
            painting = blended
        if not look.stability:
            self.held = None
            return painting[0]
        held = None if fresh else self.held
        frames = held.frames + 1 if held else 0
        before = held or Held(self._blocks[0], painting)
        blocks, picture = self._blocks[self._blocks[0] is before.blocks], self._pictures.take()
        given = {"photos": photos, "paintings": painting, "held_paintings": before.painting, "held_blocks": before.blocks}
        self._hold({**given, "settings": _hold_settings(look, held is None, frames)}, [blocks, picture])
        self.held = Held(blocks, picture, frames)
        whole: np.ndarray = picture[0]
        return whole


class _Graph:
    """A compiled graph with one request, which reads and writes arrays where they are."""

    def __init__(self, compiled: Any) -> None:
        import openvino

        self._tensor = openvino.Tensor
        self._request = compiled.create_infer_request()
        self._places = {tensor.any_name: index for index, tensor in enumerate(compiled.inputs)}

    def __call__(self, inputs: dict[str, np.ndarray], outputs: list[np.ndarray]) -> None:
        # Tensors do not hold their arrays: whoever calls does until the end.
        for name, array in inputs.items():
            self._request.set_input_tensor(self._places[name], self._tensor(array, shared_memory=True))
        for index, array in enumerate(outputs):
            self._request.set_output_tensor(index, self._tensor(array, shared_memory=True))
        self._request.infer(share_outputs=True)


class KerasRetouch:
    """With TensorFlow or JAX, compiled by XLA; what is held stays on the device.

    Args:
        blend: From `build_blend`.
        hold: From `build_hold`.
        backend: TensorFlow or JAX.
    """

    def __init__(self, blend: "keras.Model", hold: "keras.Model", backend: Backend) -> None:
        if backend.name == "tensorflow":
            import tensorflow

            self._blend, self._hold = (tensorflow.function(model, jit_compile=backend.gpu) for model in (blend, hold))
        else:
            import jax

            self._blend, self._hold = jax.jit(blend), jax.jit(hold)
        self.held: Held | None = None
        self._no_blocks = np.zeros((1, *hold.input["held_blocks"].shape[1:]), np.float32)

    def __call__(self, photo: np.ndarray, painting: Any, look: Look, fresh: bool) -> np.ndarray:
        from keras import ops

        photos, painting = ops.convert_to_tensor(photo[None]), ops.convert_to_tensor(painting)
        if not look.unblended:
            settings = ops.convert_to_tensor(_blend_settings(look))
            painting = self._blend({"photos": photos, "paintings": painting, "settings": settings})
        if not look.stability:
            self.held = None
        else:
            held = None if fresh else self.held
            frames = held.frames + 1 if held else 0
            before = held or Held(self._no_blocks, painting)
            settings = _hold_settings(look, held is None, frames)
            rest = {"held_paintings": before.painting, "held_blocks": before.blocks, "settings": settings}
            given = {name: ops.convert_to_tensor(value) for name, value in rest.items()}
            blocks, painting = self._hold({"photos": photos, "paintings": painting, **given})
            self.held = Held(blocks, painting, frames)
        return np.array(ops.convert_to_numpy(painting)[0])


def _blend_settings(look: Look) -> np.ndarray:
    return np.array([[look.strength, look.colours]], np.float32)


def _hold_settings(look: Look, fresh: bool, frames: int) -> np.ndarray:
    return np.array([[look.stability, fresh, THRESHOLDS[frames % len(THRESHOLDS)]]], np.float32)
