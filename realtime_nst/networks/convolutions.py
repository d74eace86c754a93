"""Convolutions that Keras does not have: with mirrored borders, with upsampling in them, and without a grid of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from realtime_nst.style.architecture import KERNEL

SPREAD_ALONG = np.array([[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]], np.float32)
SPREAD = np.kron(SPREAD_ALONG, SPREAD_ALONG)
"""From the taps of a 3x3 kernel on an upsampled map to those of a 4x4 kernel that does both: `(16, 9)`."""


class ReflectionPadding2D(layers.Layer):
    """Continue a feature map on each side, mirrored, so that a convolution keeps its size.

    Zero padding would draw a frame around the picture: instance statistics and convolutions both see it.

    Args:
        width: By how many pixels.

    Input shape: `(B, H, W, C)`, or `(B, C, H, W)` with channels first; `H` and `W` greater than the width.
    Output shape: `(B, H + 2 width, W + 2 width, C)`, or `(B, C, H + 2 width, W + 2 width)`.
    """

    def __init__(self, width: int = 1, **options: Any) -> None:
        super().__init__(**options)
        self.width = width

    def call(self, x: Any) -> Any:
        return pad(x, ((self.width, self.width),) * 2, "reflect")


class UpsampledConv2D(layers.Layer):
    """Nearest-neighbour upsampling by two and a convolution, as one transposed convolution.

    The sum is the same with four ninths of the multiplications (3x3), and the upsampled map is never written.
    The border continues by repetition.

    Input shape: `(B, H, W, C)`, or `(B, C, H, W)` with channels first.
    Output shape: `(B, 2 H, 2 W, channels)`, or `(B, channels, 2 H, 2 W)`.

    Reference:
        Odena, Dumoulin, Olah: Deconvolution and checkerboard artifacts (2016): resize, then convolve.
    """

    def __init__(self, channels: int, **options: Any) -> None:
        super().__init__(**options)
        self.channels = channels

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.kernel = add_kernel(self, input_shape, self.channels)

    def taps(self) -> Any:
        """What it convolves with: float32 `(4, 4, C_out, C_in)`."""
        # Each low pixel stands at two places, so that each tap acts at two offsets, and that along both axes.
        flat = ops.reshape(ops.cast(self.kernel, "float32"), (KERNEL * KERNEL, -1))
        kernel = ops.reshape(ops.matmul(SPREAD, flat), (KERNEL + 1, KERNEL + 1, *self.kernel.shape[2:]))
        return ops.transpose(kernel, (0, 1, 3, 2))

    def call(self, x: Any) -> Any:
        height, width = ops.shape(x)[2:] if channels_first() else ops.shape(x)[1:3]
        kernel = ops.cast(self.taps(), self.compute_dtype)
        x = ops.conv_transpose(pad_by_one(x, "symmetric"), kernel, strides=2, padding="valid")
        rows, columns = slice(3, 3 + 2 * height), slice(3, 3 + 2 * width)
        return x[:, :, rows, columns] if channels_first() else x[:, rows, columns, :]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        if channels_first():
            batch, _, height, width = input_shape
            return batch, self.channels, height and 2 * height, width and 2 * width
        batch, height, width, _ = input_shape
        return batch, height and 2 * height, width and 2 * width, self.channels


class SubpixelColours(layers.Layer):
    """A 3x3 convolution to twelve channels: the colours of four pixels at each place, two rows of two.

    A plain sub-pixel convolution draws a grid, because the four pixels answer differently to the same thing.
    Here the sums of their kernels are made equal: where features are even, the four pixels are, too.

    Input shape: `(B, H, W, C)`, or `(B, C, H, W)` with channels first.
    Output shape: `(B, H, W, 12)`, or `(B, 12, H, W)`: row, column, colour.

    Reference:
        Shi et al.: Real-time single image and video super-resolution using an efficient sub-pixel
        convolutional neural network (2016), section 2.2.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        # A small start keeps the first outputs near mid grey; a large one saturates into noise and stays there.
        start = keras.initializers.VarianceScaling(0.05, distribution="truncated_normal")
        self.kernel = add_kernel(self, input_shape, 12, start)

    def taps(self) -> Any:
        """What it convolves with: float32 `(3, 3, C_in, 12)`."""
        kernel = ops.reshape(ops.cast(self.kernel, "float32"), (KERNEL * KERNEL, -1, 4, 3))
        sums = ops.sum(kernel, axis=0, keepdims=True)
        kernel = kernel - (sums - ops.mean(sums, axis=2, keepdims=True)) / KERNEL**2
        return ops.reshape(kernel, (KERNEL, KERNEL, -1, 12))

    def call(self, x: Any) -> Any:
        return ops.conv(pad_by_one(x, "reflect"), ops.cast(self.taps(), self.compute_dtype), padding="valid")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], 12, *input_shape[2:]) if channels_first() else (*input_shape[:3], 12)


class Blur2D(layers.Layer):
    """Blur a feature map by the binomial kernel of 3x3, so that a step of two that follows sees no finer pattern.

    Input shape: `(B, H, W, C)`, or `(B, C, H, W)` with channels first.
    Output shape: that of the input.

    Reference:
        Zhang: Making convolutional networks shift-invariant again (2019), section 3.
    """

    def taps(self, channels: int) -> np.ndarray:
        """What it convolves with: float32 `(3, 3, channels, 1)`."""
        row = np.array([0.25, 0.5, 0.25], np.float32)
        return np.repeat(np.outer(row, row)[:, :, None, None], channels, axis=2)

    def call(self, x: Any) -> Any:
        kernel = self.taps(x.shape[1 if channels_first() else -1])
        return ops.depthwise_conv(pad_by_one(x, "reflect"), ops.convert_to_tensor(kernel, self.compute_dtype), padding="valid")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape


def add_kernel(layer: layers.Layer, input_shape: tuple[int | None, ...], channels: int, start: Any = "glorot_uniform") -> Any:
    """The weight of a layer that convolves in its own way, named and shaped as `Conv2D` does."""
    channels_in = input_shape[1 if channels_first() else -1]
    return layer.add_weight(shape=(KERNEL, KERNEL, channels_in, channels), initializer=start, name="kernel")


def pad_by_one(x: Any, mode: str) -> Any:
    """Continue a feature map by one pixel on each side, "reflect" (without the border itself) or "symmetric" (with it)."""
    return pad(x, ((1, 1), (1, 1)), mode)


def pad(x: Any, widths: tuple[tuple[int, int], ...], mode: str) -> Any:
    """Continue a feature map by so many rows before and after, and columns, "reflect" or "symmetric"."""
    rows, columns = map(list, widths)
    return ops.pad(x, [[0, 0], [0, 0], rows, columns] if channels_first() else [[0, 0], rows, columns, [0, 0]], mode=mode)


def cut(x: Any, rows: int, columns: int) -> Any:
    """A feature map with one row and one column fewer, from a row and a column on."""
    down, across = (slice(start, start - 1 or None) for start in (rows, columns))
    return x[:, :, down, across] if channels_first() else x[:, down, across, :]


def channels_first() -> bool:
    """True where feature maps are `(B, C, H, W)`."""
    return bool(keras.config.image_data_format() == "channels_first")


def per_channel(values: Any) -> Any:
    """`(B, C)` laid out to multiply or add to a feature map of the current data format."""
    return values[:, :, None, None] if channels_first() else values[:, None, None, :]


@contextmanager
def dtype_policy(name: str) -> Iterator[None]:
    """Build layers under another Keras policy, such as "mixed_bfloat16", and then go back to the one before."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
