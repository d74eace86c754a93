"""What learns: a network with the vectors of its styles. Training's loop asks no more of a model than is here.

It runs on any Keras backend that trains. It knows neither losses nor files.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from realtime_nst.style.field import PARTS

from .dataset import Batch
from .processes import own_part
from .recipes import Recipe
from .style_sampler import choose_styles

LAG_MEMORY = 0.9
"""How much of a style's lag stays when a new loss of it comes in."""


class Learner(keras.Model):
    """A network, the vectors of its styles, and how far each style is behind.

    Args:
        name: Keras' name of the model.
        network: From `build_transform_network(uint8=False)`, or one that answers alike.
        vectors: Start values, float32 `(S, V)`.
        terms: Names of the loss's terms, each of which gets a metric.
    """

    styles_per_photo = 1.0
    """A batch shows each photo in so many of the styles."""

    def __init__(self, name: str, network: keras.Model, vectors: np.ndarray, terms: Iterable[str]) -> None:
        super().__init__(name=name)
        self.network = network
        self.vectors = add_numbers(self, "vectors", vectors, trainable=True)
        self.lag = add_numbers(self, "lag", np.ones(len(vectors)))
        self.terms = {term: keras.metrics.Mean(name=term) for term in terms}
        self.built = True

    @property
    def field(self) -> int:
        """Channels of the texture field that the network takes in; 0 is none."""
        given = self.network.input
        return int(given["field4"].shape[-1]) if "field4" in given else 0

    def learned(self) -> dict[str, Any]:
        """Every variable that a step changes, but the optimizer's, by a name that is the same in every run."""
        kernels = {f"network/{layer.name}/kernel": layer.kernel for layer in self.network.layers if hasattr(layer, "kernel")}
        return {**kernels, "vectors": self.vectors, "lag": self.lag}

    def shown(self) -> tuple[np.ndarray, Sequence[np.ndarray]]:
        """What a preview shows: vectors, float32 `(N, V)`, and for each its painting, `(H, W, 3)`, if it should stand beside."""
        return np.array(ops.convert_to_numpy(self.vectors)), ()

    def observe(self, values: Mapping[str, Any], styles: Any, lagging: str, training: bool) -> None:
        """Let the terms of a batch into their metrics and, where something is learned from it, into the lag of its styles.

        Args:
            values: By term, `(B,)`.
            styles: Numbers of the styles, `(B,)`.
            lagging: The term that tells how far a style is behind.
            training: Whether something is learned.
        """
        for name, value in values.items():
            self.terms[name].update_state(value)
        if training:
            lagging_values = values[lagging][: ops.shape(styles)[0]]  # of those whose style has a number
            self.lag.assign(moving_mean(ops.convert_to_tensor(self.lag), styles, lagging_values))


def network_inputs(batch: Mapping[str, Any], vectors: Any) -> dict[str, Any]:
    """What a network takes in to paint the frames of a batch and then its moved frames, in the styles of vectors `(2 B, V)`."""
    pairs = {"images": ("frames", "moved"), **{f"field{part}": (f"field{part}", f"moved{part}") for part in PARTS}}
    found = {name: [batch[key] for key in keys] for name, keys in pairs.items() if keys[0] in batch}
    return {name: ops.concatenate(both, axis=0) for name, both in found.items()} | {"vectors": vectors}


def styles_of_step(model: Learner, recipe: Recipe, step: int) -> np.ndarray:
    """Which styles a step sees, int32; those that lag behind come up more often."""
    return choose_styles(step, round(model.styles_per_photo * recipe.batch), ops.convert_to_numpy(model.lag), recipe.seed)


def take_step(model: Learner, recipe: Recipe, step: int, batch: Batch, rate: float, seconds: float = 0.0) -> dict[str, float]:
    """One step of training; the sum of the loss and its terms.

    Args:
        model: What is trained.
        recipe: The numbers.
        step: Steps done before.
        batch: Photos.
        rate: What the recipe's learning rate is multiplied by.
        seconds: Time spent on steps before.
    """
    styles = styles_of_step(model, recipe, step)
    model.optimizer.learning_rate = rate * recipe.rate(step, seconds)
    model.reset_metrics()
    logs = model.train_on_batch(x=own_part({**batch, "styles": styles}), return_dict=True)
    return {name: float(logs[name]) for name in ("loss", *model.terms)}


def measure(model: Learner, batch: Batch, styles: np.ndarray) -> dict[str, float]:
    """The loss and its terms of a batch in some styles; nothing is learned from it."""
    model.reset_metrics()
    logs = model.test_on_batch(x=own_part({**batch, "styles": styles}), return_dict=True)
    return {name: float(logs[name]) for name in ("loss", *model.terms)}


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
