"""Stability with the shipped network: a static camera's noise does not move the picture, a hand leaves no ghost."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realtime_nst.engines.backend import Backend
from realtime_nst.media.photos import read_photo
from realtime_nst.painting.serving import load_stylizer
from realtime_nst.painting.stream import Stream
from realtime_nst.painting.stylizer import Stylizer
from realtime_nst.style.book import StyleBook, find_styles
from realtime_nst.style.look import STABILITIES, Look

ROOT = Path(__file__).parents[1]
OPENVINO = Backend("openvino", "float32", gpu=False)
WIDTH, HEIGHT, FRAMES = 192, 144, 50
NOISE = 4.0
"""Grey levels: a webcam by lamplight."""


@pytest.fixture(scope="module")
def book() -> StyleBook:
    return find_styles([ROOT / "weights"])


@pytest.fixture(scope="module")
def stylizer() -> Iterator[Stylizer]:
    yield load_stylizer(OPENVINO)


@pytest.fixture(scope="module")
def camera() -> np.ndarray:
    """A scene that stands still before a camera with noise, `(frames, height, width, 3)`."""
    scene = Image.fromarray(read_photo(ROOT / "samples" / "coffee.jpg")).resize((WIDTH, HEIGHT))
    noise = np.random.default_rng(0).normal(0, NOISE, (FRAMES, HEIGHT, WIDTH, 3))
    return np.clip(np.asarray(scene) + noise, 0, 255).astype(np.uint8)


def paint(stylizer: Stylizer, book: StyleBook, name: str, frames: Sequence[np.ndarray], stability: int) -> np.ndarray:
    stream, look = Stream(stylizer), Look(stability=stability)
    return np.stack([stream.paint(frame, book[name], look).copy() for frame in frames]).astype(float)


def motion(frames: np.ndarray) -> float:
    return float(np.mean([np.abs(after.astype(float) - before).mean() for before, after in itertools.pairwise(frames)]))


@pytest.mark.parametrize("stability", STABILITIES[1:])
@pytest.mark.parametrize("name", ["wave", "edtaonisl", "udnie"])
def test_a_static_camera_gives_a_picture_that_moves_no_more_than_its_noise(
    stylizer: Stylizer, book: StyleBook, camera: np.ndarray, name: str, stability: int
) -> None:
    assert motion(paint(stylizer, book, name, camera, stability)) < 0.2 * motion(camera)


@pytest.mark.parametrize(("name", "stability"), [("wave", 8), ("wave", 16), ("wave", 32), ("edtaonisl", 16)])
def test_after_a_hand_has_passed_the_picture_is_that_of_a_show_without_it(
    stylizer: Stylizer, book: StyleBook, camera: np.ndarray, name: str, stability: int
) -> None:
    passed = camera.copy()
    top, side, first, last = 40, 48, 4, 18
    for index in range(first, last):
        left = round((index - first) / (last - first) * WIDTH) - 8
        passed[index, top : top + side, max(left, 0) : left + side] = (224, 172, 140)
    with_hand, without = (paint(stylizer, book, name, frames, stability) for frames in (passed, camera))
    apart = np.abs(with_hand - without).reshape(FRAMES, HEIGHT // 8, 8, WIDTH // 8, 8, 3).mean((2, 4, 5))
    restless = np.abs(np.diff(paint(stylizer, book, name, camera, 0), axis=0)).mean()
    assert apart[(first + last) // 2].max() > 25, "the hand was painted"
    assert apart[last, top // 8 : (top + side) // 8, -4:].mean() < 1.5 * restless, "where it was a frame ago it is gone"
    assert apart[last].mean() < 8, "elsewhere a tint is left, because the network sees the picture as a whole"
    assert apart[last + 30].mean() < restless, "and is less than the noise in a second"
    assert apart[last + 30].max() < 5, "everywhere"
