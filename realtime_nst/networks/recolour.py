"""The graph behind `Recolour`: strength and own colours, from a photo and its painting.

It has no weights and is the same for every body. It computes in float32 also where the network rounds to half
precision, because bfloat16 cannot hold the 256 steps of a colour. One definition for every Keras backend.
"""

from typing import Any

import keras
from keras import layers, ops

from realtime_nst.networks.convolutions import channels_first
from realtime_nst.style.look import LUMA


def build_recolour(width: int, height: int) -> keras.Model:
    """The graph of `RecolourLayer` for one size of frame.

    Args:
        width: Width of the images in pixels.
        height: Height of the images in pixels.
    """
    images = {name: keras.Input((height, width, 3), dtype="uint8", name=name) for name in ("photos", "paintings")}
    inputs = {**images, "settings": keras.Input((2,), dtype="float32", name="settings")}
    return keras.Model(inputs, RecolourLayer(name="retouch")(list(inputs.values())), name="retouch")


class RecolourLayer(layers.Layer):
    """Give a painting its photo's colours, and blend it with the photo.

    *Colours*: the brightness of the painting with the colour differences of the photo. Where the sum leaves the
    range of colours, the differences shrink together, so that hue and brightness stay and only saturation gives way.

    Input shape: photos and paintings uint8 `(B, H, W, 3)`; settings float32 `(B, 2)`: strength and colours, as in `Look`.
    Output shape: uint8 `(B, H, W, 3)`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(autocast=False, **options)

    def call(self, inputs: list[Any]) -> Any:
        *images, settings = inputs
        photo, painting = (
            ops.cast(ops.transpose(image, (0, 3, 1, 2)) if channels_first() else image, "float32") for image in images
        )
        strength, colours = (settings[:, index][:, None, None, None] for index in range(2))
        brightness = _luma(photo)
        recoloured = _with_colours(_luma(painting), photo - brightness)
        painting = painting + colours * (recoloured - painting)
        painting = photo + strength * (painting - photo)
        painting = ops.cast(painting + 0.5, "uint8")  # the cast drops the rest
        return ops.transpose(painting, (0, 2, 3, 1)) if channels_first() else painting

    def compute_output_spec(self, inputs: list[Any]) -> Any:
        return keras.KerasTensor(inputs[0].shape, "uint8")


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
