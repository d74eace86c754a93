"""A long show: a camera at 30 frames per second that comes and goes, with random keys; nothing grows.

The slow one lasts `REALTIME_NST_SHOW_MINUTES` (3 unless it is set, because memory settles within two), in the shipped styles;
it prints its figures.
"""

import os
import resource
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from realtime_nst.engines.backend import Backend, activate
from realtime_nst.frames import Frame
from realtime_nst.inputs.cameras import CameraSource
from realtime_nst.live.controls import Controls
from realtime_nst.live.keys import KEYS
from realtime_nst.live.overlay import draw_overlay
from realtime_nst.live.pace import Pace
from realtime_nst.live.painter import LivePainter
from realtime_nst.live.recorder import Recorder
from realtime_nst.live.remote import LiveRemote
from realtime_nst.live.snapshots import Snapshots
from realtime_nst.outputs.sinks import TeeSink
from realtime_nst.painting.serving import load_stylizer
from realtime_nst.painting.stylizer import Stylizer
from realtime_nst.pipeline.loop import run
from realtime_nst.pipeline.stats import Stats
from realtime_nst.style.book import StyleBook, find_styles
from tests.test_cameras import HEIGHT, WIDTH, FakeDevice

pytest.importorskip("cv2", exc_type=ImportError, reason="OpenCV does not load here")

OPENVINO = Backend("openvino", "float32", gpu=False)
FPS = 30
MINUTES = float(os.environ.get("REALTIME_NST_SHOW_MINUTES", "3"))
WIDE = 320, 240
PLUGGED_SECONDS = 8
OPEN_FILES = Path("/proc/self/fd")


class MovingDevice(FakeDevice):
    """A hand over a scene with noise, at 30 frames per second, for so many seconds; then it is gone."""

    def __init__(self, seconds: float, width: int, height: int) -> None:
        super().__init__(pause=1 / FPS)
        self.end = time.monotonic() + seconds
        self.index = 0
        self.next = time.monotonic()
        rng = np.random.default_rng(0)
        scene = rng.integers(60, 200, (height // 8, width // 8, 3)).repeat(8, 0).repeat(8, 1)
        self.pictures = np.clip(scene + rng.normal(0, 4, (16, height, width, 3)), 0, 255).astype(np.uint8)
        for index, picture in enumerate(self.pictures):
            picture[height // 4 : height // 2, index * width // 16 :][:, : width // 4] = (120, 160, 220)

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.index += 1
        there = time.monotonic() < self.end
        self.next = max(self.next + self.pause, time.monotonic() - self.pause)
        time.sleep(max(0.0, self.next - time.monotonic()) if there else 0.001)
        return there, self.pictures[self.index % len(self.pictures)].copy()


class Audience:
    """Looks at every frame, as the window does, and presses random keys."""

    def __init__(self, controls: Controls, stats: Stats, seconds: float) -> None:
        self.controls, self.stats = controls, stats
        self.keys = np.random.default_rng(0)
        self.names = [name for key in KEYS for name in key.names if key.action not in ("quit", "pause")]
        self.began = time.monotonic()
        self.seconds = seconds
        self.next_key = 0.0
        self.presses = 0
        self.ages: list[tuple[float, float]] = []
        self.waits: list[tuple[float, float]] = []
        self.painting: dict[int, float] = {}
        self.painted: list[tuple[float, float]] = []
        self.drawing: list[tuple[float, float]] = []
        self.memory: list[tuple[float, float]] = []
        self.sizes: set[tuple[int, ...]] = set()

    def write(self, frame: Frame) -> None:
        now = time.monotonic()
        self.sizes.add(draw_overlay(frame.image, self.controls, self.stats, "engine", "size").shape)
        self.drawing.append((now - self.began, time.monotonic() - now))
        self.ages.append((now - self.began, now - frame.captured_at))
        self.painted.append((now - self.began, self.painting.pop(frame.index)))
        self.waits.append((now - self.began, now - frame.captured_at - self.painted[-1][1]))
        self.memory.append((now - self.began, resident()))

    def poll_key(self, timeout: float) -> str | None:
        if timeout:
            time.sleep(timeout)
        now = time.monotonic() - self.began
        if now >= self.seconds:
            return "q"
        if now < self.next_key:
            return None
        self.next_key = now + float(self.keys.uniform(0.05, 0.4))
        self.presses += 1
        if self.controls.paused or self.keys.random() < 0.05:
            return "space"
        return str(self.keys.choice(self.names))

    def close(self) -> None:
        pass

    def discard(self) -> None:
        pass


def resident() -> int:
    """Bytes of this process in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def shown(values: list[tuple[float, float]], begin: float, end: float, percentile: float = 50.0) -> float:
    """A percentile of what was measured between two moments."""
    return float(np.percentile([value for at, value in values if begin <= at <= end], percentile))


@pytest.fixture
def painter_parts(book: StyleBook) -> Iterator[Stylizer]:
    activate(OPENVINO)
    yield load_stylizer(OPENVINO)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not tell how much memory is used")
def test_nothing_grows_while_keys_are_pressed_and_the_camera_comes_and_goes(
    painter_parts: Stylizer, book: StyleBook, tmp_path: Path
) -> None:
    play(painter_parts, book, tmp_path, seconds=20, size=(WIDTH, HEIGHT), growth_mb=60)


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not tell how much memory is used")
def test_nothing_grows_in_a_long_show_of_the_shipped_styles(painter_parts: Stylizer, tmp_path: Path) -> None:
    shipped = find_styles([Path(__file__).parents[1] / "weights"])
    play(painter_parts, shipped, tmp_path, seconds=60 * MINUTES, size=WIDE, growth_mb=30)


def play(parts: Stylizer, book: StyleBook, folder: Path, *, seconds: float, size: tuple[int, int], growth_mb: float) -> None:
    """A show, and what must be true of it at its end."""
    plugged: list[int | str] = []

    def plug(place: int | str) -> MovingDevice:
        plugged.append(place)
        return MovingDevice(PLUGGED_SECONDS, *size)

    threads, files = threading.active_count(), len(list(OPEN_FILES.iterdir()))
    source = CameraSource(0, *size, capture=plug)
    controls, stats = Controls(list(book.values())), Stats()
    painter = LivePainter(parts, controls, book.bodies, source.width, source.height, pace=Pace(FPS))
    snapshots = Snapshots(folder, controls)
    recorder = Recorder(folder, controls, source.width, source.height, Fraction(FPS))
    audience = Audience(controls, stats, seconds)
    tee = TeeSink([snapshots, audience, recorder])

    def paint(frame: Frame) -> Frame:
        began = time.monotonic()
        painted = painter(frame)
        audience.painting[frame.index] = time.monotonic() - began
        return painted

    run(source, partial(map, paint), tee, LiveRemote(controls, audience, [snapshots, recorder]), stats)
    tee.close()
    painter.close()
    ages, memory = audience.ages, audience.memory
    window = min(60.0, seconds / 3)
    early, half, late = (0.0, window), ((seconds - window) / 2, (seconds + window) / 2), (seconds - window, seconds)
    growth = (shown(memory, *late) - shown(memory, *half)) / 2**20
    left = len(list(OPEN_FILES.iterdir())) - files
    print(f"\n{stats.summary()}; {audience.presses} keys, {len(plugged)} times plugged in, {len(list(folder.iterdir()))} files")
    for name, times in (("frame age", ages), ("of it not painting", audience.waits)):
        for percentile in (50, 95):
            before, after = (1000 * shown(times, *span, percentile) for span in (early, late))
            print(f"{name}, {percentile} %: {before:.1f} ms in the first {window:.0f} s, {after:.1f} ms in the last")
    spans = [(window * index, window * (index + 1)) for index in range(round(seconds / window))]
    print(f"memory, MB, every {window:.0f} s: {', '.join(f'{shown(memory, *span) / 2**20:.0f}' for span in spans)}; ", end="")
    print(f"{left} more files are open than before")
    assert threading.active_count() <= threads, [thread.name for thread in threading.enumerate()]
    assert left <= 2, sorted(str(file.readlink()) for file in OPEN_FILES.iterdir() if file.is_symlink())
    assert len(plugged) > 1, "the camera was away, and back"
    assert audience.sizes == {(size[1], size[0], 3)}
    assert stats.frames > seconds, "a loaded machine paints fewer, and pauses paint none"
    # How long painting takes is up to the keys and to other programs; what frames wait besides is up to this one.
    drawing, painting = shown(audience.drawing, 0.0, seconds), shown(audience.painted, 0.0, seconds)
    limit = drawing + max(1.5 / FPS, 2 * painting)  # of a loaded machine, where everything takes longer
    assert shown(audience.waits, 0.0, seconds) < limit, "a frame is hardly older than it took to paint"
    assert shown(audience.waits, *late) < max(2 * shown(audience.waits, *early), 1.5 / FPS), "frame age is flat"
    assert growth < growth_mb
