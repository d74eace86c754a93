"""Photos into batches: random crops, and beside each a copy as the next video frame might show it.

The copy is displaced by a smooth flow, a little brighter or darker, and noisy: what a camera does between two
frames. Every batch is a function of seed and step alone, so that training resumes exactly and any backend sees
the same pictures. NumPy and Pillow only; this module does not know what the batches are for.
"""

import hashlib
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np
from PIL import Image

from realtime_nst.errors import SourceError, TrainingError
from realtime_nst.media import photofiles
from realtime_nst.media.filekinds import left_out
from realtime_nst.media.photos import upright_rgb
from realtime_nst.media.picturefile import opened
from realtime_nst.style.field import PARTS, PERIOD, field_at

from .camera_noise import as_camera, correlated_noise

FEWEST_PHOTOS = 8
WORKSHOP_SUFFIX = ".training"
"""Ending of the folder in which a run keeps its checkpoint and its pictures."""
JPEG_QUALITIES = (8, 90)
PLAINEST_OF = 3
"""Crops of a photo, the plainest of which is taken where a plain one is wanted."""

log = logging.getLogger(__name__)


class Batch(TypedDict, total=False):
    """What one training step sees. Images are float32 `(B, size, size, 3)` RGB in `[0, 255]`."""

    photos: np.ndarray
    """The clean photos: what the content term compares with."""
    frames: np.ndarray
    """The same with camera noise."""
    moved: np.ndarray
    """The frames a moment later: displaced, exposed differently, with other noise."""
    flow: np.ndarray
    """float32 `(B, size, size, 2)`: moved at `p` shows what photos show at `p + flow(p)`; (x, y) in pixels."""
    field4: np.ndarray
    """A piece of the texture field for each frame, float32 `(B, size / 4, size / 4, channels)`; for bodies that have one."""
    field8: np.ndarray
    """The same at an eighth."""
    moved4: np.ndarray
    """For each moved frame, its piece of field, moved by the same flow."""
    moved8: np.ndarray
    paintings: np.ndarray
    """Pieces of paintings, of another number; where a style encoder learns (`collection.py`)."""


@dataclass(frozen=True)
class Motion:
    """How far a frame may be from the one before it.

    Args:
        shift: Largest displacement of the whole picture, in pixels.
        bend: Standard deviation of the smooth displacement on top, in pixels.
        noise: Largest standard deviation of the sensor's noise, of 255; little noise is more frequent than much.
        correlated: Largest standard deviation of noise that spans many pixels, as video compression leaves it.
        grain: How many pixels it spans, at least and at most.
        exposure: Largest relative change of brightness.
        still: Share of pictures that do not move at all: a camera on a tripod.
        compressed: Share of pictures with JPEG's block edges in them, as webcams and thin videos have them.
        whole: Share of the others that move by whole pixels and do not bend: nothing has to be sampled between pixels then,
            which would blur what is compared, so that the network learns to move its strokes along and not to soften them.
        zoom: How much nearer than the whole photo a crop may be: nearer ones are plainer.
        plain: Share of crops that are the plainest of a few, as a wall behind a person is.
    """

    shift: float = 8.0
    bend: float = 1.5
    noise: float = 8.0
    correlated: float = 2.0
    grain: tuple[float, float] = (2.0, 40.0)
    exposure: float = 0.08
    still: float = 0.35
    compressed: float = 0.5
    whole: float = 0.0
    zoom: float = 1.5
    plain: float = 0.0


def find_photos(folder: Path, kind: str = "photos", flag: str = "--photos") -> list[Path]:
    """All photos below a folder, in the order of their names.

    Args:
        folder: Where they are.
        kind: What they are called, where something is wrong.
        flag: Which chose the folder.

    Raises:
        TrainingError: The folder does not exist or holds fewer than eight photos.
    """
    if not folder.is_dir():
        raise TrainingError(f"No folder of {kind} at '{folder}'. Name a folder of JPEG or PNG files with {flag}.")
    photos, others = photos_below(folder), left_out(folder, "photo")
    if len(photos) < FEWEST_PHOTOS:
        expected = f"at least {FEWEST_PHOTOS} were expected, a few hundred are good."
        raise TrainingError(f"{len(photos)} {kind} in '{folder}'; {expected} {others}".rstrip())
    if others:
        log.warning("%s", others)
    return photos


def photos_below(folder: Path) -> list[Path]:
    """Photos below a folder, in the order of their names, without the pictures that training itself draws there."""
    found = photofiles.photos_below(folder)
    return [path for path in found if not any(part.endswith(WORKSHOP_SUFFIX) for part in path.relative_to(folder).parts)]


def hash_photos(folder: Path, photos: Sequence[Path]) -> str:
    """SHA-256 of the names and sizes of photos below a folder: which they are, and in what order they come."""
    digest = hashlib.sha256()
    for path in photos:
        try:
            size = path.stat().st_size
        except OSError:  # it is gone by now, or leads nowhere, and will be skipped
            size = -1
        digest.update(f"{path.relative_to(folder).as_posix()}\0{size}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


class PhotoBatches:
    """Batches of photos by step.

    Args:
        photos: Their files. One that cannot be decoded is skipped, told, and the next one taken.
        batch: Photos per batch.
        size: Width and height of the crops, in pixels.
        seed: Start of all randomness.
        motion: How the moved copies differ.
        skipped: Photos that are known not to be decodable; others come in here as they are met.
        field: Channels of the texture field that goes along with each photo; 0 is none.
    """

    def __init__(
        self,
        photos: Sequence[Path],
        *,
        batch: int,
        size: int,
        seed: int = 0,
        motion: Motion | None = None,
        skipped: set[Path] | None = None,
        field: int = 0,
    ) -> None:
        self._field = field
        self._lock = threading.Lock()
        self.skipped = set[Path]() if skipped is None else skipped
        self._photos = list(photos)
        self._batch = batch
        self._size = size
        self._seed = seed
        self._motion = motion or Motion()
        self._margin = int(np.ceil(self._motion.shift + 3 * self._motion.bend)) + 1

    def __call__(self, step: int) -> Batch:
        """The batch of a step, the same at every call.

        Raises:
            TrainingError: Not one photo can be decoded.
        """
        rng = np.random.default_rng((self._seed, step))
        pairs = [self._pair(step * self._batch + slot, rng) for slot in range(self._batch)]
        photos, frames, moved, flow = (np.stack(parts).astype(np.float32) for parts in zip(*pairs))
        batch = Batch(photos=photos, frames=frames, moved=moved, flow=flow)
        return batch | self._fields(flow, step) if self._field else batch  # type: ignore[return-value]

    def _fields(self, flow: np.ndarray, step: int) -> dict[str, np.ndarray]:
        """Another piece of the texture field for each photo, and the same moved as the photo is."""
        corners = np.random.default_rng((self._seed, 3, step)).uniform(0, PERIOD, (self._batch, 1, 1, 2))
        fields = {}
        for part in PARTS:
            side = self._size // part
            moves = flow.reshape(-1, side, part, side, part, 2).mean((2, 4))
            places = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1) + corners / part  # (x, y) in values
            for name, at in (("field", places), ("moved", places + moves / part)):
                fields[f"{name}{part}"] = field_at(part, self._field, at[..., 0], at[..., 1])
        return fields

    def _pair(self, position: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        size, margin, motion = self._size, self._margin, self._motion
        wide = self._crop(position, size + 2 * margin, rng)
        photo = wide[margin : margin + size, margin : margin + size]
        flow = self._flow(rng)
        exposure = 1.0 + motion.exposure * rng.uniform(-1.0, 1.0)
        deviations = motion.noise * rng.uniform() ** 2, motion.correlated * rng.uniform()
        quality = int(rng.integers(*JPEG_QUALITIES)) if rng.uniform() < motion.compressed else None
        frame = as_camera(photo, self._noise(*deviations, rng), quality)
        moved = as_camera(sample(wide, flow, margin) * exposure, self._noise(*deviations, rng), quality)
        return photo, frame, moved, flow

    def _crop(self, position: int, side: int, rng: np.random.Generator) -> np.ndarray:
        photo, plain = self._open(position), self._motion.plain
        tries = PLAINEST_OF if plain and rng.uniform() < plain else 1
        crop = min((self._cut(photo, side, rng) for _ in range(tries)), key=unevenness)
        return crop[:, ::-1] if rng.uniform() < 0.5 else crop

    def _cut(self, photo: Image.Image, side: int, rng: np.random.Generator) -> np.ndarray:
        scale = side / min(photo.size) * rng.uniform(1.0, self._motion.zoom)
        width, height = (max(side, round(length * scale)) for length in photo.size)
        left, top = int(rng.integers(width - side + 1)), int(rng.integers(height - side + 1))
        box = tuple(edge / scale for edge in (left, top, left + side, top + side))
        box = (box[0], box[1], min(box[2], photo.width), min(box[3], photo.height))
        return np.asarray(photo.resize((side, side), Image.Resampling.BICUBIC, box=box), dtype=np.float32)

    def _open(self, position: int) -> Image.Image:
        """The photo at a position of the endless, shuffled sequence, or the next that can be decoded."""
        count, side = len(self._photos), round(max(2.0, self._motion.zoom) * self._size)
        for attempt in range(2 * count):  # across the end of an epoch, each photo comes up at least once
            epoch, place = divmod(position + attempt, count)
            path = self._photos[np.random.default_rng((self._seed, 1, epoch)).permutation(count)[place]]
            if path in self.skipped:
                continue
            try:
                with opened(path) as file:
                    file.draft("RGB", (side, side))
                    return upright_rgb(file)
            except SourceError as error:
                with self._lock:  # batches are made on several threads
                    if path in self.skipped:
                        continue
                    self.skipped.add(path)
                log.warning("Photo '%s' was skipped: %s", path, str(error).replace(f"'{path}' ", "it ", 1))
        raise TrainingError(f"None of the {count} photos could be decoded; the last was '{path}'. Check the folder of --photos.")

    def _noise(self, white: float, correlated: float, rng: np.random.Generator) -> np.ndarray:
        """The noise of one frame, from both standard deviations."""
        least, most = self._motion.grain
        grain = least * (most / least) ** rng.uniform()
        size = self._size
        return white * correlated_noise(size, size, 1, rng) + correlated * correlated_noise(size, size, grain, rng)

    def _flow(self, rng: np.random.Generator) -> np.ndarray:
        motion, size = self._motion, self._size
        if rng.uniform() < motion.still:
            return np.zeros((size, size, 2), np.float32)
        shift = rng.uniform(-motion.shift, motion.shift, 2)
        if motion.whole and rng.uniform() < motion.whole:
            return np.broadcast_to(np.rint(shift).astype(np.float32), (size, size, 2))
        coarse = rng.normal(0.0, motion.bend, (2, 5, 5)).clip(-3 * motion.bend, 3 * motion.bend).astype(np.float32)
        bends = [Image.fromarray(plane).resize((size, size), Image.Resampling.BILINEAR) for plane in coarse]
        return np.stack([np.asarray(plane) for plane in bends], axis=-1) + shift.astype(np.float32)


def unevenness(picture: np.ndarray) -> float:
    """How much a picture `(H, W, 3)` changes from pixel to pixel: little where it is plain."""
    return float(sum(np.abs(np.diff(picture, axis=axis)).mean() for axis in (0, 1)))


def sample(wide: np.ndarray, flow: np.ndarray, margin: int) -> np.ndarray:
    """The part of `wide` inside its margin, displaced by `flow`, bilinearly.

    Args:
        wide: `(size + 2 margin, size + 2 margin, C)`.
        flow: `(size, size, 2)`, (x, y) in pixels, shorter than the margin everywhere.
        margin: Pixels around the part.

    Returns:
        float32 `(size, size, C)`.
    """
    height, width = flow.shape[:2]
    if (flow == np.rint(flow[0, 0])).all():  # whole pixels: nothing lies between
        left, top = (margin + int(step) for step in flow[0, 0])
        return wide[top : top + height, left : left + width].astype(np.float32)
    x = np.arange(width, dtype=np.float32)[None, :] + flow[..., 0] + margin
    y = np.arange(height, dtype=np.float32)[:, None] + flow[..., 1] + margin
    x0, y0 = np.floor(x).astype(np.int32), np.floor(y).astype(np.int32)
    across, along = (x - x0)[..., None], (y - y0)[..., None]
    top = wide[y0, x0] * (1 - across) + wide[y0, x0 + 1] * across
    low = wide[y0 + 1, x0] * (1 - across) + wide[y0 + 1, x0 + 1] * across
    blended: np.ndarray = top * (1 - along) + low * along
    return blended
