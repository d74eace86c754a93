"""The model that is trained: a transform network, the vectors of its styles, and the loss of both.

It runs on any Keras backend that trains. It knows neither files nor steps.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from realtime_nst.architecture import Architecture
from realtime_nst.network import build_transform_network, identity_vector_parts, set_kernels
from realtime_nst.styles import Body

from .losses import build_loss_network, content_loss, gram_matrix, style_loss, temporal_loss, total_variation_loss
from .recipes import Recipe

TERMS = ("content", "style", "total_variation", "temporal")
WARMUP_STEPS = 20


class StyleModel(keras.Model):
    """A transform network, the vectors of its styles, and the perceptual loss.

    Args:
        network: From `build_transform_network(uint8=False)`.
        vectors: Start values, float32 `(S, V)`.
        grams: For each style tap, the paintings' Gram matrices, `(S, C, C)`.
        recipe: Weights of the terms, and taps.
        loss_network: Images to a dict of the recipe's style and content taps.
        content_network: Images to a dict of the content tap.
    """

    def __init__(
        self,
        network: keras.Model,
        vectors: np.ndarray,
        grams: Sequence[np.ndarray],
        recipe: Recipe,
        loss_network: keras.Model,
        content_network: keras.Model,
    ) -> None:
        super().__init__(name="style_model")
        self.network = network
        self.recipe = recipe
        self.loss_network = loss_network
        self.content_network = content_network
        self.vectors = self.add_weight(
            shape=vectors.shape, initializer=lambda shape, dtype: ops.convert_to_tensor(vectors), dtype="float32", name="vectors"
        )
        self.grams = [
            self.add_weight(
                shape=gram.shape,
                initializer=lambda shape, dtype, gram=gram: ops.convert_to_tensor(gram),
                dtype="float32",
                trainable=False,
                name=f"gram{index}",
            )
            for index, gram in enumerate(grams)
        ]
        self.terms = {name: keras.metrics.Mean(name=name) for name in TERMS}
        self.built = True

    def call(self, batch: Mapping[str, Any]) -> Any:
        """Stylize frames and moved frames in one pass: `(2 B, H, W, 3)`."""
        vectors = ops.take(self.vectors, batch["styles"], axis=0)
        images = ops.concatenate([batch["frames"], batch["moved"]], axis=0)
        return self.network({"images": images, "vectors": ops.concatenate([vectors, vectors], axis=0)})

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The weighted sum of the four terms; Keras calls it inside of the compiled step."""
        recipe = self.recipe
        outputs, moved = ops.split(ops.cast(y_pred, "float32"), 2, axis=0)
        features = self.loss_network(outputs)
        target = self.content_network(x["photos"])[recipe.content_tap]
        styles = [
            style_loss(gram_matrix(features[tap]), ops.take(gram, x["styles"], axis=0))
            for tap, gram in zip(recipe.style_taps, self.grams)
        ]
        values = {
            "content": ops.mean(content_loss(features[recipe.content_tap], target)),
            "style": ops.mean(ops.stack(styles)),
            "total_variation": ops.mean(total_variation_loss(outputs)),
            "temporal": ops.mean(temporal_loss(moved, outputs, x["flow"])),
        }
        for name, value in values.items():
            self.terms[name].update_state(value)
        total = sum(getattr(recipe, name) * value for name, value in values.items())
        return total


def build_model(
    recipe: Recipe,
    pictures: Sequence[np.ndarray],
    *,
    vgg_weights: str,
    body: Body | None = None,
    frozen: bool = True,
    start: np.ndarray | None = None,
    precision: str = "float32",
) -> StyleModel:
    """Network, vectors and loss of a training run, compiled, at its start.

    Args:
        recipe: The numbers.
        pictures: The paintings, float32 `(H, W, 3)` in `[0, 255]`, each of its own size.
        vgg_weights: "imagenet" or a path.
        body: A body to start from; `None` starts with random weights.
        frozen: Keep that body as it is and learn vectors only.
        start: Vector that the styles start from, `(V,)`, or one for each, `(S, V)`; `None` is the neutral one.
        precision: Keras' dtype policy of the transform network.

    Raises:
        TrainingError: The VGG19 weights cannot be loaded.
        StyleError: The body's weights are damaged.
    """
    keras.utils.set_random_seed(recipe.seed)
    architecture = body.architecture if body else Architecture()
    with dtype_policy(precision):
        network = build_transform_network(architecture, uint8=False)
    if body:
        set_kernels(network, body.weights())
        network.trainable = not frozen
    if start is None:
        parts = identity_vector_parts(architecture)
        start = np.concatenate([np.full(size, value, np.float32) for size, value in parts])
    with dtype_policy("mixed_bfloat16" if has_bfloat16() else precision):
        loss_network, content_network = build_loss_network(
            vgg_weights, [*recipe.style_taps, recipe.content_tap], [recipe.content_tap]
        )
    features = [loss_network(ops.convert_to_tensor(picture[None])) for picture in pictures]
    grams = [np.concatenate([ops.convert_to_numpy(gram_matrix(taps[tap])) for taps in features]) for tap in recipe.style_taps]
    model = StyleModel(
        network, np.broadcast_to(start, (len(pictures), start.shape[-1])), grams, recipe, loss_network, content_network
    )
    schedule = keras.optimizers.schedules.CosineDecay(
        recipe.learning_rate * 0.05,
        max(recipe.steps - WARMUP_STEPS, 1),
        alpha=0.02,
        warmup_target=recipe.learning_rate,
        warmup_steps=WARMUP_STEPS,
    )
    model.compile(optimizer=keras.optimizers.Adam(schedule, global_clipnorm=recipe.clip_norm), jit_compile=use_xla())
    model.optimizer.build(model.trainable_variables)
    return model


def kernels_of(network: keras.Model) -> dict[str, np.ndarray]:
    """The trained numbers of a network by layer, as body files store them."""
    return {f"{layer.name}/kernel": ops.convert_to_numpy(layer.kernel) for layer in network.layers if hasattr(layer, "kernel")}


@contextmanager
def dtype_policy(name: str) -> Iterator[None]:
    """Build layers under another Keras policy, such as "mixed_bfloat16", and then go back to the one before."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def use_xla() -> bool:
    """XLA makes a step faster on a GPU, and is how JAX works; TensorFlow's convolutions on a processor lose by it."""
    return keras.config.backend() == "jax" or has_gpu()


def has_gpu() -> bool:
    """True if Keras trains on a GPU here."""
    return bool(keras.distribution.list_devices("gpu"))


def has_bfloat16() -> bool:
    """True if this processor multiplies bfloat16 itself: the loss network then runs nearly twice as fast on TensorFlow."""
    if keras.config.backend() != "tensorflow":
        return False
    try:
        return "avx512_bf16" in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
