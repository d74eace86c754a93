"""The style encoder: what it computes, on any backend, and its file."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from keras import ops
from scipy.special import erf

from realtime_nst.errors import StyleError
from realtime_nst.networks.encoder import build_style_encoder, encoder_variables, set_encoder
from realtime_nst.style.architecture import Architecture
from realtime_nst.style.encoder import ENCODER_SUFFIX, Encoder, encoder_shapes, read_encoder, write_encoder
from realtime_nst.style.style import Body
from realtime_nst.style.weightfile import read_metadata, write_weights
from tests.conftest import NARROW, narrow_body, random_encoder

SIZE = NARROW.vector_size

Arrays = Mapping[str, np.ndarray]


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    """Numbers of an encoder for narrow bodies."""
    return random_encoder(SIZE)


@pytest.fixture
def body(tmp_path: Path) -> Body:
    """A body that the encoder is for."""
    return narrow_body(tmp_path)


def convolve(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, stride: int) -> np.ndarray:
    """A convolution over `(H, W, C)` with a border of zeros, of which the odd one comes last, and nothing below zero."""
    side, count = len(kernel), [-(-length // stride) for length in x.shape[:2]]
    borders = [max((number - 1) * stride + side - length, 0) for number, length in zip(count, x.shape)]
    x = np.pad(x, [(border // 2, border - border // 2) for border in borders] + [(0, 0)])
    found = [
        [np.tensordot(x[row : row + side, column : column + side], kernel, 3) for column in range(0, stride * count[1], stride)]
        for row in range(0, stride * count[0], stride)
    ]
    return np.maximum(np.array(found) + bias, 0)


def encode_with_numpy(painting: np.ndarray, arrays: Arrays) -> np.ndarray:
    """A vector for a painting `(H, W, 3)`, in float64."""
    x, seen = painting / 127.5 - 1, []

    def look() -> None:
        seen.extend([x.mean((0, 1)), np.log(x.var((0, 1)) + 1e-4) / 2])

    look()
    for name, stride in (("1a", 2), ("2a", 2), ("2b", 1), ("3a", 2), ("3b", 1), ("4a", 2), ("4b", 1)):
        x = convolve(x, arrays[f"encoder{name}/kernel"], arrays[f"encoder{name}/bias"], stride)
        if name in ("1a", "2b", "3b", "4b"):
            look()
    codes = np.concatenate(seen)
    codes = (codes - codes.mean()) / np.sqrt(codes.var() + 1e-3) * arrays["encoder_norm/gamma"] + arrays["encoder_norm/beta"]
    for name in ("encoder_dense1", "encoder_dense2"):
        codes = codes @ arrays[f"{name}/kernel"] + arrays[f"{name}/bias"]
        codes = codes * (1 + erf(codes / np.sqrt(2))) / 2
    vector: np.ndarray = codes @ arrays["encoder_vectors/kernel"] + arrays["encoder_vectors/bias"]
    return vector


@pytest.mark.parametrize("uint8", [True, False])
def test_vectors_are_those_of_the_formulas_written_in_numpy(arrays: Arrays, uint8: bool) -> None:
    encoder = build_style_encoder(SIZE, uint8=uint8)
    set_encoder(encoder, arrays)
    painting = np.random.default_rng(1).integers(0, 256, (1, 45, 34, 3), dtype=np.uint8)
    given = painting if uint8 else painting.astype(np.float32)
    first, again = (ops.convert_to_numpy(encoder({"paintings": given})["vectors"]) for _ in range(2))
    assert np.array_equal(first, again) and first.dtype == np.float32
    expected = encode_with_numpy(painting[0], arrays)
    assert np.abs(first[0] - expected).max() < 1e-4 * np.abs(expected).max()


def test_arrays_of_the_network_are_those_of_the_file() -> None:
    variables = encoder_variables(build_style_encoder(SIZE))
    assert {name: tuple(variable.shape) for name, variable in variables.items()} == encoder_shapes(SIZE)


def test_encoder_comes_back_from_its_file_as_it_was(body: Body, arrays: Arrays, tmp_path: Path) -> None:
    assert read_encoder(body) is None
    written = write_encoder(tmp_path, body, arrays, {"hours": 2})
    assert written.path == tmp_path / "narrow.encoder.h5"
    found = read_encoder(body)
    assert found == written and found.metadata["hours"] == 2 and found.vector_size == SIZE
    weights = found.weights()
    assert set(weights) == set(arrays) and all(np.array_equal(weights[name], arrays[name]) for name in arrays)
    assert all(array.dtype == np.float32 for array in weights.values())


def test_numbers_are_rounded_to_half_precision_and_no_further(body: Body, arrays: Arrays, tmp_path: Path) -> None:
    finer = {name: array * np.float32(1.0003) for name, array in arrays.items()}
    weights = write_encoder(tmp_path, body, finer, {}).weights()
    for name, array in finer.items():
        assert np.abs(weights[name] - array).max() <= np.abs(array).max() * 2**-11


def test_file_for_a_body_of_the_shipped_shape_is_small(body: Body, tmp_path: Path) -> None:
    wide = replace(body, architecture=Architecture())
    shapes = encoder_shapes(wide.architecture.vector_size)
    path = write_encoder(tmp_path, wide, {name: np.ones(shape, np.float32) for name, shape in shapes.items()}, {}).path
    assert 1_000_000 < path.stat().st_size < 3_000_000


def test_encoder_of_another_body_is_refused(body: Body, arrays: Arrays, tmp_path: Path) -> None:
    write_encoder(tmp_path, body, arrays, {})
    other = narrow_body(tmp_path, "narrow", seed=1)
    said = "narrow.encoder.h5' is the encoder of another version of the body 'narrow'. Copy both from one place"
    with pytest.raises(StyleError, match=said):
        read_encoder(other)


def test_changed_encoder_is_refused(body: Body, arrays: Arrays, tmp_path: Path) -> None:
    path = write_encoder(tmp_path, body, arrays, {}).path
    changed = {**arrays, "encoder_norm/beta": arrays["encoder_norm/beta"] + 1}
    write_weights(path, changed, read_metadata(path), half=True)
    found = read_encoder(body)
    assert isinstance(found, Encoder)
    with pytest.raises(StyleError, match="is not what its own hash says; it was damaged or changed. Copy it again"):
        found.weights()
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(StyleError, match="is not a readable weight file"):
        read_encoder(body)


@pytest.mark.parametrize("number", [70_000.0, -np.inf])
def test_number_that_half_precision_cannot_hold_is_not_written(body: Body, arrays: Arrays, tmp_path: Path, number: float) -> None:
    large = {**arrays, "encoder_norm/beta": np.full_like(arrays["encoder_norm/beta"], number)}
    with pytest.raises(ValueError, match="numbers above 65504: what fits into half precision was expected"):
        write_encoder(tmp_path, body, large, {})
    with pytest.raises(ValueError, match="arrays .* were expected"):
        write_encoder(tmp_path, body, {"encoder_norm/beta": np.ones(3)}, {})
    assert not list(tmp_path.glob(f"*{ENCODER_SUFFIX}"))
