"""The model whose style encoder learns on by the perceptual loss itself, on a body that stays as it is.

Every frame is painted after a painting of its own, in the vector that the encoder says. A new encoder gets nowhere by that;
one that has learned from its teacher (`encoded.py`) comes nearer to the paintings. It knows neither files nor steps.

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


class EncoderModel(StyleModel):
    """A frozen transform network, and the style encoder of its body; there are no styles.

    Args:
        encoder: From `build_style_encoder(uint8=False)`, trained.
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
        """The weighted sum of the terms; Keras calls it inside of the compiled step."""
        grams = grams_at_scales(self.loss_network, x["paintings"], self.recipe.style_taps, self.recipe.style_scales)
        emphasis = ops.ones((x["paintings"].shape[0], 2))
        return self.loss_of(x, y_pred, [ops.stop_gradient(gram) for gram in grams], emphasis, training)

    def encoder_numbers(self) -> dict[str, np.ndarray]:
        """The encoder's numbers as a file stores them."""
        return {name: np.array(ops.convert_to_numpy(part)) for name, part in encoder_variables(self.encoder).items()}
