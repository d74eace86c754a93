"""The numbers of a network, counted by hand."""

import pytest

from realtime_nst.architecture import LIMITS, Architecture
from realtime_nst.styles import kernel_shapes


def test_shipped_network_has_the_vector_of_six_kilobytes() -> None:
    # stem 64, five blocks of two norms of 64 each, half 24, full 12, and three colours; a scale and a shift of each.
    assert Architecture().vector_size == 2 * (64 + 5 * 2 * 64 + 24 + 12 + 3) == 1486


def test_normalizations_come_in_the_order_of_the_forward_pass() -> None:
    assert Architecture(width=8, blocks=2, half=6, full=4).norm_channels == (8, 8, 8, 8, 8, 6, 4)


def test_network_without_blocks_still_has_stem_half_and_full() -> None:
    assert Architecture(width=8, blocks=0, half=6, full=4).norm_channels == (8, 6, 4)


@pytest.mark.parametrize("blocks", [0, 1, 5])
def test_every_convolution_but_the_last_is_normalized(blocks: int) -> None:
    architecture = Architecture(width=16, blocks=blocks, half=8, full=4)
    outputs = [shape[-1] for shape in kernel_shapes(architecture).values()]
    assert tuple(outputs) == (*architecture.norm_channels, 3)


@pytest.mark.parametrize("name", LIMITS)
def test_numbers_at_their_limits_are_taken(name: str) -> None:
    for value in LIMITS[name]:
        assert getattr(Architecture(**{name: value}), name) == value


@pytest.mark.parametrize("name", LIMITS)
def test_numbers_beyond_their_limits_are_refused_by_name(name: str) -> None:
    lowest, highest = LIMITS[name]
    for value in (lowest - 1, highest + 1, 10**30):
        with pytest.raises(ValueError, match=f"{name}={value}: a whole number from {lowest} to {highest} was expected"):
            Architecture(**{name: value})


@pytest.mark.parametrize("value", [8.0, "8", None, float("nan"), [8], True])
def test_what_is_no_whole_number_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="blocks=.*a whole number from 0 to 32 was expected"):
        Architecture(blocks=value)  # type: ignore[arg-type]


def test_numbers_survive_the_way_into_a_file_and_back() -> None:
    architecture = Architecture(width=32, blocks=3, half=16, full=8)
    assert architecture.to_dict() == {"width": 32, "blocks": 3, "half": 16, "full": 8}
    assert Architecture.from_dict(architecture.to_dict()) == architecture


def test_missing_number_is_refused() -> None:
    with pytest.raises(ValueError, match="an architecture has width, blocks, half, full; this one has full, half, width"):
        Architecture.from_dict({"width": 8, "half": 8, "full": 8})


def test_unknown_number_is_refused() -> None:
    with pytest.raises(ValueError, match="this one has blocks, depth, full, half, width"):
        Architecture.from_dict({**Architecture().to_dict(), "depth": 3})


def test_numbers_from_a_file_are_checked_too() -> None:
    with pytest.raises(ValueError, match="width=100000: a whole number from 4 to 512 was expected"):
        Architecture.from_dict({**Architecture().to_dict(), "width": 100_000})


def test_architecture_cannot_be_changed_afterwards() -> None:
    with pytest.raises(AttributeError, match="cannot assign"):
        Architecture().width = 8  # type: ignore[misc]
