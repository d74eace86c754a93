"""The texture field: the same numbers everywhere, on a torus, and moved as Keys' interpolation says."""

import numpy as np
import pytest

from realtime_nst.style.field import HOME, PARTS, PERIOD, Offset, field, field_at, fields_of, fine, moved, torus
from tests.reference import field_with_numpy, torus_with_numpy

OFFSETS: list[Offset] = [
    HOME,
    (8.0, -16.0, 0.0),
    (3.3, -7.7, 0.0),
    (0.0, 1.5, 0.0),
    (-2050.25, 12345.5, 0.0),
    (-1e-9, 2048 - 1e-9, 0.0),
]
TURNED: list[Offset] = [(0.0, 0.0, 0.02), (3.3, -7.7, -0.3), (-2050.25, 12345.5, 2.0), (1.0, 2.0, -100.0)]


@pytest.mark.parametrize("part", PARTS)
def test_torus_is_smooth_noise_of_deviation_one(part: int) -> None:
    whole = torus(part, 3)
    assert whole.shape == (PERIOD // part, PERIOD // part, 3) and whole.dtype == np.float32
    assert abs(whole.mean()) < 1e-5 and abs(whole.std() - 1) < 1e-5
    assert np.abs(whole - torus_with_numpy(part, 3)).max() < 1e-5
    neighbours = [np.mean(whole * np.roll(whole, 1, axis)) for axis in (0, 1)]
    assert np.allclose(neighbours, np.exp(-1 / (4 * 0.8**2)), atol=0.02), "as alike as a Gaussian of 0.8 places makes them"
    assert abs(np.mean(whole[..., 0] * whole[..., 1])) < 0.02, "channels know nothing of each other"
    with pytest.raises(ValueError, match="read-only"):
        whole[0, 0] = 0


@pytest.mark.parametrize(
    ("part", "first", "sum_of_waves"),
    [(4, [0.368261, 2.198865, -0.784507, -0.266529], -389.322), (8, [-0.278449, 0.284238, -0.401756, 0.173865], -168.232)],
)
def test_every_painting_hangs_on_these_numbers(part: int, first: list[float], sum_of_waves: float) -> None:
    whole = torus(part, 4)
    assert np.allclose(whole[0, 0], first, atol=1e-5)
    checksum = np.sum(whole * np.sin(np.arange(whole.size)).reshape(whole.shape), dtype=np.float64)
    assert abs(checksum - sum_of_waves) < 0.05, "another generator, order or blur gives quite another one"


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("offset", OFFSETS)
def test_field_is_the_torus_moved_by_whole_places_and_cubically_between_them(part: int, offset: Offset) -> None:
    found = field(part, 2, 136, 72, offset)
    assert found.shape == (72 // part, 136 // part, 2) and found.dtype == np.float32 and found.flags.c_contiguous
    assert np.abs(found - field_with_numpy(part, 2, 136, 72, offset)).max() < 1e-5


@pytest.mark.parametrize("part", PARTS)
def test_whole_places_are_moved_exactly_and_the_torus_has_no_border(part: int) -> None:
    whole = torus(part, 2)
    assert np.array_equal(field(part, 2, PERIOD, PERIOD), whole)
    for across, down in ((part, 0), (0, part), (-3 * part, 5 * part), (PERIOD, -PERIOD), (PERIOD + part, 7 * part)):
        moved = np.roll(whole, (down // part, across // part), (0, 1))
        assert np.array_equal(field(part, 2, PERIOD, PERIOD, (across, down, 0.0)), moved)
    wide = field(part, 2, PERIOD + 64, PERIOD + 32, (1.3, -2.6, 0.0))
    assert np.array_equal(wide[:, : 64 // part], wide[:, PERIOD // part :]) and np.array_equal(
        wide[: 32 // part], wide[PERIOD // part :]
    )


@pytest.mark.parametrize("offset", OFFSETS)
def test_fields_of_a_frame_are_those_that_training_samples_anywhere(offset: Offset) -> None:
    fields = fields_of(4, 96, 64, offset)
    assert list(fields) == ["field4", "field8"]
    for part in PARTS:
        y, x = np.mgrid[: 64 // part, : 96 // part].astype(float)
        expected = field_at(part, 4, x - offset[0] / part, y - offset[1] / part)
        assert fields[f"field{part}"].shape == (1, *expected.shape) and fields[f"field{part}"].dtype == np.float32
        assert np.abs(fields[f"field{part}"][0] - expected).max() < 1e-5


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("offset", TURNED)
def test_turned_field_is_the_torus_about_the_middle_of_the_frame(part: int, offset: Offset) -> None:
    x, y, turn = offset
    found = field(part, 2, 136, 72, offset)
    assert found.shape == (72 // part, 136 // part, 2) and found.dtype == np.float32 and found.flags.c_contiguous
    down, right = np.mgrid[: 72 // part, : 136 // part] * part + part / 2
    places = (right - 68 - x + 1j * (down - 36 - y)) * np.exp(-1j * turn)  # where each was before it turned and moved
    column, row = (((way + half) / part - 0.5) for way, half in ((places.real, 68), (places.imag, 36)))
    assert np.abs(found - field_at(part, 2, column, row)).max() < 0.35, "straight lines between values at half places"
    assert np.sqrt(np.mean((found - field_at(part, 2, column, row)) ** 2)) < 0.07
    values, side = fine(part, 2), len(fine(part, 2))
    left, top = np.floor(2 * column).astype(int), np.floor(2 * row).astype(int)
    across, along = (2 * column - left)[..., None], (2 * row - top)[..., None]
    lines = [
        (1 - across) * values[line % side, left % side] + across * values[line % side, (left + 1) % side]
        for line in (top, top + 1)
    ]
    assert np.abs(found - (1 - along) * lines[0] - along * lines[1]).max() < 2e-3, "but for the rounding of places"


@pytest.mark.parametrize("part", PARTS)
def test_values_between_places_are_those_of_the_field_that_has_moved_by_halves(part: int) -> None:
    values = fine(part, 2)
    assert np.array_equal(values[::2, ::2], torus(part, 2)) and not values.flags.writeable
    for row, column in ((0, 1), (1, 0), (1, 1)):
        halves = moved(part, 2, PERIOD, PERIOD, -column * part / 2, -row * part / 2)
        assert np.abs(values[row::2, column::2] - halves).max() < 1e-5


@pytest.mark.parametrize("part", PARTS)
def test_a_little_turning_changes_a_little(part: int) -> None:
    still, turned = (field(part, 2, 1280, 720, (5.0, 3.0, turn)) for turn in (0.0, 1e-9))
    assert np.sqrt(np.mean((still - turned) ** 2)) < 0.1
    quarter = field(part, 2, 512, 512, (0.0, 0.0, np.pi / 2))
    assert np.abs(quarter - np.rot90(field(part, 2, 512, 512), -1)).max() < 2e-3, "clockwise"


def test_the_way_there_and_back_ends_where_it_began() -> None:
    there, back = fields_of(4, 96, 64, (3.3, -7.7, 0.0)), fields_of(4, 96, 64, (3.3 - 3.3, -7.7 + 7.7, 0.0))
    for name, start in fields_of(4, 96, 64).items():
        assert np.array_equal(back[name], start) and not np.allclose(there[name], start, atol=0.1)
    for part in PARTS:  # what is sampled at places that moved along is the torus itself again
        moved = field(part, 1, PERIOD, PERIOD, (2.5 * part, -1.25 * part, 0.0))[..., 0]
        waves = np.fft.fft2(moved) * np.exp(
            2j * np.pi * np.add.outer(-1.25 * np.fft.fftfreq(len(moved)), 2.5 * np.fft.fftfreq(len(moved)))
        )
        assert np.corrcoef(np.fft.ifft2(waves).real.ravel(), torus(part, 1)[..., 0].ravel())[0, 1] > 0.97


def test_a_body_without_a_field_gets_none() -> None:
    assert fields_of(0, 96, 64, (1.0, 2.0, 0.1)) == {}
