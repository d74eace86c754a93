"""The model that learns a body, its styles and the style encoder together: any painting's vector, by the same loss.

Of the frames in a batch the first are painted in the gallery's styles, each a vector of its own, and the others after
paintings that come by, whose vectors a teacher predicts from what VGG19 sees in them. The encoder, which has to do without
VGG19, learns to see as VGG19 does (`sight.py`), and to guess what the teacher says. (Learned by the loss alone, from random
numbers, it did not get anywhere.) The teacher is not kept. It knows neither files nor steps.

Reference:
    Ghiasi, Lee, Kudlur, Dumoulin, Shlens: Exploring the structure of a real-time, arbitrary neural artistic stylization
    network (2017), section 3.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from realtime_nst.networks.encoder import encoder_variables

from .learner import add_numbers
from .losses import grams_at_scales
from .model import StyleModel
from .sight import Sight

LESSONS = 4
"""The encoder learns from so many times the paintings that are painted after, so that it sees many."""
COMPONENTS, INNER = 128, 384
"""Numbers that tell paintings apart, and those that the teacher makes of them on the way to a vector."""


class EncodedModel(StyleModel):
    """A `StyleModel` with an encoder and its teacher; where a batch has no paintings, it is as one without.

    Args:
        encoder: From `build_style_encoder(uint8=False)`.
        seen: Statistics of some paintings, `(P, F)`, from `statistics_of`: how they vary.
        given: Arguments of `StyleModel`.
    """

    styles_per_photo = 0.5

    def __init__(self, encoder: keras.Model, seen: np.ndarray, *given: Any) -> None:
        super().__init__(*given)
        size = self.vectors.shape[1]
        middle, spread, components = whitening_of(seen)
        self.encoder = encoder
        self.reaching = encoder.get_layer("encoder_spread")
        self.guess = keras.Model(encoder.input, encoder.get_layer("encoder_guess2").output)
        self.sight = Sight(encoder.get_layer("encoder_features"))
        for step in encoder.get_layer("encoder_correction").steps:
            step.trainable = False  # it is the guess that is taught; how to correct it is learned with the body as it then is
        self.middle = add_numbers(self, "middle", middle)
        self.spread = add_numbers(self, "spread", spread)
        self.components = add_numbers(self, "components", components)
        start = keras.initializers.RandomNormal(stddev=0.01)  # at first every painting has much the same vector
        self.teacher = [
            layers.Dense(INNER, "gelu", name="teacher1"),
            layers.Dense(INNER, "gelu", name="teacher2"),
            layers.Dense(size, kernel_initializer=start, name="teacher3"),
        ]
        for layer, inputs in zip(self.teacher, (components.shape[1], INNER, INNER), strict=True):
            layer.build((None, inputs))
        for term in ("imitation", "sight"):
            self.terms[term] = keras.metrics.Mean(name=term)

    def learned(self) -> dict[str, Any]:
        """As of any learner, and what goes with the encoder."""
        own = {name: getattr(self, name) for name in ("middle", "spread", "components")}
        taught = {f"{layer.name}/{part.name}": part for layer in self.teacher for part in layer.weights}
        encoder = {f"encoder/{name}": part for name, part in encoder_variables(self.encoder).items()}
        return super().learned() | own | taught | encoder

    def start_at(self, vectors: np.ndarray) -> None:
        """Give every style its first vector, and any other painting the mean of them."""
        super().start_at(vectors)
        self.reaching.cover(vectors)

    def call(self, batch: Mapping[str, Any]) -> Any:
        """Pictures as of `StyleModel`, what VGG19 sees in the paintings, and what teacher and encoder make of them."""
        if "paintings" not in batch:
            return super().call(batch)
        paintings = batch["paintings"]
        features = self.loss_network(paintings)
        seen = ops.stop_gradient(statistics_of(features, self.recipe.style_taps))
        taught = self.predict_vectors(seen)
        painted = batch["frames"].shape[0] - batch["styles"].shape[0]
        own = ops.take(self.vectors, batch["styles"], axis=0)
        vectors = ops.concatenate([own, self.reaching(taught[:painted])], axis=0)
        return {
            "pictures": self.stylize(batch, vectors),
            "taught": taught,
            "answered": self.guess({"paintings": paintings}),
            "sight": self.sight.loss(paintings, {tap: features[tap] for tap in self.recipe.style_taps}),
        }

    def predict_vectors(self, seen: Any) -> Any:
        """The teacher's vectors, relative as the encoder's, for statistics of paintings: `(B, F)` to `(B, V)`."""
        x = ops.clip(ops.matmul((seen - self.middle) / self.spread, self.components), -4.0, 4.0)
        for layer in self.teacher:
            x = layer(x)
        return x

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The weighted sum of the terms, and the lesson; Keras calls it inside of the compiled step."""
        if "paintings" not in x:
            return super().compute_loss(x, y, y_pred, sample_weight, training)
        recipe = self.recipe
        grams, emphasis = self.wanted(x["styles"])
        paintings = x["paintings"][: x["frames"].shape[0] - x["styles"].shape[0]]
        others = grams_at_scales(self.loss_network, paintings, recipe.style_taps, recipe.style_scales)
        grams = [ops.concatenate([gram, ops.stop_gradient(other)], axis=0) for gram, other in zip(grams, others, strict=True)]
        emphasis = ops.concatenate([emphasis, ops.ones_like(others[0][:, 0, :2])], axis=0)
        loss = self.loss_of(x, y_pred["pictures"], grams, emphasis, training)
        imitation = ops.mean(ops.square(y_pred["answered"] - ops.stop_gradient(y_pred["taught"])))
        self.terms["imitation"].update_state(imitation)
        self.terms["sight"].update_state(y_pred["sight"])
        return loss + recipe.imitation * imitation + recipe.sight * y_pred["sight"]

    def encoder_numbers(self) -> dict[str, np.ndarray]:
        """The encoder's numbers as a file stores them."""
        return {name: np.array(ops.convert_to_numpy(part)) for name, part in encoder_variables(self.encoder).items()}


def statistics_of(features: Mapping[str, Any], taps: Sequence[str]) -> Any:
    """Logarithms of mean and deviation of every channel of VGG19's answer at some taps: `(B, F)`."""
    parts = []
    for tap in taps:
        x = ops.cast(features[tap], "float32")
        parts += [ops.log(ops.mean(x, axis=(1, 2)) + 1.0), ops.log(ops.std(x, axis=(1, 2)) + 1.0)]
    return ops.concatenate(parts, axis=-1)


def whitening_of(seen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Middle and spread of statistics `(P, F)`, and what turns the rest into numbers of unit deviation: `(F, at most 128)`."""
    middle, spread = seen.mean(0), seen.std(0) + 1e-3
    _, strengths, directions = np.linalg.svd((seen - middle) / spread, full_matrices=False)
    kept = int((strengths[:COMPONENTS] > 1e-3 * strengths[0]).sum())
    return middle, spread, directions[:kept].T / (strengths[:kept] / np.sqrt(len(seen)))
