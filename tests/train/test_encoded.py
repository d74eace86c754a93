"""Body, styles and style encoder learn together: which frame is painted how, what a step does, and what a run leaves."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from keras import ops

from realtime_nst.errors import TrainingError
from realtime_nst.networks.encoder import build_style_encoder, encoder_variables, loaded_encoder, set_encoder
from realtime_nst.style.book import find_styles
from realtime_nst.style.encoder import read_encoder
from realtime_nst.train.build import build_model
from realtime_nst.train.collection import PaintingBatches
from realtime_nst.train.dataset import Batch, Motion, PhotoBatches, find_photos
from realtime_nst.train.encoded import EncodedModel, statistics_of, whitening_of
from realtime_nst.train.learner import measure
from realtime_nst.train.loop import Progress
from realtime_nst.train.trainer import train
from tests.conftest import NARROW
from tests.train.small import ENCODED, Run, assert_same_numbers, make_job, make_small, stop_after

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
"""Keras' own, about TensorFlow's variables."""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test of this file trains small."""
    make_small(monkeypatch)


@pytest.fixture(scope="module")
def joint(pictures: Path) -> Run:
    """A whole run with an encoder, which learns from eight pictures and the two paintings."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        make_small(monkeypatch)
        reports: list[Progress] = []
        job = make_job(pictures, "joint", collection=pictures / "photos", recipe=ENCODED)
        return Run(job, train(job, report=reports.append), reports)


@pytest.fixture(scope="module")
def model(pictures: Path) -> EncodedModel:
    """A model at its start, in two styles."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        make_small(monkeypatch)
        rng = np.random.default_rng(3)
        paintings = PaintingBatches(find_photos(pictures / "photos"), batch=1, size=32)
        styles = [rng.uniform(0, 255, (64, 64, 3)).astype(np.float32) for _ in range(2)]
        built = build_model(ENCODED, styles, vgg_weights="", paintings=paintings)
        assert isinstance(built, EncodedModel)
        built.start_at(rng.normal(0.5, 0.5, (2, NARROW.vector_size)))
        return built


@pytest.fixture(scope="module")
def batch(pictures: Path) -> Batch:
    """Two photos, and a piece of a painting."""
    files = find_photos(pictures / "photos")
    batches = PhotoBatches(files, batch=2, size=32, motion=Motion(shift=2, bend=0.5), field=NARROW.field)
    return {**batches(0), "paintings": PaintingBatches(files, batch=1, size=32)(0)}


def test_first_half_of_the_frames_is_painted_in_styles_and_the_other_after_paintings(model: EncodedModel, batch: Batch) -> None:
    answer = model({**batch, "styles": np.array([1], np.int32)})
    seen = statistics_of(model.loss_network(batch["paintings"]), ENCODED.style_taps)
    taught = ops.convert_to_numpy(model.predict_vectors(seen))
    assert np.array_equal(ops.convert_to_numpy(answer["taught"]), taught)
    wanted = ops.convert_to_numpy(model.reaching(taught))
    vectors = np.concatenate([ops.convert_to_numpy(model.vectors)[1:], wanted] * 2)
    given = {
        "images": np.concatenate([batch["frames"], batch["moved"]]),
        "vectors": vectors,
        "field4": np.concatenate([batch["field4"], batch["moved4"]]),
        "field8": np.concatenate([batch["field8"], batch["moved8"]]),
    }
    assert np.allclose(ops.convert_to_numpy(answer["pictures"]), ops.convert_to_numpy(model.network(given)), atol=0.01)
    assert np.abs(wanted - ops.convert_to_numpy(model.vectors).mean(0)).max() < 1, "it starts near the mean of the styles"


def test_style_of_a_painted_frame_is_that_of_its_own_painting(model: EncodedModel, batch: Batch) -> None:
    """Where the painting is the very picture that was painted, its style loss is nothing."""
    x = {**batch, "styles": np.array([0], np.int32)}
    pictures = np.repeat(batch["paintings"], 4, axis=0)

    def style(wrong: int) -> float:
        painted, vectors = pictures.copy(), np.zeros((1, NARROW.vector_size), np.float32)
        answers = {"taught": vectors, "answered": vectors, "sight": 0.0}
        painted[wrong] = 255 - painted[wrong]
        model.reset_metrics()
        model.compute_loss(x=x, y_pred={**answers, "pictures": ops.convert_to_tensor(painted)})
        return float(model.terms["style"].result())

    assert style(wrong=1) > style(wrong=2), "the second frame; moved ones do not count for style"


def test_without_paintings_it_is_a_model_of_styles(model: EncodedModel, batch: Batch) -> None:
    plain: Batch = {name: array for name, array in batch.items() if name != "paintings"}  # type: ignore[assignment]
    losses = measure(model, plain, np.array([0, 1], np.int32))
    weights = {"content": 1.0, "style": 40.0, "total_variation": 0.5, "temporal": 30.0, "grid": 2000.0}
    assert losses["loss"] == pytest.approx(sum(weight * losses[name] for name, weight in weights.items()), rel=1e-3)
    assert losses["imitation"] == losses["sight"] == 0


def test_steps_lower_the_loss_and_move_body_styles_and_encoder(model: EncodedModel, batch: Batch) -> None:
    before = {name: np.array(ops.convert_to_numpy(variable)) for name, variable in model.learned().items()}
    model.optimizer.learning_rate = 3e-3
    x = {**batch, "styles": np.array([0], np.int32)}
    losses = []
    for _ in range(25):
        model.reset_metrics()
        losses.append(model.train_on_batch(x=x, return_dict=True))
    assert losses[-1]["loss"] < 0.8 * losses[0]["loss"]
    answer = model(x)
    answered, taught = (ops.convert_to_numpy(answer[name]) for name in ("answered", "taught"))
    assert np.square(answered - taught).mean() < 0.5 * np.square(taught).mean(), "the encoder follows its teacher"
    after = {name: ops.convert_to_numpy(variable) for name, variable in model.learned().items()}
    same = {name for name in before if np.array_equal(before[name], after[name])}
    fixed = {"middle", "spread", "components"}
    unused = {
        name for name in before if name.startswith(("encoder/encoder_kept/", "encoder/encoder_spread/", "encoder/encoder_step"))
    }
    assert same == fixed | unused
    kinds = {name.partition("/")[0] for name in before}
    assert kinds == fixed | {"network", "vectors", "lag", "teacher1", "teacher2", "teacher3", "encoder"}
    assert not np.array_equal(before["vectors"][0], after["vectors"][0])
    assert np.array_equal(before["vectors"][1], after["vectors"][1]), "nobody painted in it"


def test_numbers_for_the_file_give_vectors_of_the_body(model: EncodedModel, batch: Batch) -> None:
    relative = ops.convert_to_numpy(model.guess({"paintings": batch["paintings"]}))
    encoder = build_style_encoder(model.network)
    set_encoder(encoder, model.encoder_numbers())
    vectors = ops.convert_to_numpy(encoder({"paintings": batch["paintings"].astype(np.uint8)})["vectors"])
    wanted = ops.convert_to_numpy(model.reaching(relative))
    assert np.abs(vectors - wanted).max() < 0.02, "but for the rounding of the pixels"
    assert np.abs(relative).max() > 0.05


@pytest.mark.once
def test_whitened_statistics_have_unit_deviation_and_nothing_in_common() -> None:
    rng = np.random.default_rng(0)
    seen = rng.normal(size=(300, 20)) @ rng.normal(size=(20, 40)) + rng.normal(size=40)
    middle, spread, components = whitening_of(seen)
    white = (seen - middle) / spread @ components
    assert white.shape == (300, 20), "as many numbers as the statistics really have"
    assert np.abs(white.T @ white / 300 - np.eye(20)).max() < 1e-6


@pytest.mark.once
def test_run_leaves_an_encoder_beside_its_body(joint: Run) -> None:
    names = ["young.body.h5", "young.encoder.h5", "stripes.weights.h5", "dots.weights.h5"]
    assert joint.written == [joint.job.output / name for name in names]
    body = find_styles([joint.job.output])["dots"].body
    encoder = read_encoder(body)
    assert encoder is not None and encoder.metadata["collection"] == 8 and encoder.metadata["recipe"]["imitation"] == 0.3
    network = loaded_encoder(encoder)
    assert set(encoder_variables(network)) == set(encoder.weights())
    paintings = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8) // np.array(
        [[[[1]]], [[[3]]]], np.uint8
    )
    vectors = ops.convert_to_numpy(network({"paintings": paintings})["vectors"])
    assert np.isfinite(vectors).all() and np.abs(vectors[0] - vectors[1]).max() > 1e-4
    assert all(progress.losses["imitation"] > 0 and progress.losses["sight"] > 0 for progress in joint.reports)


@pytest.mark.once
def test_stopped_run_goes_on_as_if_it_had_not_stopped(joint: Run, tmp_path: Path) -> None:
    job = replace(joint.job, output=tmp_path)
    report, stop = stop_after(3)
    assert train(job, report=report, stop=stop) == []
    reports: list[Progress] = []
    train(job, report=reports.append)
    assert [progress.losses for progress in reports] == [progress.losses for progress in joint.reports[3:]]
    assert_same_numbers(tmp_path, joint.job.output)
    one, other = (read_encoder(find_styles([folder])["dots"].body) for folder in (tmp_path, joint.job.output))
    assert one is not None and other is not None and one.sha256 == other.sha256


@pytest.mark.once
def test_run_with_another_collection_is_another_run(joint: Run, tmp_path: Path) -> None:
    (tmp_path / "joint").symlink_to(joint.job.output)
    folder = tmp_path / "paintings"
    folder.mkdir()
    for path in (joint.job.photos).iterdir():
        (folder / f"new-{path.name}").write_bytes(path.read_bytes())
    with pytest.raises(TrainingError, match="is a checkpoint of a run with other settings"):
        train(replace(joint.job, output=tmp_path / "joint", collection=folder))


@pytest.mark.once
def test_collection_that_is_missing_or_small_is_reported(pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"No folder of paintings at '.*gone'. Name a folder of .* with --collection"):
        train(make_job(pictures, str(tmp_path), collection=tmp_path / "gone", recipe=ENCODED))
    (tmp_path / "few").mkdir()
    with pytest.raises(TrainingError, match=r"0 paintings in '.*few'; at least 8 were expected"):
        train(make_job(pictures, str(tmp_path), collection=tmp_path / "few", recipe=ENCODED))


@pytest.mark.once
def test_new_body_without_an_encoder_does_not_keep_that_of_the_old_one(joint: Run, tmp_path: Path) -> None:
    stale = tmp_path / "young.encoder.h5"
    stale.write_bytes((joint.job.output / "young.encoder.h5").read_bytes())
    train(make_job(joint.job.photos.parent, str(tmp_path), recipe=replace(ENCODED, steps=1)))
    assert not stale.exists()
