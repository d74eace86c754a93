"""The one table of keys: window, help and docs/live.md agree on it."""

from typing import NamedTuple

SIGNS = {"10": "0"}
"""What stands on a key that is named otherwise: `0` is the tenth number."""


class Key(NamedTuple):
    """A row of the table: names of keys, the method of `Controls` they call, and what that does.

    Of two keys in a row the first means less or back, the second more or on.
    """

    names: tuple[str, ...]
    action: str
    help: str

    @property
    def label(self) -> str:
        """The keys of the row as the help writes them."""
        signs = [SIGNS.get(name, name) for name in self.names]
        return f"{signs[0]}-{signs[-1]}" if len(signs) > 2 else " ".join(signs)


KEYS = (
    Key((*"123456789", "10"), "choose", "style by number"),
    Key(("p", "n"), "step_style", "style before, next"),
    Key(("-", "+"), "step_strength", "less, more of the style"),
    Key(("c",), "toggle_colours", "keep my colours"),
    Key((",", "."), "step_scale", "larger, finer strokes"),
    Key(("j", "k"), "step_stability", "holds still: less, more"),
    Key(("b",), "step_balance", "mix with the style before this one"),
    Key(("a",), "toggle_cycle", "change styles by itself"),
    Key(("d",), "toggle_fade", "fade or cut to the next style"),
    Key(("w",), "step_wipe", "before and after: half, moving, off"),
    Key(("m",), "toggle_mirror", "mirror"),
    Key(("f",), "toggle_full_screen", "full screen"),
    Key(("space",), "toggle_pause", "pause, go on"),
    Key(("s",), "snapshot", "save a picture"),
    Key(("r",), "toggle_recording", "record, stop"),
    Key(("i",), "toggle_display", "show or hide the figures"),
    Key(("h",), "toggle_help", "show or hide the keys"),
    Key(("q", "esc"), "quit", "quit"),
)
"""The keys inside of the window."""
