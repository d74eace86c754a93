"""A style encoder learns on by the loss itself: what a step changes, what a run leaves and where, and what it refuses."""

import re
import shutil
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from keras import ops

from realtime_nst.cli.main import build_parser, main
from realtime_nst.errors import StyleError, TrainingError
from realtime_nst.networks.encoder import encoder_variables
from realtime_nst.style.book import find_styles
from realtime_nst.style.encoder import Encoder, read_encoder, write_encoder
from realtime_nst.style.style import read_body
from realtime_nst.train.build import build_encoder_model
from realtime_nst.train.collection import PaintingBatches
from realtime_nst.train.command import check_flags, expand_recipe, make_job, recipe_of, see_it, style_names
from realtime_nst.train.dataset import Batch, Motion, PhotoBatches, find_photos
from realtime_nst.train.encoded import LESSONS
from realtime_nst.train.encoder_model import EncoderModel
from realtime_nst.train.job import Job
from realtime_nst.train.learner import network_inputs
from realtime_nst.train.loop import Progress
from realtime_nst.train.recipes import ENCODER_RECIPE
from realtime_nst.train.trainer import batches_of, model_of, train
from realtime_nst.train.training_log import preview
from tests.conftest import NARROW, narrow_body
from tests.train.small import ENCODED, make_small, stop_after

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
"""Keras' own, about TensorFlow's variables."""

NONE = np.zeros(0, np.int32)
"""Styles of a batch in which every frame has a painting."""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test of this file trains small."""
    make_small(monkeypatch)


@pytest.fixture
def model(pictures: Path, pictured: Path) -> EncoderModel:
    """A model at its start."""
    body = read_body(pictured / "narrow.body.h5")
    encoder = read_encoder(body)
    assert encoder is not None
    paintings = PaintingBatches(find_photos(pictures / "photos"), batch=2, size=32)
    return build_encoder_model(ENCODED, body, encoder, paintings, vgg_weights="")


@pytest.fixture
def batch(pictures: Path) -> Batch:
    """Two photos, and two pieces of paintings."""
    files = find_photos(pictures / "photos")
    batches = PhotoBatches(files, batch=2, size=32, motion=Motion(shift=2, bend=0.5), field=NARROW.field)
    return {**batches(0), "paintings": PaintingBatches(files, batch=2, size=32)(0)}


@pytest.fixture
def job(pictures: Path, pictured: Path, tmp_path: Path) -> Job:
    """A run that teaches the encoder of the three styles' body."""
    return Job(
        pictures={},
        paintings={},
        photos=pictures / "photos",
        output=tmp_path / "out",
        name="narrow.encoder",
        recipe=ENCODED,
        body=read_body(pictured / "narrow.body.h5"),
        collection=pictures / "photos",
    )


def encoder_in(folder: Path) -> Encoder:
    """The encoder beside the body of some styles."""
    found = read_encoder(read_body(folder / "narrow.body.h5"))
    assert found is not None
    return found


def options(*words: object) -> list[str]:
    """The words of a command that teaches an encoder."""
    return ["train", "--photos", "photos", "--collection", "paintings", *map(str, words)]


def test_every_frame_is_painted_after_its_own_painting(model: EncoderModel, batch: Batch) -> None:
    vectors = model.encoder({"paintings": batch["paintings"]})["vectors"]
    wanted = model.network(network_inputs(batch, ops.concatenate([vectors, vectors], axis=0)))
    assert np.allclose(ops.convert_to_numpy(model({**batch, "styles": NONE})), ops.convert_to_numpy(wanted), atol=0.01)
    exchanged = {**batch, "paintings": batch["paintings"][::-1].copy(), "styles": NONE}
    assert np.abs(ops.convert_to_numpy(model(exchanged)) - ops.convert_to_numpy(wanted)).max() > 0.5


def test_style_of_a_frame_is_that_of_its_own_painting(model: EncoderModel, batch: Batch) -> None:
    """Where the painting is the very picture that was painted, its style loss is nothing."""

    def style(pictures: np.ndarray) -> float:
        model.reset_metrics()
        model.compute_loss(x={**batch, "styles": NONE}, y_pred=ops.convert_to_tensor(pictures))
        return float(model.terms["style"].result())

    paintings = batch["paintings"]
    assert style(np.concatenate([paintings, paintings])) < 1e-6 < style(np.concatenate([paintings[::-1], paintings]))


def moved_by(model: EncoderModel, batch: Batch, steps: int) -> tuple[set[str], list[dict[str, float]]]:
    """Numbers of the encoder, by name, that differ after some steps; nothing else may. And the losses of each step."""
    before = {variable.path: np.array(ops.convert_to_numpy(variable)) for variable in model.variables}
    losses = []
    model.optimizer.learning_rate = 3e-3
    for _ in range(steps):
        model.reset_metrics()
        losses.append(model.train_on_batch(x={**batch, "styles": NONE}, return_dict=True))
    moved = {
        variable.path
        for variable in model.variables
        if not np.array_equal(before[variable.path], ops.convert_to_numpy(variable)) and "metric" not in variable.path
    }
    assert moved >= {variable.path for variable in model.trainable_variables}
    assert not {variable.path for variable in (*model.network.variables, model.vectors, model.lag)} & moved
    return {name for name, variable in encoder_variables(model.encoder).items() if variable.path in moved}, losses


def test_steps_lower_the_loss_and_move_nothing_but_corrections(model: EncoderModel, batch: Batch) -> None:
    moved, losses = moved_by(model, batch, 25)
    assert moved == {f"encoder_step{number}/{part}" for number in (1, 2, 3) for part in ("kernel", "bias")}
    assert losses[-1]["loss"] < 0.9 * losses[0]["loss"]


@pytest.mark.once
def test_new_encoder_learns_to_see_to_guess_and_to_correct(pictures: Path, weights: Path, batch: Batch) -> None:
    paintings = PaintingBatches(find_photos(pictures / "photos"), batch=2, size=32)
    styles = np.stack([style.vector for style in find_styles([weights]).values()])
    model = build_encoder_model(ENCODED, read_body(weights / "narrow.body.h5"), None, paintings, styles, vgg_weights="")
    moved, losses = moved_by(model, batch, 25)
    fixed = {"encoder_kept/middle", "encoder_kept/deviation", "encoder_spread/base", "encoder_spread/reach"}
    assert moved == set(encoder_variables(model.encoder)) - fixed
    assert losses[-1]["style"] < 0.9 * losses[0]["style"] and losses[-1]["sight"] < 0.9 * losses[0]["sight"]


@pytest.mark.once
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_it_learns_in_half_precision(pictures: Path, pictured: Path, batch: Batch, precision: str) -> None:
    paintings = PaintingBatches(find_photos(pictures / "photos"), batch=2, size=32)
    model = build_encoder_model(
        ENCODED,
        read_body(pictured / "narrow.body.h5"),
        encoder_in(pictured),
        paintings,
        vgg_weights="",
        precision=precision,
    )
    moved, losses = moved_by(model, batch, 40)
    assert len(moved) == 6 and losses[-1]["loss"] < losses[0]["loss"]


@pytest.mark.once
def test_preview_shows_paintings_beside_what_was_painted_after_them(model: EncoderModel, batch: Batch) -> None:
    sheet = preview(model, batch["photos"])
    assert sheet.shape == (32 * 3, 32 * 3, 3) and (sheet[:32, :32] == 255).all()
    assert np.abs(sheet[:32, 32:64].astype(int) - batch["photos"][0]).max() <= 1
    for number in range(2):
        rows = slice(32 * (number + 1), 32 * (number + 2))
        assert np.abs(sheet[rows, :32].astype(int) - model.examples[number].clip(0, 255)).max() <= 1
        assert len(np.unique(sheet[rows, 32:])) > 10


@pytest.mark.once
def test_run_leaves_the_encoder_and_its_body_where_the_shown_styles_find_both(job: Job, pictured: Path) -> None:
    reports: list[Progress] = []
    before = encoder_in(pictured)
    assert train(job, report=reports.append) == [job.output / "narrow.encoder.h5", job.output / "narrow.body.h5"]
    assert [progress.step for progress in reports] == [1, 2, 3, 4, 5, 6]
    after = encoder_in(job.output)
    assert after.sha256 != before.sha256 == encoder_in(pictured).sha256 == after.metadata["before"]["sha256"]
    assert after.metadata["total_steps"] == 6 and after.metadata["collection"] == 8
    (body,) = find_styles([job.output, pictured]).bodies
    assert body.path.parent == job.output, "the first folder's body, and with it its encoder, serves all styles"
    assert (job.workshop / "preview.jpg").exists()


@pytest.mark.once
def test_stopped_run_goes_on_as_if_it_had_not_stopped(job: Job, tmp_path: Path) -> None:
    whole: list[Progress] = []
    train(job, report=whole.append)
    stopped, (report, stop) = replace(job, output=tmp_path / "stopped"), stop_after(3)
    assert train(stopped, report=report, stop=stop) == [] and not (stopped.output / "narrow.encoder.h5").exists()
    reports: list[Progress] = []
    train(stopped, report=reports.append)
    assert [progress.step for progress in reports] == [4, 5, 6]
    assert [progress.losses for progress in reports] == [progress.losses for progress in whole[3:]]
    assert encoder_in(job.output).sha256 == encoder_in(stopped.output).sha256


@pytest.mark.once
def test_encoder_learns_on_in_its_own_folder(job: Job, pictured: Path) -> None:
    before, body = encoder_in(pictured).sha256, (pictured / "narrow.body.h5").read_bytes()
    again = replace(job, output=pictured)
    assert train(again) == [pictured / "narrow.encoder.h5"]
    after = encoder_in(pictured)
    assert after.sha256 != before == after.metadata["before"]["sha256"]
    assert (pictured / "narrow.body.h5").read_bytes() == body
    train(again)  # which has nothing left to do
    assert encoder_in(pictured).metadata == after.metadata, "it has not learned from itself"
    assert see_it(again).endswith(f"Another lesson begins where '{again.workshop}' is deleted.")


@pytest.mark.once
def test_body_that_cannot_be_written_leaves_no_folder_without_an_encoder(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("realtime_nst.train.trainer.write_body", Mock(side_effect=TrainingError("The disk is full.")))
        with pytest.raises(TrainingError, match="The disk is full"):
            train(job)
    assert (job.output / "narrow.encoder.h5").exists() and not (job.output / "narrow.body.h5").exists()
    assert train(job) == [job.output / "narrow.encoder.h5", job.output / "narrow.body.h5"]
    assert read_encoder(read_body(job.output / "narrow.body.h5")) is not None


@pytest.mark.once
def test_an_encoder_alone_sees_the_collection_and_one_beside_styles_their_paintings_too(job: Job, pictures: Path) -> None:
    files = find_photos(pictures / "photos")
    assert job.teaches_encoder and len(batches_of(job, files)(1)) == ENCODED.batch
    styles = replace(job, pictures={"dots": pictures / "dots.png"}, body=None, frozen=False)
    beside = replace(styles, frozen=True)  # whatever it says of a body that is not there
    for other in (styles, beside):
        assert not other.teaches_encoder and len(batches_of(other, files)(1)) == LESSONS * ENCODED.batch / 2


@pytest.mark.once
def test_each_lesson_has_pieces_of_its_own(job: Job) -> None:
    files = find_photos(job.photos)
    first, again = (batches_of(job, files)(0) for _ in range(2))
    train(job)
    second = batches_of(replace(job, body=read_body(job.output / "narrow.body.h5")), files)(0)
    assert np.array_equal(first, again) and not np.array_equal(first, second)


@pytest.mark.once
def test_body_without_an_encoder_gets_one(job: Job, weights: Path) -> None:
    styles = list(find_styles([weights]).values())
    alone = replace(job, body=styles[0].body, relatives=styles)
    start = model_of(alone, {}, batches_of(alone, find_photos(alone.photos)))
    assert isinstance(start, EncoderModel)
    vectors, examples = start.shown()
    mean = np.mean([style.vector for style in styles], axis=0)
    assert len(examples) == 2 and np.abs(vectors - mean).max() < 1e-5, "at first every painting is the mean of the styles"
    assert train(alone) == [job.output / "narrow.encoder.h5", job.output / "narrow.body.h5"]
    assert "before" not in encoder_in(job.output).metadata
    with pytest.raises(TrainingError, match="is a checkpoint of a run with other settings. Delete its folder to start anew"):
        train(replace(alone, body=read_body(job.output / "narrow.body.h5")))  # it would learn on, which is another lesson


@pytest.mark.once
def test_another_body_of_its_name_is_refused(job: Job) -> None:
    other = narrow_body(job.output, seed=9)
    with pytest.raises(TrainingError, match=re.escape(f"'{other.path}' is another body than")):
        train(job)
    other.path.write_bytes(b"damaged")
    with pytest.raises(StyleError, match=re.escape(str(other.path))):
        train(job)
    assert not (job.output / "narrow.encoder.h5").exists()


@pytest.mark.once
def test_flags_without_pictures_teach_the_encoder(pictured: Path, tmp_path: Path) -> None:
    given = build_parser().parse_args(options("--weights", pictured, "-o", tmp_path / "out", "--body", "narrow", "--steps", 9))
    expand_recipe(given)
    check_flags(given)
    made = make_job(given, style_names(given))
    assert made.teaches_encoder and made.pictures == {} and made.name == "narrow.encoder"
    assert made.recipe == replace(ENCODER_RECIPE, steps=9) and made.workshop == tmp_path / "out" / "narrow.encoder.training"
    assert recipe_of(build_parser().parse_args(options("--batch", 3)), made.body).batch == 3, "an odd batch will do here"
    assert see_it(made) == (
        f"See it: `realtime-nst webcam --style PICTURE.jpg --weights {tmp_path / 'out'}`. "
        f"Another lesson begins where '{made.workshop}' is deleted."
    )


@pytest.mark.once
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a.jpg"], "--collection teaches a style encoder. With pictures it needs --new-body NAME"),
        (["--new-body", "mine"], "--new-body needs pictures to learn. Name the files of one or more paintings."),
        (["--name", "mine"], "1 names for 0 pictures"),
        (["--title", "Mine"], "--title with 0 pictures: one was expected"),
        (["--cluster", "local:2"], "--cluster trains many styles, and --collection one style encoder. Leave one out."),
        (["--body", "gone"], "No body named 'gone'. Bodies: gallery, narrow"),
    ],
)
def test_flags_that_do_not_go_with_it_are_refused(
    words: list[str], said: str, pictured: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*options("--weights", pictured), *words]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.once
def test_full_disk_at_the_end_loses_neither_the_old_encoder_nor_the_new_one(
    job: Job, pictured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(pictured, job.output)
    before = (job.output / "narrow.encoder.h5").read_bytes()

    def full(*given: object) -> Encoder:
        raise StyleError("No space left on device.")

    monkeypatch.setattr("realtime_nst.train.trainer.write_encoder", full)
    with pytest.raises(StyleError, match="No space left"):
        train(job)
    assert (job.output / "narrow.encoder.h5").read_bytes() == before
    monkeypatch.setattr("realtime_nst.train.trainer.write_encoder", write_encoder)
    reports: list[Progress] = []
    assert train(job, report=reports.append) == [job.output / "narrow.encoder.h5"] and reports == []
