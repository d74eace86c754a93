"""The model whose style encoder learns on by the perceptual loss itself, on a body that stays as it is.

Every frame is painted after a painting of its own, in the vector that the encoder says. An encoder that can see and guess
already, as its teacher taught it (`encoded.py`), learns to correct its vectors by the loss of these pictures; its eyes and its
guesses stay as they are, or what it corrects would never be the same. A new one learns all at once: how it sees, by VGG19's
example (`sight.py`), and the rest by the loss. It knows neither files nor steps.

Reference:
    Ghiasi, Lee, Kudlur, Dumoulin, Shlens: Exploring the structure of a real-time, arbitrary neural artistic stylization
    network (2017), section 3.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from realtime_nst.networks.encoder import encoder_variables

from .losses import grams_at_scales
from .model import StyleModel
from .recipes import Recipe
from .sight import Sight


class EncoderModel(StyleModel):
    """A frozen transform network, and the style encoder of its body; there are no styles.

    Args:
        encoder: From `build_style_encoder(uint8=False)`.
        new: Whether it has learned nothing yet.
        examples: Pieces of paintings for the preview, float32 `(N, H, W, 3)`.
        network: From `build_transform_network(uint8=False)`, trained, and not trainable.
        recipe: Weights of the terms, and taps.
        loss_network: Images to a dict of the recipe's style and content taps.
        content_network: Images to a dict of the content tap.
    """

    styles_per_photo = 0.0

    def __init__(
        self,
        encoder: keras.Model,
        new: bool,
        examples: np.ndarray,
        network: keras.Model,
        recipe: Recipe,
        loss_network: keras.Model,
        content_network: keras.Model,
    ) -> None:
        size = encoder.output["vectors"].shape[-1]
        super().__init__(network, np.zeros((1, size)), [], np.ones((1, 2)), recipe, loss_network, content_network)
        self.vectors.trainable = False
        self.encoder = encoder
        self.examples = examples
        self.sight = Sight(encoder.get_layer("encoder_features")) if new else None
        if self.sight:
            self.terms["sight"] = keras.metrics.Mean(name="sight")
        for name in ("features", "guess1", "guess2"):
            encoder.get_layer(f"encoder_{name}").trainable = new

    def learned(self) -> dict[str, Any]:
        """The encoder's numbers; the body's are in its file."""
        return {f"encoder/{name}": part for name, part in encoder_variables(self.encoder).items()}

    def shown(self) -> tuple[np.ndarray, Sequence[np.ndarray]]:
        """What the encoder says of the examples, and those."""
        return np.array(ops.convert_to_numpy(self.encoder({"paintings": self.examples})["vectors"])), list(self.examples)

    def call(self, batch: Mapping[str, Any]) -> Any:
        """Frames and moved frames, `(2 B, H, W, 3)`, each after the painting of its number."""
        return self.stylize(batch, self.encoder({"paintings": batch["paintings"]})["vectors"])

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The weighted sum of the terms, and a new encoder's lesson in seeing; Keras calls it inside of the compiled step."""
        taps, paintings = self.recipe.style_taps, x["paintings"]
        seen = self.loss_network(paintings)
        grams = grams_at_scales(self.loss_network, paintings, taps, self.recipe.style_scales, seen)
        outputs, _ = ops.split(ops.cast(y_pred, "float32"), 2, axis=0)
        features = self.loss_network(outputs)
        emphasis = ops.ones((paintings.shape[0], 2))
        loss = self.loss_of(x, y_pred, [ops.stop_gradient(gram) for gram in grams], emphasis, training, features)
        if self.sight is None:
            return loss
        both = {tap: ops.concatenate([seen[tap], features[tap]], axis=0) for tap in taps}
        sight = self.sight.loss(ops.concatenate([paintings, outputs], axis=0), both, pairs=True)
        self.terms["sight"].update_state(sight)
        return loss + self.recipe.sight * sight

    def encoder_numbers(self) -> dict[str, np.ndarray]:
        """The encoder's numbers as a file stores them."""
        return {name: np.array(ops.convert_to_numpy(part)) for name, part in encoder_variables(self.encoder).items()}
