"""The style encoder: a painting -> the style vector of a body, so that any picture is a style at once.

Small, and in one piece for every Keras backend. It looks at a painting through a few convolutions, and keeps of each only
mean and deviation of its channels over the picture: which marks there are and how strong, and not where.

Reference:
    Ghiasi, Lee, Kudlur, Dumoulin, Shlens: Exploring the structure of a real-time, arbitrary neural artistic stylization
    network (2017), section 3.
"""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from realtime_nst.networks.convolutions import channels_first
from realtime_nst.networks.transform import FromPixels
from realtime_nst.style.encoder import INNER, WIDTHS

EPSILON = 1e-4


def build_style_encoder(vector_size: int, *, uint8: bool = True) -> keras.Model:
    """Build the encoder; its weights are random until they are loaded or trained.

    Args:
        vector_size: Length of the body's style vectors.
        uint8: True for serving, in float32 whatever Keras' policy; False for training, by it. What pictures are given as,
            in `[0, 255]`.

    Returns:
        A model from `{"paintings": (B, H, W, 3)}` RGB, of any size, to `{"vectors": (B, vector_size)}`, float32.
    """
    policy = "float32" if uint8 else None
    paintings = keras.Input((None, None, 3), dtype="uint8" if uint8 else "float32", name="paintings")

    def conv(x: Any, width: int, side: int, strides: int, name: str) -> Any:
        return layers.Conv2D(
            width, side, strides, padding="same", activation="relu", kernel_initializer="he_uniform", dtype=policy, name=name
        )(x)

    x = FromPixels(dtype=policy, name="encoder_scaled")(paintings)
    seen = [Statistics(name="encoder_statistics0")(x)]
    for index, width in enumerate(WIDTHS, 1):
        x = conv(x, width, 5 if index == 1 else 3, 2, f"encoder{index}a")
        x = conv(x, width, 3, 1, f"encoder{index}b") if index > 1 else x
        seen.append(Statistics(name=f"encoder_statistics{index}")(x))
    codes = layers.Concatenate(dtype=policy, name="encoder_statistics")(seen)
    codes = layers.LayerNormalization(dtype=policy, name="encoder_norm")(codes)
    for index in (1, 2):
        codes = layers.Dense(INNER, "gelu", dtype=policy, name=f"encoder_dense{index}")(codes)
    start = keras.initializers.RandomNormal(stddev=0.01)  # at first every painting has much the same vector
    vectors = layers.Dense(vector_size, kernel_initializer=start, dtype="float32", name="encoder_vectors")(codes)
    return keras.Model({"paintings": paintings}, {"vectors": vectors}, name="style_encoder")


def set_encoder(encoder: keras.Model, arrays: Mapping[str, np.ndarray]) -> None:
    """Load an encoder's numbers by `<layer>/<name>`, as `Encoder.weights` reads them."""
    for name, variable in encoder_variables(encoder).items():
        variable.assign(arrays[name])


def encoder_variables(encoder: keras.Model) -> dict[str, Any]:
    """Every trained variable of an encoder by `<layer>/<name>`, as a file stores them."""
    return {f"{layer.name}/{variable.name}": variable for layer in encoder.layers for variable in layer.weights}


class Statistics(layers.Layer):
    """Mean of each channel over the picture, and the logarithm of its deviation.

    Input shape: `(B, H, W, C)`, or `(B, C, H, W)` with channels first.
    Output shape: float32 `(B, 2 C)`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(autocast=False, dtype="float32", **options)

    def call(self, x: Any) -> Any:
        x = ops.cast(x, "float32")
        axes = (2, 3) if channels_first() else (1, 2)
        mean = ops.mean(x, axis=axes)
        variance = ops.mean(ops.square(x), axis=axes) - ops.square(mean)
        return ops.concatenate([mean, ops.log(ops.maximum(variance, 0.0) + EPSILON) / 2], axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape[0], 2 * (input_shape[1 if channels_first() else -1] or 0)
