"""The command `realtime-nst train`: flags to a `Job`, and a progress bar."""

import argparse
import logging
import os
import re
import shlex
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

from realtime_nst.engines.backend import Backend, activate, choose_backend, reaches_gpu
from realtime_nst.errors import TrainingError
from realtime_nst.media.photofiles import is_photo
from realtime_nst.style.book import StyleBook, find_styles, own_style_folder, style_folders
from realtime_nst.style.encoder import encoder_path
from realtime_nst.style.style import Body, Style

from .bar import run_beside, run_with_bar
from .job import Job
from .prediction import predicted
from .recipes import BODY_RECIPE, ENCODER_RECIPE, GALLERY, PAINTINGS, PICTURES, Painting, Recipe, predicted_recipe, vector_recipe

LONGEST_NAME = 60
MOST_STEPS = 10**6
"""Of a run that ends when its time is over."""

log = logging.getLogger(__name__)


def train(options: argparse.Namespace) -> int:
    """Learn styles, with a progress bar; Ctrl-C saves, and the same command goes on later."""
    expand_recipe(options)
    names = style_names(options)
    check_flags(options)
    backend = training_backend()
    job = make_job(options, names)
    if options.cluster is not None:
        return learn_elsewhere(options, job, backend)
    activate(backend)
    if options.coordinator is None:
        return learn_here(options, job, backend)
    from .processes import joined, own_folder

    with joined(options.coordinator, options.process) as number, own_folder(job.output) as output:
        log_dir = None if number else job.log_dir  # only the first has files
        return learn_here(options, replace(job, output=output, log_dir=log_dir), backend, number)


def learn_here(options: argparse.Namespace, job: Job, backend: Backend, number: int = 0) -> int:
    """Learn styles in this process, alone or as one of several that share every step; the first is number 0."""
    if job.pictures and job.frozen and job.body and encoder_path(job.body).exists():
        job = replace(job, start=predicted(job.pictures, job.body, backend))
        length = f"{options.minutes:g} minutes" if options.minutes else f"{job.recipe.steps} steps"
        print(f"It starts where the style encoder says, and takes {length}. --steps changes that.", file=sys.stderr)
    from .trainer import train as run_training

    if number:
        run_beside(partial(run_training, job))
    elif run_with_bar(partial(run_training, job), job.name, job.workshop):
        print(see_it(job), file=sys.stderr)
    return 0


def learn_elsewhere(options: argparse.Namespace, job: Job, backend: Backend) -> int:
    """Have each style learned by a worker of a cluster; Ctrl-C lets all of them save."""
    from .share import learn  # which needs what only `pip install '.[cluster]'` brings

    if learn(options, job, backend):
        print(see_it(job), file=sys.stderr)
    else:
        print(f"Stopped; what was learned is in '{job.output}'. The same command goes on from there.", file=sys.stderr)
    return 0


def see_it(job: Job) -> str:
    """How to see the first style of a finished job."""
    words, known = ["realtime-nst", "webcam", "--style", next(iter(job.pictures), "PICTURE.jpg")], style_folders()
    if job.output not in known:
        words += ["--weights", str(job.output)]
    told = f"See it: `{shlex.join(words)}`."
    if job.teaches_encoder:
        return f"{told} Another lesson begins where '{job.workshop}' is deleted."
    if job.pictures and job.body and job.frozen and job.body.path.parent not in (job.output, *known):
        return f"Copy '{job.body.path}' into '{job.output}': a style needs its body. {told}"
    return told


def expand_recipe(options: argparse.Namespace) -> None:
    """Turn --recipe into the pictures, names and flags that it stands for.

    Raises:
        TrainingError: Pictures are given as well or none at all, a recipe is unknown, or its painting is not there.
    """
    if not options.recipe:
        if options.paintings is not None:
            raise TrainingError("--paintings is for --recipe, which it was not given with. Name the pictures themselves.")
        if not options.pictures and not options.collection:
            raise TrainingError("No picture to learn. Name the file of a painting, or a shipped style with --recipe.")
        return
    if options.pictures or options.name:
        raise TrainingError("--recipe names the pictures itself. Leave out the files and --name, or leave out --recipe.")
    if options.paintings is None:
        raise TrainingError("--recipe needs the paintings. Name their folder with --paintings.")
    if GALLERY in options.recipe:
        if len(options.recipe) > 1:
            raise TrainingError(
                f"--recipe {GALLERY} is all shipped styles on a new body. Leave out the other names, or '{GALLERY}'."
            )
        options.recipe = list(PAINTINGS)
        options.new_body = options.new_body or GALLERY
    unknown = [name for name in options.recipe if name not in PAINTINGS]
    if unknown:
        known = ", ".join(PAINTINGS)
        raise TrainingError(f"No recipe named '{unknown[0]}'. Recipes: {GALLERY} (all of them on a new body), {known}.")
    options.pictures = [
        find_painting(options.paintings, name, wanted=True, otherwise="leave it out of --recipe") for name in options.recipe
    ]
    options.name = options.recipe


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
    if len(set(names)) < len(names):
        raise TrainingError(f"A name occurs twice in {', '.join(names)}. Give --name a different one for each picture.")
    return list(names)


def check_name(name: str, kind: str) -> None:
    """Make sure that a name can be part of a file's name, and of a mix of styles.

    Raises:
        TrainingError: It cannot.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name) or len(name) > LONGEST_NAME:
        raise TrainingError(
            f"'{name}' cannot name a {kind}. Use small letters, digits and hyphens, {LONGEST_NAME} at most, as in "
            f"`--{'new-body' if kind == 'body' else 'name'} my-{kind}`."
        )


def check_flags(options: argparse.Namespace) -> None:
    """Make sure that flags which choose what is trained go together.

    Raises:
        TrainingError: They do not.
    """
    if options.origin and not options.new_body:
        raise TrainingError("--from needs --new-body NAME: the name of the body that grows out of it.")
    if options.body and options.new_body:
        raise TrainingError("--body is for vectors on a body that is there. Leave it out, or use --from BODY with --new-body.")
    if options.collection and not options.new_body and options.pictures:
        raise TrainingError(
            "--collection teaches a style encoder. With pictures it needs --new-body NAME; without any, a body that is there "
            "gets one, or its encoder learns on. Add --new-body NAME, or leave out the pictures."
        )
    if options.new_body and not options.pictures:
        raise TrainingError("--new-body needs pictures to learn. Name the files of one or more paintings.")
    if options.collection and options.cluster:
        raise TrainingError("--cluster trains many styles, and --collection one style encoder. Leave one out.")
    if (options.process is None) != (options.coordinator in (None, "auto")):
        raise TrainingError(
            "--coordinator HOST:PORT and --process I/N go together, as in `--coordinator 192.168.1.5:7000 --process 1/2`. Give "
            "both, or neither. --coordinator auto needs no --process."
        )
    if options.coordinator and options.cluster:
        raise TrainingError("--coordinator trains one body on many machines, --cluster many styles. Leave one out.")
    if options.coordinator and os.environ.get("KERAS_BACKEND") != "jax":
        raise TrainingError("--coordinator needs JAX, which connects the machines. Set KERAS_BACKEND=jax.")
    if options.collection and options.new_body and options.batch and options.batch % 2:
        raise TrainingError(
            f"--batch {options.batch} with --collection: an even number was expected. One half is painted in the styles, the "
            "other after the collection."
        )


def recipe_of(options: argparse.Namespace, body: Body | None = None) -> Recipe:
    """The recipe for a new body, or for vectors on a body, changed by the flags."""
    if options.new_body or body is None:
        recipe = BODY_RECIPE
    elif options.collection:
        recipe = ENCODER_RECIPE
    else:
        known = encoder_path(body).exists() and not (options.minutes or options.steps)
        recipe = (predicted_recipe if known else vector_recipe)(body.architecture)
    changes = {name: getattr(options, name) for name in ("steps", "minutes", "batch", "size", "painting_size", "seed")}
    changes = {name: value for name, value in changes.items() if value is not None}
    if options.minutes and not options.steps:
        changes["steps"] = MOST_STEPS
    if options.style_scales is not None:
        changes["style_scales"] = tuple(sorted(set(options.style_scales)))
    if options.rate is not None:
        changes["learning_rate"] = check_rate(options.rate, recipe)
    for flag, term, least, tried in (("style", "style", 1e-3, "0.3 to 3"), ("stability", "temporal", 0.0, "0 to 3")):
        weight = getattr(options, f"{flag}_weight")
        if weight is None:
            continue
        if not least <= weight < 1e3:
            raise TrainingError(f"--{flag}-weight {weight} is out of range. 1 is the default; try {tried}.")
        changes[term] = getattr(recipe, term) * weight
    return replace(recipe, **changes)


def check_rate(rate: float, recipe: Recipe) -> float:
    """A learning rate from the flags.

    Raises:
        TrainingError: It is out of range.
    """
    if not 0.0 < rate <= 1.0:
        raise TrainingError(f"--rate {rate} is out of range. {recipe.learning_rate:g} is the default; try a fifth to twice.")
    return rate


def make_job(options: argparse.Namespace, names: list[str]) -> Job:
    """What to train and where, from the flags."""
    body, start, relatives = None, {}, []
    if not options.new_body or options.origin:
        of_body = styles_of_body(find_styles(style_folders(options.weights)), options.origin or options.body)
        body = of_body[0].body
        relatives = [style for style in of_body if options.origin or style.name not in names]  # never itself, as it was before
        start = {style.name: style.vector for style in of_body if options.origin and style.name in names}
    given = {key: getattr(options, key) for key in ("title", "artist", "year") if getattr(options, key)}
    if given and len(names) != 1:
        flags = ", ".join(f"--{key}" for key in given)
        raise TrainingError(
            f"{flags} with {len(names)} pictures: one was expected. Leave them out, or train one picture at a time."
        )
    paintings = {}
    for name, path in zip(names, options.pictures):
        known = PAINTINGS[name] if options.recipe else Painting(path.stem)
        if options.painting_size is not None:  # the user knows better than the recipe of a shipped style
            known = replace(known, size=None)
        paintings[name] = replace(known, **given)
    return Job(
        pictures=dict(zip(names, options.pictures)),
        paintings=paintings,
        photos=options.photos,
        output=options.output or own_style_folder(),
        name=options.new_body or "+".join(names)[:LONGEST_NAME] or (f"{body.name}.encoder" if body else ""),
        recipe=recipe_of(options, body),
        vgg_weights=options.vgg_weights,
        body=body,
        frozen=not options.new_body,
        collection=options.collection,
        start=start,
        relatives=relatives,
        precision=precision_of(options.mixed_precision),
        log_dir=options.log_dir,
        licence=options.licence,
    )


def find_painting(folder: Path | None, name: str, wanted: bool, otherwise: str = "leave out --paintings") -> Path | None:
    """The painting of a style: the picture of its name, or of the name in `PICTURES`.

    Args:
        folder: Where paintings are; `None` if none were given.
        name: The style's.
        wanted: Whether the user named the style: a missing painting is then an error, and else a warning.
        otherwise: What else the user can do than to put the painting there.

    Raises:
        TrainingError: No such folder, or no painting of a style that was named.
    """
    if folder is None:
        return None
    if not folder.is_dir():
        raise TrainingError(f"No folder of paintings at '{folder}'. Name one that holds a picture per style with --paintings.")
    stems = [name, *([PICTURES[name]] if name in PICTURES else [])]
    files = sorted(path for path in folder.iterdir() if is_photo(path))
    found = [path for stem in stems for path in files if path.stem.lower() == stem]
    if found:
        return found[0]
    problem = f"No painting of '{name}' in '{folder}'. `{stems[-1]}.jpg` was expected there."
    if wanted:
        raise TrainingError(f"{problem} Name the file so, or {otherwise}.")
    log.warning("%s Its style loss is not measured.", problem)
    return None


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
        choice = "bfloat16" if reaches_gpu(os.environ.get("KERAS_BACKEND", "tensorflow")) else "off"
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
