"""The transform network: `(image, style vector) -> image`, one definition for every Keras backend.

A residual encoder-decoder after Johnson et al. (2016) whose convolutions are shared by all styles and whose
normalizations take scale and shift from a style vector (Dumoulin et al., 2017). It differs from Johnson's
network where that costs little to the eye and saves a factor of fifty and more: the frame enters as patches of 4x4
pixels; most residual blocks work at an eighth of its size, with a way around them for what is fine, and two more
at a quarter; they are narrow inside; nothing at all is computed at full size, because the last convolution gives
the colours of four pixels at once. Neither it nor the upsamplings can draw a grid (Odena et al., 2016).

Where the photo is plain, a network that sees nothing else has nothing to hang a stroke on: what it draws there must
come from noise, and flicker with it. So it takes a second picture in, a fixed field of smooth noise (`field.py` of
the engines), which each layer takes up as strongly as the style says, and only where the photo is plain.

This module deliberately does not know where weights come from, how they are trained or which device runs them.
"""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from realtime_nst.style.architecture import KERNEL, PATCH, Architecture

NORM_EPSILON = 1e-5
OUTPUT_MID, OUTPUT_GAIN = 127.5, 64.0
STRIDE = 8
PLAIN_AROUND, PLAIN_UNTIL = 9, 32.0
"""How many places of 4 pixels on a side say together how plain the photo is, and at which mean change from place to place,
in grey levels, the field has faded to 1/e."""
SPREAD_ALONG = np.array([[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]], np.float32)
SPREAD = np.kron(SPREAD_ALONG, SPREAD_ALONG)
"""From the taps of a 3x3 kernel on an upsampled map to those of a 4x4 kernel that does both: `(16, 9)`."""


def build_transform_network(
    architecture: Architecture | None = None,
    *,
    width: int | None = None,
    height: int | None = None,
    uint8: bool = True,
) -> keras.Model:
    """Build the network; its weights are random until they are loaded or trained.

    Preprocessing, clipping and rounding are part of the graph, so that weights and preprocessing cannot drift
    apart. Work inside follows `keras.config.image_data_format()` and the global dtype policy; the images at
    both ends are always channels-last.

    Args:
        architecture: Width and depth; the default is the one of the shipped styles.
        width: Width of the frames in pixels, a multiple of 8; `None` leaves it open.
        height: Height of the frames in pixels, a multiple of 8; `None` leaves it open.
        uint8: True for serving: uint8 in, uint8 out. False for training: float32 in `[0, 255]` in, float32
            out, neither clipped nor rounded, so that gradients flow.

    Returns:
        A model from `{"images": ..., "vectors": ..., "field4": ..., "field8": ...}` to images: images `(B, H, W, 3)` RGB,
        vectors `(B, architecture.vector_size)` float32, and, if the architecture has a field, its values at a quarter
        and at an eighth of the frame's size, float32 `(B, H/4, W/4, field)` and `(B, H/8, W/8, field)`.

    Raises:
        ValueError: `width` or `height` is not a multiple of 8.

    Reference:
        Johnson, Alahi, Fei-Fei: Perceptual losses for real-time style transfer and super-resolution (2016),
        supplementary material, table 1. Dumoulin, Shlens, Kudlur: A learned representation for artistic style
        (2017), equation 5.
    """
    for name, size in (("width", width), ("height", height)):
        if size is not None and (size <= 0 or size % STRIDE):
            raise ValueError(f"{name}={size}: a positive multiple of {STRIDE} was expected. Pad the frame by reflection.")
    shape = architecture or Architecture()

    images = keras.Input((height, width, 3), dtype="uint8" if uint8 else "float32", name="images")
    vectors = keras.Input((shape.vector_size,), dtype="float32", name="vectors")
    inputs = {"images": images, "vectors": vectors}
    parts = iter(SplitStyleVector(shape, name="split")(vectors))
    x = scaled = FromPixels(name="scaled")(images)  # (B, H, W, 3)
    fields = {}
    if shape.field:
        plain = Plainness(name="plain4")(scaled)
        for part in (4, 8):
            given = keras.Input((height and height // part, width and width // part, shape.field), name=f"field{part}")
            inputs[f"field{part}"] = given
            plain = layers.AveragePooling2D(2, name="plain8")(plain) if part == 8 else plain
            fields[part] = Masked(name=f"masked{part}")([given, plain])

    def conv(x: Any, channels: int, name: str, strides: int = 1) -> Any:
        x = ReflectionPadding2D(name=f"{name}_pad")(x)
        return layers.Conv2D(channels, KERNEL, strides, use_bias=False, name=name)(x)

    def norm(x: Any, name: str) -> Any:
        x = ConditionalInstanceNormalization(name=f"{name}_norm")([x, next(parts), next(parts)])
        if name not in shape.field_channels:
            return x
        part, channels = shape.field_channels[name]
        taken = FieldConv2D(channels, name=f"{name}_field")([fields[part], next(parts)])
        return layers.Add(name=f"{name}_taken")([x, taken])

    def relu(x: Any, name: str) -> Any:
        return layers.ReLU(name=f"{name}_relu")(x)

    def residual_block(x: Any, inner: int, channels: int, name: str) -> Any:
        y = relu(norm(conv(x, inner, f"{name}a"), f"{name}a"), f"{name}a")
        y = norm(conv(y, channels, f"{name}b"), f"{name}b")
        return layers.Add(name=f"{name}_add")([x, y])

    if shape.entry > PATCH:
        x = ReflectionPadding2D((shape.entry - PATCH) // 2, name="patches_pad")(x)
    x = layers.Conv2D(shape.patches, shape.entry, PATCH, use_bias=False, name="patches")(x)  # (B, H/4, W/4, patches)
    x = fine = relu(norm(conv(x, shape.quarter, "stem"), "stem"), "stem")  # (B, H/4, W/4, quarter)
    x = Blur2D(name="down_blur")(x) if shape.blurred else x
    x = relu(norm(conv(x, shape.eighth, "down", strides=2), "down"), "down")  # (B, H/8, W/8, eighth)
    for index in range(1, shape.blocks + 1):
        x = residual_block(x, shape.inner, shape.eighth, f"block{index}")
    x = UpsampledConv2D(shape.quarter, name="quarter")(x)  # (B, H/4, W/4, quarter)
    x = layers.Add(name="fine_add")([relu(norm(x, "quarter"), "quarter"), fine])
    for index in range(1, shape.fine_blocks + 1):
        x = residual_block(x, shape.fine_inner, shape.quarter, f"fine{index}")
    x = UpsampledConv2D(shape.half, name="half")(x)  # (B, H/2, W/2, half)
    x = relu(norm(x, "half"), "half")
    x = SubpixelColours(name="colours")(x)  # (B, H/2, W/2, 12)
    images_out = ToPixels(uint8, name="pixels")([x, next(parts), next(parts)])  # (B, H, W, 3)
    return keras.Model(inputs, images_out, name="transform_network")


def set_kernels(network: keras.Model, arrays: Mapping[str, np.ndarray]) -> None:
    """Load a body's convolution kernels by `<layer>/kernel`, as `Body.weights` reads them."""
    for name, array in arrays.items():
        network.get_layer(name.removesuffix("/kernel")).kernel.assign(array)


class SplitStyleVector(layers.Layer):
    """Cut a style vector into its parts, in the order of the forward pass.

    Input shape: `(B, architecture.vector_size)`.
    Output shape: a list of `(B, C)`, as `Architecture.vector_parts` says.
    """

    def __init__(self, architecture: Architecture, **options: Any) -> None:
        super().__init__(autocast=False, **options)
        self.sizes = [size for size, _ in architecture.vector_parts]

    def call(self, vectors: Any) -> list[Any]:
        parts, start = [], 0
        for size in self.sizes:
            parts.append(vectors[:, start : start + size])
            start += size
        return parts


class Plainness(layers.Layer):
    """How plain an image is at each place of 4x4 pixels: 1 where nothing changes from place to place, near 0 at edges.

    Places are compared, and not pixels, so that a camera's noise does not make a wall look rich.

    Input shape: `(B, H, W, 3)` in `[-1, 1]`, or `(B, 3, H, W)` with channels first.
    Output shape: `(B, H/4, W/4, 1)`, or `(B, 1, H/4, W/4)`.
    """

    def call(self, x: Any) -> Any:
        mean = np.full((PATCH, PATCH, 3, 1), 1.0 / (3 * PATCH**2), np.float32)  # as a convolution: OpenVINO pools slowly here
        grey = ops.conv(x, ops.convert_to_tensor(mean, self.compute_dtype), PATCH, "valid")
        grey = pad(grey, ((0, 1), (0, 1)), "symmetric")
        here, below, right = cut(grey, 0, 0), cut(grey, 1, 0), cut(grey, 0, 1)
        change = pad(ops.abs(below - here) + ops.abs(right - here), ((PLAIN_AROUND // 2,) * 2,) * 2, "symmetric")
        for window in ((PLAIN_AROUND, 1), (1, PLAIN_AROUND)):
            change = ops.average_pool(change, window, 1, "valid")
        return ops.exp(change * (-127.5 / PLAIN_UNTIL))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, *sides = input_shape
        height, width = (side and side // PATCH for side in (sides[1:] if channels_first() else sides[:2]))
        return (batch, 1, height, width) if channels_first() else (batch, height, width, 1)


class Masked(layers.Layer):
    """The texture field where the photo is plain.

    Input shape: `[(B, H, W, C), (B, H, W, 1) or (B, 1, H, W)]`: the field, and how plain the photo is.
    Output shape: `(B, H, W, C)`, or `(B, C, H, W)` with channels first.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(autocast=False, **options)

    def call(self, inputs: Any) -> Any:
        field, plain = inputs
        field = ops.transpose(field, (0, 3, 1, 2)) if channels_first() else field
        return ops.cast(field * plain, self.compute_dtype)

    def compute_output_shape(self, input_shape: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        batch, height, width, channels = input_shape[0]
        return (batch, channels, height, width) if channels_first() else input_shape[0]


class FieldConv2D(layers.Layer):
    """A 3x3 convolution of the texture field, as strong in each channel as the style says.

    Input shape: `[(B, H, W, field) or (B, field, H, W), (B, channels)]`: field, gains.
    Output shape: `(B, H, W, channels)`, or `(B, channels, H, W)`.
    """

    def __init__(self, channels: int, **options: Any) -> None:
        super().__init__(autocast=False, **options)
        self.channels = channels

    def build(self, input_shape: list[tuple[int | None, ...]]) -> None:
        self.kernel = add_kernel(self, input_shape[0], self.channels, keras.initializers.RandomNormal(stddev=0.15))

    def call(self, inputs: Any) -> Any:
        field, gains = inputs
        kernel = ops.cast(self.kernel, self.compute_dtype)
        taken = ops.conv(pad_by_one(field, "reflect"), kernel, padding="valid")
        return taken * per_channel(ops.cast(gains, self.compute_dtype))

    def compute_output_shape(self, input_shape: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        first = input_shape[0]
        return (first[0], self.channels, *first[2:]) if channels_first() else (*first[:3], self.channels)


class Blur2D(layers.Layer):
    """Blur a feature map by the binomial kernel of 3x3, so that a step of two that follows sees no finer pattern.

    Input shape: `(B, H, W, C)`, or `(B, C, H, W)` with channels first.
    Output shape: that of the input.

    Reference:
        Zhang: Making convolutional networks shift-invariant again (2019), section 3.
    """

    def call(self, x: Any) -> Any:
        channels = x.shape[1 if channels_first() else -1]
        row = np.array([0.25, 0.5, 0.25], np.float32)
        kernel = np.repeat(np.outer(row, row)[:, :, None, None], channels, axis=2)
        return ops.depthwise_conv(pad_by_one(x, "reflect"), ops.convert_to_tensor(kernel, self.compute_dtype), padding="valid")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape


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

    def call(self, x: Any) -> Any:
        height, width = ops.shape(x)[2:] if channels_first() else ops.shape(x)[1:3]
        # Each low pixel stands at two places, so that each tap acts at two offsets, and that along both axes.
        flat = ops.reshape(ops.cast(self.kernel, "float32"), (KERNEL * KERNEL, -1))
        kernel = ops.reshape(ops.matmul(SPREAD, flat), (KERNEL + 1, KERNEL + 1, *self.kernel.shape[2:]))
        kernel = ops.cast(ops.transpose(kernel, (0, 1, 3, 2)), self.compute_dtype)  # (4, 4, C_out, C_in)
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

    def call(self, x: Any) -> Any:
        kernel = ops.reshape(ops.cast(self.kernel, "float32"), (KERNEL * KERNEL, -1, 4, 3))
        sums = ops.sum(kernel, axis=0, keepdims=True)
        kernel = kernel - (sums - ops.mean(sums, axis=2, keepdims=True)) / KERNEL**2
        kernel = ops.reshape(kernel, (KERNEL, KERNEL, -1, 12))
        return ops.conv(pad_by_one(x, "reflect"), ops.cast(kernel, self.compute_dtype), padding="valid")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], 12, *input_shape[2:]) if channels_first() else (*input_shape[:3], 12)


class ConditionalInstanceNormalization(layers.Layer):
    """Normalize each channel of each picture by its own mean and deviation, then apply a style's scale and shift.

    Statistics are float32 under every dtype policy: sums over a whole frame overflow or lose their digits in
    half precision. The formula is spelled so that OpenVINO recognises it as one MVN operation.

    Input shape: `[(B, H, W, C) or (B, C, H, W), (B, C), (B, C)]`: features, scale, shift.
    Output shape: that of the features.

    Reference:
        Ulyanov, Vedaldi, Lempitsky: Instance normalization (2016), equation 3. Dumoulin et al. (2017),
        equation 5.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(autocast=False, **options)  # scale and shift stay float32, as the vector comes

    def call(self, inputs: Any) -> Any:
        x, scale, shift = inputs
        x = ops.cast(x, "float32")
        axes = (2, 3) if channels_first() else (1, 2)
        mean = ops.mean(x, axis=axes, keepdims=True)
        variance = ops.mean(ops.square(x - mean), axis=axes, keepdims=True)
        x = (x - mean) / ops.sqrt(variance + NORM_EPSILON)
        return ops.cast(x * per_channel(scale) + per_channel(shift), self.compute_dtype)

    def compute_output_shape(self, input_shape: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        return input_shape[0]


class FromPixels(layers.Layer):
    """Scale pixels to `[-1, 1]`, in the data format of feature maps.

    Input shape: `(B, H, W, 3)` in `[0, 255]`.
    Output shape: `(B, H, W, 3)`, or `(B, 3, H, W)` with channels first.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(autocast=False, **options)  # half precision cannot hold 256 steps around 127.5 exactly

    def call(self, images: Any) -> Any:
        x = ops.cast(images, "float32") / 127.5 - 1.0
        x = ops.transpose(x, (0, 3, 1, 2)) if channels_first() else x
        return ops.cast(x, self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, height, width, channels = input_shape
        return (batch, channels, height, width) if channels_first() else input_shape


class ToPixels(layers.Layer):
    """Scale and shift the colours by the style, and lay the four pixels of each place out as an image.

    Linear on purpose: a squashing end (`tanh`) saturates early in training and does not come back.

    Input shape: `[(B, H/2, W/2, 12) or (B, 12, H/2, W/2), (B, 3), (B, 3)]`: colours of 2x2 pixels, scale, shift.
    Output shape: `(B, H, W, 3)`, uint8, or float32 around `[0, 255]`.
    """

    def __init__(self, uint8: bool, **options: Any) -> None:
        super().__init__(autocast=False, **options)
        self.uint8 = uint8

    def call(self, inputs: Any) -> Any:
        x, scale, shift = inputs
        # Channels last from here on: OpenVINO's convolution leaves them so, and only the 2x2 pixels have to move.
        x = ops.transpose(x, (0, 2, 3, 1)) if channels_first() else x
        scale, shift = (ops.concatenate([values] * 4, axis=-1)[:, None, None, :] for values in (scale, shift))
        x = OUTPUT_MID + OUTPUT_GAIN * (ops.cast(x, "float32") * scale + shift)
        x = ops.cast(ops.clip(x, 0.0, 255.0) + 0.5, "uint8") if self.uint8 else x  # the cast drops the rest
        height, width = ops.shape(x)[1], ops.shape(x)[2]
        x = ops.transpose(ops.reshape(x, (-1, height, width, 2, 6)), (0, 1, 3, 2, 4))
        return ops.reshape(x, (-1, 2 * height, 2 * width, 3))


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
