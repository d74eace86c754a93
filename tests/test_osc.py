"""Open Sound Control, with real packets to a real socket."""

import random
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

from realtime_nst.control.osc import Osc
from realtime_nst.control.places import Place
from realtime_nst.errors import ControlError
from realtime_nst.live.actions import ACTIONS
from realtime_nst.live.controls import Controls
from realtime_nst.live.kinds import Action
from realtime_nst.style.book import StyleBook
from tests.conftest import wait_until
from tests.test_actions import DONE, EXAMPLES

TOKEN = "a-token-of-the-test"


class Desk:
    """A show that is steered by OSC, and what sends to it."""

    def __init__(self, book: StyleBook, host: str) -> None:
        self.controls = Controls(list(book.values()))
        self.osc = Osc(self.controls, Place(host, 0), TOKEN)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def send(self, address: str, *values: Any) -> None:
        self.send_bytes(packet(address, *values))

    def send_bytes(self, data: bytes) -> None:
        self._socket.sendto(data, ("127.0.0.1", self.osc.place.port))

    def heard(self) -> None:
        """Wait until all that was sent before is done."""
        before = self.controls.changes
        self.send(f"{self.osc.root}/display")
        assert wait_until(lambda: self.controls.changes > before)

    def close(self) -> None:
        self._socket.close()
        self.osc.close()


def packet(address: str, *values: Any) -> bytes:
    message = OscMessageBuilder(address)
    for value in values:
        message.add_arg(value)
    return message.build().dgram


@pytest.fixture
def desk(book: StyleBook) -> Iterator[Desk]:
    with closing(Desk(book, "127.0.0.1")) as made:
        yield made


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_every_action_has_an_address(desk: Desk, action: Action) -> None:
    if action.name in EXAMPLES:
        value, told = EXAMPLES[action.name]
        desk.send(f"/nst/{action.name}", value)
        assert wait_until(lambda: desk.controls.state["actions"][action.name] == pytest.approx(told))
    else:
        desk.send(f"/nst/{action.name}")
        assert wait_until(lambda: DONE[action.name](desk.controls))


def test_a_button_presses_once_and_a_fader_gives_numbers_of_any_kind(desk: Desk) -> None:
    for value in (1.0, 0.0, 1, 0):
        desk.send("/nst/snapshot", value)
    desk.send("/nst/style", 2.0)
    desk.send("/nst/stability", 16.0)
    desk.heard()
    assert desk.controls.snapshots_wanted == 2 and desk.controls.style.name == "scream" and desk.controls.stability == 16


def test_bundles_are_done_in_order_and_at_once_whatever_their_time(desk: Desk) -> None:
    bundle = OscBundleBuilder(2_000_000_000.0)  # type: ignore[arg-type]
    for value in (0.25, 0.75):
        message = OscMessageBuilder("/nst/strength")
        message.add_arg(value)
        bundle.add_content(message.build())
    desk.send_bytes(bundle.build().dgram)
    desk.heard()
    assert desk.controls.strength == 0.75


@pytest.mark.parametrize(
    ("address", "values", "words"),
    [
        ("/nst/strength", (7.0,), "7.0 is no value of 'strength'"),
        ("/nst/strength", (0.5, 0.5), "takes one value; 2 came"),
        ("/nst/strenght", (0.5,), "Did you mean 'strength'?"),
        ("/nst/style", ("no-such",), "No style named 'no-such'"),
        ("/nst/strength", (float("nan"),), "nan is no value"),
        ("/nst/mirror", (b"\x00" * 100,), "is no value of 'mirror'"),
    ],
)
def test_mistakes_are_said_in_the_window_and_change_nothing(desk: Desk, address: str, values: Any, words: str) -> None:
    before = desk.controls.settings
    desk.send(address, *values)
    assert wait_until(lambda: words in desk.controls.notice), desk.controls.notice
    assert desk.controls.settings == before


def test_what_is_not_meant_for_it_is_let_be(desk: Desk) -> None:
    for address in ("/strength", "/other/strength", "/nst", "/nststrength", "/"):
        desk.send(address, 0.5)
    desk.send("/nst/colours", True)
    assert wait_until(lambda: desk.controls.colours) and desk.controls.strength == 1.0 and desk.controls.notice == "my colours"


def test_no_packet_ends_it(desk: Desk) -> None:
    rng = random.Random(0)
    good = packet("/nst/strength", 0.5)
    for _ in range(300):
        bad = bytearray(good * rng.randint(1, 3))
        for _ in range(rng.randint(1, 8)):
            bad[rng.randrange(len(bad))] = rng.randrange(256)
        desk.send_bytes(bytes(bad[: rng.randrange(len(bad) + 1)]))
    bundle = b"#bundle\x00" + struct.pack(">Q", 1)
    nested = b""
    for _ in range(3000):  # deeper than Python can go
        nested = bundle + (struct.pack(">i", len(nested)) + nested if nested else b"")
        if len(nested) > 60_000:
            break
    desk.send_bytes(nested)
    desk.send("/nst/colours", True)
    assert wait_until(lambda: desk.controls.colours)
    assert threading.active_count() < 20


def test_where_other_machines_reach_it_the_token_is_part_of_each_address(book: StyleBook) -> None:
    with closing(Desk(book, "0.0.0.0")) as desk:
        assert desk.osc.root == f"/nst/{TOKEN}"
        for address in ("/nst/strength", "/nst/wrong/strength", "/nst//strength", f"/nst/{TOKEN}x/strength"):
            desk.send(address, 0.5)
        desk.heard()
        assert desk.controls.strength == 1.0
        desk.send(f"/nst/{TOKEN}/strength", 0.5)
        desk.heard()
        assert desk.controls.strength == 0.5


def test_a_port_that_is_taken_is_one_line(desk: Desk, book: StyleBook) -> None:
    with pytest.raises(ControlError, match=r"Nothing can listen at 127\.0\.0\.1:\d+: .+ with --osc"):
        Osc(desk.controls, desk.osc.place, TOKEN)


@pytest.mark.usefixtures("identity")
def test_a_show_is_ended_by_a_packet(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ended = threading.Event()

    def knock() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            while not ended.wait(0.05):
                client.sendto(packet("/nst/quit", 1.0), ("127.0.0.1", port))

    thread = threading.Thread(target=knock)
    thread.start()
    try:
        assert run("webcam", "--camera", "pattern", "--size", "64x48", "--no-window", "--frames", 10_000, "--osc", port) == 0
    finally:
        ended.set()
        thread.join()
    assert f"OSC at 127.0.0.1:{port}, as in /nst/strength 0.6" in capsys.readouterr().err
