"""What the commands do. Together with `cli.py` the only module that prints."""

import argparse
import sys
import time
from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from realtime_nst import __version__
from realtime_nst.app import run
from realtime_nst.backend import Backend, choose_backend
from realtime_nst.controls import Controls
from realtime_nst.errors import SinkError, SourceError
from realtime_nst.interrupt import on_interrupt
from realtime_nst.overlay import draw_overlay
from realtime_nst.photos import check_photo_name, read_photo, write_photo
from realtime_nst.sinks import FileSink, NullSink, TeeSink, WindowSink, check_output, check_video_output
from realtime_nst.sources import check_file, list_cameras, open_source
from realtime_nst.stats import Stats
from realtime_nst.stylebook import StyleBook, find_styles, style_folders
from realtime_nst.video import Frame, Sink

if TYPE_CHECKING:
    from realtime_nst.stylizer import Stylizer

RECORDING_FPS = 60.0
"""A recording has at most so many frames per second, whatever a camera claims."""


def webcam(options: argparse.Namespace) -> int:
    """Paint a camera until the user quits."""
    if options.output is not None:
        check_video_output(options.output, overwrite=options.overwrite)
    if not options.snapshots.is_dir():
        raise SinkError(f"No folder '{options.snapshots}' for snapshots. Create it, or choose another with --snapshots.")
    book = find_all_styles(options)
    style = book.mix(options.style)
    source = open_source(options.camera, options.size)
    sinks: list[Sink] = []
    tee = TeeSink(sinks)
    try:
        stylizer = load_stylizer(choose_backend(options.backend, options.precision))
        stylizer.prepare([style.body, *book.bodies], source.width, source.height)
        controls = Controls(book.values(), style, mirror=options.mirror)
        stats = Stats()
        if options.no_window:
            sinks.append(NullSink())
        else:
            draw = partial(draw_overlay, controls=controls, stats=stats)
            sinks.append(WindowSink("realtime-nst", source.width, source.height, draw, lambda: controls.changes))
        if options.output is not None:
            rate = Fraction(min(source.fps, RECORDING_FPS)).limit_denominator(1001)
            sinks.append(FileSink(options.output, source.width, source.height, rate, live=True))
        controls.say(f"{style.name}   h shows the keys")
        stylize = stylizer.follow(lambda: controls.style, lambda: controls.mirror)
        save = partial(save_snapshot, options.snapshots, controls)
        with on_interrupt(controls.leave):
            try:
                run(source, stylize, tee, controls, stats, frames=options.frames, save=save)
            finally:
                if stats.frames:  # whatever ended the show, what was recorded of it stays
                    tee.close()
    finally:
        source.close()
        tee.discard()
    say(f"{stats.summary()}.")
    if options.output is not None:
        say(f"Recorded '{options.output}'." if stats.frames else f"No frame came; '{options.output}' was not written.")
    return 0


def image(options: argparse.Namespace) -> int:
    """Paint photos."""
    outputs = output_names(options.inputs, options.output)
    for path, output in zip(options.inputs, outputs):
        check_file(path)
        check_photo_name(output)
        check_output(output, source=path, overwrite=options.overwrite)
    style = find_all_styles(options).mix(options.style)
    stylizer: Stylizer | None = None
    remarks = {"Style": style.name, "Software": f"realtime-nst {__version__}"}
    failed = 0
    for path, output in zip(options.inputs, outputs):
        try:
            photo = read_photo(path)
            stylizer = stylizer or load_stylizer(choose_backend(options.backend, options.precision))
            write_photo(output, stylizer.paint(photo, style), remarks)
        except (SourceError, SinkError) as error:  # one bad photo does not stop the rest
            say(f"realtime-nst: {error}")
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


def cameras(options: argparse.Namespace) -> int:
    """List the cameras that open."""
    found = list_cameras()
    for index, width, height in found:
        print(f"{index}  {width}x{height}")
    if not found:
        say("No camera was found. Plug one in, or try `realtime-nst webcam --camera pattern`.")
    return 0


def find_all_styles(options: argparse.Namespace) -> StyleBook:
    """All styles that the flags allow."""
    return find_styles(style_folders(options.weights))


def load_stylizer(backend: Backend) -> "Stylizer":
    """A `Stylizer` on a backend; Keras is imported when it is needed."""
    from realtime_nst.engine import build_engine
    from realtime_nst.stylizer import Stylizer

    return Stylizer(partial(build_engine, backend=backend))


def output_names(inputs: Sequence[Path], output: Path) -> list[Path]:
    """Where each photo goes: a file for one, or a folder that keeps their names.

    Raises:
        SinkError: Several photos and one file, or two photos of one name.
    """
    if len(inputs) == 1 and not output.is_dir():
        return [output]
    if not output.is_dir():
        raise SinkError(f"{len(inputs)} photos need a folder, and '{output}' is none. Create it, or name one photo.")
    names = [output / (path.name if path.suffix.lower() in (".jpg", ".jpeg", ".webp") else f"{path.stem}.png") for path in inputs]
    twice = {str(name) for name in names if names.count(name) > 1}
    if twice:
        raise SinkError(f"Several photos would be written to {', '.join(sorted(twice))}. Paint them one by one.")
    return names


def save_snapshot(folder: Path, controls: Controls, frame: Frame) -> None:
    """Save the frame on show as a PNG; a full disk is told in the window and does not end the show."""
    name = controls.style.name.replace(":", "-").replace(",", "-")
    path = folder / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}-{frame.index}.png"
    try:
        write_photo(path, frame.image, {"Style": controls.style.name})
    except SinkError as error:
        controls.say("not saved")
        say(str(error))
    else:
        controls.say(f"saved {path.name}")
        say(f"Saved '{path}'.")


def say(text: str) -> None:
    """Tell the user something that is not a result."""
    print(text, file=sys.stderr)
