"""The style encoder: what it computes, on any backend, and its file."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops
from scipy.special import erf

from realtime_nst.engines.backend import Backend
from realtime_nst.engines.encoder import PictureEncoder
from realtime_nst.engines.runner import runner_for
from realtime_nst.errors import StyleError
from realtime_nst.networks.encoder import build_style_encoder, encoder_variables, loaded_encoder, set_encoder
from realtime_nst.networks.transform import build_transform_network, set_kernels
from realtime_nst.style.architecture import Architecture
from realtime_nst.style.encoder import ENCODER_SUFFIX, TRIES, Encoder, encoder_shapes, read_encoder, write_encoder
from realtime_nst.style.field import fields_of
from realtime_nst.style.scene import SIDE, scene
from realtime_nst.style.style import Body
from realtime_nst.style.weightfile import read_metadata, write_weights
from tests.conftest import NARROW, NARROW_FIRST, narrow_body, random_encoder

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
"""Keras' own, about TensorFlow's variables."""

SIZE = NARROW.vector_size
BACKEND = os.environ["KERAS_BACKEND"]

Arrays = Mapping[str, np.ndarray]


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    """Numbers of an encoder for narrow bodies."""
    return random_encoder(SIZE)


def network_of(body: Body) -> keras.Model:
    """A body as the encoder tries its vectors with it."""
    network = build_transform_network(body.architecture, uint8=False)
    set_kernels(network, body.weights())
    return network


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> keras.Model:
    """That of a narrow body."""
    return network_of(narrow_body(tmp_path_factory.mktemp("body")))


@pytest.fixture
def body(tmp_path: Path) -> Body:
    """A body that the encoder is for."""
    return narrow_body(tmp_path)


def convolve(x: np.ndarray, arrays: Arrays, name: str, stride: int = 1) -> np.ndarray:
    """A convolution over `(H, W, C)` with a border of zeros, of which the odd one comes last; below zero a tenth is left."""
    kernel = arrays[f"{name}/kernel"]
    side, count = len(kernel), [-(-length // stride) for length in x.shape[:2]]
    borders = [max((number - 1) * stride + side - length, 0) for number, length in zip(count, x.shape)]
    x = np.pad(x, [(border // 2, border - border // 2) for border in borders] + [(0, 0)])
    places = np.lib.stride_tricks.sliding_window_view(x, (side, side), (0, 1))[::stride, ::stride]
    found = np.einsum("hwcij,ijcd->hwd", places, kernel, optimize=True) + arrays[f"{name}/bias"]
    return np.where(found < 0, 0.1 * found, found)


def kept_with_numpy(picture: np.ndarray, arrays: Arrays) -> np.ndarray:
    """What is seen in a picture `(H, W, 3)`, in float64."""
    x = picture / 127.5 - 1
    maps = [x]
    for size, names in enumerate(("1a", "2a 2b", "3a 3b", "4a 4b 4c")):
        for number, name in enumerate(names.split()):
            x = convolve(x, arrays, f"encoder{name}", 2 if size and not number else 1)
        maps.append(convolve(x, arrays, f"encoder_sight{size + 1}"))
    seen = np.concatenate([part for x in maps for part in (x.mean((0, 1)), np.log(x.var((0, 1)) + 1e-4) / 2)])
    kept: np.ndarray = (seen - arrays["encoder_kept/middle"]) / arrays["encoder_kept/deviation"]
    return kept


def dense(x: np.ndarray, arrays: Arrays, name: str) -> np.ndarray:
    found: np.ndarray = x @ arrays[f"{name}/kernel"] + arrays[f"{name}/bias"]
    return found


def gelu(x: np.ndarray) -> np.ndarray:
    found: np.ndarray = x * (1 + erf(x / np.sqrt(2))) / 2
    return found


def vectors_with_numpy(painting: np.ndarray, arrays: Arrays, network: keras.Model) -> list[np.ndarray]:
    """The first guess for a painting `(H, W, 3)`, and what becomes of it, try by try; the body paints on Keras."""
    kept = kept_with_numpy(painting, arrays)
    hidden = gelu(dense(kept, arrays, "encoder_guess1"))
    vectors = [arrays["encoder_spread/base"] + arrays["encoder_spread/reach"] * dense(hidden, arrays, "encoder_guess2")]
    for _ in range(TRIES):
        field = NARROW.field if "field4" in network.input else 0
        given = {"images": scene()[None], "vectors": vectors[-1][None].astype(np.float32), **fields_of(field, SIDE, SIDE)}
        painted = ops.convert_to_numpy(network(given))[0].astype(float).clip(0, 255)
        x = np.concatenate([3 * np.tanh(2 * (kept - kept_with_numpy(painted, arrays)) / 3), hidden])
        for name in ("encoder_step1", "encoder_step2"):
            x = gelu(dense(x, arrays, name))
        vectors.append(vectors[-1] + arrays["encoder_spread/reach"] * dense(x, arrays, "encoder_step3"))
    return vectors


@pytest.mark.parametrize("uint8", [True, False])
def test_vectors_are_those_of_the_formulas_written_in_numpy(arrays: Arrays, network: keras.Model, uint8: bool) -> None:
    encoder = build_style_encoder(network, uint8=uint8)
    set_encoder(encoder, arrays)
    painting = np.random.default_rng(1).integers(0, 256, (1, 45, 34, 3), dtype=np.uint8)
    given = painting if uint8 else painting.astype(np.float32)
    first, again = (ops.convert_to_numpy(encoder({"paintings": given})["vectors"]) for _ in range(2))
    assert np.array_equal(first, again) and first.dtype == np.float32
    *before, expected = vectors_with_numpy(painting[0], arrays, network)
    assert np.abs(first[0] - expected).max() < 1e-3 * np.abs(expected).max()
    assert all(np.abs(first[0] - other).max() > 0.05 * np.abs(expected).max() for other in before), "each try counts"


def test_body_without_a_field_is_tried_without_one(tmp_path: Path) -> None:
    body = narrow_body(tmp_path, architecture=NARROW_FIRST)
    arrays = random_encoder(body.architecture.vector_size)
    painting = np.random.default_rng(4).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    find = PictureEncoder(lambda: runner_for(Backend(BACKEND, "float32", gpu=False)))
    found = find(write_encoder(tmp_path, body, arrays, {}), painting)
    expected = vectors_with_numpy(painting, arrays, network_of(body))[-1]
    assert np.abs(found - expected).max() < 1e-3 * np.abs(expected).max()


@pytest.mark.parametrize("precision", ["float32", "float16", "bfloat16"])
def test_engine_finds_the_vector_in_float32_whatever_else_is_rounded(
    arrays: Arrays, body: Body, network: keras.Model, tmp_path: Path, precision: str
) -> None:
    painting = np.random.default_rng(5).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    find = PictureEncoder(lambda: runner_for(Backend(BACKEND, precision, gpu=False)))
    keras.config.set_dtype_policy("float32" if precision == "float32" else f"mixed_{precision}")
    try:
        found = find(write_encoder(tmp_path, body, arrays, {}), painting)
    finally:
        keras.config.set_dtype_policy("float32")
    expected = vectors_with_numpy(painting, arrays, network)[-1]
    assert np.abs(found - expected).max() < 1e-3 * np.abs(expected).max()


def test_each_picture_of_a_batch_is_tried_and_corrected_alone(arrays: Arrays, network: keras.Model) -> None:
    encoder = build_style_encoder(network)
    set_encoder(encoder, arrays)
    paintings = np.random.default_rng(6).integers(0, 256, (2, 40, 40, 3), dtype=np.uint8) // np.array([1, 3])[:, None, None, None]
    paintings = paintings.astype(np.uint8)
    both = ops.convert_to_numpy(encoder({"paintings": paintings})["vectors"])
    alone = [ops.convert_to_numpy(encoder({"paintings": paintings[i : i + 1]})["vectors"])[0] for i in (0, 1)]
    assert np.abs(both - alone).max() < 1e-3 * np.abs(both).max()
    assert np.abs(both[0] - both[1]).max() > 0.05 * np.abs(both).max()


def test_encoder_that_has_not_learned_to_correct_leaves_its_guess(arrays: Arrays, network: keras.Model) -> None:
    encoder = build_style_encoder(network)
    assert not np.any(ops.convert_to_numpy(encoder_variables(encoder)["encoder_step3/kernel"])), "so it begins"
    set_encoder(encoder, {**arrays, **{name: 0 * arrays[name] for name in ("encoder_step3/kernel", "encoder_step3/bias")}})
    painting = np.random.default_rng(2).integers(0, 256, (1, 40, 40, 3), dtype=np.uint8)
    guess, *_ = vectors_with_numpy(painting[0], arrays, network)
    assert np.abs(ops.convert_to_numpy(encoder({"paintings": painting})["vectors"])[0] - guess).max() < 1e-3 * np.abs(guess).max()


def test_same_encoder_corrects_otherwise_on_another_body(arrays: Arrays, body: Body, tmp_path: Path) -> None:
    other = narrow_body(tmp_path, "other", seed=4)
    painting = {"paintings": np.random.default_rng(3).integers(0, 256, (1, 40, 40, 3), dtype=np.uint8)}
    found = [
        ops.convert_to_numpy(loaded_encoder(write_encoder(tmp_path, of, arrays, {}))(painting)["vectors"]) for of in (body, other)
    ]
    assert np.abs(found[0] - found[1]).max() > 1e-3


def test_arrays_of_the_network_are_those_of_the_file() -> None:
    variables = encoder_variables(build_style_encoder(build_transform_network(NARROW, uint8=False)))
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


def test_encoder_of_another_layout_is_refused(body: Body, arrays: Arrays, tmp_path: Path) -> None:
    path = write_encoder(tmp_path, body, arrays, {}).path
    metadata = read_metadata(path)
    for layout in ({}, {"layout": 1}, {"layout": 2}, {"layout": 4}):
        write_weights(path, arrays, {**metadata, "layout": None, **layout}, half=True)
        with pytest.raises(
            StyleError, match="another version of realtime-nst, which this one cannot read. Delete it, or replace"
        ):
            read_encoder(body)


def test_changed_encoder_is_refused(body: Body, arrays: Arrays, tmp_path: Path) -> None:
    path = write_encoder(tmp_path, body, arrays, {}).path
    changed = {**arrays, "encoder_step3/bias": arrays["encoder_step3/bias"] + 1}
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
    large = {**arrays, "encoder_step3/bias": np.full_like(arrays["encoder_step3/bias"], number)}
    with pytest.raises(ValueError, match="numbers above 65504: what fits into half precision was expected"):
        write_encoder(tmp_path, body, large, {})
    with pytest.raises(ValueError, match="arrays .* were expected"):
        write_encoder(tmp_path, body, {"encoder_step3/bias": np.ones(3)}, {})
    assert not list(tmp_path.glob(f"*{ENCODER_SUFFIX}"))
