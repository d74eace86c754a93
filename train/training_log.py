"""`TrainingLog`: a preview in every style, the course of the losses as a picture, and TensorBoard's log.

Nothing here is needed to train: what cannot be written is told once and left out.
"""

import csv
import importlib.util
import logging
from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops
from PIL import Image, ImageDraw, ImageFont

from realtime_nst.errors import TrainingError
from realtime_nst.files import whole
from realtime_nst.style.field import fields_of

from .job import make_folder
from .learner import Learner

SIZE, MARGIN = (960, 540), 60
COLOURS = (
    (30, 30, 30),
    (47, 109, 179),
    (200, 60, 50),
    (120, 160, 60),
    (225, 155, 60),
    (130, 90, 170),
    (60, 170, 170),
    (150, 100, 60),
)
SMOOTHED = 50

log = logging.getLogger(__name__)


class TrainingLog:
    """What a run leaves for those who follow it.

    Args:
        folder: For `preview.jpg`, `losses.csv` and `losses.png`.
        photos: Four photos for the preview, float32 `(4, H, W, 3)`.
        terms: Names of the loss's terms.
        step: Steps done before: later losses in `losses.csv` are of a run that was killed, and dropped.
        log_dir: Folder for TensorBoard, or `None`.

    Raises:
        TrainingError: TensorBoard is not installed, or its folder cannot be written.
    """

    def __init__(self, folder: Path, photos: np.ndarray, terms: Sequence[str], step: int, log_dir: Path | None = None) -> None:
        self._folder = folder
        self._photos = photos
        self._names = ("loss", *terms)
        self._losses = [row for row in read_losses(folder / "losses.csv", self._names) if row[0] <= step]
        self._board = None if log_dir is None else open_board(log_dir)

    def step(self, step: int, losses: Mapping[str, float], pace: Mapping[str, float]) -> None:
        """Remember the losses of a step; TensorBoard also gets how fast it was."""
        while self._losses and self._losses[-1][0] >= step:  # the run went back
            self._losses.pop()
        self._losses.append((step, *(losses[name] for name in self._names)))
        if self._board is not None:
            self._board.scalars(step, {**losses, **pace})

    def save(self, step: int, model: Learner) -> None:
        """Write everything as it stands."""
        sheet = preview(model, self._photos)
        try:
            replace_picture(self._folder / "preview.jpg", Image.fromarray(sheet))
            replace_picture(self._folder / "losses.png", draw_losses(self._losses, self._names))
            write_losses(self._folder / "losses.csv", self._losses, self._names)
        except OSError as error:
            log.warning("The preview in '%s' was not written: %s.", self._folder, error)
        if self._board is not None:
            self._board.picture(step, sheet)


def preview(model: Learner, photos: np.ndarray) -> np.ndarray:
    """A few photos in a row, and in every style, a row each: uint8 `((1 + S) * H, B * W, 3)`; paintings stand on the left."""
    height, width = photos.shape[1:3]
    fields = {name: np.repeat(field, len(photos), axis=0) for name, field in fields_of(model.field, width, height).items()}
    shown, paintings = model.shown()
    rows = [list(photos)]
    for vector in shown:
        vectors = np.stack([vector] * len(photos))
        rows.append(list(ops.convert_to_numpy(model.network({"images": photos, "vectors": vectors, **fields}))))
    if paintings:
        rows = [[left, *row] for left, row in zip((np.full_like(photos[0], 255.0), *paintings), rows, strict=True)]
    return np.vstack([np.hstack(row) for row in rows]).clip(0, 255).astype(np.uint8)


def draw_losses(losses: Sequence[tuple[float, ...]], names: Sequence[str]) -> Image.Image:
    """The course of the loss and its terms, each relative to its own start, on a logarithmic axis.

    Args:
        losses: A row per step: its number, and the losses in the order of their names.
        names: Of the loss and its terms.
    """
    image = Image.new("RGB", SIZE, (255, 255, 255))
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(14)
    width, height = SIZE[0] - 2 * MARGIN, SIZE[1] - 2 * MARGIN
    table = np.array(losses, np.float64).reshape(len(losses), 1 + len(names))
    steps, left = table[:, 0], MARGIN
    lowest, highest = -3.0, 0.5  # powers of ten
    for power in (-3, -2, -1, 0):
        y = MARGIN + height * (highest - power) / (highest - lowest)
        draw.line((MARGIN, y, MARGIN + width, y), (220, 220, 220))
        draw.text((8, y - 8), f"{10.0**power:g}", (90, 90, 90), font)
    for name, colour, values in zip(names, cycle(COLOURS), table[:, 1:].T):
        smooth = moving_mean(values)
        first = next((value for value in smooth if value > 0), 0.0)
        if not first:
            continue
        label = f"{name} {smooth[-1]:.4g}"
        draw.text((left, 20), label, colour, font)
        left += 24 + round(draw.textlength(label, font))
        powers = np.log10(np.maximum(smooth / first, 1e-9)).clip(lowest, highest)
        across = (steps - steps[0]) / max(steps[-1] - steps[0], 1)
        points = np.stack([MARGIN + width * across, MARGIN + height * (highest - powers) / (highest - lowest)], axis=1)
        draw.line([tuple(point) for point in points], colour, 2)
    ends = (f"step {int(steps[0])}", f"step {int(steps[-1])}") if len(steps) else ("", "")
    draw.text((MARGIN, SIZE[1] - 40), f"{ends[0]}   (each as a share of its start, mean of {SMOOTHED} steps)", (90, 90, 90), font)
    draw.text((MARGIN + width, SIZE[1] - 40), ends[1], (90, 90, 90), font, anchor="ra")
    return image


def moving_mean(values: np.ndarray) -> np.ndarray:
    """The mean of each value and those shortly before it."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - SMOOTHED, 0)
    means: np.ndarray = (sums[ends] - sums[starts]) / (ends - starts)
    return means


def read_losses(path: Path, names: Sequence[str]) -> list[tuple[float, ...]]:
    """The rows of `losses.csv`; empty if there is none, or one of other losses."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        return [tuple(map(float, row)) for row in rows[1:]] if rows and rows[0] == ["step", *names] else []
    except (OSError, ValueError):
        return []


def write_losses(path: Path, losses: Sequence[tuple[float, ...]], names: Sequence[str]) -> None:
    """Write `losses.csv` as a whole."""
    with whole(path) as draft, draft.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["step", *names])
        writer.writerows((int(row[0]), *(f"{value:.6g}" for value in row[1:])) for row in losses)


def replace_picture(path: Path, image: Image.Image) -> None:
    """Write a picture as a whole."""
    with whole(path) as draft:
        image.save(draft, quality=90)


class Board:
    """TensorBoard's log, written by TensorFlow whatever backend trains.

    Args:
        folder: Where it goes.
    """

    def __init__(self, folder: Path) -> None:
        import tensorflow

        self._summary = tensorflow.summary
        self._writer: Any = tensorflow.summary.create_file_writer(str(folder))

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Some numbers at a step."""
        with self._writer.as_default(step):
            for name, value in values.items():
                self._summary.scalar(name, value)

    def picture(self, step: int, sheet: np.ndarray) -> None:
        """The preview at a step."""
        with self._writer.as_default(step):
            self._summary.image("preview", sheet[None])
        self._writer.flush()


def open_board(folder: Path) -> Board:
    """TensorBoard's log.

    Raises:
        TrainingError: TensorBoard is not installed.
        StyleError: The folder cannot be written.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise TrainingError("--log-dir needs TensorBoard: `pip install 'realtime-nst[tensorboard]'`, or leave it out.")
    make_folder(folder, "--log-dir")
    return Board(folder)
