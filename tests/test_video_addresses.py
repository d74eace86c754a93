"""`video` with films at web addresses, from a server of this machine."""

import base64
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest

from realtime_nst.errors import NSTError
from realtime_nst.jobs import fetching
from realtime_nst.jobs.fetching import fetch, place_for
from realtime_nst.media.addresses import no_answer
from tests.conftest import one_line
from tests.readback import duration, lag, numbered_source, numbers, sound, tracks

Clip = Callable[..., Path]
Run = Callable[..., int]
SECRET = "Basic " + base64.b64encode(b"me:pa:ss").decode()


class Server(BaseHTTPRequestHandler):
    """Gives one film under many names; the folder of the name says how."""

    film = b""
    asked: list[str]

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        Server.asked.append(f"{self.path} {wanted}".strip())
        kind, begin = self.path.split("/")[1], int((re.findall(r"\d+", wanted) or [0])[0])
        if kind == "gone" or (kind == "secret" and self.headers.get("Authorization") != SECRET):
            self.send_error(404 if kind == "gone" else 401)
            return
        if kind in ("camera", "zeros", "radio", "news"):
            self.endless(kind)
            return
        data = {
            "page": b"<!doctype html><html>",
            "photo": b"\xff\xd8\xff\xe0" + bytes(99),
            "list": b"#EXTM3U\n#EXT-X-TARGETDURATION:4\n",
        }.get(kind, self.film)
        begin = begin if kind in ("breaks", "stubborn") else 0
        self.send_response(206 if begin else 200)
        if kind != "endless":
            self.send_header("Content-Length", str(len(data) - begin))
        self.end_headers()
        part = len(data) // 3 if kind == "breaks" or (kind == "whole" and len(Server.asked) == 1) else len(data)
        self.wfile.write(b"" if kind == "stubborn" else data[begin : begin + part])

    def endless(self, kind: str) -> None:
        """Answers that never end, as far as the other side goes on to read: a camera, and things that are no camera."""
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=b" if kind == "camera" else "video/mp4")
        self.end_headers()
        begin = {"radio": b"ID3\x04", "news": self.film}.get(kind, b"")
        try:
            self.wfile.write(begin)
            while True:
                self.wfile.write(bytes(1 << 16))
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server(make_clip: Clip, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Its address without `http://`; the film has its index at the end, so that nobody can read it from the front alone."""
    tone = ("-f", "lavfi", "-i", "sine=frequency=440:duration=1", "-c:a", "aac")
    Server.film = make_clip("web.mp4", *numbered_source(seconds=1), *tone, "-pix_fmt", "yuv420p").read_bytes()
    Server.asked = []
    monkeypatch.setattr(fetching, "PAUSE", 0.0)
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join(60)


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize("way", ["plain", "endless", "breaks", "whole"])
def test_film_at_an_address_is_painted_like_a_file(
    run: Run, server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], way: str
) -> None:
    """With and without a length, and over a connection that breaks off, whether the server can go on there or not."""
    (tmp_path / "film.mp4").write_bytes(Server.film)
    assert run("video", tmp_path / "film.mp4", "-o", tmp_path / "file.mp4", "--start", "0.2") == 0
    capsys.readouterr()
    assert run("video", f"http://{server}/{way}/film.mp4?key=1", "-o", tmp_path / "web.mp4", "--start", "0.2") == 0
    said = capsys.readouterr().err
    assert f"Fetching 'http://{server}/{way}/film.mp4?...' first" in said and "key=1" not in said
    assert numbers(tmp_path / "web.mp4") == numbers(tmp_path / "file.mp4") == list(range(5, 25))
    assert tracks(tmp_path / "web.mp4") == ["video h264", "audio aac"]
    assert duration(tmp_path / "web.mp4") == duration(tmp_path / "file.mp4")
    assert abs(lag(sound(tmp_path / "file.mp4"), sound(tmp_path / "web.mp4"))) < 0.001
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file.mp4", "film.mp4", "web.mp4"], "nothing is left"
    assert len(Server.asked) == {"breaks": 4, "whole": 2}.get(way, 1), Server.asked


@pytest.mark.usefixtures("identity")
def test_films_at_addresses_get_their_names_in_a_folder(
    run: Run, server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    addresses = [f"http://{server}/plain/{name}" for name in ("a%20b.mov?x=1", "watch", "c.mp4/")]
    assert run("video", *addresses, f"http://{server}/gone/d.mp4", "-o", tmp_path / "out") == 1
    said = capsys.readouterr().err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a b.mov", "c.mp4", "watch.mp4"]
    assert f"'http://{server}/gone/d.mp4' cannot be fetched: 404 Not Found. Check the address." in said
    assert "3 painted, 0 skipped, 1 failed." in said
    assert run("video", *addresses, "-o", tmp_path / "out", "--skip-existing", "--json") == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in events] == ["skipped"] * 3 + ["end"]
    assert events[0]["input"] == f"http://{server}/plain/a%20b.mov?..."
    assert len(Server.asked) == 4, "what is skipped is not fetched"


@pytest.mark.usefixtures("identity")
def test_name_and_password_reach_the_server_and_nobody_else(
    run: Run, server: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run("video", f"http://me:pa%3Ass@{server}/secret/film.mp4", "-o", tmp_path / "out.mp4", "--json") == 0
    assert numbers(tmp_path / "out.mp4") == list(range(25))
    assert run("video", f"http://me:wrong@{server}/secret/film.mp4", "-o", tmp_path / "no.mp4") == 1
    said = "".join(capfd.readouterr())
    assert "pa%3Ass" not in said and "wrong" not in said and "//...@127.0.0.1" in said and "401" in said


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://{}/page/watch", r"/page/watch' holds no video that can be read: it is a web page\."),
        ("http://{}/photo/a.jpg", r"a\.jpg' is a photo, and a video was expected\. Save it first; `realtime-nst image` paints"),
        ("http://{}/list/live.m3u8", r"live\.m3u8' is the list of a stream's pieces, and a film in one file was expected\."),
        ("http://{}/stubborn/a.mp4", r"a\.mp4' broke off 5 times: the connection ended at 0 bytes of \d+\.\d kB\."),
        ("http://{}/camera/video", r"/camera/video' sends pictures without an end, .* `realtime-nst webcam --camera` shows"),
        ("http://{}/zeros/a.mp4", r"a\.mp4' sends something that does not begin as a video does, and does not say how much\."),
        ("http://{}/radio/a.mp4", r"a\.mp4' holds no video that can be read: it is sound and no picture\."),
        ("http://127.0.0.1:9/a.mp4", r"a\.mp4' cannot be fetched: the address does not answer: .*refused\. Check the address\."),
        ("http://:x/a.mp4", r"a\.mp4' cannot be fetched: .*\. Check the address\."),
        ("rtsp://me:pw@host/1", r"'rtsp://\.\.\.@host/1' is no http:// or https:// address of a film\. `realtime-nst webcam"),
    ],
)
def test_address_without_a_film_is_one_line(
    run: Run, server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], address: str, words: str
) -> None:
    assert run("video", address.format(server), "-o", tmp_path / "out.mp4", "--quiet") == 1
    assert re.search(words, one_line(capsys))
    assert list(tmp_path.iterdir()) == []


def test_hosts_that_cannot_be_found_are_told_in_plain_words() -> None:
    """Without asking a name server, which tests need not have."""
    assert no_answer(URLError(socket.gaierror(-2, "Name or service not known"))) == "its host cannot be found"
    assert no_answer(TimeoutError("timed out")) == "the address does not answer: timed out"
    assert no_answer(ValueError("Invalid port")) == "Invalid port"


def test_answer_without_an_end_is_told_of_until_the_user_stops_it(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "NEWS_SECONDS", 0.0)
    address, said = f"http://{server}/news/film.mp4", list[str]()
    assert not fetch(address, place_for(address, tmp_path), said.append, lambda: "2.0 MB" in said[-1])
    assert re.fullmatch(r"2\.0 MB fetched; the server does not say how much is left\. Ctrl-C ends it\.", said[-1])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize("name", ["a." + 300 * "x", "watch." + 120 * "é", ".." + 300 * "y", 300 * "z" + ".mp4"])
def test_names_of_any_length_are_fetched(run: Run, server: str, tmp_path: Path, name: str) -> None:
    assert run("video", f"http://{server}/plain/{name}", "-o", tmp_path / "out.mp4", "--quiet") == 0
    assert numbers(tmp_path / "out.mp4") == list(range(25))
    assert place_for(f"http://{server}/{name}", tmp_path).name.startswith(name.lstrip(".")[:50])
    assert (place_for(f"http://{server}/{name}", tmp_path).suffix == ".mp4") == name.endswith(".mp4")


def test_film_is_not_fetched_twice_for_a_job_that_goes_on(server: str, tmp_path: Path) -> None:
    address = f"http://{server}/plain/film.mp4"
    place, said = place_for(address, tmp_path), list[str]()
    for _ in range(2):
        assert fetch(address, place, said.append, lambda: False)
    assert place.read_bytes() == Server.film and place.name == "film.mp4" and len(said) == len(Server.asked) == 1
    assert place.stat().st_mtime == 0, "fetched again, it is still the same to what tells one job from another"
    other = place_for(f"{address}?take=2", tmp_path)
    assert other != place and not fetch(f"{address}?take=2", other, said.append, lambda: True), "the user has asked to stop"
    assert not other.parent.exists()


@pytest.mark.usefixtures("identity")
def test_interrupted_job_goes_on_with_what_was_fetched(
    run: Run, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from realtime_nst.jobs.film import _Painting

    address, out = f"http://{server}/plain/film.mp4", tmp_path / "out.mp4"
    monkeypatch.setattr("realtime_nst.jobs.workfolder.SEGMENT_FRAMES", 10)
    with monkeypatch.context() as broken:

        def fail(*arguments: object) -> None:
            raise NSTError("no power")

        broken.setattr(_Painting, "_finish", fail)
        assert run("video", address, "-o", out) == 1
    assert place_for(address, tmp_path).exists() and not out.exists()
    assert run("video", address, "-o", out) == 0
    assert len(Server.asked) == 1 and numbers(out) == list(range(25))
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_pipe_takes_a_film_from_an_address(
    run: Run, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("video", f"http://{server}/plain/film.mp4", "-o", "-", "--quiet") == 0
    (tmp_path / "piped.mkv").write_bytes(capfdbinary.readouterr().out)
    assert tracks(tmp_path / "piped.mkv") == ["video h264", "audio aac"]
    assert [path.name for path in tmp_path.iterdir()] == ["piped.mkv"]
