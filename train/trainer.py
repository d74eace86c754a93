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
from realtime_nst.style import Style, hash_body, write_body, write_style

from .checkpoint import Past, load_checkpoint, save_checkpoint, size_of
from .dataset import Batch, PhotoBatches, find_photos, hash_photos
from .job import Job, check_replaced_body, check_replaced_styles, check_room, fingerprint_of, make_folder, read_painting
from .model import TERMS, StyleModel, build_model, kernels_of
from .recipes import Recipe
from .recovery import LastGood
from .sampler import choose_styles
from .watch import Watch

CHECKPOINT_EVERY = 50
FIGURE_BATCHES = 4
PREVIEWS = 4
ROOM_BESIDE = 4 * 2**20  # for the preview, the curves, and the results
MOST_SKIPPED = 5000  # a checkpoint's description has an end

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
    check_replaced_styles(job.output, job.body.name if job.body and job.frozen else job.name, job.pictures)
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
    past = load_checkpoint(file, model, fingerprint) or Past(started_from=origins)
    last = job.recipe.steps
    if past.step < last:
        check_replaced_body(job)
        check_room(job.workshop, 2 * size_of(model) + ROOM_BESIDE)  # a new checkpoint is written beside the old one
    skipped = meet_photos(past, job.photos, photos, last)
    batches = batches_of(job, photos, 0, skipped)
    good = LastGood(model, past.step, past.returns, past.losses)
    watch = Watch(job.workshop, batches_of(job, photos, 1, skipped, PREVIEWS)(0)["photos"], past.step, job.log_dir)
    due = False  # a checkpoint; while a loss is high, it waits
    while past.step < last:
        with Stage(map(batches, range(past.step, last)), keep="all", name="photos") as stage:
            while past.step < last:
                started = time.perf_counter()
                batch: Any = stage.get()
                fetched = time.perf_counter()
                losses = take_step(model, job.recipe, past.step, batch, good.rate)
                past.step += 1
                ended = time.perf_counter()
                past.seconds += ended - started
                past.waited += fetched - started
                taken = max(ended - started, 1e-9)
                waiting = (fetched - started) / taken
                report(Progress(past.step, last, losses, waiting))
                stopping = stop()
                due = due or stopping or past.step % CHECKPOINT_EVERY == 0 or past.step == last
                astray = good.astray(losses["loss"]) or (past.step == last and ends_astray(good, model, job, batches))
                if astray or (due and good.settled and not good.keep(past.step)):
                    past.step, due = good.restore(past.step, losses["loss"]), False
                    break  # the photos come anew from there
                watch.step(past.step, losses, {"waiting": waiting, "steps_per_second": 1.0 / taken})
                if due and good.settled:
                    past.returns, past.losses = good.returns, good.losses
                    past.skipped = [number for number, photo in enumerate(photos) if photo in skipped][:MOST_SKIPPED]
                    save_checkpoint(file, model, fingerprint, past)
                    watch.save(past.step, model)
                    due = False
                    if stopping and past.step < last:
                        return []
    how = {
        "recipe": job.recipe.to_dict(),
        "total_steps": last + steps_before(job),
        "photos": past.photo_count,
        "photos_sha256": past.photos[-1],
        **({"photos_sha256_before": past.photos[:-1]} if past.photos[:-1] else {}),
        "photos_skipped": len(past.skipped),
        "returns": past.returns,
        "hours": round(past.seconds / 3600, 2),
        "steps_per_second": round(past.step / max(past.seconds, 1e-9), 2),
        "waiting": round(past.waited / max(past.seconds, 1e-9), 4),
        "backend": keras.config.backend(),
        "licence": job.licence,
    }
    figures = figures_of(job, model, batches_of(job, photos, 2, skipped))
    own = {
        name: {"figures": figures[name], "signature": model.signature(index), "started_from": past.started_from.get(name)}
        for index, name in enumerate(job.pictures)
    }
    return write_results(job, model, how, own)


def meet_photos(past: Past, folder: Path, photos: Sequence[Path], steps: int) -> set[Path]:
    """Compare the photos with those that a run began with; others are told, and it goes on with them.

    Args:
        past: What the run has behind it; comes to know the photos.
        folder: Where they are.
        photos: Those that are there now.
        steps: Of the whole run.

    Returns:
        Photos that are known not to be decodable.
    """
    found = hash_photos(folder, photos)
    if past.photos and past.photos[-1] == found:
        return {photos[number] for number in past.skipped}
    if not past.photos or past.step < steps:
        if past.photos:
            log.warning(
                "The photos in '%s' are not those of the first %d steps. It goes on with the %d that are there now, and will not "
                "end exactly as it would have.",
                folder,
                past.step,
                len(photos),
            )
        past.photos.append(found)
        past.photo_count, past.skipped = len(photos), []
    return set()


def batches_of(job: Job, photos: Sequence[Path], kind: int, skipped: set[Path], batch: int | None = None) -> PhotoBatches:
    """Batches to learn from (kind 0), to show (1) and to measure (2), each of other photos and places."""
    recipe = job.recipe
    return PhotoBatches(
        photos, batch=batch or recipe.batch, size=recipe.size, seed=recipe.seed + kind, motion=recipe.motion, skipped=skipped
    )


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
        styles = choose_styles(step, job.recipe.batch, ops.convert_to_numpy(model.lag), job.recipe.seed)
        if good.astray(measure(model, batches(step), styles)["loss"]):
            return True
        step += 1
    return False


def measure(model: StyleModel, batch: Batch, styles: np.ndarray) -> dict[str, float]:
    """The loss and its terms of a batch in some styles, `(B,)`; nothing is learned from it."""
    model.reset_metrics()
    logs = model.test_on_batch(x={**batch, "styles": styles}, return_dict=True)
    return {name: float(logs[name]) for name in ("loss", *TERMS)}


def steps_before(job: Job) -> int:
    """Steps that a new body's origin has behind it; 0 for a body from random weights and for a frozen one."""
    if job.body is None or job.frozen:
        return 0
    facts = job.body.metadata
    return int(facts.get("total_steps") or facts.get("recipe", {}).get("steps", 0))


def figures_of(job: Job, model: StyleModel, batches: PhotoBatches) -> dict[str, dict[str, float]]:
    """The terms of the loss for each style, on the same few batches for all.

    Returns:
        By style name and term; relative, so that styles and runs compare.
    """
    sums = {name: dict.fromkeys(TERMS, 0.0) for name in job.pictures}
    for number in range(FIGURE_BATCHES):
        batch = batches(number)
        for index, name in enumerate(job.pictures):
            losses = measure(model, batch, np.full(job.recipe.batch, index, np.int32))
            sums[name] = {term: total + losses[term] for term, total in sums[name].items()}
    return {name: {term: round(total / FIGURE_BATCHES, 6) for term, total in of_style.items()} for name, of_style in sums.items()}


def write_results(job: Job, model: StyleModel, how: Mapping[str, Any], own: Mapping[str, Mapping[str, Any]]) -> list[Path]:
    """Write the body (if it is new) and every style, with what is known about all (`how`) and about each (`own`)."""
    written = []
    if job.body and job.frozen:
        body = job.body
    else:
        facts = {**how, "styles": list(job.pictures)}
        if job.body:  # what it has learned before
            facts["before"] = {
                key: value
                for key, value in job.body.metadata.items()
                if key in ("recipe", "hours", "before", "sha256", "distilled")
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
