"""Checkpoints: a run goes on as if it had not stopped, and from nothing but its own."""

import hashlib
import json
import math
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import h5py
import keras
import numpy as np
import pytest
from keras import ops

from realtime_nst.errors import TrainingError
from realtime_nst.style.book import find_styles
from realtime_nst.style.style import STYLE_SUFFIX
from realtime_nst.style.weightfile import read_metadata, write_weights
from realtime_nst.train import loop, recovery
from realtime_nst.train.build import build_model
from realtime_nst.train.checkpoint import Past, save_checkpoint
from realtime_nst.train.dataset import Batch, Motion, PhotoBatches, find_photos
from realtime_nst.train.job import Job
from realtime_nst.train.learner import take_step
from realtime_nst.train.loop import Progress, meet_photos
from realtime_nst.train.model import StyleModel
from realtime_nst.train.recipes import BODY_RECIPE, Recipe
from realtime_nst.train.recovery import LastGood
from realtime_nst.train.trainer import train
from tests.train.small import RECIPE, Run, arrays_of, assert_same_numbers, make_job, make_pictures, make_small, stop_after

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
"""Keras' own, about TensorFlow's variables."""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test of this file trains small."""
    make_small(monkeypatch)


# Stopping and going on.


def test_stopped_run_goes_on_as_if_it_had_not_stopped(run: Run, tmp_path: Path) -> None:
    job = replace(run.job, output=tmp_path)
    report, stop = stop_after(3)
    assert train(job, report=report, stop=stop) == []
    assert (job.workshop / "preview.jpg").exists()
    assert not list(tmp_path.glob("*.h5")), "a stopped run leaves no styles"
    assert read_metadata(job.workshop / "checkpoint.h5")["losses"] == [step.losses["loss"] for step in run.reports[:3]]
    reports: list[Progress] = []
    written = train(job, report=reports.append)
    assert [progress.step for progress in reports] == [4, 5, 6]
    assert [path.name for path in written] == [path.name for path in run.written]
    assert_same_numbers(tmp_path, run.job.output)
    assert [progress.losses for progress in reports] == [progress.losses for progress in run.reports[3:]]


def test_finished_run_writes_the_same_files_when_asked_again(run: Run, tmp_path: Path) -> None:
    job = replace(run.job, output=tmp_path / "copy")
    shutil.copytree(run.job.output, job.output)
    (job.output / "stripes.weights.h5").unlink()
    reports: list[Progress] = []
    assert len(train(job, report=reports.append)) == 3
    assert not reports
    assert_same_numbers(job.output, run.job.output)
    for style in find_styles([job.output]).values():
        assert style.metadata == find_styles([run.job.output])[style.name].metadata


@pytest.mark.once
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_killed_run_goes_on_as_if_it_had_not_been_killed(run: Run, tmp_path: Path) -> None:
    make_pictures(tmp_path)
    command = [sys.executable, "-m", "tests.train.small", str(tmp_path)]
    environment = {**os.environ, "KERAS_BACKEND": keras.config.backend()}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if line == "step 5\n":
                child.send_signal(signal.SIGKILL)
                break
        assert child.wait(60) == -signal.SIGKILL
    job = make_job(tmp_path, "killed")
    assert not list(job.output.glob(f"*{STYLE_SUFFIX}"))
    reports: list[Progress] = []
    train(job, report=reports.append)
    assert [progress.step for progress in reports] == [5, 6], "it goes on from the checkpoint of step 4"
    assert_same_numbers(tmp_path / "killed", run.job.output)


@pytest.mark.slow
@pytest.mark.skipif(keras.config.backend() != "jax", reason="TensorFlow rounds differently from run to run")
def test_run_of_real_size_goes_on_to_the_bit(pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = os.environ.get("REALTIME_NST_VGG")
    if not weights:
        pytest.skip("REALTIME_NST_VGG is not set: no file of VGG19 weights")
    monkeypatch.undo()
    monkeypatch.setattr(loop, "CHECKPOINT_EVERY", 2)
    one, two = (
        make_job(pictures, str(tmp_path / name), recipe=replace(BODY_RECIPE, steps=5), vgg_weights=weights)
        for name in ("one", "two")
    )
    losses: list[Mapping[str, float]] = []

    def report(progress: Progress) -> None:
        losses.append(progress.losses)
        if len(losses) == 3:  # as if it had been killed then
            shutil.copytree(one.workshop, two.workshop)

    assert train(one, report=report, stop=lambda: len(losses) == 4) == []
    assert train(two, report=report, stop=lambda: len(losses) == 6) == []
    assert len(losses) == 6 and losses[4:] == losses[2:4]
    with h5py.File(one.workshop / "checkpoint.h5") as first, h5py.File(two.workshop / "checkpoint.h5") as second:
        names: list[str] = []
        first.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        assert len(names) > 50
        assert [name for name in names if not np.array_equal(first[name][()], second[name][()])] == []


@pytest.mark.once
def test_run_ends_when_its_time_is_over_however_often_it_stopped(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = count()  # a step asks three times what time it is, and takes a quarter of a second then
    monkeypatch.setattr(loop, "time", SimpleNamespace(perf_counter=lambda: next(ticks) / 8))
    job = replace(run.job, output=tmp_path, recipe=replace(RECIPE, steps=10**6, minutes=1.25 / 60))
    reports: list[Progress] = []
    assert train(job, report=reports.append, stop=lambda: len(reports) == 2) == []
    assert len(train(job, report=reports.append)) == 3
    assert [(progress.step, progress.steps) for progress in reports] == [(step, 5) for step in range(1, 6)]
    assert read_metadata(job.workshop / "checkpoint.h5")["seconds"] == 1.25
    assert find_styles([tmp_path])["dots"].body.metadata["total_steps"] == 5
    assert len(train(job, report=reports.append)) == 3 and len(reports) == 5, "nothing is left to do"


# The photos of a run.


def hash_of_photos(folder: Path) -> str:
    """What identifies the photos of a folder."""
    lines = [f"{path.name}\0{len(path.read_bytes())}\n" for path in sorted(folder.iterdir())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


@pytest.mark.once
def test_broken_photos_are_told_once_and_known_when_the_run_goes_on(
    pictures: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    photos = tmp_path / "photos"
    shutil.copytree(pictures / "photos", photos)
    for number in range(1, 8):
        (photos / f"{number}.png").write_bytes(b"no photo")
    job = make_job(pictures, output=str(tmp_path), photos=photos, recipe=replace(RECIPE, steps=1))
    assert len(train(job, stop=lambda: True)) == 3, "a run that is stopped at its last step is finished"
    told = [message.split("'")[1] for message in caplog.messages if "was skipped" in message]
    known = [str(photos / f"{number}.png") for number in read_metadata(job.workshop / "checkpoint.h5")["skipped"]]
    assert len(set(told)) == len(told) and len(known) > 0 and set(known) <= set(told)
    facts = find_styles([tmp_path])["dots"].metadata
    assert (facts["photos"], facts["photos_skipped"], facts["photos_sha256"]) == (8, len(known), hash_of_photos(photos))
    caplog.clear()
    train(job)
    assert not [message for message in caplog.messages if any(path in message for path in known)]


@pytest.mark.once
def test_photos_that_have_changed_are_told_and_remembered(
    run: Run, pictures: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(pictures / "photos", tmp_path / "photos")
    job, past = replace(run.job, photos=tmp_path / "photos"), Past()
    photos = find_photos(job.photos)
    assert meet_photos(past, job.photos, photos, False) == set()
    first = hash_of_photos(job.photos)
    assert (past.photos, past.photo_count) == ([first], 8)
    past.step, past.skipped = 5, [6]
    assert meet_photos(past, job.photos, photos, False) == {photos[6]} and not caplog.messages
    (job.photos / "new.png").write_bytes((job.photos / "0.png").read_bytes())
    photos = find_photos(job.photos)
    finished = replace(past, step=RECIPE.steps)
    assert meet_photos(finished, job.photos, photos, True) == set() and finished.photos == [first]
    assert not caplog.messages
    assert meet_photos(past, job.photos, photos, False) == set()
    assert (past.photos, past.photo_count, past.skipped) == ([first, hash_of_photos(job.photos)], 9, [])
    assert caplog.messages == [
        f"The photos in '{job.photos}' are not those of the first 5 steps. It goes on with the 9 that are there now, and will "
        "not end exactly as it would have."
    ]


# Checkpoints that do not fit.


@pytest.fixture
def finished(run: Run, tmp_path: Path) -> Job:
    """The whole run with a checkpoint of its own to spoil."""
    job = replace(run.job, output=tmp_path / "copy")
    shutil.copytree(run.job.workshop, job.workshop)
    return job


@pytest.mark.once
@pytest.mark.parametrize("change", [{"seed": 2}, {"steps": 7}, {"style": 4.0}, {"motion": Motion()}], ids=str)
def test_checkpoint_of_other_settings_is_refused(finished: Job, change: dict[str, Any]) -> None:
    with pytest.raises(
        TrainingError, match="checkpoint of a run with other settings. Delete its folder to start anew, or choose"
    ):
        train(replace(finished, recipe=replace(RECIPE, **change)))


@pytest.mark.once
def test_checkpoint_of_another_precision_is_refused(finished: Job) -> None:
    with pytest.raises(TrainingError, match="checkpoint of a run with other settings"):
        train(replace(finished, precision="mixed_bfloat16"))


@pytest.mark.once
def test_checkpoint_of_other_styles_is_refused(finished: Job) -> None:
    with pytest.raises(TrainingError, match="checkpoint of a run with other settings"):
        train(replace(finished, pictures={"stripes": finished.pictures["stripes"]}))


@pytest.mark.once
def test_checkpoint_of_another_painting_under_the_same_name_is_refused(finished: Job) -> None:
    swapped = dict(zip(finished.pictures, reversed(list(finished.pictures.values()))))
    with pytest.raises(TrainingError, match="checkpoint of a run with other settings"):
        train(replace(finished, pictures=swapped))


def spoil_by_cutting(path: Path) -> None:
    """Half of the file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def spoil_by_emptying(path: Path) -> None:
    """A sound file without the numbers."""
    with h5py.File(path, "r") as file:
        metadata = json.loads(file.attrs["metadata"])
    write_weights(path, {}, metadata)


def spoil_by_reshaping(path: Path) -> None:
    """A sound file with an array of another shape."""
    with h5py.File(path, "r+") as file:
        del file["vectors"]
        file["vectors"] = np.zeros((2, 3), np.float32)


def spoil_by_nesting(path: Path) -> None:
    """A group in the place of an array."""
    with h5py.File(path, "r+") as file:
        del file["vectors"]
        file.create_group("vectors")


def spoil_by_listing(path: Path) -> None:
    """A description that is a list."""
    with h5py.File(path, "r+") as file:
        file.attrs["metadata"] = "[]"


def spoil_by_writing(path: Path) -> None:
    """Another file altogether."""
    path.write_text("not a checkpoint")


@pytest.mark.once
@pytest.mark.parametrize(
    "spoil",
    [spoil_by_cutting, spoil_by_emptying, spoil_by_reshaping, spoil_by_nesting, spoil_by_listing, spoil_by_writing],
    ids=lambda spoil: spoil.__name__,
)
def test_damaged_checkpoint_is_reported(finished: Job, spoil: Callable[[Path], None]) -> None:
    spoil(finished.workshop / "checkpoint.h5")
    with pytest.raises(TrainingError, match=r"checkpoint\.h5' is damaged and cannot be continued. Delete its folder to start"):
        train(finished)


# Numbers that run away.


class Spoiled(PhotoBatches):
    """The fifth batch is no picture: a number of times, or for ever."""

    times = 1

    def __call__(self, step: int) -> Batch:
        batch = super().__call__(step)
        if step == 4 and type(self).times > 0:
            type(self).times -= 1
            batch["frames"] *= np.nan
        return batch


def test_loss_that_is_not_finite_goes_back_to_the_last_good_step_at_half_the_rate(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(loop, "PhotoBatches", Spoiled)
    monkeypatch.setattr(Spoiled, "times", 1)
    reports: list[Progress] = []
    train(replace(run.job, output=tmp_path), report=reports.append)
    assert [progress.step for progress in reports] == [1, 2, 3, 4, 5, 5, 6]
    assert "The loss is nan after step 5: back to step 4, with 0.5 of the learning rate." in caplog.messages
    assert all(np.isfinite(array).all() for array in arrays_of(tmp_path).values())
    assert reports[-2].losses == run.reports[4].losses, "the first step after the return starts where the good one did"
    assert find_styles([tmp_path])["dots"].metadata["returns"] == 1
    assert not np.array_equal(arrays_of(tmp_path)["stem/kernel"], arrays_of(run.job.output)["stem/kernel"]), "at another rate"


def test_loss_that_explodes_goes_back_as_well(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = build_model(RECIPE, [np.zeros((64, 64, 3), np.float32)], vgg_weights="")
    good = LastGood(model, step=30, advice="")
    before = ops.convert_to_numpy(model.vectors).copy()
    assert not any(good.astray(loss) for loss in [5.0] * 25) and good.keep(55)
    assert not any(good.astray(loss) for loss in [20.0, 24.0] + [26.0] * 4)
    model.vectors.assign(before + 1)
    assert not good.settled
    with pytest.raises(ValueError, match="step 61 with a high loss: a settled state was expected"):
        good.keep(61)
    assert good.astray(26.0)
    assert good.restore(62, 26.0) == 55 and good.rate == 0.5 and good.settled
    assert np.array_equal(ops.convert_to_numpy(model.vectors), before)
    assert not good.astray(26.0) and not good.settled, "it still knows which losses are ordinary"
    resumed = LastGood(model, step=55, losses=good.losses, advice="")
    assert not resumed.astray(26.0) and not resumed.settled, "and so does a run that goes on"


@pytest.mark.once
def test_odd_photo_is_no_explosion() -> None:
    model = build_model(RECIPE, [np.zeros((64, 64, 3), np.float32)], vgg_weights="")
    good = LastGood(model, step=0, advice="")
    assert not any(good.astray(loss) for loss in [2.0] * 30 + [50.0, 50.0, 2.0] * 20)
    assert good.astray(math.inf) and good.astray(math.nan)


@pytest.mark.once
def test_first_losses_may_be_of_any_size(pictures: Path) -> None:
    model = build_model(RECIPE, [np.zeros((64, 64, 3), np.float32)], vgg_weights="")
    assert not any(LastGood(model, 0, advice="").astray(loss) for loss in (0.1, 90.0))


@pytest.mark.once
def test_run_that_goes_astray_again_and_again_stops_and_leaves_a_checkpoint_to_go_on_from(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = replace(run.job, output=tmp_path)
    with monkeypatch.context() as spoiled:
        spoiled.setattr(loop, "PhotoBatches", Spoiled)
        spoiled.setattr(Spoiled, "times", 100)
        with pytest.raises(TrainingError, match="loss is nan after step 5, although the learning rate was halved 5 times. St"):
            train(job)
    reports: list[Progress] = []
    train(job, report=reports.append)
    assert [progress.step for progress in reports] == [5, 6]
    assert_same_numbers(tmp_path, run.job.output)


class Spoiler:
    """`take_step`, but for one step: the first time that it comes, the model is ruined before it, or its loss alone is odd.

    Args:
        step: Steps done before.
        ruin: Whether the model is ruined for good.
    """

    def __init__(self, step: int, ruin: bool) -> None:
        self._step: int | None = step
        self._ruin = ruin

    def __call__(self, model: StyleModel, recipe: Recipe, step: int, batch: Batch, *rest: float) -> dict[str, float]:
        odd, self._step = step == self._step, None if step == self._step else self._step
        if odd and self._ruin:
            model.vectors.assign(ops.convert_to_numpy(model.vectors) * 30)
        losses = take_step(model, recipe, step, batch, *rest)
        return {**losses, "loss": losses["loss"] * 100} if odd else losses


@pytest.fixture
def spoil(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[int]]:
    """Spoil a step of a run that notices early; the list that comes back gets the steps at which checkpoints are saved."""
    monkeypatch.setattr(recovery, "FEWEST", 2)
    monkeypatch.setattr(recovery, "HIGH_IN_A_ROW", 3)
    saved: list[int] = []

    def spy(path: Path, model: StyleModel, fingerprint: str, past: Past) -> None:
        saved.append(past.step)
        save_checkpoint(path, model, fingerprint, past)

    def spoil_step(step: int, ruin: bool) -> list[int]:
        monkeypatch.setattr(loop, "take_step", Spoiler(step, ruin))
        monkeypatch.setattr(loop, "save_checkpoint", spy)
        return saved

    return spoil_step


@pytest.mark.once
def test_explosion_at_the_last_step_is_not_the_result(run: Run, tmp_path: Path, spoil: Callable[..., list[int]]) -> None:
    saved, reports = spoil(5, ruin=True), list[Progress]()
    train(replace(run.job, output=tmp_path), report=reports.append)
    assert [progress.step for progress in reports] == [1, 2, 3, 4, 5, 6, 5, 6] and saved == [2, 4, 6]
    assert all(np.abs(array).max() < 10 for array in arrays_of(tmp_path).values())


@pytest.mark.once
@pytest.mark.parametrize(("losses", "astray"), [([5.0], False), ([500.0, 5.0], False), ([500.0] * 4, True), ([math.nan], True)])
def test_photos_after_the_last_step_tell_whether_its_high_loss_was_an_odd_photos(
    run: Run, monkeypatch: pytest.MonkeyPatch, losses: list[float], astray: bool
) -> None:
    model = build_model(RECIPE, [np.zeros((64, 64, 3), np.float32)], vgg_weights="")
    good = LastGood(model, step=4, losses=[5.0] * 25, advice="")
    assert not good.astray(500.0)
    steps, coming = list[int](), iter(losses)
    batches = cast(PhotoBatches, lambda step: steps.append(step))
    monkeypatch.setattr(loop, "measure", lambda model, batch, styles: {"loss": next(coming)})
    assert loop.ends_astray(good, model, RECIPE, 6, batches) == astray and good.settled != astray
    assert steps == list(range(6, 6 + len(losses))) and not list(coming)


@pytest.mark.once
def test_stop_during_an_explosion_waits_until_it_is_over(run: Run, tmp_path: Path, spoil: Callable[..., list[int]]) -> None:
    saved, steps = spoil(3, ruin=True), list[int]()
    assert train(replace(run.job, output=tmp_path), report=lambda at: steps.append(at.step), stop=lambda: len(steps) >= 4) == []
    assert steps == [1, 2, 3, 4, 5, 6, 3] and saved == [2, 3], "nothing of it, not even where a checkpoint was due"


def test_state_that_is_not_finite_is_never_kept(pictures: Path) -> None:
    model = build_model(RECIPE, [np.zeros((64, 64, 3), np.float32)], vgg_weights="")
    good = LastGood(model, step=0, advice="")
    before = ops.convert_to_numpy(model.vectors).copy()
    model.vectors.assign(before * math.nan)
    assert not good.keep(5)
    assert good.restore(5, 1.0) == 0
    assert np.array_equal(ops.convert_to_numpy(model.vectors), before)
