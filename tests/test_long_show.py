"""A long show: a camera at 30 frames per second that comes and goes, with random keys; nothing grows."""

import resource
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from realtime_nst.app import run
from realtime_nst.backend import Backend, activate
from realtime_nst.controls import Controls
from realtime_nst.keys import KEYS
from realtime_nst.live.cameras import CameraSource
from realtime_nst.live.livepainter import LivePainter
from realtime_nst.live.overlay import draw_overlay
from realtime_nst.live.pace import Pace
from realtime_nst.live.recorder import Recorder
from realtime_nst.live.snapshots import Snapshots
from realtime_nst.sinks import TeeSink
from realtime_nst.stats import Stats
from realtime_nst.stylebook import StyleBook
from realtime_nst.stylizer import Stylizer
from realtime_nst.video import Frame
from tests.test_cameras import HEIGHT, WIDTH, FakeDevice

pytest.importorskip("cv2", exc_type=ImportError, reason="OpenCV does not load here")

OPENVINO = Backend("openvino", "float32", gpu=False)
FPS = 30


class MovingDevice(FakeDevice):
    """Noise at 30 frames per second, for so many frames; then it is gone."""

    def __init__(self, frames: int, seed: int) -> None:
        super().__init__(pause=1 / FPS)
        self.left = frames
        self.noise = np.random.default_rng(seed)

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.left -= 1
        time.sleep(self.pause if self.left > 0 else 0.001)
        return self.left > 0, self.noise.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


class Audience:
    """Looks at every frame, as the window does, and presses random keys."""

    def __init__(self, controls: Controls, stats: Stats, seconds: float) -> None:
        self.controls, self.stats = controls, stats
        self.keys = np.random.default_rng(0)
        self.names = [name for key in KEYS for name in key.names if key.action not in ("quit", "toggle_pause")]
        self.began = time.monotonic()
        self.seconds = seconds
        self.next_key = 0.0
        self.ages: list[tuple[float, float]] = []
        self.memory: list[tuple[float, int]] = []
        self.sizes: set[tuple[int, ...]] = set()

    def write(self, frame: Frame) -> None:
        self.sizes.add(draw_overlay(frame.image, self.controls, self.stats, "engine", "size").shape)
        now = time.monotonic()
        self.ages.append((now - self.began, now - frame.captured_at))
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


@pytest.fixture
def painter_parts(book: StyleBook) -> Iterator[Stylizer]:
    activate(OPENVINO)
    from realtime_nst.engine import build_engine
    from realtime_nst.retouch import build_retouch_engine

    yield Stylizer(partial(build_engine, backend=OPENVINO), partial(build_retouch_engine, backend=OPENVINO))


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not tell how much memory is used")
@pytest.mark.parametrize("seconds", [20, pytest.param(600, marks=pytest.mark.slow)])
def test_nothing_grows_while_keys_are_pressed_and_the_camera_comes_and_goes(
    painter_parts: Stylizer, book: StyleBook, tmp_path: Path, seconds: int
) -> None:
    plugged = iter(range(1_000_000))
    source = CameraSource(0, capture=lambda place: MovingDevice(FPS * 8, next(plugged)))
    threads = threading.active_count()
    controls, stats = Controls(list(book.values())), Stats()
    painter = LivePainter(painter_parts, controls, book.bodies, source.width, source.height, pace=Pace(FPS))
    snapshots = Snapshots(tmp_path, controls)
    recorder = Recorder(tmp_path, controls, source.width, source.height, Fraction(FPS))
    audience = Audience(controls, stats, seconds)
    tee = TeeSink([audience, recorder])
    run(source, painter, tee, controls, stats, save=snapshots.save)
    tee.close()
    painter.close()
    snapshots.finish()
    assert threading.active_count() <= threads, [thread.name for thread in threading.enumerate()]
    assert next(plugged) > seconds / 8 - 1, "the camera was away, and back"
    assert audience.sizes == {(HEIGHT, WIDTH, 3)}
    assert stats.frames > seconds * FPS / 4, "a loaded machine paints fewer, and pauses paint none"
    ends = seconds / 3

    def typical(values: list[tuple[float, float]], first: bool) -> float:
        return float(np.median([value for at, value in values if (at < ends if first else at > seconds - ends)]))

    assert typical(audience.ages, False) < 2 * typical(audience.ages, True) + 0.02, "frame age is flat"
    memory = [(at, float(used)) for at, used in audience.memory]
    allowed = 60 if seconds < 60 else 30  # the first seconds compile the sizes that are kept
    assert typical(memory, False) - typical(memory, True) < allowed * 2**20
