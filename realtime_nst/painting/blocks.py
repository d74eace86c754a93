"""`Blocks`: squares in the outer ring of a small frame, cut out of it as it is, or as it was before it moved, grew and turned.

No block is so large that it must be turned itself. NumPy alone.
"""

from functools import cache
from typing import Self

import numpy as np

from realtime_nst.style.field import cubic

BLOCK = 10
"""Pixels of the small frame along the sides of a block."""
AROUND = BLOCK + 3
"""The same of what the four neighbours of each of its pixels take."""
MEAN = np.full(BLOCK**2, 1 / BLOCK**2, np.float32)
"""Weights of a block's pixels for their mean."""
CENTRE = 0.6
"""Share of width and height that the ring goes around."""


class Blocks:
    """The blocks of the outer ring, one after another: all that is `(n,)` here runs over them.

    Args:
        height: Of the small picture.
        width: Of it.
    """

    def __init__(self, height: int, width: int) -> None:
        tops, lefts = _starts(height), _starts(width)
        y, x = np.meshgrid(tops + BLOCK / 2 - height / 2, lefts + BLOCK / 2 - width / 2, indexing="ij")
        ring = (np.abs(y) > CENTRE * height / 2) | (np.abs(x) > CENTRE * width / 2)
        self.x, self.y = x[ring], y[ring]
        self.count = len(self.x)
        one, none = np.ones(self.count), np.zeros(self.count)
        self.ways = across, down = np.array([[one, none, self.x, -self.y], [none, one, self.y, self.x]])  # (2, 4, n)
        crossed = across[:, None] * down
        self.squares = across[:, None] * across, crossed + crossed.swapaxes(0, 1), down[:, None] * down  # each (4, 4, n)
        self._width = width
        self.window = np.outer(np.hanning(height), np.hanning(width)).astype(np.float32)
        corners = np.add.outer(width * tops, lefts)[ring]
        self._places = np.add.outer(corners, _square(BLOCK, width).reshape(-1))
        self._around = np.add.outer(corners - width - 1, _square(AROUND, width).reshape(-1))
        self._room = width / 2 - BLOCK / 2 - 2, height / 2 - BLOCK / 2 - 2

    @classmethod
    @cache
    def of(cls, height: int, width: int) -> Self:
        """Those of a size."""
        return cls(height, width)

    def cut(self, maps: np.ndarray) -> np.ndarray:
        """Cut the blocks out of maps.

        Args:
            maps: float32 `(..., height * width)`.

        Returns:
            The values of each block less their mean, float32 `(..., n, 100)`.
        """
        return _centred(maps.take(self._places, axis=-1))

    def cut_moved(self, flat: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Cut the blocks out of a map that was moved under each by pixels of its own, to the right and down.

        Args:
            flat: float32 `(height * width)`, a map.
            x: `(n,)`.
            y: `(n,)`.

        Returns:
            As `cut`, by cubic convolution; what is in blocks that are not `whole` means nothing.
        """
        left, top = np.floor(-x), np.floor(-y)
        ahead = (top * self._width + left).astype(int)
        values = flat.take(self._around + ahead[:, None], mode="wrap")  # (n, 13 x 13)
        values = _convolved(values, cubic(-y - top), AROUND)
        values = _convolved(values, cubic(-x - left), 1)  # the last three of each row mean nothing
        return _centred(_strided(values, (BLOCK, BLOCK), (AROUND, 1)).reshape(self.count, BLOCK**2))

    def moved(self, way: np.ndarray) -> np.ndarray:
        """By how many pixels each block goes some way, `(4,)` to `(2, n)`: to the right and down, growing and turning."""
        moved: np.ndarray = way @ self.ways
        return moved

    def whole(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Which blocks lie inside of a picture that moved so under each, 2 pixels from its edges, bool `(n,)`."""
        across, down = self._room
        whole: np.ndarray = (np.abs(self.x - x) <= across) & (np.abs(self.y - y) <= down)
        return whole


def _centred(values: np.ndarray) -> np.ndarray:
    """The values of each block less their mean, in place."""
    values -= np.vecdot(values, MEAN)[..., None]
    return values


def _convolved(values: np.ndarray, weights: np.ndarray, apart: int) -> np.ndarray:
    """Of each row of values the sums of four that lie so far apart, with weights `(4, n)` of its own: `(n, m)` to `(n, k)`."""
    count = values.shape[1] - 3 * apart
    taps = np.ascontiguousarray(weights.T, np.float32)[:, None]
    sums: np.ndarray = np.matmul(taps, _strided(values, (4, count), (apart, 1)))[:, 0]
    return sums


def _strided(values: np.ndarray, shape: tuple[int, int], steps: tuple[int, int]) -> np.ndarray:
    """A view of each row of values as a matrix whose rows and columns are so many values apart: `(n, m)` to `(n, *shape)`."""
    strides = (values.strides[0], *(step * values.itemsize for step in steps))
    return np.lib.stride_tricks.as_strided(values, (len(values), *shape), strides, writeable=False)


def _square(side: int, width: int) -> np.ndarray:
    """Places of a square's pixels in a flat map of some width, from its first one on, `(side, side)`."""
    return np.add.outer(width * np.arange(side), np.arange(side))


def _starts(length: int) -> np.ndarray:
    """Where the blocks along a side begin."""
    count = length // BLOCK
    return (length - count * BLOCK) // 2 + BLOCK * np.arange(count)
