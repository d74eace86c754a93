"""Knobs, faders and pads, through a port that a test turns."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from realtime_nst.control.midi import Midi, default_mapping, read_mapping
from realtime_nst.errors import ControlError
from realtime_nst.live.controls import Controls
from realtime_nst.style.book import StyleBook

mido = pytest.importorskip("mido", reason="mido is not installed: no MIDI")

KNOBS = {"control 1": "strength", "control 2": "stability", "control 3": "scale", "control 4": "wipe", "control 5": "style"}
KNOBS |= {"control 6": "mirror", "control 7": "snapshot", "control 8": "mix", "note 36": "next", "note 37": "colours"}


class Device:
    """A device that a test plays."""

    def __init__(self) -> None:
        self.closed = False
        self.heard: Callable[[Any], None] = lambda message: None

    def open(self, name: str, heard: Callable[[Any], None]) -> "Device":
        self.name, self.heard = name, heard
        return self

    def close(self) -> None:
        self.closed = True

    def turn(self, control: int, value: int) -> None:
        self.heard(mido.Message("control_change", control=control, value=value))

    def hit(self, note: int) -> None:
        self.heard(mido.Message("note_on", note=note, velocity=90))
        self.heard(mido.Message("note_on", note=note, velocity=0))
        self.heard(mido.Message("note_off", note=note))


@pytest.fixture
def controls(book: StyleBook) -> Controls:
    return Controls(list(book.values()))


@pytest.fixture
def device(controls: Controls, tmp_path: Path) -> Device:
    """One whose knobs are known."""
    (tmp_path / "midi.json").write_text(json.dumps(KNOBS))
    played = Device()
    Midi(controls, "nano", tmp_path / "midi.json", open_port=played.open)
    return played


@pytest.mark.parametrize(
    ("control", "values"),
    [
        (1, {0: ("strength", 0.0), 127: ("strength", 1.0)}),
        (2, {0: ("stability", 0), 127: ("stability", 32), 63: ("stability", 16)}),
        (3, {0: ("scale", 0.375), 127: ("scale", 1.0), 50: ("scale", 0.625)}),
        (4, {0: ("wipe", "off"), 64: ("wipe", "half"), 127: ("wipe", "moving")}),
        (5, {0: ("style", "mosaic"), 64: ("style", "scream"), 127: ("style", "wave")}),
        (6, {0: ("mirror", False), 127: ("mirror", True), 63: ("mirror", False)}),
        (8, {127: ("mix", 1.0), 0: ("mix", 0.0)}),
    ],
)
def test_a_knob_goes_from_one_end_to_the_other(
    device: Device, controls: Controls, control: int, values: dict[int, tuple[str, Any]]
) -> None:
    for value, (name, expected) in values.items():
        device.turn(control, value)
        assert controls.state["actions"][name] == expected


def test_a_pad_does_what_a_key_does_once(device: Device, controls: Controls) -> None:
    device.hit(36)
    device.hit(37)
    assert controls.style.name == "scream" and controls.colours
    device.hit(99)
    assert controls.style.name == "scream", "nothing is known of this one"


def test_a_knob_presses_once_on_its_way_up(device: Device, controls: Controls) -> None:
    for value in (10, 64, 90, 127, 80, 20, 70):
        device.turn(7, value)
    assert controls.snapshots_wanted == 2


def test_programs_choose_styles_and_one_too_many_is_said(device: Device, controls: Controls) -> None:
    device.heard(mido.Message("program_change", program=2))
    assert controls.style.name == "wave"
    device.heard(mido.Message("program_change", program=3))
    assert controls.style.name == "wave" and "only 1 to 3" in controls.notice
    device.heard(mido.Message("clock"))


def test_knobs_are_learned_by_touching_them_and_known_in_the_next_show(controls: Controls, tmp_path: Path) -> None:
    played, file = Device(), tmp_path / "new" / "midi.json"
    first = Midi(controls, "nano", file, ["strength", "next"], played.open)
    assert controls.notice == "touch a knob or a pad for 'strength'"
    for value in (5, 6, 7, 8):  # one turn is many messages
        played.turn(20, value)
    assert controls.notice == "touch a knob or a pad for 'next'" and controls.strength == 1.0
    played.hit(40)
    assert controls.notice == "learned 2" and controls.style.name == "mosaic"
    played.turn(20, 0)
    assert controls.strength == 0.0
    first.close()
    assert played.closed and read_mapping(file) == {"control 20": "strength", "note 40": "next"}
    again = Device()
    Midi(controls, "nano", file, open_port=again.open)
    again.turn(20, 127)
    again.hit(40)
    assert controls.strength == 1.0 and controls.style.name == "scream"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "cannot be read"),
        ("[]", "is no table of knobs"),
        ('{"control 7": 3}', "is no table of knobs"),
        ('{"control 7": "strenght"}', "Did you mean 'strength'?"),
    ],
)
def test_a_file_that_says_something_else_is_one_line(controls: Controls, tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "midi.json").write_text(text)
    with pytest.raises(ControlError) as raised:
        Midi(controls, "nano", tmp_path / "midi.json", open_port=Device().open)
    assert words in str(raised.value) and len(str(raised.value).splitlines()) == 1


def test_an_action_that_cannot_be_learned_is_one_line(controls: Controls, tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="No action named 'volume'"):
        Midi(controls, "nano", tmp_path / "midi.json", ["volume"], Device().open)


def test_without_the_packages_it_is_said_what_to_install(controls: Controls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rtmidi", None)
    with pytest.raises(ControlError, match=r"pip install 'realtime-nst\[midi\]'"):
        Midi(controls, "nano", default_mapping())


def test_a_device_that_is_not_there_names_those_that_are(controls: Controls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rtmidi", object())
    monkeypatch.setattr(mido, "get_input_names", lambda: ["nanoKONTROL2 1", "Midi Through"])
    with pytest.raises(ControlError, match=r"No MIDI device 'launchpad'\. Found: nanoKONTROL2 1, Midi Through\."):
        Midi(controls, "launchpad", default_mapping())
    opened: list[str] = []
    monkeypatch.setattr(mido, "open_input", lambda name, callback: opened.append(name) or Device())
    Midi(controls, "NANO", default_mapping())
    assert opened == ["nanoKONTROL2 1"]

    def broken() -> list[str]:
        raise OSError("no sequencer.")

    monkeypatch.setattr(mido, "get_input_names", broken)
    with pytest.raises(ControlError, match=r"MIDI does not work here: no sequencer\. Check"):
        Midi(controls, "nano", default_mapping())
