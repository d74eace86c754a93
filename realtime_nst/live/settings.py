"""`Settings`: how a live show is set, and the file of what a user set by key, with which later shows start."""

import json
import logging
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from realtime_nst.files import whole
from realtime_nst.folders import user_folder
from realtime_nst.style.look import DEFAULT_STABILITY, STABILITIES

log = logging.getLogger(__name__)

SCALES = (0.375, 0.5, 0.625, 0.75, 0.875, 1.0)
"""Shares of the frame's width and height at which the network may work."""
STRENGTHS = TEXTURES = (0.0, 0.25, 0.5, 0.75, 1.0)
FADE_SECONDS, CYCLE_SECONDS = 1.0, 10.0
LONGEST = 3600.0
WIPES = ("", "half", "moving")
"""No line between before and after, one in the middle, one that goes there and back."""


@dataclass(frozen=True)
class Settings:
    """What a user sets for the live show. Each is also a flag of `realtime-nst webcam`.

    Args:
        style: A name or a mix; "" is the default style.
        strength: From 0, the photo, to 1, the painting.
        colours: Keep the photo's colours.
        texture: How much of the style's strokes where the photo is plain, from 0 to 1.
        follow_camera: Whether these strokes go along when the camera moves.
        stability: Grey levels of 255 up to which a pixel holds still; 0 is off.
        scale: Share of the frame's width and height at which the network works; less is larger strokes, and faster.
        fade: Seconds from one style to the next; 0 cuts.
        cycle: Seconds of each style when they change by themselves.
        mirror: Flip left to right.
        display: Show the figures.
        cycling: Whether styles change by themselves.
        wipe: Before and after, one of `WIPES`.
    """

    style: str = ""
    strength: float = 1.0
    colours: bool = False
    texture: float = 1.0
    follow_camera: bool = True
    stability: int = DEFAULT_STABILITY
    scale: float = 1.0
    fade: float = FADE_SECONDS
    cycle: float = CYCLE_SECONDS
    mirror: bool = False
    display: bool = False
    cycling: bool = False
    wipe: str = ""

    def with_flags(self, flags: dict[str, Any]) -> "Settings":
        """These settings, with those of the flags that the user gave (not `None`) in their place."""
        names = {field.name for field in fields(self)}
        return replace(self, **{name: value for name, value in flags.items() if name in names and value is not None})


def remembered(settings: Settings, given: dict[str, Any]) -> list[str]:
    """What changes the picture because it was set in an earlier show, in words.

    Args:
        settings: Of earlier shows.
        given: What the flags of this one set instead.
    """
    usual = Settings()
    words = {
        "style": settings.style,
        "strength": f"strength {settings.strength:.0%}",
        "colours": "your own colours",
        "texture": f"texture {settings.texture:.0%}",
        "follow_camera": "texture stands still",
        "stability": f"stability {settings.stability}",
        "scale": f"painted at {settings.scale:.0%} of the size",
        "mirror": "mirrored",
        "cycling": "changing styles",
        "wipe": "before and after",
    }
    changed = (name for name in words if given.get(name) is None and getattr(settings, name) != getattr(usual, name))
    return [words[name] for name in changed]


LIMITS = {
    "strength": (0.0, 1.0),
    "texture": (0.0, 1.0),
    "stability": (0, STABILITIES[-1]),
    "scale": (SCALES[0], SCALES[-1]),
    "fade": (0.0, LONGEST),
    "cycle": (1.0, LONGEST),
}


def settings_file() -> Path:
    """Where settings are kept: in the folder that `REALTIME_NST_SETTINGS` names, or the user's own."""
    folder = os.environ.get("REALTIME_NST_SETTINGS")
    return Path(folder) / "live.json" if folder else user_folder("config") / "live.json"


def read_settings() -> Settings:
    """What earlier shows left. What is missing, unknown or out of range is left at its default."""
    try:
        found = json.loads(settings_file().read_text("utf-8"))
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        log.warning("'%s' cannot be read (%s); the settings are those of a new user.", settings_file(), error.strerror)
        return Settings()
    except (ValueError, RecursionError):
        log.warning("'%s' is damaged; the settings are those of a new user. `--reset` removes it.", settings_file())
        return Settings()
    defaults = asdict(Settings())
    return Settings().with_flags(
        {
            name: type(defaults[name])(value)
            for name, value in (found.items() if isinstance(found, dict) else ())
            if name in defaults and _fits(name, value, defaults[name])
        }
    )


def keep_settings(chosen: dict[str, Any]) -> None:
    """Keep what was set in a show, by name. All else stays as other shows left it, also those that ended during this one."""
    if chosen:
        write_settings(read_settings().with_flags(chosen))


def write_settings(settings: Settings) -> None:
    """Keep settings for later shows; a disk that refuses costs only the memory of them."""
    path = settings_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as draft:  # two shows may end at once
            draft.write_text(json.dumps(asdict(settings), indent=1), "utf-8")
    except OSError as error:
        log.warning("The settings were not kept: '%s': %s.", path, error.strerror)


def forget_settings() -> None:
    """Let the next show start as that of a new user."""
    with suppress(OSError):
        settings_file().unlink(missing_ok=True)


def _fits(name: str, value: object, default: object) -> bool:
    if name == "wipe":
        return value in WIPES
    if isinstance(default, (bool, str)) or isinstance(value, bool):
        return type(value) is type(default)
    lowest, highest = LIMITS[name]
    return isinstance(value, (int, float)) and lowest <= value <= highest
