"""Cutting a body: what does nothing goes first, and what stays answers as before."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from realtime_nst.errors import TrainingError
from realtime_nst.style.architecture import Architecture
from realtime_nst.train.pruning import check_narrower, fewer_patches, narrowed, split_vectors, strongest
from tests.conftest import NARROW, narrow_body, random_vector
from tests.reference import convolve, stylize_with_numpy

pytestmark = pytest.mark.once


@pytest.fixture
def photos() -> np.ndarray:
    """Smooth pictures with a little noise, as photos are."""
    rng = np.random.default_rng(0)
    coarse = rng.uniform(0, 255, (6, 5, 5, 3)).repeat(16, 1).repeat(16, 2)
    smooth = sum(np.roll(coarse, (row, column), (1, 2)) for row in range(8) for column in range(8)) / 64
    noisy: np.ndarray = (smooth + rng.normal(0, 2, smooth.shape)).clip(0, 255)
    return noisy


def widened(
    narrow: Architecture, kernels: dict[str, np.ndarray], vector: np.ndarray, wide: Architecture
) -> tuple[dict, np.ndarray]:
    """The same network with more channels, of which nothing is heard, in the middle of the others."""
    kernels, parts = dict(kernels), split_vectors(narrow, vector[None])
    pairs = [("block1a", "block1b", wide.inner), ("fine1a", "fine1b", wide.fine_inner), ("half", "colours", wide.half)]
    for before, after, count in pairs:
        more = count - kernels[f"{before}/kernel"].shape[-1]
        places = [2] * more
        kernels[f"{before}/kernel"] = np.insert(kernels[f"{before}/kernel"], places, 0.7, axis=3)
        kernels[f"{after}/kernel"] = np.insert(kernels[f"{after}/kernel"], places, 0.0, axis=2)
        parts[before] = np.insert(parts[before], places, 1.0, axis=2)
        if f"{before}_field/kernel" in kernels:
            kernels[f"{before}_field/kernel"] = np.insert(kernels[f"{before}_field/kernel"], places, 0.3, axis=3)
    return kernels, np.concatenate([part for name in parts for part in parts[name]], axis=1)[0]


def test_channels_that_nobody_hears_are_cut_and_the_picture_stays(photos: np.ndarray, tmp_path: Path) -> None:
    kernels, vector = narrow_body(tmp_path).weights(), random_vector(1)
    wide = replace(NARROW, inner=NARROW.inner + 3, fine_inner=NARROW.fine_inner + 2, half=NARROW.half + 4)
    wide_kernels, wide_vector = widened(NARROW, kernels, vector, wide)
    frame = photos[0, :48, :64].astype(np.uint8)
    expected = stylize_with_numpy(frame, vector, kernels, NARROW)
    assert np.array_equal(stylize_with_numpy(frame, wide_vector, wide_kernels, wide), expected)
    cut, vectors = narrowed(wide, wide_kernels, wide_vector[None], NARROW, photos)
    assert {name: kernel.shape for name, kernel in cut.items()} == NARROW.kernel_shapes
    assert np.abs(stylize_with_numpy(frame, vectors[0], cut, NARROW).astype(int) - expected).max() <= 1
    same = [name for name in kernels if name not in ("patches/kernel", "stem/kernel")]
    assert all(np.array_equal(cut[name], kernels[name]) for name in same)
    assert np.array_equal(vectors[0], vector)


def test_few_numbers_describe_the_patches_of_photos_nearly_as_well(photos: np.ndarray) -> None:
    rng = np.random.default_rng(2)
    patches, stem = rng.normal(0, 0.2, (4, 4, 3, 48)), rng.normal(0, 0.2, (3, 3, 48, 7))

    def answer(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        cells = photos[0].reshape(20, 4, 20, 4, 3).transpose(0, 2, 1, 3, 4).reshape(20, 20, 48) / 127.5 - 1
        return convolve(cells @ first.reshape(48, -1), second)

    whole = answer(patches, stem)
    lost = {}
    for count in (4, 12, 48):
        few = fewer_patches(patches, stem, count, photos)
        assert few[0].shape == (4, 4, 3, count) and few[1].shape == (3, 3, count, 7)
        lost[count] = np.mean((answer(*few) - whole) ** 2) / np.var(whole)
    assert lost[4] > lost[12] > lost[48]
    assert lost[12] < 0.01 and lost[48] < 1e-9
    careless = answer(patches[..., :12], stem[:, :, :12])
    assert lost[12] < np.mean((careless - whole) ** 2) / np.var(whole) / 20


def test_strong_channels_are_those_that_fire_and_are_heard() -> None:
    parts = np.ones((2, 3, 5))  # scale and shift of five channels in three styles
    after = np.ones((3, 3, 5, 2))
    after[:, :, 1] = 0.0  # not heard
    parts[1, :, 3] = -9.0  # never fires
    parts[0, 1, 4] = 5.0  # loud in one style
    assert list(strongest(parts, after, 1)) == [4]
    assert list(strongest(parts, after, 3)) == [0, 2, 4]


def test_vectors_are_split_as_the_network_reads_them() -> None:
    parts = split_vectors(NARROW, np.arange(NARROW.vector_size)[None])
    assert [part.shape[-1] for part in parts.values()] == [*NARROW.norm_channels, 3]
    assert list(parts["stem"][0, 0]) == [0, 1, 2, 3, 4, 5] and list(parts["stem"][1, 0]) == [6, 7, 8, 9, 10, 11]
    assert list(parts["stem"][2, 0]) == [12, 13, 14, 15, 16, 17], "it takes up the texture field"
    assert list(parts["colours"][1, 0]) == [NARROW.vector_size - 3, NARROW.vector_size - 2, NARROW.vector_size - 1]


@pytest.mark.parametrize("change", [{"inner": 6}, {"half": 5}, {"patches": 10}])
def test_nothing_becomes_wider(change: dict[str, int]) -> None:
    name, number = next(iter(change.items()))
    with pytest.raises(
        TrainingError, match=f"{number} for '{name}', where the body to learn from has {number - 1}: at most {number - 1} was"
    ):
        check_narrower(NARROW, replace(NARROW, **change))


@pytest.mark.parametrize("change", [{"blocks": 0}, {"field": 3}, {"entry": 6}, {"eighth": 6}, {"quarter": 5}, {"fine_blocks": 2}])
def test_residual_maps_stay_as_they_are(change: dict[str, int]) -> None:
    name, number = next(iter(change.items()))
    with pytest.raises(
        TrainingError, match=f"{number} for '{name}', .*: {getattr(NARROW, name)} was expected. A body can be made"
    ):
        check_narrower(NARROW, replace(NARROW, **change))
