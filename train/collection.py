"""Paintings into batches for the style encoder: random pieces, mirrored, in other or no colours, and mixed with one another.

Like `dataset.py` a function of seed and step alone. NumPy and Pillow only.
"""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from realtime_nst.errors import SourceError, TrainingError
from realtime_nst.media.photos import upright_rgb
from realtime_nst.media.picturefile import opened
from realtime_nst.style.look import LUMA

NEAREST = (1.2, 1.8)
"""Shorter side of the whole painting over that of the piece, at least and at most."""
RECOLOURED, MIXED, GREY = 0.35, 0.15, 0.08
"""Share of the pieces in other colours, of those that are two paintings side by side in one, and of those without colours:
prints and drawings are rare among paintings, and came out greenish."""

log = logging.getLogger(__name__)


class PaintingBatches:
    """Pieces of paintings by step.

    Args:
        paintings: Their files.
        batch: Pieces per batch.
        size: Width and height of the pieces in pixels.
        seed: Start of all randomness.
        often: Numbers of paintings of which one comes up in every second batch.
    """

    def __init__(self, paintings: Sequence[Path], *, batch: int, size: int, seed: int = 0, often: Sequence[int] = ()) -> None:
        self._paintings, self._often = list(paintings), list(often)
        self._batch, self._size, self._seed = batch, size, seed
        self._lock = threading.Lock()
        self._unreadable: set[int] = set()

    def __call__(self, step: int) -> np.ndarray:
        """The batch of a step, the same at every call: float32 `(batch, size, size, 3)` in `[0, 255]`.

        Raises:
            TrainingError: Not one painting can be decoded.
        """
        rng = np.random.default_rng((self._seed, 4, step))
        pieces = [self._piece(step * self._batch + slot, rng) for slot in range(self._batch)]
        if self._often and step % 2:
            pieces[0] = self._cut(self._often[int(rng.integers(len(self._often)))], rng)
        return np.stack(pieces)

    def _piece(self, position: int, rng: np.random.Generator) -> np.ndarray:
        piece = self._cut(self._number(position), rng)
        if rng.uniform() < MIXED:
            other = self._cut(int(rng.integers(len(self._paintings))), rng)
            share = int(self._size * rng.uniform(0.3, 0.7))
            piece[:, share:] = other[:, share:]
        if rng.uniform() < RECOLOURED:
            piece = recoloured(piece, rng)
        if rng.uniform() < GREY:
            piece = np.repeat(piece @ np.asarray(LUMA, np.float32), 3).reshape(piece.shape)
        return piece

    def _number(self, position: int) -> int:
        epoch, place = divmod(position, len(self._paintings))
        return int(np.random.default_rng((self._seed, 5, epoch)).permutation(len(self._paintings))[place])

    def _cut(self, number: int, rng: np.random.Generator) -> np.ndarray:
        count = len(self._paintings)
        for attempt in range(count):
            chosen = (number + attempt) % count
            if chosen in self._unreadable:
                continue
            try:
                with opened(self._paintings[chosen]) as file:
                    file.draft("RGB", (2 * self._size, 2 * self._size))
                    picture = upright_rgb(file)
            except SourceError as error:
                with self._lock:  # batches are made on several threads
                    if chosen in self._unreadable:
                        continue
                    self._unreadable.add(chosen)
                path = self._paintings[chosen]
                log.warning("Painting '%s' was skipped: %s", path, str(error).replace(f"'{path}' ", "it ", 1))
                continue
            return self._crop(picture, rng)
        raise TrainingError(f"None of the {count} paintings could be decoded. Check the folder of --collection.")

    def _crop(self, picture: Image.Image, rng: np.random.Generator) -> np.ndarray:
        size = self._size
        least, most = NEAREST
        scale = size / min(picture.size) * least * (most / least) ** rng.uniform()
        width, height = (max(size, round(side * scale)) for side in picture.size)
        left, top = int(rng.integers(width - size + 1)), int(rng.integers(height - size + 1))
        box = tuple(edge / scale for edge in (left, top, left + size, top + size))
        box = (box[0], box[1], min(box[2], picture.width), min(box[3], picture.height))
        piece = np.asarray(picture.resize((size, size), Image.Resampling.BICUBIC, box=box), dtype=np.float32)
        turned: np.ndarray = piece[:, ::-1] if rng.uniform() < 0.5 else piece
        return turned.copy()


def recoloured(piece: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A painting in other colours: channels exchanged or weighed, and darker or lighter; `(H, W, 3)` in `[0, 255]`."""
    channels = rng.permutation(3) if rng.uniform() < 0.5 else np.arange(3)
    gamma = np.exp(rng.normal(0.0, 0.3))
    mixed = piece[..., channels] * rng.uniform(0.75, 1.15, 3)
    bent: np.ndarray = 255.0 * (mixed / 255.0).clip(0.0, 1.0) ** gamma
    return bent.astype(np.float32)
