"""All figures of a style: of functions whose figures are known, of networks, of what serves, and the command."""

import json
import multiprocessing.resource_tracker
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

from realtime_nst.cli.main import main
from realtime_nst.engines.backend import Backend
from realtime_nst.errors import SinkError, StyleError, TrainingError
from realtime_nst.style.book import StyleBook
from realtime_nst.style.field import HOME
from realtime_nst.style.style import Style, read_body, write_body, write_style
from realtime_nst.train import objective
from realtime_nst.train.command import training_backend
from realtime_nst.train.evaluate import (
    PIECE,
    Figures,
    Painter,
    Trial,
    evaluate,
    pieces,
    plain_style,
    ratio,
    unchanged,
    warping_errors,
)
from realtime_nst.train.evaluate_command import choose_photos, find_painting, painting_size_of, square
from realtime_nst.train.flow import FlowFiles
from realtime_nst.train.objective import PerceptualLoss
from realtime_nst.train.prediction import picture_styles
from realtime_nst.train.reference import Comparison
from realtime_nst.train.report import INPUT
from realtime_nst.train.serving_precision import psnr, rounding
from tests.conftest import NARROW
from tests.reference import stylize_with_numpy
from tests.train.small import RECIPE, small_loss_network
from tests.train.test_flow import write_flow

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
"""Keras' own, about TensorFlow's variables."""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two fixed convolutions in the place of VGG19."""
    monkeypatch.setattr(objective, "build_loss_network", small_loss_network)
    for module in ("evaluate", "evaluate_command"):
        monkeypatch.setattr(f"realtime_nst.train.{module}.REFERENCE_RECIPE", RECIPE)


def some_photo(seed: int = 0, width: int = 40, height: int = 32) -> np.ndarray:
    """Blurred noise as whole numbers, uint8 `(H, W, 3)`."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height // 4, width // 4, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC))


@pytest.fixture
def flow(tmp_path: Path) -> list[FlowFiles]:
    """Two scenes that move by whole pixels, sideways and down."""
    found = []
    for scene, (x, y) in (("across", (3, 0)), ("down", (0, 2))):
        folder = tmp_path / scene
        write_flow(folder / "flow_0001.flo", np.broadcast_to(np.array([x, y], np.float32), (32, 40, 2)))
        first = some_photo(7)
        for number, picture in ((1, first), (2, np.roll(first, (y, x), (0, 1)))):
            Image.fromarray(picture).save(folder / f"frame_{number:04}.png")
        found.append(FlowFiles(scene, folder / "frame_0001.png", folder / "frame_0002.png", folder / "flow_0001.flo"))
    return found


@pytest.fixture
def trial(flow: list[FlowFiles]) -> Trial:
    """Two photos and two scenes."""
    return Trial([some_photo(seed).astype(np.float32) for seed in (1, 2)], PerceptualLoss("", RECIPE), flow)


# Functions whose figures are known.


def test_photos_themselves_have_the_figures_of_the_photos(trial: Trial) -> None:
    figures = evaluate(unchanged, None, trial)
    assert (figures.content, figures.style, figures.noise_gain, figures.flicker, figures.sharpness) == (0, None, 1, 1, 1)
    assert (figures.plain, figures.shift) == (None, 0)
    assert figures.warping_error == 0 and figures.warping_errors == {"across": 0, "down": 0}
    assert (figures.style_ratio, figures.content_ratio, figures.references) == (None, None, [])


def test_painting_itself_has_no_style_loss(trial: Trial) -> None:
    painting = some_photo(9).astype(np.float32)
    figures = evaluate(lambda photos, *_: np.stack([painting] * len(photos)), painting, Trial(trial.photos, trial.loss))
    assert figures.style == pytest.approx(0, abs=1e-9) and figures.content is not None and figures.content > 0.01
    assert (figures.noise_gain, figures.flicker) == (0, 0) and figures.warping_error is None and figures.warping_errors == {}


def test_plain_places_are_judged_by_themselves(trial: Trial) -> None:
    """A photo is plain on its left, and one painter fills that side with the painting, the other one the busy side."""
    rng = np.random.default_rng(4)
    painting = rng.uniform(0, 255, (2 * PIECE, 2 * PIECE, 3)).astype(np.float32)
    photo = np.full((PIECE, 4 * PIECE, 3), 128, np.float32)
    photo[:, PIECE:] = rng.uniform(0, 255, (PIECE, 3 * PIECE, 3))
    photos = Trial([photo], trial.loss)
    grams = trial.loss.grams(painting)

    whole = plain_style([np.tile(painting[:PIECE, :PIECE], (1, 4, 1))], painting, photos, grams)
    plain_side = plain_style([np.concatenate([painting[:PIECE, :PIECE], 0 * photo[:, PIECE:]], axis=1)], painting, photos, grams)
    busy_side = plain_style([np.concatenate([0 * photo[:, :PIECE], photo[:, PIECE:]], axis=1)], painting, photos, grams)
    assert plain_side == whole == pytest.approx(1, abs=0.5), "noise is as like itself in one place as in another"
    assert busy_side > 10 * whole


def test_pieces_cover_what_they_fit_into() -> None:
    picture = np.arange(300 * 260 * 3).reshape(300, 260, 3)
    found = pieces(picture)
    assert [piece.shape for piece in found] == [(PIECE, PIECE, 3)] * 4
    assert np.array_equal(found[3], picture[PIECE : 2 * PIECE, PIECE : 2 * PIECE])
    assert [piece.shape for piece in pieces(picture[:100, :250])] == [(100, 100, 3)] * 2, "a small picture is cut smaller"


def test_painting_is_looked_at_once_for_all_photos(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[np.ndarray] = []
    grams = trial.loss.grams
    monkeypatch.setattr(trial.loss, "grams", lambda painting: asked.append(painting) or grams(painting))
    figures = evaluate(unchanged, some_photo(9).astype(np.float32), Trial(trial.photos, trial.loss))
    assert len(asked) == 1 < len(trial.photos) and figures.style is not None and figures.style > 0


def test_what_flickers_has_a_warping_error(trial: Trial) -> None:
    calls: list[int] = []

    def flicker(photos: np.ndarray, *moves: object) -> np.ndarray:
        calls.append(1)
        return np.clip(photos + 51 * (len(calls) % 2), 0, 306)

    assert evaluate(flicker, None, trial).warping_error == pytest.approx(0.2, abs=1e-6)


def test_error_of_a_scene_is_the_root_of_the_mean_square_of_its_pairs(trial: Trial) -> None:
    calls: list[int] = []

    def brighten(photos: np.ndarray) -> np.ndarray:
        calls.append(1)
        return photos + {4: 51.0, 6: 102.0}.get(len(calls), 0.0)

    one, other = trial.flow
    pairs = [one, FlowFiles(one.scene, other.first, other.second, other.flow)]
    calls[:] = [1, 1]
    assert warping_errors(brighten, pairs) == {"across": pytest.approx(np.sqrt((0.2**2 + 0.4**2) / 2), rel=1e-4)}


def test_reference_is_run_on_as_many_photos_as_wanted(trial: Trial) -> None:
    painting, said = some_photo(9).astype(np.float32), list[str]()
    trial = Trial(trial.photos, trial.loss, references=1, steps=3)
    figures = evaluate(lambda photos, *_: 0.5 * photos + 0.5 * painting, painting, trial, report=said.append)
    (reference,) = figures.references
    assert figures.style_ratio == pytest.approx(reference.style / reference.reference_style)
    assert figures.content_ratio == pytest.approx(reference.content / reference.reference_content)
    assert figures.style_ratio > 1 and "optimization of photo 1 of 1" in said


def test_ratio_is_of_sums_and_unknown_where_the_photo_itself_is_better() -> None:
    one, other = Comparison(0.4, 0.5, 0.1, 0.25, True), Comparison(0.2, 0.3, 0.2, 0.15, True)
    assert ratio([one, other], "style") == pytest.approx(2) and ratio([one, other], "content") == pytest.approx(2)
    assert ratio([], "style") is None
    assert ratio([Comparison(0.4, 0.5, 0.1, 0.0, True)], "content") is None


def test_figures_are_json() -> None:
    figures = Figures(content=0.5, half_precision=float("inf"), warping_errors={"a": 0.1})
    row = json.loads(json.dumps(figures.to_dict(), allow_nan=False))
    assert (row["content"], row["half_precision"], row["style"], row["warping_errors"]) == (0.5, None, None, {"a": 0.1})


# Networks.


def test_painter_equals_the_formulas_written_in_numpy(book: StyleBook) -> None:
    painter, photos = Painter(), np.stack([some_photo(1), some_photo(2)]).astype(np.float32)
    for style in book.values():
        painted = painter(style)(photos)
        assert painted.shape == photos.shape and painted.dtype == np.float32
        assert np.array_equal(painted, np.rint(painted)) and painted.min() >= 0 and painted.max() <= 255
        for picture, photo in zip(painted, photos):
            expected = stylize_with_numpy(photo, style.vector, style.body.weights(), NARROW)
            assert np.abs(picture - expected).max() <= 1


def test_field_of_a_painter_moves_with_the_photos(book: StyleBook) -> None:
    style, photo = book["wave"], some_photo(1)
    plain, moved, again = Painter()(style)(np.stack([photo] * 3).astype(np.float32), [HOME, (3.0, -6.0, 0.0), HOME])
    weights = style.body.weights()
    assert np.abs(moved - stylize_with_numpy(photo, style.vector, weights, NARROW, (3, -6, 0))).max() <= 1
    assert np.abs(plain - stylize_with_numpy(photo, style.vector, weights, NARROW)).max() <= 1
    assert np.array_equal(plain, again) and np.abs(plain - moved).max() > 3


def test_painter_paints_with_bodies_of_before_the_field(tmp_path: Path) -> None:
    rng, old = np.random.default_rng(0), replace(NARROW, field=0)
    kernels = {name: rng.normal(0, 0.2, shape).astype(np.float32) for name, shape in old.kernel_shapes.items()}
    vector = rng.normal(0.5, 0.5, old.vector_size).astype(np.float32)
    painter = Painter()(Style("old", vector, write_body(tmp_path, "old", old, kernels, {})))
    photo, expected = some_photo(1), stylize_with_numpy(some_photo(1), vector, kernels, old)
    for moves in ([], [(5.0, 5.0, 0.0)]):
        assert np.abs(painter(photo[None].astype(np.float32), moves)[0] - expected).max() <= 1


def test_painter_takes_any_size(book: StyleBook) -> None:
    photo = some_photo(1, 37, 31)[None].astype(np.float32)
    assert Painter()(book["wave"])(photo).shape == photo.shape


# What serves.


@pytest.fixture(scope="module")
def tracker() -> None:
    """Python's own helper process for others, which stays until the end, is no child left behind."""
    multiprocessing.resource_tracker.ensure_running()


def test_ratio_of_signal_to_noise() -> None:
    black = np.zeros((4, 4, 3), np.uint8)
    assert psnr(black, black) == float("inf")
    assert psnr(black, black + 255) == 0 and psnr(black, black + 1) == pytest.approx(20 * np.log10(255))


@pytest.mark.once
@pytest.mark.usefixtures("tracker")
def test_rounding_is_that_of_the_engine_that_serves(book: StyleBook) -> None:
    photos = [some_photo(1, 37, 31), some_photo(2, 37, 31)]
    before = os.environ["KERAS_BACKEND"]
    decibels = rounding(book.values(), photos, Backend("openvino", "bfloat16", gpu=False))
    assert set(decibels) == set(book) and all(value > 30 for value in decibels.values())
    assert os.environ["KERAS_BACKEND"] == before == keras.config.backend(), "this process keeps its own"


@pytest.mark.once
@pytest.mark.usefixtures("tracker", "first_start")
def test_error_of_the_engine_comes_back(book: StyleBook, tmp_path: Path) -> None:
    style = replace(book["wave"], body=replace(book["wave"].body, path=tmp_path / "gone.body.h5"))
    with pytest.raises(StyleError, match=r"No weight file at '.*gone\.body\.h5'"):
        rounding([style], [some_photo()], Backend("openvino", "bfloat16", gpu=False))


# The command.


@pytest.fixture
def paintings(pictures: Path, tmp_path: Path) -> Path:
    """A folder with the paintings of two of the three narrow styles, one under its full name."""
    folder = tmp_path / "paintings"
    folder.mkdir()
    shutil.copy(pictures / "stripes.png", folder / "great-wave.png")
    shutil.copy(pictures / "dots.png", folder / "scream.png")
    return folder


@pytest.fixture
def run(weights: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run the command on the narrow styles and four small photos, without half precision."""
    monkeypatch.setattr("realtime_nst.train.evaluate_command.style_folders", lambda first: [weights])

    def run_command(*words: object, photos: Path = pictures / "photos") -> int:
        common = ["--photos", photos, "--count", 4, "--size", 32, "--backend", "openvino", "--precision", "float32"]
        return main(["evaluate", *map(str, [*words, *common])])

    return run_command


@pytest.mark.once
def test_all_styles_are_measured_and_shown(
    run: Callable[..., int], paintings: Path, flow: list[FlowFiles], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = ("--json", tmp_path / "a.json", "--sheet", tmp_path / "a.png")
    assert run("--paintings", paintings, "--flow", tmp_path, "--reference", 1, "--steps", 2, *outputs) == 0
    said = capsys.readouterr()
    lines = [line.split() for line in said.out.splitlines()]
    heads = [head for head in lines[0] if head != "content/opt"]  # unknown where the photo has more of the painting
    assert heads == ["style", "content", "style", "style/opt", "warping", "noise", "flicker", "sharpness", "plain", "shift"]
    assert [line[0] for line in lines[1:]] == [INPUT, "mosaic", "scream", "wave"]
    assert lines[2][2] == "-" and float(lines[3][2]) > 0 and float(lines[4][2]) > 0
    report = json.loads((tmp_path / "a.json").read_text())
    assert list(report["styles"]) == [INPUT, "mosaic", "scream", "wave"]
    assert report["measured_on"]["photos"] == ["0.png", "2.png", "4.png", "6.png"]
    assert report["measured_on"]["flow"] == ["across/flow_0001.flo", "down/flow_0001.flo"]
    assert report["styles"]["wave"]["warping_errors"].keys() == {"across", "down"}
    assert len(report["styles"]["wave"]["references"]) == 1
    with Image.open(tmp_path / "a.png") as sheet:
        assert sheet.size == (150 + 4 * 38, 4 * 38 + 6)


@pytest.mark.once
def test_figures_are_kept_whatever_becomes_of_the_sheet(
    run: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(path: Path, image: np.ndarray) -> None:
        raise SinkError(f"'{path}' was not written: No space left on device.")

    monkeypatch.setattr("realtime_nst.train.evaluate_command.write_photo", full)
    assert run("wave", "--json", tmp_path / "a.json", "--sheet", tmp_path / "a.png") == 1
    said = capsys.readouterr()
    assert "No space left" in said.err and said.out.splitlines()[2].startswith("wave ")
    assert list(json.loads((tmp_path / "a.json").read_text())["styles"]) == [INPUT, "wave"]


@pytest.mark.once
def test_missing_painting_of_a_style_that_was_not_named_is_a_warning(
    run: Callable[..., int], paintings: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert run("--paintings", paintings) == 0
    expected = f"No painting of 'mosaic' in '{paintings}'. `roman-mosaic.jpg` was expected there. Its style loss is not measured."
    assert caplog.messages == [expected]


@pytest.mark.once
def test_photo_that_shows_nothing_is_left_out_and_told(
    run: Callable[..., int], tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(some_photo(1, 80, 60)).save(folder / "scene.png")
    for name, colour in (("black", (0, 0, 0)), ("wall", (200, 190, 180))):
        Image.new("RGB", (80, 60), colour).save(folder / f"{name}.png")
    assert run("wave", "--json", photos=folder) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["measured_on"]["photos"] == ["scene.png"] and report["styles"]["wave"]["sharpness"] < 100
    told = "is left out: its middle has one colour, and figures need something to see."
    assert caplog.messages == [f"Photo '{folder / name}.png' {told}" for name in ("black", "wall")]
    (folder / "scene.png").unlink()
    assert run("wave", photos=folder) == 1
    assert "None of the 2 photos shows anything. Name another folder with --photos." in capsys.readouterr().err


@pytest.mark.once
def test_json_alone_goes_to_the_output(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("wave", "scream", "wave", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert list(report["styles"]) == [INPUT, "wave", "scream"]
    assert report["styles"]["wave"]["style"] is None and report["styles"]["wave"]["content"] > 0


@pytest.mark.once
def test_same_flags_give_the_same_figures(run: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("wave", "--json", tmp_path / "a.json") == 0
    assert run("wave", "--json", tmp_path / "b.json", "--against", tmp_path / "a.json") == 0
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    line = "wave: content +0%, noise +0%, flicker +0%, shift +0%, sharpness +0%\n"
    assert capsys.readouterr().out.endswith(line)
    assert run("wave", "--json", "--against", tmp_path / "a.json") == 0
    said = capsys.readouterr()
    assert said.err.endswith(line) and json.loads(said.out) == json.loads((tmp_path / "a.json").read_text())


@pytest.mark.once
def test_report_on_other_photos_of_the_same_names_does_not_compare(
    run: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("wave", "--json", tmp_path / "a.json") == 0
    other = tmp_path / "photos"
    other.mkdir()
    for number in range(8):
        Image.fromarray(some_photo(number, 80, 60)).save(other / f"{number}.png")
    assert run("wave", "--against", tmp_path / "a.json", photos=other) == 1
    assert "differ in what they were measured on (pixels). Measure both with the same flags." in capsys.readouterr().err


@pytest.mark.once
def test_what_cannot_be_measured_is_one_line_and_leaves_nothing(
    run: Callable[..., int], paintings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "old.json").write_text("precious")
    (tmp_path / "old.png").write_bytes(b"precious")
    (tmp_path / "empty").mkdir()
    cases: list[tuple[list[Any], str]] = [
        (["wve"], "No style named 'wve'. Did you mean 'wave'?"),
        (["mosaic", "--paintings", paintings], "No painting of 'mosaic' in"),
        (["wave", "--paintings", tmp_path / "gone"], "No folder of paintings at"),
        (["--reference", "1"], "--reference needs the paintings. Name their folder with --paintings."),
        (["--flow", tmp_path / "gone"], "No folder of optical flow at"),
        (["--flow", tmp_path / "empty"], "No .flo file below"),
        (["--json", tmp_path / "old.json"], "exists. Add --overwrite to replace it"),
        (["--json", "wave"], "'wave' has no ending; .json was expected. Choose another name, or write the styles before --json."),
        (["--sheet", tmp_path / "old.png"], "exists. Add --overwrite to replace it"),
        (["--sheet", tmp_path / "a.gif"], "ends in '.gif'"),
        (["--sheet", tmp_path / "gone" / "a.png"], "No folder '"),
        (["--against", tmp_path / "old.json"], "is not a report of `realtime-nst evaluate --json`."),
    ]
    before = sorted(tmp_path.rglob("*"))
    for words, expected in cases:
        assert run(*words) == 1, words
        said = capsys.readouterr()
        assert said.out == "" and said.err.count("\n") == 1 and expected in said.err, said.err
    assert main(["evaluate", "--photos", str(tmp_path / "gone")]) == 1
    assert "No folder of photos at" in capsys.readouterr().err
    assert main(["evaluate", "--photos", str(tmp_path / "empty")]) == 1
    assert "No photo in '" in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before and (tmp_path / "old.json").read_text() == "precious"


@pytest.mark.once
def test_picture_is_a_style_that_is_measured_against_itself(
    run: Callable[..., int],
    pictured: Path,
    pictures: Path,
    paintings: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("realtime_nst.train.evaluate_command.style_folders", lambda first: [pictured])
    stripes = pictures / "stripes.png"
    assert run(stripes, "wave", "--json") == 0
    rows = json.loads(capsys.readouterr().out)["styles"]
    assert list(rows) == [INPUT, "stripes", "wave"] and rows["wave"]["style"] is None
    assert rows["stripes"]["style"] > 0 and rows["stripes"]["painting_size"] == 384
    style = picture_styles(training_backend()).style_of(stripes, [read_body(pictured / "narrow.body.h5")])
    write_style(pictured, "kept", style.vector, style.body, {})
    shutil.copy(stripes, paintings / "kept.png")
    assert run("kept", "--json", "--paintings", paintings, "--painting-size", 384) == 0
    assert json.loads(capsys.readouterr().out)["styles"]["kept"] == rows["stripes"], "as that of a style with its painting"
    assert run(pictures / "gone.png") == 1
    assert "No picture at '" in capsys.readouterr().err


@pytest.mark.once
def test_module_in_a_checkout_is_the_same_command() -> None:
    command = [sys.executable, "-m", "train", "evaluate", "--photos", "gone", "--weights", "weights"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith("realtime-nst: No folder of photos at 'gone'.")


# Choosing.


@pytest.mark.once
def test_photos_are_spread_over_the_folder(tmp_path: Path) -> None:
    for number in range(10):
        (tmp_path / f"{number}.jpg").touch()
    (tmp_path / "notes.txt").touch()
    assert [path.stem for path in choose_photos(tmp_path, 4)] == ["0", "2", "5", "7"]
    assert len(choose_photos(tmp_path, 99)) == 10
    with pytest.raises(TrainingError, match="No folder of photos"):
        choose_photos(tmp_path / "0.jpg", 4)


@pytest.mark.once
def test_middle_of_a_photo_is_cut_out() -> None:
    photo = np.zeros((20, 60, 3), np.uint8)
    photo[:, 20:40] = 200
    assert (square(photo, 16) == 200).all() and square(photo, 16).shape == (16, 16, 3)


@pytest.mark.once
def test_painting_is_found_by_the_name_of_the_style_or_of_the_work(tmp_path: Path) -> None:
    for name in ("kiss.png", "great-wave.jpg", "kiss.txt"):
        (tmp_path / name).touch()
    assert find_painting(tmp_path, "kiss", True) == tmp_path / "kiss.png"
    assert find_painting(tmp_path, "wave", True) == tmp_path / "great-wave.jpg"
    (tmp_path / "Wave.JPG").touch()
    assert find_painting(tmp_path, "wave", True) == tmp_path / "Wave.JPG", "the style's own name comes first"
    (tmp_path / "kiss.png").rename(tmp_path / "kiss.jfif")
    (tmp_path / "._kiss.png").touch()
    assert find_painting(tmp_path, "kiss", True) == tmp_path / "kiss.jfif"
    assert find_painting(tmp_path, "mine", False) is None and find_painting(None, "kiss", True) is None


@pytest.mark.once
@pytest.mark.parametrize("metadata", [{}, {"painting_size": None}, {"painting_size": 10**9}, {"painting_size": "x"}])
def test_size_of_the_painting_is_that_of_training_if_it_makes_sense(book: StyleBook, metadata: dict[str, Any]) -> None:
    body = book["wave"].body
    assert painting_size_of(Style("a", book["wave"].vector, body, metadata)) == RECIPE.painting_size
    assert painting_size_of(Style("a", book["wave"].vector, body, {"painting_size": 420})) == 420
