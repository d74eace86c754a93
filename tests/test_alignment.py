"""How one picture lies over another: which blocks count, and what is left of them."""

from dataclasses import fields

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from realtime_nst.painting.alignment import Overlay, Picture, align, lay_over, small_grey
from realtime_nst.painting.blocks import BLOCK
from tests.test_camera_motion import sample

HEIGHT, WIDTH = 90, 160
LEVEL = np.zeros(2)


def view(left: int, top: int) -> Picture:
    """A part of a photo."""
    photo = sample("coffee", 400, 300).mean(-1)
    return Picture(photo[top : top + HEIGHT, left : left + WIDTH])


@pytest.mark.parametrize("shift", [(0, 0), (3, -2), (-37, 21), (70, -40), (0, 44), (-151, 0), (170, 95), (500, -300)])
def test_blocks_count_that_lie_over_the_other_picture_and_nothing_is_left_of_them(shift: tuple[int, int]) -> None:
    near = np.clip(shift, (-110, -90), (110, 90))
    now, before = view(120 - near[0], 100 - near[1]), view(120, 100)
    laid = lay_over(now, before, np.array(shift, float), LEVEL)
    left, top = now.blocks.x + WIDTH / 2 - BLOCK / 2 - shift[0], now.blocks.y + HEIGHT / 2 - BLOCK / 2 - shift[1]
    inside = (left >= 2) & (top >= 2) & (left + BLOCK <= WIDTH - 2) & (top + BLOCK <= HEIGHT - 2)
    assert np.array_equal(laid.counted, now.telling & inside)
    if tuple(near) == shift:
        seen_whole = laid.counted & now.blocks.whole(*np.zeros((2, 1)))  # smoothing takes in what lies beyond the edges
        assert (laid.left[seen_whole] < 0.002 * now.variance[seen_whole] + 0.01).all()
    assert all(np.isfinite(getattr(laid, field.name)).all() for field in fields(Overlay))


def test_half_a_pixel_lies_between_the_whole_ones() -> None:
    now, before = view(120, 100), view(121, 98)  # so all moved by (1, -2)
    misfits = {x: lay_over(now, before, np.array([x, -2.0]), LEVEL).misfit for x in (0.0, 0.5, 1.0, 1.5, 2.0)}
    assert misfits[1.0] < 0.001 < 2 * misfits[0.5] < misfits[0.0]
    assert misfits[1.0] < 0.001 < 2 * misfits[1.5] < misfits[2.0]


@pytest.mark.parametrize(("shift", "turn"), [((1.25, -2.5), (0, 0)), ((0, 0), (0, 0.01)), ((-1.6, 0.3), (0.008, -0.02))])
def test_what_moved_grew_and_turned_is_found(shift: tuple[float, float], turn: tuple[float, float]) -> None:
    """Against SciPy's splines, at every pixel; blocks are moved, and not turned themselves."""
    whole = sample("coffee", 400, 300).mean(-1)
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(float)
    right, down = x - (WIDTH - 1) / 2, y - (HEIGHT - 1) / 2  # of the middle
    across, along = shift[0] + turn[0] * right - turn[1] * down, shift[1] + turn[0] * down + turn[1] * right
    now = Picture(map_coordinates(whole, [100 + y - along, 120 + x - across], order=3).astype(np.float32))
    before = view(120, 100)
    level = lay_over(now, before, LEVEL, LEVEL)
    exact = lay_over(now, before, np.array(shift), np.array(turn))
    assert exact.misfit < 0.003 < 0.2 * level.misfit
    found = align(now, before, level, LEVEL)
    assert np.allclose(found.shift, shift, atol=0.05) and np.allclose(found.turn, turn, atol=1e-3)
    assert found.fitting == 1.0


@pytest.mark.parametrize(("height", "width", "factor"), [(720, 1280, 8), (725, 1287, 8), (97, 131, 1), (301, 480, 3)])
def test_a_small_frame_has_the_means_of_squares(height: int, width: int, factor: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    for frame in (image, image[::-1, ::-1], np.full_like(image, 255)):
        rows, columns = height // factor, width // factor
        squares = frame[: rows * factor, : columns * factor].reshape(rows, factor, columns, factor, 3)
        grey, found = small_grey(frame)
        assert found == factor and grey.dtype == np.float32
        assert np.allclose(grey, squares.mean((1, 3, 4)), atol=1e-3)
