"""What the user wants now, and the one table of keys that window, help and README agree on.

The main thread writes, the stylizing thread reads; every field is replaced in one step, so no lock is needed.
"""

import time
from collections.abc import Sequence
from typing import NamedTuple

from realtime_nst.styles import Style


class Key(NamedTuple):
    """A row of the key table: names of keys, the method of `Controls` they call, and what that does."""

    names: tuple[str, ...]
    action: str
    help: str


KEYS = (
    Key(tuple("123456789"), "choose", "style by number"),
    Key(("n",), "next", "next style"),
    Key(("p",), "previous", "previous style"),
    Key(("space",), "pause", "pause, go on"),
    Key(("m",), "flip", "mirror"),
    Key(("s",), "snapshot", "save a picture"),
    Key(("h",), "help", "show or hide the keys"),
    Key(("q", "esc"), "quit", "quit"),
)
"""The keys inside of the window."""

NOTICE_SECONDS = 2.0


class Controls:
    """The user's wishes.

    Args:
        styles: What the number keys and next/previous choose from.
        style: Where to start; it may be a mix, which is then before the first.
        mirror: Flip frames left to right.
    """

    def __init__(self, styles: Sequence[Style], style: Style | None = None, *, mirror: bool = False) -> None:
        if not styles:
            raise ValueError("styles: at least one was expected.")
        self.styles = list(styles)
        self.style = style or self.styles[0]
        self.mirror = mirror
        self.paused = False
        self.quit = False
        self.show_help = False
        self.snapshots_wanted = 0
        self.changes = 0
        self._notice: tuple[str, float] = ("", 0.0)

    def press(self, name: str | None) -> None:
        """Do what a key means; an unknown key or `None` does nothing."""
        for key in KEYS:
            if name is not None and name in key.names:
                action = getattr(self, f"_{key.action}")
                action(name)
                self.changes += 1

    def leave(self) -> None:
        """Ask to quit."""
        self.quit = True

    def say(self, text: str) -> None:
        """Show a few words for two seconds."""
        self._notice = (text, time.monotonic() + NOTICE_SECONDS)
        self.changes += 1

    @property
    def notice(self) -> str:
        """What to show now; empty after two seconds."""
        text, until = self._notice
        return text if time.monotonic() < until else ""

    @property
    def position(self) -> int:
        """Place of the present style in the list, from 0; -1 for a mix."""
        names = [style.name for style in self.styles]
        return names.index(self.style.name) if self.style.name in names else -1

    def _choose(self, name: str) -> None:
        if int(name) <= len(self.styles):
            self._use(int(name) - 1)

    def _next(self, name: str) -> None:
        self._use((self.position + 1) % len(self.styles))

    def _previous(self, name: str) -> None:
        self._use((max(self.position, 0) - 1) % len(self.styles))

    def _use(self, position: int) -> None:
        self.style = self.styles[position]
        self.say(f"{position + 1}  {self.style.name}")

    def _pause(self, name: str) -> None:
        self.paused = not self.paused

    def _flip(self, name: str) -> None:
        self.mirror = not self.mirror

    def _snapshot(self, name: str) -> None:
        self.snapshots_wanted += 1

    def _help(self, name: str) -> None:
        self.show_help = not self.show_help

    def _quit(self, name: str) -> None:
        self.leave()
