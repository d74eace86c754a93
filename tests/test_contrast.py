"""Paintings fade with photos that show hardly anything."""

import numpy as np
import pytest

from realtime_nst.engines.backend import Backend
from realtime_nst.engines.recolour import RecolourEngine
from realtime_nst.engines.runner import runner_for
from realtime_nst.painting.contrast import CLEAR, FAINTEST, painted_share
from realtime_nst.painting.stylizer import Stylizer
from realtime_nst.style.book import StyleBook
from realtime_nst.style.field import HOME, Offset
from realtime_nst.style.look import Look


def textured(contrast: float, level: float = 100.0, shape: tuple[int, int] = (240, 320)) -> np.ndarray:
    """Noise of a standard deviation, the same in all colours."""
    noise = np.random.default_rng(0).normal(level, contrast, (*shape, 1))
    return np.clip(np.rint(noise), 0, 255).astype(np.uint8).repeat(3, axis=2)


class Negative:
    """An engine whose painting anybody can compute."""

    def __call__(self, image: np.ndarray, vector: np.ndarray, offset: Offset = HOME) -> np.ndarray:
        return 255 - image

    def on_device(self, image: np.ndarray, vector: np.ndarray, offset: Offset = HOME) -> np.ndarray:
        return (255 - image)[None]


@pytest.fixture
def negatives() -> Stylizer:
    openvino = runner_for(Backend("openvino", "float32", gpu=False))
    return Stylizer(lambda body, width, height: Negative(), lambda *size: RecolourEngine(*size, openvino))


def test_share_grows_with_contrast() -> None:
    assert painted_share(textured(0.0)) == 0.0 and painted_share(textured(CLEAR * 1.2)) == 1.0
    assert painted_share(textured((FAINTEST + CLEAR) / 2)) == pytest.approx(0.5, abs=0.05)
    colours = np.full((64, 64, 3), (100, 51, 100), np.uint8)
    colours[:, 32:] = (0, 102, 100)
    assert painted_share(colours) == 1.0, "of one brightness"
    for period in (2, 4, 8, 16):
        striped = np.zeros((480, 640, 3), np.uint8)
        striped[:, np.arange(640) % period < period // 2] = 40
        assert painted_share(striped) == painted_share(striped.swapaxes(0, 1)) == 1.0
    shares = [painted_share(textured(contrast)) for contrast in np.linspace(0, 10, 21)]
    assert shares == sorted(shares)


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (33, 47), (2160, 3840)])
def test_share_of_any_size(shape: tuple[int, int]) -> None:
    assert painted_share(np.full((*shape, 3), 200, np.uint8)) == 0.0
    assert painted_share(textured(40.0, shape=shape)) == (0.0 if shape == (1, 1) else 1.0)


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("look", [Look(), Look(strength=0.5)])
def test_even_frames_stay_as_they_are(negatives: Stylizer, book: StyleBook, level: int, look: Look) -> None:
    photo = np.full((33, 47, 3), level, np.uint8)
    painted = negatives.paint(photo, book["wave"], look)
    assert np.array_equal(painted, photo) and painted is not photo


@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_between_photo_and_painting_by_contrast_and_strength(negatives: Stylizer, book: StyleBook, strength: float) -> None:
    photo = textured(4.0)
    share = strength * painted_share(photo)
    painted = negatives.paint(photo, book["wave"], Look(strength=strength))
    assert np.abs(painted - (photo + share * (255.0 - 2.0 * photo))).max() <= 0.51


def test_a_film_that_fades_in_from_black_does_so_painted(negatives: Stylizer, book: StyleBook) -> None:
    scene = textured(30.0)
    film = [(scene * step).astype(np.uint8) for step in np.linspace(0, 1, 40)]
    light = [float(negatives.paint(frame, book["wave"]).mean()) for frame in film]
    assert light[0] == 0.0 and light[:10] == sorted(light[:10]) and light[11] > 200
    assert np.abs(np.diff(light)).max() < 45, "no flash"
    assert np.array_equal(negatives.paint(film[-1], book["wave"]), 255 - film[-1])
