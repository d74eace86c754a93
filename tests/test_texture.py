"""Networks with a texture field: what they paint, what the dial does, what moving does; older bodies know nothing of it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import realtime_nst
from realtime_nst.engines.backend import Backend
from realtime_nst.engines.engine import WholeEngine, build_engine
from realtime_nst.engines.runner import runner_for
from realtime_nst.engines.strips import StripEngine
from realtime_nst.live.controls import Controls
from realtime_nst.live.painter import LivePainter
from realtime_nst.live.settings import Settings
from realtime_nst.painting.stylizer import Stylizer
from realtime_nst.style.architecture import Architecture
from realtime_nst.style.book import StyleBook, find_styles
from realtime_nst.style.field import HOME, Offset, fields_of, torus
from realtime_nst.style.look import Look
from realtime_nst.style.style import Style, write_style
from tests.conftest import NARROW, NARROW_FIRST, FakeSource, narrow_body, random_vector
from tests.readback import read_back
from tests.reference import stylize_with_numpy

OPENVINO = runner_for(Backend("openvino", "float32", gpu=False))
MOVED: Offset = (3.3, -7.7, 0.0)
WIDTH, HEIGHT = 40, 32


@pytest.fixture
def photo() -> np.ndarray:
    """Plain to the left, noise to the right."""
    photo = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    photo[:, WIDTH // 2 :] = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH // 2, 3), np.uint8)
    return photo


@pytest.fixture
def first(tmp_path: Path) -> Style:
    """A style of a body of the first generation."""
    return Style("first", random_vector(0, NARROW_FIRST), narrow_body(tmp_path, "first", architecture=NARROW_FIRST))


@pytest.mark.parametrize(
    "changes",
    [{"entry": 4, "blurred": 0, "field": 0}, {"entry": 8, "blurred": 1, "field": 4}, {"entry": 6, "field": 2}, {"field": 16}],
)
def test_any_architecture_paints_as_the_formulas_say(tmp_path: Path, photo: np.ndarray, changes: dict[str, int]) -> None:
    architecture = replace(NARROW, **changes)
    body, vector = narrow_body(tmp_path, architecture=architecture), random_vector(1, architecture)
    engine = build_engine(body, WIDTH, HEIGHT, OPENVINO)
    for offset in (HOME, MOVED):
        painted = engine(photo, vector, offset)
        expected = stylize_with_numpy(photo, vector, body.weights(), architecture, offset)
        assert painted.std() > 5 and np.abs(painted.astype(int) - expected).max() <= 1


def test_a_body_of_the_first_generation_knows_neither_field_nor_texture(
    stylizer: Stylizer, first: Style, photo: np.ndarray
) -> None:
    engine = WholeEngine(first.body, WIDTH, HEIGHT, OPENVINO)
    assert list(engine._program.shapes) == ["images", "vectors"]
    painted = engine(photo, first.vector)
    assert np.array_equal(engine(photo, first.vector, MOVED), painted)
    assert np.array_equal(stylizer.paint(photo, first, Look(texture=0.0), MOVED), painted)
    assert np.abs(painted.astype(int) - stylize_with_numpy(photo, first.vector, first.body.weights(), NARROW_FIRST)).max() <= 1


def gains_times(vector: np.ndarray, share: float) -> np.ndarray:
    """A vector of `NARROW` with other gains: six after stem's scale and shift, and so on by hand."""
    vector, start = vector.copy(), 0
    for channels, gains in ((6, True), (8, True), (5, True), (8, False), (6, False), (7, True)):
        start += 2 * channels
        vector[start : start + channels * gains] *= share
        start += channels * gains
    return vector


def test_texture_off_is_a_network_without_gains_and_without_a_field(
    stylizer: Stylizer, book: StyleBook, photo: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    style = book["wave"]
    with_all, without = (stylizer.paint(photo, style, Look(texture=texture)) for texture in (1.0, 0.0))
    engine = build_engine(style.body, WIDTH, HEIGHT, OPENVINO)
    assert np.array_equal(engine(photo, style.vector), with_all)
    assert np.array_equal(engine(photo, gains_times(style.vector, 0.0)), without)
    assert np.array_equal(stylizer.paint(photo, style, Look(texture=0.0), MOVED), without), "there is nothing to move"
    monkeypatch.setattr("realtime_nst.style.field.torus", lambda part, channels: np.zeros_like(torus(part, channels)))
    assert np.array_equal(build_engine(style.body, WIDTH, HEIGHT, OPENVINO)(photo, style.vector), without)
    assert np.abs(with_all.astype(int) - without).mean() > 3, "and the field is seen"


def test_texture_between_is_so_much_of_the_gains_in_every_look(stylizer: Stylizer, book: StyleBook, photo: np.ndarray) -> None:
    style = book["wave"]
    half = replace(style, vector=gains_times(style.vector, 0.5))
    for look in (Look(), Look(0.5, 1.0), Look(stability=8.0)):
        painted = stylizer.paint(photo, style, look._replace(texture=0.5), MOVED)
        assert np.array_equal(painted, stylizer.paint(photo, half, look, MOVED))
        assert not np.array_equal(painted, stylizer.paint(photo, style, look, MOVED))


def moving_scene(place: int) -> np.ndarray:
    """A plain patch with a soft blob on a chequered ground that looks the same when it moves by 8 pixels."""
    y, x = np.mgrid[:320, :352]
    ground = 255.0 * ((x // 4 + y // 4) % 2)
    patch = (x >= 120 + place) & (x < 224 + place) & (y >= 120) & (y < 200)
    blob = 90 + 60 * np.exp(-((x - 160 - place) ** 2 + (y - 150) ** 2) / 800)
    return np.stack([np.where(patch, blob * share, ground) for share in (1.0, 0.8, 0.6)], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("changes", [{}, {"entry": 8, "blurred": 1}])
def test_a_field_that_goes_with_the_photo_takes_the_painting_along(tmp_path: Path, changes: dict[str, int]) -> None:
    architecture = replace(NARROW, **changes)
    body, vector = narrow_body(tmp_path, architecture=architecture), random_vector(2, architecture)
    engine = build_engine(body, 352, 320, OPENVINO)
    before = engine(moving_scene(0), vector, MOVED).astype(int)
    along = engine(moving_scene(8), vector, (MOVED[0] + 8, MOVED[1], 0.0))
    behind = engine(moving_scene(8), vector, MOVED)
    assert np.abs(along[56:-56, 64:-56] - before[56:-56, 56:-64]).max() <= 1, "but for the border, which stays where it is"
    inside = slice(130, 190), slice(130, 214)
    assert np.abs(behind[:, 8:].astype(int) - before[:, :-8])[inside].mean() > 2, "strokes that stay behind slide over it"


def test_field_is_made_and_handed_over_once_until_it_moves(
    book: StyleBook, photo: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Offset] = []

    def note(channels: int, width: int, height: int, offset: Offset) -> dict[str, np.ndarray]:
        made.append(offset)
        return dict(fields_of(channels, width, height, offset))

    monkeypatch.setattr("realtime_nst.engines.field.fields_of", note)
    style = book["wave"]
    engine = build_engine(style.body, WIDTH, HEIGHT, OPENVINO)
    still = [engine(photo, style.vector) for _ in range(3)]
    moved = [engine(photo, style.vector, MOVED) for _ in range(3)]
    back = engine(photo, style.vector, (MOVED[0] - MOVED[0], MOVED[1] - MOVED[1], 0.0))
    assert made == [HOME, MOVED, HOME]
    assert np.array_equal(back, still[-1]) and not np.array_equal(moved[-1], back)


@pytest.mark.parametrize("changes", [{}, {"entry": 8, "blurred": 1}])
def test_strips_are_the_picture_that_is_painted_at_once(
    tmp_path: Path, changes: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime_nst.engines.strips.STRIP_PIXELS", 1)
    architecture = replace(NARROW, **changes)
    body, vector = narrow_body(tmp_path, architecture=architecture), random_vector(0, architecture)
    photo = np.random.default_rng(0).integers(90, 100, (152, 96, 3), np.uint8)
    for offset in (HOME, MOVED):
        whole = WholeEngine(body, 96, 152, OPENVINO)(photo, vector, offset)
        strips = StripEngine(body, 96, 152, OPENVINO)(photo, vector, offset)
        assert np.abs(strips.astype(int) - whole).max() <= 1


def test_texture_is_the_same_from_the_command_line_from_python_and_in_a_show(
    run: Callable[..., int], weights: Path, book: StyleBook, stylizer: Stylizer, photo: np.ndarray, tmp_path: Path
) -> None:
    style = book["wave"]
    expected = stylizer.paint(photo, style, Look(texture=0.25))
    assert not np.array_equal(expected, stylizer.paint(photo, style))
    exact = ("--precision", "float32", "--style", "wave", "--texture", 0.25)
    Image.fromarray(photo).save(tmp_path / "photo.png")
    assert run("image", tmp_path / "photo.png", "-o", tmp_path / "out.png", *exact) == 0
    with Image.open(tmp_path / "out.png") as picture:
        assert np.array_equal(np.asarray(picture), expected)
    called = realtime_nst.Stylizer("wave", texture=0.25, weights=weights, precision="float32")
    assert np.array_equal(called(photo), expected) and np.array_equal(called.session(stability=0)(photo), expected)
    controls = Controls([style], settings=Settings(texture=0.25, stability=0))
    painter = LivePainter(stylizer, controls, [style.body], WIDTH, HEIGHT)
    frame = next(iter(FakeSource(1, width=WIDTH, height=HEIGHT))).with_image(photo)
    assert np.array_equal(painter(frame).image, expected)
    controls.press("t")
    assert np.array_equal(painter(frame).image, stylizer.paint(photo, style, Look(texture=0.5)))
    with pytest.raises(ValueError, match=r"texture=1\.5: a number from 0 to 1 was expected"):
        realtime_nst.Stylizer("wave", texture=1.5, weights=weights)


def test_films_have_the_texture_that_was_asked_for(
    run: Callable[..., int], weights: Path, book: StyleBook, stylizer: Stylizer, make_clip: Callable[..., Path], tmp_path: Path
) -> None:
    clip = make_clip("plain.mkv", "-f", "lavfi", "-i", "testsrc=size=96x64:rate=5:duration=1", "-c:v", "ffv1", "-pix_fmt", "bgr0")
    frames = read_back(clip)[1]
    flags = ("--codec", "ffv1", "--stability", 0, "--precision", "float32")
    assert run("video", clip, "-o", tmp_path / "flag.mkv", "--texture", 0.25, *flags) == 0
    realtime_nst.paint_video(
        clip, tmp_path / "call.mkv", texture=0.25, stability=0, codec="ffv1", precision="float32", weights=weights
    )
    for name in ("flag", "call"):
        painted = read_back(tmp_path / f"{name}.mkv")[1]
        expected = [stylizer.paint(frame.astype(np.uint8), book["wave"], Look(texture=0.25)) for frame in frames]
        assert len(painted) == 5 and np.abs(painted.astype(int) - np.array(expected)).max() <= 1


def test_styles_of_both_generations_are_in_one_show(tmp_path: Path, stylizer: Stylizer, photo: np.ndarray) -> None:
    for architecture, name in ((NARROW_FIRST, "first"), (NARROW, "second")):
        write_style(tmp_path, name, random_vector(3, architecture), narrow_body(tmp_path, name, architecture=architecture), {})
    book = find_styles([tmp_path])
    assert {style.body.architecture for style in book.values()} == {NARROW_FIRST, NARROW} and not book.broken
    controls = Controls(list(book.values()), settings=Settings(texture=0.0, stability=0, fade=0.0))
    painter = LivePainter(stylizer, controls, book.bodies, WIDTH, HEIGHT)
    frame = next(iter(FakeSource(1, width=WIDTH, height=HEIGHT))).with_image(photo)
    for key, name in (("1", "first"), ("2", "second"), ("1", "first")):
        controls.press(key)
        assert np.array_equal(painter(frame).image, stylizer.paint(photo, book[name], Look(texture=0.0)))


def test_new_bodies_have_a_field() -> None:
    assert (Architecture().entry, Architecture().blurred, Architecture().field) == (4, 0, 4)
