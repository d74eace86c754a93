"""The network and the engines on the backends that can also train: TensorFlow and JAX."""

import os
from pathlib import Path

import keras
import numpy as np
import pytest

from realtime_nst.engines.backend import Backend
from realtime_nst.engines.engine import build_engine
from realtime_nst.engines.field import KeptField
from realtime_nst.engines.recolour import RecolourEngine
from realtime_nst.engines.runner import runner_for
from realtime_nst.engines.stabilizer import StabilizerEngine, Thresholds
from realtime_nst.networks.transform import build_transform_network
from realtime_nst.painting.serving import load_stylizer
from realtime_nst.painting.stream import Stream
from realtime_nst.style.book import StyleBook, find_styles
from realtime_nst.style.field import HOME, PARTS, fields_of
from realtime_nst.style.look import Look
from tests.conftest import NARROW, NARROW_FIRST, narrow_body, random_vector
from tests.reference import stylize_with_numpy

BACKEND = os.environ["KERAS_BACKEND"]


@pytest.fixture
def photo() -> np.ndarray:
    rng = np.random.default_rng(3)
    ramp = np.linspace(0, 220, 40)[None, :, None] + np.zeros((32, 1, 3))
    return np.clip(ramp + rng.normal(0, 20, ramp.shape), 0, 255).astype(np.uint8)


def test_engine_equals_the_formulas_written_in_numpy(book: StyleBook, photo: np.ndarray) -> None:
    body = book["wave"].body
    engine = build_engine(body, 40, 32, runner_for(Backend(BACKEND, "float32", gpu=False)))
    for style in book.values():
        for offset in (HOME, (3.3, -7.7, 0.0)):
            painted = engine(photo, style.vector, offset)
            expected = stylize_with_numpy(photo, style.vector, body.weights(), NARROW, offset)
            assert painted.shape == photo.shape and painted.dtype == np.uint8
            assert np.abs(painted.astype(int) - expected.astype(int)).max() <= 1


def test_a_body_of_the_first_generation_is_painted_as_ever(tmp_path: Path, photo: np.ndarray) -> None:
    body, vector = narrow_body(tmp_path, architecture=NARROW_FIRST), random_vector(0, NARROW_FIRST)
    engine = build_engine(body, 40, 32, runner_for(Backend(BACKEND, "float32", gpu=False)))
    painted = engine(photo, vector)
    assert np.abs(painted.astype(int) - stylize_with_numpy(photo, vector, body.weights(), NARROW_FIRST)).max() <= 1
    assert np.array_equal(engine(photo, vector, (3.3, -7.7, 0.0)), painted)


def test_field_stays_on_the_device_until_it_moves(book: StyleBook, photo: np.ndarray) -> None:
    runner = runner_for(Backend(BACKEND, "float32", gpu=False))
    kept = KeptField(NARROW, 40, 32, runner)
    there = kept.at(HOME)
    assert kept.at(HOME)["field4"] is there["field4"] and not isinstance(there["field4"], np.ndarray)
    moved = kept.at((8.0, 0.0, 0.0))
    assert np.array_equal(np.asarray(moved["field8"])[0, :, 1:], np.asarray(there["field8"])[0, :, :-1])
    style = book["wave"]
    without, plain = (load_stylizer(Backend(BACKEND, "float32", gpu=False)).paint(photo, style, Look(texture=t)) for t in (0, 1))
    assert np.abs(without.astype(int) - plain).mean() > 1
    no_gains = NARROW.textured(style.vector, 0.0)
    assert np.abs(without.astype(int) - stylize_with_numpy(photo, no_gains, style.body.weights(), NARROW)).max() <= 1


@pytest.mark.parametrize(("policy", "least"), [("mixed_float16", 45.0), ("mixed_bfloat16", 30.0)])
def test_half_precision_stays_close_to_float32(book: StyleBook, photo: np.ndarray, policy: str, least: float) -> None:
    style = book["wave"]
    expected = stylize_with_numpy(photo, style.vector, style.body.weights(), NARROW).astype(float)
    keras.config.set_dtype_policy(policy)
    try:
        backend = Backend(BACKEND, policy.removeprefix("mixed_"), gpu=False)
        engine = build_engine(style.body, 40, 32, runner_for(backend))
        painted = engine(photo, style.vector).astype(float)
    finally:
        keras.config.set_dtype_policy("float32")
    psnr = 10 * np.log10(255**2 / np.mean((painted - expected) ** 2))
    assert psnr > least, f"{psnr:.1f} dB"


def test_statistics_are_float32_under_half_precision() -> None:
    from realtime_nst.networks.transform import ConditionalInstanceNormalization

    layer = ConditionalInstanceNormalization(dtype="mixed_float16")
    rng = np.random.default_rng(0)
    features = (1000 + rng.normal(0, 1, (1, 64, 64, 2))).astype(np.float16)  # squares overflow float16
    normalized = np.asarray(layer([features, np.ones((1, 2), np.float32), np.zeros((1, 2), np.float32)]), np.float64)
    expected = features.astype(np.float64)
    expected = (expected - expected.mean((1, 2))) / np.sqrt(expected.var((1, 2)) + 1e-5)
    assert np.abs(normalized - expected).max() < 0.01


def test_network_for_training_neither_clips_nor_rounds(tmp_path: Path) -> None:
    body = narrow_body(tmp_path)
    network = build_transform_network(NARROW, uint8=False)
    for name, array in body.weights().items():
        network.get_layer(name.removesuffix("/kernel")).kernel.assign(array * 10)
    images = np.random.default_rng(0).uniform(0, 255, (2, 24, 16, 3)).astype(np.float32)
    vectors = np.random.default_rng(1).normal(1, 1, (2, NARROW.vector_size)).astype(np.float32)
    fields = {name: np.repeat(field, 2, axis=0) for name, field in fields_of(NARROW.field, 16, 24).items()}
    result = np.asarray(network({"images": images, "vectors": vectors, **fields}))
    assert result.shape == images.shape and result.dtype == np.float32
    assert result.min() < 0 or result.max() > 255
    assert np.abs(result - np.rint(result)).max() > 0.1


def test_each_picture_of_a_batch_gets_its_own_style() -> None:
    network = build_transform_network(NARROW, uint8=False)
    rng = np.random.default_rng(0)
    images = rng.uniform(0, 255, (2, 16, 16, 3)).astype(np.float32)
    vectors = rng.normal(1, 1, (2, NARROW.vector_size)).astype(np.float32)
    given = {"images": images, "vectors": vectors}
    given |= {f"field{part}": rng.normal(0, 1, (2, 16 // part, 16 // part, NARROW.field)).astype(np.float32) for part in PARTS}
    both = np.asarray(network(given))
    for index in range(2):
        alone = np.asarray(network({name: values[index : index + 1] for name, values in given.items()}))
        assert np.allclose(both[index], alone[0], atol=1e-2)


@pytest.mark.parametrize(("width", "height"), [(0, 32), (36, 32), (32, 31), (-4, 32)])
def test_sizes_that_are_no_multiple_of_eight_are_mistakes_of_the_caller(width: int, height: int) -> None:
    with pytest.raises(ValueError, match="a positive multiple of 8 was expected"):
        build_transform_network(NARROW, width=width, height=height)


def test_styles_load_on_this_backend_too(weights: Path) -> None:
    assert list(find_styles([weights])) == ["mosaic", "scream", "wave"]


def test_recolouring_and_holding_still_equal_the_formulas_written_in_numpy() -> None:
    from tests.reference import block_means, keep_colours_with_numpy, stabilize_with_numpy

    runner = runner_for(Backend(BACKEND, "float32", gpu=False))
    rng = np.random.default_rng(0)
    photo, painting = (rng.integers(0, 256, (48, 64, 3), np.uint8) for _ in range(2))
    found = RecolourEngine(64, 48, runner)(photo, keras.ops.convert_to_tensor(painting[None]), Look(0.5, 1.0))
    assert np.abs(found - (photo + 0.5 * (keep_colours_with_numpy(photo, painting) - photo))).max() <= 0.52
    stabilizer, thresholds = StabilizerEngine(64, 48, runner), Thresholds((8, 8, 24))
    stabilized, before = (block_means(photo), photo), None
    for index in range(6):
        now = np.clip(photo + rng.normal(0, 8, photo.shape), 0, 255).astype(np.uint8)
        now[:, index : index + 4] = 255
        stabilized = stabilize_with_numpy(now, stabilized, 12.0, thresholds(index)[0]) if index else (block_means(now), now)
        before = stabilizer(now, 12.0, before)
        differences = np.abs(np.asarray(before.photo[0]).astype(int) - stabilized[1])
        assert differences.max() <= 1 and (differences > 0).mean() < 0.002, f"frame {index}"


def test_everything_is_compiled_before_the_show_so_that_no_key_makes_it_wait(book: StyleBook, photo: np.ndarray) -> None:
    stylizer = load_stylizer(Backend(BACKEND, "float32", gpu=False))
    compiled = stylizer.compiled(book.bodies, 40, 32, live=True)
    stylizer.install(compiled, 40, 32)
    parts = [*compiled.engines.values(), compiled.recolour, compiled.stabilizer]
    calls = [part._program._call for part in parts]  # type: ignore[union-attr]

    def times_compiled() -> list[int]:
        return [call.experimental_get_tracing_count() if BACKEND == "tensorflow" else call._cache_size() for call in calls]

    assert min(times_compiled()) >= 1
    before = times_compiled()
    for look in (Look(), Look(strength=0.5), Look(colours=1.0), Look(stability=16.0), Look(0.5, 1.0, 8.0)):
        stream = Stream(stylizer)
        for _ in range(2):
            stream.paint(photo, book["wave"], look)
    assert times_compiled() == before
