"""What steers a live show: keys, time, who watches, and outputs that are looked at."""

import time

import pytest

from realtime_nst.live.controls import Controls
from realtime_nst.live.remote import LiveRemote, NoKeyboard
from realtime_nst.live.settings import Settings
from realtime_nst.style.book import StyleBook
from tests.conftest import RecordingSink


@pytest.fixture
def controls(book: StyleBook) -> Controls:
    return Controls(list(book.values()))


class Listening:
    """An output that notes what was wished when it was looked at."""

    def __init__(self, controls: Controls) -> None:
        self.controls = controls
        self.wishes: list[bool] = []

    def check(self) -> None:
        self.wishes.append(self.controls.recording)


def test_without_a_window_no_key_is_pressed_and_the_wait_is_a_real_one(controls: Controls) -> None:
    remote, began = LiveRemote(controls, NoKeyboard()), time.monotonic()
    remote.poll(0.02)
    assert time.monotonic() - began >= 0.02 and not controls.changes and not remote.quit and not remote.idle


def test_outputs_are_looked_at_each_time_and_know_the_key_that_was_just_pressed(controls: Controls) -> None:
    outputs = [Listening(controls), Listening(controls)]
    remote = LiveRemote(controls, RecordingSink(keys={0: "r"}), outputs)
    remote.poll(0.0)
    remote.poll(0.0)
    assert [output.wishes for output in outputs] == [[True, True], [True, True]]


def test_out_of_sight_and_paused_are_idle_and_a_wish_to_leave_is_one_to_quit(controls: Controls) -> None:
    seen = False
    remote = LiveRemote(controls, RecordingSink(keys={0: "space"}), watched=lambda: seen)
    remote.poll(0.0)
    assert remote.idle and controls.paused and not controls.watched
    seen, controls.paused = True, False
    remote.poll(0.0)
    assert not remote.idle and not remote.quit
    remote.leave()
    assert remote.quit


def test_styles_change_by_themselves_while_somebody_watches(book: StyleBook) -> None:
    now, seen = 0.0, False
    controls = Controls(list(book.values()), settings=Settings(cycling=True, cycle=10.0), clock=lambda: now)
    first = controls.style
    remote = LiveRemote(controls, RecordingSink(), watched=lambda: seen)
    now = 11.0
    remote.poll(0.0)
    assert controls.style is first
    seen = True
    remote.poll(0.0)
    assert controls.style is not first
