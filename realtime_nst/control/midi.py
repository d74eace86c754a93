"""`Midi`: knobs, faders and pads of a MIDI device do actions. Which does which is in a file, and learned by touching them."""

import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from realtime_nst.errors import ControlError, SinkError
from realtime_nst.folders import user_folder
from realtime_nst.live.actions import action_named
from realtime_nst.live.controls import Controls
from realtime_nst.live.kinds import Chosen, Press, Turn
from realtime_nst.media.results import written_whole

log = logging.getLogger(__name__)

MISSING = "MIDI needs two more packages: `pip install 'realtime-nst[midi]'`."
HIGHEST = 127
TIME_TO_READ = 3600.0
"""Seconds for which the window asks for a touch; the next words take its place."""


class Port(Protocol):
    """A device that is open."""

    def close(self) -> None:
        """Listen to it no more."""


Opener = Callable[[str, Callable[[Any], None]], Port]


class Midi:
    """Do what a device says, on the thread that its driver calls from.

    Args:
        controls: What it changes.
        device: Its name, or a part of it.
        mapping: The file: a JSON object from "control 7" or "note 36" to the name of an action.
        learn: Actions to learn first, one after another.
        open_port: Opens a device by its name, and calls with each of its messages, as mido has them.

    Raises:
        ControlError: No such device, no MIDI here, or a file that says something else.
    """

    def __init__(
        self, controls: Controls, device: str, mapping: Path, learn: Sequence[str] = (), open_port: Opener | None = None
    ) -> None:
        self._controls, self._file = controls, mapping
        self._mapping = read_mapping(mapping)
        self._learning = [action_named(name).name for name in learn]
        self._learned: set[str] = set()
        self._high: set[str] = set()
        self._port = (open_port or open_device)(device, self._hear)
        self._ask()

    def close(self) -> None:
        """Listen no more."""
        self._port.close()

    def _hear(self, message: Any) -> None:
        try:
            if message.type == "control_change":
                self._touched(f"control {message.control}", message.value / HIGHEST)
            elif message.type == "note_on" and message.velocity:
                self._touched(f"note {message.note}", None)
            elif message.type == "program_change":
                self._controls.do("style", message.program + 1)
        except ControlError as error:
            self._controls.say(str(error))

    def _touched(self, key: str, share: float | None) -> None:
        """Learn a knob or pad, or do its action. A share is how far a knob is turned; a pad has none."""
        if key in self._learned and self._learning:
            return  # it is still being turned
        if self._learning:
            self._mapping[key] = self._learning.pop(0)
            self._learned.add(key)
            write_mapping(self._file, self._mapping)
            self._ask()
        elif (name := self._mapping.get(key)) is not None:
            self._do(key, name, share)

    def _do(self, key: str, name: str, share: float | None) -> None:
        action = action_named(name)
        if share is None:
            self._controls.do(name)
        elif isinstance(action, Chosen):
            self._controls.do(name, 1 + round(share * (len(self._controls.styles) - 1)))
        elif isinstance(action, (Press, Turn)):  # once for each way up
            before = key in self._high
            (self._high.add if share >= 0.5 else self._high.discard)(key)
            if share >= 0.5 and not before:
                self._controls.do(name)
        else:
            self._controls.do(name, action.at(share))

    def _ask(self) -> None:
        if self._learning:
            self._controls.say(f"touch a knob or a pad for '{self._learning[0]}'", TIME_TO_READ)
        elif self._learned:
            self._controls.say(f"learned {len(self._learned)}")


def default_mapping() -> Path:
    """The user's own file, which need not exist."""
    return user_folder("config") / "midi.json"


def read_mapping(path: Path) -> dict[str, str]:
    """Actions by what is touched; empty where there is no file.

    Raises:
        ControlError: It is damaged, or names an action that is none.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise ControlError(f"'{path}' cannot be read: {error}. Mend it, or remove it and learn again.") from error
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found.values()):
        raise ControlError(f'\'{path}\' is no table of knobs. Expected is JSON as in {{"control 7": "strength"}}.')
    for name in found.values():
        action_named(name)
    return found


def write_mapping(path: Path, mapping: dict[str, str]) -> None:
    """Keep what was learned; a disk that refuses costs only the memory of it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as draft:
            draft.write_text(json.dumps(mapping, indent=1), "utf-8")
    except (OSError, SinkError) as error:
        log.warning("What was learned is not kept: %s", error)


def open_device(device: str, heard: Callable[[Any], None]) -> Port:
    """A device of this machine.

    Args:
        device: Its name, or a part of it, in any letters.
        heard: Called with each message, on a thread of the driver.

    Raises:
        ControlError: There is none, or no MIDI.
    """
    try:
        import mido
        import rtmidi  # noqa: F401
    except ImportError as error:
        raise ControlError(MISSING) from error
    try:
        names: list[str] = mido.get_input_names()
        name = next((name for name in names if device.casefold() in name.casefold()), None)
        if name is not None:
            port: Port = mido.open_input(name, callback=heard)
            return port
    except Exception as error:  # of the driver, which has errors of its own
        raise ControlError(f"MIDI does not work here: {error} Check that the system has a sound driver.") from error
    raise ControlError(f"No MIDI device '{device}'. Found: {', '.join(names) or 'none'}.")
