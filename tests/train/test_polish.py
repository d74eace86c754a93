"""Polishing: tiles that are the whole picture, a search against SciPy's, and `image --polish` read back."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image
from scipy.optimize import Bounds, minimize, rosen, rosen_der

from realtime_nst.cli.main import main
from realtime_nst.engines import backend
from realtime_nst.errors import TrainingError
from realtime_nst.train import objective, polish_command, tiles
from realtime_nst.train.objective import PerceptualLoss, Terms
from realtime_nst.train.optimize import optimize
from realtime_nst.train.polish import Polisher
from realtime_nst.train.recipes import REFERENCE_RECIPE
from realtime_nst.train.search import SearchStoppedError, descend
from realtime_nst.train.tiles import Tile, spans_of, tiles_of
from tests.train.small import RECIPE, small_loss_network

WEIGHTS = Terms(1.0, 12.0, 0.5)


def some_picture(height: int, width: int, seed: int) -> np.ndarray:
    """Blurred noise as uint8 `(H, W, 3)`."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height // 6, width // 6, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC))


def halving_network(seen: list[tuple[int, ...]]) -> Callable[..., list[keras.Model]]:
    """Narrow networks that halve a picture as VGG19 does, and note the shapes of what they are shown."""

    class Noted(layers.Layer):
        def call(self, images: Any) -> Any:
            if None not in images.shape:
                seen.append(tuple(images.shape))
            return images

    def build(weights: str, *taps: Sequence[str]) -> list[keras.Model]:
        images = keras.Input((None, None, 3))
        x, features = Noted()(images) / 127.5 - 1.0, {}
        for number, name in enumerate(("relu1_1", "relu2_1", "relu3_1")):
            x = layers.MaxPooling2D()(x) if number else x
            layer = layers.Conv2D(6, 3, padding="same", activation="relu", bias_initializer="ones")
            x = layer(x)
            layer.kernel.assign(np.random.default_rng(number).normal(0.0, 0.15, layer.kernel.shape))
            features[name] = x
        networks = [keras.Model(images, {name: features[name] for name in names}) for names in taps]
        for network in networks:
            network.trainable = False
        return networks

    return build


@pytest.fixture
def shapes() -> list[tuple[int, ...]]:
    """What the loss network is shown."""
    return []


@pytest.fixture
def loss(monkeypatch: pytest.MonkeyPatch, shapes: list[tuple[int, ...]]) -> PerceptualLoss:
    """The loss on a narrow network that halves pictures."""
    monkeypatch.setattr(objective, "build_loss_network", halving_network(shapes))
    return PerceptualLoss("", RECIPE)


@pytest.fixture
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From the call on, pictures of more than 48 pixels are looked at in tiles."""

    def shrink() -> None:
        monkeypatch.setattr(tiles, "LARGEST", 48)
        monkeypatch.setattr(tiles, "MARGIN", 8)

    return shrink


# Tiles.


@pytest.mark.once
@pytest.mark.parametrize("length", [16, 640, 641, 647, 648, 1000, 1201, 2999, 4096])
def test_every_pixel_belongs_to_one_tile_that_shows_its_surroundings(length: int) -> None:
    spans = spans_of(length)
    assert spans[0].first == 0 and spans[-1].end == spans[-1].stop == length
    assert {span.stop - span.start for span in spans} == {spans[0].stop - spans[0].start}, "compiled once"
    for span in spans:
        assert span.start % 8 == span.first % 8 == 0 and span.stop - span.start <= tiles.LARGEST
        assert span.first == 0 or span.first - span.start >= tiles.MARGIN
        assert span.end == length or span.stop - span.end >= tiles.MARGIN
    assert [span.end for span in spans[:-1]] == [span.first for span in spans[1:]]


@pytest.mark.once
@pytest.mark.parametrize(("height", "width"), [(100, 117), (48, 99), (131, 40)])
def test_parts_of_tiles_are_the_whole(small_tiles: Callable[[], None], height: int, width: int) -> None:
    small_tiles()
    picture = np.random.default_rng(0).normal(size=(height, width, 3)).astype(np.float32)
    assert len(tiles_of(height, width)) > 1
    copy = np.zeros_like(picture)
    for tile in tiles_of(height, width):
        tile.put(tile.of(picture), copy)
    assert np.array_equal(copy, picture)

    def mean_square(tile: Tile) -> float:
        return float(np.square(tile.of(picture) * tile.mask(1)).mean())

    assert sum(map(mean_square, tiles_of(height, width))) == pytest.approx(float(np.square(picture).mean()), rel=1e-5)


def test_tiles_give_the_loss_and_the_gradient_of_the_whole_picture(
    loss: PerceptualLoss, small_tiles: Callable[[], None], shapes: list[tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    photo, image = some_picture(101, 118, 1), some_picture(101, 118, 2).astype(np.float32)
    grams = loss.grams(some_picture(60, 72, 3))
    whole, slope = loss(image, WEIGHTS, loss.features(photo), grams)
    assert 101 in [shape[1] for shape in shapes]
    small_tiles()
    shapes.clear()
    features = loss.features(photo)
    terms, gradient = loss(image, WEIGHTS, features, grams)
    assert terms == pytest.approx(whole, rel=1e-4) and loss.terms(image, features, grams) == pytest.approx(whole, rel=1e-4)
    assert np.abs(gradient - slope).max() < 1e-3 * np.abs(slope).max()
    seen = [side for shape in shapes for side in shape[1:3] if isinstance(side, int)]  # JAX also looks with none yet
    assert seen and max(seen) <= 48, "no more than a tile is looked at"
    monkeypatch.setattr(tiles, "MARGIN", 0)
    _, blind = loss(image, WEIGHTS, features, grams)
    assert np.abs(blind - slope).max() > 1e-2 * np.abs(slope).max(), "without a margin seams would show"


@pytest.mark.once
def test_real_vgg_sees_the_whole_picture_in_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = os.environ.get("REALTIME_NST_VGG")
    if not weights:
        pytest.skip("REALTIME_NST_VGG is not set: no file of VGG19 weights")
    real = PerceptualLoss(weights, REFERENCE_RECIPE)
    photo, image = some_picture(120, 165, 1), some_picture(120, 165, 2).astype(np.float32)
    grams = real.grams(some_picture(90, 120, 3))
    whole, slope = real(image, WEIGHTS, real.features(photo), grams)
    monkeypatch.setattr(tiles, "LARGEST", 128)
    assert len(tiles_of(120, 165)) == 3
    terms, gradient = real(image, WEIGHTS, real.features(photo), grams)
    assert terms == pytest.approx(whole, rel=1e-4)
    assert np.abs(gradient - slope).max() < 1e-3 * np.abs(slope).max()


# The search.


def valley(x: np.ndarray) -> tuple[float, np.ndarray]:
    """Rosenbrock's."""
    return float(rosen(x.astype(float))), rosen_der(x.astype(float)).astype(np.float32)


@pytest.mark.once
def test_search_finds_its_way_through_a_curved_valley() -> None:
    start = np.random.default_rng(1).uniform(-2, 2, 12).astype(np.float32)
    assert np.allclose(descend(valley, start, -5, 5, steps=300, after=lambda level: None), 1.0, atol=1e-3)


@pytest.mark.once
@pytest.mark.parametrize("seed", range(4))
def test_search_within_bounds_ends_where_that_of_scipy_does(seed: int) -> None:
    numbers = np.random.default_rng(seed)
    matrix, wanted, start = numbers.normal(size=(30, 20)), 6 * numbers.normal(size=30), numbers.uniform(-1, 1, 20)

    def bowl(x: np.ndarray) -> tuple[float, np.ndarray]:
        rest = matrix @ x - wanted
        return float(rest @ rest), (2 * matrix.T @ rest).astype(x.dtype)

    best = minimize(bowl, start, jac=True, bounds=Bounds(-1, 1), method="L-BFGS-B").x
    found = descend(bowl, start.astype(np.float32), -1, 1, steps=100, after=lambda level: None)
    assert (np.abs(found) == 1).sum() > 3 and np.abs(found).max() == 1, "some at the bounds, none beyond"
    assert np.allclose(found, best, atol=1e-3)


@pytest.mark.once
def test_every_step_of_a_search_is_lower_and_an_end_keeps_the_lowest() -> None:
    levels: list[float] = []
    calls = 0

    def tired(x: np.ndarray) -> tuple[float, np.ndarray]:
        nonlocal calls
        calls += 1
        if calls == 12:
            raise SearchStoppedError
        return valley(x)

    start = np.full(6, -1.5, np.float32)
    found = descend(tired, start.copy(), -5, 5, steps=50, after=levels.append)
    assert len(levels) > 3 and levels == sorted(levels, reverse=True) and levels[0] < valley(start)[0]
    assert valley(found)[0] == pytest.approx(levels[-1])
    assert np.array_equal(descend(tired, start.copy(), -5, 5, steps=0, after=levels.append), start)


# Polishing.


def test_polishing_is_ahead_of_as_many_steps_from_the_photo(loss: PerceptualLoss) -> None:
    polisher = Polisher(loss, [(some_picture(60, 72, 3), 1.0)])
    photo = some_picture(48, 66, 1)
    goal = polisher.objective(photo)

    def total(image: np.ndarray) -> float:
        return goal.terms(image.astype(np.float32)).weighted(polisher.weights)

    painting = np.rint(optimize(goal, polisher.weights, photo, steps=12)[0]).astype(np.uint8)
    polished = polisher(photo, painting, steps=6)
    assert polished.dtype == np.uint8 and polished.shape == photo.shape
    assert total(polished) < 0.9 * total(painting) and total(polished) < 0.7 * total(polisher(photo, photo, steps=6))


def test_mix_is_polished_towards_all_its_paintings(loss: PerceptualLoss) -> None:
    one, other = some_picture(60, 72, 3), 255 - some_picture(60, 72, 4)
    photo = some_picture(48, 66, 1)
    mixed = Polisher(loss, [(one, 0.3), (other, 0.7)]).objective(photo)
    for gram, first, second in zip(mixed.grams, loss.grams(one), loss.grams(other), strict=True):
        assert np.allclose(gram, 0.3 * np.asarray(first) + 0.7 * np.asarray(second), rtol=1e-4)


@pytest.mark.once
def test_picture_polished_in_tiles_is_that_polished_whole(loss: PerceptualLoss, small_tiles: Callable[[], None]) -> None:
    polisher = Polisher(loss, [(some_picture(60, 72, 3), 1.0)])
    photo, painting = some_picture(100, 112, 1), some_picture(100, 112, 2)
    whole = polisher(photo, painting, steps=4)
    small_tiles()
    tiled = polisher(photo, painting, steps=4)
    assert np.abs(whole.astype(int) - painting).mean() > 2
    assert np.abs(whole.astype(int) - tiled).max() <= 2


def test_search_in_tiles_ends_between_two_of_them(loss: PerceptualLoss, small_tiles: Callable[[], None]) -> None:
    small_tiles()
    polisher = Polisher(loss, [(some_picture(60, 72, 3), 1.0)])
    photo, painting, asked = some_picture(100, 112, 1), some_picture(100, 112, 2), list[bool]()

    def stop() -> bool:
        asked.append(True)
        return len(asked) > 2

    assert np.array_equal(polisher(photo, painting, steps=4, stop=stop), painting)
    assert len(asked) == 3 < len(tiles_of(100, 112))


@pytest.mark.once
def test_photo_too_small_for_vgg_is_told(loss: PerceptualLoss) -> None:
    photo = some_picture(12, 40, 1)
    with pytest.raises(
        TrainingError, match=r"The photo has 40x12 pixels; --polish needs at least 16 on the shorter side\. Leave"
    ):
        Polisher(loss, [(some_picture(60, 72, 3), 1.0)])(photo, photo, steps=1)


# The command.


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command with the small loss network."""
    monkeypatch.setattr(objective, "build_loss_network", small_loss_network)
    monkeypatch.setattr(polish_command, "REFERENCE_RECIPE", RECIPE)


def words(pictures: Path, output: Path | str, *more: object, photo: Path | None = None) -> list[str]:
    """A command that polishes."""
    given = [photo or pictures / "photos" / "0.png", "-o", output, "--polish", "3", "--painting", pictures / "stripes.png", *more]
    return ["image", *map(str, given)]


def read(path: Path) -> np.ndarray:
    with Image.open(path) as file:
        return np.asarray(file.convert("RGB"), float)


@pytest.mark.once
@pytest.mark.usefixtures("small")
def test_command_polishes_before_it_recolours(pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words(pictures, tmp_path / "full.png")) == 0
    said = capsys.readouterr()
    assert said.out == "" and "full.png: 100%" in said.err and "3/3" in said.err and "Wrote '" in said.err
    assert main(words(pictures, tmp_path / "half.png", "--strength", 0.5)) == 0
    assert main(words(pictures, tmp_path / "own.png", "--keep-colours")) == 0
    assert main(words(pictures, tmp_path / "none.png", "--strength", 0)) == 0
    photo = read(pictures / "photos" / "0.png")
    assert (
        main(["image", str(pictures / "photos" / "0.png"), "-o", str(tmp_path / "net.png"), "--backend", keras.config.backend()])
        == 0
    )
    full, half, own, net = (read(tmp_path / f"{name}.png") for name in ("full", "half", "own", "net"))
    assert np.abs(full - net).mean() > 1, "polished"
    assert np.abs(half - (photo + full) / 2).max() <= 1
    chroma = [picture[..., 0] - picture[..., 2] for picture in (own, full, photo)]
    assert np.abs(chroma[0] - chroma[2]).mean() < 0.5 * np.abs(chroma[1] - chroma[2]).mean()
    assert np.array_equal(read(tmp_path / "none.png"), photo)


@pytest.mark.once
@pytest.mark.usefixtures("small")
def test_folder_is_polished_and_a_tiny_photo_does_not_stop_it(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "photos").mkdir()
    for name, size in (("a", (40, 9)), ("b", (48, 32))):
        Image.fromarray(some_picture(60, 80, 1)).resize(size).save(tmp_path / "photos" / f"{name}.png")
    assert main(words(pictures, f"{tmp_path / 'out'}{os.sep}", photo=tmp_path / "photos")) == 1
    said = capsys.readouterr().err
    assert "--polish needs at least 16" in said and "1 painted, 0 skipped, 1 failed." in said
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.png"]


@pytest.mark.once
@pytest.mark.usefixtures("small")
def test_interrupted_polishing_writes_the_best_and_leaves_the_rest(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    polish = Polisher.__call__

    def press_and_polish(self: Polisher, *given: Any, report: Any, **options: Any) -> np.ndarray:
        def pressing(progress: Any) -> None:
            report(progress)
            if progress.step == 2:
                os.kill(os.getpid(), 2)

        return polish(self, *given, report=pressing, **options)

    monkeypatch.setattr(Polisher, "__call__", press_and_polish)
    out = f"{tmp_path / 'out'}{os.sep}"
    assert main(words(pictures, out, "--polish", 40, "--pattern", "[01].png", photo=pictures / "photos")) == 130
    said = capsys.readouterr().err
    assert "2/40" in said and "Interrupted: " in said and "1 painted, 0 skipped, 0 failed, 1 not begun or not finished" in said
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["0.png"]
    two = tmp_path / "two.png"
    monkeypatch.setattr(Polisher, "__call__", polish)
    assert main(words(pictures, two, "--polish", 2)) == 0
    assert np.array_equal(read(tmp_path / "out" / "0.png"), read(two))


def test_what_cannot_be_polished_is_one_line_and_leaves_nothing(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    photo, out, stripes = str(pictures / "photos" / "0.png"), str(tmp_path / "out.png"), str(pictures / "stripes.png")
    cases = [
        (["--polish"], "Name a picture of 'The Great Wave off Kanagawa' by Katsushika Hokusai with --painting FILE"),
        (["--painting", stripes], "--painting is for --polish, which it was not given with"),
        (["--polish", "--painting", str(tmp_path / "gone.png")], "No picture at"),
        (["--polish", "--painting", str(tmp_path)], "No painting of 'wave' in"),
        (["--polish", "--painting", stripes, "--style", "wave,kiss"], "A mix needs the paintings of all its styles"),
        (["--polish", "--painting", stripes, "--backend", "openvino"], "--polish computes on TensorFlow"),
        (["--polish", "--painting", stripes, "--vgg-weights", str(tmp_path / "vgg.h5")], "No VGG19 weights at"),
        (["--polish", "--painting", stripes, "--style", "wve"], "Did you mean 'wave'?"),
    ]
    own = str(tmp_path / "own.png")
    Image.open(stripes).save(own)
    assert main(["image", photo, "-o", own, "--overwrite", "--polish", "--painting", own]) == 1
    assert "Input and output are the same file" in capsys.readouterr().err
    Path(own).unlink()
    for flags, expected in cases:
        assert main(["image", photo, "-o", out, *flags]) == 1, flags
        said = capsys.readouterr()
        assert said.out == "" and said.err.count("\n") == 1 and expected in said.err, said.err
    monkeypatch.setattr(backend, "installed", lambda name: name != keras.config.backend())
    assert main(["image", photo, "-o", out, "--polish", "--painting", stripes]) == 1
    said = capsys.readouterr()
    assert said.err.count("\n") == 1 and f"The backend '{keras.config.backend()}' is not installed" in said.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("steps", ["0", "-3", "photo.jpg", "1.5"])
def test_bad_number_of_steps_is_told(capsys: pytest.CaptureFixture[str], steps: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["image", "photo.jpg", "-o", "out.png", f"--polish={steps}"])
    assert f"argument --polish: '{steps}' is no whole number from 1 to 10000" in capsys.readouterr().err
