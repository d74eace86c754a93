"""Fakes and made-up styles and clips that the tests share."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from realtime_nst.cli.main import main
from realtime_nst.engines.backend import Backend
from realtime_nst.engines.encoder import PictureEncoder
from realtime_nst.engines.engine import build_engine
from realtime_nst.engines.interface import StabilizedPhoto
from realtime_nst.engines.recolour import RecolourEngine
from realtime_nst.engines.runner import runner_for
from realtime_nst.engines.stabilizer import StabilizerEngine
from realtime_nst.frames import Frame
from realtime_nst.media.decoding import FrameReader
from realtime_nst.media.ffmpeg import executable
from realtime_nst.media.photos import read_reduced
from realtime_nst.media.probing import probe
from realtime_nst.painting.stylizer import Stylizer
from realtime_nst.style.architecture import FIRST, Architecture
from realtime_nst.style.book import StyleBook, find_styles
from realtime_nst.style.encoder import encoder_shapes, write_encoder
from realtime_nst.style.field import HOME, Offset
from realtime_nst.style.from_picture import PictureStyles
from realtime_nst.style.style import Body, read_body, write_body, write_style

BACKEND = os.environ.get("KERAS_BACKEND", "openvino")
collect_ignore = ["train"] if BACKEND == "openvino" else []
HOMES = count()
NARROW = Architecture(patches=9, quarter=6, eighth=8, blocks=1, inner=5, fine_blocks=1, fine_inner=7, half=4)
NARROW_FIRST = replace(NARROW, **FIRST)
"""As bodies were before they took a texture field in."""
PATIENCE = 120.0
"""Seconds for what should take less than one: other programs may have the processor."""
COMMAND_SECONDS = 900.0
"""Seconds that a command may take in a test."""
JOBS_IN_TIME = """
import os, sys
from realtime_nst.cli.main import main
from realtime_nst.jobs import errand
errand.NICE = os.nice(0) + 1 if hasattr(os, "nice") else errand.NICE
sys.exit(main(sys.argv[1:]))
"""
"""The program with jobs that give way to its show a bit, and not to all other programs, which may have the processor."""


LONGEST = """
video_resume window studio uploads web_page cluster video_time video_tracks video_outputs notebook long_show video_picture
video_many video_subtitles export encoded checkpoint trainer evaluate refine distil
"""
"""Test files that take longest, in about this order."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files: run beside each other, all shall end at about the same time."""
    ranks = {f"test_{name}": rank for rank, name in enumerate(LONGEST.split())}
    items.sort(key=lambda item: ranks.get(item.path.stem, len(ranks)))


def ffmpeg_children() -> list[int]:
    """Processes that this one has started and that still exist; empty where the system does not tell."""
    children: list[int] = []
    for task in Path("/proc/self/task").glob("*/children"):
        try:
            children += [int(number) for number in task.read_text().split()]
        except OSError:
            continue
    return children


def wait_until(condition: Callable[[], bool], timeout: float = PATIENCE, *, pause: float = 0.005) -> bool:
    """Wait for a condition, which is looked at every `pause` seconds; False if it does not come true in time."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def frames_of(path: Path) -> list[np.ndarray]:
    """Every frame of a video file, as the application reads it."""
    reader = FrameReader(str(path), probe(str(path)))
    frames = []
    while (frame := reader.read()) is not None:
        frames.append(frame)
    reader.close()
    return frames


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """No thread of ours and no ffmpeg outlives a test."""
    before = {thread.ident for thread in threading.enumerate()}
    children = set(ffmpeg_children())
    yield

    def ours() -> list[str]:
        names = (
            "http",
            "jpeg_0",
            "capture",
            "stylize",
            "photos",
            "stage",
            "times",
            "camera",
            "compile",
            "output",
            "recording",
            "snapshot",
            "jobs-photo",
            "jobs-video",
            "pictures",
            "refine",
        )
        return [thread.name for thread in threading.enumerate() if thread.ident not in before and thread.name in names]

    assert wait_until(lambda: not ours()), f"threads left behind: {ours()}"
    assert wait_until(lambda: set(ffmpeg_children()) <= children), "a child process was left behind"


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder for all tests: compiling costs a program more than what most tests have it do."""
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, compiled: Path) -> Path:
    """A user's folder of its own, so that no test sees or changes the real one; but compiled networks are kept."""
    home = tmp_path_factory.getbasetemp() / "homes" / str(next(HOMES))  # `mktemp` looks through all that it made before
    home.mkdir(parents=True)
    for kind in ("DATA", "CONFIG"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(home / kind))
    (compiled / "devices.json").unlink(missing_ok=True)
    monkeypatch.setenv("REALTIME_NST_CACHE", str(compiled))
    return home


@pytest.fixture
def first_start(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is compiled yet: for tests of compiling itself, and of what it needs."""
    monkeypatch.setenv("REALTIME_NST_CACHE", str(own_home / "cache"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True
    )
    if not mounted or mounted.returncode:
        pytest.skip("a small disk cannot be mounted here: that needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def clips() -> Path:
    """Real clips, where `REALTIME_NST_CLIPS` names their folder."""
    folder = os.environ.get("REALTIME_NST_CLIPS")
    if not folder:
        pytest.skip("REALTIME_NST_CLIPS is not set: no folder of real clips")
    return Path(folder)


@pytest.fixture
def stylizer() -> Stylizer:
    """Paints exactly, on OpenVINO."""
    runner = runner_for(Backend("openvino", "float32", gpu=False))
    return Stylizer(*(partial(build, runner=runner) for build in (build_engine, RecolourEngine, StabilizerEngine)))


def narrow_body(folder: Path, name: str = "narrow", seed: int = 0, architecture: Architecture = NARROW) -> Body:
    """A body of random weights that takes milliseconds."""
    rng = np.random.default_rng(seed)
    arrays = {key: rng.normal(0, 0.2, shape).astype(np.float32) for key, shape in architecture.kernel_shapes.items()}
    return write_body(folder, name, architecture, arrays, {})


def random_encoder(vector_size: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Random numbers of an encoder, about as large as trained ones, all of which half precision can hold."""
    rng = np.random.default_rng(seed)
    drawn = {name: rng.normal(0, (2 / np.prod(shape[:-1])) ** 0.5, shape) for name, shape in encoder_shapes(vector_size).items()}
    drawn["encoder_kept/deviation"] = 1 + np.abs(drawn["encoder_kept/deviation"])
    return {name: array.astype(np.float16).astype(np.float32) for name, array in drawn.items()}


def random_vector(seed: int, architecture: Architecture = NARROW) -> np.ndarray:
    """A style vector for a narrow body."""
    return np.random.default_rng(seed).normal(0.5, 0.5, architecture.vector_size).astype(np.float32)


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three random styles on a narrow body."""
    folder = tmp_path_factory.mktemp("weights")
    body = narrow_body(folder)
    for seed, name in enumerate(("wave", "scream", "mosaic")):
        write_style(folder, name, random_vector(seed), body, {"title": name.title(), "artist": "Nobody", "year": "2000"})
    return folder


@pytest.fixture
def pictured(tmp_path: Path, weights: Path) -> Path:
    """The same styles beside a style encoder of their body: there any picture is a style."""
    folder = tmp_path / "pictured"
    shutil.copytree(weights, folder)
    body = read_body(folder / "narrow.body.h5")
    write_encoder(folder, body, random_encoder(body.architecture.vector_size), {})
    return folder


def pictured_book(folder: Path) -> StyleBook:
    """The styles of a folder, and of any picture, exactly, on OpenVINO."""
    encode = PictureEncoder(lambda: runner_for(Backend("openvino", "float32", gpu=False)))
    return find_styles([folder], PictureStyles(read_reduced, encode))


@pytest.fixture(scope="session")
def book(weights: Path) -> StyleBook:
    """The styles of `weights`."""
    return find_styles([weights])


@pytest.fixture(scope="session")
def make_clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Make a clip with ffmpeg's own sources: `make_clip("name.mp4", "-f", "lavfi", "-i", ...)`; made once."""
    folder = tmp_path_factory.mktemp("clips")

    def make(name: str, *arguments: str) -> Path:
        path = folder / hashlib.sha256(repr(arguments).encode()).hexdigest()[:8] / name  # two tests may use one name
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            command = [executable(), "-v", "error", "-nostdin", "-y", *arguments, str(path)]
            subprocess.run(command, check=True, capture_output=True)
        return path

    return make


@pytest.fixture(scope="session")
def talkie(make_clip: Callable[..., Path]) -> Path:
    """Two seconds of a test pattern, 96x64, 25 frames/s, with a tone."""
    return make_clip(
        "talkie.mp4",
        *("-f", "lavfi", "-i", "testsrc=size=96x64:rate=25:duration=2"),
        *("-f", "lavfi", "-i", "sine=frequency=440:duration=2"),
        *("-pix_fmt", "yuv420p", "-shortest"),
    )


@pytest.fixture
def run(weights: Path) -> Callable[..., int]:
    """Run a command with the narrow styles on OpenVINO."""

    def run_command(*arguments: object) -> int:
        with interrupted_after(COMMAND_SECONDS):
            return main([*map(str, arguments), "--weights", str(weights)])

    return run_command


@contextmanager
def interrupted_after(seconds: float) -> Iterator[None]:
    """What takes longer is ended as by Ctrl-C, and fails: a show that nobody ends would hold up all tests."""
    overdue = threading.Event()

    def interrupt() -> None:
        overdue.set()
        if sys.platform == "win32":
            signal.raise_signal(signal.SIGINT)
        else:
            signal.pthread_kill(main_thread, signal.SIGINT)  # wakes it where it waits

    main_thread = threading.get_ident()
    timer = threading.Timer(seconds, interrupt)
    timer.start()
    try:
        yield
    except KeyboardInterrupt:
        if not overdue.is_set():
            raise
    finally:
        timer.cancel()
        timer.join()
    assert not overdue.is_set(), f"The command did not end by itself within {seconds:g} s."


class LetGo:
    """A `Stabilizer` that holds nothing still: every photo is painted as it comes."""

    def __call__(self, photo: np.ndarray, stability: float, before: StabilizedPhoto | None) -> StabilizedPhoto:
        return StabilizedPhoto(np.zeros(1, np.float32), photo[None], 0)


def painting_by(paint: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Stylizer:
    """A stylizer with a function in place of the network, from picture and vector to a picture."""

    def engine(image: np.ndarray, vector: np.ndarray, offset: Offset = HOME) -> np.ndarray:
        return paint(image, vector)

    return Stylizer(lambda body, width, height: engine, stabilizer=lambda width, height: LetGo())  # type: ignore[arg-type, return-value]


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands paint nothing: what goes in comes out."""
    unchanged = painting_by(lambda image, vector: image)
    monkeypatch.setattr("realtime_nst.painting.serving.load_stylizer", lambda backend: unchanged)


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    """What went to the user, which must be one line and no traceback."""
    said = capsys.readouterr().err.strip()
    assert "Traceback" not in said and len(said.splitlines()) == 1 and said.startswith("realtime-nst: "), said
    return said.removeprefix("realtime-nst: ")


class FakeSource:
    """Numbered frames: each is filled with its number.

    Args:
        count: How many; `None` goes on until closed.
        live: As a camera.
        pause: Seconds between frames.
        width: Width in pixels.
        height: Height in pixels.
    """

    def __init__(
        self, count: int | None = 10, *, live: bool = False, pause: float = 0.0, width: int = 16, height: int = 12
    ) -> None:
        self.width, self.height, self.fps, self.live = width, height, 30.0, live
        self.closed = threading.Event()
        self._count = count
        self._pause = pause

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        while index != self._count and not self.closed.is_set():
            if self._pause:
                self.closed.wait(self._pause)
            image = np.full((self.height, self.width, 3), index % 256, np.uint8)
            yield Frame(image, index, time.monotonic())
            index += 1

    def close(self) -> None:
        self.closed.set()


class Plain(FakeSource):
    """A camera of one grey level, which may hang until it is closed."""

    def __init__(self, level: int, width: int = 16, height: int = 12, *, hangs: bool = False) -> None:
        super().__init__(None, live=True, pause=0.001, width=width, height=height)
        self.level, self.hangs = level, hangs
        self.tell: Callable[[str], None] = lambda text: None

    def __iter__(self) -> Iterator[Frame]:
        for frame in super().__iter__():
            yield frame.with_image(np.full_like(frame.image, self.level))
            if self.hangs:
                self.closed.wait()


class RecordingSink:
    """Remembers frames, and plays back keys: a sink and a keyboard, as a window is.

    Args:
        keys: Number of frames written to the key that is pressed then.
    """

    def __init__(self, keys: dict[int, str] | None = None) -> None:
        self.frames: list[Frame] = []
        self.polls = 0
        self.closed = False
        self.discarded = False
        self._keys = dict(keys or {})

    def write(self, frame: Frame) -> None:
        self.frames.append(frame)

    def poll_key(self, timeout: float) -> str | None:
        self.polls += 1
        if timeout:
            time.sleep(min(timeout, 0.005))
        return self._keys.pop(len(self.frames), None)

    def close(self) -> None:
        self.closed = True

    def discard(self) -> None:
        self.discarded = True
