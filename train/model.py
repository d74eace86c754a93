"""The model that is trained: a transform network, the vectors of its styles, and the loss of both.

It runs on any Keras backend that trains. It knows neither files nor steps.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from realtime_nst.errors import TrainingError

from .learner import Learner, add_numbers, network_inputs
from .losses import Painted, grams_at_scales, terms_of
from .recipes import Recipe


class StyleModel(Learner):
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
        super().__init__("style_model", network, vectors, [term.name for term in terms_of(recipe)])
        self.recipe = recipe
        self.loss_network = loss_network
        self.content_network = content_network
        self.grams = [add_numbers(self, f"gram{index}", gram) for index, gram in enumerate(grams)]
        self.emphasis = add_numbers(self, "emphasis", emphasis)

    def signature(self, index: int) -> list[float]:
        """How strongly each channel of the deepest style layer fires for a painting: what paintings are alike by."""
        deepest = self.grams[len(self.recipe.style_taps) - 1]
        energy = np.sqrt(np.diagonal(ops.convert_to_numpy(deepest)[index]).clip(0.0))
        return [round(float(value), 4) for value in energy / max(float(np.linalg.norm(energy)), 1e-9)]

    def start_at(self, vectors: np.ndarray) -> None:
        """Give every style its first vector, `(S, V)`."""
        self.vectors.assign(vectors)

    def call(self, batch: Mapping[str, Any]) -> Any:
        """Stylize frames and moved frames in one pass: `(2 B, H, W, 3)`."""
        return self.stylize(batch, ops.take(self.vectors, batch["styles"], axis=0))

    def stylize(self, batch: Mapping[str, Any], vectors: Any) -> Any:
        """Frames and moved frames, each in the style of its vector, `(B, V)` to `(2 B, H, W, 3)`."""
        return self.network(network_inputs(batch, ops.concatenate([vectors, vectors], axis=0)))

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The weighted sum of the terms; Keras calls it inside of the compiled step."""
        return self.loss_of(x, y_pred, *self.wanted(x["styles"]), training)

    def wanted(self, styles: Any) -> tuple[list[Any], Any]:
        """Gram matrices that pictures in some styles should have, for each scale, for each tap, and their emphasis."""
        return [ops.take(gram, styles, axis=0) for gram in self.grams], ops.take(self.emphasis, styles, axis=0)

    def loss_of(
        self,
        batch: Mapping[str, Any],
        pictures: Any,
        targets: Sequence[Any],
        emphasis: Any,
        training: bool,
        features: Mapping[str, Any] | None = None,
    ) -> Any:
        """The weighted sum of the terms.

        Args:
            batch: What was stylized.
            pictures: Frames and moved frames as the network painted them, `(2 B, H, W, 3)`.
            targets: What the frames' Gram matrices should be, for each scale, for each tap, `(B, C, C)`.
            emphasis: How much the style and the stability term of each frame count, `(B, 2)`.
            training: Whether something is learned from it.
            features: What the loss network sees in the frames' pictures, where it is known already.
        """
        recipe = self.recipe
        outputs, moved = ops.split(ops.cast(pictures, "float32"), 2, axis=0)
        features = features or self.loss_network(outputs)
        painted = Painted(
            batch=batch,
            outputs=outputs,
            moved=moved,
            features=features,
            photo_features=self.content_network(batch["photos"]),
            grams=grams_at_scales(self.loss_network, outputs, recipe.style_taps, recipe.style_scales, features),
            targets=targets,
        )
        terms = terms_of(recipe)
        values = {term.name: term.function(painted) for term in terms}
        self.observe(values, batch["styles"], "style", training)
        for term in terms:
            if term.own is not None:
                values[term.name] = emphasis[:, term.own] * values[term.name]
        return sum(term.weight * ops.mean(values[term.name]) for term in terms)


def loss_precision(precision: str) -> str:
    """Keras' dtype policy of the loss network, which never is float16: ordinary pictures reach 27,000 in relu4_1.

    Args:
        precision: The transform network's.
    """
    return "mixed_bfloat16" if has_bfloat16() or precision == "mixed_bfloat16" else "float32"


def kernels_of(network: keras.Model) -> dict[str, np.ndarray]:
    """The trained numbers of a network by layer, as body files store them."""
    return {f"{layer.name}/kernel": ops.convert_to_numpy(layer.kernel) for layer in network.layers if hasattr(layer, "kernel")}


def use_xla() -> bool:
    """XLA makes a step faster on a GPU, and is how JAX works; TensorFlow's convolutions on a processor lose by it."""
    return keras.config.backend() == "jax" or has_gpu()


def has_gpu() -> bool:
    """True if Keras trains on a GPU here."""
    return bool(keras.distribution.list_devices("gpu"))


def share_devices(batch: int, parts: int = 1) -> None:
    """Split every batch over all GPUs of the machine, where JAX trains on several.

    Args:
        batch: Photos per step.
        parts: Into how many kinds of pictures a batch falls, each of which is split.

    Raises:
        TrainingError: The batch cannot be split evenly.
    """
    if keras.config.backend() != "jax" or keras.distribution.distribution() is not None:
        return
    devices = keras.distribution.list_devices()
    if len(devices) < 2:
        return
    if batch % (parts * len(devices)):
        raise TrainingError(
            f"--batch {batch} does not split evenly over {len(devices)} devices. Use a multiple of {parts * len(devices)}."
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
