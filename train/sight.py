"""How a style encoder learns to see: its sights are to be some of VGG19's channels, at the same places of the same pictures.

The perceptual loss compares pictures by what VGG19 sees. An encoder that sees the same without VGG19, with a fifth of
the numbers, knows in which way its vectors go wrong. It knows neither files nor steps.

Reference:
    Romero et al.: FitNets: hints for thin deep nets (2015), section 2.2.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import keras
import numpy as np
from keras import ops

from realtime_nst.networks.encoder import StyleFeatures, statistics
from realtime_nst.style.encoder import SIGHTS

PLACES = {index: slice(*ends) for index, ends in enumerate(pairwise(np.cumsum([0, 6, *(2 * sights for sights in SIGHTS)])), -1)}
"""Where the statistics of the colours, -1, and of each sight stand in what is kept of a picture."""
LEAST = 0.05
"""What a deviation is at least: some channels are silent in every painting."""
UNITS = (40.0, 180.0, 230.0, 800.0)
"""Root mean square of VGG19's answers to paintings at relu1_1, relu2_1, relu3_1 and relu4_1; it is only a scale."""


class Sight:
    """What an encoder sees of pictures beside what VGG19 sees of them.

    Args:
        features: The encoder's.
    """

    def __init__(self, features: StyleFeatures) -> None:
        model = features.model
        outputs = [model.get_layer(f"encoder_sight{index}_relu").output for index in range(1, len(SIGHTS) + 1)]
        self._seen = keras.Model(model.input, outputs)
        self._standard = model.get_layer("encoder_kept")
        rng = np.random.default_rng(0)
        self._order = [rng.permutation(64 * 2**index)[:sights] for index, sights in enumerate(SIGHTS)]

    def wanted(self, features: Mapping[str, Any]) -> dict[int, Any]:
        """What the sights should be: those channels of VGG19's answers, `(B, H, W, sights)`, by number of the sight.

        Args:
            features: By tap; relu3_1 is at a quarter of the picture's size, as is the third sight.
        """
        found = {}
        for tap, answer in features.items():
            index = int(tap[len("relu")]) - 1
            chosen = np.sort(self._order[index] % answer.shape[-1])
            found[index] = ops.cast(ops.take(answer, chosen, axis=-1), "float32") / UNITS[index]
        return found

    def loss(self, pictures: Any, features: Mapping[str, Any], pairs: bool = False) -> Any:
        """How far the sights are from VGG19's channels, place by place, and in the statistics that are kept of them.

        Args:
            pictures: `(B, H, W, 3)` in `[0, 255]`.
            features: VGG19's answers to them, by style tap.
            pairs: Whether the second half of the pictures were painted after the first half: what differs between the two
                is what the encoder corrects by, and counts on its own.
        """
        sights = self._seen(ops.stop_gradient(ops.cast(pictures, "float32")) / 127.5 - 1.0)
        terms = []
        for index, wanted in self.wanted(features).items():
            wanted = ops.stop_gradient(wanted)
            terms.append(ops.mean(ops.square(sights[index] - wanted)))
            wrong = (statistics(sights[index]) - statistics(wanted)) / self._standard.deviation[PLACES[index]]
            terms.append(pseudo_huber(wrong))
            if pairs:
                terms.append(pseudo_huber(ops.subtract(*ops.split(wrong, 2, axis=0))))
        return sum(terms) / len(features)

    def kept(self, pictures: Any, features: Mapping[str, Any]) -> dict[int, np.ndarray]:
        """What would be kept of pictures if the sights were as they should be: `(B, ...)`, by `PLACES`."""
        wanted = {-1: ops.cast(pictures, "float32") / 127.5 - 1.0, **self.wanted(features)}
        return {index: np.asarray(ops.convert_to_numpy(statistics(x))) for index, x in wanted.items()}

    def measure(self, seen: Sequence[Mapping[int, np.ndarray]]) -> None:
        """Set middle and deviation of what is kept, from what would be kept of some batches of pictures."""
        middle, deviation = (np.array(ops.convert_to_numpy(part)) for part in (self._standard.middle, self._standard.deviation))
        for index in seen[0]:
            numbers = np.concatenate([batch[index] for batch in seen])
            middle[PLACES[index]], deviation[PLACES[index]] = numbers.mean(0), numbers.std(0) + LEAST
        self._standard.middle.assign(middle)
        self._standard.deviation.assign(deviation)


def pseudo_huber(x: Any) -> Any:
    """The mean of squares, and of twice the numbers where they are large, so that rarely active channels do not dominate."""
    return 2 * ops.mean(ops.sqrt(1 + ops.square(x)) - 1)
