"""What commands share. It prints, as only this package does."""

import argparse
import sys
from contextlib import suppress
from pathlib import Path

from realtime_nst.engines.backend import choose_backend
from realtime_nst.errors import SourceError
from realtime_nst.media.photos import read_reduced
from realtime_nst.painting import serving
from realtime_nst.style.book import StyleBook, find_styles, style_folders
from realtime_nst.style.from_picture import PictureStyles


def find_all_styles(options: argparse.Namespace) -> StyleBook:
    """All styles that the flags allow, and those of pictures that are named by their paths."""
    encode = serving.load_encoder(lambda: choose_backend(options.backend))
    return find_styles(style_folders(options.weights), PictureStyles(read_reduced, encode))


def check_choice(options: argparse.Namespace, what: str) -> None:
    """Make sure that there is a folder for the flags that choose among its files.

    Raises:
        SourceError: There is none.
    """
    if (options.pattern or options.recursive) and not any(path.is_dir() for path in options.inputs):
        raise SourceError(f"--pattern and --recursive choose among the {what} of a folder, and none is given. Leave them out.")


def say_skipped(output: Path, *, several: bool) -> None:
    """Tell that there is nothing to do for a file; of several the summary counts those."""
    if not several:
        say(f"'{output}' exists; nothing to do.")


def say_summary(painted: int, skipped: int, failed: int, left: int = 0) -> None:
    """Tell what came of many files."""
    rest = f", {left} not begun or not finished" if left else ""
    say(f"{painted} painted, {skipped} skipped, {failed} failed{rest}.")


def say(text: str) -> None:
    """Tell the user something that is not a result. A terminal that was closed ends nothing."""
    with suppress(OSError):
        print(text, file=sys.stderr)
