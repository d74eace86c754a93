"""The command `realtime-nst train`: flags to a `Job`, and a progress bar."""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from realtime_nst.backend import Backend, activate, choose_backend, has_nvidia_gpu
from realtime_nst.errors import SinkError, TrainingError
from realtime_nst.interrupt import on_interrupt
from realtime_nst.stylebook import StyleBook, find_styles, own_style_folder, style_folders
from realtime_nst.styles import Style

from .recipes import BODY_RECIPE, NONE, PAINTINGS, VECTOR_RECIPE, Painting, Recipe

if TYPE_CHECKING:
    from .trainer import Job, Progress

LONGEST_NAME = 60


def train(options: argparse.Namespace) -> int:
    """Learn styles, with a progress bar; Ctrl-C saves, and the same command goes on later."""
    names = style_names(options)
    recipe = recipe_of(options)
    activate(training_backend())
    from .trainer import train as run_training

    job = make_job(options, names, recipe)
    stopping: list[bool] = []
    bar: tqdm[None] | None = None

    def report(progress: "Progress") -> None:
        nonlocal bar
        if bar is None:
            print(f"Checkpoints and a preview picture go to '{job.workshop}'. Ctrl-C saves and stops.", file=sys.stderr)
            bar = tqdm(total=progress.steps, initial=progress.step - 1, unit="step", desc=job.name, dynamic_ncols=True)
        bar.set_postfix({key: f"{value:.3f}" for key, value in progress.losses.items()}, refresh=False)
        bar.update()

    try:
        with on_interrupt(lambda: stopping.append(True)):
            written = run_training(job, report=report, stop=lambda: bool(stopping))
    finally:
        if bar is not None:
            bar.close()
    if not written:
        print(f"Stopped and saved in '{job.workshop}'. The same command goes on from there.", file=sys.stderr)
        return 0
    for path in written:
        print(f"Wrote '{path}'.", file=sys.stderr)
    print(f"See it: `realtime-nst webcam --style {names[0]}`.", file=sys.stderr)
    return 0


def style_names(options: argparse.Namespace) -> list[str]:
    """A name per picture: from --name, or from the file's name.

    Raises:
        TrainingError: Too few or too many, one twice, or one that cannot be a file's name or part of a mix.
    """
    names = options.name or [path.stem.lower() for path in options.pictures]
    if len(names) != len(options.pictures):
        raise TrainingError(f"{len(names)} names for {len(options.pictures)} pictures. Give --name one name per picture.")
    for name in names:
        check_name(name, "style")
    if options.new_body is not None:
        check_name(options.new_body, "body")
    if NONE in names:
        raise TrainingError(f"'{NONE}' is the style that is none. Give the picture another name with --name.")
    if options.with_none and not options.new_body:
        raise TrainingError("--with-none needs --new-body NAME: a frozen body cannot learn to give photos back.")
    if len(set(names)) < len(names):
        raise TrainingError(f"A name occurs twice in {', '.join(names)}. Give --name a different one for each picture.")
    return [*names, NONE] if options.with_none else list(names)


def check_name(name: str, kind: str) -> None:
    """Make sure that a name can be part of a file's name, and of a mix of styles.

    Raises:
        TrainingError: It cannot.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name) or len(name) > LONGEST_NAME:
        raise TrainingError(
            f"'{name}' cannot name a {kind}. Use small letters, digits and hyphens, as in `my-{kind}`, {LONGEST_NAME} at most."
        )


def recipe_of(options: argparse.Namespace) -> Recipe:
    """The recipe for a new body or for vectors, changed by the flags."""
    recipe = BODY_RECIPE if options.new_body else VECTOR_RECIPE
    if options.origin and not options.new_body:
        raise TrainingError("--from needs --new-body NAME: the name of the body that grows out of it.")
    changes = {name: getattr(options, name) for name in ("steps", "batch", "size", "painting_size", "seed")}
    changes = {name: value for name, value in changes.items() if value is not None}
    if options.style_weight is not None:
        if not 0 < options.style_weight < 1e3:
            raise TrainingError(f"--style-weight {options.style_weight} is out of range. 1 is the default; try 0.3 to 3.")
        changes["style"] = recipe.style * options.style_weight
    return replace(recipe, **changes)


def make_job(options: argparse.Namespace, names: list[str], recipe: Recipe) -> "Job":
    """What to train and where, from the flags."""
    from .trainer import Job

    body, start = None, None
    if not options.new_body or options.origin:
        of_body = styles_of_body(find_styles(style_folders(options.weights)), options.origin or options.body)
        body = of_body[0].body
        mean: np.ndarray = np.mean([style.vector for style in of_body], axis=0)
        before = {style.name: style.vector for style in of_body} if options.origin else {}
        start = np.stack([before.get(name, mean) for name in names])
    given = {key: getattr(options, key) for key in ("title", "artist", "year") if getattr(options, key)}
    paintings = {}
    pictures: list[Path | None] = [*options.pictures, None] if options.with_none else [*options.pictures]
    for name, path in zip(names, pictures):
        known = PAINTINGS.get(name) or Painting(path.stem if path else name)
        paintings[name] = replace(known, **given) if len(names) == 1 else known
    return Job(
        pictures=dict(zip(names, pictures)),
        paintings=paintings,
        photos=options.photos,
        output=options.output or own_style_folder(),
        name=options.new_body or "+".join(names)[:LONGEST_NAME],
        recipe=recipe,
        vgg_weights=options.vgg_weights,
        body=body,
        frozen=not options.new_body,
        start=start,
        precision=precision_of(options.mixed_precision),
        licence=options.licence,
    )


def styles_of_body(book: StyleBook, name: str | None) -> list[Style]:
    """The trained styles of a body, by its name; without a name, of the body that most styles have.

    Raises:
        TrainingError: No such body.
    """
    bodies = [style.body for style in book.values()]
    wanted = [body for body in bodies if name in (None, body.name)]
    if not wanted:
        known = ", ".join(sorted({body.name for body in bodies}))
        if not known:
            raise TrainingError("No style here has its body, so no vector can be learned. `--new-body NAME` trains a new one.")
        raise TrainingError(f"No body named '{name}'. Bodies: {known}. `--new-body {name}` trains a new one.")
    body = max(wanted, key=bodies.count)
    return [style for style in book.values() if style.body.sha256 == body.sha256]


def precision_of(choice: str) -> str:
    """Keras' dtype policy for a choice of --mixed-precision."""
    if choice == "auto":
        choice = "bfloat16" if has_nvidia_gpu() else "off"
    return "float32" if choice == "off" else f"mixed_{choice}"


def training_backend() -> Backend:
    """TensorFlow, or JAX where `KERAS_BACKEND` says so; Keras' OpenVINO backend cannot train.

    Raises:
        TrainingError: `KERAS_BACKEND` names another one.
    """
    name = os.environ.get("KERAS_BACKEND", "tensorflow")
    if name not in ("tensorflow", "jax"):
        raise TrainingError(f"KERAS_BACKEND={name} cannot train here. Set it to tensorflow or jax.")
    return choose_backend(name, "float32")


def check_result(path: Path, *, sources: Sequence[Path] = (), overwrite: bool = False) -> None:
    """Make sure that a result can be written under this name, and that nothing is lost by it.

    Raises:
        SinkError: It cannot, or must not.
    """
    try:
        if path.is_dir():
            raise SinkError(f"'{path}' is a folder; the name of a file was expected.")
        if any(path.exists() and source.exists() and path.samefile(source) for source in sources):
            raise SinkError(f"'{path}' is a file that is read here. Choose another name for the output.")
        if path.exists() and not overwrite:
            raise SinkError(f"'{path}' exists. Add --overwrite to replace it, or choose another name.")
        if not path.parent.is_dir():
            raise SinkError(f"No folder '{path.parent}' for '{path.name}'. Create it, or choose another place.")
        probe = path.with_name(f".{path.name}.probe")
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise SinkError(f"'{path}' cannot be written: {error.strerror}. Choose another place or name.") from error
