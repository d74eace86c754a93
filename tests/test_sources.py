"""Cameras (fake devices), files as cameras, the pattern."""

import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime_nst.errors import SourceError
from realtime_nst.sources import CameraSource, FileSource, PatternSource, check_file, list_cameras, open_source

cv2 = pytest.importorskip("cv2", exc_type=ImportError, reason="OpenCV does not load here")


class FakeDevice:
    """Stands in for `cv2.VideoCapture`.

    Args:
        opens: Whether it opens.
        rate: What the driver says its rate is.
        images: What it delivers, in turn; `None` is a failed read; at the end it fails for ever.
    """

    def __init__(self, opens: bool = True, rate: float = 30.0, images: list[np.ndarray | None] | None = None) -> None:
        blue = np.zeros((48, 64, 3), np.uint8)
        blue[:] = (255, 0, 0)  # BGR
        self.opens = opens
        self.rate = rate
        self.images = [blue] * 1000 if images is None else images
        self.asked: list[tuple[int, float]] = []
        self.released = False

    def isOpened(self) -> bool:  # noqa: N802
        return self.opens

    def set(self, what: int, value: float) -> bool:
        self.asked.append((what, value))
        return True

    def get(self, what: int) -> float:
        return self.rate if what == cv2.CAP_PROP_FPS else 64 if what == cv2.CAP_PROP_FRAME_WIDTH else 48

    def read(self) -> tuple[bool, np.ndarray | None]:
        image = self.images.pop(0) if self.images else None
        return image is not None, image

    def release(self) -> None:
        self.released = True


def camera(device: FakeDevice) -> CameraSource:
    """A source on a fake device."""
    return CameraSource(0, capture=lambda index: device)


def test_camera_gives_rgb_frames_in_the_size_that_it_has() -> None:
    source = camera(FakeDevice())
    assert (source.width, source.height, source.fps, source.live) == (64, 48, 30.0, True)
    frame = next(iter(source))
    assert frame.image[0, 0].tolist() == [0, 0, 255] and frame.image.flags.c_contiguous
    assert frame.index == 0 and abs(time.monotonic() - frame.captured_at) < 1
    source.close()


def test_camera_is_asked_for_mjpg_before_the_size() -> None:
    device = FakeDevice()
    camera(device).close()
    asked = [what for what, _ in device.asked]
    assert asked.index(cv2.CAP_PROP_FOURCC) < asked.index(cv2.CAP_PROP_FRAME_WIDTH)
    assert dict(device.asked)[cv2.CAP_PROP_FOURCC] == cv2.VideoWriter.fourcc(*"MJPG")
    assert device.released


@pytest.mark.parametrize("rate", [0.0, math.nan, -1.0, 1e9])
def test_useless_rates_become_thirty(rate: float) -> None:
    source = camera(FakeDevice(rate=rate))
    assert source.fps == 30.0
    source.close()


def test_a_few_missed_frames_are_passed_over() -> None:
    image = np.zeros((48, 64, 3), np.uint8)
    source = camera(FakeDevice(images=[image, None, None, image, None, image]))
    frames = iter(source)
    assert [next(frames).index for _ in range(2)] == [0, 1]
    source.close()


def test_camera_that_stops_is_told() -> None:
    image = np.zeros((48, 64, 3), np.uint8)
    source = camera(FakeDevice(images=[image, image]))
    with pytest.raises(SourceError, match="Camera 0 stopped giving pictures. Replug it"):
        list(source)
    source.close()


def test_camera_without_a_picture_is_told_and_released() -> None:
    device = FakeDevice(images=[])
    with pytest.raises(SourceError, match="Camera 0 opened but gives no picture"):
        camera(device)
    assert device.released


def test_camera_that_does_not_open_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime_nst.sources.list_cameras", lambda: [(2, 640, 480)])
    with pytest.raises(SourceError, match=r"Camera 0 did not open. Cameras found: 2. Try `--camera 2`"):
        camera(FakeDevice(opens=False))
    monkeypatch.setattr("realtime_nst.sources.list_cameras", lambda: [])
    with pytest.raises(SourceError, match="no other camera was found. Plug one in, or try `--camera pattern`"):
        camera(FakeDevice(opens=False))


def test_cameras_are_listed() -> None:
    def device(index: int) -> Any:
        return FakeDevice(opens=index in (0, 3))

    assert list_cameras(device) == [(0, 64, 48), (3, 64, 48)]


def test_file_gives_its_frames_once(talkie: Path) -> None:
    source = FileSource(str(talkie))
    frames = list(source)
    assert [frame.index for frame in frames] == list(range(50))
    assert not source.live
    source.close()


def test_file_as_a_camera_plays_in_real_time_and_starts_again(make_clip: Any) -> None:
    clip = make_clip("short.mp4", "-f", "lavfi", "-i", "testsrc=size=32x32:rate=20:duration=0.5", "-pix_fmt", "yuv420p")
    source = open_source(str(clip))
    assert source.live
    started = time.monotonic()
    times = [frame.captured_at - started for frame, _ in zip(source, range(30))]
    source.close()
    assert 0.7 < times[-1] < 4.0, "30 frames at 20 per second take 1.5 seconds"


def test_file_as_a_camera_can_be_scaled(talkie: Path) -> None:
    source = open_source(str(talkie), (48, 40))
    assert next(iter(source)).image.shape == (40, 48, 3)
    source.close()


def test_pattern_moves_at_its_rate() -> None:
    source = PatternSource(64, 48, fps=100)
    frames = [frame for frame, _ in zip(source, range(20))]
    source.close()
    assert not np.array_equal(frames[0].image, frames[5].image)
    assert frames[-1].captured_at - frames[0].captured_at >= 0.15


@pytest.mark.parametrize("size", [(8, 8), (9, 33), (640, 480), (1280, 720)])
def test_pattern_of_any_size(size: tuple[int, int]) -> None:
    source = PatternSource(*size, fps=None)
    for index in (0, 1, 500):
        assert source.image(index).shape == (size[1], size[0], 3)


def test_open_source_understands_all_kinds(talkie: Path) -> None:
    pattern = open_source("pattern", (320, 240))
    assert isinstance(pattern, PatternSource) and (pattern.width, pattern.height) == (320, 240)
    with pytest.raises(SourceError, match="Camera 99 did not open"):
        open_source("99")
    with pytest.raises(SourceError, match="Camera /dev/video99 did not open"):
        open_source("/dev/video99")
    with pytest.raises(SourceError, match="No file at 'nowhere.mp4'"):
        open_source("nowhere.mp4")
    with pytest.raises(SourceError, match="holds no video that can be read"):
        open_source("http://127.0.0.1:9/stream")


def test_missing_files_are_told_with_what_lies_beside(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"No file at '.*a\.mp4'\. The folder is empty\."):
        check_file(tmp_path / "a.mp4")
    (tmp_path / "b.mp4").write_bytes(b"")
    with pytest.raises(SourceError, match=r"The folder holds: b\.mp4\."):
        check_file(tmp_path / "a.mp4")
    with pytest.raises(SourceError, match=r"b\.mp4' is empty \(0 bytes\)"):
        check_file(tmp_path / "b.mp4")
    with pytest.raises(SourceError, match=r"There is no folder '.*gone'"):
        check_file(tmp_path / "gone" / "a.mp4")
    with pytest.raises(SourceError, match="is a folder"):
        check_file(tmp_path)
