"""The style encoder: a painting -> the style vector of a body, so that any picture is a style at once.

It looks at a painting through a few convolutions, and keeps of each only mean and deviation of its channels over the
picture: which marks there are and how strong, and not where. From these it guesses a vector. Then it tries that vector: the
body paints a scene that is always the same, the encoder looks at the result as it looked at the painting, and corrects the vector
by what differs.

References:
    Ghiasi, Lee, Kudlur, Dumoulin, Shlens: Exploring the structure of a real-time, arbitrary neural artistic stylization
    network (2017), section 3. Alaluf, Patashnik, Cohen-Or: ReStyle: a residual-based StyleGAN encoder via iterative
    refinement (2021), section 3, for the corrections.
"""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from realtime_nst.networks.convolutions import channels_first, dtype_policy
from realtime_nst.networks.transform import FromPixels, build_transform_network, set_kernels
from realtime_nst.style.encoder import CONVOLUTIONS, CORRECTED, GUESSED, KEPT, SIGHTS, TRIES, WIDTHS, Encoder
from realtime_nst.style.field import fields_of
from realtime_nst.style.scene import SIDE, scene

EPSILON = 1e-4
UNKNOWN = 0.3
"""How far a number of the vectors may go at first of which the styles tell nothing, because it is the same in all."""
LEAK = 0.1
"""What is left of a number below zero."""
LIMIT = 3.0
"""Differences count up to here: a channel that is silent in one of the pictures would drown all others."""
CONTRAST = 2.0
"""How much differences are magnified before: those between a painting and a good trial are small."""


def build_style_encoder(network: keras.Model, *, uint8: bool = True) -> keras.Model:
    """Build the encoder; its weights are random until they are loaded or trained.

    Convolutions follow the dtype policy, which is float32 for serving; all else is float32.

    Args:
        network: The body's transform network, of any size, from `build_transform_network(uint8=False)`. The encoder
            paints with it; its weights are not the encoder's, and no gradient reaches them.
        uint8: True for serving, False for training: what pictures are given as, in `[0, 255]`.

    Returns:
        A model from `{"paintings": (B, H, W, 3)}` RGB, of any size, to `{"vectors": (B, V)}`, float32.
    """
    size = network.input["vectors"].shape[-1]
    paintings = keras.Input((None, None, 3), dtype="uint8" if uint8 else "float32", name="paintings")
    features = StyleFeatures(name="encoder_features")
    kept = features(FromPixels(name="encoder_scaled")(paintings))
    hidden = layers.Dense(GUESSED, "gelu", dtype="float32", name="encoder_guess1")(kept)
    # At first every painting has the same vector.
    guess = layers.Dense(size, kernel_initializer="zeros", dtype="float32", name="encoder_guess2")(hidden)
    spread = Spread(name="encoder_spread")
    vectors = Correction(network, features, spread, name="encoder_correction")([kept, hidden, spread(guess)])
    return keras.Model({"paintings": paintings}, {"vectors": vectors}, name="style_encoder")


def loaded_encoder(encoder: Encoder, *, uint8: bool = True) -> keras.Model:
    """An encoder for serving with its weights and those of its body, float32 whatever Keras' policy.

    Raises:
        StyleError: The weights of encoder or body are damaged.
    """
    with dtype_policy("float32"):
        network = build_transform_network(encoder.body.architecture, width=SIDE, height=SIDE, uint8=False)
        model = build_style_encoder(network, uint8=uint8)
    set_kernels(network, encoder.body.weights())
    set_encoder(model, encoder.weights())
    return model


def conv(x: Any, width: int, side: int, strides: int, name: str) -> Any:
    """A convolution with a border of zeros; what is below zero is weakened, so that no channel ever stops learning."""
    x = layers.Conv2D(width, side, strides, padding="same", kernel_initializer="he_uniform", name=name)(x)
    return layers.LeakyReLU(LEAK, name=f"{name}_relu")(x)


def set_encoder(encoder: keras.Model, arrays: Mapping[str, np.ndarray]) -> None:
    """Load an encoder's numbers by `<layer>/<name>`, as `Encoder.weights` reads them."""
    for name, variable in encoder_variables(encoder).items():
        variable.assign(arrays[name])


def encoder_variables(encoder: keras.Model) -> dict[str, Any]:
    """Every number of an encoder by `<layer>/<name>`, as a file stores them; those of the body are not among them."""
    correction = encoder.get_layer("encoder_correction")
    dense = [layer for layer in encoder.layers if isinstance(layer, layers.Dense)]
    owners = [*correction.features.model.layers, *dense, correction.spread, *correction.steps]
    return {f"{layer.name}/{variable.name}": variable for layer in owners for variable in layer.weights}


class StyleFeatures(layers.Layer):
    """What the encoder sees in a picture.

    Input shape: `(B, H, W, 3)`, or `(B, 3, H, W)` with channels first: scaled pixels, as of `FromPixels`.
    Output shape: `(B, KEPT)`, float32; no gradient comes back.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(autocast=False, **options)
        pixels = x = keras.Input((3, None, None) if channels_first() else (None, None, 3), name="encoder_pixels")
        seen = [Statistics(name="encoder_statistics0")(x)]
        for index, (width, count, sights) in enumerate(zip(WIDTHS, CONVOLUTIONS, SIGHTS, strict=True), 1):
            for number in range(count):
                x = conv(x, width, 3, 2 if index > 1 and number == 0 else 1, f"encoder{index}{'abc'[number]}")
            seen.append(Statistics(name=f"encoder_statistics{index}")(conv(x, sights, 1, 1, f"encoder_sight{index}")))
        x = layers.Concatenate(dtype="float32", name="encoder_seen")(seen)
        self.model = keras.Model(pixels, Standardized(name="encoder_kept")(x))

    def call(self, x: Any) -> Any:
        return self.model(x)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape[0], KEPT


class Trial:
    """What a body makes of the scene: how a vector is tried. Not a layer, so that the body's weights stay the body's.

    Args:
        network: From `build_transform_network(uint8=False)`.
    """

    def __init__(self, network: keras.Model) -> None:
        self.network = network
        channels = network.input["field4"].shape[-1] if "field4" in network.input else 0
        self.given: dict[str, np.ndarray] = {"images": scene(SIDE)[None], **fields_of(channels, SIDE, SIDE)}

    def __call__(self, vectors: Any) -> Any:
        """Paint it in some vectors, `(B, V)` to float32 `(B, SIDE, SIDE, 3)` in `[0, 255]`; no gradient comes back."""
        vectors = ops.stop_gradient(vectors)
        each = ops.ones_like(vectors[:, :1])[:, :, None, None]
        painted = self.network({"vectors": vectors, **{name: each * array for name, array in self.given.items()}})
        return ops.stop_gradient(ops.clip(ops.cast(painted, "float32"), 0.0, 255.0))


class Spread(layers.Layer):
    """Numbers times how far those of vectors reach, plus their middle; both are measured before training and do not learn.

    Some numbers of a vector hardly differ between styles, and others much: so a step of training moves each as far as it may go.

    Input shape: `(B, V)`, float32.
    Output shape: `(B, V)`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(autocast=False, dtype="float32", **options)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        shape = (input_shape[-1],)
        self.base = self.add_weight(shape, "zeros", trainable=False, name="base")
        self.reach = self.add_weight(shape, "ones", trainable=False, name="reach")

    def cover(self, vectors: np.ndarray) -> None:
        """Measure middle and reach on the vectors of some styles, `(S, V)`."""
        spread = vectors.std(0)
        self.base.assign(vectors.mean(0))
        self.reach.assign(np.where(spread > 1e-6, spread + 0.05, UNKNOWN))

    def call(self, x: Any) -> Any:
        return self.base + self.reach * x


class Correction(layers.Layer):
    """Try a style vector, see what differs from the painting, and correct it; `TRIES` times.

    Args:
        network: The body's.
        features: What is kept of a picture.
        spread: Of the vectors.

    Input shape: `[(B, KEPT), (B, GUESSED), (B, V)]`: what is kept of the painting, what it was guessed from, and the guess.
    Output shape: `(B, V)`, float32.
    """

    def __init__(self, network: keras.Model, features: StyleFeatures, spread: Spread, **options: Any) -> None:
        super().__init__(autocast=False, dtype="float32", **options)
        self.trial, self.features, self.spread = Trial(network), features, spread
        self.pixels = FromPixels(name="encoder_tried")
        size = network.input["vectors"].shape[-1]
        self.steps = [
            layers.Dense(CORRECTED, "gelu", name="encoder_step1"),
            layers.Dense(CORRECTED, "gelu", name="encoder_step2"),
            layers.Dense(size, kernel_initializer="zeros", name="encoder_step3"),  # at first the guess is left as it is
        ]

    def build(self, input_shape: Any) -> None:
        before = KEPT + GUESSED
        for step in self.steps:
            step.build((None, before))
            before = step.units

    def call(self, given: Any) -> Any:
        kept, hidden, vectors = given
        for _ in range(TRIES):
            x = ops.tanh((kept - self.features(self.pixels(self.trial(vectors)))) * (CONTRAST / LIMIT))
            x = ops.concatenate([LIMIT * x, hidden], axis=-1)
            for step in self.steps:
                x = step(x)
            vectors = vectors + self.spread.reach * x
        return vectors

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        shape: tuple[int | None, ...] = input_shape[-1]
        return shape


class Standardized(layers.Layer):
    """Numbers less their middle, over their deviation; both are measured before training and do not learn.

    No gradient comes back: what the encoder sees is a matter of its own lesson.

    Input shape: `(B, N)`, float32.
    Output shape: `(B, N)`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(autocast=False, dtype="float32", **options)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        shape = (input_shape[-1],)
        self.middle = self.add_weight(shape, "zeros", trainable=False, name="middle")
        self.deviation = self.add_weight(shape, "ones", trainable=False, name="deviation")

    def call(self, x: Any) -> Any:
        return ops.stop_gradient((x - self.middle) / self.deviation)


class Statistics(layers.Layer):
    """Mean of each channel over the picture, and the logarithm of its deviation.

    Input shape: `(B, H, W, C)`, or `(B, C, H, W)` with channels first.
    Output shape: float32 `(B, 2 C)`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(autocast=False, dtype="float32", **options)

    def call(self, x: Any) -> Any:
        return statistics(x, (2, 3) if channels_first() else (1, 2))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape[0], 2 * (input_shape[1 if channels_first() else -1] or 0)


def statistics(x: Any, axes: tuple[int, int] = (1, 2)) -> Any:
    """Mean of each channel over some axes, and the logarithm of its deviation: `(B, H, W, C)` to float32 `(B, 2 C)`."""
    x = ops.cast(x, "float32")
    mean = ops.mean(x, axis=axes)
    variance = ops.mean(ops.square(x), axis=axes) - ops.square(mean)
    return ops.concatenate([mean, ops.log(ops.maximum(variance, 0.0) + EPSILON) / 2], axis=-1)
