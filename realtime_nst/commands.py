"""What the commands do, except for the live ones in `webcam.py`. With these and `cli.py` the only modules that print."""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from realtime_nst import __version__, serving
from realtime_nst.backend import choose_backend
from realtime_nst.brush import Brush
from realtime_nst.errors import SinkError, SourceError, lacks_memory
from realtime_nst.look import Look
from realtime_nst.photos import check_photo_name, keeps_alpha, read_layers, read_photo, write_photo
from realtime_nst.results import check_output
from realtime_nst.sources import check_file
from realtime_nst.stylebook import StyleBook, find_styles, style_folders


def image(options: argparse.Namespace) -> int:
    """Paint photos."""
    folder = options.output.endswith(("/", os.sep))
    outputs = output_names(options.inputs, Path(options.output), folder=folder)
    for path, output in zip(options.inputs, outputs):
        check_file(path)
        check_photo_name(output)
    if folder:
        Path(options.output).mkdir(parents=True, exist_ok=True)
    for path, output in zip(options.inputs, outputs):
        check_output(output, sources=[path], overwrite=options.overwrite)
    style = find_all_styles(options).mix(options.style)
    stylizer = serving.load_stylizer(choose_backend(options.backend, options.precision))
    brush = Brush(stylizer, Look(options.strength, float(options.colours)))
    remarks = {"Style": style.name, "Software": f"realtime-nst {__version__}"}
    failed = 0
    for path, output in zip(options.inputs, outputs):
        try:
            photo, alpha = read_layers(path)
            if alpha is not None and not keeps_alpha(output):
                photo, alpha = read_photo(path), None
                say(f"'{path}' is transparent in places; that becomes white in a {output.suffix}. A .png or .webp keeps it.")
            write_photo(output, brush.paint(photo, style), remarks, alpha)
        except (SourceError, SinkError) as error:  # one bad photo does not stop the rest
            say(f"realtime-nst: {error}")
            failed += 1
        except Exception as error:
            if not lacks_memory(error):
                raise
            say(f"realtime-nst: '{path}' needs more memory than there is. Close other programs, or shrink it first.")
            failed += 1
        else:
            say(f"Wrote '{output}'.")
    return 1 if failed else 0


def styles(options: argparse.Namespace) -> int:
    """List the styles as a table."""
    rows: list[tuple[str, ...]] = [("style", "painting", "artist", "year", "body", "trained")]
    for style in find_all_styles(options).values():
        facts = [str(style.metadata.get(key, "?")) for key in ("title", "artist", "year")]
        rows.append(
            (
                style.name,
                *facts,
                style.body.name,
                f"{style.metadata.get('trained', '?')}, {style.metadata.get('total_steps', '?')} steps",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    return 0


def find_all_styles(options: argparse.Namespace) -> StyleBook:
    """All styles that the flags allow."""
    return find_styles(style_folders(options.weights))


def output_names(inputs: Sequence[Path], output: Path, *, folder: bool = False) -> list[Path]:
    """Where each photo goes: a file for one, or a folder that keeps their names.

    Args:
        inputs: The photos.
        output: A file or a folder.
        folder: Whether `output` is meant as a folder, even if it does not exist.

    Raises:
        SinkError: Several photos and one file, or two photos of one name.
    """
    folder = folder or output.is_dir()
    if len(inputs) == 1 and not folder:
        return [output]
    if not folder:
        raise SinkError(f"{len(inputs)} photos need a folder, and '{output}' is none. Write '{output}{os.sep}' to create it.")
    names = [output / (path.name if path.suffix.lower() in (".jpg", ".jpeg", ".webp") else f"{path.stem}.png") for path in inputs]
    twice = {str(name) for name in names if names.count(name) > 1}
    if twice:
        raise SinkError(f"Several photos would be written to {', '.join(sorted(twice))}. Paint them one by one.")
    return names


def say(text: str) -> None:
    """Tell the user something that is not a result. A terminal that was closed ends nothing."""
    with suppress(OSError):
        print(text, file=sys.stderr)
