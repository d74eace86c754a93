"""Cameras: fake devices that stall, fail, go dark, change, disappear and come back; names from a fake system."""

import math
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

from realtime_nst.cli import checks
from realtime_nst.cli.main import main
from realtime_nst.errors import SourceError
from realtime_nst.frames import Frame
from realtime_nst.inputs import cameras, devices, trying
from realtime_nst.inputs.cameras import CameraSource, all_cameras, choose_camera, why_no_picture
from realtime_nst.inputs.devices import (
    Device,
    list_devices,
    list_formats,
    list_linux_devices,
    users_of,
)
from realtime_nst.inputs.trying import try_camera
from realtime_nst.pipeline.stage import Stage
from tests.conftest import PATIENCE, wait_until

cv2 = pytest.importorskip("cv2", exc_type=ImportError, reason="OpenCV does not load here")

WIDTH, HEIGHT = 64, 48


def blue(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """A blue picture, BGR."""
    image = np.zeros((height, width, 3), np.uint8)
    image[:] = (255, 0, 0)
    return image


class FakeDevice:
    """Stands in for `cv2.VideoCapture`.

    Args:
        images: What it delivers, in turn; `None` is a failed read, an error is raised; at the end it fails for ever.
            `None` instead of a list delivers blue pictures without end.
        opens: Whether it opens.
        rate: What the driver says its rate is.
        pause: Seconds per picture.
        stall: Set while reads hang.
    """

    def __init__(
        self,
        images: list[Any] | None = None,
        *,
        opens: bool = True,
        rate: float = 30.0,
        pause: float = 0.0,
        stall: threading.Event | None = None,
    ) -> None:
        self.opens, self.rate, self.images, self.pause, self.stall = opens, rate, images, pause, stall
        self.asked: list[tuple[int, float]] = []
        self.released = False
        self.reads = 0

    def isOpened(self) -> bool:  # noqa: N802
        return self.opens

    def set(self, what: int, value: float) -> bool:
        self.asked.append((what, value))
        return True

    def get(self, what: int) -> float:
        return self.rate if what == cv2.CAP_PROP_FPS else WIDTH if what == cv2.CAP_PROP_FRAME_WIDTH else HEIGHT

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.reads += 1
        while self.stall is not None and self.stall.is_set():
            time.sleep(0.005)
        time.sleep(self.pause)
        if self.images is None:
            return True, blue()
        image = self.images.pop(0) if self.images else None
        if isinstance(image, Exception):
            raise image
        return image is not None, image

    def release(self) -> None:
        self.released = True


class Port:
    """A place where cameras are plugged in: each opening takes the next device.

    Args:
        plugged: The devices.
        endless: Whether good devices follow; otherwise nothing opens any more.
    """

    def __init__(self, *plugged: FakeDevice, endless: bool = False) -> None:
        self.plugged = list(plugged)
        self.endless = endless
        self.opened: list[int | str] = []

    def __call__(self, place: int | str) -> FakeDevice:
        self.opened.append(place)
        return self.plugged.pop(0) if self.plugged else FakeDevice(opens=self.endless, pause=0.001)


@pytest.fixture(autouse=True)
def system(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Device]]:
    """The cameras that the system knows: one, unless a test says otherwise."""
    known = [Device(0, "Fine Camera")]
    for module in (devices, cameras):
        monkeypatch.setattr(module, "list_devices", lambda: known)
    yield known


def open_camera(*plugged: FakeDevice, silence: float = PATIENCE, fps: float | None = None) -> tuple[CameraSource, Port]:
    """A source on fake devices."""
    port = Port(*plugged)
    return CameraSource(0, capture=port, silence=silence, fps=fps), port


def take(source: CameraSource, count: int) -> list[Frame]:
    return [frame for _, frame in zip(range(count), source)]


def test_camera_gives_rgb_frames_in_the_size_that_it_has() -> None:
    source, _ = open_camera(FakeDevice(pause=0.001))
    assert (source.width, source.height, source.fps, source.live) == (WIDTH, HEIGHT, 30.0, True)
    (frame,) = take(source, 1)
    assert frame.image[0, 0].tolist() == [0, 0, 255] and frame.image.flags.c_contiguous
    assert frame.index == 0 and abs(time.monotonic() - frame.captured_at) < PATIENCE
    source.close()


def test_camera_is_asked_for_mjpg_before_the_size_and_released_at_the_end() -> None:
    device = FakeDevice(pause=0.001)
    source, _ = open_camera(device)
    take(source, 1)
    source.close()
    asked = [what for what, _ in device.asked]
    assert asked.index(cv2.CAP_PROP_FOURCC) < asked.index(cv2.CAP_PROP_FRAME_WIDTH)
    assert dict(device.asked)[cv2.CAP_PROP_FOURCC] == cv2.VideoWriter.fourcc(*"MJPG")
    assert wait_until(lambda: device.released, PATIENCE)


def test_camera_is_asked_for_a_rate_where_one_is_wanted() -> None:
    for fps, asked in ((60, [60]), (None, [])):
        device = FakeDevice(pause=0.001)
        source, _ = open_camera(device, fps=fps)
        source.close()
        assert [value for what, value in device.asked if what == cv2.CAP_PROP_FPS] == asked


@pytest.mark.parametrize("rate", [0.0, math.nan, -1.0, 1e9])
def test_useless_rates_become_thirty(rate: float) -> None:
    source, _ = open_camera(FakeDevice(rate=rate, pause=0.001))
    assert source.fps == 30.0
    source.close()


def test_a_few_missed_frames_are_passed_over() -> None:
    image = blue()
    source, port = open_camera(FakeDevice([image, None, None, image, None, image]))
    assert [frame.index for frame in take(source, 2)] == [0, 1]
    assert len(port.opened) == 1
    source.close()


def test_an_error_of_the_driver_in_the_middle_is_a_missed_frame() -> None:
    source, port = open_camera(FakeDevice([blue(), blue(), cv2.error("torn frame"), blue()]))
    assert [frame.index for frame in take(source, 2)] == [0, 1]
    assert len(port.opened) == 1
    source.close()


def test_a_camera_may_give_no_picture_at_first() -> None:
    source, port = open_camera(FakeDevice([None, cv2.error("not yet"), None, blue(), blue()]))
    assert len(take(source, 1)) == len(port.opened) == 1
    source.close()


def test_camera_that_is_unplugged_goes_on_when_it_is_back() -> None:
    source, port = open_camera(FakeDevice([blue()] * 3))
    said: list[str] = []
    source.tell = said.append
    frames: list[Frame] = []
    stage = Stage(source, keep="all", name="capture")
    assert wait_until(lambda: any("is gone: plug it in" in words for words in said), PATIENCE)
    while (frame := stage.get(timeout=0.0)) is not None:
        frames.append(frame)
    assert len(frames) == 2, "the third was the first look"
    tries = len(port.opened)
    port.plugged.append(FakeDevice(pause=0.001))
    frame = stage.get(timeout=PATIENCE)
    assert frame is not None and frame.index == 2
    assert len(port.opened) - tries <= 2 and cameras.RETRY_EVERY <= 0.5, "at once, or at the next try half a second later"
    assert "0 (Fine Camera)" in said[0]
    stage.close()
    source.close()
    assert stage.join(PATIENCE)


def test_camera_whose_driver_hangs_is_opened_anew() -> None:
    stall = threading.Event()
    port = Port(FakeDevice(pause=0.001, stall=stall), endless=True)
    source = CameraSource(0, capture=port, silence=2.0)
    frames = iter(source)
    try:
        assert next(frames).index == 0 and len(port.opened) >= 1
        stall.set()
        opened = len(port.opened)
        indices = [next(frames).index for _ in range(20)]
        assert indices == list(range(1, 21)) and len(port.opened) > opened
    finally:
        source.close()
        stall.clear()


def test_a_replugged_camera_is_found_under_its_new_number(system: list[Device]) -> None:
    source, port = open_camera(FakeDevice([blue()]), FakeDevice(pause=0.001))
    system[0] = Device(3, "Fine Camera")
    take(source, 1)
    assert port.opened == [0, 3]
    source.close()


def test_a_replugged_camera_is_not_taken_for_its_twin(system: list[Device]) -> None:
    own, twin = Device(2, "HD Webcam"), Device(0, "HD Webcam")
    for after, place in (([twin, own], 2), ([twin], 2), ([twin, Device(4, "HD Webcam")], 4)):
        system[:] = [twin, own]
        port = Port(FakeDevice([blue()]), FakeDevice(pause=0.001))
        source = CameraSource(2, capture=port)
        system[:] = after
        take(source, 1)
        assert port.opened == [2, place], after
        source.close()


def test_another_camera_is_not_shown_in_the_place_of_one_that_is_gone(system: list[Device]) -> None:
    source, port = open_camera(FakeDevice([blue()]), FakeDevice(pause=0.001))
    said: list[str] = []
    source.tell = said.append
    system[:] = [Device(0, "Laptop Camera")]
    stage = Stage(source, keep="all", name="capture")
    assert wait_until(lambda: len(said) > 1, PATIENCE), "it goes on waiting"
    assert port.opened == [0]
    system[:] = [Device(0, "Laptop Camera"), Device(1, "Fine Camera")]
    assert stage.get(timeout=PATIENCE) is not None and port.opened == [0, 1]
    stage.close()
    source.close()
    assert stage.join(PATIENCE)


def test_a_camera_that_only_misses_is_let_go_before_it_is_opened_again() -> None:
    hiccup, alone = FakeDevice([blue(), blue()], pause=0.05), []

    def capture(place: int | str) -> FakeDevice:
        if hiccup.reads:
            alone.append(hiccup.released)
            return FakeDevice(pause=0.001) if hiccup.released else FakeDevice(opens=False)
        return hiccup

    source = CameraSource(0, capture=capture, silence=0.1)
    assert [frame.index for frame in take(source, 4)] == list(range(4))
    assert alone[-1] and hiccup.reads < cameras.MISSES_ALLOWED, "given up after some silence, not after all its misses"
    source.close()


def test_a_camera_may_take_long_for_its_first_picture_after_it_was_opened_again() -> None:
    port = Port(FakeDevice([blue()]), FakeDevice(pause=0.5))
    source = CameraSource(0, capture=port, silence=0.2)
    assert [frame.index for frame in take(source, 1)] == [0] and len(port.opened) == 2
    source.close()


def test_frames_do_not_wait_and_grow_old_before_the_show_begins() -> None:
    device = FakeDevice(pause=0.001)
    source, _ = open_camera(device)
    assert not wait_until(lambda: device.reads > 1, 0.3), "nothing is read while the show is compiled"
    began = time.monotonic()
    (frame,) = take(source, 1)
    assert frame.captured_at >= began
    source.close()


def test_closing_ends_the_wait_for_a_camera_that_is_gone() -> None:
    source, _ = open_camera(FakeDevice([blue()]))
    stage = Stage(source, keep="all", name="capture")
    source.close()
    assert stage.join(PATIENCE)


def test_a_camera_that_changes_its_size_still_gives_the_first_one() -> None:
    wide, tall = np.full((48, 128, 3), 200, np.uint8), np.full((96, 64, 3), 200, np.uint8)
    source, _ = open_camera(FakeDevice([blue(), wide, tall, blue()]))
    frames = take(source, 3)
    assert {frame.image.shape for frame in frames} == {(HEIGHT, WIDTH, 3)}
    assert frames[0].image[24].min() == 200 and frames[0].image[0].max() == 0, "bars above and below"
    assert frames[1].image[:, 32].min() == 200 and frames[1].image[:, 0].max() == 0, "bars beside"
    source.close()


def test_a_black_picture_is_told_after_a_while(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(cameras, "BLACK_SECONDS", 0.05)
    black = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    source, _ = open_camera(FakeDevice([black] * 200, pause=0.002))
    said: list[str] = []
    source.tell = said.append
    take(source, 100)
    source.close()
    assert said and "is black: open its shutter, or allow it" in said[0]
    logged = [record.message for record in caplog.records]
    assert logged == ["Camera 0 (Fine Camera) is black: open its shutter, or allow it in the system's settings."], "once"


def test_a_dark_frame_now_and_then_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cameras, "BLACK_SECONDS", 0.05)
    black = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    source, _ = open_camera(FakeDevice([black, blue()] * 100, pause=0.002))
    said: list[str] = []
    source.tell = said.append
    take(source, 100)
    assert not said
    source.close()


def test_camera_without_a_picture_is_told_and_released(monkeypatch: pytest.MonkeyPatch) -> None:
    device = FakeDevice([])
    with pytest.raises(SourceError, match=r"Camera 0 \('Fine Camera'\) opened but gives no picture. Close other programs"):
        open_camera(device, silence=0.1)
    assert device.released and device.reads > 1
    monkeypatch.setattr(cameras.sys, "platform", "darwin")
    assert why_no_picture(0).endswith("Allow it in System Settings, Privacy, Camera.")


def test_camera_that_does_not_open_is_told(system: list[Device], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system[:] = [Device(2, "Other")]
    with pytest.raises(SourceError, match=r"Camera 0 did not open. Cameras found: 2 'Other'. Try `--camera 2`"):
        open_camera()
    system.clear()
    with pytest.raises(SourceError, match="no other camera was found. Plug one in, or try `--camera pattern`"):
        open_camera()
    node = tmp_path / "video0"
    node.write_bytes(b"")
    system.append(Device(0, "Fine Camera", node))
    with pytest.raises(
        SourceError, match=r"Camera 0 \('Fine Camera'\) did not open. Close other programs that use it, or replug"
    ):
        open_camera()
    monkeypatch.setattr(cameras.os, "access", lambda path, mode: False)
    with pytest.raises(SourceError, match=r"may not be used by this user: no right to .*video0. `sudo usermod -aG video"):
        open_camera()
    monkeypatch.setattr(cameras.os, "access", lambda path, mode: True)
    monkeypatch.setattr(cameras, "users_of", lambda path: ["zoom (12)"])
    with pytest.raises(SourceError, match=r"Camera 0 \('Fine Camera'\) is in use by zoom \(12\). Close that program"):
        open_camera()


def test_users_of_a_device_are_found(tmp_path: Path) -> None:
    import subprocess

    node = tmp_path / "video9"
    node.write_bytes(b"")
    with node.open() as opened:
        process = subprocess.Popen(["sleep", "60"], stdin=opened)
    try:
        assert wait_until(lambda: users_of(node) == [f"sleep ({process.pid})"], PATIENCE)
    finally:
        process.kill()
        process.wait()
    assert users_of(node) == []


def test_cameras_are_chosen_by_index_path_and_name(system: list[Device]) -> None:
    system[:] = [Device(0, "Fine Camera"), Device(2, "Fine Camera Two"), Device(4, "Capture Card")]
    for words, place in {"7": 7, "/dev/video3": "/dev/video3", "capture": 4, "fine camera": 0, "two": 2, "nobody": None}.items():
        assert choose_camera(words) == place, words
    with pytest.raises(SourceError, match="'fine' fits 2 cameras: 0 'Fine Camera', 2 'Fine Camera Two'. Write more"):
        choose_camera("fine")


def test_a_camera_is_tried_and_its_rate_measured() -> None:
    report = try_camera(Device(0, "Fine Camera"), 0.5, Port(FakeDevice(pause=0.02, rate=math.nan)))
    assert (report.width, report.height, report.problem) == (WIDTH, HEIGHT, "")
    assert 0 < report.fps < 50.5, "50 at most, whatever the driver says"
    assert report.still is not None and report.still[0, 0].tolist() == [0, 0, 255]
    assert "did not open" in try_camera(Device(1, "Other"), 0.1, Port()).problem


def test_a_camera_that_is_black_or_stops_is_tried_and_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    black = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    report = try_camera(Device(0, "Fine Camera"), 0.1, Port(FakeDevice([black] * 10_000, pause=0.001)))
    assert report.fps > 0 and report.still is not None
    assert report.problem == "Camera 0 (Fine Camera) is black: open its shutter, or allow it in the system's settings."
    monkeypatch.setattr(trying, "SILENCE", 0.1)
    stopped = try_camera(Device(0, "Fine Camera"), 0.1, Port(FakeDevice([blue()] * 2)))
    assert stopped.fps == 0 and stopped.still is not None, "the first look, and a frame"
    monkeypatch.setattr(checks, "list_formats", lambda device: [])
    monkeypatch.setattr(checks, "all_cameras", lambda: [Device(0, "Fine Camera")])
    for tried, line in ((report, "frames/s  Camera 0 (Fine Camera) is black: open its shutter"), (stopped, "a single frame")):
        monkeypatch.setattr(checks, "try_camera", lambda device, tried=tried: tried)
        assert main(["cameras"]) == 0
        said = capsys.readouterr().out
        assert said.startswith(f"0  Fine Camera  {WIDTH}x{HEIGHT}  ") and line in said


def test_linux_names_each_camera_once(tmp_path: Path) -> None:
    for number, name, index in ((0, "Fine Camera", 0), (1, "Fine Camera", 1), (10, "Card\n", 0)):
        folder = tmp_path / f"video{number}"
        folder.mkdir()
        (folder / "name").write_text(name)
        (folder / "index").write_text(f"{index}\n")
    assert list_linux_devices(tmp_path) == [
        Device(0, "Fine Camera", Path("/dev/video0")),
        Device(10, "Card", Path("/dev/video10")),
    ]
    assert list_linux_devices(tmp_path / "gone") == []


class ListedCamera(NamedTuple):
    """As cv2-enumerate-cameras lists it."""

    index: int
    name: str


@pytest.mark.parametrize(("platform", "api"), [("win32", cv2.CAP_DSHOW), ("darwin", cv2.CAP_AVFOUNDATION)])
def test_cameras_of_windows_and_macos_are_opened_by_the_api_that_numbers_them(
    platform: str, api: int, system: list[Device], monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = {api: [ListedCamera(1, "OBS Virtual Camera"), ListedCamera(0, "Fine Camera")]}
    monkeypatch.setitem(sys.modules, "cv2_enumerate_cameras", SimpleNamespace(enumerate_cameras=listed.__getitem__))
    system[:] = list_devices(platform)
    assert system == [Device(0, "Fine Camera", api=api), Device(1, "OBS Virtual Camera", api=api)]
    opened: list[tuple[int | str, ...]] = []
    plugged = [FakeDevice([blue()] * 2, pause=0.001), FakeDevice(pause=0.001)]

    def capture(*place: int | str) -> FakeDevice:
        opened.append(place)
        return plugged.pop(0)

    source = CameraSource(0, capture=capture, silence=PATIENCE)
    system[:] = [Device(3, "Fine Camera", api=api)]  # unplugged soon, and plugged in again elsewhere
    assert len(take(source, 5)) == 5
    source.close()
    assert opened == [(0, api), (3, api)]


def test_where_nobody_lists_the_cameras_none_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(api: int) -> list[ListedCamera]:
        raise OSError("the class is not registered")

    monkeypatch.setitem(sys.modules, "cv2_enumerate_cameras", SimpleNamespace(enumerate_cameras=broken))
    assert list_devices("win32") == []
    monkeypatch.setitem(sys.modules, "cv2_enumerate_cameras", None)
    assert list_devices("darwin") == list_devices("plan9") == []


def test_formats_come_with_their_largest_size() -> None:
    said = (
        "[video4linux2,v4l2 @ 0x1] Compressed:       mjpeg :          Motion-JPEG : 640x480 1920x1080 1280x720\n"
        "[video4linux2,v4l2 @ 0x1] Raw       :     yuyv422 :           YUYV 4:2:2 : 640x480 320x240\n"
    )
    device = Device(0, "Fine Camera", Path("/dev/video0"))
    assert list_formats(device, lambda *arguments: said) == ["mjpeg 1920x1080", "yuyv422 640x480"]
    assert list_formats(Device(0, "without a path")) == []


def test_where_the_system_knows_no_names_indices_are_tried(system: list[Device]) -> None:
    system.clear()

    def capture(index: int | str) -> Any:
        return FakeDevice(opens=index in (0, 3))

    assert [device.place for device in all_cameras(capture, "win32")] == [0, 3]
