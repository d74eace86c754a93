"""How one picture lies over another, and how frames are made small for it."""

import numpy as np
import pytest

from realtime_nst.painting.alignment import small_grey


@pytest.mark.parametrize(("height", "width", "factor"), [(720, 1280, 8), (725, 1287, 8), (97, 131, 1), (301, 480, 3)])
def test_a_small_frame_has_the_means_of_squares(height: int, width: int, factor: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    for frame in (image, image[::-1, ::-1], np.full_like(image, 255)):
        rows, columns = height // factor, width // factor
        squares = frame[: rows * factor, : columns * factor].reshape(rows, factor, columns, factor, 3)
        grey, found = small_grey(frame)
        assert found == factor and grey.dtype == np.float32
        assert np.allclose(grey, squares.mean((1, 3, 4)), atol=1e-3)
