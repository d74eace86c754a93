"""The one table of what can be done to a running show. Keys, HTTP, OSC, MIDI and the page use its names, values and limits.

It changes nothing itself: `Controls.do` does what a row says. A new row is reached from everywhere at once.
"""

from difflib import get_close_matches

from realtime_nst.errors import ControlError
from realtime_nst.live.kinds import LONGEST_SHOWN, Action, Choice, Chosen, Number, Press, Switch, Turn
from realtime_nst.live.settings import LIMITS, LONGEST, SCALES, STRENGTHS, TEXTURES, WIPES
from realtime_nst.style.look import STABILITIES

BALANCES = (0.0, 0.25, 0.5, 0.75)
FADES = (0.5, 1.0, 2.0, 5.0, 10.0)
CYCLES = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)

ACTIONS: tuple[Action, ...] = (
    Chosen(name="style", label="Style", help="style by number", keys=(*"123456789", "10"), group="style"),
    Turn(name="next", label="Next style", help="style before, next", keys=("p", "n"), group="style"),
    Number(
        name="strength", label="Strength", help="less, more of the style", keys=("-", "+"), steps=STRENGTHS,
        words=lambda value: f"strength {value:.0%}" if value else "the photo",
    ),
    Switch(
        name="colours", label="My own colours", help="keep my colours", keys=("c",),
        words=lambda on: "my colours" if on else "the painting's colours",
    ),
    Number(
        name="texture", label="Texture", help="fewer, more strokes in plain places", keys=("g", "t"), steps=TEXTURES,
        words=lambda value: f"texture {value:.0%}" if value else "texture off",
    ),
    Switch(
        name="follow_camera", label="Texture goes with the camera", help="these strokes go with the camera", keys=("v",),
        words=lambda on: "texture goes with the camera" if on else "texture stands still",
    ),
    Number(
        name="scale", label="Fineness", help="larger, finer strokes", keys=(",", "."), steps=SCALES, snaps=True,
        words=lambda value: f"painted at {value:.0%} of the size",
    ),
    Number(
        name="stability", label="Stillness", help="holds still: less, more", keys=("j", "k"), steps=STABILITIES, whole=True,
        words=lambda value: f"stability {value}" if value else "stability off",
    ),
    Chosen(name="other", label="Mixed with", help="which style is mixed in", keys=("o",), group="style"),
    Number(
        name="mix", label="Its share", help="mix with the style before this one", keys=("b",), field="balance", limits=(0.0, 1.0),
        steps=BALANCES, group="style",
    ),
    Switch(
        name="refine", label="Refine", help="make a picture's style better", keys=("u",), field="refining", group="style"
    ),
    Switch(name="cycle", label="Change by itself", help="change styles by itself", keys=("a",), field="cycling", group="time"),
    Number(
        name="cycle_seconds", label="Seconds of each", help="how long each style stays",
        keys=("l",), limits=LIMITS["cycle"], steps=CYCLES, snaps=True, group="time",
    ),
    Switch(name="fade", label="Fade", help="fade or cut to the next style", keys=("d",), field="fading", group="time"),
    Number(
        name="fade_seconds", label="Seconds of a fade", help="seconds from one style to the next", keys=("e",),
        limits=(0.1, LONGEST), steps=FADES, snaps=True, group="time",
    ),
    Choice(
        name="wipe", label="Before and after", help="before and after: half, moving, off", keys=("w",), group="show",
        choices={wipe or "off": wipe for wipe in WIPES},
    ),
    Switch(name="mirror", label="Mirror", help="mirror", keys=("m",), group="show"),
    Switch(name="full_screen", label="Full screen", help="full screen", keys=("f",), group="window"),
    Switch(name="pause", label="Pause", help="pause, go on", keys=("space",), field="paused", group="show"),
    Press(name="snapshot", label="Save a picture", help="save a picture", keys=("s",), group="show"),
    Switch(name="record", label="Record", help="record, stop", keys=("r",), field="recording", group="show"),
    Switch(
        name="display", label="Figures", help="show or hide the figures", keys=("i",), field="show_display", group="window"
    ),
    Switch(name="help", label="Keys", help="show or hide the keys", keys=("h",), field="show_help", group="window"),
    Press(name="quit", label="End the show", help="quit", keys=("q", "esc"), group="show"),
)  # fmt: skip
"""All that can be done, in the order of help and docs."""

BY_NAME = {action.name: action for action in ACTIONS}


def action_named(name: str) -> Action:
    """A row of the table.

    Raises:
        ControlError: There is none of this name.
    """
    if name in BY_NAME:
        return BY_NAME[name]
    close = get_close_matches(name, BY_NAME, 1)
    hint = f" Did you mean '{close[0]}'?" if close else ""
    raise ControlError(f"No action named {name[:LONGEST_SHOWN]!r}.{hint} Actions: {', '.join(BY_NAME)}.")


def table_in_markdown() -> str:
    """The table as docs/control.md has it."""
    rows = ["| name | key | what it does | value |", "|---|---|---|---|"]
    for action in ACTIONS:
        keys = f"`{'` `'.join(action.keys)}`" if action.keys else ""
        keys = "`1` to `0`" if len(action.keys) > 2 else keys
        rows.append(f"| `{action.name}` | {keys} | {action.help} | {action.values} |")
    return "\n".join(rows) + "\n"
