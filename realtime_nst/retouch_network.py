"""The graph behind `Retouch`: strength, own colours and stability, from a photo and its painting.

It has no weights and is the same for every body. It computes in float32 also where the network rounds to half
precision, because bfloat16 cannot hold the 256 steps of a colour. One definition for every Keras backend.
"""

from typing import Any

import keras
from keras import layers, ops

from realtime_nst.network import channels_first

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the brightness that the eye sees (BT.601)."""
LEAST_SHARE = 1 / 8
"""How far a held pixel still moves with each frame: what stayed below the threshold is gone within a second, down to
differences that eight bits round away; these go by one grey level now and then (`creep`). Less would hold no stiller
on a real camera, and the tint that a hand leaves on the whole picture, as the network normalises it, would stay longer."""
BLOCK, CELL, REACH = 4, 8, 3
"""Pixels along a side of the blocks whose means are compared, and of the cells that move or hold as one; and cells
around a changed one that move with it: a painted outline reaches beyond what it outlines, and would stay behind."""
SETTINGS = ("strength", "colours", "stability", "fresh", "creep")


def build_retouch(width: int, height: int) -> keras.Model:
    """The graph of `RetouchLayer` for one size of frame.

    Args:
        width: Width of the images in pixels, a multiple of 8.
        height: Height of the images in pixels, a multiple of 8.
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

    *Stability*: how much the photo differs from the one for which a pixel was painted, as a mean of 4x4 pixels (the
    signs of noise cancel), spread over the neighbourhood, decides how far the held picture moves: hardly at all up to
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

        layout = keras.config.image_data_format()
        change = _across_colours(ops.maximum, ops.abs(_block_means(photo - held_photo)))
        change = ops.max_pool(change, CELL // BLOCK, CELL // BLOCK, "valid", layout)
        change = ops.max_pool(change, 2 * REACH + 1, 1, "same", layout)
        share = ops.clip((change - stability) / ops.maximum(stability, 1e-3), LEAST_SHARE, 1.0)
        share = ops.maximum(ops.average_pool(share, 3, 1, "same", layout), fresh)
        rows, columns = (2, 3) if channels_first() else (1, 2)
        share = ops.repeat(ops.repeat(share, CELL, axis=rows), CELL, axis=columns)

        held_photo = _follow(held_photo, photo, share, creep)
        held_painting = _follow(held_painting, painting, share, creep)
        pictures = ops.transpose(held_painting, (0, 2, 3, 1)) if channels_first() else held_painting
        return held_photo, held_painting, pictures

    def compute_output_spec(self, inputs: list[Any]) -> tuple[Any, Any, Any]:
        return tuple(keras.KerasTensor(inputs[index].shape, "uint8") for index in (2, 3, 0))


def _across_colours(combine: Any, x: Any) -> Any:
    red, green, blue = ops.split(x, 3, axis=1 if channels_first() else -1)
    return combine(combine(red, green), blue)


def _block_means(x: Any) -> Any:
    """Means of blocks. With channels first, channels count as pictures: OpenVINO pads three of them to sixteen."""
    if not channels_first():
        return ops.average_pool(x, BLOCK, BLOCK, "valid", "channels_last")
    _, _, height, width = x.shape
    means = ops.average_pool(ops.reshape(x, (-1, 1, height, width)), BLOCK, BLOCK, "valid", "channels_first")
    return ops.reshape(means, (-1, 3, height // BLOCK, width // BLOCK))


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
    least = ops.maximum(ops.minimum(difference, creep), -creep)
    way = share * difference
    step = ops.where(ops.abs(way) > creep, way, least)
    return ops.cast(ops.clip(held + step, 0.0, 255.0) + 0.5, "uint8")  # the cast drops the rest
