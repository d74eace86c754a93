"""The network on OpenVINO, compiled and driven as the application does."""

import resource
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from realtime_nst.engines.backend import Backend
from realtime_nst.engines.engine import WholeEngine, build_engine
from realtime_nst.engines.interface import Recolour
from realtime_nst.engines.runner import runner_for
from realtime_nst.painting.stylizer import SIZES_KEPT, Stylizer
from realtime_nst.style.book import StyleBook, find_styles
from realtime_nst.style.field import HOME, Offset
from realtime_nst.style.look import Look
from realtime_nst.style.style import write_style
from tests.conftest import NARROW, narrow_body, random_vector
from tests.reference import stylize_with_numpy

OPENVINO = runner_for(Backend("openvino", "float32", gpu=False))


@pytest.fixture(scope="module")
def stylizer() -> Iterator[Stylizer]:
    """A stylizer in float32, so that results can be compared."""
    yield Stylizer(partial(build_engine, runner=OPENVINO))


@pytest.fixture
def photo() -> np.ndarray:
    """A noisy gradient, 40x32."""
    rng = np.random.default_rng(3)
    ramp = np.linspace(0, 220, 40)[None, :, None] + np.zeros((32, 1, 3))
    return np.clip(ramp + rng.normal(0, 20, ramp.shape), 0, 255).astype(np.uint8)


def test_network_equals_the_formulas_written_in_numpy(stylizer: Stylizer, book: StyleBook, photo: np.ndarray) -> None:
    for style in book.values():
        painted = stylizer.paint(photo, style)
        expected = stylize_with_numpy(photo, style.vector, style.body.weights(), NARROW)
        assert painted.dtype == np.uint8 and painted.std() > 5
        assert np.abs(painted.astype(int) - expected.astype(int)).max() <= 1


@pytest.mark.parametrize(("width", "height"), [(1, 1), (5, 3), (33, 47), (640, 478), (41, 32)])
def test_any_size_comes_back_in_that_size(stylizer: Stylizer, book: StyleBook, width: int, height: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    assert stylizer.paint(image, book["wave"]).shape == (height, width, 3)


def test_live_show_of_large_frames_readies_nothing_that_they_do_not_use(book: StyleBook) -> None:
    built: list[tuple[int, int]] = []

    def note(width: int, height: int) -> Recolour:
        built.append((width, height))
        return lambda photo, painting, look: painting[0]

    stylizer = Stylizer(lambda body, width, height: Copy(), note, lambda *size: pytest.fail(f"a stabilizer of {size}"))
    stylizer.prepare(book.bodies, 4096, 3072, live=True)
    assert not built
    stylizer.prepare(book.bodies, 320, 240)
    photo = np.zeros((3072, 4096, 3), np.uint8)
    assert stylizer.paint(photo, book["wave"], Look(strength=0.5)).shape == photo.shape
    assert all(width * height < 3_000_000 for width, height in built), "strips of it"


class Copy:
    """An engine that paints the photo itself."""

    def __call__(self, image: np.ndarray, vector: np.ndarray, offset: Offset = HOME) -> np.ndarray:
        return image

    def on_device(self, image: np.ndarray, vector: np.ndarray, offset: Offset = HOME) -> np.ndarray:
        return image[None]


def test_styles_differ_and_a_switch_compiles_nothing(book: StyleBook, photo: np.ndarray) -> None:
    compiled: list[tuple[str, int, int]] = []

    def compile_and_note(body: object, width: int, height: int) -> object:
        compiled.append((body.name, width, height))  # type: ignore[attr-defined]
        return build_engine(body, width, height, OPENVINO)  # type: ignore[arg-type]

    stylizer = Stylizer(compile_and_note)  # type: ignore[arg-type]
    stylizer.prepare(book.bodies, 40, 32)
    pictures = [stylizer.paint(photo, style) for style in [*book.values(), book.mix("wave:0.5,scream:0.5")]]
    assert compiled == [("narrow", 40, 32)]
    for first in range(4):
        for second in range(first):
            assert not np.array_equal(pictures[first], pictures[second])


def test_picture_that_may_not_be_written_is_painted_as_well(stylizer: Stylizer, book: StyleBook, photo: np.ndarray) -> None:
    expected = stylizer.paint(photo, book["wave"])
    photo.flags.writeable = False
    assert np.array_equal(stylizer.paint(photo, book["wave"]), expected)


def test_results_are_new_pictures_and_inputs_stay(stylizer: Stylizer, book: StyleBook, photo: np.ndarray) -> None:
    before = photo.copy()
    first = stylizer.paint(photo, book["wave"])
    kept = first.copy()
    stylizer.paint(255 - photo, book["wave"])
    assert np.array_equal(first, kept) and np.array_equal(photo, before)


def test_only_the_last_sizes_stay_compiled(book: StyleBook) -> None:
    class Dummy:
        def __call__(self, image: np.ndarray, vector: np.ndarray, offset: Offset = HOME) -> np.ndarray:
            return image

    built: list[tuple[int, int]] = []

    def compile_and_note(body: object, width: int, height: int) -> Dummy:
        built.append((width, height))
        return Dummy()

    stylizer = Stylizer(compile_and_note)
    for side in (16, 24, 32, 32, 24, 16):
        stylizer.paint(np.zeros((side, side, 3), np.uint8), book["wave"])
    assert len(stylizer._sizes) == SIZES_KEPT
    assert built == [(16, 16), (24, 24), (32, 32), (16, 16)]


def test_styles_of_two_bodies_are_switched(tmp_path: Path, stylizer: Stylizer, photo: np.ndarray) -> None:
    for seed in (1, 2):
        body = narrow_body(tmp_path, f"body{seed}", seed)
        write_style(tmp_path, f"style{seed}", random_vector(7), body, {})
    book = find_styles([tmp_path])
    assert len(book.bodies) == 2
    pictures = [stylizer.paint(photo, style) for style in book.values()]
    assert not np.array_equal(*pictures), "one vector on two bodies"


@pytest.mark.usefixtures("first_start")
def test_openvino_sees_each_normalization_as_one_operation(book: StyleBook) -> None:
    compiled = WholeEngine(book["wave"].body, 64, 48, OPENVINO)._program._requests.queue[0].get_compiled_model()  # type: ignore[attr-defined]
    kinds = [node.get_rt_info()["layerType"].astype(str) for node in compiled.get_runtime_model().get_ops()]
    assert kinds.count("MVN") == len(NARROW.norm_channels)
    assert "ReduceMean" not in kinds


def test_memory_stays_flat_and_does_not_grow_with_styles(stylizer: Stylizer, book: StyleBook, photo: np.ndarray) -> None:
    styles = list(book.values())
    for index in range(100):
        stylizer.paint(photo, styles[index % 3])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for index in range(2000):
        stylizer.paint(photo, styles[index % 3])
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 8 * 1024, f"{grown} KiB more after 2,000 frames"


@pytest.mark.usefixtures("first_start")
def test_ctrl_c_after_the_engine_is_gone_is_only_ctrl_c(weights: Path) -> None:
    code = (
        "import gc, os, signal, threading; from realtime_nst.cli.main import main\n"
        "flags = '--camera pattern --size 64x48 --no-window --frames 3 --weights'.split()\n"
        f"main(['webcam', *flags, {str(weights)!r}]); gc.collect()\n"
        "try: os.kill(os.getpid(), signal.SIGINT); threading.Event().wait(60)\n"  # any thread may take it
        "except KeyboardInterrupt: print('interrupted')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "interrupted\n")


@pytest.mark.usefixtures("first_start")
def test_tensorflow_is_not_imported_when_openvino_serves(weights: Path) -> None:
    code = (
        "import sys; from realtime_nst.cli.main import main\n"
        "flags = '--camera pattern --size 64x48 --no-window --frames 3 --weights'.split()\n"
        f"code = main(['webcam', *flags, {str(weights)!r}])\n"
        "print(code, 'tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["0", "False"], done.stderr
