"""A training run as the user wants it, and what can be said against it before anything is computed.

It reads the paintings and looks at the folder for the results; it knows neither networks nor steps.
"""

import dataclasses
import hashlib
import json
import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image

from realtime_nst.errors import SourceError, StyleError, TrainingError
from realtime_nst.media.photos import upright_rgb
from realtime_nst.media.picturefile import opened, tell_of_more
from realtime_nst.style.architecture import Architecture
from realtime_nst.style.encoder import read_encoder
from realtime_nst.style.style import BODY_SUFFIX, STYLE_SUFFIX, Body, Style, read_body
from realtime_nst.style.weightfile import read_metadata

from .dataset import WORKSHOP_SUFFIX, hash_photos
from .growth import architecture_of
from .recipes import Painting, Recipe

SMALLEST_PAINTING = 128


@dataclasses.dataclass(frozen=True)
class Job:
    """One training run.

    Args:
        pictures: The paintings' files by style name.
        paintings: What the style files say about them, by style name.
        photos: Folder of photos.
        output: Folder for the style files; checkpoints, preview and curves go to `output/<name>.training`.
        name: Name of the new body, or of the run when `body` is given.
        recipe: The numbers.
        vgg_weights: "imagenet" or a path.
        body: A trained body to start from; `None` starts with random weights.
        frozen: Keep that body as it is and learn vectors only, instead of training a new one from it.
        collection: Folder of paintings that a style encoder learns from, with a new body, or on a frozen one without any
            pictures; `None` trains no encoder.
        start: Vectors that styles start from, by name: as they were before, or as the style encoder of a frozen body finds them;
            others start from the most similar relative.
        relatives: Styles of `body`; without any, styles start from the neutral vector. A new
            encoder begins in the middle of them.
        precision: Keras' dtype policy of the transform network.
        log_dir: Folder for TensorBoard, or `None`.
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
    frozen: bool = True
    collection: Path | None = None
    start: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    relatives: Sequence[Style] = ()
    precision: str = "float32"
    log_dir: Path | None = None
    licence: str = "the trainer's own"

    @property
    def architecture(self) -> Architecture:
        """Of the body that is trained, or learned on."""
        return architecture_of(self.body, self.frozen)

    @property
    def teaches_encoder(self) -> bool:
        """Whether nothing but the style encoder of a body learns."""
        return self.body is not None and self.frozen and not self.pictures and self.collection is not None

    @property
    def workshop(self) -> Path:
        """Where checkpoint, preview and curves are."""
        return self.output / f"{self.name}{WORKSHOP_SUFFIX}"


def read_painting(path: Path, shorter_side: int) -> np.ndarray:
    """A painting as float32 `(H, W, 3)` in `[0, 255]`, its shorter side resized.

    Raises:
        TrainingError: It cannot be read, or is smaller than 128 pixels.
    """
    if not path.exists():
        raise TrainingError(f"No picture at '{path}'. Name the file of a painting.")
    try:
        with opened(path) as file:
            tell_of_more(path, file.format)
            picture = upright_rgb(file)
    except SourceError as error:
        raise TrainingError(str(error)) from error
    if min(picture.size) < SMALLEST_PAINTING:
        raise TrainingError(
            f"'{path}' has {picture.width}x{picture.height} pixels; at least {SMALLEST_PAINTING} on the shorter side were "
            "expected, 500 or more are good. Find a larger scan."
        )
    scale = shorter_side / min(picture.size)
    size = (round(picture.width * scale), round(picture.height * scale))
    return np.asarray(picture.resize(size, Image.Resampling.LANCZOS), dtype=np.float32)


def fingerprint_of(job: Job, pictures: Mapping[str, np.ndarray], collection: Sequence[Path] = ()) -> str:
    """What must agree for a checkpoint to be continued: recipe, precision, bodies, and the paintings themselves.

    Args:
        job: The run.
        pictures: Its paintings by style name, as `read_painting` gives them.
        collection: Files of the paintings that a style encoder learns from.
    """
    origin = [job.body.sha256, job.frozen] if job.body else None
    emphasis = {name: (painting.emphasis, painting.stability) for name, painting in job.paintings.items()}
    others = hash_photos(job.collection, collection) if job.collection else None
    facts: list[object] = [job.recipe.to_dict(), job.precision, origin, emphasis, job.architecture.to_dict(), others]
    if job.body and job.teaches_encoder and read_encoder(job.body) is None:  # a new one learns other things than one that goes on
        facts.append("new encoder")
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for name, picture in pictures.items():
        digest.update(name.encode())
        digest.update(picture.tobytes())
    return digest.hexdigest()


def make_folder(folder: Path, flag: str = "--output") -> None:
    """Create a folder for results, or make sure that files can be written there.

    Args:
        folder: The folder.
        flag: Which chose it.

    Raises:
        StyleError: It cannot be created or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise StyleError(f"'{folder}' cannot be written: {error.strerror}. Choose another folder with {flag}.") from error


def check_room(folder: Path, size: int) -> None:
    """Make sure that a disk has room for so many bytes, by writing them: quotas, too, tell only then.

    Raises:
        StyleError: It has not.
    """
    probe = folder / ".probe"
    try:
        probe.write_bytes(os.urandom(size))
    except OSError as error:
        raise StyleError(
            f"'{folder}' has no room for the {size / 2**20:.0f} MiB of a run: {error.strerror}. Free the disk, or choose another "
            "folder with --output."
        ) from error
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)


def check_replaced_body(job: Job, sha256: str | None = None) -> None:
    """Make sure that writing a new body leaves no style without its own.

    Args:
        job: What is to be trained.
        sha256: Hash of the new body, if it is there already.

    Raises:
        TrainingError: A body of that name is there, and so are styles of it that are no part of the run.
    """
    path = job.output / f"{job.name}{BODY_SUFFIX}"
    if (job.body and job.frozen) or not path.exists():
        return
    try:
        old = read_body(path)
    except StyleError:  # nothing can be lost
        return
    if old.sha256 == sha256:
        return
    lost = [name for name in styles_in(job.output, old.sha256) if name not in job.pictures]
    if lost:
        raise TrainingError(
            f"'{path}' would be replaced, and these styles need it as it is: {', '.join(lost)}. Choose another name with "
            "--new-body or another folder with --output, or move both elsewhere and give the same command again."
        )


def check_other_body(job: Job) -> None:
    """Make sure that the style encoder of a frozen body goes beside no other body of that name.

    Raises:
        TrainingError: Another one is there.
        StyleError: What is there is damaged.
    """
    path = job.output / f"{job.body.name}{BODY_SUFFIX}" if job.body else None
    if job.body and path and job.teaches_encoder and path.exists() and read_body(path).sha256 != job.body.sha256:
        raise TrainingError(f"'{path}' is another body than '{job.body.path}'. Choose another folder with --output.")


def check_replaced_styles(output: Path, body: str, names: Collection[str]) -> None:
    """Make sure that no style of another body beside it is written over: that body would be left without it.

    Args:
        output: Folder for the styles.
        body: Name of the body that they belong to.
        names: Of the styles.

    Raises:
        TrainingError: One would be.
    """
    for path in sorted(output.glob(f"*{BODY_SUFFIX}")):
        if path.name == f"{body}{BODY_SUFFIX}":
            continue
        with suppress(StyleError):
            lost = [name for name in styles_in(output, read_body(path).sha256) if name in names]
            if lost:
                raise TrainingError(
                    f"These styles of '{path}' would be replaced by those of another body: {', '.join(lost)}. Choose another "
                    "folder with --output."
                )


def styles_in(folder: Path, sha256: str) -> list[str]:
    """Names of the styles in a folder that belong to a body, by its hash."""
    found = []
    for file in sorted(folder.glob(f"*{STYLE_SUFFIX}")):
        with suppress(StyleError):
            if read_metadata(file).get("body_sha256") == sha256:
                found.append(file.name.removesuffix(STYLE_SUFFIX))
    return found
