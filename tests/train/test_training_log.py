"""What a run leaves for those who follow it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from realtime_nst.errors import StyleError, TrainingError
from realtime_nst.files import draft_of
from realtime_nst.style.book import find_styles
from realtime_nst.style.style import Style
from realtime_nst.train.losses import terms_of
from realtime_nst.train.trainer import most_similar, train
from realtime_nst.train.training_log import draw_losses, moving_mean, read_losses, write_losses
from tests.train.small import RECIPE, Run, make_small, stop_after

NAMES = ["loss", *(term.name for term in terms_of(RECIPE))]

pytestmark = [
    pytest.mark.once,
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"),
]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test of this file trains small."""
    make_small(monkeypatch)


def test_losses_of_every_step_are_in_a_file(run: Run) -> None:
    rows = read_losses(run.job.workshop / "losses.csv", NAMES)
    assert [row[0] for row in rows] == [1, 2, 3, 4, 5, 6]
    for row, progress in zip(rows, run.reports):
        assert np.allclose(row[1:], [progress.losses[name] for name in NAMES], rtol=1e-5)


def test_resumed_run_drops_what_came_after_its_checkpoint(run: Run, tmp_path: Path) -> None:
    job = replace(run.job, output=tmp_path)
    report, stop = stop_after(3)
    train(job, report=report, stop=stop)
    path = job.workshop / "losses.csv"
    write_losses(path, [*read_losses(path, NAMES), (4.0, *[9.0] * len(NAMES)), (5.0, *[9.0] * len(NAMES))], NAMES)
    train(job)
    assert read_losses(path, NAMES) == read_losses(run.job.workshop / "losses.csv", NAMES)


def test_losses_of_another_program_are_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "losses.csv"
    for text in ("", "a,b\n1,2\n", ",".join(["step", *NAMES]) + "\n1,two\n"):
        path.write_text(text)
        assert read_losses(path, NAMES) == []


def test_curve_falls_where_the_loss_falls() -> None:
    steps = range(1, 201)
    falling = draw_losses([(step, 10.0 / step, *[0.0] * (len(NAMES) - 1)) for step in steps], NAMES)
    dark = np.asarray(falling.convert("RGB")).max(axis=2)[60:480, 60:900] < 60
    heights = [np.flatnonzero(dark[:, column]).mean() for column in (30, 400, 800)]
    assert heights[0] < heights[1] < heights[2], "lower on the picture with every step"


def test_curve_of_nothing_and_of_one_step_is_a_picture() -> None:
    for losses in ([], [(1.0, *[0.5] * len(NAMES))]):
        assert draw_losses(losses, NAMES).size == (960, 540)


def test_mean_of_the_last_steps_starts_with_the_first() -> None:
    values = np.arange(120.0)
    means = moving_mean(values)
    assert means[0] == 0 and means[9] == 4.5 and means[119] == np.mean(values[70:])


def test_tensorboard_gets_scalars_and_previews(run: Run, tmp_path: Path) -> None:
    tensorflow = pytest.importorskip("tensorflow")
    pytest.importorskip("tensorboard")
    train(replace(run.job, output=tmp_path, log_dir=tmp_path / "log", recipe=replace(RECIPE, steps=2)))
    (file,) = (tmp_path / "log").glob("events*")
    found: dict[str, list[int]] = {}
    for record in tensorflow.data.TFRecordDataset([str(file)]):
        event = tensorflow.compat.v1.Event.FromString(record.numpy())
        for value in event.summary.value:
            found.setdefault(value.tag, []).append(event.step)
    assert found["loss"] == [1, 2] and set(NAMES) <= set(found)
    assert found["preview"] == [2] and found["waiting"] == found["steps_per_second"] == [1, 2]


def test_missing_tensorboard_is_told_before_the_first_step(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime_nst.train.training_log.importlib.util.find_spec", lambda name: None)
    reports: list[object] = []
    with pytest.raises(TrainingError, match="--log-dir needs TensorBoard: `pip install 'realtime-nst.tensorboard.'`"):
        train(replace(run.job, output=tmp_path, log_dir=tmp_path / "log"), report=reports.append)
    assert not reports


def test_log_folder_that_cannot_be_written_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StyleError, match="cannot be written: Not a directory. Choose another folder with --log-dir"):
        train(replace(run.job, output=tmp_path, log_dir=tmp_path / "file" / "log"))


def test_workshop_that_lost_its_place_does_not_stop_the_run(run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    job = replace(run.job, output=tmp_path)
    draft_of(job.workshop / "preview.jpg").mkdir(parents=True)
    assert len(train(job)) == 3
    assert any("was not written" in message for message in caplog.messages)


def test_most_similar_painting_is_found_by_its_signature(run: Run) -> None:
    book = find_styles([run.job.output])
    stripes, dots = book["stripes"], book["dots"]
    assert most_similar(stripes.metadata["signature"], [dots, stripes]) is stripes
    assert most_similar(dots.metadata["signature"], [dots, stripes]) is dots
    stranger = Style("stranger", stripes.vector, stripes.body, {})
    assert most_similar(stripes.metadata["signature"], [stranger, dots]) is dots
    assert most_similar(stripes.metadata["signature"], [stranger]) is stranger
