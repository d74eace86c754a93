"""Strength, own colours and stability on OpenVINO, against NumPy written independently."""

import copy
import itertools
from collections.abc import Callable

import numpy as np
import pytest

from realtime_nst.backend import Backend
from realtime_nst.look import PLAIN, Look
from realtime_nst.retouch import THRESHOLDS, build_retouch_engine
from tests.reference import block_means, hold_with_numpy, keep_colours_with_numpy

OPENVINO = Backend("openvino", "bfloat16", gpu=False)
WIDTH, HEIGHT = 128, 96
Retouch = Callable[..., np.ndarray]


@pytest.fixture
def retouch() -> Retouch:
    """The compiled graph, with paintings from NumPy."""
    engine = build_retouch_engine(WIDTH, HEIGHT, OPENVINO)

    def call(photo: np.ndarray, painting: np.ndarray, look: Look, fresh: bool = False) -> np.ndarray:
        result: np.ndarray = engine(photo, np.ascontiguousarray(painting[None]), look, fresh)
        return result

    call.engine = engine  # type: ignore[attr-defined]
    return call


def picture(seed: int) -> np.ndarray:
    """Noise of all colours."""
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def smooth(seed: int) -> np.ndarray:
    """Random colours that change every eight pixels."""
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT // 8, WIDTH // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)


def test_a_plain_look_changes_nothing(retouch: Retouch) -> None:
    assert np.array_equal(retouch(picture(0), picture(1), PLAIN), picture(1))


@pytest.mark.parametrize("strength", [0.0, 0.25, 0.5, 1.0])
def test_strength_blends_photo_and_painting(retouch: Retouch, strength: float) -> None:
    photo, painting = picture(0), picture(1)
    expected = photo + strength * (painting.astype(float) - photo)
    found = retouch(photo, painting, Look(strength=strength))
    assert np.abs(found - expected).max() <= 0.51


def test_own_colours_equal_the_formula_and_keep_hue_and_brightness(retouch: Retouch) -> None:
    photo, painting = picture(0), picture(1)
    found = retouch(photo, painting, Look(colours=1.0)).astype(float)
    assert np.abs(found - keep_colours_with_numpy(photo, painting)).max() <= 0.52
    weights = np.array([0.299, 0.587, 0.114])
    assert np.abs(found @ weights - painting @ weights).max() < 1.0, "brightness is the painting's"
    own, taken = photo - (photo @ weights)[..., None], found - (found @ weights)[..., None]
    strong = np.linalg.norm(taken, axis=-1) > 20
    cosine = (own * taken).sum(-1) / (np.linalg.norm(own, axis=-1) * np.linalg.norm(taken, axis=-1) + 1e-9)
    assert strong.mean() > 0.3 and cosine[strong].min() > 0.99, "hue is the photo's"


def test_half_of_the_colours_lies_in_the_middle(retouch: Retouch) -> None:
    photo, painting = picture(0), picture(1)
    expected = (painting + keep_colours_with_numpy(photo, painting)) / 2
    assert np.abs(retouch(photo, painting, Look(colours=0.5)) - expected).max() <= 0.52


def test_holding_equals_the_formula_frame_by_frame(retouch: Retouch) -> None:
    look = Look(stability=12.0)
    rng = np.random.default_rng(5)
    photo = smooth(0)
    held = (block_means(photo), picture(0))
    retouch(photo, held[1], look, True)
    for index in range(1, 12):
        noise = rng.normal(0, 6, photo.shape)
        moved = photo.copy()
        moved[20:30, 8 * index : 8 * index + 6] = 255
        now = np.clip(moved + noise, 0, 255).astype(np.uint8)
        painting = picture(index)
        held = hold_with_numpy(now, painting, held, 12.0, THRESHOLDS[index % 8])
        found = retouch(now, painting, look)
        differences = np.abs(found.astype(int) - held[1])
        assert differences.max() <= 1 and (differences > 0).mean() < 0.01, f"frame {index}"


def test_rounding_loses_nothing_on_average(retouch: Retouch) -> None:
    assert np.allclose(np.sort(THRESHOLDS), (np.arange(8) + 0.5) / 8)
    photo, ramp = smooth(0), np.arange(256, dtype=np.uint8).repeat(WIDTH * HEIGHT * 3 // 256).reshape(HEIGHT, WIDTH, 3)
    for start, end in ((ramp, ramp[::-1]), (ramp, np.clip(ramp, 1, 254))):
        retouch(photo, start, Look(stability=16.0), True)
        for _ in range(60):
            found = retouch(photo, np.ascontiguousarray(end), Look(stability=16.0))
        assert np.array_equal(found, end), "from above and from below"


def test_what_is_held_can_be_kept_and_gone_on_from(retouch: Retouch) -> None:
    look, photo = Look(stability=16.0), smooth(0)
    engine = build_retouch_engine(WIDTH, HEIGHT, OPENVINO)
    for index in range(7):
        one = retouch(photo, picture(index), look, index == 0)
        if index == 3:
            assert retouch.engine.held is not None  # type: ignore[attr-defined]
            engine.held = copy.deepcopy(retouch.engine.held)  # type: ignore[attr-defined]
        elif index > 3:
            other = engine(photo, np.ascontiguousarray(picture(index)[None]), look, False)
            assert np.array_equal(one, other), f"frame {index}"


def test_a_static_noisy_camera_gives_a_picture_that_moves_less_than_it(retouch: Retouch) -> None:
    rng = np.random.default_rng(0)
    still, paint = smooth(0), picture(1)
    photos, pictures = [], []
    for index in range(60):
        noise = rng.normal(0, 4, still.shape)
        photos.append(np.clip(still + noise, 0, 255).astype(np.uint8))
        painted = np.clip(paint + 2.5 * noise, 0, 255).astype(np.uint8)  # a network that amplifies noise
        pictures.append(retouch(photos[-1], painted, Look(stability=16.0), index == 0))

    def motion(images: list[np.ndarray]) -> float:
        return float(np.mean([np.abs(b.astype(float) - a).mean() for a, b in itertools.pairwise(images)]))

    assert motion(pictures) < 0.3 * motion(photos), "a tenth of what the network gives"


def test_an_outline_that_is_painted_around_a_hand_goes_with_it(retouch: Retouch) -> None:
    background = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    for step in range(0, WIDTH + 24, 6):
        photo, painting = background.copy(), background.copy()
        photo[24:72, step : step + 32] = 220
        painting[12:84, max(step - 12, 0) : step + 44] = 0  # the outline reaches twelve pixels beyond
        painting[24:72, step : step + 32] = 220
        if step >= WIDTH:
            painting = background
        found = retouch(photo, painting, Look(stability=16.0), step == 0)
        behind = found[:, : max(step - 24, 0)].astype(int)
        if behind.size:
            left = np.abs(behind - 120)
            assert left.max() < 120 / 10, f"left behind at {step}"


@pytest.mark.parametrize("stability", [8.0, 16.0, 32.0])
def test_a_moving_hand_leaves_no_ghost(retouch: Retouch, stability: float) -> None:
    background = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    pictures = []
    for step in range(-32, WIDTH + 8, 8):
        photo = background.copy()
        photo[24:72, max(step, 0) : max(step + 32, 0)] = (200, 150, 120)
        pictures.append(retouch(photo, 255 - photo, Look(stability=stability), step == -32))
    seen, left = (np.abs(pictures[index].astype(int) - 135) for index in (5, -1))
    assert seen.mean() > 4, "the hand was in the picture"
    assert left.mean() < 0.02 * seen.mean(), "and no longer a frame after it left"
    for _ in range(45):
        found = retouch(background, 255 - background, Look(stability=stability))
    assert np.array_equal(found, 255 - background)


def test_a_faint_trace_is_gone_after_a_moment(retouch: Retouch) -> None:
    look, background = Look(stability=32.0), np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    shadow = background - 12  # below the threshold
    retouch(shadow, shadow, look, True)
    for _ in range(60):
        found = retouch(background, background, look)
    assert np.array_equal(found, background)


def test_fresh_forgets_what_was_held(retouch: Retouch) -> None:
    photo = smooth(0)
    retouch(photo, picture(1), Look(stability=16.0), True)
    held = retouch(photo, picture(2), Look(stability=16.0))
    moved = np.abs(held.astype(int) - picture(1)).mean() / np.abs(picture(2).astype(int) - picture(1)).mean()
    assert moved < 0.15, "the photo stood still, so that the picture did"
    assert np.array_equal(retouch(photo, picture(2), Look(stability=16.0), True), picture(2))
