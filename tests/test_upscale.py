"""Back to full size: lines stay crisp where the painting follows the photo, and nothing is added where it does not."""

import numpy as np
import pytest

from realtime_nst.live import upscale
from realtime_nst.live.upscale import enlarge, shrink

cv2 = pytest.importorskip("cv2", exc_type=ImportError, reason="OpenCV does not load here")

WIDTH, HEIGHT = 160, 120


def photo() -> np.ndarray:
    """Slanted dark lines on a light ground."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    lines = ((x + y // 2) % 20) < 4
    return np.where(lines[..., None], (30, 40, 60), (200, 190, 170)).astype(np.uint8)


def error(found: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.abs(found.astype(float) - wanted)[8:-8, 8:-8].mean())


@pytest.mark.parametrize("scale", [0.5, 0.75])
@pytest.mark.parametrize("paint", [lambda image: image, lambda image: 255 - image], ids=["same", "negative"])
def test_lines_are_crisper_than_bicubic(scale: float, paint: object) -> None:
    image = photo()
    small = shrink(image, round(WIDTH * scale), round(HEIGHT * scale))
    painted, wanted = paint(small), paint(image)  # type: ignore[operator]
    bicubic = cv2.resize(painted, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    found = enlarge(painted, image, small)
    assert found.shape == image.shape and found.dtype == np.uint8
    assert error(found, wanted) < 0.5 * error(bicubic, wanted)


def test_nothing_is_added_to_a_painting_that_ignores_the_photo() -> None:
    image = photo()
    small = shrink(image, WIDTH // 2, HEIGHT // 2)
    painted = np.full_like(small, 90)
    assert np.abs(enlarge(painted, image, small).astype(int) - 90).max() <= 1


def test_noise_of_the_camera_is_not_carried_into_the_painting() -> None:
    rng = np.random.default_rng(0)
    image = np.clip(120 + rng.normal(0, 4, (HEIGHT, WIDTH, 3)), 0, 255).astype(np.uint8)
    small = shrink(image, WIDTH // 2, HEIGHT // 2)
    found = enlarge(small, image, small)
    assert found.std() < 0.6 * image.std()


def test_odd_sizes_come_back() -> None:
    image = photo()[:117, :155]
    small = shrink(image, 80, 64)
    assert enlarge(small, image, small).shape == image.shape


@pytest.mark.parametrize("there", [True, False])
def test_a_mirror_is_the_same_with_and_without_opencv(monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    monkeypatch.setattr(upscale, "has_opencv", lambda: there)
    photo = np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)
    assert np.array_equal(upscale.mirrored(photo), photo[:, ::-1]) and upscale.mirrored(photo).flags.c_contiguous
