"""The command `styles`: all of them in a table or on a sheet, and pictures kept as styles of the user's own. It prints."""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from realtime_nst.cli.console import find_all_styles, say
from realtime_nst.engines.backend import choose_backend
from realtime_nst.errors import StyleError
from realtime_nst.media.filekinds import check_file
from realtime_nst.media.photos import check_photo_name, read_photo, write_photo
from realtime_nst.media.results import check_output
from realtime_nst.painting import serving
from realtime_nst.painting.sheet import contact_sheet
from realtime_nst.style.book import StyleBook, own_style_folder, unknown_style
from realtime_nst.style.from_picture import is_predicted, style_name
from realtime_nst.style.style import STYLE_SUFFIX, Style, write_style

TILE = 400
"""Longer side of a picture on a sheet, in pixels."""
CHANGES = {"add": 2, "remove": 2, "rename": 3}
"""What can be done with own styles, and the number of words for it."""


def styles(options: argparse.Namespace) -> int:
    """List the styles, paint a sheet of them, or change the user's own."""
    if options.sheet is not None:
        return sheet(options)
    given = [flag for flag in ("output", "overwrite") if getattr(options, flag)]
    change = options.words[0] if options.words else ""
    given += [flag for flag in ("name", "title") if getattr(options, flag) and change != "add"]
    if given:
        options.wrong(f"--{given[0]} is for {'--sheet' if given[0] in ('output', 'overwrite') else '`styles add PICTURE`'}")
    if not change:
        return table(find_all_styles(options))
    if CHANGES.get(change) != len(options.words):
        options.wrong(f"'{' '.join(options.words)}': add PICTURE, remove NAME or rename OLD NEW were expected")
    changes: dict[str, Callable[..., None]] = {"add": add, "remove": remove, "rename": rename}
    changes[change](options, *options.words[1:])
    return 0


def table(book: StyleBook) -> int:
    """Print all styles with their paintings."""
    rows: list[tuple[str, ...]] = [("style", "painting", "artist", "year", "body", "trained")]
    for style in book.values():
        title = style.metadata.get("title") or style.metadata.get("picture", "?")
        facts = [str(fact) for fact in (title, style.metadata.get("artist", "?"), style.metadata.get("year", "?"))]
        learned = f"{style.metadata.get('trained', '?')}, {style.metadata.get('total_steps', '?')} steps"
        rows.append((style.name, *facts, style.body.name, "predicted" if is_predicted(style) else learned))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    return 0


def add(options: argparse.Namespace, picture: str) -> None:
    """Keep a picture as a style."""
    path, book = Path(picture), find_all_styles(options)
    if options.name is not None:
        check_free(options.name, book)
    before = list(book)
    style = book.add_picture(path)
    if style.name in before:
        raise StyleError(f"'{path}' is the style '{style.name}' already. `realtime-nst styles rename` gives it another name.")
    name = options.name or style.name
    write_style(folder_of(options), name, style.vector, style.body, {**style.metadata, **titled(options.title)})
    say(f"Kept as '{name}'. `--style {name}` paints in it." if " " not in name else f"Kept as '{name}'.")


def remove(options: argparse.Namespace, name: str) -> None:
    """Delete a style of the user's own."""
    path = own_file(options, name)
    path.unlink()
    say(f"Removed '{path}'.")


def rename(options: argparse.Namespace, old: str, new: str) -> None:
    """Give a style of the user's own another name."""
    path = own_file(options, old)
    if new.casefold() != path.name.removesuffix(STYLE_SUFFIX).casefold():
        check_free(new, find_all_styles(options))
    path.rename(path.with_name(f"{new}{STYLE_SUFFIX}"))
    say(f"'{old}' is '{new}' now.")


def sheet(options: argparse.Namespace) -> int:
    """Paint a photo in all styles, or in those that are named, on one picture."""
    photo, output = options.sheet, options.output
    if output is None:
        options.wrong("--sheet needs a file to write: add -o sheet.png")
    check_file(photo)
    check_photo_name(output)
    check_output(output, sources=[photo, *map(Path, options.words)], overwrite=options.overwrite)
    book = find_all_styles(options)
    wanted: list[Style] = [book.mix(word) for word in options.words] or book.values()
    small = Image.fromarray(read_photo(photo))
    small.thumbnail((TILE, TILE), Image.Resampling.LANCZOS)
    tile = np.asarray(small)
    stylizer = serving.load_stylizer(choose_backend(options.backend, options.precision))
    pictures = [(photo.name, tile), *((style.name, stylizer.paint(tile, style)) for style in wanted)]
    write_photo(output, contact_sheet(pictures))
    say(f"Wrote '{output}'.")
    return 0


def folder_of(options: argparse.Namespace) -> Path:
    """Where styles are kept and changed: in the folder of `--weights`, or the user's own."""
    folder: Path = options.weights or own_style_folder()
    return folder


def own_file(options: argparse.Namespace, name: str) -> Path:
    """The file of a style that may be changed.

    Raises:
        StyleError: There is none of this name, or it is not the user's.
    """
    folder = folder_of(options)
    path = folder / f"{name}{STYLE_SUFFIX}"
    if style_name(name) == name and path.is_file():
        return path
    book = find_all_styles(options)
    if name in book or name in book.broken:
        raise StyleError(f"'{name}' does not lie in '{folder}', where your own styles are. Shipped styles stay as they are.")
    raise StyleError(unknown_style(name, list(book)))


def check_free(name: str, book: StyleBook) -> None:
    """Make sure that a style can have a name.

    Raises:
        StyleError: It is taken, or would mean something else in a mix or a path.
    """
    if style_name(name) != name:
        raise StyleError(f"'{name}' can be no style's name. Write letters, digits, - or _, as in '{style_name(name)}'.")
    if book.free_name(name) != name:
        raise StyleError(f"There is a style '{name}' already. Choose another name, or remove that one first.")


def titled(title: str | None) -> dict[str, str]:
    """What a style's file says of a title."""
    return {"title": title} if title else {}
