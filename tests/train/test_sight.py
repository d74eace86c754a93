"""What a style encoder sees beside what VGG19 sees: the lesson, and what it is measured by."""

from collections.abc import Mapping

import numpy as np
import pytest
from keras import ops

from realtime_nst.networks.encoder import StyleFeatures, statistics
from realtime_nst.style.encoder import SIGHTS
from realtime_nst.train.sight import LEAST, PLACES, UNITS, Sight, pseudo_huber
from tests.train.small import TAPS

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
"""Keras' own, about TensorFlow's variables."""

SIDE = 32


@pytest.fixture
def sight() -> Sight:
    """Of an encoder that knows nothing."""
    return Sight(StyleFeatures())


def pictures(seed: int, count: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 255, (count, SIDE, SIDE, 3)).astype(np.float32)


def answers(seed: int, count: int = 4) -> dict[str, np.ndarray]:
    """As VGG19's to pictures of 32 pixels."""
    rng = np.random.default_rng(seed)
    sizes = {tap: (SIDE >> index, 64 << index) for index, tap in enumerate(TAPS)}
    return {tap: rng.exponential(200, (count, side, side, width)).astype(np.float32) for tap, (side, width) in sizes.items()}


def loss(sight: Sight, seed: int, features: Mapping[str, np.ndarray], pairs: bool = False) -> float:
    return float(sight.loss(ops.convert_to_tensor(pictures(seed)), features, pairs))


def test_each_sight_is_asked_for_channels_of_its_own_tap_at_its_own_size(sight: Sight) -> None:
    features = answers(1)
    wanted = sight.wanted(features)
    assert [tuple(wanted[index].shape) for index in range(4)] == [(4, SIDE >> i, SIDE >> i, SIGHTS[i]) for i in range(4)]
    for index, tap in enumerate(TAPS):
        found = ops.convert_to_numpy(wanted[index])[0, 0, 0] * UNITS[index]
        nearest = np.abs(features[tap][0, 0, 0][None] - found[:, None]).argmin(1)
        assert len(set(nearest)) == SIGHTS[index] and np.allclose(features[tap][0, 0, 0][nearest], found, rtol=1e-5)


def test_nothing_is_lost_where_the_sights_are_what_was_wanted(sight: Sight) -> None:
    """VGG19 would answer just what the encoder sees now."""
    seen = sight._seen(pictures(2) / 127.5 - 1)
    exact = {tap: np.zeros((4, SIDE >> index, SIDE >> index, 64 << index), np.float32) for index, tap in enumerate(TAPS)}
    for index, tap in enumerate(TAPS):
        exact[tap][..., np.sort(sight._order[index])] = ops.convert_to_numpy(seen[index]) * UNITS[index]
    assert loss(sight, 2, exact, pairs=True) < 1e-4 < 0.1 < loss(sight, 2, answers(2))
    exact["relu3_1"] *= 1.1
    assert loss(sight, 2, exact) > 1e-3


def test_what_is_kept_is_standardized_as_it_was_measured(sight: Sight) -> None:
    batches = [(pictures(seed), answers(seed)) for seed in range(6)]
    sight.measure([sight.kept(*batch) for batch in batches])
    middle, deviation = (ops.convert_to_numpy(part) for part in (sight._standard.middle, sight._standard.deviation))
    colours = ops.convert_to_numpy(statistics(np.concatenate([batch for batch, _ in batches]) / 127.5 - 1))
    assert np.allclose(middle[PLACES[-1]], colours.mean(0), atol=1e-5)
    assert np.allclose(deviation[PLACES[-1]], colours.std(0) + LEAST, atol=1e-5)
    deepest = np.concatenate([ops.convert_to_numpy(statistics(sight.wanted(features)[3])) for _, features in batches])
    assert np.allclose(middle[PLACES[3]], deepest.mean(0), atol=1e-5) and PLACES[3].stop == len(middle)


def test_large_errors_count_in_proportion_and_small_ones_squared() -> None:
    small, large = (float(pseudo_huber(ops.convert_to_tensor(np.full(5, size, np.float32)))) for size in (0.01, 1000.0))
    assert small == pytest.approx(1e-4, rel=1e-2) and large == pytest.approx(2000, rel=1e-2)
