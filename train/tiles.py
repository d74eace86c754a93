"""Pictures of any size in tiles that VGG19 sees one at a time, so that all of them together are the whole picture exactly.

Each place belongs to one tile. Around what belongs to it a tile shows as much as VGG19 looks at for it, so that its features
there are those of the whole picture. All tiles of a picture are of one size: what looks at them is compiled once. Numbers only;
nothing here knows networks.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

ALIGNMENT = 8
"""Tiles begin at multiples of so many pixels: VGG19 halves a picture three times before its last tap."""
MARGIN = 40
"""Pixels that a tile shows around what belongs to it: relu4_1 looks 37 pixels far."""
SMALLEST = 16
"""Pixels on the shorter side of a picture at least, so that something is left of it at the last tap."""
LARGEST = 512
"""Side of a tile at most, in pixels. Its features and their gradient take more than half a gigabyte."""


@dataclass(frozen=True)
class Span:
    """One side of a tile, in pixels of the picture.

    Args:
        start: Where it begins, a multiple of `ALIGNMENT`.
        stop: Where it ends.
        first: Where what belongs to it begins, likewise a multiple.
        end: Where that ends: such a multiple, or the picture's end.
        length: Of the picture.
    """

    start: int
    stop: int
    first: int
    end: int
    length: int

    def share(self, stride: int, lost: int = 0) -> np.ndarray:
        """What makes the mean over the positions of a tile, of a square, its part of the mean over the whole picture.

        Args:
            stride: Pixels between two positions.
            lost: Positions missing at the start, as of differences between neighbours.

        Returns:
            float32 `((stop - start) // stride - lost,)`; 0 where nothing belongs to the tile.
        """
        positions = np.zeros((self.stop - self.start) // stride, np.float32)
        positions[(self.first - self.start) // stride : (self.end - self.start) // stride] = 1.0
        positions[lost:] *= math.sqrt((len(positions) - lost) / (self.length // stride - lost))
        return positions[lost:]


@dataclass(frozen=True)
class Tile:
    """A part of a picture.

    Args:
        rows: Its rows.
        columns: Its columns.
    """

    rows: Span
    columns: Span

    def of(self, picture: np.ndarray, stride: int = 1) -> np.ndarray:
        """What it shows of `(H // stride, W // stride, C)`: a view."""
        rows, columns = (slice(span.start // stride, span.stop // stride) for span in (self.rows, self.columns))
        return picture[rows, columns]

    def put(self, part: np.ndarray, whole: np.ndarray, stride: int = 1) -> None:
        """Write what belongs to it, `part` being like `of`, into `(H // stride, W // stride, C)`."""
        inner = tuple(slice(span.first // stride, span.end // stride) for span in (self.rows, self.columns))
        own = tuple(
            slice((span.first - span.start) // stride, (span.end - span.start) // stride) for span in (self.rows, self.columns)
        )
        whole[inner] = part[own]

    def mask(self, stride: int, lost_rows: int = 0, lost_columns: int = 0) -> np.ndarray:
        """`Span.share` of both sides together: float32 `(h, w, 1)`."""
        rows, columns = self.rows.share(stride, lost_rows), self.columns.share(stride, lost_columns)
        mask: np.ndarray = np.multiply.outer(rows, columns)[..., None]
        return mask


def tiles_of(height: int, width: int) -> list[Tile]:
    """The tiles of a picture, row by row; one where it is small enough."""
    return [Tile(rows, columns) for rows in spans_of(height) for columns in spans_of(width)]


def spans_of(length: int) -> Sequence[Span]:
    """The tiles of one side of a picture."""
    if length <= LARGEST:
        return [Span(0, length, 0, length, length)]
    side = LARGEST - (LARGEST - length) % ALIGNMENT  # so that the last one begins at a multiple, too
    count = 1 + math.ceil((length - side) / (side - 2 * MARGIN - 2 * ALIGNMENT))
    starts = [(length - side) * number // (count - 1) // ALIGNMENT * ALIGNMENT for number in range(count)]
    cuts = [(start + before + side) // 2 // ALIGNMENT * ALIGNMENT for before, start in pairwise(starts)]
    return [
        Span(start, start + side, first, end, length)
        for start, first, end in zip(starts, [0, *cuts], [*cuts, length], strict=True)
    ]
