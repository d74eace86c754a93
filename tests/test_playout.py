"""Films, files and streams are shown by their own times: web servers that a test keeps, numbered pictures, the clock."""

import logging
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from fractions import Fraction
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime_nst.frames import Frame
from realtime_nst.inputs import sources
from realtime_nst.inputs.playout import Newest, Playout, Replay
from realtime_nst.inputs.sources import FileSource, open_source
from realtime_nst.media.ffmpeg import executable
from tests.conftest import PATIENCE
from tests.readback import number_in, numbered_source, read_back

RATE = 25
SHARP = ("-c:v", "libx264", "-crf", "10", "-g", "25", "-sc_threshold", "0", "-pix_fmt", "yuv420p")
EARLY, LATE = 0.1, 2.0
"""Seconds by which a frame may be off: others may have the processor, but nothing is shown before its time."""


def offsets(moments: list[float], numbers: list[int]) -> list[float]:
    """Seconds by which each frame is later than its number says, counted from the first."""
    return [moment - moments[0] - (number - numbers[0]) / RATE for moment, number in zip(moments, numbers)]


def in_time(moments: list[float], numbers: list[int]) -> bool:
    """Whether frames are as far apart as their numbers say."""
    return all(-EARLY < offset < LATE for offset in offsets(moments, numbers))


def read_numbers(frames: list[Frame]) -> tuple[list[float], list[int]]:
    """When frames were captured, and which they are."""
    return [frame.captured_at for frame in frames], [number_in(frame.image) for frame in frames]


def take(source: FileSource, count: int) -> list[Frame]:
    with closing(source):
        return [frame for frame, _ in zip(source, range(count))]


@pytest.fixture
def web() -> Iterator[Callable[[Any], str]]:
    """Serve by a handler on a thread: `web(handler)` gives the address."""
    servers: list[tuple[ThreadingHTTPServer, threading.Thread]] = []

    def serve(handler: Any) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        servers.append((server, thread))
        thread.start()
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield serve
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE)


class Quiet:
    """A mixin for handlers that say nothing."""

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing."""


class Folder(Quiet, SimpleHTTPRequestHandler):
    """The files of a folder, each as a whole only: ffmpeg cannot go back in them."""


class Live(Quiet, BaseHTTPRequestHandler):
    """A camera whose segments of a second come one by one, as the clock says.

    `state` is "live", "gone" or "over".
    """

    segments: tuple[bytes, ...] = ()
    began = 0.0
    state = "live"
    ready = 4

    def do_GET(self) -> None:
        number = self.path.strip("/").partition(".")[0]
        if self.state == "gone":
            self.send_error(503)
            return
        self.send_response(200)
        self.end_headers()
        if number.isdigit():
            self.wfile.write(self.segments[int(number)])
            return
        newest = min(self.ready + int(time.monotonic() - Live.began), len(self.segments))
        lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:1", f"#EXT-X-MEDIA-SEQUENCE:{max(0, newest - 4)}"]
        for segment in range(max(0, newest - 4), newest):
            lines += ["#EXTINF:1.0,", f"{segment}.ts"]
        self.wfile.write("\n".join([*lines, "#EXT-X-ENDLIST" if self.state == "over" else "", ""]).encode())


@pytest.fixture
def live_segments(tmp_path: Path) -> Iterator[type[Live]]:
    arguments = [*numbered_source(seconds=16), *SHARP, "-f", "hls", "-hls_time", "1", "-hls_list_size", "0"]
    command = [executable(), "-v", "error", "-nostdin", *arguments, "-hls_segment_filename", str(tmp_path / "%d.ts")]
    subprocess.run([*command, str(tmp_path / "all.m3u8")], check=True)
    Live.segments = tuple((tmp_path / f"{number}.ts").read_bytes() for number in range(16))
    Live.began, Live.state, Live.ready = time.monotonic(), "live", 4
    yield Live


def test_a_file_as_a_camera_keeps_its_rate_from_the_first_frame_on(make_clip: Any) -> None:
    clip = make_clip("numbered.mp4", *numbered_source(seconds=1), *SHARP)
    moments, numbers = read_numbers(take(open_source(str(clip)), 30))
    assert numbers == [*range(25), *range(5)]
    assert in_time(moments, list(range(30))), "the first twelve came within a twentieth of a second; it starts again in time"


@pytest.mark.usefixtures("identity")
def test_a_recording_of_a_file_as_a_camera_plays_at_its_speed(make_clip: Any, run: Callable[..., int], tmp_path: Path) -> None:
    clip, output = make_clip("two.mp4", *numbered_source(seconds=2), *SHARP), tmp_path / "out.mp4"
    assert run("webcam", "--camera", clip, "--no-window", "--frames", 20, "--strength", 0, "-o", output) == 0
    times, pictures = read_back(output)
    numbers = [number_in(picture) for picture in pictures]
    assert numbers == sorted(numbers) and in_time([float(moment) for moment in times], numbers)


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.m3u8"])
def test_a_film_at_a_web_address_plays_at_its_rate_and_starts_again(
    web: Callable[[Any], str], name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kind = ["-f", "hls", "-hls_time", "1", "-hls_playlist_type", "vod"] if name.endswith("m3u8") else []
    source = [*numbered_source(seconds=1.6), *SHARP, *kind]
    subprocess.run([executable(), "-v", "error", "-nostdin", *source, str(tmp_path / name)], check=True)
    camera = open_source(f"{web(partial(Folder, directory=str(tmp_path)))}/{name}")
    said: list[str] = []
    camera.tell = said.append
    moments, numbers = read_numbers(take(camera, 60))
    assert numbers == [*range(40), *range(20)]
    assert in_time(moments[:40], numbers[:40]) and in_time(moments[40:], numbers[40:])
    assert moments[40] > moments[39]
    assert not said and not caplog.records, "that a film starts again is nothing to worry about"


class Torn(Quiet, BaseHTTPRequestHandler):
    """A film whose second download breaks off in the middle."""

    film = b""
    asked = 0

    def do_GET(self) -> None:
        Torn.asked += 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.film)))
        self.end_headers()
        self.wfile.write(self.film[: len(self.film) // 3] if Torn.asked == 2 else self.film)


def test_a_film_that_breaks_off_in_the_middle_is_told_of_and_starts_again(
    web: Callable[[Any], str], make_clip: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sources, "RETRY_EVERY", 0.01)
    Torn.film, Torn.asked = make_clip("film.mkv", *numbered_source(seconds=4), *SHARP).read_bytes(), 0
    source = open_source(f"{web(Torn)}/film.mkv")
    numbers: list[int] = []
    with closing(source):
        for frame in source:
            numbers.append(number_in(frame.image))
            if len(numbers) > 1 and numbers[-1] == 0:
                break
    assert numbers[:3] == [0, 1, 2] and numbers[:-1] == sorted(numbers[:-1]) and len(numbers) < 80
    assert caplog.text.count("broke off. Connecting again until it is back") == 1


def test_a_live_stream_in_segments_runs_evenly_from_near_its_end(
    web: Callable[[Any], str], live_segments: type[Live], caplog: pytest.LogCaptureFixture
) -> None:
    source = FileSource(f"{web(live_segments)}/cam.m3u8", silence=0.5)
    said: list[str] = []
    source.tell = said.append
    moments, numbers = read_numbers(take(source, 4 * RATE))
    assert numbers == list(range(numbers[0], numbers[0] + 4 * RATE)), "each once, in order"
    assert numbers[0] >= 2 * RATE, "it begins two segments before the end"
    assert in_time(moments, numbers)
    assert not said and not caplog.records, "the silence between two segments is nothing unusual"


@pytest.mark.parametrize("state", ["gone", "over"])
def test_a_live_stream_in_segments_is_connected_to_again_and_shows_nothing_twice(
    web: Callable[[Any], str],
    live_segments: type[Live],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    state: str,
) -> None:
    monkeypatch.setattr(sources, "RETRY_EVERY", 0.1)
    source = open_source(f"{web(live_segments)}/cam.m3u8")
    told = 0

    def tell(words: str) -> None:
        nonlocal told
        told += "broke off" in words
        if told == 3:
            if state == "over":  # the camera starts again, and counts from 0
                Live.began = time.monotonic()
            Live.state = "live"

    source.tell = tell
    before: list[int] = []
    after: list[int] = []
    with closing(source):
        for frame in source:
            (before if told < 3 else after).append(number_in(frame.image))
            if len(before) == 10:
                Live.state = state
            if len(after) == 30:
                break
    assert before == list(range(before[0], before[0] + len(before)))
    if state == "gone":
        assert after[0] > before[-1], "never back in time"
    else:
        assert after[0] <= 3 * RATE, "another beginning"
    assert after == list(range(after[0], after[0] + 30))
    assert [record.levelno for record in caplog.records] == [logging.WARNING], "told once"


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_transport_stream_over_udp_is_shown_as_it_comes(caplog: pytest.LogCaptureFixture) -> None:
    address = f"udp://127.0.0.1:{free_port()}"
    sound = ["-re", "-f", "lavfi", "-i", "sine=frequency=440", "-c:a", "aac"]
    command = [executable(), "-v", "error", "-nostdin", "-re", *numbered_source(seconds=60), *sound, *SHARP]
    command += ["-preset", "ultrafast", "-tune", "zerolatency", "-f", "mpegts", f"{address}?pkt_size=1316"]
    with subprocess.Popen(command) as sender:
        try:
            source = open_source(address)
            said: list[str] = []
            source.tell = said.append
            moments, numbers = read_numbers(take(source, 2 * RATE))
        finally:
            sender.kill()
    late = offsets(moments, numbers)
    assert max(late) - min(late) < 2.0, "nothing that piled up meanwhile is shown, and nothing in fast motion"
    assert numbers[0] % RATE == 0, "from the first picture that stands by itself"
    assert not said and not caplog.records, "and there was no silence to tell of"


class Motion(Quiet, BaseHTTPRequestHandler):
    """A camera that sends JPEG pictures four times as fast as the rate that ffmpeg takes them to have."""

    pictures: tuple[bytes, ...] = ()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        began = time.monotonic()
        try:
            for count in range(1000):
                picture = self.pictures[count % len(self.pictures)]
                self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + picture + b"\r\n")
                threading.Event().wait(began + count / (4 * RATE) - time.monotonic())
        except OSError:
            pass  # it has seen enough


def test_pictures_whose_times_are_made_up_are_shown_as_they_come(web: Callable[[Any], str], tmp_path: Path) -> None:
    command = [executable(), "-v", "error", "-nostdin", *numbered_source(seconds=1), "-q:v", "2", str(tmp_path / "%d.jpg")]
    subprocess.run(command, check=True)
    Motion.pictures = tuple((tmp_path / f"{number}.jpg").read_bytes() for number in range(1, 26))
    moments, numbers = read_numbers(take(open_source(f"{web(Motion)}/live"), 100))
    assert numbers == [(numbers[0] + index) % 25 for index in range(100)], "none left out"
    assert moments[-1] - moments[20] < 2.4, "they would take more than three seconds at that rate"


def played(playout: Playout, times: list[float], nows: list[float]) -> list[float | None]:
    """Moments of frames, where each is asked for at a time of the clock or when the one before has been shown."""
    moments: list[float | None] = []
    clock = 0.0
    for moment, now in zip(times, nows):
        clock = max(clock, now)
        due = playout.due(Fraction(moment), clock)
        moments.append(due)
        clock = max(clock, due or 0.0)
    return moments


def test_a_burst_is_shown_in_time_and_a_busy_machine_moves_nothing() -> None:
    times = [index / 10 for index in range(30)]
    assert played(Playout(0.1), times, [5.0] * 30) == pytest.approx([5 + moment for moment in times])
    late = [5.0 + moment + 0.2 * (index % 7 == 3) for index, moment in enumerate(times)]
    assert played(Playout(0.1), times, late) == pytest.approx([5 + moment for moment in times])


def test_what_comes_after_a_stall_is_shown_in_time_from_then_on() -> None:
    times = [index / 10 for index in range(20)]
    moments = played(Playout(0.1), times, [0.0] * 10 + [3.0] * 10)
    assert moments[:10] == pytest.approx(times[:10])
    assert np.diff(np.array(moments[10:], float)) == pytest.approx(0.1) and moments[10] == pytest.approx(2.75)


def test_a_live_stream_that_fell_behind_leaves_out_what_waits() -> None:
    times = [index / 10 for index in range(100)]
    nows = [*times[:10], *(4.0 + index / 1000 for index in range(30)), *times[40:]]  # three seconds of silence, then all at once
    moments = played(Playout(0.1, behind=1.0), times, nows)
    assert None not in moments[:11] and moments[10:40].count(None) > 20
    assert moments[50:] == pytest.approx(times[50:], abs=0.26), "as near to its end as before"
    assert None not in played(Playout(0.1, behind=5.0), times, nows), "a small delay stays"


@pytest.mark.parametrize("jump", [-3600.0, -0.5, 3600.0, 1.5])
def test_times_that_jump_go_on(jump: float) -> None:
    times = [10 + index / 10 + jump * (index >= 10) for index in range(20)]
    assert played(Playout(0.1), times, [7.0] * 20) == pytest.approx([7 + index / 10 for index in range(20)])


def test_frames_without_a_time_come_at_the_usual_rate() -> None:
    playout = Playout(0.1)
    assert [playout.due(None, 2.0) for _ in range(4)] == pytest.approx([2.0, 2.1, 2.2, 2.3])


def test_frames_that_come_as_they_are_made_are_all_new() -> None:
    noise = np.random.default_rng(0).uniform(0, 0.1, 500)
    for drift in (1.0, 1.01, 0.99, 1.2, 0.8):
        newest = Newest()
        assert not any(newest.old(Fraction(index, RATE), index / RATE * drift + noise[index]) for index in range(500))


def test_frames_that_piled_up_are_old_until_the_newest() -> None:
    newest = Newest()
    arrivals = [index / RATE for index in range(50)] + [4.85 + index / 500 for index in range(75)]
    old = [newest.old(Fraction(index, RATE), moment) for index, moment in enumerate(arrivals)]
    assert not any(old[:51]) and all(old[60:]), "a few may be shown before the pile is seen as one"
    newest.settle()
    assert not any(newest.old(Fraction(index, RATE), index / RATE) for index in range(125, 200))


def test_a_pile_without_an_end_does_not_freeze_the_picture() -> None:
    newest = Newest()
    old = [newest.old(Fraction(index, RATE), index / 100) for index in range(1000)]
    shown = [index / 100 for index, late in enumerate(old) if not late]
    assert max(np.diff(shown)) < 1.1 and shown[-1] > 9


def test_only_what_was_shown_is_a_replay() -> None:
    replay = Replay()

    def connection(began: float, now: float) -> list[bool]:
        replay.connect()
        return [replay.seen(Fraction(began) + Fraction(index, 2), now + index / 2) for index in range(8)]

    assert connection(100.0, 0.0) == [False] * 8
    assert connection(101.0, 5.0) == [True] * 6 + [False] * 2, "the same times, four seconds nearer to the end"
    assert connection(1.0, 10.0) == [False] * 8, "a camera that counts anew"
    assert replay.over()
    assert connection(1.0, 14.0) == [False] * 8, "what begins after an end is new"
    assert not Replay().over()
