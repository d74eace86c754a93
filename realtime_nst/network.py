"""The transform network: `(image, style vector) -> image`, one definition for every Keras backend.

A residual encoder-decoder after Johnson et al. (2016) whose convolutions are shared by all styles and whose
normalizations take scale and shift from a style vector (Dumoulin et al., 2017). It differs from Johnson's
network where that costs little to the eye and saves a factor of ten: the frame enters as 4x4 blocks of pixels
(space to depth), so that nothing heavy runs at full size, and leaves through two nearest-neighbour
upsamplings, which leave no grid (Odena et al., 2016).

This module deliberately does not know where weights come from, how they are trained or which device runs them.
"""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from realtime_nst.architecture import Architecture

NORM_EPSILON = 1e-5
OUTPUT_MID, OUTPUT_GAIN = 127.5, 64.0


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
        width: Width of the frames in pixels, a multiple of 4; `None` leaves it open.
        height: Height of the frames in pixels, a multiple of 4; `None` leaves it open.
        uint8: True for serving: uint8 in, uint8 out. False for training: float32 in `[0, 255]` in, float32
            out, neither clipped nor rounded, so that gradients flow.

    Returns:
        A model from `{"images": ..., "vectors": ...}` to images: images `(B, H, W, 3)` RGB, vectors
        `(B, architecture.vector_size)` float32.

    Raises:
        ValueError: `width` or `height` is not a multiple of 4.

    Reference:
        Johnson, Alahi, Fei-Fei: Perceptual losses for real-time style transfer and super-resolution (2016),
        supplementary material, table 1. Dumoulin, Shlens, Kudlur: A learned representation for artistic style
        (2017), equation 5.
    """
    for name, size in (("width", width), ("height", height)):
        if size is not None and (size <= 0 or size % 4):
            raise ValueError(f"{name}={size}: a positive multiple of 4 was expected. Pad the frame by reflection.")
    shape = architecture or Architecture()

    images = keras.Input((height, width, 3), dtype="uint8" if uint8 else "float32", name="images")
    vectors = keras.Input((shape.vector_size,), dtype="float32", name="vectors")

    parts = iter(SplitStyleVector(shape, name="split")(vectors))

    def conv(x: Any, channels: int, name: str, **options: Any) -> Any:
        x = ReflectionPadding2D(name=f"{name}_pad")(x)
        return layers.Conv2D(channels, 3, use_bias=False, name=name, **options)(x)

    def norm(x: Any, name: str) -> Any:
        return ConditionalInstanceNormalization(name=f"{name}_norm")([x, next(parts), next(parts)])

    x = PixelsToBlocks(name="blocks")(images)  # (B, H/4, W/4, 48)
    x = layers.ReLU(name="stem_relu")(norm(conv(x, shape.width, "stem"), "stem"))  # (B, H/4, W/4, width)
    for index in range(shape.blocks):
        name = f"block{index + 1}"
        y = layers.ReLU(name=f"{name}_relu")(norm(conv(x, shape.width, f"{name}a"), f"{name}a"))
        y = norm(conv(y, shape.width, f"{name}b"), f"{name}b")
        x = layers.Add(name=f"{name}_add")([x, y])
    for name, channels in (("half", shape.half), ("full", shape.full)):
        x = layers.UpSampling2D(2, interpolation="nearest", name=f"{name}_up")(x)
        x = layers.ReLU(name=f"{name}_relu")(norm(conv(x, channels, name), name))  # (B, H/2, ..), (B, H, ..)
    # A small start keeps the first outputs near mid grey; a large one saturates into noise and stays there.
    start = keras.initializers.VarianceScaling(0.05, distribution="truncated_normal")
    x = conv(x, 3, "colours", kernel_initializer=start)
    images_out = ToPixels(uint8, name="pixels")([x, next(parts), next(parts)])  # (B, H, W, 3)
    return keras.Model({"images": images, "vectors": vectors}, images_out, name="transform_network")


def set_kernels(network: keras.Model, arrays: Mapping[str, np.ndarray]) -> None:
    """Load a body's convolution kernels, float32 `(3, 3, C_in, C_out)` by `<layer>/kernel`, as `Body.weights` reads them."""
    for name, array in arrays.items():
        network.get_layer(name.removesuffix("/kernel")).kernel.assign(array)


def identity_vector_parts(architecture: Architecture) -> list[tuple[int, float]]:
    """Lengths and start values of a style vector's parts, in the order in which the network takes them.

    A new vector starts with every scale at 1 and every shift at 0.
    """
    return [part for size in (*architecture.norm_channels, 3) for part in ((size, 1.0), (size, 0.0))]


class SplitStyleVector(layers.Layer):
    """Cut a style vector into the scale and shift of every normalization, in the order of the forward pass.

    Input shape: `(B, architecture.vector_size)`.
    Output shape: a list of `(B, C)`: scale and shift of each normalization, then of the three colours.
    """

    def __init__(self, architecture: Architecture, **options: Any) -> None:
        super().__init__(autocast=False, **options)
        self.sizes = [size for size, _ in identity_vector_parts(architecture)]

    def call(self, vectors: Any) -> list[Any]:
        parts, start = [], 0
        for size in self.sizes:
            parts.append(vectors[:, start : start + size])
            start += size
        return parts


class ReflectionPadding2D(layers.Layer):
    """Continue a feature map by one pixel on each side, mirrored, so that a 3x3 convolution keeps its size.

    Zero padding would draw a frame around the picture: instance statistics and convolutions both see it.

    Input shape: `(B, H, W, C)`, or `(B, C, H, W)` with channels first; `H` and `W` at least 2.
    Output shape: `(B, H + 2, W + 2, C)`, or `(B, C, H + 2, W + 2)`.
    """

    def call(self, x: Any) -> Any:
        if channels_first():
            return ops.pad(x, [[0, 0], [0, 0], [1, 1], [1, 1]], mode="reflect")
        return ops.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="reflect")


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


class PixelsToBlocks(layers.Layer):
    """Scale pixels to `[-1, 1]` and lay each 4x4 block of them into one pixel of 48 channels.

    Input shape: `(B, H, W, 3)` in `[0, 255]`.
    Output shape: `(B, H/4, W/4, 48)`, or `(B, 48, H/4, W/4)` with channels first.

    Reference:
        Shi et al.: Real-time single image and video super-resolution using an efficient sub-pixel
        convolutional neural network (2016), section 2.2, in the opposite direction.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(autocast=False, **options)  # half precision cannot hold 256 steps around 127.5 exactly

    def call(self, images: Any) -> Any:
        height, width = ops.shape(images)[1], ops.shape(images)[2]
        x = ops.cast(images, "float32") / 127.5 - 1.0
        x = ops.reshape(x, (-1, height // 4, 4, width // 4, 4, 3))
        if channels_first():
            x = ops.reshape(ops.transpose(x, (0, 2, 4, 5, 1, 3)), (-1, 48, height // 4, width // 4))
        else:
            x = ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4, 5)), (-1, height // 4, width // 4, 48))
        return ops.cast(x, self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, height, width, _ = input_shape
        small = tuple(size and size // 4 for size in (height, width))
        return (batch, 48, *small) if channels_first() else (batch, *small, 48)


class ToPixels(layers.Layer):
    """Scale and shift the three colours by the style, and turn them into an image.

    Linear on purpose: a squashing end (`tanh`) saturates early in training and does not come back.

    Input shape: `[(B, H, W, 3) or (B, 3, H, W), (B, 3), (B, 3)]`: colours, scale, shift.
    Output shape: `(B, H, W, 3)`, uint8, or float32 around `[0, 255]`.
    """

    def __init__(self, uint8: bool, **options: Any) -> None:
        super().__init__(autocast=False, **options)
        self.uint8 = uint8

    def call(self, inputs: Any) -> Any:
        x, scale, shift = inputs
        x = OUTPUT_MID + OUTPUT_GAIN * (ops.cast(x, "float32") * per_channel(scale) + per_channel(shift))
        if channels_first():
            x = ops.transpose(x, (0, 2, 3, 1))
        return ops.cast(ops.clip(x, 0.0, 255.0) + 0.5, "uint8") if self.uint8 else x  # the cast drops the rest


def channels_first() -> bool:
    """True where feature maps are `(B, C, H, W)`."""
    return bool(keras.config.image_data_format() == "channels_first")


def per_channel(values: Any) -> Any:
    """`(B, C)` laid out to multiply or add to a feature map of the current data format."""
    return values[:, :, None, None] if channels_first() else values[:, None, None, :]
