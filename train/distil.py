"""A narrower body taught by a wide one: the same pictures for the same photos, in every style.

The pupil starts as the wide body cut down (`pruning.py`). No VGG19 takes part, so that a step costs a fifth of one of
training. The steps are those of `loop.py`. It does not know command lines.
"""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from realtime_nst.errors import TrainingError
from realtime_nst.networks.convolutions import dtype_policy
from realtime_nst.networks.transform import build_transform_network, set_kernels
from realtime_nst.style.architecture import Architecture
from realtime_nst.style.style import BODY_SUFFIX, Body, Style, hash_body, read_body, write_body, write_style

from .checkpoint import Past
from .dataset import WORKSHOP_SUFFIX, PhotoBatches, find_photos
from .job import check_replaced_styles, make_folder
from .learner import Learner, network_inputs
from .loop import Progress, Run
from .model import kernels_of, loss_precision, use_xla
from .pruning import check_narrower, narrowed
from .recipes import Recipe

FEATURES = 0.3
"""Weight of the features between, against the pictures at the end."""
PATCH_BATCHES = 12
TERMS = ("pictures", "features")


@dataclasses.dataclass(frozen=True)
class Lesson:
    """What is to be taught.

    Args:
        body: The wide body.
        styles: Its styles; at least one.
        architecture: Of the narrow one.
        photos: Folder of photos.
        output: Folder for the new body and its styles; checkpoints go to `output/<name>.training`.
        name: Of the new body.
        recipe: Steps, photos per step, their size, rate, motion and seed; its losses play no part.
        precision: Keras' dtype policy of the pupil.
    """

    body: Body
    styles: Sequence[Style]
    architecture: Architecture
    photos: Path
    output: Path
    name: str
    recipe: Recipe
    precision: str = "float32"

    @property
    def workshop(self) -> Path:
        """Where the checkpoint is."""
        return self.output / f"{self.name}{WORKSHOP_SUFFIX}"

    @property
    def fingerprint(self) -> str:
        """What must agree for a checkpoint to be continued."""
        facts = [self.recipe.to_dict(), self.precision, self.body.sha256, self.architecture.to_dict()]
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
        for style in self.styles:
            digest.update(style.name.encode() + style.vector.tobytes())
        return digest.hexdigest()


class PupilModel(Learner):
    """A narrow network, its vectors, and how far it is from a wide one.

    Args:
        teacher: The wide network, from `build_transform_network(uint8=False)`.
        teacher_vectors: Of its styles, `(S, V)`.
        network: The narrow one.
        vectors: Start values, `(S, v)`.
    """

    styles_per_photo = 2  # frames and moved frames, each in a style of its own

    def __init__(self, teacher: keras.Model, teacher_vectors: np.ndarray, network: keras.Model, vectors: np.ndarray) -> None:
        super().__init__("pupil_model", network, vectors, TERMS)
        self.teacher, self.pupil = with_features(teacher), with_features(network)
        self.teacher.trainable = False
        self.teacher_vectors = ops.convert_to_tensor(teacher_vectors.astype(np.float32))

    def call(self, batch: Mapping[str, Any]) -> Any:
        """The pupil's features and pictures, the latter last."""
        return self.pupil(network_inputs(batch, ops.take(self.vectors, batch["styles"], axis=0)))

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Squared differences from the teacher, relative to how much its answers vary; Keras calls it inside of the step.

        Reference:
            Hinton, Vinyals, Dean: Distilling the knowledge in a neural network (2015). Romero et al.: FitNets: Hints for
            thin deep nets (2015), equation 3.
        """
        wanted = self.teacher(network_inputs(x, ops.take(self.teacher_vectors, x["styles"], axis=0)))
        distances = [relative_distance(found, ops.stop_gradient(target)) for found, target in zip(y_pred, wanted)]
        values = {"pictures": distances[-1], "features": ops.mean(ops.stack(distances[:-1]), axis=0)}
        self.observe(values, x["styles"], "pictures", training)
        return ops.mean(values["pictures"] + FEATURES * values["features"])


def with_features(network: keras.Model) -> keras.Model:
    """A network that also answers with what its residual maps hold on the way: the same in wide and narrow ones."""
    names = [layer.name for layer in network.layers if layer.name in ("stem_relu", "down_relu") or layer.name.endswith("_add")]
    return keras.Model(network.input, [network.get_layer(name).output for name in names] + [network.output])


def relative_distance(found: Any, target: Any) -> Any:
    """Mean squared difference over the target's variance within each picture and channel: `(B, H, W, C)` x 2 to `(B,)`."""
    found, target = ops.cast(found, "float32"), ops.cast(target, "float32")
    spread = ops.mean(ops.square(target - ops.mean(target, axis=(1, 2), keepdims=True)), axis=(1, 2, 3))
    return ops.mean(ops.square(found - target), axis=(1, 2, 3)) / (spread + 1e-6)


def distil(
    lesson: Lesson, *, report: Callable[[Progress], None] = lambda progress: None, stop: Callable[[], bool] = lambda: False
) -> list[Path]:
    """Teach to the end, or until asked to stop; a later call continues where it stopped.

    Args:
        lesson: What to teach.
        report: Called after each step.
        stop: Asked after each step; True saves a checkpoint and returns.

    Returns:
        The files written; empty when stopped early.

    Raises:
        TrainingError: The architectures do not go together, or something is missing or unusable.
        StyleError: The output folder cannot be written, or the body is damaged.
    """
    check_narrower(lesson.body.architecture, lesson.architecture)
    check_replaced_styles(lesson.output, lesson.name, [style.name for style in lesson.styles])
    photos, recipe = find_photos(lesson.photos), lesson.recipe
    make_folder(lesson.workshop)
    others = PhotoBatches(photos, batch=recipe.batch, size=recipe.size, seed=recipe.seed + 1)
    model = build_pupil(lesson, np.concatenate([others(number)["photos"] for number in range(PATCH_BATCHES)]))
    run = Run(
        model,
        recipe,
        lesson.photos,
        photos,
        lesson.workshop,
        lesson.fingerprint,
        advice="Give the same command with a lower --rate and another --new-body.",
    )
    check_new(lesson, model, run.past)
    losses: dict[str, float] = {}

    def remember(progress: Progress) -> None:
        losses.update(progress.losses)
        report(progress)

    return write_pupil(lesson, model, run.past, losses) if run.learn(remember, stop) else []


def check_new(lesson: Lesson, model: PupilModel, past: Past) -> None:
    """Make sure that no body is written over, except the same one by a run that was cut off while it wrote its styles.

    Raises:
        TrainingError: Another one would be.
    """
    target = lesson.output / f"{lesson.name}{BODY_SUFFIX}"
    if not target.exists():
        return
    finished = past.step == lesson.recipe.steps
    if not finished or read_body(target).sha256 != hash_body(lesson.architecture, kernels_of(model.network)):
        raise TrainingError(f"'{target}' is there already. Choose another name with --new-body or another folder with --output.")


def build_pupil(lesson: Lesson, photos: np.ndarray) -> PupilModel:
    """Both networks and the optimizer, at their start.

    Args:
        lesson: What is to be taught.
        photos: What patches look like, `(B, H, W, 3)` in `[0, 255]`.
    """
    keras.utils.set_random_seed(lesson.recipe.seed)
    wide, kernels = lesson.body.architecture, lesson.body.weights()
    vectors = np.stack([style.vector for style in lesson.styles])
    with dtype_policy(loss_precision(lesson.precision)):
        teacher = build_transform_network(wide, uint8=False)
    with dtype_policy(lesson.precision):
        network = build_transform_network(lesson.architecture, uint8=False)
    set_kernels(teacher, kernels)
    start, start_vectors = narrowed(wide, kernels, vectors, lesson.architecture, photos)
    set_kernels(network, start)
    model = PupilModel(teacher, vectors, network, start_vectors)
    optimizer = keras.optimizers.Adam(lesson.recipe.learning_rate, global_clipnorm=lesson.recipe.clip_norm)
    model.compile(optimizer=optimizer, jit_compile=use_xla())
    model.optimizer.build(model.trainable_variables)
    return model


def write_pupil(lesson: Lesson, model: PupilModel, past: Past, losses: Mapping[str, float]) -> list[Path]:
    """Write the narrow body and its styles, with what was known of the wide ones and how they came about."""
    how = {
        "recipe": lesson.recipe.to_dict(),
        "hours": round(past.seconds / 3600, 2),
        "photos_sha256": past.photos[-1],
        "losses": {name: round(value, 4) for name, value in losses.items()},
        "backend": keras.config.backend(),
    }
    facts = {**lesson.body.metadata, "distilled": {**how, "from": lesson.body.sha256, "wide": lesson.body.architecture.to_dict()}}
    body = write_body(lesson.output, lesson.name, lesson.architecture, kernels_of(model.network), facts)
    vectors = ops.convert_to_numpy(model.vectors)
    return [body.path] + [
        write_style(lesson.output, style.name, vector, body, style.metadata) for style, vector in zip(lesson.styles, vectors)
    ]
