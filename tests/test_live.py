"""The live painter: looks, sizes compiled beside the show, before and after; with engines that tests can read."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realtime_nst.engines.backend import Backend
from realtime_nst.engines.interface import StabilizedPhoto
from realtime_nst.errors import BackendError
from realtime_nst.frames import Frame
from realtime_nst.live.controls import Controls
from realtime_nst.live.pace import Pace
from realtime_nst.live.painter import LivePainter, beside, wipe_share
from realtime_nst.live.settings import Settings
from realtime_nst.media.photos import read_photo
from realtime_nst.painting.serving import load_stylizer
from realtime_nst.painting.stylizer import SIZES_KEPT, Stylizer
from realtime_nst.style.book import StyleBook, find_styles
from realtime_nst.style.field import HOME, Offset
from realtime_nst.style.look import Look
from tests.conftest import wait_until

ROOT = Path(__file__).parents[1]
OPENVINO = Backend("openvino", "float32", gpu=False)
WIDTH, HEIGHT = 64, 48


class Invert:
    """An engine that gives the negative, remembers the vectors, and says how long it took.

    Args:
        full: Seconds for a frame of full size, by its own clock.
    """

    def __init__(self, full: float = 0.0) -> None:
        self.vectors: list[np.ndarray] = []
        self.full, self.now = full, 0.0

    def __call__(self, image: np.ndarray, vector: np.ndarray, offset: Offset = HOME) -> np.ndarray:
        self.vectors.append(vector)
        self.now += self.full * image.shape[0] * image.shape[1] / (WIDTH * HEIGHT)
        return 255 - image

    on_device = __call__


class Bench:
    """A painter and all that it was told to do."""

    def __init__(self, book: StyleBook, settings: Settings | None = None, pace: Pace | None = None) -> None:
        self.built: list[tuple[int, int]] = []
        self.looks: list[Look] = []
        self.stabilizations: list[tuple[float, bool]] = []
        self.engine = Invert()
        self.may_compile = threading.Event()
        self.may_compile.set()
        self.broken: Exception | None = None
        self.controls = Controls(list(book.values()), book["wave"], settings)
        self.stylizer = Stylizer(self.compile, lambda width, height: self.recolour, lambda width, height: self)
        self.painter = LivePainter(self.stylizer, self.controls, book.bodies, WIDTH, HEIGHT, pace, clock=lambda: self.engine.now)
        self.engine.vectors.clear()  # of the pictures that warm up
        self.looks.clear()
        self.stabilizations.clear()
        self.photo = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)

    def compile(self, body: object, width: int, height: int) -> Invert:
        self.may_compile.wait(60)
        if self.broken is not None:
            raise self.broken
        self.built.append((width, height))
        return self.engine

    def __call__(self, photo: np.ndarray, stability: float, before: StabilizedPhoto | None) -> StabilizedPhoto:
        self.stabilizations.append((stability, before is None))
        return StabilizedPhoto(np.zeros(1, np.float32), photo[None], 0)

    def recolour(self, photo: np.ndarray, painting: np.ndarray, look: Look) -> np.ndarray:
        self.looks.append(look)
        return painting

    def paint(self) -> np.ndarray:
        return self.painter(Frame(self.photo, 0, 0.0)).image


@pytest.fixture(scope="module")
def shipped_stylizer() -> Stylizer:
    """The network that ships."""
    return load_stylizer(OPENVINO)


@pytest.fixture
def make(book: StyleBook) -> Iterator[Callable[..., Bench]]:
    benches: list[Bench] = []

    def build(**options: object) -> Bench:
        benches.append(Bench(book, **options))  # type: ignore[arg-type]
        return benches[-1]

    yield build
    for bench in benches:
        bench.may_compile.set()
        bench.painter.close()


def test_plain_frames_go_through_the_network_only(make: Callable[..., Bench]) -> None:
    bench = make(settings=Settings(stability=0))
    assert np.array_equal(bench.paint(), 255 - bench.photo)
    assert not bench.looks and not bench.stabilizations and bench.built == [(WIDTH, HEIGHT)]


def test_strength_nothing_is_the_photo_and_costs_nothing(make: Callable[..., Bench]) -> None:
    bench = make(settings=Settings(strength=0.0, stability=8))
    assert bench.paint() is bench.photo and not bench.engine.vectors


def test_strength_is_blended_by_pixels(make: Callable[..., Bench]) -> None:
    bench = make(settings=Settings(strength=0.5, stability=0))
    bench.paint()
    assert bench.looks == [Look(strength=0.5, follow_camera=True)]


def test_what_is_held_is_forgotten_when_photos_come_otherwise_and_only_then(make: Callable[..., Bench]) -> None:
    bench = make(settings=Settings(stability=8, fade=0.0))
    keys: list[str | None] = [None, None, "2", None, "c", None, "m", None, "k", None]
    for key in keys:
        bench.controls.press(key)
        bench.paint()
    assert [fresh for _, fresh in bench.stabilizations] == [True, False, False, False, False, False, True, False, True, False]


def test_holding_starts_afresh_after_an_interruption(make: Callable[..., Bench]) -> None:
    bench = make(settings=Settings(stability=8, strength=0.25))
    bench.paint()
    bench.controls.press("-")
    bench.paint()
    bench.controls.press("+")
    bench.paint()
    assert [fresh for _, fresh in bench.stabilizations] == [True, True]


def test_another_size_is_compiled_beside_the_show_and_then_used(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.may_compile.clear()
    bench.controls.scale = 0.5
    assert np.array_equal(bench.paint(), 255 - bench.photo), "the show goes on at the size before"
    assert bench.painter.process_size() == (WIDTH, HEIGHT)
    bench.may_compile.set()
    assert wait_until(lambda: bench.paint().shape and bench.painter.process_size() == (32, 24))
    assert bench.built == [(64, 48), (32, 24)]
    assert bench.paint().shape == bench.photo.shape
    bench.controls.scale = 1.0
    bench.paint()
    assert bench.painter.process_size() == (64, 48) and len(bench.built) == 2, "it was kept"


def test_few_sizes_are_kept(make: Callable[..., Bench]) -> None:
    bench = make()
    for scale in (0.5, 0.75, 0.875, 0.625, 1.0):
        bench.controls.scale = scale
        wanted = bench.painter.process_size(scale)
        assert wait_until(lambda wanted=wanted: bench.paint() is not None and bench.painter.process_size() == wanted)
        assert len(bench.stylizer._sizes) <= SIZES_KEPT


@pytest.mark.parametrize("error", [BackendError("no room"), RuntimeError("no room")])
def test_a_size_that_does_not_compile_is_told_and_the_show_goes_on(make: Callable[..., Bench], error: Exception) -> None:
    bench = make()
    bench.broken = error
    bench.controls.scale = 0.5
    assert wait_until(lambda: bench.paint() is not None and "no room" in bench.controls.notice, 60)
    assert np.array_equal(bench.paint(), 255 - bench.photo)
    assert bench.controls.scale == 1.0, "the wish is gone, so that the keys go on from what is there"
    assert not bench.controls.chosen
    bench.controls.press(",")
    assert bench.controls.chosen == {"scale": 0.875}
    assert wait_until(lambda: bench.paint() is not None and bench.controls.scale == 1.0, 60)
    assert bench.controls.chosen == {"scale": 1.0}, "and nothing that does not work is remembered"


@pytest.mark.parametrize("scale", [1.0, 0.875, 0.6])
def test_a_frame_rate_holds_whatever_size_the_user_wants(make: Callable[..., Bench], scale: float) -> None:
    bench = make(settings=Settings(scale=scale), pace=Pace(30))
    bench.engine.full = 0.15

    def seconds() -> float:
        before = bench.engine.now
        bench.paint()
        return bench.engine.now - before

    assert seconds() > 1 / 30
    assert wait_until(lambda: seconds() < 1 / 30, 60)


def test_a_size_that_does_not_compile_does_not_stop_the_pace(make: Callable[..., Bench]) -> None:
    bench = make(pace=Pace(30))
    bench.engine.full = 0.1
    bench.broken = BackendError("no room")
    assert wait_until(lambda: bench.paint() is not None and "no room" in bench.controls.notice, 60)
    bench.broken = None
    assert wait_until(lambda: bench.paint() is not None and bench.painter.process_size()[0] < 0.6 * WIDTH, 60)


def test_nothing_is_used_for_the_first_time_by_the_painting_thread(make: Callable[..., Bench]) -> None:
    """TensorFlow and JAX compile at the first use."""
    first: dict[int, str] = {}

    class Noting(Invert):
        def __call__(self, image: np.ndarray, vector: np.ndarray, offset: Offset = HOME) -> np.ndarray:
            first.setdefault(id(self), threading.current_thread().name)
            return super().__call__(image, vector, offset)

        on_device = __call__

    class NotingRecolour:
        def __call__(self, photo: np.ndarray, painting: np.ndarray, look: Look) -> np.ndarray:
            first.setdefault(id(self), threading.current_thread().name)
            return painting

    bench = make()
    built: list[object] = []
    painted: list[int] = []

    def keep(part: object) -> object:
        built.append(part)
        return part

    bench.stylizer._compile = lambda body, width, height: keep(Noting())  # type: ignore[assignment, return-value]
    bench.stylizer._build_recolour = lambda width, height: keep(NotingRecolour())  # type: ignore[assignment, return-value]
    bench.controls.colours = True
    bench.controls.scale = 0.5
    assert wait_until(lambda: bench.paint() is not None and bench.painter.process_size() == (32, 24), 60)
    for key in "k-c":
        bench.controls.press(key)
        painted.append(len(bench.paint()))
    assert len(built) == 2 and set(first.values()) == {"compile"}


def test_mirror_flips_the_photo_before_it_is_painted(make: Callable[..., Bench]) -> None:
    bench = make(settings=Settings(mirror=True))
    assert np.array_equal(bench.paint(), 255 - bench.photo[:, ::-1])


def test_half_shows_the_photo_to_the_left_of_a_white_line(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.controls.press("w")
    picture = bench.paint()
    assert np.array_equal(picture[:, : WIDTH // 2 - 1], bench.photo[:, : WIDTH // 2 - 1])
    assert np.array_equal(picture[:, WIDTH // 2 + 1 :], 255 - bench.photo[:, WIDTH // 2 + 1 :])
    assert (picture[:, WIDTH // 2 - 1 : WIDTH // 2 + 1] == 255).all()


def test_moving_wipe_goes_there_and_back() -> None:
    shares = [wipe_share("moving", seconds) for seconds in (0.0, 1.5, 3.0, 4.5, 6.0)]
    assert shares == pytest.approx([0.0, 0.5, 1.0, 0.5, 0.0], abs=1e-9)
    before, after = np.zeros((4, 8, 3), np.uint8), np.full((4, 8, 3), 9, np.uint8)
    for share in shares:
        assert beside(before, after, share).shape == after.shape
    assert (after == 9).all(), "what was painted is not changed"


def test_a_style_switch_begins_in_the_next_frame(make: Callable[..., Bench], book: StyleBook) -> None:
    bench = make()
    bench.paint()
    bench.controls.press("1")
    bench.paint()
    before, after = bench.engine.vectors
    way = np.linalg.norm(book["mosaic"].vector - before)
    assert 0.05 * way < np.linalg.norm(after - before) < way


@pytest.mark.parametrize(("first", "second"), [("wave", "scream"), ("starry-night", "edtaonisl"), ("kiss", "engraving")])
def test_the_frame_after_the_key_shows_the_next_style(shipped_stylizer: Stylizer, first: str, second: str) -> None:
    book = find_styles([ROOT / "weights"])
    photo = np.asarray(Image.fromarray(read_photo(ROOT / "samples" / "astronaut.jpg")).resize((160, 120)))
    noise = np.random.default_rng(0).normal(0, 4, (2, *photo.shape))
    frames = [Frame(np.clip(photo + grain, 0, 255).astype(np.uint8), index, 0.0) for index, grain in enumerate(noise)]
    whole = [shipped_stylizer.paint(frames[1].image, book[name]).astype(float) for name in (first, second)]
    for fade in (1.0, 0.0):
        controls = Controls([book[first], book[second]], book[first], Settings(fade=fade, stability=0))
        painter = LivePainter(shipped_stylizer, controls, book.bodies, 160, 120)
        before = painter(frames[0]).image.astype(float)
        controls.press("n")
        after = painter(frames[1]).image.astype(float)
        if fade:
            flicker = np.abs(before - whole[0]).mean()
            change, way = np.abs(after - whole[0]).mean(), np.abs(whole[1] - whole[0]).mean()
            assert change > 0.2 * way and change > 4 * flicker, "much more than the camera's noise makes"
            assert change < 0.5 * way, "and no cut"
        else:
            assert np.array_equal(after, whole[1]), "the whole style"
