"""Bodies of before the texture field: they grow one when they learn on, and stay as they are where they are frozen."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from keras import ops

from realtime_nst.networks.transform import build_transform_network, set_kernels
from realtime_nst.style.book import find_styles
from realtime_nst.style.field import fields_of
from realtime_nst.style.style import Body, write_body
from realtime_nst.train.growth import architecture_of, grown, grown_vector
from realtime_nst.train.trainer import train
from tests.conftest import NARROW
from tests.reference import stylize_with_numpy
from tests.train.small import RECIPE, make_job, make_small, neutral_vector

OLD = replace(NARROW, field=0)
GAINS = neutral_vector(NARROW) == np.float32(0.3)
"""Which numbers of a vector say how strongly the texture field is taken up."""

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
"""Keras' own, about TensorFlow's variables."""


@pytest.fixture
def old(tmp_path: Path) -> Body:
    """A body without a texture field, of random weights."""
    rng = np.random.default_rng(0)
    kernels = {name: rng.normal(0, 0.2, shape).astype(np.float32) for name, shape in OLD.kernel_shapes.items()}
    return write_body(tmp_path, "old", OLD, kernels, {})


def old_vector() -> np.ndarray:
    """A style of it."""
    return np.random.default_rng(1).normal(0.5, 0.5, OLD.vector_size).astype(np.float32)


def test_body_without_a_field_grows_one_unless_it_is_frozen(old: Body) -> None:
    assert grown(OLD) == NARROW and grown(NARROW) == NARROW
    assert architecture_of(old, frozen=False) == NARROW and architecture_of(old, frozen=True) == OLD


def test_gains_of_a_grown_vector_are_at_their_start_and_the_rest_stays() -> None:
    vector = grown_vector(old_vector(), OLD, NARROW)
    assert np.all(vector[GAINS] == np.float32(0.3)) and np.array_equal(vector[~GAINS], old_vector())
    assert np.array_equal(grown_vector(vector, NARROW, NARROW), vector)
    assert np.array_equal(grown_vector(old_vector(), OLD, OLD), old_vector())


def test_grown_body_whose_gains_are_zero_paints_as_the_old_one(old: Body) -> None:
    network = build_transform_network(NARROW, uint8=False)
    set_kernels(network, old.weights())
    vector = np.where(GAINS, 0, grown_vector(old_vector(), OLD, NARROW)).astype(np.float32)
    photo = np.random.default_rng(2).integers(0, 256, (32, 40, 3)).astype(np.float32)
    given = {"images": photo[None], "vectors": vector[None], **fields_of(NARROW.field, 40, 32)}
    painted = ops.convert_to_numpy(network(given))[0].clip(0, 255)
    expected = stylize_with_numpy(photo, old_vector(), old.weights(), OLD)
    assert np.abs(np.rint(painted) - expected).max() <= 1 and expected.std() > 10


@pytest.mark.once
@pytest.mark.parametrize("frozen", [False, True])
def test_run_from_a_body_without_a_field(old: Body, pictures: Path, tmp_path: Path, frozen: bool) -> None:
    recipe, start = replace(RECIPE, steps=2), {"stripes": old_vector()}
    with pytest.MonkeyPatch.context() as monkeypatch:
        make_small(monkeypatch)
        train(make_job(pictures, str(tmp_path / "out"), body=old, frozen=frozen, start=start, recipe=recipe))
    style = find_styles([tmp_path / "out", tmp_path])["stripes"]
    if frozen:
        assert style.body == old and style.vector.shape == old_vector().shape
        assert 0 < np.abs(style.vector - old_vector()).max() < 0.1
    else:
        kernels = style.body.weights()
        assert style.body.architecture == NARROW and style.body.metadata["before"]["sha256"] == old.sha256
        assert 0 < np.abs(kernels["stem/kernel"] - old.weights()["stem/kernel"]).max() < 0.1
        assert kernels["stem_field/kernel"].std() > 0.05
        assert 0 < np.abs(style.vector[GAINS] - 0.3).max() < 0.1
        assert 0 < np.abs(style.vector[~GAINS] - old_vector()).max() < 0.1
