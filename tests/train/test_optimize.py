"""Image optimization against NumPy and against problems with a known answer, and networks against it."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keras import ops
from PIL import Image

from realtime_nst.cli.main import main
from realtime_nst.errors import TrainingError
from realtime_nst.train import objective
from realtime_nst.train import optimize as module
from realtime_nst.train.objective import Objective, PerceptualLoss, Terms
from realtime_nst.train.optimize import Progress, noise_like, optimize
from realtime_nst.train.recipes import REFERENCE_RECIPE
from realtime_nst.train.reference import at_equal_content, at_equal_style, compare, reference_path
from tests.train.small import RECIPE, small_loss_network

WEIGHTS = Terms(1.0, 12.0, 0.5)


@pytest.fixture
def loss(monkeypatch: pytest.MonkeyPatch) -> PerceptualLoss:
    """The loss on two fixed convolutions in the place of VGG19."""
    monkeypatch.setattr(objective, "build_loss_network", small_loss_network)
    return PerceptualLoss("imagenet", RECIPE)


def some_picture(height: int = 32, width: int = 40, seed: int = 0) -> np.ndarray:
    """Blurred noise as float32 `(H, W, 3)`."""
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 10, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC), np.float32)


class Valley:
    """An objective with a known answer: content is the distance to one picture, style that to another."""

    def __init__(self, photo: np.ndarray, painting: np.ndarray) -> None:
        self.photo, self.painting = photo, painting

    def terms(self, image: np.ndarray) -> Terms:
        return Terms(*(float(np.mean((image - goal) ** 2)) for goal in (self.photo, self.painting)), 0.0)

    def __call__(self, image: np.ndarray, weights: Terms) -> tuple[Terms, np.ndarray]:
        slopes = [2 * (image - goal) / image.size for goal in (self.photo, self.painting)]
        return self.terms(image), weights.content * slopes[0] + weights.style * slopes[1]


# The loss.


def test_terms_are_those_of_the_formulas(loss: PerceptualLoss) -> None:
    photo, painting, image = some_picture(seed=1), some_picture(48, 36, seed=2), some_picture(seed=3)
    (network,) = small_loss_network("", ["relu1_1", "relu2_1"])

    def features(picture: np.ndarray) -> dict[str, np.ndarray]:
        return {name: np.asarray(ops.convert_to_numpy(taps), np.float64)[0] for name, taps in network(picture[None]).items()}

    def gram(taps: np.ndarray) -> np.ndarray:
        rows = taps.reshape(-1, taps.shape[-1])
        return rows.T @ rows / len(rows)

    seen, wanted, style = features(image), features(photo), features(painting)
    content = ((seen["relu2_1"] - wanted["relu2_1"]) ** 2).mean() / (wanted["relu2_1"] ** 2).mean()
    styles = [((gram(seen[tap]) - gram(style[tap])) ** 2).sum() / (gram(style[tap]) ** 2).sum() for tap in ("relu1_1", "relu2_1")]
    variation = (np.diff(image, axis=0) ** 2).mean() + (np.diff(image, axis=1) ** 2).mean()
    expected = (content, np.mean(styles), variation / 127.5**2)
    objective = loss.objective(photo, painting)
    assert objective.terms(image) == pytest.approx(expected, rel=1e-4)
    assert objective(image, WEIGHTS)[0] == pytest.approx(expected, rel=1e-4)
    assert objective.terms(photo).content == 0 and loss.objective(photo, photo).terms(photo).style == 0


def test_gradient_is_that_of_the_weighted_sum(loss: PerceptualLoss) -> None:
    objective, image = loss.objective(some_picture(seed=1), some_picture(seed=2)), some_picture(seed=3)
    for weights in (WEIGHTS, Terms(1, 0, 0), Terms(0, 1, 0), Terms(0, 0, 1)):
        _, gradient = objective(image, weights)
        steepness = float(np.linalg.norm(gradient))
        step = gradient / steepness
        ahead, behind = (objective.terms(image + sign * step).weighted(weights) for sign in (1, -1))
        assert gradient.shape == image.shape and (ahead - behind) / 2 == pytest.approx(steepness, rel=0.02)


def test_weights_are_those_of_training() -> None:
    recipe = REFERENCE_RECIPE
    assert Terms.weights_of(recipe) == (recipe.content, recipe.style, recipe.total_variation)
    assert Terms(1, 2, 3).weighted(Terms(10, 100, 1000)) == 3210


# The search.


def test_search_finds_the_best_picture_within_the_range_of_pixels() -> None:
    wanted = np.random.default_rng(0).uniform(-100, 400, (6, 7, 3)).astype(np.float32)
    image, terms = optimize(Valley(wanted, wanted), Terms(1, 1, 0), np.full_like(wanted, 128), steps=60)  # type: ignore[arg-type]
    assert image.dtype == np.float32 and np.allclose(image, wanted.clip(0, 255), atol=0.01)
    assert terms.content == pytest.approx(np.mean((wanted - wanted.clip(0, 255)) ** 2), rel=1e-3)


def test_search_lowers_the_loss_and_reports_each_step(loss: PerceptualLoss) -> None:
    objective, reports = loss.objective(some_picture(seed=1), some_picture(seed=2)), list[Progress]()
    image, terms = optimize(objective, WEIGHTS, objective.photo, steps=25, report=reports.append)
    assert [(report.step, report.steps) for report in reports] == [(step, 25) for step in range(1, 26)]
    totals = [report.terms.weighted(WEIGHTS) for report in reports]
    assert totals == sorted(totals, reverse=True)
    assert terms == pytest.approx(reports[-1].terms, rel=1e-3)
    assert totals[-1] < 0.3 * objective.terms(objective.photo).weighted(WEIGHTS)
    assert image.min() >= 0 and image.max() <= 255


def test_search_stops_when_asked(loss: PerceptualLoss) -> None:
    objective, steps = loss.objective(some_picture(seed=1), some_picture(seed=2)), list[int]()
    image, _ = optimize(
        objective,
        WEIGHTS,
        objective.photo,
        steps=25,
        report=lambda progress: steps.append(progress.step),
        stop=lambda: len(steps) == 3,
    )
    assert steps == [1, 2, 3] and np.abs(image - objective.photo).max() > 1


def test_search_without_anything_to_gain_returns_its_start() -> None:
    picture = some_picture()
    image, terms = optimize(Valley(picture, picture), Terms(1, 1, 0), picture, steps=5)  # type: ignore[arg-type]
    assert np.array_equal(image, picture) and terms == (0, 0, 0)


def test_loss_that_is_not_finite_is_reported() -> None:
    picture = some_picture()
    with pytest.raises(TrainingError, match="The loss is nan after step 0; a finite one was expected. Choose another photo"):
        optimize(Valley(picture * np.nan, picture), Terms(1, 1, 0), picture, steps=5)  # type: ignore[arg-type]


def test_noise_is_the_same_for_a_seed_and_knows_nothing_of_the_photo() -> None:
    photo = some_picture()
    noise = noise_like(photo, 1)
    assert np.array_equal(noise, noise_like(photo * 0, 1)) and not np.array_equal(noise, noise_like(photo, 2))
    assert noise.dtype == np.float32 and noise.min() >= 0 and noise.max() <= 255 and noise.std() > 20


def test_real_vgg_paints() -> None:
    weights = os.environ.get("REALTIME_NST_VGG")
    if not weights:
        pytest.skip("REALTIME_NST_VGG is not set: no file of VGG19 weights")
    objective = PerceptualLoss(weights, REFERENCE_RECIPE).objective(some_picture(64, 64, seed=1), some_picture(64, 80, seed=2))
    _, terms = optimize(objective, WEIGHTS, objective.photo, steps=15)
    assert terms.style < 0.3 * objective.terms(objective.photo).style and 0 < terms.content < 1


# Networks against it.


def valley() -> Valley:
    """Photo and painting at a distance of 100: the best pictures lie on the line between them."""
    return Valley(np.full((4, 4, 3), 50, np.float32), np.full((4, 4, 3), 150, np.float32))


def between(share: float) -> Terms:
    """The terms of the best picture at a share of the way from photo to painting."""
    return Terms((100 * share) ** 2, (100 * (1 - share)) ** 2, 0)


def test_terms_between_two_points_of_a_path_are_interpolated() -> None:
    path: Sequence[Terms] = [Terms(0, 1, 0), Terms(0.2, 0.1, 0), Terms(0.4, 0.001, 0)]
    assert at_equal_content(path, 0.1) == pytest.approx(np.sqrt(0.1))
    assert at_equal_content(path, 0.3) == pytest.approx(0.01)
    assert at_equal_style(path, 0.01) == pytest.approx(0.3)
    assert (at_equal_content(path, 0.9), at_equal_style(path, 1e-9)) == (pytest.approx(0.001), pytest.approx(0.4))
    worse = [*path[:2], Terms(0.15, 0.2, 0), Terms(0.3, 0.5, 0), path[2]]
    assert at_equal_content(worse, 0.3) == pytest.approx(0.01), "points that gain nothing do not count"


def test_path_leads_from_the_photo_along_the_best_pictures_and_ends_behind_the_network() -> None:
    until = between(0.5)
    path = reference_path(valley(), WEIGHTS, until=until, steps=10)  # type: ignore[arg-type]
    assert path[0] == (0, 10_000, 0)
    for point in path:
        assert np.sqrt(point.content) + np.sqrt(point.style) == pytest.approx(100, abs=0.1)
    assert path[-1].content > until.content >= path[-2].content


def test_best_picture_equals_the_reference_and_a_worse_one_does_not() -> None:
    best = compare(valley(), np.full((4, 4, 3), 90, np.float32), WEIGHTS, steps=10)  # type: ignore[arg-type]
    assert best.reached and (best.content, best.style) == (1600, 3600)
    assert best.reference_style == pytest.approx(3600, rel=0.15) and best.reference_content == pytest.approx(1600, rel=0.15)
    image = np.full((4, 4, 3), 90, np.float32)
    image[:2] += 60
    image[2:] -= 60
    worse = compare(valley(), image, WEIGHTS, steps=10)  # type: ignore[arg-type]
    assert worse.reference_style < 0.5 * worse.style and worse.reference_content < 0.5 * worse.content


def test_network_with_less_of_the_photo_than_the_path_is_told() -> None:
    image = np.full((4, 4, 3), 250, np.float32)
    comparison = compare(valley(), image, WEIGHTS, steps=10)  # type: ignore[arg-type]
    assert not comparison.reached and comparison.reference_content < comparison.content


def test_comparison_on_the_perceptual_loss(loss: PerceptualLoss) -> None:
    objective: Objective = loss.objective(some_picture(seed=1), some_picture(seed=2))
    image = 0.5 * objective.photo + 0.5 * some_picture(seed=2)
    comparison = compare(objective, image, WEIGHTS, steps=5)
    assert 0 < comparison.reference_style < comparison.style and 0 < comparison.reference_content < comparison.content


# The command.


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command with the small loss network."""
    monkeypatch.setattr(objective, "build_loss_network", small_loss_network)
    monkeypatch.setattr("realtime_nst.train.optimize_command.REFERENCE_RECIPE", RECIPE)


def words(pictures: Path, output: Path, *more: object) -> list[str]:
    """A command on a photo and a painting."""
    photo, painting = pictures / "photos" / "0.png", pictures / "stripes.png"
    return ["optimize", str(photo), str(painting), "-o", str(output), "--steps", "4", "--size", "64", *map(str, more)]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("start", ["photo", "noise"])
def test_command_paints(pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], start: str) -> None:
    assert main(words(pictures, tmp_path / "out.png", "--start", start)) == 0
    with Image.open(tmp_path / "out.png") as painted, Image.open(pictures / "photos" / "0.png") as photo:
        assert painted.size == (64, 48) and painted.info["Software"] == "realtime-nst optimize"
        small = np.asarray(photo.convert("RGB").resize((64, 48)), float)
        assert np.abs(np.asarray(painted, float) - small).mean() > (2 if start == "photo" else 20)
    said = capsys.readouterr()
    assert said.out == "" and "100%" in said.err and f"Wrote '{tmp_path / 'out.png'}': content loss" in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]


@pytest.mark.usefixtures("small")
def test_weights_of_the_command_pull_where_they_should(pictures: Path, tmp_path: Path, loss: PerceptualLoss) -> None:
    with Image.open(pictures / "photos" / "0.png") as file:
        photo = np.asarray(file.convert("RGB").resize((64, 48), Image.Resampling.LANCZOS), np.float32)
    objective = loss.objective(photo, np.asarray(Image.open(pictures / "stripes.png").convert("RGB"), np.float32))
    terms = {}
    for name in ("content", "style"):
        assert main(words(pictures, tmp_path / f"{name}.png", f"--{name}-weight", 50, "--steps", 20)) == 0
        with Image.open(tmp_path / f"{name}.png") as painted:
            terms[name] = objective.terms(np.asarray(painted, np.float32))
    assert terms["content"].content < 0.2 * terms["style"].content and terms["style"].style < 0.2 * terms["content"].style


@pytest.mark.usefixtures("small")
def test_interrupted_command_keeps_what_there_is(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def optimize_and_press(*given: Any, stop: Any, **options: Any) -> tuple[np.ndarray, Terms]:
        os.kill(os.getpid(), 2)
        return optimize(*given, stop=stop, **options)

    monkeypatch.setattr(module, "optimize", optimize_and_press)
    assert main(words(pictures, tmp_path / "out.png", "--steps", 50)) == 130
    said = capsys.readouterr().err
    assert "Interrupted: '" in said and "1/50" in said.replace(" ", "") and (tmp_path / "out.png").exists()


def test_what_cannot_be_optimized_is_one_line_and_leaves_nothing(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "old.png").write_bytes(b"precious")
    Image.new("RGB", (300, 10)).save(tmp_path / "thin.png")
    photo, painting = str(pictures / "photos" / "0.png"), str(pictures / "stripes.png")
    new = str(tmp_path / "new.png")
    cases = [
        ([photo, painting, "-o", str(tmp_path / "old.png")], "exists. Add --overwrite to replace it"),
        ([photo, painting, "-o", str(tmp_path)], "has no ending; .png"),
        ([photo, painting, "-o", str(tmp_path / "new.gif")], "ends in '.gif'"),
        ([photo, painting, "-o", str(tmp_path / "gone" / "new.png")], "No folder '"),
        ([photo, painting, "-o", photo, "--overwrite"], "Input and output are the same file"),
        ([photo, painting, "-o", painting, "--overwrite"], "Input and output are the same file"),
        ([str(tmp_path / "gone.png"), painting, "-o", new], "No file at"),
        ([photo, str(tmp_path / "gone.png"), "-o", new], "No picture at"),
        ([str(tmp_path / "thin.png"), painting, "-o", new], "The photo would have 300x10 pixels; at least 16 on the shorter"),
        ([photo, painting, "-o", new, "--style-weight", "0"], "--style-weight 0.0 is out of range. 1 is the default"),
        ([photo, painting, "-o", new, "--content-weight", "nan"], "--content-weight nan is out of range"),
        ([photo, painting, "-o", new, "--vgg-weights", str(tmp_path / "vgg.h5")], "No VGG19 weights at"),
    ]
    for flags, expected in cases:
        assert main(["optimize", *flags]) == 1, flags
        said = capsys.readouterr()
        assert said.out == "" and said.err.count("\n") == 1 and expected in said.err, said.err
    assert (tmp_path / "old.png").read_bytes() == b"precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old.png", "thin.png"]
