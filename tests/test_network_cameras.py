"""Cameras on the network that send JPEG pictures: one after another in one answer, or one for each request."""

import hashlib
import io
import re
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from realtime_nst.errors import SourceError
from realtime_nst.inputs import polling
from realtime_nst.inputs.polling import PolledCamera
from realtime_nst.inputs.sources import FileSource, open_source
from realtime_nst.pipeline.stage import Stage
from tests.conftest import PATIENCE, wait_until
from tests.readback import disc_in, read_back

STEP = 8


def shade(index: int, form: str = "JPEG") -> bytes:
    """An even picture that is lighter the later it is."""
    return encoded(Image.new("RGB", (48, 32), (STEP * index,) * 3), form)


def disc(width: int, height: int, grey: int = 0) -> bytes:
    """A white disc on black or a dark grey."""
    picture = Image.new("RGB", (width, height), (grey,) * 3)
    ImageDraw.Draw(picture).ellipse((width // 2 - 20, height // 2 - 20, width // 2 + 20, height // 2 + 20), fill="white")
    return encoded(picture, "JPEG")


def encoded(picture: Image.Image, form: str) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, quality=95)
    return file.getvalue()


def shown(image: np.ndarray) -> int:
    """Which picture it is."""
    return round(float(image.mean()) / STEP)


class Camera(ThreadingHTTPServer):
    """A camera on the network.

    Args:
        kind: "snapshot" answers with one picture, `picture` if there is one, else the next. The others send picture after
            picture: "plain" with a boundary before each, "unopened" with one after each, as the sketches of many small
            cameras do; "dashes" names the boundary with the dashes that are no part of it; "nolength" leaves out how
            long a picture is.
    """

    daemon_threads = True

    def __init__(self, kind: str) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.kind = kind
        self.pictures = [shade(index) for index in range(30)]
        self.type = "image/jpeg"
        self.picture: bytes | None = None
        self.code = 200
        self.user = ""
        self.asked: list[tuple[float, str]] = []
        """When something was asked for, and by whom."""
        self.sent: dict[int, float] = {}
        """When a picture was sent, by its number."""
        self.stopping = threading.Event()
        self.address = f"http://127.0.0.1:{self.server_address[1]}/live"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: somebody has gone in the middle of an answer."""

    def next(self) -> bytes:
        if self.picture is not None:
            return self.picture
        number = len(self.sent)
        self.sent[number] = time.monotonic()
        return self.pictures[number % len(self.pictures)]


class Answer(BaseHTTPRequestHandler):
    server: Camera

    def do_GET(self) -> None:
        camera = self.server
        camera.asked.append((time.monotonic(), self.headers.get("User-Agent", "")))
        given = self.headers.get("Authorization", "")
        if camera.user and not self.allowed(given):
            self.send_response(401)
            self.send_header(
                "WWW-Authenticate",
                'Digest realm="camera", nonce="1234", qop="auth"' if "digest" in camera.user else 'Basic realm="camera"',
            )
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif camera.code != 200:
            self.send_error(camera.code)
        elif camera.kind == "snapshot":
            self.send_response(200)
            body = camera.next()
            self.send_header("Content-Type", camera.type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        else:
            self.send_parts()

    def send_parts(self) -> None:
        camera = self.server
        self.send_response(200)
        dashes = "--" if camera.kind == "dashes" else ""
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={dashes}frameends")
        self.end_headers()
        for picture in camera.pictures:
            length = b"" if camera.kind == "nolength" else b"Content-Length: %d\r\n" % len(picture)
            part = b"Content-Type: image/jpeg\r\n" + length + b"\r\n" + picture + b"\r\n"
            end = b"--frameends\r\n"
            self.wfile.write(part + end if camera.kind == "unopened" else end + part)
            self.wfile.flush()
            camera.stopping.wait(0.02)

    def allowed(self, given: str) -> bool:
        user, _, password = self.server.user.partition(":")
        if "digest" not in user:
            return given == "Basic " + b64encode(self.server.user.encode()).decode()
        said = dict(re.findall(r'(\w+)="?([^",]+)"?', given))
        if said.get("username") != user:
            return False
        first = hashlib.md5(f"{user}:camera:{password}".encode()).hexdigest()
        second = hashlib.md5(f"GET:{said['uri']}".encode()).hexdigest()
        middle = f"1234:{said['nc']}:{said['cnonce']}:auth"
        return said["response"] == hashlib.md5(f"{first}:{middle}:{second}".encode()).hexdigest()

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def plug() -> Iterator[Callable[[str], Camera]]:
    """Make a camera of a kind."""
    running: list[tuple[Camera, threading.Thread]] = []

    def start(kind: str) -> Camera:
        camera = Camera(kind)
        thread = threading.Thread(target=camera.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        running.append((camera, thread))
        return camera

    yield start
    for camera, thread in running:
        camera.stopping.set()
        camera.shutdown()
        thread.join(PATIENCE)
        camera.server_close()


@pytest.mark.parametrize("kind", ["plain", "unopened", "dashes", "nolength"])
def test_pictures_in_one_answer_are_shown_whatever_lies_between_them(plug: Callable[[str], Camera], kind: str) -> None:
    source = open_source(plug(kind).address)
    assert (source.width, source.height, source.live) == (48, 32, True)
    pictures = [shown(frame.image) for frame, _ in zip(source, range(20))]
    source.close()
    assert pictures == list(range(20))


@pytest.mark.parametrize("kind", ["plain", "unopened", "snapshot"])
@pytest.mark.parametrize("size", [None, (80, 60)])
def test_a_phone_that_is_turned_is_shown_in_its_shape(
    plug: Callable[[str], Camera], kind: str, size: tuple[int, int] | None
) -> None:
    camera = plug(kind)
    camera.pictures = [disc(*((96, 64) if index < 8 else (64, 96)), index) for index in range(30)]
    source = open_source(camera.address, size, 30)
    width, height = size or (96, 64)
    images = [frame.image for frame, _ in zip(source, range(24 if kind != "snapshot" else 12))]
    source.close()
    assert {image.shape for image in images} == {(height, width, 3)}
    for image in (images[0], images[-1]):
        wide, high = disc_in(image)
        assert abs(wide - high) <= 1 and high > 20
    assert images[-1][:, : width // 7].max() < 4, "bars, not the grey of the picture"


def test_a_film_that_cannot_be_read_is_not_searched_for_pictures(plug: Callable[[str], Camera]) -> None:
    camera = plug("snapshot")
    camera.type, camera.picture = "video/mp4", b"no film " * 200_000 + b"".join(camera.pictures)
    with pytest.raises(SourceError, match="holds no video that can be read.*Invalid data"):
        open_source(camera.address)


@pytest.mark.parametrize(("form", "end"), [("JPEG", ""), ("JPEG", "/a%20picture.jpg?channel=1"), ("PNG", ".png"), ("WEBP", "")])
def test_an_address_that_gives_one_picture_is_asked_again_and_again(
    plug: Callable[[str], Camera], form: str, end: str, caplog: pytest.LogCaptureFixture
) -> None:
    camera = plug("snapshot")
    camera.pictures, camera.type = [shade(index, form) for index in range(30)], f"image/{form.lower()}"
    source = open_source(camera.address + end)
    assert isinstance(source, PolledCamera) and (source.width, source.height, source.live) == (48, 32, True)
    first = len(camera.sent)
    frames = [frame for frame, _ in zip(source, range(5))]
    source.close()
    assert [frame.index for frame in frames] == list(range(5))
    assert [shown(frame.image) for frame in frames] == list(range(first, first + 5)), "each answer once"
    assert not caplog.records, "quietly"
    assert all(agent.startswith("realtime-nst/") for _, agent in camera.asked[first:])


def test_a_camera_is_asked_no_faster_than_it_should_and_less_often_while_nothing_changes(
    plug: Callable[[str], Camera], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "LONGEST_WAIT", 0.2)
    camera = plug("snapshot")
    source = PolledCamera(camera.address, fps=20)
    assert source.fps == 20 and PolledCamera(camera.address, fps=240).fps == 30 and PolledCamera(camera.address).fps == 10
    camera.asked.clear()
    frames = iter(source)
    for _ in range(5):
        next(frames)
    camera.picture = shade(3)
    still = [shown(next(frames).image) for _ in range(6)]
    camera.picture = None
    for _ in range(3):
        next(frames)
    source.close()
    waits = [after - before for (before, _), (after, _) in pairwise(camera.asked)]
    due = [0.05] * 5 + [0.1, 0.2, 0.2, 0.2, 0.2] + [0.05] * 2
    due.insert(5, 0.05)
    assert still == [3] * 6, "shown again each time, so that a key has effect"
    assert len(waits) == len(due)
    for count in range(1, len(due) + 1):  # summed: a busy server may note a question late
        assert sum(waits[:count]) > sum(due[:count]) - 0.03, waits
    assert min(waits[-2:]) < 0.19, "as often as before when it changes again"


def test_a_camera_that_stops_answering_is_told_and_goes_on_when_it_is_back(
    plug: Callable[[str], Camera], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(polling, "RETRY_EVERY", 0.01)
    camera = plug("snapshot")
    source = open_source(camera.address, None, 30)
    said: list[str] = []
    source.tell = said.append
    frames = Stage(source, keep="latest", name="capture")
    assert frames.get(PATIENCE) is not None
    camera.code = 503
    assert wait_until(lambda: len(said) > 3, PATIENCE), "again and again, because words on the window fade"
    camera.code = 200
    frames.get(0.0)
    frame = frames.get(PATIENCE)
    assert frame is not None and frame.index > 0
    camera.picture = b"no picture"
    assert wait_until(lambda: len(caplog.records) == 2, PATIENCE)
    camera.picture = None
    frames.get(0.0)
    assert frames.get(PATIENCE) is not None
    frames.close()
    source.close()
    assert frames.join(PATIENCE)
    assert set(said) == {f"the camera gives no picture: asking '{camera.address}' again"}
    words = f"The camera '{camera.address}' gives no picture: {{}}. Asking again; end with Ctrl-C."
    assert [record.message for record in caplog.records] == [
        words.format("the server answered 503 Service Unavailable"),
        words.format("what it sent is no picture"),
    ]


def test_one_bad_answer_is_passed_over_without_a_word(
    plug: Callable[[str], Camera], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(polling, "RETRY_EVERY", 0.01)
    camera = plug("snapshot")
    camera.pictures[3] = camera.pictures[3][:200]
    source = PolledCamera(camera.address, fps=30)
    pictures = [shown(frame.image) for frame, _ in zip(source, range(4))]
    source.close()
    assert pictures == [1, 2, 4, 5] and not caplog.records


@pytest.mark.parametrize("user", ["basic", "digest"])
@pytest.mark.parametrize("kind", ["snapshot", "unopened"])
def test_user_and_password_in_the_address_are_used_and_not_shown(plug: Callable[[str], Camera], user: str, kind: str) -> None:
    camera = plug(kind)
    camera.user = f"{user}:p@ss word"
    address = camera.address.replace("//", f"//{user}:p%40ss%20word@")
    source = open_source(address)
    assert shown(next(iter(source)).image) < 20
    source.close()
    assert isinstance(source, PolledCamera if kind == "snapshot" else FileSource)
    with pytest.raises(SourceError, match=r"'http://\.\.\.@127.*' gave no picture: .*401"):
        PolledCamera(address.replace("p%40ss", "wrong"))


def test_what_gives_no_picture_is_refused_in_words(plug: Callable[[str], Camera]) -> None:
    camera = plug("snapshot")
    for code, picture, words in ((404, b"", "the server answered 404 Not Found"), (200, b"<html>", "what it sent is no picture")):
        camera.code, camera.picture = code, picture
        with pytest.raises(SourceError, match=f"'{camera.address}' gave no picture: {words}. Check the address."):
            PolledCamera(camera.address)
    with pytest.raises(SourceError, match="it sends a stream without an end, and a picture was expected"):
        PolledCamera(plug("plain").address)
    with pytest.raises(SourceError, match="gave no picture: Connection refused"):
        PolledCamera("http://127.0.0.1:9/picture.jpg")


def test_a_camera_that_never_finishes_its_answer_is_not_waited_for_for_ever(
    plug: Callable[[str], Camera], monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = plug("snapshot")
    source = PolledCamera(camera.address, patience=0.1)
    monkeypatch.setattr(polling, "RETRY_EVERY", 0.01)
    monkeypatch.setattr(camera, "next", lambda: str(camera.stopping.wait(PATIENCE)).encode())
    said: list[str] = []
    source.tell = said.append
    with Stage(source, keep="latest", name="capture") as frames:
        assert wait_until(lambda: len(said) > 1, PATIENCE) and frames.get(0.0) is None
        source.close()
    with pytest.raises(SourceError, match="gave no picture: timed out"):
        PolledCamera(camera.address, patience=0.1)


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize("scale", [1, 0.5])
def test_a_recording_of_pictures_has_the_times_at_which_they_came(
    run: Callable[..., int],
    plug: Callable[[str], Camera],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    scale: float,
) -> None:
    monkeypatch.chdir(tmp_path)
    camera = plug("snapshot")
    answer, stopping = camera.next, camera.stopping

    def uneven() -> bytes:
        stopping.wait(0.4 if len(camera.sent) % 4 == 3 else 0.0)
        return answer()

    monkeypatch.setattr(camera, "next", uneven)
    show = ("webcam", "--camera", f"{camera.address}/x.jpg", "--no-window", "--frames", 12, "--fps", 20, "--scale", scale)
    assert run(*show, "-o", "show.mp4") == 0
    assert "12 frames" in capsys.readouterr().err
    times, images = read_back(tmp_path / "show.mp4")
    numbers = [shown(image) for image in images]
    assert len(set(numbers)) >= 10
    late = [float(moment) - camera.sent[number] for moment, number in zip(times, numbers)]
    assert max(late) - min(late) < 0.1, "as unevenly as they came"
