"""Training runs on a narrow network: what they leave, and what they refuse."""

import errno
import json
import math
import os
import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from PIL import Image

from realtime_nst.errors import StyleError, TrainingError
from realtime_nst.files import draft_of
from realtime_nst.style.book import find_styles
from realtime_nst.style.style import write_style
from realtime_nst.style.weightfile import read_metadata
from realtime_nst.train import loop, trainer
from realtime_nst.train.dataset import Motion, find_photos, hash_photos
from realtime_nst.train.job import Job, check_replaced_body, check_replaced_styles, read_painting
from realtime_nst.train.loop import Progress
from realtime_nst.train.losses import terms_of
from realtime_nst.train.recipes import Painting
from realtime_nst.train.trainer import train
from tests.conftest import NARROW, narrow_body, random_vector
from tests.test_picturefile import RAW
from tests.train.small import RECIPE, Run, arrays_of, make_job, make_small, neutral_vector

TERMS = [term.name for term in terms_of(RECIPE)]

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
"""Keras' own, about TensorFlow's variables."""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test of this file trains small."""
    make_small(monkeypatch)


# What a run leaves.


def test_run_writes_a_body_and_its_styles(run: Run) -> None:
    job, written, _ = run
    assert written == [job.output / name for name in ("young.body.h5", "stripes.weights.h5", "dots.weights.h5")]
    book = find_styles([job.output])
    assert list(book) == ["dots", "stripes"]
    (body,) = book.bodies
    assert body.name == "young" and body.architecture == NARROW
    neutral = neutral_vector(NARROW)
    for vector in (book["dots"].vector, book["stripes"].vector):
        assert np.abs(vector - neutral).max() > 1e-3, "every style has learned"
    assert not np.array_equal(book["dots"].vector, book["stripes"].vector)
    assert all(np.isfinite(array).all() and array.any() for array in arrays_of(job.output).values())


def test_style_file_says_how_it_was_made(run: Run) -> None:
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
        "photos_sha256": hash_photos(job.photos, find_photos(job.photos)),
        "photos_skipped": 0,
        "backend": keras.config.backend(),
        "recipe": json.loads(json.dumps(RECIPE.to_dict())),
    }
    assert {name: style.metadata[name] for name in expected} == expected
    assert set(style.metadata["figures"]) == set(TERMS)
    for name, value in style.metadata["figures"].items():
        assert 0.2 < value / reports[-1].losses[name] < 5, "on other photos, but of the same size"
    assert style.body.metadata["styles"] == ["stripes", "dots"]


def test_style_file_says_how_fast_training_was(run: Run) -> None:
    job, _, reports = run
    checkpoint = read_metadata(job.workshop / "checkpoint.h5")
    facts = find_styles([job.output])["stripes"].metadata
    assert facts["steps_per_second"] == pytest.approx(6 / checkpoint["seconds"], abs=0.01)
    assert facts["waiting"] == pytest.approx(checkpoint["waited"] / checkpoint["seconds"], abs=1e-3)
    assert 0 <= facts["waiting"] <= 1 and min(step.waiting for step in reports) <= facts["waiting"] + 1e-3
    assert facts["waiting"] <= max(step.waiting for step in reports) + 1e-3


@pytest.mark.once
def test_figures_of_all_styles_are_of_the_same_batches_and_each_is_made_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    seen: list[tuple[int, int]] = []

    def measure(model: object, batch: int, styles: np.ndarray) -> dict[str, float]:
        seen.append((batch, int(styles[0])))
        return dict.fromkeys(TERMS, float(batch + 10 * styles[0]))

    monkeypatch.setattr(trainer, "measure", measure)
    figures = trainer.figures_of(run.job, None, lambda number: made.append(number) or number)  # type: ignore[arg-type]
    assert made == [0, 1, 2, 3] and sorted(seen) == [(batch, style) for batch in made for style in (0, 1)]
    assert figures == {"stripes": dict.fromkeys(TERMS, 1.5), "dots": dict.fromkeys(TERMS, 11.5)}


def test_every_step_is_reported(run: Run) -> None:
    _, _, reports = run
    assert [(progress.step, progress.steps) for progress in reports] == [(step, 6) for step in range(1, 7)]
    for progress in reports:
        assert set(progress.losses) == {"loss", *TERMS}
        assert all(value > 0 for value in progress.losses.values())
        assert 0 <= progress.waiting <= 1


def test_loss_is_the_sum_of_the_terms_with_the_weights_of_the_recipe(run: Run) -> None:
    for progress in run.reports:
        terms = {name: value for name, value in progress.losses.items() if name != "loss"}
        assert set(terms) >= {"content", "style", "total_variation", "temporal", "grid"}
        total = sum(getattr(RECIPE, name) * value for name, value in terms.items())
        assert math.isclose(progress.losses["loss"], total, rel_tol=1e-4)


def test_preview_shows_four_photos_plain_and_in_every_style(run: Run) -> None:
    with Image.open(run.job.workshop / "preview.jpg") as preview:
        assert preview.size == (4 * 32, (1 + 2) * 32)
        rows = np.asarray(preview.convert("RGB"), np.float32).reshape(3, 32, 128, 3)
    assert np.abs(rows[0] - rows[1]).mean() > 5 and np.abs(rows[1] - rows[2]).mean() > 0.1


def test_workshop_holds_checkpoint_and_preview_and_no_drafts(run: Run) -> None:
    job = run.job
    assert sorted(path.name for path in job.workshop.iterdir()) == ["checkpoint.h5", "losses.csv", "losses.png", "preview.jpg"]
    names = ["dots.weights.h5", "stripes.weights.h5", "young.body.h5", "young.training"]
    assert sorted(path.name for path in job.output.iterdir()) == names


def test_loss_falls(pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_EVERY", 60)  # only what was learned is looked at
    losses: list[float] = []
    recipe = replace(RECIPE, steps=60, motion=Motion(shift=0, bend=0, noise=0, correlated=0, exposure=0, still=1, compressed=0))
    train(make_job(pictures, output=str(tmp_path), recipe=recipe), report=lambda progress: losses.append(progress.losses["loss"]))
    assert len(losses) == 60
    assert np.mean(losses[-10:]) < 0.7 * np.mean(losses[:10])


# Vectors on a frozen body.


def test_new_styles_leave_a_frozen_body_untouched(run: Run, tmp_path: Path) -> None:
    book = find_styles([run.job.output])
    (body,) = book.bodies
    before, kernels = body.path.read_bytes(), body.weights()
    start = book["stripes"].vector
    job = replace(run.job, output=tmp_path, name="stripes", body=body, pictures={"new": run.job.pictures["stripes"]})
    job = replace(
        job, relatives=[book["dots"], book["stripes"]], paintings={"new": Painting("New")}, recipe=replace(RECIPE, steps=3)
    )
    assert train(job) == [tmp_path / "new.weights.h5"]
    assert body.path.read_bytes() == before
    with h5py.File(job.workshop / "checkpoint.h5") as file:
        for name, array in kernels.items():
            assert np.array_equal(file[f"network/{name}"][()], array)
    style = find_styles([tmp_path, run.job.output])["new"]
    assert style.body == body and style.metadata["trained"] == "vector on a frozen body"
    difference = np.abs(style.vector - start)
    assert 0 < difference.max() < 0.1, "three steps from the vector of the most similar painting, at a rate of at most 0.01"
    assert style.metadata["started_from"] == "stripes", "its own painting, under another name"


@pytest.mark.once
def test_body_that_grows_out_of_another_starts_there_and_tells(run: Run, tmp_path: Path) -> None:
    book = find_styles([run.job.output])
    (old,) = book.bodies
    start = {style.name: style.vector for style in (book["stripes"], book["dots"])}
    job = replace(run.job, output=tmp_path, body=old, frozen=False, start=start, recipe=replace(RECIPE, steps=2))
    train(job)
    grown = find_styles([tmp_path])
    (body,) = grown.bodies
    assert body.sha256 != old.sha256 and body.metadata["before"]["sha256"] == old.sha256
    assert body.metadata["before"]["recipe"]["steps"] == RECIPE.steps
    assert body.metadata["total_steps"] == RECIPE.steps + 2 and old.metadata["total_steps"] == RECIPE.steps
    for name, kernel in body.weights().items():
        assert 0 < np.abs(kernel - old.weights()[name]).max() < 0.05, name
    for name in ("stripes", "dots"):
        assert 0 < np.abs(grown[name].vector - book[name].vector).max() < 0.05
        assert grown[name].metadata["trained"] == "jointly with its body"


def test_start_of_a_new_vector_is_neutral_without_relatives(run: Run, tmp_path: Path) -> None:
    (body,) = find_styles([run.job.output]).bodies
    one = {"stripes": run.job.pictures["stripes"]}  # as many as in the test of a frozen body, whose step is compiled
    train(replace(run.job, output=tmp_path, body=body, pictures=one, recipe=replace(RECIPE, steps=1)))
    vector = find_styles([tmp_path, run.job.output])["stripes"].vector
    neutral = neutral_vector(NARROW)
    assert vector.shape == neutral.shape and np.abs(vector - neutral).max() < 0.01


# Half precision.


def test_run_in_half_precision_learns(pictures: Path, tmp_path: Path) -> None:
    job = make_job(pictures, output=str(tmp_path), precision="mixed_float16", recipe=replace(RECIPE, steps=2))
    assert len(train(job)) == 3
    style = find_styles([tmp_path])["dots"]
    neutral = neutral_vector(NARROW)
    assert 1e-3 < np.abs(style.vector - neutral).max() < 0.1
    assert all(np.isfinite(value) for value in style.metadata["figures"].values())


# What cannot be trained.


@pytest.mark.once
def test_missing_photos_and_paintings_are_reported_before_anything_is_written(pictures: Path, tmp_path: Path) -> None:
    job = make_job(pictures, output=str(tmp_path / "out"))
    with pytest.raises(TrainingError, match="No folder of photos at"):
        train(replace(job, photos=pictures / "gone"))
    with pytest.raises(TrainingError, match=r"No picture at '.*gone\.png'. Name the file of a painting"):
        train(replace(job, pictures={"stripes": pictures / "stripes.png", "dots": pictures / "gone.png"}))
    assert not (tmp_path / "out").exists()


@pytest.mark.once
def test_painting_that_is_no_picture_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no picture")
    (tmp_path / "a.nef").write_bytes(RAW["a.nef"])
    for path, words in (
        (tmp_path / "a.png", r"is not a picture that can be read: it is a text\. Choose another file\."),
        (tmp_path / "a.nef", r"is a camera's raw file, which has to be developed first\. [^']*'s program, .* and take that\."),
        (tmp_path, r"is a folder; a file was expected\."),
    ):
        with pytest.raises(TrainingError, match=rf"^'{path}' {words}$"):
            read_painting(path, 64)


@pytest.mark.once
@pytest.mark.parametrize(("width", "height"), [(127, 500), (500, 127), (1, 1)])
def test_tiny_painting_is_reported(tmp_path: Path, width: int, height: int) -> None:
    Image.new("RGB", (width, height)).save(tmp_path / "a.png")
    with pytest.raises(TrainingError, match=f"has {width}x{height} pixels; at least 128 on the shorter side were expected"):
        read_painting(tmp_path / "a.png", 64)


@pytest.mark.once
@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "CMYK", "I;16"])
def test_painting_of_any_kind_is_upright_and_its_shorter_side_resized(tmp_path: Path, mode: str) -> None:
    picture = Image.new("L", (300, 200), 200)
    picture.paste(40, (0, 0, 300, 100))
    sideways = picture.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = Image.fromarray(np.asarray(sideways).astype(np.uint16) * 257) if mode == "I;16" else sideways.convert(mode)
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    stored.save(path, exif=exif)
    painting = read_painting(path, 50)
    assert painting.shape == (50, 75, 3) and painting.dtype == np.float32
    assert np.abs(painting[:20] - 40).max() <= 5 and np.abs(painting[30:] - 200).max() <= 5


@pytest.mark.once
def test_painting_of_fractions_is_as_light_as_it_is(tmp_path: Path) -> None:
    Image.fromarray(np.full((128, 128), 0.5, np.float32)).save(tmp_path / "a.tif")
    assert np.abs(read_painting(tmp_path / "a.tif", 64) - 127.5).max() <= 0.5


@pytest.mark.once
def test_painting_that_is_a_raw_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.raf").write_bytes(b"FUJIFILMCCD-RAW 0201" + bytes(100))
    with pytest.raises(TrainingError, match="is a camera's raw file, which has to be developed first"):
        read_painting(tmp_path / "a.raf", 64)


@pytest.mark.once
def test_output_that_is_a_file_is_reported(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(StyleError, match=r"young\.training' cannot be written: .*. Choose another folder with --output"):
        train(make_job(pictures, output=str(tmp_path / "out")))


@pytest.mark.once
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root can write everywhere")
def test_output_folder_that_cannot_be_written_is_reported(pictures: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StyleError, match="cannot be written: Permission denied. Choose another folder with --output"):
        train(make_job(pictures, output=str(tmp_path / "out")))


class Disk:
    """A disk with so much room for each file, in the place of `Path.write_bytes`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room = 10**9
        self.refused: list[str] = []
        write = Path.write_bytes

        def write_bytes(path: Path, data: bytes) -> int:
            if len(data) > self.room:
                self.refused.append(path.name)
                write(path, data[: self.room])
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            return write(path, data)

        monkeypatch.setattr(Path, "write_bytes", write_bytes)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """A disk that can be filled."""
    return Disk(monkeypatch)


@pytest.mark.once
def test_full_disk_is_told_before_the_first_step(run: Run, tmp_path: Path, disk: Disk) -> None:
    disk.room = 2 * (run.job.workshop / "checkpoint.h5").stat().st_size
    job, reports = replace(run.job, output=tmp_path), list[object]()
    said = r"young\.training' has no room for the 8 MiB of a run: No space left on device. Free the disk, or choose another"
    with pytest.raises(StyleError, match=said):
        train(job, report=reports.append)
    assert not reports and not list(job.workshop.iterdir())


@pytest.mark.once
def test_disk_that_fills_up_is_told_and_leaves_the_checkpoint_before(run: Run, tmp_path: Path, disk: Disk) -> None:
    job, steps = replace(run.job, output=tmp_path), list[int]()

    def fill(progress: Progress) -> None:
        steps.append(progress.step)
        disk.room = 10**9 if progress.step < 4 else 1000

    with pytest.raises(StyleError, match=r"checkpoint\.h5' was not written: No space left on device. Free the disk or choose"):
        train(job, report=fill)
    assert steps == [1, 2, 3, 4] and disk.refused == [draft_of(Path("checkpoint.h5")).name]
    assert sorted(path.name for path in job.workshop.iterdir()) == ["checkpoint.h5", "losses.csv", "losses.png", "preview.jpg"]
    assert read_metadata(job.workshop / "checkpoint.h5")["step"] == 2


# Bodies of the same name.


@pytest.fixture
def settled(run: Run, tmp_path: Path) -> Job:
    """The whole run, finished in a folder of its own, where a vector was learned on its body."""
    job = replace(run.job, output=tmp_path / "out")
    shutil.copytree(run.job.output, job.output)
    style = find_styles([job.output])["stripes"]
    write_style(job.output, "later", style.vector, style.body, {})
    return job


@pytest.mark.once
def test_body_that_other_styles_need_is_not_replaced(settled: Job) -> None:
    before = {path.name: path.read_bytes() for path in settled.output.glob("*.h5")}
    shutil.rmtree(settled.workshop)
    reports: list[object] = []
    job = replace(settled, pictures={"dots": settled.pictures["dots"]}, recipe=replace(RECIPE, steps=1))
    said = (
        r"young\.body\.h5' would be replaced, and these styles need it as it is: later, stripes. Choose another name with --new-b"
    )
    with pytest.raises(TrainingError, match=said):
        train(job, report=reports.append)
    assert not reports and {path.name: path.read_bytes() for path in settled.output.glob("*.h5")} == before


@pytest.mark.once
def test_styles_of_another_body_are_not_written_over(settled: Job, tmp_path: Path) -> None:
    body = narrow_body(settled.output, "other")
    for name in ("kelp", "rust"):
        write_style(settled.output, name, random_vector(1), body, {})
    before = {path.name: path.read_bytes() for path in settled.output.glob("*.h5")}
    pictures = {"kelp": settled.pictures["dots"], "new": settled.pictures["dots"]}
    job = replace(settled, pictures=pictures, paintings={name: Painting(name) for name in pictures}, name="third")
    for given in (job, replace(job, body=find_styles([settled.output])["dots"].body, frozen=True)):
        with pytest.raises(TrainingError, match=r"These styles of '.*other\.body\.h5' would be replaced by .*: kelp. Choose a"):
            train(given)
    assert {path.name: path.read_bytes() for path in settled.output.glob("*.h5")} == before
    check_replaced_styles(settled.output, "third", ["new"])
    check_replaced_styles(settled.output, "other", ["kelp"])


@pytest.mark.once
def test_finished_run_may_write_the_same_body_again_whoever_needs_it(settled: Job) -> None:
    assert len(train(settled)) == 3
    assert set(find_styles([settled.output])) == {"dots", "later", "stripes"}


@pytest.mark.once
def test_body_may_be_replaced_with_all_its_styles_and_beside_those_of_others(settled: Job) -> None:
    (settled.output / "later.weights.h5").unlink()
    (settled.output / "broken.weights.h5").write_text("no style")
    check_replaced_body(settled)
    other = narrow_body(settled.output, "other")
    write_style(settled.output, "kelp", random_vector(1), other, {})
    check_replaced_body(settled)
    (settled.output / "young.body.h5").write_text("no body")
    check_replaced_body(replace(settled, pictures={}))
