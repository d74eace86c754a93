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

from realtime_nst.errors import SourceError
from realtime_nst.inputs import sources
from realtime_nst.inputs.sources import FileSource, PatternSource, open_source
from realtime_nst.media.filekinds import check_file
from realtime_nst.pipeline.stage import Stage
from tests.conftest import PATIENCE, ffmpeg_children, wait_until
from tests.readback import disc_in, disc_source

pytest.importorskip("cv2", exc_type=ImportError, reason="OpenCV does not load here")


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
    return FileSource("rtsp://camera/1", silence=0.1)


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


@pytest.mark.parametrize("aspect, size", [("64/45", (120, 64)), ("8/11", (84, 88)), ("1/2", (84, 128)), ("1", (84, 64))])
def test_a_file_as_a_camera_has_square_pixels(make_clip: Any, aspect: str, size: tuple[int, int]) -> None:
    clip = make_clip("disc.mp4", *disc_source(84, 64, aspect))
    source = open_source(str(clip))
    assert (source.width, source.height) == size, "even, and nothing gets smaller"
    image = next(iter(source)).image
    source.close()
    width, height = disc_in(image)
    assert image.shape == (size[1], size[0], 3) and abs(width - height) <= 1 and height > 40
    assert image[:, 0].max() < 30, "black as it was, not white at its edge"


def test_a_turned_film_as_a_camera_has_square_pixels(make_clip: Any) -> None:
    clip = make_clip(
        "turned.mp4", "-display_rotation", "90", "-i", str(make_clip("disc.mp4", *disc_source(84, 64, "4/3"))), "-c", "copy"
    )
    source = open_source(str(clip))
    width, height = disc_in(next(iter(source)).image)
    source.close()
    assert (source.width, source.height) == (64, 112) and abs(width - height) <= 1


@pytest.mark.parametrize("aspect, size", [("64/45", (64, 64)), ("1/2", (96, 40)), ("1", (200, 48))])
def test_a_size_gets_bars_where_the_shape_is_another(make_clip: Any, aspect: str, size: tuple[int, int]) -> None:
    source = open_source(str(make_clip("disc.mp4", *disc_source(84, 64, aspect))), size)
    image = next(iter(source)).image
    source.close()
    width, height = disc_in(image)
    assert image.shape == (size[1], size[0], 3) and abs(width - height) <= 1


def test_a_film_whose_size_changes_keeps_its_shape_as_a_camera(make_clip: Any, tmp_path: Path) -> None:
    parts = [make_clip("part.ts", *disc_source(*size, "1"), "-c:v", "mpeg2video") for size in ((96, 64), (64, 96))]
    (tmp_path / "turns.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    source = open_source(str(tmp_path / "turns.ts"))
    images = [frame.image for frame, _ in zip(source, range(45))]
    source.close()
    assert {image.shape for image in images} == {(64, 96, 3)}
    for image in (images[5], images[-5]):
        width, height = disc_in(image)
        assert abs(width - height) <= 1
    assert images[-5][:, :20].max() < 30, "with bars at its sides"


def test_pixels_that_make_too_large_a_picture_are_refused(make_clip: Any) -> None:
    clip = make_clip("wide.avi", *disc_source(84, 64, "4"), "-vf", "setsar=250:max=1000", "-c:v", "mpeg4")
    with pytest.raises(SourceError, match=r"frames of 21000x64 when its pixels are made square.* Choose a smaller --size\."):
        open_source(str(clip))


def test_the_film_of_a_file_is_the_camera_not_its_preview(make_clip: Any, caplog: pytest.LogCaptureFixture) -> None:
    preview = ("-f", "lavfi", "-i", "color=red:size=80x48:rate=1:duration=1")
    film = ("-f", "lavfi", "-i", "color=lime:size=96x64:rate=25:duration=1")
    for name, inputs in (("two.mkv", [*preview, *film, "-map", "0", "-map", "1"]), ("moving.avif", film)):
        codec = ("-c:v", "libaom-av1", "-cpu-used", "8") if name.endswith("avif") else ()
        source = open_source(str(make_clip(name, *inputs, *codec, "-pix_fmt", "yuv420p")))
        images = [frame.image for frame, _ in zip(source, range(3))]
        source.close()
        assert all(image.shape == (64, 96, 3) and image[..., 1].min() > 200 and image[..., 0].max() < 60 for image in images)
        assert "Of its 2 video tracks, number 2 is painted" in caplog.text
        caplog.clear()


@pytest.mark.parametrize("name", ["views.mkv", "tilted.mp4", "turned.mp4"])
def test_what_file_and_codec_both_say_of_the_picture_is_no_obstacle_to_a_camera(make_clip: Any, name: str) -> None:
    source = ("-f", "lavfi", "-i", "testsrc=size=96x64:rate=25:duration=1", "-pix_fmt", "yuv420p")
    marks = {"views.mkv": ("-x264-params", "frame-packing=3", "-metadata:s:v", "stereo_mode=left_right")}
    clip = make_clip(name, *source, *marks.get(name, ()))
    if name == "turned.mp4":
        clip = make_clip(name, "-i", str(clip), "-c", "copy", "-bsf:v", "h264_metadata=display_orientation=insert:rotate=90")
    if name != "views.mkv":
        clip = make_clip(name, "-display_rotation", "5" if name == "tilted.mp4" else "90", "-i", str(clip), "-c", "copy")
    camera = open_source(str(clip))
    frames = [frame for frame, _ in zip(camera, range(3))]
    camera.close()
    assert [frame.image.shape for frame in frames] == [(96, 64, 3) if name == "turned.mp4" else (64, 96, 3)] * 3


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
    with pytest.raises(SourceError, match="does not answer: Connection refused"):
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
