"""Training runs on a narrow network, with a few fixed convolutions in the place of VGG19."""

import json
import math
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image
from realtime_nst.train import model, trainer
from realtime_nst.train.dataset import Batch, Motion, PhotoBatches
from realtime_nst.train.recipes import Painting, Recipe
from realtime_nst.train.trainer import Job, Progress, read_painting, train

from realtime_nst.architecture import Architecture
from realtime_nst.errors import StyleError, TrainingError
from realtime_nst.styles import STYLE_SUFFIX, find_styles
from realtime_nst.weightfile import write_weights

NARROW = Architecture(width=8, blocks=1, half=4, full=4)
RECIPE = Recipe(
    steps=6,
    batch=2,
    size=32,
    painting_size=64,
    learning_rate=1e-2,
    content_tap="relu2_1",
    style_taps=("relu1_1", "relu2_1"),
    motion=Motion(shift=2, bend=0.5),
)


def small_loss_network(weights: str, *taps: Sequence[str]) -> list[keras.Model]:
    """Two frozen convolutions that answer by the names of taps."""
    images = keras.Input((None, None, 3))
    x = images / 127.5 - 1.0
    features = {}
    for number, name in enumerate(("relu1_1", "relu2_1")):
        start = keras.initializers.RandomNormal(stddev=0.4, seed=number)
        x = layers.Conv2D(6, 3, strides=number + 1, activation="relu", kernel_initializer=start, bias_initializer="ones")(x)
        features[name] = x
    networks = [keras.Model(images, {name: features[name] for name in names}) for names in taps]
    for network in networks:
        network.trainable = False
    return networks


def make_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Narrow network, small loss network, frequent checkpoints."""
    monkeypatch.setattr(model, "build_loss_network", small_loss_network)
    for module in (model, trainer):
        monkeypatch.setattr(module, "Architecture", lambda: NARROW)
    monkeypatch.setattr(trainer, "CHECKPOINT_EVERY", 2)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test of this file trains small."""
    make_small(monkeypatch)


def make_pictures(folder: Path) -> None:
    """Eight photos and two paintings."""
    (folder / "photos").mkdir(parents=True)
    for number in range(8):
        pixels = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        picture = Image.fromarray(pixels)
        picture.resize((80, 60), Image.Resampling.BICUBIC).save(folder / "photos" / f"{number}.png")
    for name, colours in (("stripes", [(230, 60, 20), (20, 30, 90)]), ("dots", [(250, 240, 200), (10, 90, 60)])):
        size = 6 if name == "stripes" else 13
        board = (
            np.indices((150, 200)).sum(axis=0) // size % 2
            if name == "stripes"
            else np.indices((150, 200)).prod(axis=0) // size % 2
        )
        Image.fromarray(np.array(colours, np.uint8)[board]).save(folder / f"{name}.png")


def make_job(folder: Path, output: str = "out", **changes: Any) -> Job:
    """A job on the pictures of `make_pictures`."""
    names = ("stripes", "dots")
    job = Job(
        pictures={name: folder / f"{name}.png" for name in names},
        paintings={name: Painting(name.title(), "Nobody", "2001", "public domain") for name in names},
        photos=folder / "photos",
        output=folder / output,
        name="young",
        recipe=RECIPE,
    )
    return replace(job, **changes)


def arrays_of(folder: Path) -> dict[str, np.ndarray]:
    """All numbers of a run's body and styles."""
    book = find_styles([folder])
    (body,) = book.bodies
    return {**body.weights(), **{name: style.vector for name, style in book.items()}}


def assert_same_numbers(one: Path, other: Path) -> None:
    """Body and styles of two runs, to the bit."""
    arrays, others = arrays_of(one), arrays_of(other)
    assert set(arrays) == set(others)
    assert {name for name in arrays if not np.array_equal(arrays[name], others[name])} == set()


def stop_after(step: int) -> tuple[Callable[[Progress], None], Callable[[], bool]]:
    """A `report` and a `stop` that end a run after a step."""
    done: list[int] = []
    return lambda progress: done.append(progress.step), lambda: done[-1] >= step


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photos and paintings, which tests leave as it is."""
    folder = tmp_path_factory.mktemp("pictures")
    make_pictures(folder)
    return folder


@pytest.fixture(scope="module")
def run(pictures: Path) -> Iterator[tuple[Job, list[Path], list[Progress]]]:
    """One whole run: its job, the files that it wrote, and its reports."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        make_small(monkeypatch)
        reports: list[Progress] = []
        job = make_job(pictures, "whole")
        yield job, train(job, report=reports.append), reports


# What a run leaves.


def test_run_writes_a_body_and_its_styles(run: tuple[Job, list[Path], list[Progress]]) -> None:
    job, written, _ = run
    assert written == [job.output / name for name in ("young.body.h5", "stripes.weights.h5", "dots.weights.h5")]
    book = find_styles([job.output])
    assert list(book) == ["dots", "stripes"]
    (body,) = book.bodies
    assert body.name == "young" and body.architecture == NARROW
    assert not np.array_equal(book["dots"].vector, book["stripes"].vector)
    assert all(np.isfinite(array).all() and array.any() for array in arrays_of(job.output).values())


def test_style_file_says_how_it_was_made(run: tuple[Job, list[Path], list[Progress]]) -> None:
    job, _, reports = run
    style = find_styles([job.output])["stripes"]
    expected = {
        "title": "Stripes",
        "artist": "Nobody",
        "year": "2001",
        "licence": "the trainer's own",
        "licence_of_painting": "public domain",
        "trained": "jointly with its body",
        "photos": 8,
        "photos_skipped": 0,
        "backend": keras.config.backend(),
        "recipe": json.loads(json.dumps(RECIPE.to_dict())),
    }
    assert {name: style.metadata[name] for name in expected} == expected
    assert style.metadata["last_losses"] == {name: round(value, 4) for name, value in reports[-1].losses.items()}
    assert style.body.metadata["styles"] == ["stripes", "dots"]


def test_every_step_is_reported(run: tuple[Job, list[Path], list[Progress]]) -> None:
    _, _, reports = run
    assert [(progress.step, progress.steps) for progress in reports] == [(step, 6) for step in range(1, 7)]
    for progress in reports:
        assert set(progress.losses) == {"loss", "content", "style", "total_variation", "temporal"}
        assert all(value > 0 for value in progress.losses.values())
        assert 0 <= progress.waiting <= 1


def test_loss_is_the_sum_of_the_terms_with_the_weights_of_the_recipe(run: tuple[Job, list[Path], list[Progress]]) -> None:
    for progress in run[2]:
        terms = {name: value for name, value in progress.losses.items() if name != "loss"}
        weights = {"content": 1.0, "style": 5.0, "total_variation": 0.5, "temporal": 20.0}
        total = sum(weights[name] * value for name, value in terms.items())
        assert math.isclose(progress.losses["loss"], total, rel_tol=1e-4)


def test_preview_shows_four_photos_plain_and_in_every_style(run: tuple[Job, list[Path], list[Progress]]) -> None:
    with Image.open(run[0].workshop / "preview.jpg") as preview:
        assert preview.size == (4 * 32, (1 + 2) * 32)
        rows = np.asarray(preview.convert("RGB"), np.float32).reshape(3, 32, 128, 3)
    assert np.abs(rows[0] - rows[1]).mean() > 5 and np.abs(rows[1] - rows[2]).mean() > 0.1


def test_workshop_holds_checkpoint_and_preview_and_no_drafts(run: tuple[Job, list[Path], list[Progress]]) -> None:
    job = run[0]
    assert sorted(path.name for path in job.workshop.iterdir()) == ["checkpoint.h5", "preview.jpg"]
    names = ["dots.weights.h5", "stripes.weights.h5", "young.body.h5", "young.training"]
    assert sorted(path.name for path in job.output.iterdir()) == names


def test_loss_falls(pictures: Path, tmp_path: Path) -> None:
    losses: list[float] = []
    recipe = replace(RECIPE, steps=60, motion=Motion(0, 0, 0, 0, 1))
    train(make_job(pictures, output=str(tmp_path), recipe=recipe), report=lambda progress: losses.append(progress.losses["loss"]))
    assert len(losses) == 60
    assert np.mean(losses[-10:]) < 0.7 * np.mean(losses[:10])


# Stopping and going on.


def test_stopped_run_goes_on_as_if_it_had_not_stopped(run: tuple[Job, list[Path], list[Progress]], tmp_path: Path) -> None:
    job = replace(run[0], output=tmp_path)
    report, stop = stop_after(3)
    assert train(job, report=report, stop=stop) == []
    assert (job.workshop / "preview.jpg").exists()
    assert not list(tmp_path.glob("*.h5")), "a stopped run leaves no styles"
    reports: list[Progress] = []
    written = train(job, report=reports.append)
    assert [progress.step for progress in reports] == [4, 5, 6]
    assert [path.name for path in written] == [path.name for path in run[1]]
    assert_same_numbers(tmp_path, run[0].output)
    assert [progress.losses for progress in reports] == [progress.losses for progress in run[2][3:]]


def test_run_stopped_at_its_last_step_is_finished(pictures: Path, tmp_path: Path) -> None:
    job = make_job(pictures, output=str(tmp_path), recipe=replace(RECIPE, steps=1))
    assert len(train(job, stop=lambda: True)) == 3


def test_finished_run_writes_the_same_files_when_asked_again(run: tuple[Job, list[Path], list[Progress]], tmp_path: Path) -> None:
    job = replace(run[0], output=tmp_path / "copy")
    shutil.copytree(run[0].output, job.output)
    (job.output / "stripes.weights.h5").unlink()
    reports: list[Progress] = []
    assert len(train(job, report=reports.append)) == 3
    assert not reports
    assert_same_numbers(job.output, run[0].output)
    for name, style in find_styles([job.output]).items():
        assert style.metadata == find_styles([run[0].output])[name].metadata


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_killed_run_goes_on_as_if_it_had_not_been_killed(tmp_path: Path) -> None:
    make_pictures(tmp_path)
    train(make_job(tmp_path, "straight"))
    command = [sys.executable, __file__, str(tmp_path)]
    environment = {**os.environ, "KERAS_BACKEND": keras.config.backend()}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
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
    assert_same_numbers(tmp_path / "killed", tmp_path / "straight")


# Vectors on a frozen body.


def test_new_styles_leave_a_frozen_body_untouched(run: tuple[Job, list[Path], list[Progress]], tmp_path: Path) -> None:
    book = find_styles([run[0].output])
    (body,) = book.bodies
    before, kernels = body.path.read_bytes(), body.weights()
    start = book["dots"].vector
    job = replace(run[0], output=tmp_path, name="stripes", body=body, start=start, pictures={"new": run[0].pictures["stripes"]})
    job = replace(job, paintings={"new": Painting("New")}, recipe=replace(RECIPE, steps=3))
    assert train(job) == [tmp_path / "new.weights.h5"]
    assert body.path.read_bytes() == before
    with h5py.File(job.workshop / "checkpoint.h5") as file:
        for name, array in kernels.items():
            assert np.array_equal(file[f"network/{name}"][()], array)
    style = find_styles([tmp_path, run[0].output])["new"]
    assert style.body == body and style.metadata["trained"] == "vector on a frozen body"
    difference = np.abs(style.vector - start)
    assert 0 < difference.max() < 0.1, "three steps from the start, at a rate of at most 0.01"


def test_start_of_a_new_vector_is_neutral_unless_given(run: tuple[Job, list[Path], list[Progress]], tmp_path: Path) -> None:
    (body,) = find_styles([run[0].output]).bodies
    job = replace(run[0], output=tmp_path, body=body, recipe=replace(RECIPE, steps=1))
    train(job)
    vector = find_styles([tmp_path, run[0].output])["stripes"].vector
    neutral = np.concatenate([np.repeat([1.0, 0.0], size) for size in (8, 8, 8, 4, 4, 3)])
    assert vector.shape == neutral.shape and np.abs(vector - neutral).max() < 0.01


# What cannot be trained.


def test_missing_photos_and_paintings_are_reported_before_anything_is_written(pictures: Path, tmp_path: Path) -> None:
    job = make_job(pictures, output=str(tmp_path / "out"))
    with pytest.raises(TrainingError, match="No folder of photos at"):
        train(replace(job, photos=pictures / "gone"))
    with pytest.raises(TrainingError, match=r"No picture at '.*gone\.png'. Name the file of a painting"):
        train(replace(job, pictures={"stripes": pictures / "stripes.png", "dots": pictures / "gone.png"}))
    assert not (tmp_path / "out").exists()


def test_painting_that_is_no_picture_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no picture")
    for path in (tmp_path / "a.png", tmp_path):
        with pytest.raises(TrainingError, match=f"'{path}' is not a picture that can be read: .*. Give a JPEG or PNG file"):
            read_painting(path, 64)


@pytest.mark.parametrize(("width", "height"), [(127, 500), (500, 127), (1, 1)])
def test_tiny_painting_is_reported(tmp_path: Path, width: int, height: int) -> None:
    Image.new("RGB", (width, height)).save(tmp_path / "a.png")
    with pytest.raises(TrainingError, match=f"has {width}x{height} pixels; at least 128 on the shorter side were expected"):
        read_painting(tmp_path / "a.png", 64)


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "CMYK", "I;16"])
def test_painting_of_any_kind_is_upright_and_its_shorter_side_resized(tmp_path: Path, mode: str) -> None:
    picture = Image.new("L", (300, 200), 200)
    picture.paste(40, (0, 0, 300, 100))
    sideways = picture.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = Image.fromarray(np.asarray(sideways).astype(np.uint16) * 257) if mode == "I;16" else sideways.convert(mode)
    stored.save(tmp_path / "a.tif", exif=exif)
    painting = read_painting(tmp_path / "a.tif", 50)
    assert painting.shape == (50, 75, 3) and painting.dtype == np.float32
    assert np.abs(painting[:20] - 40).max() <= 3 and np.abs(painting[30:] - 200).max() <= 3


def test_output_that_is_a_file_is_reported(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(StyleError, match=r"young\.training' cannot be written: .*. Choose another folder with --output"):
        train(make_job(pictures, output=str(tmp_path / "out")))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root can write everywhere")
def test_output_folder_that_cannot_be_written_is_reported(pictures: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StyleError, match="cannot be written: Permission denied. Choose another folder with --output"):
        train(make_job(pictures, output=str(tmp_path / "out")))


# Checkpoints that do not fit.


@pytest.fixture
def finished(run: tuple[Job, list[Path], list[Progress]], tmp_path: Path) -> Job:
    """The whole run with a checkpoint of its own to spoil."""
    job = replace(run[0], output=tmp_path / "copy")
    shutil.copytree(run[0].workshop, job.workshop)
    return job


@pytest.mark.parametrize("change", [{"seed": 2}, {"steps": 7}, {"style": 4.0}, {"motion": Motion()}], ids=str)
def test_checkpoint_of_other_settings_is_refused(finished: Job, change: dict[str, Any]) -> None:
    with pytest.raises(
        TrainingError, match="checkpoint of a run with other settings. Delete its folder to start anew, or choose"
    ):
        train(replace(finished, recipe=replace(RECIPE, **change)))


def test_checkpoint_of_other_styles_is_refused(finished: Job) -> None:
    with pytest.raises(TrainingError, match="checkpoint of a run with other settings"):
        train(replace(finished, pictures={"stripes": finished.pictures["stripes"]}))


def test_checkpoint_of_another_painting_under_the_same_name_is_refused(finished: Job) -> None:
    swapped = dict(zip(finished.pictures, reversed(finished.pictures.values())))
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


def test_loss_that_is_not_finite_stops_and_leaves_a_checkpoint_to_go_on_from(
    run: tuple[Job, list[Path], list[Progress]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = replace(run[0], output=tmp_path)

    class SpoiledBatches(PhotoBatches):
        """The fifth batch is no picture."""

        def __call__(self, step: int) -> Batch:
            batch = super().__call__(step)
            if step == 4:
                batch["frames"] *= np.nan
            return batch

    with monkeypatch.context() as spoiled:
        spoiled.setattr(trainer, "PhotoBatches", SpoiledBatches)
        with pytest.raises(TrainingError, match=r"The loss is nan after step 5. The last checkpoint is good"):
            train(job)
    reports: list[Progress] = []
    train(job, report=reports.append)
    assert [progress.step for progress in reports] == [5, 6]
    assert_same_numbers(tmp_path, run[0].output)


def test_checkpoint_never_holds_numbers_that_are_not_finite(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "CHECKPOINT_EVERY", 1)
    job = make_job(pictures, output=str(tmp_path), recipe=replace(RECIPE, learning_rate=math.nan))
    with pytest.raises(TrainingError, match="not finite|loss is nan"):
        train(job)
    if (job.workshop / "checkpoint.h5").exists():
        with h5py.File(job.workshop / "checkpoint.h5") as file:
            assert np.isfinite(file["vectors"][()]).all()


if __name__ == "__main__":  # the run that is killed
    make_small(pytest.MonkeyPatch())
    train(make_job(Path(sys.argv[1]), "killed"), report=lambda progress: print(f"step {progress.step}", flush=True))
