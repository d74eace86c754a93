"""The training steps: a model that carries its loss, and the loop around it.

`StyleModel` runs on any Keras backend that trains. The loop never loses work: it saves checkpoints from which
it continues exactly, and stops cleanly when asked. It does not know command lines or progress bars.
"""

import dataclasses
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
from keras import ops
from PIL import Image, ImageOps

from realtime_nst.architecture import Architecture
from realtime_nst.errors import StyleError, TrainingError
from realtime_nst.network import build_transform_network, identity_vector_parts
from realtime_nst.stage import Stage
from realtime_nst.styles import Body, kernel_shapes, write_body, write_style
from realtime_nst.weightfile import write_weights

from .dataset import PhotoBatches, find_photos
from .losses import build_loss_network, content_loss, gram_matrix, style_loss, temporal_loss, total_variation_loss
from .recipes import Painting, Recipe

SMALLEST_PAINTING = 128
CHECKPOINT_EVERY = 50
TERMS = ("loss", "content", "style", "total_variation", "temporal")

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Job:
    """One training run.

    Args:
        pictures: The paintings' files by style name.
        paintings: What the style files say about them, by style name.
        photos: Folder of photos.
        output: Folder for the style files; checkpoints and the preview go to `output/<name>.training`.
        name: Name of the new body, or of the run when `body` is given.
        recipe: The numbers.
        vgg_weights: "imagenet" or a path.
        body: A trained body that stays as it is: only vectors are learned. `None` trains a new body.
        start: Vector that the new ones start from; `None` is the neutral one.
        mixed_precision: Keras dtype policy of the transform network; `None` is float32.
        licence: Licence of the trained weights.
    """

    pictures: Mapping[str, Path]
    paintings: Mapping[str, Painting]
    photos: Path
    output: Path
    name: str
    recipe: Recipe
    vgg_weights: str = "imagenet"
    body: Body | None = None
    start: np.ndarray | None = None
    mixed_precision: str | None = None
    licence: str = "the trainer's own"

    @property
    def workshop(self) -> Path:
        """Where checkpoint and preview are."""
        return self.output / f"{self.name}.training"


@dataclasses.dataclass(frozen=True)
class Progress:
    """What the loop reports after each step: `losses` by term, and the share of time spent waiting for photos."""

    step: int
    steps: int
    losses: Mapping[str, float]
    waiting: float


class StyleModel(keras.Model):
    """A transform network, the vectors of its styles, and the perceptual loss.

    Args:
        network: From `build_transform_network(uint8=False)`.
        vectors: Start values, float32 `(S, V)`.
        grams: For each style tap, the paintings' Gram matrices, `(S, C, C)`.
        recipe: Weights of the terms, and taps.
        vgg_weights: "imagenet" or a path.
    """

    def __init__(
        self,
        network: keras.Model,
        vectors: np.ndarray,
        grams: Sequence[np.ndarray],
        recipe: Recipe,
        loss_network: keras.Model,
        content_network: keras.Model,
    ) -> None:
        super().__init__(name="style_model")
        self.network = network
        self.recipe = recipe
        self.loss_network = loss_network
        self.content_network = content_network
        self.vectors = self.add_weight(
            shape=vectors.shape, initializer=lambda shape, dtype: ops.convert_to_tensor(vectors), dtype="float32", name="vectors"
        )
        self.grams = [
            self.add_weight(
                shape=gram.shape,
                initializer=lambda shape, dtype, gram=gram: ops.convert_to_tensor(gram),
                dtype="float32",
                trainable=False,
                name=f"gram{index}",
            )
            for index, gram in enumerate(grams)
        ]
        self.terms = {name: keras.metrics.Mean(name=name) for name in TERMS[1:]}
        self.built = True

    def call(self, batch: Mapping[str, Any]) -> Any:
        """Stylize frames and moved frames in one pass: `(2 B, H, W, 3)`."""
        vectors = ops.take(self.vectors, batch["styles"], axis=0)
        images = ops.concatenate([batch["frames"], batch["moved"]], axis=0)
        return self.network({"images": images, "vectors": ops.concatenate([vectors, vectors], axis=0)})

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The weighted sum of the four terms; Keras calls it inside of the compiled step."""
        recipe = self.recipe
        outputs, moved = ops.split(ops.cast(y_pred, "float32"), 2, axis=0)
        features = self.loss_network(outputs)
        target = self.content_network(x["photos"])[recipe.content_tap]
        styles = [
            style_loss(gram_matrix(features[tap]), ops.take(gram, x["styles"], axis=0))
            for tap, gram in zip(recipe.style_taps, self.grams)
        ]
        values = {
            "content": ops.mean(content_loss(features[recipe.content_tap], target)),
            "style": ops.mean(ops.stack(styles)),
            "total_variation": ops.mean(total_variation_loss(outputs)),
            "temporal": ops.mean(temporal_loss(moved, outputs, x["flow"])),
        }
        for name, value in values.items():
            self.terms[name].update_state(value)
        total = sum(getattr(recipe, name) * value for name, value in values.items())
        return total


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
        TrainingError: Something is missing or unusable (said before the first step), or the loss is not finite.
        StyleError: The output folder cannot be written.
    """
    photos = find_photos(job.photos)
    pictures = {name: read_painting(path, job.recipe.painting_size) for name, path in job.pictures.items()}
    make_folder(job.workshop)
    model = build_model(job, list(pictures.values()))
    fingerprint = fingerprint_of(job)
    step, seconds = load_checkpoint(job.workshop / "checkpoint.h5", model, fingerprint)

    batches = PhotoBatches(
        photos, batch=job.recipe.batch, size=job.recipe.size, seed=job.recipe.seed, motion=job.recipe.motion
    )
    preview = Preview(job.workshop / "preview.jpg", photos, job.recipe, list(pictures))
    losses: dict[str, float] = {}
    with Stage(map(batches, range(step, job.recipe.steps)), keep="all", name="photos") as stage:
        while step < job.recipe.steps:
            started = time.perf_counter()
            batch: Any = stage.get()
            fetched = time.perf_counter()
            styles = (np.arange(job.recipe.batch) + step * job.recipe.batch) % len(pictures)
            model.reset_metrics()
            logs = model.train_on_batch(x={**batch, "styles": styles.astype(np.int32)}, return_dict=True)
            losses = {name: float(logs[name]) for name in TERMS}
            if not np.isfinite(losses["loss"]):
                raise TrainingError(
                    f"The loss is {losses['loss']} after step {step + 1}. The last checkpoint is good: start again from it "
                    "with a lower learning rate."
                )
            step += 1
            ended = time.perf_counter()
            seconds += ended - started
            report(Progress(step, job.recipe.steps, losses, (fetched - started) / max(ended - started, 1e-9)))
            stopping = stop()
            if stopping or step % CHECKPOINT_EVERY == 0 or step == job.recipe.steps:
                save_checkpoint(job.workshop / "checkpoint.h5", model, fingerprint, step, seconds)
                preview.draw(model)
            if stopping and step < job.recipe.steps:
                return []
    how = {
        "recipe": job.recipe.to_dict(),
        "photos": len(photos),
        "photos_skipped": len(batches.skipped),
        "hours": round(seconds / 3600, 2),
        "backend": keras.config.backend(),
        "last_losses": {name: round(value, 4) for name, value in losses.items()},
        "licence": job.licence,
    }
    return write_results(job, model, how)


def build_model(job: Job, pictures: Sequence[np.ndarray]) -> StyleModel:
    """Network, vectors and loss of a job, compiled, at its start."""
    recipe = job.recipe
    keras.utils.set_random_seed(recipe.seed)
    architecture = job.body.architecture if job.body else Architecture()
    with dtype_policy(job.mixed_precision or "float32"):
        network = build_transform_network(architecture, uint8=False)
    if job.body:
        set_kernels(network, job.body.weights())
        network.trainable = False
    parts = identity_vector_parts(architecture)
    vector = job.start if job.start is not None else np.concatenate([np.full(size, value, np.float32) for size, value in parts])
    with dtype_policy("mixed_bfloat16" if has_bfloat16() else job.mixed_precision or "float32"):
        loss_network, content_network = build_loss_network(
            job.vgg_weights, [*recipe.style_taps, recipe.content_tap], [recipe.content_tap]
        )
    features = [loss_network(ops.convert_to_tensor(picture[None])) for picture in pictures]
    grams = [
        np.concatenate([ops.convert_to_numpy(gram_matrix(taps[tap])) for taps in features])
        for tap in recipe.style_taps
    ]
    model = StyleModel(network, np.stack([vector] * len(pictures)), grams, recipe, loss_network, content_network)
    schedule = keras.optimizers.schedules.CosineDecay(
        recipe.learning_rate * 0.05,
        max(recipe.steps - 20, 1),
        alpha=0.02,
        warmup_target=recipe.learning_rate,
        warmup_steps=20,
    )
    model.compile(optimizer=keras.optimizers.Adam(schedule, global_clipnorm=recipe.clip_norm), jit_compile=use_xla())
    model.optimizer.build(model.trainable_variables)
    return model


def read_painting(path: Path, shorter_side: int) -> np.ndarray:
    """A painting as float32 `(H, W, 3)` in `[0, 255]`, its shorter side resized.

    Raises:
        TrainingError: It cannot be read, or is smaller than 128 pixels.
    """
    try:
        with Image.open(path) as file:
            picture = ImageOps.exif_transpose(file).convert("RGB")
    except FileNotFoundError as error:
        raise TrainingError(f"No picture at '{path}'. Name the file of a painting.") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise TrainingError(f"'{path}' is not a picture that can be read: {error}. Give a JPEG or PNG file.") from error
    if min(picture.size) < SMALLEST_PAINTING:
        raise TrainingError(
            f"'{path}' has {picture.width}x{picture.height} pixels; at least {SMALLEST_PAINTING} on the shorter side were "
            "expected, 500 or more are good. Find a larger scan."
        )
    scale = shorter_side / min(picture.size)
    size = (round(picture.width * scale), round(picture.height * scale))
    return np.asarray(picture.resize(size, Image.Resampling.LANCZOS), dtype=np.float32)


def kernels_of(network: keras.Model) -> dict[str, np.ndarray]:
    """The trained numbers of a network by layer, as body files store them."""
    return {f"{layer.name}/kernel": ops.convert_to_numpy(layer.kernel) for layer in network.layers if hasattr(layer, "kernel")}


def set_kernels(network: keras.Model, arrays: Mapping[str, np.ndarray]) -> None:
    """The inverse of `kernels_of`."""
    for name, array in arrays.items():
        network.get_layer(name.removesuffix("/kernel")).kernel.assign(array)


def state_of(model: StyleModel) -> dict[str, Any]:
    """Every variable that a step changes, by a name that is the same in every run."""
    state = {f"network/{name}": model.network.get_layer(name.removesuffix("/kernel")).kernel for name in kernels_of(model.network)}
    state["vectors"] = model.vectors
    for index, variable in enumerate(model.optimizer.variables):
        state[f"optimizer/{index}"] = variable
    return state


def save_checkpoint(path: Path, model: StyleModel, fingerprint: str, step: int, seconds: float) -> None:
    """Save everything that the rest of the run depends on, as a whole or not at all."""
    arrays = {name: ops.convert_to_numpy(variable) for name, variable in state_of(model).items()}
    write_weights(path, arrays, {"kind": "checkpoint", "fingerprint": fingerprint, "step": step, "seconds": seconds})


def load_checkpoint(path: Path, model: StyleModel, fingerprint: str) -> tuple[int, float]:
    """Continue from a checkpoint of the same job, if there is one.

    Returns:
        Steps done, and seconds spent on them: `(0, 0.0)` without a checkpoint.

    Raises:
        TrainingError: The checkpoint is of another job, or damaged.
    """
    if not path.exists():
        return 0, 0.0
    try:
        with h5py.File(path, "r") as file:
            metadata = json.loads(file.attrs["metadata"])
            if metadata["fingerprint"] != fingerprint:
                raise TrainingError(
                    f"'{path}' is a checkpoint of a run with other settings. Delete its folder to start anew, or choose "
                    "another name."
                )
            for name, variable in state_of(model).items():
                variable.assign(np.asarray(file[name][()]).astype(variable.dtype))
            return int(metadata["step"]), float(metadata["seconds"])
    except (OSError, KeyError, ValueError) as error:
        raise TrainingError(f"'{path}' is damaged and cannot be continued. Delete its folder to start anew.") from error


def fingerprint_of(job: Job) -> str:
    """What must agree for a checkpoint to be continued: recipe, styles and body."""
    return json.dumps([job.recipe.to_dict(), list(job.pictures), job.body.sha256 if job.body else None], sort_keys=True)


def write_results(job: Job, model: StyleModel, how: Mapping[str, Any]) -> list[Path]:
    """Write the body (if it is new) and every style."""
    body = job.body
    written = []
    if body is None:
        names = {"styles": list(job.pictures)}
        body = write_body(job.output, job.name, Architecture(), kernels_of(model.network), {**how, **names})
        written.append(body.path)
    for name, vector in zip(job.pictures, ops.convert_to_numpy(model.vectors)):
        metadata = {**how, **dataclasses.asdict(job.paintings[name]), "licence_of_painting": job.paintings[name].licence}
        metadata["licence"] = job.licence
        metadata["trained"] = "vector on a frozen body" if job.body else "jointly with its body"
        written.append(write_style(job.output, name, vector, body, metadata))
    return written


class Preview:
    """A picture of the training so far: a few photos in a row, in every style, a row each.

    Args:
        path: The picture; replaced each time.
        photos: Photos to choose from.
        recipe: For the size of the crops and the seed.
        styles: Names of the styles.
    """

    def __init__(self, path: Path, photos: Sequence[Path], recipe: Recipe, styles: Sequence[str]) -> None:
        self._path = path
        self._styles = styles
        self._photos = PhotoBatches(photos, batch=4, size=recipe.size, seed=recipe.seed + 1)(0)["photos"]

    def draw(self, model: StyleModel) -> None:
        """Stylize the photos with the present weights and write the picture."""
        rows = [np.hstack(list(self._photos))]
        for vector in ops.convert_to_numpy(model.vectors):
            vectors = np.stack([vector] * len(self._photos))
            images = model.network({"images": self._photos, "vectors": vectors})
            rows.append(np.hstack(list(ops.convert_to_numpy(images))))
        sheet = np.vstack(rows).clip(0, 255).astype(np.uint8)
        try:
            draft = self._path.with_suffix(".part.jpg")
            Image.fromarray(sheet).save(draft, quality=90)
            draft.replace(self._path)
        except OSError as error:
            log.warning("The preview '%s' was not written: %s.", self._path, error)


def make_folder(folder: Path) -> None:
    """Create a folder for results.

    Raises:
        StyleError: It cannot be created or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise StyleError(f"'{folder}' cannot be written: {error.strerror}. Choose another folder with --output.") from error


class dtype_policy:
    """Build layers under another Keras dtype policy: `with dtype_policy("mixed_bfloat16"): ...`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        self._before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(self._name)

    def __exit__(self, *exception: object) -> None:
        keras.config.set_dtype_policy(self._before)


def use_xla() -> bool:
    """XLA makes a step faster on a GPU, and is how JAX works; TensorFlow's convolutions on a processor lose by it."""
    return keras.config.backend() == "jax" or has_gpu()


def has_gpu() -> bool:
    """True if Keras trains on a GPU here."""
    return bool(keras.distribution.list_devices("gpu"))


def has_bfloat16() -> bool:
    """True if this processor multiplies bfloat16 itself: the loss network then runs nearly twice as fast on TensorFlow."""
    if keras.config.backend() != "tensorflow":
        return False
    try:
        return "avx512_bf16" in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
