"""A show over HTTP, with real sockets: what it answers, who is let in, and what no client can do to it."""

import asyncio
import http.client
import io
import json
import random
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from PIL import Image

from realtime_nst.control import server as serving
from realtime_nst.control.access import TOKEN_VARIABLE, Access, Bucket, new_token
from realtime_nst.control.channel import LARGEST_MESSAGE, Steered, outside
from realtime_nst.control.pictures import Pictures
from realtime_nst.control.places import Place, parse_place
from realtime_nst.control.server import LARGEST_BODY, MOST_CONNECTIONS, Server
from realtime_nst.errors import ControlError
from realtime_nst.frames import Frame
from realtime_nst.live.actions import ACTIONS
from realtime_nst.live.controls import Controls
from realtime_nst.media.jpeg import jpeg
from realtime_nst.style.book import StyleBook
from tests.conftest import PATIENCE, wait_until
from tests.test_actions import EXAMPLES, WRONG

ROUTES = ("/api/state", "/api/actions", "/api/styles", "/api/socket", "/stream.mjpg", "/api/nothing", "/", "/view")
ROUTES += ("/studio/main.js", "/api/link.svg", "/api/styles/wave/thumbnail.jpg")
ROUTES += ("/api/jobs", "/api/jobs/1/preview", "/api/jobs/1/painted", "/kiosk", "/api/pictures/1/link.svg")
TOKEN = "a-token-of-the-test"


class Hall:
    """A show that is served: wishes, and frames of one grey level each, as a camera would give them.

    Args:
        book: Its styles.
        place: Where it is served.
        beside: What else `Steered` takes.
    """

    def __init__(self, book: StyleBook, place: Place, **beside: Any) -> None:
        self.controls = Controls(list(book.values()))
        self.pictures = Pictures()
        steered = Steered(self.controls, self.pictures, lambda: {"fps": 30.0}, book=book, **beside)
        self.server = Server(steered, place, new_token())
        self.port = self.server.access.place.port
        self.shown = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._play)
        self._thread.start()

    def _play(self) -> None:
        while not self._ended.wait(0.01):
            self.shown += 1
            self.pictures.write(Frame(grey(self.shown), self.shown, time.monotonic()))
            self.server.check()
            self.controls.tick()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self.server.close()

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, Any]:
        """Status and JSON of an answer."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as connection:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def fetch(self, path: str, **headers: str) -> tuple[int, Any, bytes]:
        """Status, headers and body of an answer."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as connection:
            connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

    def act(self, name: str, *values: Any) -> tuple[int, Any]:
        """Do an action, with a value or without."""
        return self.ask(f"/api/actions/{name}", "POST", json.dumps({"value": values[0]} if values else {}).encode())

    def goes_on(self) -> bool:
        """Whether it is still served, and shown."""
        before = self.shown
        return wait_until(lambda: self.ask("/api/state")[0] == 200) and wait_until(lambda: self.shown > before + 2)


def grey(number: int) -> np.ndarray:
    """A picture that tells its number, but for what JPEG adds."""
    return np.full((48, 64, 3), number % 50 * 5, np.uint8)


def level(data: bytes) -> float:
    """The grey level of a JPEG."""
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.format == "JPEG" and picture.size == (64, 48)
        return float(np.asarray(picture).mean())


@pytest.fixture
def make_hall(book: StyleBook) -> Iterator[Callable[..., Hall]]:
    halls: list[Hall] = []

    def make(host: str = "127.0.0.1") -> Hall:
        halls.append(Hall(book, Place(host, 0)))
        return halls[-1]

    yield make
    for hall in halls:
        hall.close()


@pytest.fixture
def hall(make_hall: Callable[..., Hall]) -> Hall:
    return make_hall()


@pytest.fixture
def open_hall(make_hall: Callable[..., Hall], monkeypatch: pytest.MonkeyPatch) -> Hall:
    """One that other machines reach."""
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    return make_hall("0.0.0.0")


def test_every_action_is_done_and_its_state_answered(hall: Hall) -> None:
    status, rows = hall.ask("/api/actions")
    assert status == 200 and [row["name"] for row in rows] == [action.name for action in ACTIONS]
    for row in rows:
        hall.controls.do("style", 1)  # so that none depends on what those before have done
        value, told = EXAMPLES.get(row["name"], (None, None))
        status, state = hall.act(row["name"], value) if row["name"] in EXAMPLES else hall.act(row["name"])
        assert status == 200 and state["actions"].get(row["name"]) == told
    assert hall.controls.quit and hall.controls.snapshots_wanted == 1
    assert hall.ask("/api/state")[1] == {**hall.controls.state, "figures": {"fps": 30.0}}


def test_an_action_without_a_body_does_what_its_key_does(hall: Hall) -> None:
    for expected in (True, False):
        status, state = hall.ask("/api/actions/mirror", "POST")
        assert status == 200 and state["actions"]["mirror"] is expected


def test_styles_are_listed_by_number(hall: Hall) -> None:
    status, styles = hall.ask("/api/styles")
    assert status == 200 and [style["name"] for style in styles] == ["mosaic", "scream", "wave"]
    assert styles[1] == {"number": 2, "name": "scream", "title": "Scream", "artist": "Nobody", "year": "2000", "body": "narrow"}
    for style in styles:
        assert hall.act("style", style["number"])[1]["actions"]["style"] == style["name"]


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_bad_values_are_answered_in_a_line_and_change_nothing(hall: Hall, action: Any) -> None:
    before = hall.controls.state["actions"]
    for value in WRONG[action.kind]:
        status, said = hall.act(action.name, value)
        assert status == 400 and list(said) == ["error"] and len(said["error"].splitlines()) == 1
    assert hall.controls.state["actions"] == before and not hall.controls.quit


BAD_BODIES = [
    *(b"{", b"[]", b"1", b'"x"', b"null", b"\xff\xfe\x00", b"value=1"),
    *(b"[" * 60_000, b'{"value": 1' + b"0" * 5000 + b"}", b'{"val": 0.5}'),
]


@pytest.mark.parametrize("body", BAD_BODIES, ids=range(len(BAD_BODIES)))
def test_bodies_that_are_no_json_object_are_refused(hall: Hall, body: bytes) -> None:
    status, said = hall.ask("/api/actions/strength", "POST", body)
    assert status == 400 and ("JSON" in said["error"] or "'val' means nothing" in said["error"]) and hall.controls.strength == 1.0


def test_what_is_not_there_is_said(hall: Hall) -> None:
    assert hall.ask("/api/nothing") == (404, {"error": "Nothing is at this address. docs/control.md lists what there is."})
    assert hall.act("strenght")[0] == 404 and "Did you mean 'strength'?" in hall.act("strenght")[1]["error"]
    assert hall.ask("/api/state", "DELETE")[0] == 405
    assert hall.ask("/api/actions/..%2f..%2fetc%2fpasswd", "POST")[0] == 404


# Who is let in.


def test_without_a_host_only_this_machine_reaches_it(hall: Hall) -> None:
    own = Place("0.0.0.0", 0).outward()
    if own.startswith("127."):
        pytest.skip("this machine has no other address")
    with pytest.raises(OSError), socket.create_connection((own, hall.port), timeout=5):
        pass
    assert hall.server.access.link == f"http://127.0.0.1:{hall.port}/" and not hall.server.access.token


def test_with_a_host_everything_needs_the_token(open_hall: Hall) -> None:
    assert open_hall.server.access.link.endswith(f":{open_hall.port}/?token={TOKEN}")
    for path in ROUTES:
        for asked in (path, f"{path}?token=wrong", f"{path}?token=", f"{path}?token=%00%ff"):
            status, said = open_hall.ask(asked)
            assert status == 401 and "token is missing or wrong" in said["error"]
    assert open_hall.act("strength", 0.5)[0] == 401 and open_hall.controls.strength == 1.0
    assert open_hall.ask("/api/state", Authorization="Bearer wrong")[0] == 401
    assert open_hall.ask(f"/api/state?token={TOKEN}")[0] == 200
    assert open_hall.ask("/api/state", Authorization=f"Bearer {TOKEN}")[0] == 200
    assert open_hall.ask("/api/state", Cookie=f"realtime-nst-{open_hall.port}={TOKEN}")[0] == 200


def test_a_token_is_long_and_new_each_time(make_hall: Callable[..., Hall], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    tokens = {make_hall("0.0.0.0").server.access.token for _ in range(2)}
    assert len(tokens) == 2 and all(len(token) >= 20 for token in tokens)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "", "localhost.evil.example", "[", "10.1.2.3", "127.0.0.1.nip.io"]
)
def test_names_that_another_site_points_here_are_refused(hall: Hall, host: str) -> None:
    for path in ROUTES:
        status, said = hall.ask(path, Host=host)
        assert status == 403 and "does not go by that name" in said["error"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])
def test_its_own_names_are_known(hall: Hall, host: str) -> None:
    assert hall.ask("/api/state", Host=f"{host}:{hall.port}")[0] == 200


def test_where_others_reach_it_names_are_checked_too(open_hall: Hall) -> None:
    good = {"Authorization": f"Bearer {TOKEN}"}
    assert open_hall.ask("/api/state", Host="evil.example", **good)[0] == 403
    for host in ("192.168.1.2", socket.gethostname(), "localhost"):
        assert open_hall.ask("/api/state", Host=f"{host}:{open_hall.port}", **good)[0] == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "", "http://127.0.0.1", "http://localhost:{port}", "file://"])
def test_pages_of_other_sites_can_neither_steer_nor_watch(hall: Hall, origin: str) -> None:
    origin = origin.format(port=hall.port)  # another name of this machine is another site, too
    for path in ROUTES:
        status, said = hall.ask(path, Origin=origin, Host=f"127.0.0.1:{hall.port}")
        assert status == 403 and "another site" in said["error"]
    assert hall.ask("/api/actions/strength", "POST", b'{"value": 0.5}', Origin=origin)[0] == 403
    assert hall.controls.strength == 1.0
    assert hall.ask("/api/state", Origin=f"http://127.0.0.1:{hall.port}", Host=f"127.0.0.1:{hall.port}")[0] == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_pictures_cannot_be_put_into_pages_of_other_sites(hall: Hall, site: str) -> None:
    for path in ROUTES:
        assert hall.ask(path, Sec_Fetch_Site=site, Sec_Fetch_Dest="image")[0] == 403
    assert hall.ask("/stream.mjpg", Sec_Fetch_Site=site, Sec_Fetch_Dest="document")[0] == 403


def test_answers_say_what_browsers_must_not_do(hall: Hall) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", hall.port, timeout=20)) as connection:
        for path in ("/api/state", "/api/nothing"):
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            assert "frame-ancestors 'none'" in str(answer.headers["Content-Security-Policy"])
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["Server"] == "realtime-nst" and not answer.headers["Access-Control-Allow-Origin"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("saved wave-1.png", "saved wave-1.png"),
        ("'/home/me/show.mp4' is not recorded: no space", "... is not recorded: no space"),
        (r"not at 50%: C:\Users\me\x.xml is gone", "not at 50%: ... is gone"),
        ("connecting to 'rtsp://me:secret@cam/1?key=2' again", "connecting to 'rtsp://...@cam/1?... again"),
        ("a style / another", "a style ... another"),
    ],
)
def test_no_folder_and_no_password_is_told(hall: Hall, words: str, expected: str) -> None:
    assert outside(words) == expected
    hall.controls.say(words)
    assert hall.ask("/api/state")[1]["notice"] == expected


def test_a_link_elsewhere_may_lead_to_the_page_but_no_frame_may_hold_it(hall: Hall) -> None:
    for path, dest, expected in (
        ("/", "document", 200),
        ("/view", "document", 200),
        ("/", "iframe", 403),
        ("/api/state", "document", 403),
    ):
        assert hall.fetch(path, Sec_Fetch_Site="cross-site", Sec_Fetch_Dest=dest)[0] == expected


def test_the_token_of_a_link_becomes_a_cookie_that_scripts_and_other_sites_do_not_get(open_hall: Hall) -> None:
    status, headers, _ = open_hall.fetch(f"/view?token={TOKEN}")
    assert status == 303 and headers["Location"] == "/view"
    cookie = headers["Set-Cookie"]
    assert all(words in cookie for words in ("HttpOnly", "SameSite=Lax", "Path=/")) and TOKEN in cookie
    assert open_hall.fetch("/view", Cookie=cookie.partition(";")[0])[0] == 200
    status, headers, drawn = open_hall.fetch("/api/link.svg", Cookie=cookie.partition(";")[0])
    assert status == 200 and headers["Content-Type"] == "image/svg+xml" and b"<svg" in drawn


def test_a_show_for_this_machine_alone_has_no_link_for_phones(hall: Hall) -> None:
    assert hall.fetch("/api/link.svg")[0] == 404


@pytest.mark.parametrize(
    "name",
    ["../__init__.py", "..%2f__init__.py", "__init__.py", "%2e%2e/%2e%2e/errors.py", "/etc/passwd", "x", ".", "main.js%00"],
)
def test_no_file_but_those_of_the_page_can_be_asked_for(hall: Hall, name: str) -> None:
    status, _, said = hall.fetch(f"/studio/{name}")
    assert status in (400, 404) and list(json.loads(said)) == ["error"]


def test_a_picture_that_is_taken_can_be_fetched_by_its_address_alone(open_hall: Hall) -> None:
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert open_hall.ask("/api/pictures", "POST")[0] == 401
    status, taken = open_hall.ask("/api/pictures", "POST", **bearer)
    assert status == 201 and open_hall.controls.snapshots_wanted == 1
    assert re.fullmatch(r"/taken/[\w-]{16}\.jpg", taken["picture"])
    status, headers, data = open_hall.fetch(taken["picture"])
    assert status == 200 and headers["Content-Type"] == "image/jpeg" and level(data) >= 0
    for other in ("/taken/", "/taken/x.jpg", f"/taken/{'A' * 16}.jpg", "/taken/..%2f..%2fapi%2fstate", "/taken/../api/state"):
        assert open_hall.fetch(other)[0] in (401, 404)
    assert open_hall.fetch(taken["code"])[0] == 401 and b"<svg" in open_hall.fetch(taken["code"], **bearer)[2]
    assert open_hall.fetch(taken["picture"], Host="evil.example")[0] == 403
    assert open_hall.fetch(taken["picture"], Origin="http://evil.example")[0] == 403


def test_only_the_last_pictures_are_kept(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime_nst.control.kiosk.MOST_PICTURES", 2)
    taken = [hall.ask("/api/pictures", "POST")[1] for _ in range(3)]
    assert [hall.fetch(one["picture"])[0] for one in taken] == [404, 200, 200]
    assert {one["code"] for one in taken} == {""}, "phones cannot reach this machine"


def test_the_page_asks_for_nothing_from_elsewhere(hall: Hall) -> None:
    _, _, page = hall.fetch("/")
    names = re.findall(r"/studio/([\w.]+)", page.decode())
    for name in [
        *names,
        "panel.js",
        "keys.js",
        "link.js",
        "gallery.js",
        "jobs.js",
        "cameras.js",
        "kiosk.js",
        "kiosk.css",
        "picture.js",
        "view.js",
    ]:
        status, headers, text = hall.fetch(f"/studio/{name}")
        assert status == 200 and headers["Content-Type"].split(";")[0] in ("text/css", "text/javascript", "image/svg+xml")
        assert not [link for link in re.findall(rb"https?://[\w.]+", text) if link != b"http://www.w3.org"]


# What no client can do.


def test_larger_messages_are_refused(hall: Hall) -> None:
    for body in (b" " * (LARGEST_BODY + 1), b'{"value": "' + b"x" * LARGEST_BODY + b'"}'):
        assert hall.ask("/api/actions/style", "POST", body)[0] == 413
    status, said = hall.ask("/api/state?" + "x" * 9000)
    assert status == 400 and said == {"error": "That is no request of HTTP."}
    assert hall.goes_on()


def test_too_many_requests_wait(hall: Hall) -> None:
    hall.server.access = Access(hall.server.access.place, new_token(), rate=10.0)  # which no machine is too slow to exceed
    with closing(http.client.HTTPConnection("127.0.0.1", hall.port, timeout=20)) as connection:

        def status() -> int:
            connection.request("GET", "/api/state")
            answer = connection.getresponse()
            answer.read()
            return answer.status

        statuses = [status() for _ in range(400)]
        assert statuses[:300] == [200] * 300 and 429 in statuses
        assert wait_until(lambda: status() == 200)
    assert hall.goes_on()


def test_a_bucket_fills_again() -> None:
    now = 0.0
    bucket = Bucket(10.0, 3.0, clock=lambda: now)
    assert [bucket.take() for _ in range(4)] == [0.0, 0.0, 0.0, pytest.approx(0.1)]
    now = 0.1
    assert [bucket.take() for _ in range(2)] == [0.0, pytest.approx(0.1)]
    now = 100.0
    assert [bucket.take() for _ in range(4)].count(0.0) == 3


def test_the_next_connection_is_refused_when_there_are_too_many_and_let_in_when_one_goes(hall: Hall) -> None:
    held = [socket.create_connection(("127.0.0.1", hall.port)) for _ in range(MOST_CONNECTIONS)]

    def status() -> int:
        with suppress(OSError, http.client.HTTPException):
            return hall.ask("/api/state")[0]
        return 0

    assert wait_until(lambda: status() == 503)
    for one in held:
        one.close()
    assert wait_until(lambda: status() == 200) and hall.goes_on()


@pytest.mark.parametrize("sent", [b"", b"GET /api/sta", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Half: "])
def test_half_requests_are_cut_off(make_hall: Callable[..., Hall], monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(serving, "SILENCE", 0.3)
    hall = make_hall()
    with socket.create_connection(("127.0.0.1", hall.port)) as half:
        half.sendall(sent)
        half.settimeout(20)
        assert half.recv(100) == b"", "it is closed"
    assert hall.goes_on()


def test_a_body_that_does_not_come_is_not_waited_for(make_hall: Callable[..., Hall], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime_nst.control.api.BODY_TIMEOUT", 0.3)
    hall = make_hall()
    with socket.create_connection(("127.0.0.1", hall.port)) as half:
        half.sendall(b'POST /api/actions/strength HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20\r\n\r\n{"value"')
        half.settimeout(20)
        assert b" 408 " in half.recv(4096)
    assert hall.controls.strength == 1.0 and hall.goes_on()


def test_no_nonsense_ends_it_and_each_gets_an_error_in_json(hall: Hall) -> None:
    rng = random.Random(0)
    good = (
        b'POST /api/actions/strength HTTP/1.1\r\nHost: localhost\r\nContent-Length: 14\r\nConnection: close\r\n\r\n{"value": 75}'
    )
    for number in range(200):
        sent = bytearray(good)
        for _ in range(rng.randint(1, 12)):
            place = rng.randrange(len(sent))
            way = rng.randrange(3)
            if way == 0:
                sent[place] = rng.randrange(256)
            elif way == 1:
                del sent[place : place + rng.randint(1, 9)]
            else:
                sent[place:place] = bytes(rng.randrange(256) for _ in range(rng.randint(1, 40)))
        with socket.create_connection(("127.0.0.1", hall.port)) as client, suppress(ConnectionError):
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            client.settimeout(20)
            said = b""
            while piece := client.recv(65536):
                said += piece
            if said:  # nothing, where no request was complete
                head, _, body = said.partition(b"\r\n\r\n")
                assert re.match(rb"HTTP/1\.[01] 4\d\d ", head), (number, sent, said)
                assert list(json.loads(body.partition(b"HTTP/1.")[0])) == ["error"], (number, sent, said)
    assert hall.controls.strength == 1.0 and hall.goes_on()


# Pictures.


async def with_socket(hall: Hall, use: Callable[[aiohttp.ClientWebSocketResponse], Any], **headers: str) -> Any:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"http://127.0.0.1:{hall.port}/api/socket", headers=headers) as connection,
    ):
        async with asyncio.timeout(60):
            return await use(connection)


async def told(connection: aiohttp.ClientWebSocketResponse, what: str) -> Any:
    """The next message of a kind."""
    while True:
        message = await connection.receive_json()
        if what in message:
            return message[what]


async def picture(connection: aiohttp.ClientWebSocketResponse) -> bytes:
    """The next picture."""
    await connection.send_json({"ask": "frame"})
    while True:
        message = await connection.receive()
        if message.type == aiohttp.WSMsgType.BINARY:
            return bytes(message.data)
        assert message.type == aiohttp.WSMsgType.TEXT, message


def test_a_socket_tells_what_is_set_and_what_changes_whoever_does_it(hall: Hall) -> None:
    async def use(connection: aiohttp.ClientWebSocketResponse) -> None:
        assert (await told(connection, "state"))["actions"]["strength"] == 1.0
        await connection.send_json({"action": "strength", "value": 0.25})
        assert (await told(connection, "state"))["actions"]["strength"] == 0.25
        await asyncio.to_thread(hall.act, "colours", True)
        assert (await told(connection, "state"))["actions"]["colours"] is True
        hall.controls.press("m")
        while not (await told(connection, "state"))["actions"]["mirror"]:
            pass
        assert (await told(connection, "figures"))["fps"] == 30.0

    asyncio.run(with_socket(hall, use))


def test_a_socket_answers_nonsense_and_goes_on(hall: Hall) -> None:
    async def use(connection: aiohttp.ClientWebSocketResponse) -> None:
        for text in ("", "{", "[]", "7", '{"action": 7}', '{"ask": "all"}', '{"action": "strength", "value": 9}', "[" * 9000):
            await connection.send_str(text)
            assert (await told(connection, "error")).endswith(".")
        await connection.send_bytes(b"\x00\xff")
        assert "JSON" in await told(connection, "error")
        await connection.send_json({"action": "mirror"})
        while not (await told(connection, "state"))["actions"]["mirror"]:
            pass

    asyncio.run(with_socket(hall, use))
    assert hall.controls.strength == 1.0


def test_a_socket_is_closed_at_a_message_that_is_too_large_and_the_others_stay(hall: Hall) -> None:
    async def use(connection: aiohttp.ClientWebSocketResponse) -> int | None:
        await connection.send_str(" " * (LARGEST_MESSAGE + 1))
        while (await connection.receive()).type not in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED):
            pass
        return connection.close_code

    assert asyncio.run(with_socket(hall, use)) == 1009 and hall.goes_on()


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Host": "evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_sockets_of_other_sites_are_refused(hall: Hall, headers: dict[str, str]) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        asyncio.run(with_socket(hall, lambda connection: connection.receive(), **headers))


def test_a_socket_needs_the_token_too(open_hall: Hall) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
        asyncio.run(with_socket(open_hall, lambda connection: connection.receive()))
    state = asyncio.run(with_socket(open_hall, lambda connection: told(connection, "state"), Authorization=f"Bearer {TOKEN}"))
    assert state["actions"]["strength"] == 1.0


def test_pictures_are_the_newest_however_slowly_they_are_asked_for(hall: Hall) -> None:
    async def use(connection: aiohttp.ClientWebSocketResponse) -> list[int]:
        late = []
        for pause in (0.0, 0.0, 0.3, 0.0, 0.5):
            await asyncio.sleep(pause)
            asked_at = hall.shown
            shown = level(await picture(connection))
            late.append(min(range(asked_at - 1, asked_at + 50), key=lambda number: abs(number % 50 * 5 - shown)) - asked_at)
        return late

    assert min(asyncio.run(with_socket(hall, use))) >= -1, "none was old when it was asked for"


def test_nothing_is_encoded_while_nobody_looks(hall: Hall) -> None:
    assert wait_until(lambda: hall.shown > 20)
    assert hall.pictures.encoded == 0 and not hall.pictures.watched
    asyncio.run(with_socket(hall, lambda connection: told(connection, "figures")))
    assert hall.pictures.encoded == 0 and not hall.pictures.watched, "figures alone are no looking"
    asyncio.run(with_socket(hall, picture))
    count = hall.pictures.encoded
    assert count >= 1 and wait_until(lambda: not hall.pictures.watched)
    before = hall.shown
    assert wait_until(lambda: hall.shown > before + 20) and hall.pictures.encoded <= count + 1


def parts(connection: socket.socket, count: int) -> list[bytes]:
    """Pictures of a stream of them."""
    file, found = connection.makefile("rb"), []
    while len(found) < count:
        line = file.readline()
        assert line, "the stream has ended"
        if line.lower().startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
            file.readline()
            found.append(file.read(length))
    return found


def test_a_stream_of_pictures_moves(hall: Hall) -> None:
    with socket.create_connection(("127.0.0.1", hall.port)) as client:
        client.settimeout(20)
        client.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        levels = [level(data) for data in parts(client, 5)]
    assert len({round(value) for value in levels}) == 5


def test_a_client_that_stops_reading_costs_no_memory_and_holds_up_nobody(
    book: StyleBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime_nst.control.api.STALLED", 2.0)
    sent: list[int] = []
    noise = [jpeg(np.random.default_rng(seed).integers(0, 256, (480, 640, 3), np.uint8), 95) for seed in range(3)]  # 0.5 MB

    def encode(image: np.ndarray) -> bytes:
        sent.append(len(noise[0]))
        return noise[len(sent) % 3]

    hall = Hall(book, Place("127.0.0.1", 0))
    hall.pictures._encode = encode
    try:
        with socket.create_connection(("127.0.0.1", hall.port)) as lazy, socket.socket() as stream:
            lazy.sendall(
                b"GET /api/socket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
            )
            ask = b'{"ask": "frame"}'
            lazy.sendall((bytes([0x81, 0x80 | len(ask), 0, 0, 0, 0]) + ask) * 300)  # and reads none of them
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
            stream.connect(("127.0.0.1", hall.port))
            stream.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
            stream.settimeout(20)

            async def others(connection: aiohttp.ClientWebSocketResponse) -> None:
                for _ in range(100):
                    assert len(await picture(connection)) in map(len, noise)

            before = hall.shown
            asyncio.run(with_socket(hall, others))
            assert hall.shown > before + 100, "and the show goes on"

            def cut() -> bool:
                """The stream is closed after what the system held of it."""
                with suppress(OSError):
                    while stream.recv(1_000_000):
                        held.append(1)
                return True

            held: list[int] = []
            began = time.monotonic()
            while time.monotonic() - began < 3.0:  # longer than it may take nothing
                assert wait_until(lambda: hall.goes_on())
            assert cut() and len(held) * 1_000_000 < 100 * len(noise[0])
    finally:
        hall.close()


def test_fifty_clients_see_the_same_picture_encoded_once(hall: Hall) -> None:
    async def everyone() -> None:
        async def look(connection: aiohttp.ClientWebSocketResponse) -> None:
            for _ in range(5):
                await picture(connection)

        await asyncio.gather(*(with_socket(hall, look) for _ in range(50)))

    asyncio.run(everyone())
    assert 5 <= hall.pictures.encoded < 150 and hall.goes_on()


def test_a_mistake_of_ours_ends_an_answer_and_not_the_show(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("realtime_nst.control.api.styles_of", lambda controls: 1 / 0)
    assert hall.ask("/api/styles") == (500, {"error": "Something went wrong here. The show goes on."})
    assert "ZeroDivisionError" in caplog.text and hall.goes_on()


# Places.


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("8080", "127.0.0.1", 8080), ("0.0.0.0:1", "0.0.0.0", 1), ("[::1]:65535", "::1", 65535), (":80", "127.0.0.1", 80)],
)
def test_places_are_read(text: str, host: str, port: int) -> None:
    assert parse_place(text) == Place(host, port)


@pytest.mark.parametrize("text", ["", "host", "host:", "65536", "-1", "1.5", "::1:80", "a b:80", "٣"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no place to listen at"):
        parse_place(text)


def test_a_port_that_is_taken_and_a_host_of_another_machine_are_one_line(hall: Hall, book: StyleBook) -> None:
    steered = Steered(Controls(list(book.values())), Pictures(), dict)
    with pytest.raises(ControlError, match=rf"Nothing can listen at 127\.0\.0\.1:{hall.port}: .+\. Choose another .+ --http"):
        Server(steered, Place("127.0.0.1", hall.port), "")
    with pytest.raises(ControlError, match=r"Nothing can listen at 192\.0\.2\.1:0"):
        Server(steered, Place("192.0.2.1", 0), "")


def test_loopback_is_known() -> None:
    assert all(Place(host, 1).loopback for host in ("127.0.0.1", "127.1.2.3", "::1", "localhost"))
    assert not any(Place(host, 1).loopback for host in ("0.0.0.0", "::", "192.168.1.2", "here.example"))


# The command.


@pytest.mark.usefixtures("identity")
def test_a_show_without_a_window_is_seen_steered_and_ended_from_outside(
    run: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def ask(path: str, body: bytes | None = None) -> Any:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
            connection.request("GET" if body is None else "POST", path, body)
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            return json.loads(answer.read())

    def answers(path: str, body: bytes | None = None) -> bool:
        # The show has not begun, another program has the port for a moment, or there were too many requests.
        with suppress(OSError, http.client.HTTPException, ValueError, AssertionError):
            ask(path, body)
            return True
        return False

    def comes(condition: Callable[[], bool], seconds: float = PATIENCE) -> bool:
        return wait_until(condition, seconds, pause=0.05)  # not more often, as a show answers only so many requests

    def moves(seconds: float) -> bool:
        before = ask("/api/state")["figures"]["frames"]
        return comes(lambda: ask("/api/state")["figures"]["frames"] > before + 5, seconds)

    def outsider() -> tuple[list[bytes], bool]:
        assert comes(lambda: answers("/api/state"))
        try:
            ask("/api/actions/snapshot", b"{}")
            assert comes(lambda: "saved" in ask("/api/state")["notice"])
            assert comes(lambda: not moves(0.3)), "nothing is painted for nobody"
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.settimeout(PATIENCE)
                client.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
                pictures = parts(client, 4)
            ask("/api/actions/record", b'{"value": true}')
            recorded = comes(lambda: any(tmp_path.glob(".*.mp4"))) and moves(PATIENCE)
            ask("/api/actions/record", b'{"value": false}')
            assert comes(lambda: any(tmp_path.glob("*.mp4")))
            return pictures, recorded
        finally:
            assert comes(lambda: answers("/api/actions/quit", b"{}"))

    flags = ("--camera", "pattern", "--size", "64x48", "--no-window", "--http", port, "--snapshots", tmp_path)
    with ThreadPoolExecutor(1) as outside_of_it:
        seen = outside_of_it.submit(outsider)
        code = run("webcam", *flags)
        pictures, recorded = seen.result()
    said = capsys.readouterr().err
    assert code == 0 and f"See and steer it at http://127.0.0.1:{port}/" in said
    assert len(set(pictures)) == 4 and len(list(tmp_path.glob("*.png"))) == 1
    assert recorded and len(list(tmp_path.glob("*.mp4"))) == 1
    assert len(list(tmp_path.iterdir())) == 2, "nothing else is written"


def test_wrong_places_are_wrong_flags(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run("webcam", "--http", "here")
    assert ended.value.code == 2 and "'here' is no place to listen at" in capsys.readouterr().err


def test_pictures_without_opencv_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    with_opencv = np.asarray(Image.open(io.BytesIO(jpeg(image))), float)
    monkeypatch.setattr("realtime_nst.media.jpeg.has_opencv", lambda: False)
    without = np.asarray(Image.open(io.BytesIO(jpeg(image))), float)
    assert np.abs(with_opencv - without).mean() < 2 and np.abs(without - image).mean() < 30
