"""How the camera moved, on made films whose truth is known and on real ones; and that texture goes along, everywhere."""

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise, repeat
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import realtime_nst
from realtime_nst.live.controls import Controls
from realtime_nst.live.painter import LivePainter
from realtime_nst.live.settings import Settings
from realtime_nst.painting.camera_motion import STILL, CameraMotion, as_offset, back, joined, reach
from realtime_nst.painting.stream import Stream
from realtime_nst.painting.stylizer import Stylizer
from realtime_nst.style.book import StyleBook
from realtime_nst.style.field import HOME, Offset
from realtime_nst.style.look import Look
from realtime_nst.style.style import Style
from tests.conftest import NARROW_FIRST, FakeSource, narrow_body, random_vector
from tests.readback import read_back

SAMPLES = Path(realtime_nst.__file__).parents[1] / "samples"
FOLLOWING = Look(follow_camera=True)
Velocity = tuple[float, float]


def sample(name: str, width: int, height: int) -> np.ndarray:
    """A photo of the samples, float32, at least so large."""
    with Image.open(SAMPLES / f"{name}.jpg") as photo:
        times = max(width / photo.width, height / photo.height)
        size = round(photo.width * times) + 1, round(photo.height * times) + 1
        return np.asarray(photo.convert("RGB").resize(size, Image.Resampling.LANCZOS), np.float32)


def as_seen(scene: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
    """What a camera makes of it."""
    return np.clip(np.rint(scene + noise * rng.standard_normal(scene.shape, np.float32)), 0, 255).astype(np.uint8)


def pan(
    name: str, width: int, height: int, velocity: Velocity, frames: int, noise: float = 2.0, light: float = 1.0
) -> Iterator[np.ndarray]:
    """A photo that moves through the frame by parts of pixels."""
    ways = [speed * frames for speed in velocity]
    photo = light * sample(name, width + 8 + int(abs(ways[0])), height + 8 + int(abs(ways[1])))
    rng = np.random.default_rng(0)
    for index in range(frames):
        corner = [4 + max(way, 0) - speed * index for way, speed in zip(ways, velocity)]
        (left, top), (across, down) = zip(*(divmod(place, 1) for place in corner))
        piece = photo[int(top) : int(top) + height + 1, int(left) : int(left) + width + 1]
        piece = (1 - down) * piece[:-1] + down * piece[1:]
        yield as_seen((1 - across) * piece[:, :-1] + across * piece[:, 1:], noise, rng)


def turning(name: str, frames: int, growth: float, degrees: float, velocity: Velocity = (0, 0)) -> Iterator[np.ndarray]:
    """A photo that comes closer, turns about the middle of the frame, and moves through it."""
    with Image.open(SAMPLES / f"{name}.jpg") as file:
        photo = file.convert("RGB").resize((640, 480), Image.Resampling.LANCZOS)
    rng = np.random.default_rng(0)
    for index in range(frames):
        side = 320 / growth**index, 240 / growth**index
        x, y = 320 - velocity[0] * index, 240 - velocity[1] * index
        box = (x - side[0] / 2, y - side[1] / 2, x + side[0] / 2, y + side[1] / 2)
        turned = photo.rotate(degrees * index, Image.Resampling.BICUBIC)
        yield as_seen(np.asarray(turned.resize((320, 240), Image.Resampling.BICUBIC, box), np.float32), 2.0, rng)


def walker(wall: np.ndarray, width: int, frames: int, speed: int) -> Iterator[np.ndarray]:
    """Someone, as the astronaut's picture, who walks from left to right before a wall that stands."""
    person = sample("astronaut", width, wall.shape[0])[: wall.shape[0], :width]
    rng = np.random.default_rng(0)
    for index in range(frames):
        scene, left = wall.copy(), speed * index - width
        inside = slice(max(left, 0), min(left + width, wall.shape[1]))
        scene[20:, inside] = person[20:, inside.start - left : inside.stop - left]
        yield as_seen(scene, 2.0, rng)


def offsets(frames: Iterable[np.ndarray]) -> np.ndarray:
    """Of each frame, `(frames, 3)`."""
    motion = CameraMotion()
    return np.array([motion(frame) for frame in frames])


def errors(found: np.ndarray, velocity: Velocity) -> np.ndarray:
    """How far each offset of a pan is from the truth, in pixels in the middle of the frame, and 100 pixels from there."""
    assert found.shape[1] == 3
    return np.hypot(*(found[:, :2] - np.outer(np.arange(len(found)), velocity)).T) + 100 * np.abs(found[:, 2])


@pytest.mark.parametrize("velocity", [(2, 1), (-2, 1.5), (15, 0), (0, -15), (-11, 10), (0, 2)])
@pytest.mark.parametrize(("name", "width", "height"), [("coffee", 320, 180), ("astronaut", 320, 240)])
def test_a_pan_is_followed_to_a_part_of_a_pixel(name: str, width: int, height: int, velocity: Velocity) -> None:
    assert errors(offsets(pan(name, width, height, velocity, 16)), velocity).max() < 0.4


@pytest.mark.parametrize("velocity", [(0.3, 0), (0, -0.3), (-0.2, 0.25)])
def test_a_slow_pan_is_followed_by_half_pixels_and_drifts_nowhere(velocity: Velocity) -> None:
    found = offsets(pan("coffee", 320, 180, velocity, 60))
    steps = np.array([reach(joined(back(before), after), np.array([180, 320])) for before, after in pairwise(found)])
    assert errors(found * (1, 1, 0), velocity).max() < STILL + 0.25 and np.abs(found[:, 2]).max() < 0.002
    assert all(step < 1e-9 or step >= STILL for step in steps) and 15 < (steps > 1e-9).sum() < 40


def test_small_frames_are_followed_too() -> None:
    assert errors(offsets(pan("astronaut", 96, 64, (2, 1), 20)), (2, 1)).max() < 0.4


def test_a_noisy_night_stays_where_it_is_and_is_followed_when_it_moves() -> None:
    still = offsets(pan("coffee", 320, 180, (0, 0), 200, noise=10.0, light=0.12))
    assert not still.any(), "not once in 200 frames"
    assert errors(offsets(pan("coffee", 640, 360, (2, 1), 40, noise=10.0, light=0.12)), (2, 1)).max() < 3


def test_whoever_walks_before_a_wall_moves_nothing() -> None:
    walls = {name: sample(name, 320, 180)[:180, :320] for name in ("palace", "coffee")}
    walls["plain"] = np.full((180, 320, 3), 150, np.float32)
    walls["shaded"] = walls["plain"] + np.linspace(-40, 40, 320, dtype=np.float32)[:, None]
    for wall in walls.values():
        for width, frames, speed in ((80, 40, 10), (32, 36, 10)):
            assert not offsets(walker(wall, width, frames, speed)).any()


@pytest.mark.parametrize("growth", [1.005, 1.02])
def test_closer_is_no_way_along_the_picture(growth: float) -> None:
    found = offsets(turning("coffee", 30, growth, 0))
    assert np.abs(found[:, :2]).max() < 2 and np.abs(np.diff(found[:, :2], axis=0)).max() < 1.5
    assert np.abs(found[:, 2]).max() < 0.01


@pytest.mark.parametrize(("growth", "degrees"), [(1, 0.3), (1, -1), (1.005, 0.5)])
def test_turning_about_the_middle_is_followed(growth: float, degrees: float) -> None:
    found = offsets(turning("coffee", 30, growth, degrees))
    assert np.abs(found[:, :2]).max() < 2
    truth = -np.radians(degrees) * np.arange(30)  # Pillow turns the other way
    assert np.abs(found[:, 2] - truth).max() < 0.05 * abs(truth[-1]) + 0.005


@pytest.mark.parametrize("name", ["coffee", "astronaut"])
@pytest.mark.parametrize(("degrees", "velocity"), [(0.2, (0, 1)), (-0.5, (3, 0)), (0.5, (-2, 2)), (-1, (0, 3))])
def test_turning_while_it_moves_is_followed(name: str, degrees: float, velocity: Velocity) -> None:
    """On one side both cancel each other out, where nothing moves and nothing speaks against it."""
    found = offsets(turning(name, 24, 1, degrees, velocity))
    numbers = np.arange(24)
    away = found[:, :2] - numbers[:, None] * velocity
    assert np.abs(away).max() < 1.5 * max(map(abs, velocity)) and np.abs(away[-1]).max() < 1.5 + max(map(abs, velocity))
    assert np.abs(found[:, 2] + np.radians(degrees) * numbers).max() < 0.05 * np.radians(abs(degrees)) * 24 + 0.005


def test_movements_join_as_they_would_move_a_picture() -> None:
    one, other = np.array([3.0, -2.0, 0.4]), np.array([-1.5, 7.0, -1.1])

    def move(places: np.ndarray, movement: np.ndarray) -> np.ndarray:
        return places * np.exp(1j * movement[2]) + movement[0] + 1j * movement[1]

    places = np.array([0, 5 + 1j, -3 - 8j])
    assert np.allclose(move(places, joined(one, other)), move(move(places, one), other))
    assert np.allclose(move(move(places, one), back(one)), places)
    straight = np.array([0.1, 0.7, 0.0]), np.array([1e9 / 3, -0.3, 0.0])
    assert np.array_equal(joined(*straight), straight[0] + straight[1]) and np.array_equal(back(straight[1]), -straight[1])
    assert reach(np.array([2.0, -3.0, -0.01]), np.array([300, 400])) == 3
    assert reach(np.array([2.0, -3.0, -0.02]), np.array([300, 400])) == pytest.approx(0.02 * 250)


def test_a_cut_begins_anew() -> None:
    films = [list(pan("coffee", 320, 180, (2, 0), 12)), list(pan("astronaut", 320, 180, (0, -1), 12))]
    found = offsets(films[0] + films[1])
    assert np.array_equal(found[12:], offsets(films[1])) and found[11, 0] > 20
    assert found[12].tolist() == [0, 0, 0]


def test_a_flash_and_changing_light_are_no_cut() -> None:
    film = list(pan("coffee", 320, 180, (1, 0), 40))
    for index in (12, 13, 30):
        film[index] = np.full_like(film[index], 255)
    assert errors(offsets(film), (1, 0)).max() < 3.5
    dimmed = [(frame * (0.8 + 0.2 * np.sin(index / 5))).astype(np.uint8) for index, frame in enumerate(film) if index < 12]
    assert errors(offsets(dimmed), (1, 0)).max() < 1


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((48, 64, 3), np.uint8),
        np.full((8, 8, 3), 99, np.uint8),
        np.full((1080, 1920, 3), 255, np.uint8),
        np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8),
        np.random.default_rng(0).integers(0, 256, (16, 300, 3), np.uint8),
        np.random.default_rng(0).integers(0, 9, (97, 131, 3), np.uint8),
    ],
    ids=["black", "tiny", "white", "tiny noise", "low", "odd"],
)
def test_where_nothing_is_to_be_seen_nothing_moves(frame: np.ndarray) -> None:
    rng = np.random.default_rng(1)
    assert not offsets([*repeat(frame, 3), rng.permuted(frame, axis=1), frame]).any()


def test_another_size_begins_anew() -> None:
    large, small = (list(pan("coffee", *size, (3, 0), 8)) for size in ((320, 180), (160, 96)))
    motion = CameraMotion()
    assert [motion(frame) for frame in large][-1] != HOME
    assert [motion(frame) for frame in small] == [tuple(offset) for offset in offsets(small)]


@pytest.mark.parametrize("degrees", [0.0, -0.7])
@pytest.mark.parametrize(("at", "seen"), [(1, 1), (5, 3), (13, 8)])
def test_one_that_settles_where_the_field_was_goes_on_like_one_that_saw_all(at: int, seen: int, degrees: float) -> None:
    film = list(turning("coffee", 24, 1, degrees, (4.3, -0.4)) if degrees else pan("coffee", 320, 180, (5.3, -0.4), 24))
    expected = offsets(film)
    before, after = CameraMotion(), CameraMotion()
    newest = [before(frame) for frame in film[:at]][-1]
    for frame in film[at - seen : at]:
        after(frame)
    after.settle(newest)
    found = np.array([after(frame) for frame in film[at:]])
    assert np.abs(found - expected[at:]).max() < 0.3, "no more than from one reference to the next"
    dark = np.zeros_like(film[0])
    assert tuple(found[-1]) == after(dark) == after(dark), "where nothing is to be seen it stays"
    after.forget()
    after.settle(newest)
    assert after(film[-1]) == HOME, "nothing was seen that could be anywhere"


STANDING = ["webcam_night.mkv", "webcam_book.mkv", "static_bottles.mp4", "face_male.gif", "testpattern_sar2by3_audio.mp4"]


@pytest.mark.parametrize("name", STANDING)
def test_real_cameras_that_stand_stay(clips: Path, name: str) -> None:
    assert not offsets(read_back(clips / name)[1][:110].astype(np.uint8)).any()


@pytest.mark.parametrize("name", ["desk_handheld_audio.mp4", "fox_portrait_360x640.mp4"])
def test_real_cameras_in_a_hand_are_followed(clips: Path, name: str) -> None:
    found = offsets(read_back(clips / name)[1][:36].astype(np.uint8))
    assert np.abs(found).max() > 4 and (np.abs(np.diff(found, axis=0)).max(1) > 0).mean() > 0.2


@pytest.fixture
def film() -> list[np.ndarray]:
    """A camera that moves."""
    return list(pan("astronaut", 96, 64, (2, 1), 8))


@pytest.mark.parametrize("look", [Look(), Look(0.5, 1.0), Look(stability=8.0)])
def test_texture_goes_with_the_camera_in_every_look(
    stylizer: Stylizer, book: StyleBook, film: list[np.ndarray], look: Look
) -> None:
    style, stream, stabilized = book["wave"], Stream(stylizer), None
    where = [as_offset(offset) for offset in offsets(film)]
    assert len(set(where)) == len(film)
    for frame, offset in zip(film, where):
        paint, stabilized = stylizer.begin(frame, style, look, stabilized, offset)
        painted = paint()
        assert np.array_equal(stream.paint(frame, style, look._replace(follow_camera=True)), painted)
    stands = stream.paint(film[-1], style, look)
    assert np.array_equal(stands, stylizer.begin(film[-1], style, look, stabilized)[0]()), "and not, where it should not"
    assert np.array_equal(stream.paint(film[0], style, FOLLOWING), stylizer.paint(film[0], style)), "it begins anew"


def test_a_body_without_a_field_has_nothing_measured(tmp_path: Path, stylizer: Stylizer, film: list[np.ndarray]) -> None:
    first = Style("first", random_vector(0, NARROW_FIRST), narrow_body(tmp_path, "first", architecture=NARROW_FIRST))
    stream = Stream(stylizer)
    for frame in film[:3]:
        assert np.array_equal(stream.paint(frame, first, FOLLOWING), stylizer.paint(frame, first))
        assert stream.offset == HOME


def sliding(stylizer: Stylizer, style: Style, film: list[np.ndarray], look: Look) -> float:
    """How much plain places of paintings differ from those of 8 frames and 8 pixels before, in grey levels."""
    stream = Stream(stylizer)
    painted = [stream.paint(frame, style, look)[48:-48].astype(int) for frame in film]
    differences = []
    for frame, now, before in zip(film[8:], painted[8:], painted):
        plain = np.hypot(*np.gradient(frame[48:-48, 56:-48].mean(-1))) < 3
        differences.append(np.abs(now[:, 56:-48] - before[:, 48:-56])[plain].mean())
    return float(np.mean(differences))


def test_strokes_in_plain_places_slide_less_over_a_scene_that_moves_slowly(stylizer: Stylizer, book: StyleBook) -> None:
    film = list(pan("coffee", 320, 240, (1, 0), 20, noise=0.0))
    follows, stands = (sliding(stylizer, book["wave"], film, look) for look in (FOLLOWING, Look()))
    print(f"{follows:.2f} levels, {stands:.2f} where the field stands")
    assert follows < 0.6 * stands


def test_strokes_in_plain_places_turn_with_the_scene() -> None:
    """Paintings of a scene that turns, turned back, are more alike where the field turns along; with a trained network."""
    film, degrees = list(turning("coffee", 12, 1, 1.5)), 1.5
    inner = slice(60, 180), slice(80, 240)
    stylizer, differences = realtime_nst.Stylizer("mosaic"), []
    for follow in (True, False):
        session = stylizer.session(stability=0, follow_camera=follow)
        painted = [Image.fromarray(session(frame)) for frame in film]
        flat = np.hypot(*np.gradient(film[0].mean(-1)))[inner] < 3
        backs = [np.asarray(image.rotate(-degrees * index, Image.Resampling.BICUBIC), int) for index, image in enumerate(painted)]
        differences.append(np.mean([np.abs(back[inner] - backs[0][inner])[flat].mean() for back in backs[6:]]))
    print(f"{differences[0]:.2f} levels, {differences[1]:.2f} where the field stands")
    assert differences[0] < 0.65 * differences[1]


def test_shows_and_sessions_follow_the_camera_until_they_should_not(
    stylizer: Stylizer, book: StyleBook, weights: Path, film: list[np.ndarray]
) -> None:
    style, where = book["wave"], [as_offset(offset) for offset in offsets(film)]
    expected = [stylizer.begin(frame, style, Look(), None, offset)[0]() for frame, offset in zip(film, where)]
    standing = [stylizer.paint(frame, style) for frame in film]
    controls = Controls([style], settings=Settings(stability=0))
    painter = LivePainter(stylizer, controls, [style.body], 96, 64)
    frames = [frame.with_image(image) for frame, image in zip(FakeSource(len(film), width=96, height=64), film)]
    assert all(np.array_equal(painter(frame).image, painted) for frame, painted in zip(frames, expected))
    controls.press("v")
    assert controls.notice == "texture stands still" and controls.chosen == {"follow_camera": False}
    assert np.array_equal(painter(frames[-1]).image, standing[-1])
    called = realtime_nst.Stylizer("wave", weights=weights, precision="float32")
    sessions = {follow: called.session(stability=0, follow_camera=follow) for follow in (True, False)}
    for frame, follows, stands in zip(film, expected, standing):
        assert np.array_equal(sessions[True](frame), follows) and np.array_equal(sessions[False](frame), stands)
        assert np.array_equal(called(frame), stands), "a picture by itself"


def test_films_follow_the_camera_and_photos_of_one_size_do_not(
    run: Callable[..., int], weights: Path, book: StyleBook, stylizer: Stylizer, make_clip: Callable[..., Path], tmp_path: Path
) -> None:
    zoomed = "scale=400:-1,crop=96:64:8+2*n:40+n"
    photo = SAMPLES / "astronaut.jpg"
    clip = make_clip(
        "pan.mkv", "-loop", "1", "-r", "10", "-i", str(photo), "-t", "1", "-vf", zoomed, "-c:v", "ffv1", "-pix_fmt", "bgr0"
    )
    frames = list(read_back(clip)[1].astype(np.uint8))
    where = [as_offset(offset) for offset in offsets(frames)]
    assert np.allclose(where[-1], (-18, -9, 0), atol=0.5)
    flags = ("--codec", "ffv1", "--stability", 0, "--precision", "float32", "--weights", weights)
    assert run("video", clip, "-o", tmp_path / "follows.mkv", *flags) == 0
    assert run("video", clip, "-o", tmp_path / "stands.mkv", "--no-follow-camera", *flags) == 0
    realtime_nst.paint_video(
        clip, tmp_path / "call.mkv", follow_camera=False, stability=0, codec="ffv1", precision="float32", weights=weights
    )
    homes: list[Offset] = [HOME] * len(frames)
    for name, offset in (("follows", where), ("stands", homes), ("call", homes)):
        painted = read_back(tmp_path / f"{name}.mkv")[1].astype(int)
        expected = [stylizer.begin(frame, book["wave"], Look(), None, at)[0]() for frame, at in zip(frames, offset)]
        assert len(painted) == 10 and np.abs(painted - np.array(expected)).max() <= 1
    for index in (0, 9):
        Image.fromarray(frames[index]).save(tmp_path / f"{index}.png")
    (tmp_path / "painted").mkdir()
    exact = ("--precision", "float32", "--style", "wave")
    assert run("image", tmp_path / "0.png", tmp_path / "9.png", "-o", f"{tmp_path / 'painted'}/", *exact) == 0
    with Image.open(tmp_path / "painted" / "9.png") as picture:
        assert np.array_equal(np.asarray(picture), stylizer.paint(frames[9], book["wave"]))
