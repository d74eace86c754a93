"""Training and evaluation shared among the workers of a cluster: commands for them, and what comes back.

What a worker does is the command that a user could give there: one new style, or a few styles to measure. So all that is
named (photos, paintings, styles, weights, the output) must be in folders that all machines see at the same paths.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from realtime_nst.cluster.commands import Command, share
from realtime_nst.cluster.connection import connected
from realtime_nst.engines.backend import Backend
from realtime_nst.errors import TrainingError
from realtime_nst.pipeline.interrupt import on_interrupt
from realtime_nst.style.style import STYLE_SUFFIX, Style

from .dataset import find_photos
from .job import Job, check_replaced_styles, make_folder, read_painting
from .report import INPUT

TOGETHER = 3
"""Styles that one command measures: its start takes about as long as one of them."""
OWN = {"command", "cluster", "verbose", "pictures", "styles", "name", "recipe", "json", "against", "sheet", "overwrite"}
"""What a worker's command is not told as the client's was."""


def learn(options: argparse.Namespace, job: Job, backend: Backend) -> bool:
    """Have each style of a job learned by itself.

    Args:
        options: The flags of `train`.
        job: All styles together.
        backend: What trains.

    Returns:
        Whether all are learned; what was learned before it was stopped is kept.

    Raises:
        NSTError: Something is missing, or a style could not be learned.
    """
    if not job.frozen:
        raise TrainingError(
            "--cluster shares styles that are learned on a body that is there. A new body is one training: leave out --cluster, "
            "or --new-body."
        )
    find_photos(job.photos)
    for name, path in job.pictures.items():
        read_painting(path, job.paintings[name].size or job.recipe.painting_size)
    check_replaced_styles(job.output, job.body.name if job.body else job.name, job.pictures)
    commands = []
    for name, path in job.pictures.items():
        workshop = replace(job, name=name).workshop.absolute()
        make_folder(workshop)
        what = ["--recipe", name] if options.recipe else [str(path.absolute()), "--name", name]
        log_dir = options.log_dir and options.log_dir / name
        words = ("train", *what, *flags_of(options, output=job.output, log_dir=log_dir))
        commands.append(Command(name, words, {"KERAS_BACKEND": backend.name}, seen=workshop))

    def keep(command: Command, report: str) -> None:
        if not (job.output / f"{command.name}{STYLE_SUFFIX}").exists():
            raise TrainingError("It was stopped before its end.")

    return _shared(options, commands, keep)


def measure(
    options: argparse.Namespace,
    styles: Sequence[Style],
    measured_on: Mapping[str, Any],
    paintings: Mapping[str, Path | None],
    served: Backend,
    backend: Backend,
) -> dict[str, dict[str, Any]] | None:
    """Have styles measured: figures by style, after those of the photos themselves; `None` if that was stopped.

    Args:
        options: The flags of `evaluate`.
        styles: Which.
        measured_on: What the client would measure on.
        paintings: Of each style by name, as far as there are any.
        served: The engine whose rounding is measured.
        backend: What measures.

    Raises:
        NSTError: A style could not be measured.
    """
    rows: dict[str, dict[str, Any]] = {}
    commands = []
    named = {style.name: style.name for style in styles}
    for style in styles:  # what a picture's style is called, only its path tells
        if style.picture is not None and (path := paintings[style.name]) is not None:
            named[style.name] = str(path.absolute())
    for painted in (True, False):
        names = [style.name for style in styles if (paintings[style.name] is not None) == painted]
        together = 1 if options.reference and painted else TOGETHER
        given = {} if painted else {"paintings": None, "reference": 0}
        flags = flags_of(options, backend=served.name, precision=served.precision, **given)
        for first in range(0, len(names), together):
            some = names[first : first + together]
            words = ("evaluate", *(named[name] for name in some), *flags)
            commands.append(Command(", ".join(some), words, {"KERAS_BACKEND": backend.name}, report=True))

    def keep(command: Command, report: str) -> None:
        found = json.loads(report)
        if found["measured_on"] != measured_on:
            raise TrainingError("It sees other photos than this machine. Name folders that all machines share.")
        rows.update(found["styles"])

    if not _shared(options, commands, keep):
        return None
    return {name: rows[name] for name in (INPUT, *(style.name for style in styles))}


def flags_of(options: argparse.Namespace, **changes: Any) -> list[str]:
    """Flags as they were given, with whole paths.

    Args:
        options: All of them.
        changes: Others in their place; `None` leaves one out.
    """
    flags: list[str] = []
    for name, value in {**vars(options), **changes}.items():
        if name in OWN or value is None or value is False:
            continue
        flag = f"--{name.replace('_', '-')}"
        if name == "vgg_weights" and value != "imagenet":
            value = Path(value)
        if value is True:
            flags.append(flag)
        elif isinstance(value, list):
            flags += [flag, *map(str, value)]
        else:
            flags.append(f"{flag}={value.absolute() if isinstance(value, Path) else value}")
    return flags


def _shared(options: argparse.Namespace, commands: Sequence[Command], keep: Callable[[Command, str], None]) -> bool:
    stopping: list[bool] = []
    with (
        on_interrupt(lambda: stopping.append(True)),
        connected(options.cluster) as client,
        tqdm(total=len(commands), unit="command", dynamic_ncols=True) as bar,
    ):

        def kept(command: Command, report: str) -> None:
            keep(command, report)
            bar.update()

        return share(
            client,
            commands,
            keep=kept,
            at_work=lambda busy: bar.set_postfix_str(", ".join(f"{worker}: {what}" for worker, what in sorted(busy.items()))),
            notice=lambda line: bar.write(line, file=sys.stderr),
            stop=lambda: bool(stopping),
        )
