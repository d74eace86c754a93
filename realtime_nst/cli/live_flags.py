"""The flags of the live commands. `main.py` puts them together with those of the others."""

import argparse
from pathlib import Path
from typing import Any

from realtime_nst.cli.arguments import add_look, add_stream, number, size, whole
from realtime_nst.control.places import HIGHEST_PORT, Place, parse_place
from realtime_nst.live.settings import CYCLE_SECONDS, FADE_SECONDS, LONGEST, SCALES, WIPES

FASTEST = 240
PORT = 8765


def add_webcam(commands: Any, parents: list[argparse.ArgumentParser]) -> None:
    """The command `webcam`."""
    webcam = commands.add_parser(
        "webcam",
        parents=parents,
        help="paint a camera, live, in a window",
        description="Paint a camera, live, in a window. What keys set there is remembered; flags hold for this show.",
    )
    outputs, control = _add_show(webcam)
    window = outputs.add_mutually_exclusive_group()
    window.add_argument("--full-screen", action="store_true", help="fill the screen")
    window.add_argument("--no-window", action="store_true", help="show nothing, and ignore what is remembered")
    control.add_argument(
        "--http",
        type=_place,
        metavar="[HOST:]PORT",
        help="let pages and programs see and steer it; with a host, as in 0.0.0.0:8080, other machines too, which need the "
        "token in the link that is printed",
    )
    webcam.set_defaults(command=("realtime_nst.cli.webcam", "webcam"), studio=False, kiosk=False)


def add_studio(commands: Any, parents: list[argparse.ArgumentParser]) -> None:
    """The command `studio`."""
    studio = commands.add_parser(
        "studio",
        parents=parents,
        help="paint a camera, live, on a page with thumbnails and sliders",
        description="Paint a camera, live, on a page in this machine's browser: click a style, drag one onto another, move "
        "sliders. What is set there is remembered; flags hold for this show.",
    )
    _, control = _add_show(studio)
    control.add_argument("--port", type=_port, default=PORT, metavar="N", help="of the page (%(default)s; 0 is any free one)")
    control.add_argument(
        "--host",
        metavar="HOST",
        help="let other machines see and steer it too, as in 0.0.0.0; they need the token in the link that is printed",
    )
    control.add_argument(
        "--kiosk", action="store_true", help="open the page for a booth: visitors take pictures, and fetch them with their phones"
    )
    control.add_argument("--no-open", dest="open", action="store_false", help="open no browser")
    studio.set_defaults(command=("realtime_nst.cli.webcam", "studio"), studio=True, no_window=True, full_screen=False)


def _add_show(webcam: argparse.ArgumentParser) -> tuple[Any, Any]:
    """All flags that both have.

    Returns:
        The groups of outputs, and of control from outside.
    """
    webcam.add_argument(
        "--camera",
        default="0",
        metavar="CAMERA",
        help="index, name or a part of it, device path, video file, URL of a stream or of a camera's latest picture, or "
        "`pattern` (default: %(default)s); a file, and a film at a URL, plays at its own rate and starts again at its end; the "
        "show connects again to a live stream that breaks off",
    )
    webcam.add_argument("--size", type=size, metavar="WxH", help="size to ask the camera for (640x480), or to fit a file into")
    webcam.add_argument("--fps", type=_fps, metavar="N", help="hold so many frames per second, by painting smaller when needed")

    look = webcam.add_argument_group("look (keys change it, and what they set is remembered)")
    look.add_argument("--style", metavar="STYLE", help="a name, a picture, or a mix as in wave:0.6,cat.jpg:0.4")
    look.add_argument(
        "--pictures", type=Path, metavar="DIR", help="the pictures in this folder are styles, too, also those that come later"
    )
    look.add_argument(
        "--refine",
        action="store_true",
        help="make the style of a picture better while the show goes on, and keep it as a style of your own",
    )
    look.add_argument(
        "--photos", type=Path, metavar="DIR", help="photos for --refine to learn from (default: the show's own frames)"
    )
    look.add_argument(
        "--vgg-weights", default="imagenet", metavar="imagenet|PATH", help="VGG19 weights for --refine (default: download)"
    )
    add_look(look, None, None)
    add_stream(look, None, None)
    look.add_argument(
        "--scale",
        type=number(SCALES[0], SCALES[-1]),
        metavar="X",
        help=f"paint at this share of the size ({SCALES[0]:g} to 1): larger strokes, and faster",
    )
    look.add_argument(
        "--fade", type=number(0, LONGEST), metavar="S", help=f"seconds between two styles ({FADE_SECONDS:g}; 0 cuts)"
    )
    cycle = look.add_mutually_exclusive_group()
    cycle.add_argument(
        "--cycle",
        type=number(1, LONGEST),
        nargs="?",
        const=0.0,
        metavar="S",
        help=f"change styles by itself every S seconds ({CYCLE_SECONDS:g}, or what --remember kept)",
    )
    cycle.add_argument("--no-cycle", dest="cycling", action="store_const", const=False, help="stay with one style")
    look.add_argument(
        "--wipe", type=_wipe, metavar="off|half|moving", help="the photo to the left of a line, the painting to its right"
    )
    look.add_argument("--mirror", action=argparse.BooleanOptionalAction, help="flip left to right, as a mirror does")
    look.add_argument("--display", action=argparse.BooleanOptionalAction, help="show style, speed and frame age")
    look.add_argument(
        "--remember",
        action="store_true",
        help="have later shows start with these flags, too; without a window, also start with what is remembered",
    )
    look.add_argument("--reset", action="store_true", help="forget what is remembered")

    outputs = webcam.add_argument_group("outputs")
    outputs.add_argument(
        "-o",
        "--output",
        action="append",
        default=[],
        metavar="OUT",
        help="record to a file (.mp4, .m4v, .mov), or stream to rtmp://..., udp://..., srt://...; may be given several times",
    )
    outputs.add_argument("--virtual-camera", action="store_true", help="be a camera for calls and OBS")
    outputs.add_argument("--display-in-output", action="store_true", help="write the text of the window into all of these, too")
    outputs.add_argument("--overwrite", action="store_true", help="replace an existing recording")
    outputs.add_argument("--snapshots", type=Path, default=Path(), metavar="DIR", help="where keys save and record (here)")
    outputs.add_argument("--frames", type=_frames, metavar="N", help="stop after N frames")

    control = webcam.add_argument_group("control from outside (docs/control.md)")
    control.add_argument(
        "--osc",
        type=_place,
        metavar="[HOST:]PORT",
        help="listen to Open Sound Control, as in /nst/strength 0.6",
    )
    control.add_argument("--midi", metavar="DEVICE", help="let knobs and pads of a device steer the show (a part of its name)")
    control.add_argument("--midi-map", type=Path, metavar="FILE", help="which knob does what (default: a file of the user)")
    control.add_argument(
        "--midi-learn",
        type=_names,
        default=(),
        metavar="ACTIONS",
        help="ask for a knob or pad to touch for each of these first, as in strength,mix,next",
    )
    return outputs, control


def add_checks(commands: Any, plain: list[argparse.ArgumentParser], engine: list[argparse.ArgumentParser]) -> None:
    """The commands `cameras` and `doctor`."""
    cameras = commands.add_parser("cameras", parents=plain, help="list the cameras: name, formats, real size and rate")
    cameras.add_argument(
        "--preview", type=Path, nargs="?", const=Path(), metavar="DIR", help="save a picture of each, here or in a folder"
    )
    cameras.set_defaults(command=("realtime_nst.cli.checks", "cameras"))

    doctor = commands.add_parser("doctor", parents=engine, help="check what a live show needs, and how to get what is missing")
    doctor.set_defaults(command=("realtime_nst.cli.checks", "doctor"))


def _frames(text: str) -> int:
    return whole(text, 1)


def _fps(text: str) -> int:
    return whole(text, 1, FASTEST)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _port(text: str) -> int:
    return whole(text, 0, HIGHEST_PORT)


def _place(text: str) -> Place:
    try:
        return parse_place(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _wipe(text: str) -> str:
    known = {wipe or "off": wipe for wipe in WIPES}
    if text not in known:
        raise argparse.ArgumentTypeError(f"'{text}' is none of {', '.join(known)}")
    return known[text]
