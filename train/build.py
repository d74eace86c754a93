"""What is trained, put together at its start: network, vectors, loss, and a style encoder where one is wanted.

It knows neither files nor steps.
"""

from collections.abc import Sequence
from typing import TypeVar

import keras
import numpy as np
from keras import ops

from realtime_nst.networks.convolutions import dtype_policy
from realtime_nst.networks.encoder import build_style_encoder, set_encoder
from realtime_nst.networks.transform import build_transform_network, set_kernels
from realtime_nst.style.architecture import Architecture
from realtime_nst.style.encoder import Encoder
from realtime_nst.style.style import Body

from .collection import PaintingBatches
from .encoded import EncodedModel, statistics_of
from .encoder_model import EncoderModel
from .growth import architecture_of
from .losses import build_loss_network, grams_at_scales
from .model import StyleModel, loss_precision, share_devices, use_xla
from .recipes import Recipe
from .sight import Sight

LOOKED_AT = 440
"""Pieces of paintings from which the encoder's model learns how paintings differ."""
EXAMPLES = 4
"""Pieces of paintings that the preview of an encoder shows."""

Model = TypeVar("Model", bound=StyleModel)


def build_model(
    recipe: Recipe,
    pictures: Sequence[np.ndarray],
    *,
    vgg_weights: str,
    emphasis: Sequence[tuple[float, float]] | None = None,
    body: Body | None = None,
    frozen: bool = True,
    precision: str = "float32",
    paintings: PaintingBatches | None = None,
) -> StyleModel:
    """Network, vectors and loss of a training run, compiled, at its start: vectors are neutral.

    Args:
        recipe: The numbers.
        pictures: The paintings, float32 `(H, W, 3)` in `[0, 255]`, each of its own size.
        vgg_weights: "imagenet" or a path.
        emphasis: How much each style's own style and stability terms count; 1 for all by default.
        body: A body to start from, which grows a texture field if it has none; `None` starts with random weights.
        frozen: Keep that body as it is and learn vectors only.
        precision: Keras' dtype policy of the transform network.
        paintings: What a style encoder learns from, beside the rest; `None` is no encoder.

    Raises:
        TrainingError: The VGG19 weights cannot be loaded, the batch does not split evenly over several GPUs, or no painting
            can be decoded.
        StyleError: The body's weights are damaged.
    """
    share_devices(recipe.batch, 1 if paintings is None else 2)
    keras.utils.set_random_seed(recipe.seed)
    architecture = architecture_of(body, frozen)
    with dtype_policy(precision):
        network = build_transform_network(architecture, uint8=False)
    if body:
        set_kernels(network, body.weights())
        network.trainable = not frozen
    loss_network, content_network = loss_networks(recipe, vgg_weights, precision)
    targets = [
        grams_at_scales(loss_network, ops.convert_to_tensor(picture[None]), recipe.style_taps, recipe.style_scales)
        for picture in pictures
    ]
    parts = (
        network,
        np.stack([neutral_vector(architecture)] * len(pictures)),
        [np.concatenate([ops.convert_to_numpy(gram) for gram in grams]) for grams in zip(*targets)],
        np.array(emphasis or [(1.0, 1.0)] * len(pictures)),
        recipe,
        loss_network,
        content_network,
    )
    if paintings is None:
        return compiled(StyleModel(*parts), precision)
    encoder = build_style_encoder(network, uint8=False)
    seen = measured(Sight(encoder.get_layer("encoder_features")), paintings, loss_network, recipe)
    return compiled(EncodedModel(encoder, seen, *parts), precision)


def measured(sight: Sight, paintings: PaintingBatches, loss_network: keras.Model, recipe: Recipe) -> np.ndarray:
    """Let the sight of a new encoder see how paintings differ; returns statistics of some, `(P, F)`, from `statistics_of`."""
    seen: list[np.ndarray] = []
    kept = []
    while len(seen) < LOOKED_AT:
        pieces = ops.convert_to_tensor(paintings(len(seen)))
        features = loss_network(pieces)
        seen.extend(ops.convert_to_numpy(statistics_of(features, recipe.style_taps)))
        kept.append(sight.kept(pieces, {tap: features[tap] for tap in recipe.style_taps}))
    sight.measure(kept)
    return np.stack(seen)


def build_encoder_model(
    recipe: Recipe,
    body: Body,
    encoder: Encoder | None,
    paintings: PaintingBatches,
    styles: np.ndarray | None = None,
    *,
    vgg_weights: str,
    precision: str = "float32",
) -> EncoderModel:
    """A style encoder that learns on, or begins, with its body and the loss, compiled, at its start.

    Args:
        recipe: The numbers.
        body: What the encoder's vectors are for; it stays as it is.
        encoder: The encoder so far, if there is one.
        paintings: What it learns from, a painting for each photo.
        styles: Vectors of styles of this body, `(S, V)`: a new encoder begins in the middle of them; `None` is the neutral one.
        vgg_weights: "imagenet" or a path.
        precision: Keras' dtype policy of the transform network.

    Raises:
        TrainingError: The VGG19 weights cannot be loaded, the batch does not split evenly over several GPUs, or no painting
            can be decoded.
        StyleError: The weights of body or encoder are damaged.
    """
    share_devices(recipe.batch)
    keras.utils.set_random_seed(recipe.seed)
    with dtype_policy(precision):
        network = build_transform_network(body.architecture, uint8=False)
    set_kernels(network, body.weights())
    network.trainable = False
    learner = build_style_encoder(network, uint8=False)
    loss_network, content_network = loss_networks(recipe, vgg_weights, precision)
    if encoder:
        set_encoder(learner, encoder.weights())
    else:
        measured(Sight(learner.get_layer("encoder_features")), paintings, loss_network, recipe)
        learner.get_layer("encoder_spread").cover(neutral_vector(body.architecture)[None] if styles is None else styles)
    examples = paintings(0)[:EXAMPLES]
    model = EncoderModel(learner, encoder is None, examples, network, recipe, loss_network, content_network)
    return compiled(model, precision)


def neutral_vector(architecture: Architecture) -> np.ndarray:
    """The vector that changes nothing, float32 `(V,)`."""
    return np.concatenate([np.full(size, value, np.float32) for size, value in architecture.vector_parts])


def loss_networks(recipe: Recipe, vgg_weights: str, precision: str) -> list[keras.Model]:
    """VGG19 to the taps of a recipe, and to that of the content alone."""
    with dtype_policy(loss_precision(precision)):
        return build_loss_network(vgg_weights, [*recipe.style_taps, recipe.content_tap], [recipe.content_tap])


def compiled(model: Model, precision: str) -> Model:
    """A model with its optimizer, ready to learn."""
    recipe = model.recipe
    optimizer = keras.optimizers.Adam(recipe.learning_rate, global_clipnorm=recipe.clip_norm)
    if precision == "mixed_float16":  # small gradients would round to nothing
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    model.compile(optimizer=optimizer, jit_compile=use_xla())
    model.optimizer.build(model.trainable_variables)
    return model
