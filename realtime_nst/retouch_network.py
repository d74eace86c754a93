"""The graphs behind `Retouch`: strength and own colours, from a photo and its painting; and stability, from frame to frame.

They have no weights and are the same for every body. They compute in float32 also where the network rounds to half
precision, because bfloat16 cannot hold the 256 steps of a colour. One definition for every Keras backend.
"""

from typing import Any

import keras
from keras import layers, ops

from realtime_nst.network import channels_first

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the brightness that the eye sees (BT.601)."""
LEAST_SHARE = 1 / 8
"""How far a held pixel still moves with each frame: what stayed below the threshold is gone within a second. Less would
hold no stiller on a real camera, and the tint that a hand leaves on the whole picture, as the network normalises it,
would stay longer."""
BLOCK, CELL, REACH = 4, 8, 3
"""Pixels along a side of the blocks whose means are compared, and of the cells that move or hold as one; and cells
around a changed one that move with it: a painted outline reaches beyond what it outlines, and would stay behind."""


def build_blend(width: int, height: int) -> keras.Model:
    """The graph of `BlendLayer` for one size of frame.

    Args:
        width: Width of the images in pixels.
        height: Height of the images in pixels.
    """
    images = {name: keras.Input((height, width, 3), dtype="uint8", name=name) for name in ("photos", "paintings")}
    inputs = {**images, "settings": keras.Input((2,), dtype="float32", name="settings")}
    return keras.Model(inputs, BlendLayer(name="blend")(list(inputs.values())), name="blend")


def build_hold(width: int, height: int) -> keras.Model:
    """The graph of `HoldLayer` for one size of frame.

    Args:
        width: Width of the images in pixels, a multiple of 8.
        height: Height of the images in pixels, a multiple of 8.
    """
    names = ("photos", "paintings", "held_paintings")
    images = {name: keras.Input((height, width, 3), dtype="uint8", name=name) for name in names}
    blocks = keras.Input((height // BLOCK, width // BLOCK, 3), dtype="float32", name="held_blocks")
    inputs = {**images, "held_blocks": blocks, "settings": keras.Input((3,), dtype="float32", name="settings")}
    return keras.Model(inputs, HoldLayer(name="hold")(list(inputs.values())), name="hold")


class BlendLayer(layers.Layer):
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


class HoldLayer(layers.Layer):
    """Hold a painting where its photo holds still.

    How much the photo differs from the one for which a pixel was painted, as a mean of 4x4 pixels (the signs of noise
    cancel), spread over the neighbourhood, decides how far the held picture moves: hardly at all up to the threshold,
    wholly from twice of it. Photo and painting move by the same share, so that slow changes add up until they show.
    Where the way is less than a grey level, the threshold of rounding, which changes from frame to frame, lets it add up.

    What is large is done in one pass over memory: cells are an axis of their own, along which the shares are the same.

    Input shape: photos, paintings and held paintings uint8 `(B, H, W, 3)`; held means of blocks of the photo float32
    `(B, H/4, W/4, 3)`; settings float32 `(B, 3)`: stability as in `Look`, `fresh` (1 forgets what was held), and the
    threshold of rounding, above 0 and below 1.
    Output shape: the new held means, and the new held paintings.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(autocast=False, **options)

    def call(self, inputs: list[Any]) -> tuple[Any, Any]:
        photos, paintings, held_paintings, held_blocks, settings = inputs
        height, width = photos.shape[1:3]
        rows, columns, inner = height // CELL, width // CELL, CELL // BLOCK
        stability, fresh, threshold = (settings[:, index][:, None, None, None] for index in range(3))

        across = ops.reshape(photos, (-1, BLOCK, width * 3))
        across = ops.mean(ops.cast(across, "float32"), axis=1)  # each row is the mean of four
        blocks = ops.reshape(ops.mean(ops.reshape(across, (-1, BLOCK, 3)), axis=1), (-1, height // BLOCK, width // BLOCK, 3))
        difference = blocks - held_blocks
        change = ops.max(ops.abs(difference), axis=-1)[:, None]  # from here on one channel, which comes first
        change = ops.max_pool(change, inner, inner, "valid", "channels_first")
        change = ops.max_pool(change, 2 * REACH + 1, 1, "same", "channels_first")
        share = ops.clip((change - stability) / ops.maximum(stability, 1e-3), LEAST_SHARE, 1.0)
        share = ops.maximum(ops.average_pool(share, 3, 1, "same", "channels_first"), fresh)  # (B, 1, H/8, W/8)

        of_cells = (-1, rows, 1, columns, 1)
        moves, rounds = ops.reshape(share, of_cells), ops.reshape(0.0 * share + threshold, of_cells)
        held_blocks, difference = (ops.reshape(x, (-1, rows, inner, columns, 3 * inner)) for x in (held_blocks, difference))
        held_blocks = ops.reshape(held_blocks + moves * difference, (-1, *blocks.shape[1:]))
        new, old = (ops.cast(ops.reshape(x, (-1, rows, CELL, columns, 3 * CELL)), "float32") for x in (paintings, held_paintings))
        held = ops.cast(old + moves * (new - old) + rounds, "uint8")  # the cast drops the rest
        return held_blocks, ops.reshape(held, (-1, height, width, 3))

    def compute_output_spec(self, inputs: list[Any]) -> tuple[Any, Any]:
        return keras.KerasTensor(inputs[3].shape, "float32"), keras.KerasTensor(inputs[0].shape, "uint8")


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
