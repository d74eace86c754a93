"""The numbers of a network, counted by hand."""

import pytest

from realtime_nst.style.architecture import LIMITS, Architecture


def test_shipped_network_has_a_vector_of_four_kilobytes() -> None:
    # stem 32, down 64, three blocks of 16 and 64, quarter 32, two blocks of 16 and 32, half 16, and three colours; a scale and
    # a shift of each.
    assert Architecture().vector_size == 2 * (32 + 64 + 3 * (16 + 64) + 32 + 2 * (16 + 32) + 16 + 3) == 966


def test_normalizations_come_in_the_order_of_the_forward_pass() -> None:
    architecture = Architecture(quarter=5, eighth=8, blocks=2, inner=7, fine_blocks=1, fine_inner=4, half=6)
    assert architecture.norm_channels == (5, 8, 7, 8, 7, 8, 5, 4, 5, 6)


def test_network_without_blocks_still_has_its_way_down_and_up() -> None:
    assert Architecture(eighth=8, blocks=0, quarter=5, fine_blocks=0, half=6).norm_channels == (5, 8, 5, 6)


@pytest.mark.parametrize("blocks", [0, 1, 5])
def test_every_convolution_but_the_first_and_the_last_is_normalized(blocks: int) -> None:
    architecture = Architecture(eighth=16, blocks=blocks, half=8, quarter=4)
    outputs = [shape[-1] for shape in architecture.kernel_shapes.values()]
    assert tuple(outputs) == (architecture.patches, *architecture.norm_channels, 12)


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
    numbers = {"patches": 9, "quarter": 8, "eighth": 32, "blocks": 3, "inner": 12, "fine_blocks": 1, "fine_inner": 6, "half": 16}
    architecture = Architecture(**numbers)
    assert architecture.to_dict() == numbers
    assert Architecture.from_dict(architecture.to_dict()) == architecture


def test_missing_number_is_refused() -> None:
    with pytest.raises(
        ValueError, match="has patches, quarter, eighth, blocks, inner, fine_blocks, fine_inner, half; this one has eighth, half"
    ):
        Architecture.from_dict({"eighth": 8, "half": 8})


def test_unknown_number_is_refused() -> None:
    with pytest.raises(
        ValueError, match="this one has blocks, depth, eighth, fine_blocks, fine_inner, half, inner, patches, quarter"
    ):
        Architecture.from_dict({**Architecture().to_dict(), "depth": 3})


def test_numbers_from_a_file_are_checked_too() -> None:
    with pytest.raises(ValueError, match="eighth=100000: a whole number from 4 to 512 was expected"):
        Architecture.from_dict({**Architecture().to_dict(), "eighth": 100_000})


def test_architecture_cannot_be_changed_afterwards() -> None:
    with pytest.raises(AttributeError, match="cannot assign"):
        Architecture().eighth = 8  # type: ignore[misc]
