"""The model that learns a body, its styles and the style encoder together: any painting's vector, by the same loss.

Of the frames in a batch the first are painted in the gallery's styles, each a vector of its own, and the others in what
the encoder makes of paintings that come by. It knows neither files nor steps.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from realtime_nst.networks.encoder import encoder_variables
from realtime_nst.style.encoder import INNER

from .learner import add_numbers
from .losses import grams_at_scales
from .model import StyleModel


class EncodedModel(StyleModel):
    """A `StyleModel` with an encoder; where a batch has no paintings, it is as one without.

    Args:
        encoder: From `build_style_encoder(uint8=False)`.
        seen: Statistics of some paintings, `(P, F)`, from `statistics_of`: how they vary.
        given: Arguments of `StyleModel`.
    """

    styles_per_photo = 0.5

    def __init__(self, encoder: keras.Model, seen: np.ndarray, *given: Any) -> None:
        super().__init__(*given)
        self.encoder = encoder
        self.middle = add_numbers(self, "middle", seen.mean(0))
        self.spread = add_numbers(self, "spread", seen.std(0) + 0.05)
        self.helper = layers.Dense(seen.shape[1], name="helper")
        self.helper.build((None, INNER))
        self.terms["statistics"] = keras.metrics.Mean(name="statistics")

    def learned(self) -> dict[str, Any]:
        """As of any learner, and what goes with the encoder."""
        own = {"middle": self.middle, "spread": self.spread, **{f"helper/{part.name}": part for part in self.helper.weights}}
        return super().learned() | own | {f"encoder/{name}": part for name, part in encoder_variables(self.encoder).items()}

    def start_at(self, vectors: np.ndarray) -> None:
        """Give every style its first vector, and any other painting the mean of them."""
        super().start_at(vectors)
        self.encoder.get_layer("encoder_vectors").bias.assign(vectors.mean(0))

    def call(self, batch: Mapping[str, Any]) -> Any:
        """Pictures as of `StyleModel`, and the encoder's codes."""
        if "paintings" not in batch:
            return super().call(batch)
        answer = self.encoder({"paintings": batch["paintings"]})
        vectors = ops.concatenate([ops.take(self.vectors, batch["styles"], axis=0), answer["vectors"]], axis=0)
        return {"pictures": self.stylize(batch, vectors), "codes": answer["codes"]}

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The weighted sum of the terms, and the help; Keras calls it inside of the compiled step."""
        if "paintings" not in x:
            return super().compute_loss(x, y, y_pred, sample_weight, training)
        recipe = self.recipe
        grams, emphasis = self.wanted(x["styles"])
        features = self.loss_network(x["paintings"])
        others = grams_at_scales(self.loss_network, x["paintings"], recipe.style_taps, recipe.style_scales, features)
        grams = [ops.concatenate([gram, ops.stop_gradient(other)], axis=0) for gram, other in zip(grams, others, strict=True)]
        emphasis = ops.concatenate([emphasis, ops.ones_like(others[0][:, 0, :2])], axis=0)
        loss = self.loss_of(x, y_pred["pictures"], grams, emphasis, training)
        wanted = (statistics_of(features, recipe.style_taps) - self.middle) / self.spread
        help_loss = ops.mean(ops.square(self.helper(y_pred["codes"]) - ops.stop_gradient(wanted)))
        self.terms["statistics"].update_state(help_loss)
        return loss + recipe.statistics * help_loss


def statistics_of(features: Mapping[str, Any], taps: Sequence[str]) -> Any:
    """Logarithms of mean and deviation of every channel of VGG19's answer at some taps: `(B, F)`."""
    parts = []
    for tap in taps:
        x = ops.cast(features[tap], "float32")
        parts += [ops.log(ops.mean(x, axis=(1, 2)) + 1.0), ops.log(ops.std(x, axis=(1, 2)) + 1.0)]
    return ops.concatenate(parts, axis=-1)
