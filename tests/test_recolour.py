"""Strength and own colours on OpenVINO, against NumPy written independently."""

from collections.abc import Callable

import numpy as np
import pytest

from realtime_nst.engines.backend import Backend
from realtime_nst.engines.recolour import RecolourEngine
from realtime_nst.engines.runner import runner_for
from realtime_nst.style.look import Look
from tests.reference import keep_colours_with_numpy

OPENVINO = runner_for(Backend("openvino", "bfloat16", gpu=False))
WIDTH, HEIGHT = 128, 96
Recolour = Callable[..., np.ndarray]


@pytest.fixture
def recolour() -> Recolour:
    """The compiled graph, with paintings from NumPy."""
    engine = RecolourEngine(WIDTH, HEIGHT, OPENVINO)

    def call(photo: np.ndarray, painting: np.ndarray, look: Look) -> np.ndarray:
        return engine(photo, np.ascontiguousarray(painting[None]), look)

    return call


def picture(seed: int) -> np.ndarray:
    """Noise of all colours."""
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


@pytest.mark.parametrize("strength", [0.0, 0.25, 0.5, 1.0])
def test_strength_blends_photo_and_painting(recolour: Recolour, strength: float) -> None:
    photo, painting = picture(0), picture(1)
    expected = photo + strength * (painting.astype(float) - photo)
    found = recolour(photo, painting, Look(strength=strength))
    assert np.abs(found - expected).max() <= 0.51


def test_own_colours_equal_the_formula_and_keep_hue_and_brightness(recolour: Recolour) -> None:
    photo, painting = picture(0), picture(1)
    found = recolour(photo, painting, Look(colours=1.0)).astype(float)
    assert np.abs(found - keep_colours_with_numpy(photo, painting)).max() <= 0.52
    weights = np.array([0.299, 0.587, 0.114])
    assert np.abs(found @ weights - painting @ weights).max() < 1.0, "brightness is the painting's"
    own, taken = photo - (photo @ weights)[..., None], found - (found @ weights)[..., None]
    strong = np.linalg.norm(taken, axis=-1) > 20
    cosine = (own * taken).sum(-1) / (np.linalg.norm(own, axis=-1) * np.linalg.norm(taken, axis=-1) + 1e-9)
    assert strong.mean() > 0.3 and cosine[strong].min() > 0.99, "hue is the photo's"


def test_half_of_the_colours_lies_in_the_middle(recolour: Recolour) -> None:
    photo, painting = picture(0), picture(1)
    expected = (painting + keep_colours_with_numpy(photo, painting)) / 2
    assert np.abs(recolour(photo, painting, Look(colours=0.5)) - expected).max() <= 0.52
