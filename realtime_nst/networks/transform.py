"""The transform network: `(image, style vector) -> image`, one definition for every Keras backend.

A residual encoder-decoder after Johnson et al. (2016) whose convolutions are shared by all styles and whose
normalizations take scale and shift from a style vector (Dumoulin et al., 2017). It differs from Johnson's
network where that costs little to the eye and saves a factor of fifty and more: the frame enters as patches of 4x4
pixels; most residual blocks work at an eighth of its size, with a way around them for what is fine, and two more
at a quarter; they are narrow inside; nothing at all is computed at full size, because the last convolution gives
the colours of four pixels at once. Neither it nor the upsamplings can draw a grid (Odena et al., 2016).

Where the photo is plain, a network that sees nothing else has nothing to hang a stroke on: what it draws there must
come from noise, and flicker with it. So it takes a second picture in, a fixed field of smooth noise (`style/field.py`),
which each layer takes up as strongly as the style says, and only where the photo is plain.

This module deliberately does not know where weights come from, how they are trained or which device runs them.
"""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from realtime_nst.networks.convolutions import (
    Blur2D,
    ReflectionPadding2D,
    SubpixelColours,
    UpsampledConv2D,
    channels_first,
    per_channel,
)
from realtime_nst.networks.field import FieldConv2D, Masked, Plainness
from realtime_nst.style.architecture import KERNEL, PATCH, Architecture

NORM_EPSILON = 1e-5
OUTPUT_MID, OUTPUT_GAIN = 127.5, 64.0
STRIDE = 8


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
