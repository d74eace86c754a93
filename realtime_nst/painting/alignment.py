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

import numpy as np

from realtime_nst.painting.blocks import BLOCK, Blocks

LONGEST = 160
"""Pixels of the small picture along its longer side, about."""
BINOMIAL = np.array([1, 4, 6, 4, 1], np.float32)
SLOPE, GRAIN_SLOPE = 0.1, 0.1
"""A block tells if its slopes vary by so much, (grey levels per pixel)^2, and by so much of what its grain varies by, which
is twice what noise alone would have."""
TELLING = 0.3
"""Share of the ring's blocks that must tell."""
ALIKE = 0.5
"""A block fits if no more of its variance, and of the other's, is left; 1 is left of two strange pictures."""
STEPS = 4
LONGEST_STEP, LAST_STEP = 2.0, 0.1
MOST_TURNED = 0.05
"""Radians, or share by which all grew, that one picture is laid over another."""
STEADY = 1.01
"""Where all lines run one way, nothing tells of movement along them: it stays as it was."""
ROUNDING = 0.02
"""Variance that is left of any picture."""
QUIET = 0.3
"""Share of blocks by which the noise is judged: those that fit best."""


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
        left: Variance that is left of each block, `(n,)`.
        pull: How what moving and turning further changes goes with what is left, `(4, n)`.
        varied: What both vary by, `(n,)`.
        counted: Which blocks tell, and lie over the other picture, bool `(n,)`.
    """

    shift: np.ndarray
    turn: np.ndarray
    left: np.ndarray
    pull: np.ndarray
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
    """Lay a picture over one before, moved by a shift, grown and turned; no block is so large that it must be turned itself."""
    blocks = now.blocks
    places = blocks.moved(np.array([*shift, *turn]))
    moved = blocks.cut_moved(before.smooth.reshape(-1), *places)
    variance = _means(moved, moved)
    both, x_both, y_both = _means(now.values, moved)
    counted = now.telling & blocks.whole(*places)
    gain = 1.0  # of the camera, which sees to exposure by itself
    if counted.any():
        gain = at_share(now.variance[counted] / np.maximum(variance[counted], ROUNDING), 0.5) ** 0.5
    variance *= gain**2
    left = np.maximum(now.variance - 2 * gain * both + variance, 0.0)
    x, y = blocks.ways
    pull = x * (now.x_self - gain * x_both) + y * (now.y_self - gain * y_both)
    return Overlay(shift, turn, left, pull, now.variance + variance + 1e-6, counted)


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
    radius = math.hypot(*now.grey.shape) / 2
    for _ in range(STEPS):
        step = _step(now, best)
        if max(*np.abs(step[:2]), radius * math.hypot(*step[2:])) < LAST_STEP:
            left = _left(now, best, step)
            return replace(best, shift=best.shift + step[:2], turn=best.turn + step[2:], left=left)
        next_one = lay_over(now, before, best.shift + step[:2], best.turn + step[2:])
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


def _step(now: Picture, overlay: Overlay) -> np.ndarray:
    """How much further to move, grow and turn, `(4,)`, for less to be left; blocks that go another way weigh little."""
    if not overlay.counted.any():
        return np.zeros(4)
    way = _way(now, overlay, overlay.left)
    way = _way(now, overlay, _left(now, overlay, way))
    shift = way[:2] * min(1.0, LONGEST_STEP / (math.hypot(*way[:2]) + 1e-9))
    turn = np.minimum(np.maximum(overlay.turn + way[2:], -MOST_TURNED), MOST_TURNED)
    return np.array([*shift, *(turn - overlay.turn)])


def _way(now: Picture, overlay: Overlay, left: np.ndarray) -> np.ndarray:
    """How to move, grow and turn, `(4,)`, where so much is left of each block."""
    scale = overlay.noise + 0.05 * now.variance
    weights = overlay.counted * (scale / (scale + left)) ** 2
    matrix = now.curve.reshape(16, -1) @ weights
    matrix[::5] = STEADY * matrix[::5] + 1e-6  # its diagonal
    return -np.linalg.solve(matrix.reshape(4, 4), overlay.pull @ weights)


def _left(now: Picture, overlay: Overlay, way: np.ndarray) -> np.ndarray:
    """Variance that is left of each block when all goes further by a way `(4,)`, as the slopes foresee."""
    bend = (way @ now.curve.reshape(4, -1)).reshape(4, -1)
    left: np.ndarray = np.maximum(overlay.left + way @ (2 * overlay.pull + bend), 0.1 * overlay.left)
    return left


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
