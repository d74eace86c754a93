"""A narrow body learns what a wide one does, never loses work, and says what it cannot do."""

import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from realtime_nst.cli.main import main
from realtime_nst.errors import TrainingError
from realtime_nst.style.book import find_styles
from realtime_nst.style.style import write_body, write_style
from realtime_nst.train import loop
from realtime_nst.train.dataset import Batch, find_photos, hash_photos
from realtime_nst.train.distil import Lesson, distil, relative_distance
from realtime_nst.train.learner import Learner, take_step
from realtime_nst.train.loop import Progress
from realtime_nst.train.recipes import Recipe
from realtime_nst.train.training_log import read_losses
from tests.conftest import NARROW, narrow_body, random_vector
from tests.train.small import RECIPE, arrays_of, assert_same_numbers, stop_after

PUPIL = replace(NARROW, patches=6, inner=4, fine_inner=4)
CUT = ("--patches", "6", "--inner", "4", "--fine-inner", "4")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
"""Keras' own, about TensorFlow's variables."""


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wide body and three styles of it."""
    folder = tmp_path_factory.mktemp("styles")
    body = narrow_body(folder, "wide", 0)
    for seed, name in enumerate(("arch", "kelp", "rust")):
        write_style(folder, name, random_vector(seed), body, {"title": name.title()})
    return folder


@pytest.fixture(scope="module")
def taught(wide: Path, pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Lesson:
    """A lesson of four steps that has come to its end, and is left as it is."""
    styles = list(find_styles([wide]).values())
    output = tmp_path_factory.mktemp("taught")
    lesson = Lesson(styles[0].body, styles, PUPIL, pictures / "photos", output, "slim", replace(RECIPE, steps=4))
    assert [path.name for path in distil(lesson)] == ["slim.body.h5", "arch.weights.h5", "kelp.weights.h5", "rust.weights.h5"]
    return lesson


@pytest.fixture
def lesson(taught: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lesson:
    """The same, not begun."""
    monkeypatch.setattr(loop, "CHECKPOINT_EVERY", 2)
    return replace(taught, output=tmp_path / "out")


@pytest.mark.once
def test_pupil_learns_what_was_cut_off(lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_EVERY", 80)  # only what was learned is looked at
    kernels = lesson.body.weights()
    kernels["fine1a/kernel"] = kernels["fine1a/kernel"][..., [0, 0, 0, 1, 1, 2, 3]]  # four channels would do
    body = write_body(tmp_path, "redundant", NARROW, kernels, {})
    reports: list[Progress] = []
    pupil = replace(NARROW, fine_inner=4)
    recipe = replace(RECIPE, steps=80, batch=4)
    distil(replace(lesson, body=body, architecture=pupil, recipe=recipe), report=reports.append)
    pictures = [report.losses["pictures"] for report in reports]
    assert [report.step for report in reports] == list(range(1, 81))
    assert np.mean(pictures[-10:]) < 0.75 * np.mean(pictures[:5])


def test_files_are_a_body_and_its_styles_and_say_where_they_come_from(taught: Lesson) -> None:
    book = find_styles([taught.output])
    body = book["kelp"].body
    assert body.architecture == PUPIL and body.metadata["distilled"]["from"] == taught.body.sha256
    assert body.metadata["distilled"]["wide"] == NARROW.to_dict() and body.metadata["distilled"]["recipe"]["steps"] == 4
    assert book["kelp"].metadata["title"] == "Kelp"


def test_four_steps_are_two_and_two_more_to_the_bit(taught: Lesson, lesson: Lesson) -> None:
    report, stop = stop_after(2)
    assert distil(lesson, report=report, stop=stop) == []
    assert not list(lesson.output.glob("*.h5"))
    with pytest.raises(TrainingError, match="is a checkpoint of a run with other settings"):
        distil(replace(lesson, recipe=replace(lesson.recipe, seed=5)))
    again: list[Progress] = []
    distil(lesson, report=again.append)
    assert [progress.step for progress in again] == [3, 4]
    assert_same_numbers(taught.output, lesson.output)


@pytest.mark.once
def test_body_that_is_there_is_not_replaced(taught: Lesson, lesson: Lesson) -> None:
    lesson.output.mkdir()
    path = lesson.output / "slim.body.h5"
    shutil.copyfile(taught.output / path.name, path)
    before = path.read_bytes()
    with pytest.raises(TrainingError, match=r"slim\.body\.h5' is there already. Choose another name with --new-body"):
        distil(lesson)
    assert path.read_bytes() == before


@pytest.mark.once
def test_run_that_was_cut_off_while_it_wrote_its_styles_writes_the_rest(taught: Lesson, lesson: Lesson) -> None:
    shutil.copytree(taught.output, lesson.output)
    (lesson.output / "rust.weights.h5").unlink()
    steps: list[Progress] = []
    assert len(distil(lesson, report=steps.append)) == 4 and not steps
    assert_same_numbers(taught.output, lesson.output)


@pytest.mark.once
def test_styles_of_the_wide_body_are_not_written_over(wide: Path, lesson: Lesson) -> None:
    shutil.copytree(wide, lesson.output)
    before = {path.name: path.read_bytes() for path in lesson.output.iterdir()}
    with pytest.raises(TrainingError, match=r"These styles of '.*wide\.body\.h5' would be replaced .*: arch, kelp, rust"):
        distil(lesson)
    assert {path.name: path.read_bytes() for path in lesson.output.iterdir()} == before


@pytest.mark.once
def test_photos_that_have_changed_are_told(
    lesson: Lesson, pictures: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(pictures / "photos", tmp_path / "photos")
    lesson = replace(lesson, photos=tmp_path / "photos")
    report, stop = stop_after(2)
    distil(lesson, report=report, stop=stop)
    (lesson.photos / "new.png").write_bytes((lesson.photos / "0.png").read_bytes())
    distil(lesson)
    told = "are not those of the first 2 steps. It goes on with the 9 that are there"
    assert sum(told in text for text in caplog.messages) == 1
    (body,) = find_styles([lesson.output]).bodies
    assert body.metadata["distilled"]["photos_sha256"] == hash_photos(lesson.photos, find_photos(lesson.photos))


class Broken:
    """`take_step`, but the loss of the third step is no number, so many times."""

    def __init__(self, times: int) -> None:
        self._left = times

    def __call__(self, model: Learner, recipe: Recipe, step: int, batch: Batch, *rest: float) -> dict[str, float]:
        losses = take_step(model, recipe, step, batch, *rest)
        if step == 2 and self._left > 0:
            self._left -= 1
            return {**losses, "loss": math.nan}
        return losses


def test_loss_that_is_no_number_goes_back_to_the_last_good_step_at_half_the_rate(
    taught: Lesson, lesson: Lesson, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(loop, "take_step", Broken(1))
    steps: list[int] = []
    assert len(distil(lesson, report=lambda progress: steps.append(progress.step))) == 4
    assert steps == [1, 2, 3, 3, 4]
    assert "The loss is nan after step 3: back to step 2, with 0.5 of the learning rate." in caplog.messages
    numbers, others = arrays_of(lesson.output), arrays_of(taught.output)
    assert all(np.isfinite(array).all() for array in numbers.values())
    assert not np.array_equal(numbers["stem/kernel"], others["stem/kernel"]), "at another rate"


@pytest.mark.once
def test_loss_that_is_no_number_again_and_again_ends_the_run_and_keeps_the_last_checkpoint(
    taught: Lesson, lesson: Lesson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "take_step", Broken(100))
    said = (
        r"The loss is nan after step 3, although the learning rate was halved 5 times\. Give the same command with a lower --rate"
    )
    with pytest.raises(TrainingError, match=f"{said} and another --new-body"):
        distil(lesson)
    monkeypatch.setattr(loop, "take_step", take_step)
    again: list[Progress] = []
    distil(lesson, report=again.append)
    assert [progress.step for progress in again] == [3, 4]
    assert_same_numbers(taught.output, lesson.output)


@pytest.mark.once
def test_workshop_holds_what_there_is_to_watch(taught: Lesson) -> None:
    names = ["checkpoint.h5", "losses.csv", "losses.png", "preview.jpg"]
    assert sorted(path.name for path in taught.workshop.iterdir()) == names
    rows = read_losses(taught.workshop / "losses.csv", ["loss", "pictures", "features"])
    assert [row[0] for row in rows] == [1, 2, 3, 4]


def test_distance_is_nothing_for_the_same_and_one_for_the_mean() -> None:
    target = np.random.default_rng(0).normal(3.0, 2.0, (2, 16, 16, 4)).astype(np.float32)
    assert np.allclose(relative_distance(target, target), 0.0)
    mean = np.broadcast_to(target.mean((1, 2), keepdims=True), target.shape)
    assert np.allclose(relative_distance(mean, target), 1.0, atol=1e-3)


# The command.


@pytest.fixture
def run(wide: Path, pictures: Path, tmp_path: Path) -> Callable[..., int]:
    """`realtime-nst distil wide --new-body slim ...` in few steps."""
    flags = ["--weights", wide, "--photos", pictures / "photos", "--output", tmp_path / "out"]
    flags += ["--steps", 2, "--batch", 2, "--size", 32]
    return lambda *more, body="wide": main(["distil", body, "--new-body", "slim", *map(str, flags), *more])


@pytest.mark.once
def test_command_writes_a_narrower_body_with_all_its_styles(
    run: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*CUT) == 0
    said = capsys.readouterr().err
    assert f"Wrote '{tmp_path / 'out' / 'slim.body.h5'}'." in said and "Traceback" not in said
    book = find_styles([tmp_path / "out"])
    assert list(book) == ["arch", "kelp", "rust"] and book["rust"].body.architecture == PUPIL


@pytest.mark.once
@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ((), "Nothing would become narrower: 'wide' has --patches 9, --inner 5, --fine-inner 7, --half 4. Give at least one"),
        (("--inner", "6"), "6 for 'inner', where the body to learn from has 5: at most 5 was expected."),
        ((*CUT, "--rate", "2"), "--rate 2.0 is out of range. 0.004 is the default"),
    ],
)
def test_what_makes_no_sense_is_said_before_anything_is_written(
    run: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], said: str
) -> None:
    assert run(*flags) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.once
def test_unknown_body_is_said(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*CUT, body="broad") == 1
    assert "No body named 'broad'." in capsys.readouterr().err
