"""The graph behind `Stabilizer`: a photo that holds still where its scene does.

It has no weights. It computes in float32, and is one definition for every Keras backend.
"""

from typing import Any

import keras
from keras import layers, ops

from realtime_nst.style.look import LEAST_SHARE

BLOCK, CELL, REACH = 4, 8, 3
"""Pixels along a side of the blocks whose means are compared, and of the cells that move or hold as one; and cells
around a changed one that move with it: the edge of a hand is sharp, but its shadow is not."""


def build_stabilizer(width: int, height: int) -> keras.Model:
    """The graph of `StabilizerLayer` for one size of frame.

    Args:
        width: Width of the photos in pixels, a multiple of 8.
        height: Height of the photos in pixels, a multiple of 8.
    """
    inputs = {name: keras.Input((height, width, 3), dtype="uint8", name=name) for name in ("photos", "held_photos")}
    inputs["held_blocks"] = keras.Input((height // BLOCK, width // BLOCK, 3), dtype="float32", name="held_blocks")
    inputs["thresholds"] = keras.Input((CELL, width // CELL, 3 * CELL), dtype="float32", name="thresholds")
    inputs["settings"] = keras.Input((2,), dtype="float32", name="settings")
    return keras.Model(inputs, StabilizerLayer(name="hold")(list(inputs.values())), name="hold")


class StabilizerLayer(layers.Layer):
    """Hold a photo where it holds still: a recursive filter over time that adapts to motion.

    How much the photo differs from what is held, as a mean of 4x4 pixels (the signs of noise cancel), spread over the
    neighbourhood, decides how far a pixel moves: hardly at all up to the threshold of stability, wholly from twice of it.
    Where the way is less than a grey level, thresholds of rounding that differ by place and frame let it add up.

    What is large is done in one pass over memory: cells are an axis of their own, along which the shares are the same.

    Input shape: photos and held photos uint8 `(B, H, W, 3)`; held means of blocks float32 `(B, H/4, W/4, 3)`; thresholds
    of rounding, from 0 to `engines.stabilizer.LARGEST`, float32 `(B, 8, W/8, 24)`; settings float32 `(B, 2)`: stability as in
    `Look`, and `fresh` (1 forgets what was held).
    Output shape: the new held means and photos, alike.

    Reference:
        Brailean, Kleihorst, Efstratiadis, Katsaggelos, Lagendijk: Noise reduction filters for dynamic image sequences:
        a review (1995), motion-adaptive recursive filters.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(autocast=False, **options)

    def call(self, inputs: list[Any]) -> tuple[Any, Any]:
        photos, held_photos, held_blocks, thresholds, settings = inputs
        height, width = photos.shape[1:3]
        rows, columns, inner = height // CELL, width // CELL, CELL // BLOCK
        stability, fresh = (settings[:, index][:, None, None, None] for index in range(2))

        sums = ops.reshape(photos, (-1, BLOCK, width * 3))
        sums = ops.mean(ops.cast(sums, "float32"), axis=1)  # each row is the mean of four
        blocks = ops.reshape(ops.mean(ops.reshape(sums, (-1, BLOCK, 3)), axis=1), (-1, height // BLOCK, width // BLOCK, 3))
        difference = blocks - held_blocks
        change = ops.max(ops.abs(difference), axis=-1)[:, None]  # from here on one channel, which comes first
        change = ops.max_pool(change, inner, inner, "valid", "channels_first")
        change = ops.max_pool(change, 2 * REACH + 1, 1, "same", "channels_first")
        share = ops.clip((change - stability) / ops.maximum(stability, 1e-3), LEAST_SHARE, 1.0)
        share = ops.maximum(ops.average_pool(share, 3, 1, "same", "channels_first"), fresh)  # (B, 1, H/8, W/8)

        share = ops.reshape(share, (-1, rows, 1, columns, 1))
        held_blocks, difference = (ops.reshape(x, (-1, rows, inner, columns, 3 * inner)) for x in (held_blocks, difference))
        held_blocks = ops.reshape(held_blocks + share * difference, (-1, *blocks.shape[1:]))
        new, old = (ops.cast(ops.reshape(x, (-1, rows, CELL, columns, 3 * CELL)), "float32") for x in (photos, held_photos))
        held = ops.cast(old + share * (new - old) + thresholds[:, None], "uint8")  # the cast drops the rest
        return held_blocks, ops.reshape(held, (-1, height, width, 3))

    def compute_output_spec(self, inputs: list[Any]) -> tuple[Any, Any]:
        return keras.KerasTensor(inputs[2].shape, "float32"), keras.KerasTensor(inputs[0].shape, "uint8")
