"""The training of styles: the checks before the first step, and the style files and their figures after the last.

The steps between are `loop.py`. It does not know command lines or progress bars.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from realtime_nst import __version__
from realtime_nst.style.encoder import ENCODER_SUFFIX, Encoder, hash_encoder, read_encoder, write_encoder
from realtime_nst.style.style import Body, Style, hash_body, write_body, write_style

from .build import build_encoder_model, build_model
from .checkpoint import CHECKPOINT
from .collection import PaintingBatches
from .dataset import PhotoBatches, find_photos, hash_photos
from .encoded import LESSONS, EncodedModel
from .encoder_model import EncoderModel
from .growth import grown_vector
from .job import Job, check_other_body, check_replaced_body, check_replaced_styles, fingerprint_of, make_folder, read_painting
from .learner import measure
from .loop import Progress, Run
from .losses import terms_of
from .model import StyleModel, kernels_of
from .processes import check_alike, place, share_file

FIGURE_BATCHES = 4
ENCODER = "the style encoder"
"""Where a vector started from that belongs to no style."""


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
    collection = find_photos(job.collection, "paintings", "--collection") if job.collection else []
    fingerprint = fingerprint_of(job, pictures, collection)
    if place()[1] > 1:
        check_alike(fingerprint, hash_photos(job.photos, photos), __version__, keras.__version__)
        share_file(job.workshop / CHECKPOINT)
    paintings = batches_of(job, collection) if collection else None
    model = model_of(job, pictures, paintings)
    run = Run(
        model,
        job.recipe,
        job.photos,
        photos,
        job.workshop,
        fingerprint,
        paintings=paintings,
        advice="Start over with another --seed or a lower --style-weight; what was saved before is good.",
        started_from=choose_starts(job, model),
        log_dir=job.log_dir,
    )
    if not run.finished:
        check_replaced_body(job)
        check_other_body(job)
    if not run.learn(report, stop):
        return []
    past = run.past
    how = {
        "recipe": job.recipe.to_dict(),
        "total_steps": past.step + steps_before(job),
        "photos": past.photo_count,
        "photos_sha256": past.photos[-1],
        **({"photos_sha256_before": past.photos[:-1]} if past.photos[:-1] else {}),
        "photos_skipped": len(past.skipped),
        **({"collection": len(collection)} if collection else {}),
        "returns": past.returns,
        "hours": round(past.seconds / 3600, 2),
        "steps_per_second": round(past.step / max(past.seconds, 1e-9), 2),
        "waiting": round(past.waited / max(past.seconds, 1e-9), 4),
        "backend": keras.config.backend(),
        "licence": job.licence,
    }
    figures = figures_of(job, model, run.batches(2))
    own = {
        name: {"figures": figures[name], "signature": model.signature(index), "started_from": past.started_from.get(name)}
        for index, name in enumerate(job.pictures)
    }
    return write_results(job, model, how, own)


def model_of(job: Job, pictures: Mapping[str, np.ndarray], paintings: PaintingBatches | None) -> StyleModel:
    """What learns, at its start.

    Raises:
        TrainingError: As for `train`.
    """
    if job.teaches_encoder and job.body and paintings:
        styles = np.stack([style.vector for style in job.relatives]) if job.relatives else None
        given = job.recipe, job.body, read_encoder(job.body), paintings, styles
        return build_encoder_model(*given, vgg_weights=job.vgg_weights, precision=job.precision)
    return build_model(
        job.recipe,
        list(pictures.values()),
        vgg_weights=job.vgg_weights,
        emphasis=[(job.paintings[name].emphasis, job.paintings[name].stability) for name in pictures],
        body=job.body,
        frozen=job.frozen,
        precision=job.precision,
        paintings=paintings,
    )


def batches_of(job: Job, collection: Sequence[Path]) -> PaintingBatches:
    """What the style encoder learns from: a collection, and more often the styles' own paintings.

    An encoder learns the pieces that it saw by heart, so each lesson has others. A lesson that goes on has its own.
    """
    pictures, recipe = list(job.pictures.values()), job.recipe
    if job.teaches_encoder:
        before = read_encoder(job.body) if job.body else None
        seed = recipe.seed + (int(before.sha256[:8], 16) if before else 0)
        return PaintingBatches(collection, batch=recipe.batch, size=recipe.size, seed=seed)
    often = range(len(collection), len(collection) + len(pictures))
    batch = LESSONS * (recipe.batch - round(EncodedModel.styles_per_photo * recipe.batch))
    return PaintingBatches([*collection, *pictures], batch=batch, size=recipe.size, seed=recipe.seed, often=often)


def choose_starts(job: Job, model: StyleModel) -> dict[str, str]:
    """Set the start of every style's vector, and tell the name of the style that it came from."""
    vectors, origins = np.array(ops.convert_to_numpy(model.vectors)), {}

    def grown(vector: np.ndarray) -> np.ndarray:
        return grown_vector(vector, job.body.architecture, job.architecture) if job.body else vector

    for index, name in enumerate(job.pictures):
        if name in job.start:
            vectors[index], origins[name] = grown(job.start[name]), ENCODER if job.frozen else name
        elif job.relatives:
            relative = most_similar(model.signature(index), job.relatives)
            vectors[index], origins[name] = grown(relative.vector), relative.name
    model.start_at(vectors)
    return origins


def most_similar(signature: Sequence[float], relatives: Sequence[Style]) -> Style:
    """The style whose painting is most like another one, by the cosine of their signatures; the first if none has any."""

    def likeness(style: Style) -> float:
        known = style.metadata.get("signature", ())
        return float(np.dot(signature, known)) if len(known) == len(signature) else -1.0

    return max(relatives, key=likeness)


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
    sums = {name: {term.name: 0.0 for term in terms_of(job.recipe)} for name in job.pictures}
    for number in range(FIGURE_BATCHES):
        batch = batches(number)
        for index, name in enumerate(job.pictures):
            losses = measure(model, batch, np.full(job.recipe.batch, index, np.int32))
            sums[name] = {term: total + losses[term] for term, total in sums[name].items()}
    return {name: {term: round(total / FIGURE_BATCHES, 6) for term, total in of_style.items()} for name, of_style in sums.items()}


def write_results(job: Job, model: StyleModel, how: Mapping[str, Any], own: Mapping[str, Mapping[str, Any]]) -> list[Path]:
    """Write a new body, its style encoder if one has learned, and every style.

    Args:
        job: What was trained.
        model: What it has become.
        how: What is known about all of them.
        own: What is known about each style, by name.
    """
    written = []
    if job.body and job.frozen:
        body = job.body
        if isinstance(model, EncoderModel):
            return write_encoder_beside_body(job, body, model, how)
    else:
        facts = {**how, "styles": list(job.pictures)}
        if job.body:  # what it has learned before
            facts["before"] = {
                key: value
                for key, value in job.body.metadata.items()
                if key in ("recipe", "hours", "before", "sha256", "distilled")
            }
        architecture, kernels = job.architecture, kernels_of(model.network)
        check_replaced_body(job, hash_body(architecture, kernels))  # hours later, other styles may be there
        body = write_body(job.output, job.name, architecture, kernels, facts)
        written.append(body.path)
        stale = job.output / f"{job.name}{ENCODER_SUFFIX}"
        if isinstance(model, EncodedModel):
            written.append(write_encoder(job.output, body, model.encoder_numbers(), how).path)
        else:
            stale.unlink(missing_ok=True)  # of a body that was replaced
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


def write_encoder_beside_body(job: Job, body: Body, model: EncoderModel, how: Mapping[str, Any]) -> list[Path]:
    """Write the style encoder of a frozen body, and the body that it needs where that is not there already.

    The encoder comes first: alone it is of no use and no harm, while a body alone would be a body without an encoder.
    """
    check_other_body(job)  # hours later, another one may be there
    before, numbers = read_encoder(body), model.encoder_numbers()
    past = described(before) if before else None
    if before and before.sha256 == hash_encoder(numbers):  # a finished run that was asked for again, in the encoder's own folder
        past = before.metadata.get("before")
    written = [write_encoder(job.output, body, numbers, {**how, **({"before": past} if past else {})}).path]
    if not (job.output / body.path.name).exists():
        written.append(write_body(job.output, body.name, body.architecture, body.weights(), body.metadata).path)
    return written


def described(encoder: Encoder) -> dict[str, Any]:
    """How an encoder was trained, without what describes its file."""
    return {key: value for key, value in encoder.metadata.items() if key not in ("kind", "format_version", "body", "body_sha256")}
