"""Files as cameras, the pattern, and what `--camera` may name. Cameras are in test_cameras.py."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime_nst import sources
from realtime_nst.errors import SourceError
from realtime_nst.sources import FileSource, PatternSource, check_file, open_source
from realtime_nst.stage import Stage
from tests.conftest import ffmpeg_children, wait_until

PATIENCE = 60.0

pytest.importorskip("cv2", exc_type=ImportError, reason="OpenCV does not load here")


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
    assert len(times) == 30 and times[-1] > 0.7, "30 frames at 20 per second take 1.5 seconds, from a file of 10"


def test_file_as_a_camera_does_not_play_before_the_show_begins(talkie: Path) -> None:
    source, children = open_source(str(talkie)), ffmpeg_children()
    assert source._reader is None, "what it plays while the network is compiled would come all at once"
    (frame,) = (frame for frame, _ in zip(source, range(1)))
    assert frame.index == 0 and len(ffmpeg_children()) == len(children) + 1
    source.close()
    assert not list(source), "closed"


class FakeReader:
    """Stands in for `FrameReader`: three frames, silence while it is stalled, three more, and the end."""

    def __init__(self, path: str, info: Any, live: bool) -> None:
        self.frames, self.time = 0, None
        self.stalled, self.closed = threading.Event(), threading.Event()
        self.stalled.set()

    def read(self) -> np.ndarray | None:
        while self.frames == 3 and self.stalled.is_set() and not self.closed.is_set():
            self.closed.wait(0.005)
        self.frames += 1
        return None if self.frames > 6 or self.closed.is_set() else np.zeros((8, 8, 3), np.uint8)

    def close(self) -> None:
        self.closed.set()


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch, talkie: Path) -> FileSource:
    info = sources.probe(str(talkie))
    monkeypatch.setattr(sources, "probe", lambda path: info)
    monkeypatch.setattr(sources, "FrameReader", FakeReader)
    return FileSource("rtsp://camera/1", live=True, silence=0.1)


def test_a_stream_that_stands_still_or_ends_is_told(stream: FileSource, caplog: pytest.LogCaptureFixture) -> None:
    said: list[str] = []
    stream.tell = said.append
    frames = Stage(stream, keep="all", depth=9, name="capture")
    assert wait_until(lambda: len(said) > 1, PATIENCE), "again and again, because words on the window fade"
    assert set(said) == {"the stream gives no frames: waiting for 'rtsp://camera/1'"}
    assert isinstance(stream._reader, FakeReader)
    stream._reader.stalled.clear()
    assert len(list(frames)) == 6, "and it goes on"
    assert list(dict.fromkeys(record.message for record in caplog.records)) == [
        "The stream 'rtsp://camera/1' gives no frames. Waiting for it; end with Ctrl-C.",
        "The stream 'rtsp://camera/1' has ended.",
    ]
    assert frames.join(PATIENCE)


def test_closing_ends_the_wait_for_a_stream_without_a_word(stream: FileSource, caplog: pytest.LogCaptureFixture) -> None:
    frames = Stage(stream, keep="all", name="capture")
    assert frames.get(PATIENCE) is not None
    frames.close()
    stream.close()
    assert frames.join(PATIENCE)
    assert "has ended" not in caplog.text


def test_an_endless_stream_that_says_nothing_any_more_is_connected_to_again(
    stream: FileSource, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sources, "RETRY_EVERY", 0.01)
    stream.info, stream._patience = replace(stream.info, duration=None), 0.2
    frames = [frame for frame, _ in zip(stream, range(8))]  # three of each connection
    assert [frame.index for frame in frames] == list(range(8))
    assert caplog.text.count("broke off. Connecting again") == 2
    stream.close()


class Camera(BaseHTTPRequestHandler):
    """A camera on the network, whose second connection breaks off after a second of 25 frames, and whose third fails."""

    stream = b""
    asked = 0

    def do_GET(self) -> None:
        Camera.asked += 1
        if Camera.asked == 3:
            self.send_error(503)
            return
        self.send_response(200)
        self.send_header("Content-Type", "video/mp2t")
        self.end_headers()
        self.wfile.write(self.stream)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def camera_address(make_clip: Any) -> Iterator[str]:
    clip = make_clip("camera.ts", "-f", "lavfi", "-i", "testsrc=size=32x32:rate=25:duration=1", "-c:v", "mpeg2video")
    Camera.stream, Camera.asked = clip.read_bytes(), 0
    with ThreadingHTTPServer(("127.0.0.1", 0), Camera) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/live"
        server.shutdown()
        thread.join(PATIENCE)


def test_a_network_camera_that_breaks_off_goes_on_when_it_is_back(
    camera_address: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sources, "RETRY_EVERY", 0.01)
    source = open_source(camera_address)
    said: list[str] = []
    source.tell = said.append
    frames = [frame for frame, _ in zip(source, range(40))]
    source.close()
    assert [frame.index for frame in frames] == list(range(40)), "25 of the first connection, and on"
    assert np.abs(frames[25].image.astype(int) - frames[0].image).max() < 3, "the same clip from its beginning"
    assert caplog.text.count("broke off. Connecting again until it is back") == 1
    assert len(said) >= 2 and set(said) == {f"the stream broke off: connecting to '{camera_address}' again"}


def test_file_as_a_camera_can_be_scaled(talkie: Path) -> None:
    source = open_source(str(talkie), (48, 40))
    assert next(iter(source)).image.shape == (40, 48, 3)
    source.close()


def test_pattern_moves_at_its_rate() -> None:
    started = time.monotonic()
    source = PatternSource(64, 48, fps=100)
    frames = [frame for frame, _ in zip(source, range(20))]
    source.close()
    assert not np.array_equal(frames[0].image, frames[5].image)
    assert frames[-1].captured_at - started >= 0.19


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
    with pytest.raises(SourceError, match=r"palace\.jpg' is a photo, and a video was expected"):
        open_source(str(Path(__file__).parents[1] / "samples" / "palace.jpg"))
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
