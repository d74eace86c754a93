"""How a network takes the texture field in: where the photo is plain, and as strongly as the style says."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from realtime_nst.networks.convolutions import add_kernel, channels_first, cut, pad, pad_by_one, per_channel
from realtime_nst.style.architecture import PATCH

PLAIN_AROUND, PLAIN_UNTIL = 9, 32.0
"""How many places of 4 pixels on a side say together how plain the photo is, and at which mean change from place to place,
in grey levels, the field has faded to 1/e."""


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
        return ops.cast(field * ops.cast(plain, "float32"), self.compute_dtype)

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
