"""What a camera adds: noise of any grain at its strength, whole grey levels, JPEG where asked."""

import numpy as np
import pytest

from realtime_nst.train.camera_noise import as_camera, correlated_noise

pytestmark = pytest.mark.once


def autocorrelation(noise: np.ndarray, distance: int) -> float:
    """Of pixels so far apart in a row."""
    return float(np.corrcoef(noise[:, :-distance].ravel(), noise[:, distance:].ravel())[0, 1])


@pytest.mark.parametrize("grain", [1, 1.5, 2, 4, 8, 24])
def test_noise_of_any_grain_is_as_strong_and_has_no_direction(grain: float) -> None:
    rng = np.random.default_rng(0)
    noise = np.stack([correlated_noise(96, 128, grain, rng) for _ in range(30)])
    assert noise.shape == (30, 96, 128, 3) and noise.dtype == np.float32
    assert noise.std() == pytest.approx(1, abs=0.04) and abs(noise.mean()) < 0.1
    across, down = autocorrelation(noise[0], 1), autocorrelation(noise[0].swapaxes(0, 1), 1)
    assert across == pytest.approx(down, abs=0.1)
    assert abs(np.corrcoef(noise[..., 0].ravel(), noise[..., 1].ravel())[0, 1]) < 0.1, "colours are on their own"


def test_noise_reaches_as_far_as_its_grain() -> None:
    rng = np.random.default_rng(1)
    white, coarse = correlated_noise(256, 256, 1, rng), correlated_noise(256, 256, 16, rng)
    assert abs(autocorrelation(white, 1)) < 0.02
    assert autocorrelation(coarse, 4) > 0.8 and abs(autocorrelation(coarse, 48)) < 0.15


def test_noise_does_not_always_have_its_knots_at_the_same_places() -> None:
    rng = np.random.default_rng(2)
    noise = np.stack([correlated_noise(32, 32, 8, rng) for _ in range(400)])
    by_column = noise.std(axis=(0, 1, 3))
    assert by_column.max() < 1.15 * by_column.min(), "bilinear enlargement is weaker between its knots"


def test_camera_delivers_whole_grey_levels_within_their_range() -> None:
    image = np.linspace(0, 255, 64 * 64 * 3).reshape(64, 64, 3)
    noise = 5 * correlated_noise(64, 64, 1, np.random.default_rng(3))
    for quality in (None, 30):
        seen = as_camera(image, noise, quality)
        assert np.array_equal(seen, np.rint(seen)) and seen.min() >= 0 and seen.max() <= 255
    assert np.abs(as_camera(image, noise) - np.clip(image + noise, 0, 255)).max() <= 0.5
