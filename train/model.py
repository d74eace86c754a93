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
from realtime_nst.errors import TrainingError
from realtime_nst.network import build_transform_network, identity_vector_parts, set_kernels
from realtime_nst.style import Body

from .losses import build_loss_network, content_loss, grams_at_scales, grid_loss, style_loss, temporal_loss, total_variation_loss
from .recipes import Recipe

TERMS = ("content", "style", "total_variation", "temporal", "grid")
LAG_MEMORY = 0.9
"""How much of a style's lag stays when a new loss of it comes in."""


class StyleModel(keras.Model):
    """A transform network, the vectors of its styles, and the perceptual loss.

    Args:
        network: From `build_transform_network(uint8=False)`.
        vectors: Start values, float32 `(S, V)`.
        grams: For each style scale, for each style tap, the paintings' Gram matrices, `(S, C, C)`.
        emphasis: How much the style and the stability term of each style count, `(S, 2)`; 1 as the recipe says.
        recipe: Weights of the terms, and taps.
        loss_network: Images to a dict of the recipe's style and content taps.
        content_network: Images to a dict of the content tap.
    """

    def __init__(
        self,
        network: keras.Model,
        vectors: np.ndarray,
        grams: Sequence[np.ndarray],
        emphasis: np.ndarray,
        recipe: Recipe,
        loss_network: keras.Model,
        content_network: keras.Model,
    ) -> None:
        super().__init__(name="style_model")
        self.network = network
        self.recipe = recipe
        self.loss_network = loss_network
        self.content_network = content_network
        self.vectors = add_numbers(self, "vectors", vectors, trainable=True)
        self.grams = [add_numbers(self, f"gram{index}", gram) for index, gram in enumerate(grams)]
        self.emphasis = add_numbers(self, "emphasis", emphasis)
        self.lag = add_numbers(self, "lag", np.ones(len(emphasis)))
        self.terms = {name: keras.metrics.Mean(name=name) for name in TERMS}
        self.built = True

    def signature(self, index: int) -> list[float]:
        """How strongly each channel of the deepest style layer fires for a painting: what paintings are alike by."""
        deepest = self.grams[len(self.recipe.style_taps) - 1]
        energy = np.sqrt(np.diagonal(ops.convert_to_numpy(deepest)[index]).clip(0.0))
        return [round(float(value), 4) for value in energy / max(float(np.linalg.norm(energy)), 1e-9)]

    def call(self, batch: Mapping[str, Any]) -> Any:
        """Stylize frames and moved frames in one pass: `(2 B, H, W, 3)`."""
        vectors = ops.take(self.vectors, batch["styles"], axis=0)
        images = ops.concatenate([batch["frames"], batch["moved"]], axis=0)
        return self.network({"images": images, "vectors": ops.concatenate([vectors, vectors], axis=0)})

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The weighted sum of the terms; Keras calls it inside of the compiled step."""
        recipe, styles = self.recipe, x["styles"]
        outputs, moved = ops.split(ops.cast(y_pred, "float32"), 2, axis=0)
        features = self.loss_network(outputs)
        photo = self.content_network(x["photos"])[recipe.content_tap]
        distances = [
            style_loss(gram, ops.take(target, styles, axis=0))
            for gram, target in zip(
                grams_at_scales(self.loss_network, outputs, recipe.style_taps, recipe.style_scales, features),
                self.grams,
                strict=True,
            )
        ]
        style = ops.mean(ops.stack(distances), axis=0)
        values = {
            "content": content_loss(features[recipe.content_tap], photo),
            "style": style,
            "total_variation": total_variation_loss(outputs),
            "temporal": temporal_loss(moved, outputs, x["flow"]),
            "grid": grid_loss(outputs),
        }
        for name, value in values.items():
            self.terms[name].update_state(value)
        if training:
            self.lag.assign(moving_mean(ops.convert_to_tensor(self.lag), styles, style))
        emphasis = ops.take(self.emphasis, styles, axis=0)
        values["style"] = emphasis[:, 0] * style
        values["temporal"] = emphasis[:, 1] * values["temporal"]
        return sum(getattr(recipe, name) * ops.mean(value) for name, value in values.items())


def add_numbers(model: keras.Model, name: str, values: np.ndarray, trainable: bool = False) -> Any:
    """A float32 variable of a model, with its start values."""
    values = np.asarray(values, np.float32)
    return model.add_weight(
        shape=values.shape,
        initializer=lambda shape, dtype: ops.convert_to_tensor(values),
        dtype="float32",
        trainable=trainable,
        name=name,
    )


def moving_mean(means: Any, indices: Any, values: Any) -> Any:
    """Let new values into the means of their kinds: `(S,)`, `(B,)`, `(B,)` to `(S,)`; other kinds stay as they are."""
    kinds = ops.one_hot(indices, means.shape[0], dtype="float32")  # (B, S)
    count = ops.sum(kinds, axis=0)
    new = ops.sum(kinds * values[:, None], axis=0) / ops.maximum(count, 1.0)
    return ops.where(count > 0, LAG_MEMORY * means + (1.0 - LAG_MEMORY) * new, means)


def build_model(
    recipe: Recipe,
    pictures: Sequence[np.ndarray],
    *,
    vgg_weights: str,
    emphasis: Sequence[tuple[float, float]] | None = None,
    body: Body | None = None,
    frozen: bool = True,
    precision: str = "float32",
) -> StyleModel:
    """Network, vectors and loss of a training run, compiled, at its start: vectors are neutral.

    Args:
        recipe: The numbers.
        pictures: The paintings, float32 `(H, W, 3)` in `[0, 255]`, each of its own size.
        vgg_weights: "imagenet" or a path.
        emphasis: How much each style's own style and stability terms count; 1 for all by default.
        body: A body to start from; `None` starts with random weights.
        frozen: Keep that body as it is and learn vectors only.
        precision: Keras' dtype policy of the transform network.

    Raises:
        TrainingError: The VGG19 weights cannot be loaded, or the batch does not split evenly over several GPUs.
        StyleError: The body's weights are damaged.
    """
    share_devices(recipe.batch)
    keras.utils.set_random_seed(recipe.seed)
    architecture = body.architecture if body else Architecture()
    with dtype_policy(precision):
        network = build_transform_network(architecture, uint8=False)
    if body:
        set_kernels(network, body.weights())
        network.trainable = not frozen
    neutral = np.concatenate([np.full(size, value, np.float32) for size, value in identity_vector_parts(architecture)])
    with dtype_policy(loss_precision(precision)):
        loss_network, content_network = build_loss_network(
            vgg_weights, [*recipe.style_taps, recipe.content_tap], [recipe.content_tap]
        )
    targets = [
        grams_at_scales(loss_network, ops.convert_to_tensor(picture[None]), recipe.style_taps, recipe.style_scales)
        for picture in pictures
    ]
    model = StyleModel(
        network,
        np.stack([neutral] * len(pictures)),
        [np.concatenate([ops.convert_to_numpy(gram) for gram in grams]) for grams in zip(*targets)],
        np.array(emphasis or [(1.0, 1.0)] * len(pictures)),
        recipe,
        loss_network,
        content_network,
    )
    optimizer = keras.optimizers.Adam(recipe.learning_rate, global_clipnorm=recipe.clip_norm)
    if precision == "mixed_float16":  # small gradients would round to nothing
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    model.compile(optimizer=optimizer, jit_compile=use_xla())
    model.optimizer.build(model.trainable_variables)
    return model


def loss_precision(precision: str) -> str:
    """Keras' dtype policy of the loss network, which never is float16: ordinary pictures reach 27,000 in relu4_1.

    Args:
        precision: The transform network's.
    """
    return "mixed_bfloat16" if has_bfloat16() or precision == "mixed_bfloat16" else "float32"


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


def share_devices(batch: int) -> None:
    """Split every batch over all GPUs of the machine, where JAX trains on several.

    Raises:
        TrainingError: The batch cannot be split evenly.
    """
    if keras.config.backend() != "jax" or keras.distribution.distribution() is not None:
        return
    devices = keras.distribution.list_devices()
    if len(devices) < 2:
        return
    if batch % len(devices):
        raise TrainingError(
            f"--batch {batch} does not split evenly over {len(devices)} devices. Use a multiple of {len(devices)}."
        )
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices, auto_shard_dataset=False))


def has_bfloat16() -> bool:
    """True if this processor multiplies bfloat16 itself: the loss network then runs nearly twice as fast on TensorFlow."""
    if keras.config.backend() != "tensorflow":
        return False
    try:
        return "avx512_bf16" in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
