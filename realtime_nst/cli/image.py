"""The command `image`: which photos, in which order, and what is told about them."""

import argparse
import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from realtime_nst import __version__
from realtime_nst.cli import console
from realtime_nst.engines.backend import MOST_AT_ONCE, choose_backend, cores
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
from realtime_nst.media.picturefile import pixels_of
from realtime_nst.media.remarks import Remarks
from realtime_nst.media.results import check_output
from realtime_nst.painting import serving
from realtime_nst.painting.picture_painter import PicturePainter
from realtime_nst.pipeline.interrupt import INTERRUPTED, on_interrupt
from realtime_nst.pipeline.overlapped import overlapped
from realtime_nst.style.book import StyleBook
from realtime_nst.style.look import Look
from realtime_nst.style.style import Style

log = logging.getLogger(__name__)

JPEG_SUFFIXES = (".jfif", ".jif", ".jpe")

PIXELS_EACH = 25_000_000
"""For each thread, of all photos that are read, painted and written at the same time; each takes 8 bytes or so for a pixel,
beside what painting takes."""

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
    look = Look(options.strength, float(options.colours), texture=options.texture)
    steps = _Steps(options, [task.source for task in tasks], several, style, PicturePainter(stylizer, look), polisher)
    threads = min(cores(), MOST_AT_ONCE) if several and not polisher else 1
    painted = skipped = failed = 0
    stopping = threading.Event()

    def wanted() -> Iterator[_Photo]:
        nonlocal skipped
        for task in tasks:
            if options.skip_existing and not task.error and os.path.lexists(task.output):
                skipped += 1
                console.say_skipped(task.output, several=several)
            else:
                yield _Photo(task)

    with on_interrupt(stopping.set) if several else nullcontext():
        for photo, end in overlapped(
            wanted(),
            steps.read,
            steps.paint,
            steps.write,
            at_once=threads,
            weigh=lambda photo: pixels_of(photo.task.source),
            limit=threads * PIXELS_EACH,
            stop=stopping.is_set,
        ):
            error = end.exception()
            for tell in photo.told:
                tell()
            if error is None:
                painted += 1
                console.say(f"Wrote '{photo.task.output}'.")
            elif several and (words := _reason(photo.task, error)):
                failed += 1
                console.say(f"realtime-nst: {words}")
            else:
                raise error
            if polisher and polisher.interrupted:
                console.say("Interrupted: it is as far polished as there was time for.")
                break
    left = len(tasks) - painted - skipped - failed
    if left and stopping.is_set():
        raise KeyboardInterrupt
    if several:
        console.say_summary(painted, skipped, failed, left)
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


@dataclass
class _Photo:
    """A photo on its way."""

    task: Task
    told: list[Callable[[], None]] = field(default_factory=list)
    """What tells something of it, when its turn comes."""
    alpha: np.ndarray | None = None
    remarks: Remarks = NOTHING_SAID

    def notice(self, *words: object) -> None:
        """Keep what is told as `logging.warning` would."""
        self.told.append(partial(log.warning, *words))


@dataclass
class _Steps:
    """What a photo goes through."""

    options: argparse.Namespace
    sources: Sequence[Path]
    several: bool
    style: Style
    picture_painter: PicturePainter
    polisher: Any

    def read(self, photo: _Photo) -> np.ndarray:
        """The picture; that its output can be written is made sure of before."""
        task = photo.task
        if task.error:
            raise task.error
        if self.several:
            task.output.parent.mkdir(parents=True, exist_ok=True)
            _check(task, self.sources, self.options)
        picture, photo.alpha = read_layers(task.source, photo.notice)
        if photo.alpha is not None and not keeps_alpha(task.output):
            picture, photo.alpha = on_white(picture, photo.alpha), None
            words = f"that becomes white in a {task.output.suffix}. A .png or .webp keeps it."
            photo.told.append(partial(console.say, f"'{task.source}' is transparent in places; {words}"))
        if not self.options.strip:
            photo.remarks = read_remarks(task.source)
        return picture

    def paint(self, photo: _Photo, picture: np.ndarray) -> np.ndarray:
        polish = partial(self.polisher, name=photo.task.output.name) if self.polisher else None
        return self.picture_painter.paint(picture, self.style, polish)

    def write(self, photo: _Photo, painting: np.ndarray) -> None:
        software = f"realtime-nst {__version__}"
        texts = {"Style": self.style.name, "Software": software}
        said: dict[str, Any] = {"remarks": photo.remarks, "notice": photo.notice}
        write_photo(photo.task.output, painting, texts, photo.alpha, software=software, **said)


def _reason(task: Task, error: BaseException) -> str:
    """What is told of a photo that could not be painted, while the others are; nothing where the mistake is our own."""
    if isinstance(error, NSTError | OSError):
        return str(error)
    if lacks_memory(error):
        return f"'{task.source}' needs more memory than there is. Close other programs, or shrink it first."
    return ""


def _suffix(name: Path, container: str | None) -> str:
    """The ending of a painted photo in a folder: the original's where it can be written."""
    if name.suffix.lower() in WRITABLE:
        return name.suffix
    return ".jpg" if name.suffix.lower() in JPEG_SUFFIXES else ".png"
