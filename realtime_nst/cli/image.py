"""The command `image`: which photos, in which order, and what is told about them."""

import argparse
import os
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from realtime_nst import __version__
from realtime_nst.cli import console
from realtime_nst.engines.backend import choose_backend
from realtime_nst.errors import NSTError, StyleError, lacks_memory
from realtime_nst.jobs.outputs import Kind, Task, plan_tasks
from realtime_nst.media.filekinds import check_file, left_out
from realtime_nst.media.photofiles import PHOTO_SUFFIXES
from realtime_nst.media.photos import (
    NOTHING_SAID,
    WRITABLE,
    check_photo_name,
    keeps_alpha,
    on_white,
    read_layers,
    read_remarks,
    write_photo,
)
from realtime_nst.media.results import check_output
from realtime_nst.painting import serving
from realtime_nst.painting.picture_painter import PicturePainter
from realtime_nst.pipeline.interrupt import INTERRUPTED
from realtime_nst.style.book import StyleBook
from realtime_nst.style.look import Look
from realtime_nst.style.style import Style

JPEG_SUFFIXES = (".jfif", ".jif", ".jpe")

POLISHER = ("realtime_nst.train.polish_command", "PolishCommand")
"""What `--polish` needs of training, which nothing here loads without it."""


def image(options: argparse.Namespace) -> int:
    """Paint photos; what goes wrong with one of many does not stop the rest."""
    tasks, several = _plan(options)
    book = console.find_all_styles(options)
    style = book.mix(options.style)
    polisher = _polisher(options, book)
    backend = polisher.backend if polisher else choose_backend(options.backend, options.precision, options.device)
    stylizer = serving.load_stylizer(backend)
    picture_painter = PicturePainter(stylizer, Look(options.strength, float(options.colours), texture=options.texture))
    sources = [task.source for task in tasks]
    painted = skipped = failed = 0
    for task in tasks:
        if options.skip_existing and not task.error and os.path.lexists(task.output):
            skipped += 1
            console.say_skipped(task.output, several=several)
            continue
        try:
            if task.error:
                raise task.error
            if several:
                task.output.parent.mkdir(parents=True, exist_ok=True)
                _check(task, sources, options)
            _paint(task, picture_painter, style, options, polisher)
        except (NSTError, OSError) as error:
            if not several:
                raise
            console.say(f"realtime-nst: {error}")
            failed += 1
        except Exception as error:
            if not lacks_memory(error):
                raise
            console.say(
                f"realtime-nst: '{task.source}' needs more memory than there is. Close other programs, or shrink it first."
            )
            failed += 1
        else:
            painted += 1
            console.say(f"Wrote '{task.output}'.")
        if polisher and polisher.interrupted:
            console.say("Interrupted: it is as far polished as there was time for.")
            break
    if several:
        console.say_summary(painted, skipped, failed, len(tasks) - painted - skipped - failed)
    if polisher and polisher.interrupted:
        return INTERRUPTED
    return 1 if failed else 0


def _polisher(options: argparse.Namespace, book: StyleBook) -> Any:
    """What polishes photos; `None` where nothing is to be polished.

    Raises:
        NSTError: Flags that are of no use together, or what polishing needs is not there.
    """
    if options.polish is None:
        if options.painting is not None:
            raise StyleError("--painting is for --polish, which it was not given with. Add --polish, or leave it out.")
        return None
    module, name = POLISHER
    return getattr(import_module(module), name)(options, book.parts(options.style))


def _plan(options: argparse.Namespace) -> tuple[list[Task], bool]:
    """Which photo becomes which, and whether there are several: then each is checked when its turn comes.

    Raises:
        NSTError: Nothing can be painted as it was asked for.
    """
    several = len(options.inputs) != 1 or options.inputs[0].is_dir()
    if not several:
        check_file(options.inputs[0])
    console.check_choice(options, "photos")
    folder = options.output.endswith(("/", os.sep))
    tasks = plan_tasks(
        options.inputs,
        Path(options.output),
        folder=folder,
        pattern=options.pattern,
        recursive=options.recursive,
        kind=Kind("photo", PHOTO_SUFFIXES, _suffix),
        once=True,
    )
    failed = [task.source for task in tasks if task.error]
    folders = [path for path in dict.fromkeys(options.inputs) if path.is_dir() and path not in failed]
    for path in folders if not options.pattern else []:
        if words := left_out(path, "photo", recursive=options.recursive):
            console.say(words)
    if not several:
        if folder:
            tasks[0].output.parent.mkdir(parents=True, exist_ok=True)
        _check(tasks[0], options.inputs, options)
    return tasks, several


def _check(task: Task, sources: Sequence[Path], options: argparse.Namespace) -> None:
    """Make sure that a photo can be read and its output written, before any work is done.

    Raises:
        NSTError: They cannot, or must not.
    """
    check_file(task.source)
    check_photo_name(task.output)
    paintings = [options.painting] if options.painting else []
    check_output(task.output, sources=[*sources, *paintings], overwrite=options.overwrite or options.skip_existing)


def _paint(task: Task, picture_painter: PicturePainter, style: Style, options: argparse.Namespace, polisher: Any) -> None:
    photo, alpha = read_layers(task.source)
    if alpha is not None and not keeps_alpha(task.output):
        photo, alpha = on_white(photo, alpha), None
        console.say(
            f"'{task.source}' is transparent in places; that becomes white in a {task.output.suffix}. A .png or .webp keeps it."
        )
    software = f"realtime-nst {__version__}"
    remarks = NOTHING_SAID if options.strip else read_remarks(task.source)
    texts = {"Style": style.name, "Software": software}
    picture = picture_painter.paint(photo, style, partial(polisher, name=task.output.name) if polisher else None)
    write_photo(task.output, picture, texts, alpha, software=software, remarks=remarks)


def _suffix(name: Path, container: str | None) -> str:
    """The ending of a painted photo in a folder: the original's where it can be written."""
    if name.suffix.lower() in WRITABLE:
        return name.suffix
    return ".jpg" if name.suffix.lower() in JPEG_SUFFIXES else ".png"
