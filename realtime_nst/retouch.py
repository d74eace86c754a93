"""`Retouch`: strength, own colours and stability, computed on the device from a photo and its painting.

A second compiled graph behind the network, without weights: it is the same for every body, and is left out where
nothing is retouched, so that it costs nothing then. Between two frames it keeps, on the device, the picture that is
held and the photo for which it was painted. It computes in float32 also where the network rounds to half precision,
because bfloat16 cannot hold the 256 steps of a colour. It does not know styles, or where frames come from.
"""

import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from realtime_nst.backend import Backend, openvino_core
from realtime_nst.errors import BackendError
from realtime_nst.look import Look
from realtime_nst.network import channels_first

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the brightness that the eye sees (BT.601)."""
LEAST_SHARE = 1 / 16
"""How far a held pixel still moves with each frame: what stayed below the threshold is gone within a second ..."""
CREEP_EVERY = 4
"""... down to differences that eight bits round away; these go by one grey level every so many frames."""
SETTINGS = ("strength", "colours", "stability", "fresh", "creep")


def build_retouch(width: int, height: int) -> keras.Model:
    """The graph of `RetouchLayer` for one size of frame.

    Args:
        width: Width of the images in pixels, even.
        height: Height of the images in pixels, even.
    """
    held = (3, height, width) if channels_first() else (height, width, 3)
    shapes = {"photos": (height, width, 3), "paintings": (height, width, 3), "held_photos": held, "held_paintings": held}
    inputs = {name: keras.Input(shape, dtype="uint8", name=name) for name, shape in shapes.items()}
    inputs["settings"] = keras.Input((len(SETTINGS),), dtype="float32", name="settings")
    return keras.Model(inputs, RetouchLayer(name="retouch")(list(inputs.values())), name="retouch")


class RetouchLayer(layers.Layer):
    """Give a painting its photo's colours, blend it with the photo, and hold it where the photo holds still.

    *Colours*: the brightness of the painting with the colour differences of the photo. Where the sum leaves the
    range of colours, the differences shrink together, so that hue and brightness stay and only saturation gives way.

    *Stability*: how much the photo differs from the one for which a pixel was painted, as a mean of 2x2 pixels (the
    signs of noise cancel), spread over its neighbours, decides how far the held picture moves: hardly at all up to
    the threshold, wholly from twice of it. Photo and painting move by the same share, so that slow changes add up
    until they show.

    Input shape: photos and paintings `(B, H, W, 3)`; held photos and held paintings in the data format of the
    backend; all uint8. Settings float32 `(B, 5)`: those of `Look`, `fresh` (1 forgets what was held), `creep`.
    Output shape: the new held photos and held paintings, and the latter as `(B, H, W, 3)`; all uint8.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(autocast=False, **options)

    def call(self, inputs: list[Any]) -> tuple[Any, Any, Any]:
        *images, settings = inputs
        photos, paintings = (ops.transpose(image, (0, 3, 1, 2)) if channels_first() else image for image in images[:2])
        photo, painting, held_photo, held_painting = (
            ops.cast(image, "float32") for image in (photos, paintings, images[2], images[3])
        )
        strength, colours, stability, fresh, creep = (settings[:, index][:, None, None, None] for index in range(5))

        brightness = _luma(photo)
        recoloured = _with_colours(_luma(painting), photo - brightness)
        painting = painting + colours * (recoloured - painting)
        painting = photo + strength * (painting - photo)

        change = ops.average_pool(photo - held_photo, 2, 2, "valid", keras.config.image_data_format())
        change = _across_colours(ops.maximum, ops.abs(change))
        change = ops.max_pool(change, 3, 1, "same", keras.config.image_data_format())
        share = ops.clip((change - stability) / ops.maximum(stability, 1e-3), LEAST_SHARE, 1.0)
        share = ops.maximum(share, fresh)
        rows, columns = (2, 3) if channels_first() else (1, 2)
        share = ops.repeat(ops.repeat(share, 2, axis=rows), 2, axis=columns)

        held_photo = _follow(held_photo, photo, share, creep)
        held_painting = _follow(held_painting, painting, share, creep)
        pictures = ops.transpose(held_painting, (0, 2, 3, 1)) if channels_first() else held_painting
        return held_photo, held_painting, pictures

    def compute_output_spec(self, inputs: list[Any]) -> tuple[Any, Any, Any]:
        return tuple(keras.KerasTensor(inputs[index].shape, "uint8") for index in (2, 3, 0))


def build_retouch_engine(width: int, height: int, backend: Backend) -> Any:
    """Compile the graph for one size of frame.

    Args:
        width: Width of the images in pixels, even.
        height: Height of the images in pixels, even.
        backend: The one that `backend.activate` has made Keras' own.

    Returns:
        A function of photo uint8 `(height, width, 3)`, painting as `on_device` of an engine gives it, `Look`, and
        whether to forget what was held, to an image like the photo.
    """
    model = build_retouch(width, height)
    return OpenVINORetouch(model, width, height) if backend.name == "openvino" else KerasRetouch(model, backend)


class OpenVINORetouch:
    """On a processor; the held images change places with the new ones and are never copied.

    Args:
        model: From `build_retouch`.
        width: Width of the images in pixels.
        height: Height of the images in pixels.
    """

    def __init__(self, model: keras.Model, width: int, height: int) -> None:
        core = openvino_core()
        import openvino

        with tempfile.TemporaryDirectory() as folder:
            file = str(Path(folder) / "retouch.xml")
            try:
                model.export(file, format="openvino", verbose=False)
            except RuntimeError as error:
                raise BackendError(f"The temporary folder '{folder}' took no file. Free its disk, or set TMPDIR.") from error
            graph = core.read_model(file)
        inputs = graph.get_parameters()
        self._places = {node.get_friendly_name(): index for index, node in enumerate(inputs)}
        for node in inputs:
            shape = node.output(0).partial_shape
            shape[0] = 1
            graph.reshape({node.output(0): shape})
        options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        self._request = core.compile_model(graph, "CPU", options).create_infer_request()
        held = openvino.Shape([1, 3, height, width])
        self._held = [[openvino.Tensor(openvino.Type.u8, held) for _ in range(2)] for _ in range(2)]
        self._frames = 0

    def __call__(self, photo: np.ndarray, painting: Any, look: Look, fresh: bool) -> np.ndarray:
        self._frames += 1
        request, places = self._request, self._places
        request.get_input_tensor(places["photos"]).data[0] = photo
        request.set_input_tensor(places["paintings"], painting)
        request.get_input_tensor(places["settings"]).data[0] = _settings(look, fresh, self._frames)
        for index, name in enumerate(("held_photos", "held_paintings")):
            request.set_input_tensor(places[name], self._held[0][index])
            request.set_output_tensor(index, self._held[1][index])
        request.infer()
        self._held.reverse()
        return np.array(request.get_output_tensor(2).data[0])


class KerasRetouch:
    """With TensorFlow or JAX, compiled by XLA; what is held stays on the device.

    Args:
        model: From `build_retouch`.
        backend: TensorFlow or JAX.
    """

    def __init__(self, model: keras.Model, backend: Backend) -> None:
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
        photos = ops.convert_to_tensor(photo[None])
        held_photos, held_paintings = self._held or (photos, photos)
        held = {"held_photos": held_photos, "held_paintings": held_paintings}
        settings = ops.convert_to_tensor(_settings(look, fresh or self._held is None, self._frames)[None])
        *self._held, pictures = self._call({"photos": photos, "paintings": painting, **held, "settings": settings})
        return np.array(ops.convert_to_numpy(pictures)[0])


def _settings(look: Look, fresh: bool, frames: int) -> np.ndarray:
    still = look.stability > 0
    return np.array([look.strength, look.colours, look.stability, fresh or not still, frames % CREEP_EVERY == 0], np.float32)


def _across_colours(combine: Any, x: Any) -> Any:
    red, green, blue = ops.split(x, 3, axis=1 if channels_first() else -1)
    return combine(combine(red, green), blue)


def _luma(x: Any) -> Any:
    """Brightness, one channel."""
    red, green, blue = ops.split(x, 3, axis=1 if channels_first() else -1)
    return LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue


def _with_colours(luma: Any, differences: Any) -> Any:
    """Brightness and colour differences joined; the differences shrink together until all fits into 0 to 255."""
    highest, lowest = _across_colours(ops.maximum, differences), _across_colours(ops.minimum, differences)
    room = ops.minimum((255.0 - luma) / ops.maximum(highest, 1e-3), luma / ops.maximum(-lowest, 1e-3))
    return luma + ops.clip(room, 0.0, 1.0) * differences


def _follow(held: Any, new: Any, share: Any, creep: Any) -> Any:
    difference = new - held
    distance = ops.abs(difference)
    step = ops.maximum(share * distance, ops.minimum(distance, creep))
    return ops.cast(ops.clip(held + ops.sign(difference) * step, 0.0, 255.0) + 0.5, "uint8")  # the cast drops the rest
