"""What flags of several commands share: how their values are read, and the flags of a look."""

import argparse
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from realtime_nst.exporting import EXPORT_FORMATS
from realtime_nst.style.look import DEFAULT_STABILITY, STABILITIES

DEFAULT_STYLE = "wave"
POLISH_STEPS = 30


def add_look(parser: Any, default: float | None, colours: bool | None) -> None:
    """The flags of a look, the same in every command that paints.

    Args:
        parser: A parser or a group of its flags.
        default: Strength and texture without their flags; `None` where something else remembers them.
        colours: Likewise whether colours are kept.
    """
    parser.add_argument(
        "--strength", type=number(0, 1), default=default, metavar="X", help="from 0, the photo, to 1, the painting"
    )
    parser.add_argument(
        "--texture",
        type=number(0, 1),
        default=default,
        metavar="X",
        help="strokes where the photo is plain, as on a wall: from 0, few, to 1, all that the style has",
    )
    parser.add_argument(
        "--keep-colours",
        "--keep-colors",
        dest="colours",
        action=argparse.BooleanOptionalAction,
        default=colours,
        help="the style's brush with the photo's colours",
    )


def add_stream(parser: Any, stability: int | None, follow_camera: bool | None) -> None:
    """The flags of those that paint frames one after another.

    Args:
        parser: A parser or a group of its flags.
        stability: Without the flag; `None` where something else remembers it.
        follow_camera: Likewise.
    """
    parser.add_argument(
        "--stability",
        type=lambda text: whole(text, 0, STABILITIES[-1]),
        default=stability,
        metavar="N",
        help=f"hold what changes by less than N of 255, from 0 (nothing) to {STABILITIES[-1]} (usually {DEFAULT_STABILITY})",
    )
    parser.add_argument(
        "--follow-camera",
        action=argparse.BooleanOptionalAction,
        default=follow_camera,
        help="strokes in plain places go along when the camera moves (usual), or stand on the screen",
    )


def add_export(export: Any) -> None:
    """Everything that `export` can be told.

    Args:
        export: Its parser.
    """
    export.add_argument(
        "styles", nargs="*", metavar="STYLE", help="names, or all (usual); with a name beside it, all of its body"
    )
    export.add_argument("--format", choices=EXPORT_FORMATS, required=True, help="what reads it")
    export.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="a new folder")
    export.add_argument("--size", type=size, metavar="WxH", help="size of the pictures (usual: any; litert needs one)")
    export.add_argument("--precision", choices=("float32", "float16"), default="float32", help="of the network (%(default)s)")
    export.add_argument(
        "--input",
        choices=("uint8", "float32"),
        default="uint8",
        help="numbers of the pictures, in and out; float32 is from 0 to 1 (%(default)s)",
    )
    export.add_argument("--baked", action="store_true", help="one style inside of the network, and not as its input")
    export.set_defaults(command=("realtime_nst.cli.export", "export"))


def add_many(parser: Any, what: str) -> None:
    """The flags of those that take folders.

    Args:
        parser: A parser or a group of its flags.
        what: What lies in them, as in "videos".
    """
    parser.add_argument("--recursive", action="store_true", help="look into folders inside folders, too")
    parser.add_argument("--pattern", metavar="GLOB", help=f"names to take from folders, as in 'IMG*' (default: all {what})")
    parser.add_argument("--skip-existing", action="store_true", help="skip what has an output already")


def add_polish(parser: Any) -> None:
    """The flags of optimization that goes on from the network's pictures.

    Args:
        parser: A parser or a group of its flags.
    """
    parser.add_argument(
        "--polish",
        type=lambda text: whole(text, 1, 10_000),
        nargs="?",
        const=POLISH_STEPS,
        metavar="STEPS",
        help=f"go on from the network's picture by optimization (usually {POLISH_STEPS} steps)",
    )
    parser.add_argument(
        "--painting", type=Path, metavar="PATH", help="a picture of the style's painting, or a folder of them by style name"
    )
    parser.add_argument("--vgg-weights", default="imagenet", metavar="imagenet|PATH", help="VGG19 weights (default: download)")


def whole(text: str, lowest: int, highest: int = 1_000_000_000) -> int:
    """A whole number within bounds, or argparse's error."""
    try:
        value = int(text)
    except ValueError:
        value = lowest - 1
    if not lowest <= value <= highest:
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number from {lowest} to {highest}")
    return value


def positive(text: str) -> int:
    """A whole number from 1 on, for argparse."""
    return whole(text, 1)


def natural(text: str) -> int:
    """A whole number from 0 on, for argparse."""
    return whole(text, 0)


def side(text: str) -> int:
    """The side of a picture in pixels, for argparse."""
    return whole(text, 64, 4096)


def number(lowest: float, highest: float) -> Callable[[str], float]:
    """A reader of numbers within bounds, with argparse's error."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not lowest <= value <= highest:  # also for NaN
            raise argparse.ArgumentTypeError(f"'{text}' is no number from {lowest:g} to {highest:g}")
        return value

    return read


def size(text: str) -> tuple[int, int]:
    """Width and height, or argparse's error."""
    from realtime_nst.frames import parse_size

    try:
        return parse_size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def duration(unit: str, least: float) -> Callable[[str], float]:
    """For `add_argument(type=...)`: what reads a duration, of at least so many of a unit."""

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = 0.0
        if not least <= number <= 1e6:
            raise argparse.ArgumentTypeError(f"'{text}' is no number of {unit} from {least:g}")
        return number

    return read


seconds, minutes = duration("seconds", 0.1), duration("minutes", 0.01)


def moment(text: str) -> Fraction:
    """For `add_argument(type=...)`: a moment as in "1:30"."""
    from realtime_nst.frames import parse_moment

    try:
        return parse_moment(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
