"""The styles that ship: they load, they say where they come from, and they paint well by measure."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from realtime_nst.engines.backend import Backend, openvino_has_bfloat16
from realtime_nst.engines.engine import build_engine
from realtime_nst.engines.runner import runner_for
from realtime_nst.media.photos import read_photo
from realtime_nst.painting.stylizer import Stylizer
from realtime_nst.style.book import StyleBook, find_styles
from realtime_nst.train.recipes import PAINTINGS

ROOT = Path(__file__).parents[1]
NAMES = sorted(path.name.removesuffix(".weights.h5") for path in (ROOT / "weights").glob("*.weights.h5"))
LUMA = np.array([0.299, 0.587, 0.114])


def make_stylizer(precision: str) -> Stylizer:
    runner = runner_for(Backend("openvino", precision, gpu=False))
    return Stylizer(partial(build_engine, runner=runner))


@pytest.fixture(scope="module")
def shipped() -> StyleBook:
    return find_styles([ROOT / "weights"])


@pytest.fixture(scope="module")
def stylizer() -> Iterator[Stylizer]:
    yield make_stylizer("float32")


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return read_photo(ROOT / "samples" / "astronaut.jpg")


@pytest.fixture(scope="module")
def portraits(stylizer: Stylizer, shipped: StyleBook, portrait: np.ndarray) -> dict[str, np.ndarray]:
    """The portrait in every style."""
    return {name: stylizer.paint(portrait, shipped[name]) for name in shipped}


def blurred(image: np.ndarray, side: int = 16) -> np.ndarray:
    """Mean brightness of blocks."""
    light = image @ LUMA
    height, width = (length // side * side for length in light.shape)
    return light[:height, :width].reshape(height // side, side, width // side, side).mean((1, 3))


def test_the_promised_styles_are_there_and_whole(shipped: StyleBook) -> None:
    assert set(PAINTINGS) <= set(shipped) and len(PAINTINGS) >= 24 and not shipped.broken
    assert len(shipped.bodies) == 1
    assert sum(array.size for array in shipped.bodies[0].weights().values()) == 128_640


@pytest.mark.parametrize("name", NAMES)
def test_style_says_where_it_comes_from(shipped: StyleBook, name: str) -> None:
    facts = shipped[name].metadata
    for key in ("title", "artist", "year", "licence", "licence_of_painting", "recipe", "figures", "trained"):
        assert facts[key], key
    least = 200 if facts["trained"] == "vector on a frozen body" else 1200
    assert facts["licence"] == "MIT" and facts["total_steps"] >= least
    for page in ("docs/styles.md", "weights/README.md"):
        row = re.search(rf"^\|.* `{name}` \|.*$", (ROOT / page).read_text("utf-8"), re.MULTILINE)
        assert row and facts["title"] in row[0], f"{page} on {name}"


@pytest.mark.parametrize("name", NAMES)
def test_light_stays_light_and_nothing_is_blown_out(portraits: dict[str, np.ndarray], portrait: np.ndarray, name: str) -> None:
    painted = portraits[name]
    tones = np.corrcoef(blurred(portrait).ravel(), blurred(painted).ravel())[0, 1]
    assert tones > 0.6, f"brightness of the painting follows the photo's by {tones:.2f} only"
    light = painted @ LUMA
    assert float((light < 3).mean() + (light > 252).mean()) < 0.25
    assert np.abs(painted.astype(int) - portrait).mean() > 15, "hardly painted at all"


def grid_of_four(image: np.ndarray) -> float:
    """How far the sixteen places of a 4x4 grid differ on average over the picture, in steps of brightness."""
    light = image @ LUMA
    height, width = (length // 4 * 4 for length in light.shape)
    places = light[:height, :width].reshape(height // 4, 4, width // 4, 4).mean((0, 2))
    return float(places.std())


@pytest.mark.parametrize("name", NAMES)
def test_no_grid_of_four_pixels(portraits: dict[str, np.ndarray], portrait: np.ndarray, name: str) -> None:
    painted = portraits[name].astype(float)
    assert grid_of_four(painted) < 0.75, "less than a step of brightness cannot be seen"
    faint = 2.0 * np.tile([[1, -1], [-1, 1]], (2, 2))  # what the measure must find, were it there
    height, width = portrait.shape[:2]
    assert grid_of_four(painted + np.tile(faint, (height // 4, width // 4))[..., None]) > 1.5


@pytest.mark.parametrize("name", NAMES)
def test_a_still_camera_gives_a_still_picture(stylizer: Stylizer, shipped: StyleBook, portrait: np.ndarray, name: str) -> None:
    rng = np.random.default_rng(0)
    noisy = [np.clip(np.rint(portrait + rng.normal(0, 3, portrait.shape)), 0, 255).astype(np.uint8) for _ in range(2)]
    painted = [stylizer.paint(image, shipped[name]).astype(float) for image in noisy]
    gain = np.abs(painted[0] - painted[1]).mean() / np.abs(noisy[0].astype(float) - noisy[1]).mean()
    assert gain < 1.5, f"noise gain {gain:.2f}"


def test_styles_look_different(portraits: dict[str, np.ndarray]) -> None:
    painted = {name: picture.astype(np.int16) for name, picture in portraits.items()}
    for first in painted:
        for second in painted:
            assert first >= second or np.abs(painted[first] - painted[second]).mean() > 12, f"{first} and {second}"


@pytest.mark.skipif(not openvino_has_bfloat16(), reason="this processor does not multiply bfloat16 itself")
def test_bfloat16_looks_like_float32(portraits: dict[str, np.ndarray], shipped: StyleBook, portrait: np.ndarray) -> None:
    half = make_stylizer("bfloat16")
    for name in shipped:
        exact = portraits[name].astype(float)
        rounded = half.paint(portrait, shipped[name]).astype(float)
        psnr = 10 * np.log10(255**2 / np.mean((exact - rounded) ** 2))
        assert psnr > 50, f"{name}: {psnr:.1f} dB"
        assert abs((rounded - exact).mean()) < 0.7, f"{name} is lighter or darker by {(rounded - exact).mean():.2f}"
