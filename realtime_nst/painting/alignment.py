"""How one picture lies over another: `Picture`, a frame small, grey and smooth, and `align`, which finds the movement.

All is measured block by block in the outer ring of the frame, where the scene is more often than whoever walks in it, and
only blocks with a texture to tell a movement by count. NumPy alone: films are painted without OpenCV, too.

Reference:
    Kuglin, Hines: The phase correlation image alignment method (1975), for where to look. Baker, Matthews: Lucas-Kanade
    20 years on (2004), for parts of a pixel: the inverse algorithm, with weights for blocks that go another way.
"""

import math
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Self

import numpy as np

from realtime_nst.style.field import cubic

LONGEST = 160
"""Pixels of the small picture along its longer side, about."""
BLOCK = 10
"""Pixels of it along the sides of a block."""
MEAN = np.full(BLOCK**2, 1 / BLOCK**2, np.float32)
"""Weights of a block's pixels for their mean."""
BINOMIAL = np.array([1, 4, 6, 4, 1], np.float32)
CENTRE = 0.6
"""Share of width and height that the ring goes around."""
SLOPE, GRAIN_SLOPE = 0.1, 0.1
"""A block tells if its slopes vary by so much, (grey levels per pixel)^2, and by so much of what its grain varies by, which
is twice what noise alone would have."""
TELLING = 0.3
"""Share of the ring's blocks that must tell."""
ALIKE = 0.5
"""A block fits if no more of its variance, and of the other's, is left; 1 is left of two strange pictures."""
STEPS = 4
LONGEST_STEP, LAST_STEP = 2.0, 0.02
STEADY = 1.01
"""Where all lines run one way, nothing tells of movement along them: it stays as it was."""
SAME = 1e-9
"""Pixels within which a shift is the same, but for rounding."""
ROUNDING = 0.02
"""Variance that is left of any picture."""
QUIET = 0.3
"""Share of blocks by which the noise is judged: those that fit best."""


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
        self.window = np.outer(np.hanning(height), np.hanning(width)).astype(np.float32)
        pixels = np.add.outer(width * np.arange(BLOCK), np.arange(BLOCK)).reshape(-1)
        self._places = np.add.outer(np.add.outer(width * tops, lefts)[ring], pixels)
        self._room = width / 2 - BLOCK / 2 - 2, height / 2 - BLOCK / 2 - 2

    @classmethod
    @cache
    def of(cls, height: int, width: int) -> Self:
        """Those of a size."""
        return cls(height, width)

    def cut(self, maps: np.ndarray, ahead: int = 0) -> np.ndarray:
        """Cut the blocks out of maps.

        Args:
            maps: float32 `(..., height * width)`, or without some of the last rows.
            ahead: By how many values further on each block is; after the last value comes the first.

        Returns:
            The values of each block less their mean, float32 `(..., n, 100)`.
        """
        places = self._places + ahead if ahead else self._places
        values: np.ndarray = maps.take(places, axis=-1, mode="wrap")
        values -= np.vecdot(values, MEAN)[..., None]
        return values

    def whole(self, shift: np.ndarray) -> np.ndarray:
        """Which blocks lie inside of a picture that moved under them, 2 pixels from its edges, bool `(n,)`."""
        across, down = self._room
        whole: np.ndarray = (np.abs(self.x - shift[0]) <= across) & (np.abs(self.y - shift[1]) <= down)
        return whole


class Picture:
    """A frame as movements are measured on it.

    Args:
        grey: float32 `(height, width)`, 0 to 255.
    """

    def __init__(self, grey: np.ndarray) -> None:
        self.grey = grey
        self.blocks = blocks = Blocks.of(*grey.shape)
        maps = np.zeros((4, *grey.shape), np.float32)
        self.smooth, across, down, grain = maps
        smooth = np.subtract(_smoothed(grey), grey.mean(), out=self.smooth)
        across[:, 1:-1] = (smooth[:, 2:] - smooth[:, :-2]) / 2
        down[1:-1] = (smooth[2:] - smooth[:-2]) / 2
        np.subtract(grey, smooth, out=grain)
        values = blocks.cut(maps.reshape(4, -1))
        self.values = values[:3]
        (self.variance, *_), (self.x_self, xx, xy), (self.y_self, _, yy) = _means(self.values[:, None], self.values)
        xx_ways, xy_ways, yy_ways = blocks.squares
        self.curve = xx * xx_ways + xy * xy_ways + yy * yy_ways  # (4, 4, n)
        self.telling = (xx + yy > SLOPE) & (xx + yy > GRAIN_SLOPE * _means(values[3], values[3]))

    @property
    def tells(self) -> bool:
        """Whether enough of the ring would tell a movement."""
        return bool(self.blocks.count and self.telling.mean() >= TELLING)

    @cached_property
    def spectrum(self) -> np.ndarray:
        """Complex `(height, width / 2 + 1)`, faded out towards the edges."""
        return np.fft.fft(np.fft.rfft(self.smooth * self.blocks.window), axis=0)  # a fifth faster than `rfft2`


@dataclass(frozen=True)
class Overlay:
    """A picture over one before that was moved and turned under it.

    Args:
        shift: By how many pixels, to the right and down, float `(2,)`.
        turn: How much larger it became, and by how many radians it turned clockwise, float `(2,)`, both about its middle.
        plain: Variance that is left of each block of what was moved only, `(n,)`.
        pull: How what moving and turning changes goes with what is left, `(4, n)`.
        left: Variance that is left of each block when it is turned, too, `(n,)`.
        varied: What both vary by, `(n,)`.
        counted: Which blocks tell, and lie over the other picture, bool `(n,)`.
    """

    shift: np.ndarray
    turn: np.ndarray
    plain: np.ndarray
    pull: np.ndarray
    left: np.ndarray
    varied: np.ndarray
    counted: np.ndarray

    @cached_property
    def misfit(self) -> float:
        """The mean share that is left of counted blocks."""
        return float((self.left / self.varied)[self.counted].mean()) if self.counted.any() else 1.0

    @cached_property
    def fitting(self) -> float:
        """How many of the counted blocks fit, from 0 to 1."""
        return float((self.left < ALIKE * self.varied)[self.counted].mean()) if self.counted.any() else 0.0

    @cached_property
    def noise(self) -> float:
        """Variance that is left of blocks that fit well."""
        return at_share(self.left[self.counted], QUIET) + ROUNDING if self.counted.any() else ROUNDING


def lay_over(now: Picture, before: Picture, shift: np.ndarray, turn: np.ndarray) -> Overlay:
    """Lay a picture over one before, moved by a shift; what turning does is foreseen by slopes."""
    blocks = now.blocks
    moved = _moved(before, shift)
    variance = _means(moved, moved)
    both, x_both, y_both = _means(now.values, moved)
    counted = now.telling & blocks.whole(shift)
    gain = 1.0  # of the camera, which sees to exposure by itself
    if counted.any():
        gain = at_share(now.variance[counted] / np.maximum(variance[counted], ROUNDING), 0.5) ** 0.5
    variance *= gain**2
    plain = np.maximum(now.variance - 2 * gain * both + variance, 0.0)
    x, y = blocks.ways
    pull = x * (now.x_self - gain * x_both) + y * (now.y_self - gain * y_both)
    left = _left(now, plain, pull, np.array([0.0, 0.0, *turn]))
    return Overlay(shift, turn, plain, pull, left, now.variance + variance + 1e-6, counted)


def lay_again(now: Picture, before: Picture, first: Overlay, shift: np.ndarray, turn: np.ndarray) -> Overlay:
    """The same for less, if the first overlay of both was moved by the same shift."""
    if np.abs(shift - first.shift).max() > SAME:
        return lay_over(now, before, shift, turn)
    return replace(first, turn=turn, left=_left(now, first.plain, first.pull, np.array([0.0, 0.0, *turn])))


def align(now: Picture, before: Picture, first: Overlay, guess: np.ndarray) -> Overlay:
    """How a picture lies best over one before.

    Args:
        now: The picture.
        before: One of the same size.
        first: How it lies where it was until now.
        guess: By how much more it may have been moved.
    """
    best = first
    if np.abs(guess).max() >= 1:
        other = lay_over(now, before, first.shift + guess, first.turn)
        best = min(best, other, key=lambda overlay: overlay.misfit)
    for _ in range(STEPS):
        step, turn = _step(now, best)
        if np.abs(step).max() < LAST_STEP:
            left = _left(now, best.plain, best.pull, np.array([*step, *turn]))
            return replace(best, shift=best.shift + step, turn=turn, left=left)
        next_one = lay_over(now, before, best.shift + step, turn)
        if next_one.misfit > best.misfit + ROUNDING:
            break
        best = next_one
    return best


def phase_shift(now: Picture, before: Picture) -> np.ndarray:
    """By how many whole pixels, to the right and down, most of a picture moved since one before, float `(2,)`."""
    cross = now.spectrum * before.spectrum.conj()
    height, width = now.grey.shape
    surface = np.fft.irfft2(cross * (1 / (np.abs(cross) + np.float32(1e-3))), s=(height, width))
    y, x = np.unravel_index(surface.argmax(), surface.shape)
    return np.array([(x + width // 2) % width - width // 2, (y + height // 2) % height - height // 2], float)


def small_grey(image: np.ndarray) -> tuple[np.ndarray, int]:
    """A frame made small, by means of squares of pixels.

    Args:
        image: uint8 `(height, width, 3)` RGB.

    Returns:
        float32 `(height / factor, width / factor)`, from 0 to 255, and the factor.
    """
    factor = max(1, round(max(image.shape[:2]) / LONGEST))
    height, width = image.shape[0] // factor, image.shape[1] // factor
    cropped = image[: height * factor, : width * factor]
    rows = cropped.reshape(height, factor, -1).sum(1, np.uint16)  # up to 255 * factor, and all is read in its order
    weights = np.full(3 * factor, 1 / (3 * factor * factor), np.float32)
    small: np.ndarray = rows.reshape(height, width, -1).astype(np.float32) @ weights
    return small, factor


def _step(now: Picture, overlay: Overlay) -> tuple[np.ndarray, np.ndarray]:
    """How much further to move, and how to turn, for less to be left; blocks that go another way weigh little."""
    if not overlay.counted.any():
        return np.zeros(2), overlay.turn
    way = _way(now, overlay, overlay.left)
    way = _way(now, overlay, _left(now, overlay.plain, overlay.pull, way))
    return way[:2] * min(1.0, LONGEST_STEP / (math.hypot(*way[:2]) + 1e-9)), np.minimum(np.maximum(way[2:], -0.05), 0.05)


def _way(now: Picture, overlay: Overlay, left: np.ndarray) -> np.ndarray:
    """How to move and turn, `(4,)`, where so much is left of each block."""
    scale = overlay.noise + 0.05 * now.variance
    weights = overlay.counted * (scale / (scale + left)) ** 2
    matrix = now.curve.reshape(16, -1) @ weights
    matrix[::5] = STEADY * matrix[::5] + 1e-6  # its diagonal
    return -np.linalg.solve(matrix.reshape(4, 4), overlay.pull @ weights)


def _left(now: Picture, plain: np.ndarray, pull: np.ndarray, way: np.ndarray) -> np.ndarray:
    """Variance that is left of each block when all moves and turns by a way `(4,)` further, as the slopes foresee."""
    bend = (way @ now.curve.reshape(4, -1)).reshape(4, -1)
    left: np.ndarray = np.maximum(plain + way @ (2 * pull + bend), 0.1 * plain)
    return left


def _moved(before: Picture, shift: np.ndarray) -> np.ndarray:
    """The blocks of a picture that was moved to the right and down, `(n, 100)`; what is in those not whole means nothing."""
    flat, width = before.smooth.reshape(-1), before.grey.shape[1]
    left, top = np.floor(-shift).astype(int)
    across, along = (cubic(float(share)).astype(np.float32) for share in -shift - (left, top))
    # Four lines of the flat picture, each a row further on; to move them along it, its rows need not be told apart.
    lines = np.ndarray((4, len(flat) - 3 * width), flat.dtype, flat, strides=(width * flat.itemsize, flat.itemsize))
    flat = np.correlate(np.einsum("t, tm -> m", along, lines), across)
    return before.blocks.cut(flat, (top - 1) * width + left - 1)


def at_share(values: np.ndarray, share: float) -> float:
    """The one of some values below which a share of them lies; a tenth of the time of NumPy's quantile, which interpolates."""
    place = int(share * (len(values) - 1))
    return float(np.partition(values, place)[place])


def _means(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Of each block the mean of the products of its values, `(..., n, 100)` both: float64 `(..., n)`."""
    means: np.ndarray = np.vecdot(values, others).astype(float) / BLOCK**2
    return means


def _smoothed(grey: np.ndarray) -> np.ndarray:
    """Weighted 1, 4, 6, 4, 1 along both axes, and continued as if mirrored at its edges."""
    rows, columns = map(_mirrored, grey.shape)
    smoothed = grey.take(rows, 0)
    for _ in range(4):  # which gives these weights
        smoothed = smoothed[:-1] + smoothed[1:]
    wide = smoothed.take(columns, 1)
    return np.correlate(wide.reshape(-1), BINOMIAL / BINOMIAL.sum() ** 2, "same").reshape(wide.shape)[:, 2:-2]


@cache
def _mirrored(length: int) -> np.ndarray:
    """The places along a side, and two more before and after it, in its mirror."""
    places = np.arange(-2, length + 2) % (2 * length)
    return np.minimum(places, 2 * length - 1 - places)


def _starts(length: int) -> np.ndarray:
    """Where the blocks along a side begin."""
    count = length // BLOCK
    return (length - count * BLOCK) // 2 + BLOCK * np.arange(count)
