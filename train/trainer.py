"""The training run: checks, steps, checkpoints, and the style files at the end.

It never loses work: it saves checkpoints from which it continues exactly, and stops cleanly when asked. It does
not know command lines or progress bars.
"""

import dataclasses
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from realtime_nst.architecture import Architecture
from realtime_nst.stage import Stage
from realtime_nst.styles import Style, hash_body, write_body, write_style

from .checkpoint import load_checkpoint, save_checkpoint
from .dataset import Batch, PhotoBatches, find_photos
from .job import Job, check_replaced_body, fingerprint_of, make_folder, read_painting
from .model import TERMS, StyleModel, build_model, kernels_of
from .recipes import Recipe
from .recovery import LastGood
from .sampler import choose_styles
from .watch import Watch

CHECKPOINT_EVERY = 50
FIGURE_BATCHES = 4

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Progress:
    """What the loop reports after each step: `losses` by term, and the share of time spent waiting for photos."""

    step: int
    steps: int
    losses: Mapping[str, float]
    waiting: float


def train(
    job: Job, *, report: Callable[[Progress], None] = lambda progress: None, stop: Callable[[], bool] = lambda: False
) -> list[Path]:
    """Run a job to its end, or until it is asked to stop; a later call continues where it stopped.

    Args:
        job: What to train.
        report: Called after each step.
        stop: Asked after each step; True saves a checkpoint and returns.

    Returns:
        The files written; empty when stopped early.

    Raises:
        TrainingError: Something is missing or unusable (said before the first step), or the loss goes astray again and again.
        StyleError: The output folder cannot be written.
    """
    photos = find_photos(job.photos)
    pictures = {
        name: read_painting(path, job.paintings[name].size or job.recipe.painting_size) for name, path in job.pictures.items()
    }
    make_folder(job.workshop)
    model = build_model(
        job.recipe,
        list(pictures.values()),
        vgg_weights=job.vgg_weights,
        emphasis=[(job.paintings[name].emphasis, job.paintings[name].stability) for name in pictures],
        body=job.body,
        frozen=job.frozen,
        precision=job.precision,
    )
    origins = choose_starts(job, model)
    fingerprint = fingerprint_of(job, pictures)
    file = job.workshop / "checkpoint.h5"
    step, seconds, returns = load_checkpoint(file, model, fingerprint)
    if step < job.recipe.steps:
        check_replaced_body(job)
    good = LastGood(model, step, returns)

    batches = PhotoBatches(photos, batch=job.recipe.batch, size=job.recipe.size, seed=job.recipe.seed, motion=job.recipe.motion)
    watch = Watch(job.workshop, photos, job.recipe, step, job.log_dir)
    due = False  # a checkpoint; while a loss is high, it waits
    while step < job.recipe.steps:
        with Stage(map(batches, range(step, job.recipe.steps)), keep="all", name="photos") as stage:
            while step < job.recipe.steps:
                started = time.perf_counter()
                batch: Any = stage.get()
                fetched = time.perf_counter()
                losses = take_step(model, job.recipe, step, batch, good.rate)
                step += 1
                ended = time.perf_counter()
                seconds += ended - started
                report(Progress(step, job.recipe.steps, losses, (fetched - started) / max(ended - started, 1e-9)))
                stopping = stop()
                due = due or stopping or step % CHECKPOINT_EVERY == 0 or step == job.recipe.steps
                astray = good.astray(losses["loss"]) or (step == job.recipe.steps and ends_astray(good, model, job, batches))
                if astray or (due and good.settled and not good.keep(step)):
                    step, due = good.restore(step, losses["loss"]), False
                    break  # the photos come anew from there
                watch.step(step, losses)
                if due and good.settled:
                    save_checkpoint(file, model, fingerprint, step, seconds, good.returns)
                    watch.save(step, model)
                    due = False
                    if stopping and step < job.recipe.steps:
                        return []
    how = {
        "recipe": job.recipe.to_dict(),
        "total_steps": job.recipe.steps + steps_before(job),
        "photos": len(photos),
        "photos_skipped": len(batches.skipped),
        "returns": good.returns,
        "hours": round(seconds / 3600, 2),
        "backend": keras.config.backend(),
        "licence": job.licence,
    }
    figures = figures_of(job, model, photos)
    own = {
        name: {"figures": figures[name], "signature": model.signature(index), "started_from": origins.get(name)}
        for index, name in enumerate(job.pictures)
    }
    return write_results(job, model, how, own)


def choose_starts(job: Job, model: StyleModel) -> dict[str, str]:
    """Set the start of every style's vector, and tell the name of the style that it came from."""
    vectors, origins = np.array(ops.convert_to_numpy(model.vectors)), {}
    for index, name in enumerate(job.pictures):
        if name in job.start:
            vectors[index], origins[name] = job.start[name], name
        elif job.relatives:
            relative = most_similar(model.signature(index), job.relatives)
            vectors[index], origins[name] = relative.vector, relative.name
    model.vectors.assign(vectors)
    return origins


def most_similar(signature: Sequence[float], relatives: Sequence[Style]) -> Style:
    """The style whose painting is most like another one, by the cosine of their signatures; the first if none has any."""

    def likeness(style: Style) -> float:
        known = style.metadata.get("signature", ())
        return float(np.dot(signature, known)) if len(known) == len(signature) else -1.0

    return max(relatives, key=likeness)


def take_step(model: StyleModel, recipe: Recipe, step: int, batch: Batch, rate: float) -> dict[str, float]:
    """One step of training; the sum of the loss and its terms.

    Args:
        model: What is trained.
        recipe: The numbers.
        step: Steps done before.
        batch: Photos.
        rate: What the recipe's learning rate is multiplied by.
    """
    styles = choose_styles(step, recipe.batch, ops.convert_to_numpy(model.lag), recipe.seed)
    model.optimizer.learning_rate = rate * recipe.rate(step)
    model.reset_metrics()
    logs = model.train_on_batch(x={**batch, "styles": styles}, return_dict=True)
    return {name: float(logs[name]) for name in ("loss", *TERMS)}


def ends_astray(good: LastGood, model: StyleModel, job: Job, batches: PhotoBatches) -> bool:
    """Whether a run has gone astray whose last loss is high: the photos tell that would come next, without being learned."""
    step = job.recipe.steps
    while not good.settled:
        if good.astray(measure(model, job.recipe, step, batches(step))["loss"]):
            return True
        step += 1
    return False


def measure(model: StyleModel, recipe: Recipe, step: int, batch: Batch) -> dict[str, float]:
    """The loss and its terms with the photos and styles of a step, from which nothing is learned."""
    styles = choose_styles(step, recipe.batch, ops.convert_to_numpy(model.lag), recipe.seed)
    model.reset_metrics()
    logs = model.test_on_batch(x={**batch, "styles": styles}, return_dict=True)
    return {name: float(logs[name]) for name in ("loss", *TERMS)}


def steps_before(job: Job) -> int:
    """Steps that a new body's origin has behind it; 0 for a body from random weights and for a frozen one."""
    if job.body is None or job.frozen:
        return 0
    facts = job.body.metadata
    return int(facts.get("total_steps") or facts.get("recipe", {}).get("steps", 0))


def figures_of(job: Job, model: StyleModel, photos: Sequence[Path]) -> dict[str, dict[str, float]]:
    """The terms of the loss for each style, on the same new crops of photos for all.

    Returns:
        By style name and term; relative, so that styles and runs compare.
    """
    batches = PhotoBatches(
        photos, batch=job.recipe.batch, size=job.recipe.size, seed=job.recipe.seed + 2, motion=job.recipe.motion
    )
    figures = {}
    for index, name in enumerate(job.pictures):
        sums = dict.fromkeys(TERMS, 0.0)
        for number in range(FIGURE_BATCHES):
            styles = np.full(job.recipe.batch, index, np.int32)
            model.reset_metrics()
            logs = model.test_on_batch(x={**batches(number), "styles": styles}, return_dict=True)
            sums = {term: total + float(logs[term]) for term, total in sums.items()}
        figures[name] = {term: round(total / FIGURE_BATCHES, 6) for term, total in sums.items()}
    return figures


def write_results(job: Job, model: StyleModel, how: Mapping[str, Any], own: Mapping[str, Mapping[str, Any]]) -> list[Path]:
    """Write the body (if it is new) and every style, with what is known about all (`how`) and about each (`own`)."""
    written = []
    if job.body and job.frozen:
        body = job.body
    else:
        facts = {**how, "styles": list(job.pictures)}
        if job.body:  # what it has learned before
            facts["before"] = {
                key: value for key, value in job.body.metadata.items() if key in ("recipe", "hours", "before", "sha256")
            }
        architecture, kernels = job.body.architecture if job.body else Architecture(), kernels_of(model.network)
        check_replaced_body(job, hash_body(architecture, kernels))  # hours later, other styles may be there
        body = write_body(job.output, job.name, architecture, kernels, facts)
        written.append(body.path)
    for name, vector in zip(job.pictures, ops.convert_to_numpy(model.vectors)):
        painting = job.paintings[name]
        metadata = {
            **how,
            "title": painting.title,
            "artist": painting.artist,
            "year": painting.year,
            "licence_of_painting": painting.licence,
            "painting_size": painting.size or job.recipe.painting_size,
            "emphasis": painting.emphasis,
            "stability": painting.stability,
            "trained": "vector on a frozen body" if job.body and job.frozen else "jointly with its body",
            **own[name],
        }
        written.append(write_style(job.output, name, vector, body, metadata))
    return written
