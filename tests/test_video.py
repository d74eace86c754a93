"""Sizes: parsing them, and padding frames to a multiple of 8."""

import numpy as np
import pytest

from realtime_nst.frames import Frame, pad_to_multiple, padded_length, parse_size


def test_size_is_read_as_width_then_height() -> None:
    assert parse_size("640x480") == (640, 480)
    assert parse_size(" 1280X720 ") == (1280, 720)


@pytest.mark.parametrize("text", ["640", "640x", "640*480", "-640x480", "0x0", "640x99999", "7x480", "640x480x3", "nan"])
def test_anything_else_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="Write width x height in pixels, as in 640x480"):
        parse_size(text)


@pytest.mark.parametrize("height", [1, 2, 3, 7, 8, 9, 10, 11, 480, 481])
@pytest.mark.parametrize("width", [1, 5, 8, 639, 640])
def test_padding_gives_multiples_of_four_and_crops_back_exactly(width: int, height: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    padded = pad_to_multiple(image)
    assert padded.shape == (padded_length(height), padded_length(width), 3)
    assert padded.shape[0] % 8 == 0 and padded.shape[1] % 8 == 0 and min(padded.shape[:2]) >= 16
    assert np.array_equal(padded[:height, :width], image)


def test_padding_mirrors_without_repeating_the_edge() -> None:
    image = np.arange(9, dtype=np.uint8)[None, :, None].repeat(8, 0).repeat(3, 2)
    assert pad_to_multiple(image)[0, :, 0].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 7, 6, 5, 4, 3, 2, 1]


def test_image_that_fits_is_not_copied() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    assert pad_to_multiple(image) is image


def test_frame_keeps_its_moment_under_another_picture() -> None:
    frame = Frame(np.zeros((8, 8, 3), np.uint8), 7, 1.5)
    other = frame.with_image(np.ones((8, 8, 3), np.uint8))
    assert (other.index, other.captured_at) == (7, 1.5) and other.image.max() == 1 and frame.image.max() == 0
