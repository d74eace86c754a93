"""Flicker and sharpness: what holds still scores 0, what hands noise through 1, and what blurs is found out."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from realtime_nst.style.field import HOME, Offset
from realtime_nst.train.flow import FlowPair, find_flow
from realtime_nst.train.stability import mean_change, noise_gain, sharpness, shift_error, warping_error

HEIGHT, WIDTH = 24, 32


def some_frames(*shape: int, seed: int = 0) -> np.ndarray:
    """Random whole numbers in `[0, 255]` as float32."""
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.float32)


def everywhere() -> np.ndarray:
    """A mask of pixels that all count."""
    return np.ones((HEIGHT, WIDTH), bool)


def error_pixel_by_pixel(first: np.ndarray, second: np.ndarray, flow: np.ndarray, valid: np.ndarray) -> float:
    """The formula as a loop, with bilinear weights spelled out."""
    total, count = 0.0, 0
    for row in range(HEIGHT):
        for column in range(WIDTH):
            x, y = column + float(flow[row, column, 0]), row + float(flow[row, column, 1])
            if not (valid[row, column] and 0 <= x <= WIDTH - 1 and 0 <= y <= HEIGHT - 1):
                continue
            colour = np.zeros(3)
            for r in range(int(y), min(int(y) + 2, HEIGHT)):
                for c in range(int(x), min(int(x) + 2, WIDTH)):
                    colour += (1 - abs(x - c)) * (1 - abs(y - r)) * second[r, c]
            total += float((((first[row, column] - colour) / 255) ** 2).sum())
            count += 3
    return float(np.sqrt(total / count))


# Warping.


def test_warping_error_equals_the_formula_pixel_by_pixel() -> None:
    rng = np.random.default_rng(1)
    first, second = some_frames(HEIGHT, WIDTH, 3), some_frames(HEIGHT, WIDTH, 3, seed=2)
    flow = rng.uniform(-6, 6, (HEIGHT, WIDTH, 2)).astype(np.float32)
    valid = rng.uniform(size=(HEIGHT, WIDTH)) < 0.7
    expected = error_pixel_by_pixel(first, second, flow, valid)
    assert warping_error(first, second, flow, valid) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("x", "y"), [(0, 0), (3, 0), (-2, 5), (4, -1)])
def test_moved_picture_has_no_error_under_its_own_flow_and_much_under_none(x: int, y: int) -> None:
    first = some_frames(HEIGHT, WIDTH, 3)
    second = np.roll(first, (y, x), (0, 1))
    flow = np.broadcast_to(np.array([x, y], np.float32), (HEIGHT, WIDTH, 2))
    assert warping_error(first, second, flow, everywhere()) == 0
    if (x, y) != (0, 0):
        assert warping_error(first, second, np.zeros_like(flow), everywhere()) > 0.2
        assert warping_error(first, second, -flow, everywhere()) > 0.2, "the direction of flow matters"


def test_masked_pixels_do_not_count() -> None:
    first = some_frames(HEIGHT, WIDTH, 3)
    second, valid = first.copy(), everywhere()
    second[5:9, 7:20] = 255 - second[5:9, 7:20]
    still = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    assert warping_error(first, second, still, valid) > 0.05
    valid[5:9, 7:20] = False
    assert warping_error(first, second, still, valid) == 0


def test_error_is_in_units_of_the_whole_range() -> None:
    black = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    still = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    assert warping_error(black, black + 255, still, everywhere()) == pytest.approx(1)
    assert warping_error(black.astype(np.uint8), (black + 51).astype(np.uint8), still, everywhere()) == pytest.approx(0.2)


def test_pair_without_a_pixel_that_counts_is_a_mistake() -> None:
    frame = some_frames(HEIGHT, WIDTH, 3)
    away = np.full((HEIGHT, WIDTH, 2), 99, np.float32)
    for flow, valid in ((away, everywhere()), (away * 0, ~everywhere())):
        with pytest.raises(ValueError, match="no pixel counts"):
            warping_error(frame, frame, flow, valid)


def test_true_flow_explains_most_of_what_moves_in_real_frames() -> None:
    folder = os.environ.get("REALTIME_NST_FLOW")
    if not folder:
        pytest.skip("REALTIME_NST_FLOW is not set: no frames with true flow")
    for files in find_flow(Path(folder)):
        pair: FlowPair = files.read()
        moved = warping_error(pair.first, pair.second, pair.flow, pair.valid)
        unmoved = warping_error(pair.first, pair.second, np.zeros_like(pair.flow), pair.valid)
        assert 0.003 < moved < min(0.05, 0.4 * unmoved), files.scene


# Noise.


def test_what_hands_noise_through_has_a_gain_of_one_and_what_doubles_it_two() -> None:
    photo = some_frames(HEIGHT, WIDTH, 3)
    assert noise_gain(lambda frames: frames, photo) == 1
    assert noise_gain(lambda frames: 2 * frames - 100, photo) == pytest.approx(2)
    assert noise_gain(lambda frames: 255 - frames, photo) == pytest.approx(1)


def test_what_never_changes_has_a_gain_of_zero() -> None:
    assert noise_gain(lambda frames: np.full_like(frames, 80), some_frames(HEIGHT, WIDTH, 3)) == 0


def test_noise_is_that_of_a_camera() -> None:
    seen: list[np.ndarray] = []

    def look(frames: np.ndarray) -> np.ndarray:
        seen.append(frames)
        return frames

    grey = np.full((64, 64, 3), 128, np.float32)
    noise_gain(look, grey, draws=6, sigma=3)
    noise_gain(look, grey, draws=6, sigma=3)
    frames, again = seen
    assert frames.shape == (6, 64, 64, 3) and frames.dtype == np.float32 and np.array_equal(frames, np.rint(frames))
    assert np.array_equal(frames, again), "the same noise for every style"
    assert (frames - 128).std() == pytest.approx(np.sqrt(9 + 1 / 12), rel=0.02)
    assert abs(np.corrcoef(frames[0].ravel(), frames[1].ravel())[0, 1]) < 0.05, "every frame has noise of its own"
    noise_gain(look, np.full((8, 8, 3), 255, np.float32))
    assert seen[-1].max() == 255


def test_mean_change_is_between_neighbours_in_time() -> None:
    frames = np.array([0, 10, 10, 40], np.float32)[:, None, None, None] * np.ones((1, 2, 2, 3), np.float32)
    assert mean_change(frames) == pytest.approx(40 / 3)


# Sharpness.


def test_sharpness_is_the_mean_length_of_the_gradient() -> None:
    image = some_frames(HEIGHT, WIDTH, 3)
    light = [[0.299 * r + 0.587 * g + 0.114 * b for r, g, b in row] for row in image.tolist()]
    lengths = [
        np.hypot(light[r][c + 1] - light[r][c], light[r + 1][c] - light[r][c])
        for r in range(HEIGHT - 1)
        for c in range(WIDTH - 1)
    ]
    assert sharpness(image) == pytest.approx(np.mean(lengths), rel=1e-4)
    assert sharpness(np.full((8, 8, 3), 90, np.uint8)) == pytest.approx(0, abs=1e-4)


def test_blur_lowers_sharpness() -> None:
    picture = Image.fromarray(some_frames(HEIGHT, WIDTH, 3).astype(np.uint8))
    sharp = [sharpness(np.asarray(picture.filter(ImageFilter.GaussianBlur(radius)))) for radius in (0, 0.7, 1.5, 3)]
    assert sharp[0] > 1.5 * sharp[1] > 2 * sharp[2] > 2.5 * sharp[3]


def blur(frames: np.ndarray) -> np.ndarray:
    """Frames without what is fine."""
    soft = [Image.fromarray(frame.astype(np.uint8)).filter(ImageFilter.GaussianBlur(2)) for frame in frames]
    return np.stack([np.asarray(picture, np.float32) for picture in soft])


def test_noise_that_spans_many_pixels_passes_where_white_noise_dies_out() -> None:
    grey = np.full((96, 96, 3), 128, np.float32)
    assert noise_gain(blur, grey, grain=1) < 0.3 < 0.8 < noise_gain(blur, grey, grain=16) < 1.05


def test_blur_holds_still_but_is_found_out() -> None:
    photo = some_frames(HEIGHT, WIDTH, 3)
    assert noise_gain(blur, photo) < 0.4
    assert sharpness(blur(photo[None])[0]) < 0.4 * sharpness(photo)


# Moving along.


def test_what_moves_along_has_no_shift_error() -> None:
    photo = some_frames(48, 64, 3)
    assert shift_error(lambda photos, _: photos, photo) == 0 and shift_error(lambda photos, _: 255 - photos, photo) == 0


def test_strokes_that_stand_on_the_screen_are_found() -> None:
    rng = np.random.default_rng(3)
    grain, photo, margin = rng.uniform(0, 255, (48, 64, 3)).astype(np.float32), some_frames(48, 64, 3), 12
    expected = np.mean(
        [
            np.mean(
                [
                    abs(grain[row, column] - grain[row - by, column - by])
                    for row in range(margin, 48 - margin)
                    for column in range(margin, 64 - margin)
                ]
            )
            for by in (1, 2, 3, 5)
        ]
    )
    measured = shift_error(lambda photos, _: np.stack([grain] * len(photos)), photo)
    assert measured == pytest.approx(expected / sharpness(grain), rel=1e-4)


def test_strokes_that_hang_on_a_field_move_along_with_it() -> None:
    rng = np.random.default_rng(3)
    field, photo = rng.uniform(0, 255, (48, 64, 3)).astype(np.float32), some_frames(48, 64, 3)

    def hung(photos: np.ndarray, moves: Sequence[Offset]) -> np.ndarray:
        return np.stack(
            [photo + np.roll(field, (round(down), round(right)), (0, 1)) for photo, (right, down, _) in zip(photos, moves)]
        )

    assert shift_error(hung, photo) == 0
    assert shift_error(lambda photos, moves: hung(photos, [HOME] * len(photos)), photo) > 0.3


def test_shift_error_does_not_count_what_is_at_the_border() -> None:
    def framed(photos: np.ndarray, moves: object) -> np.ndarray:
        painted = photos.copy()
        painted[:, :4], painted[:, :, :4] = 255, 255
        return painted

    assert shift_error(framed, some_frames(48, 64, 3)) == 0
