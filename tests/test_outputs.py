"""Outputs beside the window: threads of their own, recordings that start and stop, streams, the virtual camera, pictures."""

import re
import socket
import subprocess
import sys
import threading
import time
import types
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realtime_nst.errors import NSTError, SinkError
from realtime_nst.frames import Frame
from realtime_nst.live.controls import Controls
from realtime_nst.live.painter import remarks_of
from realtime_nst.live.recorder import Recorder, plain_name
from realtime_nst.live.settings import Settings
from realtime_nst.live.snapshots import Snapshots
from realtime_nst.media.addresses import mask
from realtime_nst.media.ffmpeg import executable
from realtime_nst.media.photos import read_photo, write_photo
from realtime_nst.outputs.background import WAITING, BackgroundSink
from realtime_nst.outputs.recording import LiveFileSink
from realtime_nst.outputs.registry import kind_of
from realtime_nst.outputs.streaming import StreamSink, check_stream
from realtime_nst.outputs.virtual_camera import VirtualCameraSink
from realtime_nst.style.book import StyleBook
from tests.conftest import RecordingSink, frames_of, wait_until
from tests.readback import read_back

RATE = Fraction(20)


def frame(index: int, at: float = 0.0, shade: int = 100) -> Frame:
    return Frame(np.full((32, 48, 3), shade, np.uint8), index, at)


@pytest.fixture
def controls(book: StyleBook) -> Controls:
    return Controls(list(book.values()), book["wave"])


def checked(output: BackgroundSink | Recorder) -> bool:
    """Look at an output, as the show does between frames."""
    output.check()
    return True


class SlowSink(RecordingSink):
    """Takes a frame only when it may, and fails when it should."""

    def __init__(self) -> None:
        super().__init__()
        self.may = threading.Event()
        self.error: NSTError | None = None

    def write(self, given: Frame) -> None:
        self.may.wait(60)
        if self.error is not None:
            raise self.error
        super().write(given)

    def discard(self) -> None:
        super().discard()
        self.may.set()


def test_frames_arrive_in_order_and_all_before_the_end() -> None:
    sink = RecordingSink()
    output = BackgroundSink(sink)
    for index in range(5):
        output.write(frame(index))
    output.close()
    output.close()
    assert [given.index for given in sink.frames] == list(range(5)) and sink.closed and output.missed == 0


def test_a_slow_output_does_not_hold_up_the_show_and_misses_frames() -> None:
    sink = SlowSink()
    output = BackgroundSink(sink)
    for index in range(50):
        output.write(frame(index))
    assert output.missed >= 50 - WAITING - 1
    sink.may.set()
    output.close()
    assert WAITING <= len(sink.frames) <= WAITING + 1 and sink.closed


def test_an_output_that_fails_is_told_once_and_the_others_go_on() -> None:
    told: list[NSTError] = []
    sink = SlowSink()
    sink.error = SinkError("disk full")
    output = BackgroundSink(sink, told.append)
    output.write(frame(0))
    sink.may.set()
    assert wait_until(lambda: checked(output) and bool(told))
    output.write(frame(1))
    output.close()
    assert [str(error) for error in told] == ["disk full"]
    assert sink.discarded and not sink.closed and not output.watched


def test_without_anyone_to_tell_the_error_is_raised() -> None:
    sink = SlowSink()
    sink.error = SinkError("disk full")
    output = BackgroundSink(sink)
    output.write(frame(0))
    sink.may.set()
    with pytest.raises(SinkError, match="disk full"):
        output.close()


def test_an_output_that_hangs_is_given_up_and_told() -> None:
    told: list[NSTError] = []
    sink = SlowSink()
    output = BackgroundSink(sink, told.append, patience=0.2, name="'a.mp4'")
    output.write(frame(0))
    output.close()
    assert sink.discarded and not sink.closed
    assert [str(error) for error in told] == ["'a.mp4' took nothing for 0 seconds and was given up."]


def test_frames_that_an_output_missed_are_told_at_once_and_counted_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    said: list[str] = []
    sink = SlowSink()
    output = BackgroundSink(sink, name="'a.mp4'", missing=said.append)
    for index in range(WAITING + 6):
        output.write(frame(index))
    assert said == ["'a.mp4' is too slow: it misses frames"]
    sink.may.set()
    output.close()
    assert f"'a.mp4' was too slow: it missed {output.missed} of {WAITING + 6} frames." in caplog.text
    assert len(sink.frames) == WAITING + 6 - output.missed


@pytest.mark.parametrize("where", ["write", "close"])
def test_what_the_system_refuses_is_an_error_of_the_output(where: str) -> None:
    class Refused(RecordingSink):
        def write(self, given: Frame) -> None:
            if where == "write":
                raise OSError("Input/output error")

        def close(self) -> None:
            raise OSError("Input/output error")

    told: list[NSTError] = []
    sink = Refused()
    output = BackgroundSink(sink, told.append, name="'a.mp4'")
    output.write(frame(0))
    output.close()
    assert [str(error) for error in told] == ["'a.mp4' failed: Input/output error. Free the disk."] and sink.discarded


def test_without_new_frames_an_output_gets_the_last_one_again_with_the_time_of_that_moment() -> None:
    sink = RecordingSink()
    output = BackgroundSink(sink, repeat=0.01)
    before = time.monotonic()
    output.write(frame(7, shade=33))
    assert wait_until(lambda: len(sink.frames) >= 3, 60)
    output.write(frame(8, shade=44))
    assert wait_until(lambda: sink.frames[-1].index == 8, 60)
    output.close()
    again = [given for given in sink.frames if given.index == 7][1:]
    assert all(given.image[0, 0, 0] == 33 and given.captured_at >= before for given in again)
    times = [given.captured_at for given in again]
    assert times == sorted(set(times))


def test_discarding_leaves_what_waits() -> None:
    sink = SlowSink()
    output = BackgroundSink(sink)
    for index in range(4):
        output.write(frame(index))
    output.discard()
    assert sink.discarded and len(sink.frames) <= 1


def times_of(path: Path) -> list[float]:
    """Seconds at which the frames of a file are shown."""
    return [float(moment) for moment in read_back(path)[0]]


def test_recordings_start_and_stop_and_play_at_the_speed_of_life(tmp_path: Path, controls: Controls) -> None:
    done: list[Path] = []
    recorder = Recorder(tmp_path, controls, 48, 32, RATE, done.append)
    recorder.write(frame(0))
    assert not list(tmp_path.iterdir()), "nothing before a recording begins"
    expected = []
    for start, length in ((100.0, 2.0), (200.0, 1.0)):
        controls.press("r")
        times = np.cumsum(np.random.default_rng(0).uniform(0.02, 0.2, 200))  # a rate that does what it likes
        expected.append([0.0, *times[times < length], length])
        for at in expected[-1]:
            recorder.write(frame(0, start + at))
            assert wait_until(lambda: not recorder._output._waiting, 60)  # type: ignore[union-attr]
        controls.press("r")
        recorder.check()
    assert wait_until(lambda: checked(recorder) and len(done) == 2, 60)
    recorder.close()
    for path, moments in zip(sorted(done, key=lambda path: -len(times_of(path))), expected):
        assert times_of(path) == pytest.approx(moments, abs=0.0005)
    assert all(re.fullmatch(r"wave-\d{8}-\d{6}(-2)?\.mp4", path.name) for path in done)


def test_a_show_that_stays_paused_tells_that_nothing_was_recorded(
    tmp_path: Path, controls: Controls, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder(tmp_path, controls, 48, 32, RATE)
    controls.press("space")
    controls.press("r")
    assert controls.notice == "recording begins when you go on"
    recorder.check()
    recorder.close()
    assert "Nothing was recorded" in caplog.text and not list(tmp_path.iterdir())


def test_the_end_of_the_show_finishes_a_recording(tmp_path: Path, controls: Controls) -> None:
    recorder = Recorder(tmp_path, controls, 48, 32, RATE)
    controls.press("r")
    recorder.write(frame(0, 1.0))
    recorder.write(frame(1, 1.5))
    recorder.close()
    (path,) = tmp_path.iterdir()
    assert times_of(path) == pytest.approx([0.0, 0.5])


def test_a_recording_that_cannot_be_written_is_told_and_the_show_goes_on(
    tmp_path: Path, controls: Controls, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder(tmp_path / "gone", controls, 48, 32, RATE)
    controls.press("r")
    recorder.write(frame(0))
    assert controls.notice == "not recorded" and not controls.recording
    assert "No folder" in caplog.text
    recorder.close()


def test_a_recording_that_fails_while_it_is_finished_leaves_the_next_one_alone(
    tmp_path: Path, controls: Controls, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_finish = threading.Event()
    closed: list[LiveFileSink] = []
    close = LiveFileSink.close

    def fail_at_first(self: LiveFileSink) -> None:
        closed.append(self)
        if self is closed[0]:
            may_finish.wait(60)
            raise OSError("Input/output error")
        close(self)

    monkeypatch.setattr(LiveFileSink, "close", fail_at_first)
    told: list[NSTError] = []
    done: list[Path] = []
    recorder = Recorder(tmp_path, controls, 48, 32, RATE, done.append, told.append)
    for index in range(2):
        controls.press("r")
        recorder.write(frame(index, 1.0))
        if not index:
            controls.press("r")
            recorder.check()
    may_finish.set()
    assert wait_until(lambda: checked(recorder) and bool(told) and not recorder._finishing, 60)
    assert controls.recording and "Input/output error" in str(told[0])
    recorder.write(frame(2, 1.5))
    recorder.close()
    assert len(done) == 1 and times_of(done[0]) == pytest.approx([0.0, 0.5])


def test_a_mix_has_a_name_that_is_a_file_name() -> None:
    assert plain_name("wave:0.6,scream:0.4") == "wave-0.6-scream-0.4"
    assert plain_name("Tableau No. 2 / Composition:0.5,wave:0.5") == "Tableau-No.-2-Composition-0.5-wave-0.5"
    assert len(plain_name("ö" * 300).encode()) == 100


def test_a_folder_that_can_no_longer_be_read_is_told_and_the_show_goes_on(
    tmp_path: Path, controls: Controls, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, **how: object) -> bool:
        raise PermissionError(13, "Permission denied")

    told: list[str] = []
    failed: list[NSTError] = []
    snapshots = Snapshots(tmp_path, controls, told.append)
    recorder = Recorder(tmp_path, controls, 48, 32, RATE, failed=failed.append)
    monkeypatch.setattr(Path, "exists", refuse)
    snapshots.save(frame(0))
    assert "was not saved: Permission denied" in told[0] and controls.notice == "not saved"
    controls.press("r")
    recorder.write(frame(0))
    assert "is not recorded: Permission denied" in str(failed[0]) and not controls.recording


def test_snapshot_has_the_style_in_its_name_and_all_that_was_set_when_it_was_painted_inside(
    tmp_path: Path, book: StyleBook
) -> None:
    settings = Settings(strength=0.5, colours=True, texture=0.25, stability=16, scale=0.75)
    controls = Controls(list(book.values()), book.mix("wave:0.6,scream:0.4"), settings)
    said: list[str] = []
    snapshots = Snapshots(tmp_path, controls, said.append)
    painted = replace(frame(7), remarks=remarks_of(controls))
    for key in ("space", "n", "+", "c", "t", "j", "."):  # as while it is paused
        controls.press(key)
    snapshots.save(painted)
    snapshots.close()
    (path,) = tmp_path.iterdir()
    assert re.fullmatch(r"wave-0\.6-scream-0\.4-\d{8}-\d{6}-7\.png", path.name) and said == [f"Saved '{path}'."]
    with Image.open(path) as file:
        inside = dict(file.info)
    expected = {"Style": "wave:0.6,scream:0.4", "Strength": "0.5", "Own colours": "yes", "Stability": "16", "Scale": "0.75"}
    expected["Texture"] = "0.25"
    assert {name: inside.get(name) for name in expected} == expected
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}", inside["Creation Time"])


def test_pictures_of_one_frame_have_names_of_their_own(
    tmp_path: Path, controls: Controls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a paused show is saved three times within a second; the first is still being written then."""
    may_write = threading.Event()
    monkeypatch.setattr("realtime_nst.live.snapshots.time.strftime", lambda form: "20260101-120000")
    monkeypatch.setattr(
        "realtime_nst.live.snapshots.write_photo", lambda path, *what: may_write.wait(60) and write_photo(path, *what)
    )
    snapshots = Snapshots(tmp_path, controls)
    remarks = remarks_of(controls)
    for shade in (10, 90):
        snapshots.save(replace(frame(7, shade=shade), remarks=remarks))
    may_write.set()
    snapshots.close()
    snapshots.save(replace(frame(7, shade=200), remarks=remarks))
    snapshots.close()
    found = {path.name: int(read_photo(path)[0, 0, 0]) for path in tmp_path.iterdir()}
    name = "wave-20260101-120000-7"
    assert found == {f"{name}.png": 10, f"{name}-2.png": 90, f"{name}-3.png": 200}


def test_a_snapshot_that_was_wished_before_the_show_began_is_taken_of_its_first_frame(tmp_path: Path, controls: Controls) -> None:
    controls.do("snapshot")  # as a page may that is open already
    snapshots = Snapshots(tmp_path, controls)
    for number in range(2):
        snapshots.write(frame(number))
        snapshots.check()
    snapshots.close()
    (path,) = tmp_path.iterdir()
    assert path.stem.endswith("-0") and not snapshots.pending


def test_a_snapshot_that_cannot_be_written_is_told(tmp_path: Path, controls: Controls) -> None:
    said: list[str] = []
    snapshots = Snapshots(tmp_path / "gone", controls, said.append)
    snapshots.save(frame(0))
    snapshots.close()
    assert controls.notice == "not saved" and "was not written" in said[0]


def test_a_stream_arrives_with_its_colours(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        address = f"udp://127.0.0.1:{free.getsockname()[1]}"
    caught = tmp_path / "caught.mp4"
    # A number of frames, not of seconds: who comes late waits for a key frame, and that second would be empty.
    listen = [executable(), "-v", "error", "-y", "-i", f"{address}?timeout=60000000", "-frames:v", "9", "-c", "copy", str(caught)]
    listener = subprocess.Popen(listen, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    sink = StreamSink(address, 48, 32, RATE)
    shade = np.zeros((32, 48, 3), np.uint8)
    shade[:] = (200, 60, 30)
    count = 0

    def heard() -> bool:
        nonlocal count
        sink.write(Frame(shade, count, count / 20))
        count += 1
        return listener.poll() is not None

    try:
        for _ in range(4000):
            if heard():
                break
            threading.Event().wait(0.05)
    finally:
        sink.close()
        listener.kill()
        listener.wait()
    picture = frames_of(caught)[0]
    assert picture.shape == shade.shape and np.abs(picture.astype(int) - shade).mean() < 12


class Receiver:
    """A server that takes one stream.

    Args:
        path: Where it goes.
    """

    def __init__(self, path: Path) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self._server.getsockname()[1]}"
        self._path = path
        self._thread = threading.Thread(target=self._take)
        self._thread.start()

    def _take(self) -> None:
        with self._server, self._server.accept()[0] as peer, self._path.open("wb") as file:
            while data := peer.recv(1 << 16):
                file.write(data)

    def finish(self) -> Path:
        self._thread.join(60)
        return self._path


def test_a_stream_runs_as_fast_as_life_although_fewer_frames_come_than_it_has(tmp_path: Path) -> None:
    receiver = Receiver(tmp_path / "caught.ts")
    sink = StreamSink(receiver.address, 48, 32, Fraction(30))
    for index in range(21):  # ten frames per second
        sink.write(frame(index, 100.0 + index / 10, shade=10 * index))
    sink.write(frame(21, 100.0, shade=210))  # a time that does not go on is none
    sink.close()
    times, pictures = read_back(receiver.finish())
    assert float(times[-1] - times[0]) == pytest.approx(2.0, abs=0.11)
    steps = np.diff([float(moment) for moment in times])
    assert steps == pytest.approx(1 / 30, abs=0.001), "none is missing"
    shades = np.array([picture.mean() for picture in pictures[: 3 * 20]])
    assert np.abs(shades - np.repeat(np.arange(20) * 10, 3)).max() < 14, "each stays for a tenth of a second"


def test_a_stream_that_nobody_takes_is_told_without_its_key() -> None:
    sink = StreamSink("rtmp://127.0.0.1:9/live/secret", 48, 32, RATE)

    def refused() -> bool:
        try:
            sink.write(frame(0))
        except SinkError as error:
            said.append(str(error))
        return bool(said)

    said: list[str] = []
    assert wait_until(refused, 60)
    sink.close()
    assert said[0].startswith("The stream to 'rtmp://127.0.0.1:9/live/...' ended. ffmpeg said: ") and "secret" not in said[0]


def test_addresses_are_checked_before_any_work() -> None:
    assert check_stream("rtmps://a/b") == "flv" and check_stream("srt://a:1") == "mpegts"
    with pytest.raises(SinkError, match=r"'gopher://x' is no address for a stream: it starts with 'gopher://'. Use rtmp"):
        kind_of("gopher://x")


@pytest.mark.parametrize(
    "address", ["udp://127.0.0.1:99999", "udp://127.0.0.1", "udp://nonsense", "rtmp://", "rtmp:///key", "tcp://h:port", "srt://:"]
)
def test_address_that_leads_nowhere_is_told_before_any_work(address: str) -> None:
    with pytest.raises(SinkError, match=r"leads nowhere: \w+://HOST:PORT was expected"):
        check_stream(address)


@pytest.mark.parametrize(
    "address", ["srt://:9000?mode=listener", "rtsp://cam/1", "udp://@239.0.0.1:1234", "tcp://[::1]:5000?listen"]
)
def test_address_with_a_place_is_taken(address: str) -> None:
    assert check_stream(address) in ("mpegts", "rtsp")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("udp://127.0.0.1:5", "udp://127.0.0.1:5"),
        ("rtmp://server/live/secret", "rtmp://server/live/..."),
        ("rtsp://me:sec@ret@camera:554/1", "rtsp://...@camera:554/1"),
        ("srt://server:9?passphrase=secret&mode=caller", "srt://server:9?..."),
        ("rtmp://server/live/secret?token=a/b", "rtmp://server/live/..."),
    ],
)
def test_secrets_in_addresses_are_not_shown(address: str, shown: str) -> None:
    assert mask(address) == shown


class FakeVirtualCamera(types.ModuleType):
    """Stands in for the package pyvirtualcam."""

    class PixelFormat:
        RGB = "rgb"

    def __init__(self, error: str = "") -> None:
        super().__init__("pyvirtualcam")
        self.sent: list[np.ndarray] = []
        self.closed = 0
        outer = self

        class Camera:
            device = "/dev/video9"

            def __init__(self, width: int, height: int, fps: float, fmt: str, print_fps: bool) -> None:
                if error:
                    raise RuntimeError(error)
                self.size = (width, height, fps, fmt)

            def send(self, image: np.ndarray) -> None:
                if len(outer.sent) == 2:
                    raise RuntimeError("gone")
                outer.sent.append(image)

            def close(self) -> None:
                outer.closed += 1

        self.Camera = Camera


@pytest.fixture
def no_module(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    yield monkeypatch


def test_virtual_camera_gets_the_frames(no_module: pytest.MonkeyPatch) -> None:
    module = FakeVirtualCamera()
    no_module.setitem(sys.modules, "pyvirtualcam", module)
    sink = VirtualCameraSink(48, 32, 30.0)
    assert sink.device == "/dev/video9"
    sink.write(frame(0))
    sink.write(Frame(frame(1).image[:, ::-1], 1, 0.0))
    assert all(image.flags.c_contiguous and image.shape == (32, 48, 3) for image in module.sent)
    with pytest.raises(SinkError, match="'/dev/video9' takes no more frames: gone"):
        sink.write(frame(2))
    sink.close()
    sink.discard()
    assert module.closed == 1


@pytest.mark.parametrize(
    ("system", "words"), [("linux", "modprobe v4l2loopback"), ("darwin", "OBS Studio 30"), ("win32", "needs OBS Studio")]
)
def test_a_missing_virtual_camera_says_how_to_set_it_up(no_module: pytest.MonkeyPatch, system: str, words: str) -> None:
    no_module.setattr("realtime_nst.outputs.virtual_camera.sys.platform", system)
    with pytest.raises(SinkError, match=rf"pip install pyvirtualcam.*{words}"):
        VirtualCameraSink(48, 32, 30.0)
    no_module.setitem(sys.modules, "pyvirtualcam", FakeVirtualCamera("no device\nmore"))
    with pytest.raises(SinkError, match=rf"No virtual camera could be opened: no device .*{words}"):
        VirtualCameraSink(48, 32, 30.0)
