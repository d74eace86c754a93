"""The command line: flags, exit codes, and the one place that catches `NSTError`.

What a command does is in a module of this package (for `train`, `distil`, `evaluate` and `optimize`: in `train/`), imported when
it runs, so that `--help` is instant. The flags of the live commands are in `live_flags.py`, those of training in
`training_flags.py`, those of several in `arguments.py`.
"""

import argparse
import importlib
import io
import logging
import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path
from typing import Any, NoReturn

from realtime_nst import __version__
from realtime_nst.cli.arguments import (
    DEFAULT_STYLE,
    add_export,
    add_look,
    add_many,
    add_polish,
    add_stream,
    moment,
    natural,
    seconds,
    size,
    whole,
)
from realtime_nst.cli.live_flags import add_checks, add_studio, add_webcam
from realtime_nst.cli.training_flags import add_distil, add_evaluate, add_optimize, add_train
from realtime_nst.engines.backend import BACKENDS, DEVICES, PRECISIONS
from realtime_nst.errors import NSTError, lacks_memory
from realtime_nst.media.addresses import is_address
from realtime_nst.pipeline.interrupt import INTERRUPTED
from realtime_nst.style.look import DEFAULT_STABILITY

CONTAINERS = ("mp4", "mov", "mkv", "webm", "gif")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: Without the program's name; `sys.argv` if `None`.

    Returns:
        The exit code: 0, 1 for what the outside world did wrong, 130 after Ctrl-C. Wrong flags exit with 2.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a title that the terminal cannot write ends no table
    parser = build_parser()
    if not (sys.argv[1:] if arguments is None else arguments):
        parser.print_help(sys.stderr)
        return 2
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO if options.verbose else logging.WARNING, format="%(message)s")
    try:
        module, name = options.command
        command: Callable[[argparse.Namespace], int] = getattr(importlib.import_module(module), name)
        return command(options)
    except NSTError as error:
        print(f"realtime-nst: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("realtime-nst: interrupted.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # whoever read the output has seen enough, as in `| head`
        sys.stdout = None
        return 1
    except OSError as error:
        print(f"realtime-nst: the system refused: {error}. Check rights and free space.", file=sys.stderr)
        return 1
    except Exception as error:
        if not lacks_memory(error):
            raise
        print("realtime-nst: the memory is not enough. Close other programs, or take a smaller size.", file=sys.stderr)
        return 1


class Parser(argparse.ArgumentParser):
    """Tells of a wrong flag in one line, by the command that it was meant for; argparse would write all flags before it."""

    def error(self, message: str) -> NoReturn:
        said = message if message.endswith((".", "?")) else f"{message}."
        self.exit(2, f"realtime-nst: {said} `{self.prog} --help` explains the flags.\n")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        options, unknown = super().parse_known_args(args, namespace)
        if unknown and self._subparsers is None:
            close = get_close_matches(unknown[0].partition("=")[0], self._option_string_actions, 1)
            self.error(f"no flag {unknown[0]}" + (f". Did you mean {close[0]}?" if close else ""))
        return options, unknown


def build_parser() -> argparse.ArgumentParser:
    """All commands and flags."""
    parser = Parser(prog="realtime-nst", description="Paint live video, video files and photos in the style of a painting.")
    parser.add_argument("--version", action="version", version=f"realtime-nst {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    common = Parser(add_help=False)
    common.add_argument("-v", "--verbose", action="store_true", help="say more")

    styled = Parser(add_help=False)
    styled.add_argument("--weights", type=Path, metavar="DIR", help="a folder of styles, searched before the others")

    engine = Parser(add_help=False)
    engine.add_argument("--backend", choices=("auto", *BACKENDS), default="auto", help="engine (default: what suits here)")
    engine.add_argument("--device", choices=("auto", *DEVICES), default="auto", help="what computes (default: the fastest)")
    engine.add_argument("--precision", choices=("auto", *PRECISIONS), default="auto", help="arithmetic (default: the fastest)")

    painting = Parser(add_help=False, parents=[engine])
    painting.add_argument(
        "--style",
        default=DEFAULT_STYLE,
        metavar="STYLE",
        help="a name, a picture, or a mix as in wave:0.6,cat.jpg:0.4 (%(default)s)",
    )
    add_look(painting, 1.0, False)

    add_webcam(commands, [common, styled, engine])
    add_studio(commands, [common, styled, engine])

    video = commands.add_parser("video", parents=[common, styled, painting], help="paint video files")
    _add_video_flags(video)
    video.set_defaults(command=("realtime_nst.cli.video", "video"))

    worker = commands.add_parser("worker", parents=[common, styled, engine], help="work for --cluster on another machine")
    worker.add_argument("scheduler", metavar="SCHEDULER", help="its address, as in tcp://192.168.1.5:8786, or its file")
    worker.add_argument("--name", metavar="NAME", help="its name in messages (default: its address)")
    worker.set_defaults(command=("realtime_nst.cli.worker", "worker"))

    image = commands.add_parser("image", parents=[common, styled, painting], help="paint photos")
    image.add_argument("inputs", nargs="+", type=Path, metavar="IN", help="photos, or folders of them")
    image.add_argument(
        "-o", "--output", required=True, metavar="OUT", help="a PNG, JPEG or WebP file; a folder for several photos"
    )
    image.add_argument("--overwrite", action="store_true", help="replace existing outputs")
    image.add_argument(
        "--strip",
        action="store_true",
        help="leave out the photo's date, place, camera, description and resolution, which are kept otherwise",
    )
    add_polish(image.add_argument_group("polishing, which takes minutes"))
    add_many(image.add_argument_group("many files"), "photos")
    image.set_defaults(command=("realtime_nst.cli.image", "image"))

    _add_styles(commands, [common, styled, engine])

    add_checks(commands, [common], [common, styled, engine])

    bench = commands.add_parser("bench", parents=[common, styled], help="measure the speed on this machine, and its limit")
    bench.add_argument("--backend", choices=("auto", *BACKENDS), default="auto", help="engine (default: the fastest)")
    bench.add_argument("--device", choices=("auto", *DEVICES), default="auto", help="what computes (default: the fastest)")
    bench.add_argument(
        "--precision", nargs="+", choices=("auto", *PRECISIONS), default=["auto"], help="arithmetic, one or several"
    )
    sizes = [(640, 480), (1280, 720)]
    bench.add_argument("--size", nargs="+", type=size, default=sizes, metavar="WxH", help="default: 640x480 1280x720")
    bench.add_argument("--frames", type=_several, default=60, metavar="N", help="frames per round (default: %(default)s)")
    bench.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    bench.add_argument("--chart", type=Path, metavar="FILE", help="draw the figures: a PNG, JPEG or WebP file")
    bench.add_argument("--overwrite", action="store_true", help="replace existing outputs")
    bench.set_defaults(command=("realtime_nst.cli.bench", "bench"))

    add_export(commands.add_parser("export", parents=[common, styled], help="write the network for other programs, as ONNX"))
    add_train(commands, [common, styled])
    add_distil(commands, [common, styled])
    add_evaluate(commands, [common, styled])
    add_optimize(commands, [common])
    return parser


def _add_video_flags(video: argparse.ArgumentParser) -> None:
    """Everything that `video` can be told, in the order of its help."""
    video.add_argument(
        "inputs", nargs="+", type=_film, metavar="IN", help="videos that ffmpeg can decode, folders of them, or http(s) addresses"
    )
    video.add_argument(
        "-o", "--output", required=True, metavar="OUT",
        help="a file (mp4, m4v, mov, mkv, webm, gif, or pictures as in out-%%06d.png), - for a pipe (Matroska), or a folder",
    )  # fmt: skip
    video.add_argument("--overwrite", action="store_true", help="replace existing outputs")
    part = video.add_argument_group("which part, which style")
    part.add_argument("--start", type=moment, default=Fraction(0), metavar="TIME", help="begin here, as in 90 or 1:30")
    part.add_argument("--end", type=moment, metavar="TIME", help="end here")
    part.add_argument("--every", type=seconds, metavar="SECONDS", help="change styles, as in --style wave,kiss --every 5")
    picture = video.add_argument_group("the picture")
    add_stream(picture, DEFAULT_STABILITY, True)
    picture.add_argument("--size", type=size, metavar="WxH", help="scale to this size (default: as it is)")
    picture.add_argument("--codec", metavar="CODEC", help="h264, hevc, av1, vp9, prores, ffv1; auto or h264_nvenc for hardware")
    picture.add_argument(
        "--crf", type=natural, metavar="N", help="quality: lower is better, in larger files (H.264: 0 to 51, usually 18)"
    )
    picture.add_argument("--preset", metavar="NAME", help="speed of the encoder against size (H.264: veryfast)")
    many = video.add_argument_group("many files")
    add_many(many, "videos")
    many.add_argument("--container", choices=CONTAINERS, help="kind of file to write into a folder (default: the original's)")
    stops = video.add_argument_group("interruptions")
    stops.add_argument("--restart", action="store_true", help="throw away what an interrupted command with other flags has left")
    stops.add_argument("--partial", action="store_true", help="after Ctrl-C, also write what there is, as in out.partial.mp4")
    video.add_argument(
        "--cluster", metavar="SCHEDULER",
        help="paint on many machines: address or file of a Dask scheduler, or local, or local:4 for workers here",
    )  # fmt: skip
    news = video.add_argument_group("progress").add_mutually_exclusive_group()
    news.add_argument("--quiet", action="store_true", help="say nothing but errors")
    news.add_argument("--json", action="store_true", help="progress as lines of JSON on standard output")
    video.add_argument("--preview", type=Path, metavar="FILE", help="keep a picture of the latest frame here (PNG, JPEG, WebP)")


def _add_styles(commands: Any, parents: list[argparse.ArgumentParser]) -> None:
    """The command `styles`."""
    styles = commands.add_parser(
        "styles",
        parents=parents,
        help="list the styles; keep a picture as one; paint a sheet of all",
        description="List the styles. `add PICTURE` keeps a picture as a style of your own, `remove NAME` deletes one, and "
        "`rename OLD NEW` gives it another name. `--sheet PHOTO -o OUT` paints a photo in all styles, or in those that are "
        "named, on one picture.",
    )
    styles.add_argument(
        "words", nargs="*", metavar="WORD", help="add PICTURE, remove NAME, rename OLD NEW; with --sheet styles and pictures"
    )
    styles.add_argument("--name", metavar="NAME", help="name of the added style (default: the file's)")
    styles.add_argument("--title", metavar="TEXT", help="title of its painting")
    styles.add_argument("--sheet", type=Path, metavar="PHOTO", help="paint this photo in many styles, to choose by eye")
    styles.add_argument("-o", "--output", type=Path, metavar="OUT", help="the sheet: a PNG, JPEG or WebP file")
    styles.add_argument("--overwrite", action="store_true", help="replace an existing sheet")
    styles.set_defaults(command=("realtime_nst.cli.styles", "styles"), wrong=styles.error)


def _film(text: str) -> Path | str:
    return text if is_address(text) else Path(text)


def _several(text: str) -> int:
    return whole(text, 2)
