"""The numbers of a network, counted by hand."""

import numpy as np
import pytest

from realtime_nst.style.architecture import LIMITS, Architecture


def test_network_has_a_vector_of_four_kilobytes() -> None:
    # stem 32, down 64, three blocks of 16 and 64, quarter 32, two blocks of 16 and 32, half 16, and three colours; a scale and
    # a shift of each.
    assert Architecture(field=0).vector_size == 2 * (32 + 64 + 3 * (16 + 64) + 32 + 2 * (16 + 32) + 16 + 3) == 966
    # A gain of the texture field for stem, down, and the first half of each block.
    assert Architecture().vector_size == 966 + 32 + 64 + 3 * 16 + 2 * 16


def test_texture_multiplies_the_gains_of_a_vector_and_nothing_else() -> None:
    architecture = Architecture(quarter=5, eighth=8, blocks=1, inner=7, fine_blocks=1, fine_inner=4, half=6)
    vector = np.arange(1.0, 1 + architecture.vector_size, dtype=np.float32)
    stem, down, inside = 2 * 5, 2 * 5 + 5 + 2 * 8, 2 * 5 + 5 + 2 * 8 + 8 + 2 * 7
    fine = inside + 7 + 2 * 8 + 2 * 5 + 2 * 4
    gains = [*range(stem, stem + 5), *range(down, down + 8), *range(inside, inside + 7), *range(fine, fine + 4)]
    expected = vector.copy()
    expected[gains] *= 0.25
    assert (
        np.array_equal(architecture.textured(vector, 0.25), expected) and architecture.textured(vector, 0.25).dtype == np.float32
    )
    assert architecture.textured(vector, 1.0) is vector and vector[0] == 1.0
    first = Architecture(field=0)
    vector = np.ones(first.vector_size, np.float32)
    assert first.textured(vector, 0.0) is vector, "there is no field"


def test_normalizations_come_in_the_order_of_the_forward_pass() -> None:
    architecture = Architecture(quarter=5, eighth=8, blocks=2, inner=7, fine_blocks=1, fine_inner=4, half=6)
    assert architecture.norm_channels == (5, 8, 7, 8, 7, 8, 5, 4, 5, 6)


def test_network_without_blocks_still_has_its_way_down_and_up() -> None:
    assert Architecture(eighth=8, blocks=0, quarter=5, fine_blocks=0, half=6).norm_channels == (5, 8, 5, 6)


@pytest.mark.parametrize("blocks", [0, 1, 5])
def test_every_convolution_but_the_first_and_the_last_is_normalized(blocks: int) -> None:
    architecture = Architecture(eighth=16, blocks=blocks, half=8, quarter=4)
    outputs = [shape[-1] for name, shape in architecture.kernel_shapes.items() if "_field" not in name]
    assert tuple(outputs) == (architecture.patches, *architecture.norm_channels, 12)
    taking = {name: shape for name, shape in architecture.kernel_shapes.items() if "_field" in name}
    assert taking == {f"{name}_field/kernel": (3, 3, 4, channels) for name, (_, channels) in architecture.field_channels.items()}
    assert len(taking) == 2 + blocks + architecture.fine_blocks


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
    assert architecture.to_dict() == {**numbers, "field": 4}
    assert Architecture.from_dict(architecture.to_dict()) == architecture
    other = Architecture(entry=8, blurred=1, field=2)
    assert Architecture.from_dict(other.to_dict()) == other and other.to_dict()["entry"] == 8


def test_files_of_the_first_bodies_say_nothing_of_a_field_and_go_on_doing_so() -> None:
    numbers = {"patches": 9, "quarter": 8, "eighth": 32, "blocks": 3, "inner": 12, "fine_blocks": 1, "fine_inner": 6, "half": 16}
    architecture = Architecture.from_dict(numbers)
    assert (architecture.entry, architecture.blurred, architecture.field) == (4, 0, 0)
    assert architecture.to_dict() == numbers, "so that their hashes stay what they are"


def test_an_entry_has_two_middles() -> None:
    with pytest.raises(ValueError, match="entry=7: an even number was expected"):
        Architecture(entry=7)


def test_missing_number_is_refused() -> None:
    with pytest.raises(
        ValueError, match="has entry, blurred, patches, .*, field; this one has blurred, eighth, entry, field, half"
    ):
        Architecture.from_dict({"eighth": 8, "half": 8})


def test_unknown_number_is_refused() -> None:
    with pytest.raises(
        ValueError, match="this one has blocks, blurred, depth, eighth, entry, field, fine_blocks, .*, patches, quarter"
    ):
        Architecture.from_dict({**Architecture().to_dict(), "depth": 3})


def test_numbers_from_a_file_are_checked_too() -> None:
    with pytest.raises(ValueError, match="eighth=100000: a whole number from 4 to 512 was expected"):
        Architecture.from_dict({**Architecture().to_dict(), "eighth": 100_000})


def test_architecture_cannot_be_changed_afterwards() -> None:
    with pytest.raises(AttributeError, match="cannot assign"):
        Architecture().eighth = 8  # type: ignore[misc]
