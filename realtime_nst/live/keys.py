"""The keys inside of the window, made from the table of actions: window, help and docs/live.md agree on them."""

from typing import NamedTuple

from realtime_nst.live.actions import ACTIONS
from realtime_nst.live.kinds import LESS, MORE, Action, Press

SIGNS = {"10": "0"}
"""What stands on a key that is named otherwise: `0` is the tenth number."""


class Key(NamedTuple):
    """A row of the table: names of keys, the action that they do with these values, and what that does.

    Of two keys in a row the first means less or back, the second more or on.
    """

    names: tuple[str, ...]
    action: str
    values: tuple[int | str | None, ...]
    help: str

    @property
    def label(self) -> str:
        """The keys of the row as the help writes them."""
        signs = [SIGNS.get(name, name) for name in self.names]
        return f"{signs[0]}-{signs[-1]}" if len(signs) > 2 else " ".join(signs)


def _key(action: Action) -> Key:
    names = action.keys
    values: tuple[int | str | None, ...] = (None,) * len(names)
    if len(names) > 2:
        values = tuple(map(int, names))
    elif len(names) == 2 and not isinstance(action, Press):
        values = LESS, MORE
    return Key(names, action.name, values, action.help)


KEYS = tuple(_key(action) for action in ACTIONS if action.keys)
"""All keys, in the order of the help."""
