"""How one picture lies over another: `Picture`, a frame small, grey and smooth, and `align`, which finds the movement.

All is measured block by block in the outer ring of the frame, where the scene is more often than whoever walks in it, and
only blocks with a texture to tell a movement by count. NumPy alone: films are painted without OpenCV, too.

Reference:
    Kuglin, Hines: The phase correlation image alignment method (1975), for where to look. Baker, Matthews: Lucas-Kanade
    20 years on (2004), for parts of a pixel: the inverse algorithm, with weights for blocks that go another way.
"""

from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Self

import numpy as np

from realtime_nst.style.field import cubic

LONGEST = 160
"""Pixels of the small picture along its longer side, about."""
BLOCK = 10
"""Pixels of it along the sides of a block."""
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
        self.tops, self._rows = _cut(height)
        self.lefts, columns = _cut(width)
        self._columns = columns.T
        y, x = np.meshgrid(self.tops + BLOCK / 2 - height / 2, self.lefts + BLOCK / 2 - width / 2, indexing="ij")
        self._ring = (np.abs(y) > CENTRE * height / 2) | (np.abs(x) > CENTRE * width / 2)
        self.x, self.y = x[self._ring], y[self._ring]
        self.count = len(self.x)
        one, none = np.ones(self.count), np.zeros(self.count)
        self.jacobian = np.moveaxis(np.array([[one, none, self.x, -self.y], [none, one, self.y, self.x]]), 2, 0)
        self.window = np.outer(np.hanning(height), np.hanning(width)).astype(np.float32)

    @classmethod
    @cache
    def of(cls, height: int, width: int) -> Self:
        """Those of a size."""
        return cls(height, width)

    def means(self, *maps: np.ndarray) -> np.ndarray:
        """Of each map `(height, width)` the mean of each block, `(maps, n)`."""
        means: np.ndarray = (self._rows @ np.stack(maps) @ self._columns)[:, self._ring]
        return means

    def whole(self, shift: np.ndarray, height: int, width: int) -> np.ndarray:
        """Which blocks lie inside of a picture that moved under them, bool `(n,)`."""
        down = (self.tops - shift[1] >= 2) & (self.tops + BLOCK - shift[1] <= height - 2)
        across = (self.lefts - shift[0] >= 2) & (self.lefts + BLOCK - shift[0] <= width - 2)
        return np.outer(down, across)[self._ring]


class Picture:
    """A frame as movements are measured on it.

    Args:
        grey: float32 `(height, width)`, 0 to 255.
    """

    def __init__(self, grey: np.ndarray) -> None:
        self.grey = grey
        self.smooth = smooth = _smoothed(_smoothed(grey - np.float32(grey.mean())))
        self.blocks = blocks = Blocks.of(*grey.shape)
        self.across, self.down = across, down = np.zeros((2, *grey.shape), np.float32)
        across[:, 1:-1] = (smooth[:, 2:] - smooth[:, :-2]) / 2
        down[1:-1] = (smooth[2:] - smooth[:-2]) / 2
        grain = grey - smooth
        maps = [smooth, across, down, grain]
        products = [smooth * smooth, grain * grain, across * across, across * down, down * down, across * smooth, down * smooth]
        self.mean, x, y, rough, *squares = blocks.means(*maps, *products)
        self.means = x, y
        self.variance, grain, xx, xy, yy, self.x_self, self.y_self = squares - np.array(
            [self.mean**2, rough**2, x * x, x * y, y * y, x * self.mean, y * self.mean]
        )
        self.variance = np.maximum(self.variance, 0.0)
        self.hessian = np.moveaxis(np.array([[xx, xy], [xy, yy]], float), 2, 0)  # (n, 2, 2)
        self.telling = (xx + yy > SLOPE) & (xx + yy > GRAIN_SLOPE * grain)

    @property
    def tells(self) -> bool:
        """Whether enough of the ring would tell a movement."""
        return bool(self.blocks.count and self.telling.mean() >= TELLING)

    @cached_property
    def spectrum(self) -> np.ndarray:
        """Complex `(height, width / 2 + 1)`, faded out towards the edges."""
        return np.fft.rfft2(self.smooth * self.blocks.window)


@dataclass(frozen=True)
class Overlay:
    """A picture over one before that was moved and turned under it.

    Args:
        shift: By how many pixels, to the right and down, float `(2,)`.
        turn: How much larger it became, and by how many radians it turned clockwise, float `(2,)`, both about its middle.
        plain: Variance that is left of each block of what was moved only, `(n,)`.
        pull: How the slopes go with what is left, `(n, 2)`.
        left: Variance that is left of each block when it is turned, too, `(n,)`.
        share: The same as a share of all that both vary by, `(n,)`.
        counted: Which blocks tell, and lie over the other picture, bool `(n,)`.
    """

    shift: np.ndarray
    turn: np.ndarray
    plain: np.ndarray
    pull: np.ndarray
    left: np.ndarray
    share: np.ndarray
    counted: np.ndarray

    @property
    def misfit(self) -> float:
        """The mean share of counted blocks."""
        return float(self.share[self.counted].mean()) if self.counted.any() else 1.0

    @property
    def fitting(self) -> float:
        """How many of the counted blocks fit, from 0 to 1."""
        return float((self.share[self.counted] < ALIKE).mean()) if self.counted.any() else 0.0

    @cached_property
    def noise(self) -> float:
        """Variance that is left of blocks that fit well."""
        return at_share(self.left[self.counted], QUIET) + ROUNDING if self.counted.any() else ROUNDING


def lay_over(now: Picture, before: Picture, shift: np.ndarray, turn: np.ndarray) -> Overlay:
    """Lay a picture over one before, moved by a shift; what turning does is foreseen by slopes."""
    height, width = now.grey.shape
    blocks = now.blocks
    moved = _moved(before.smooth, shift)
    mean, square, both, x_both, y_both = blocks.means(
        moved, moved * moved, moved * now.smooth, moved * now.across, moved * now.down
    )
    variance, both = np.maximum(square - mean**2, 0.0), both - mean * now.mean  # which rounding may take below 0
    counted = now.telling & blocks.whole(shift, height, width)
    gain = 1.0  # of the camera, which sees to exposure by itself
    if counted.any():
        gain = at_share(now.variance[counted] / np.maximum(variance[counted], ROUNDING), 0.5) ** 0.5
    plain = np.maximum(now.variance - 2 * gain * both + gain**2 * variance, 0.0)
    x, y = now.means
    pull = np.stack([now.x_self - gain * (x_both - x * mean), now.y_self - gain * (y_both - y * mean)], axis=1)
    left = _left(now, plain, pull, blocks.jacobian[:, :, 2:] @ turn)
    share = left / (now.variance + gain**2 * variance + 1e-6)
    return Overlay(shift, turn, plain, pull, left, share, counted)


def align(now: Picture, before: Picture, shift: np.ndarray, turn: np.ndarray, guess: np.ndarray) -> Overlay:
    """How a picture lies best over one before.

    Args:
        now: The picture.
        before: One of the same size.
        shift: By how much it was moved until now.
        turn: And turned.
        guess: By how much more it may have been moved.
    """
    best = lay_over(now, before, shift, turn)
    if np.abs(guess).max() >= 1:
        other = lay_over(now, before, shift + guess, turn)
        best = min(best, other, key=lambda overlay: overlay.misfit)
    for _ in range(STEPS):
        step, turn = _step(now, best)
        if np.abs(step).max() < LAST_STEP:
            return replace(best, shift=best.shift + step, turn=turn)
        next_one = lay_over(now, before, best.shift + step, turn)
        if next_one.misfit > best.misfit + ROUNDING:
            break
        best = next_one
    return best


def phase_shift(now: Picture, before: Picture) -> np.ndarray:
    """By how many whole pixels, to the right and down, most of a picture moved since one before, float `(2,)`."""
    cross = now.spectrum * before.spectrum.conj()
    surface = np.fft.irfft2(cross / (np.abs(cross) + 1e-3), s=now.grey.shape)
    height, width = surface.shape
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
    counted = overlay.counted
    if not counted.any():
        return np.zeros(2), overlay.turn
    jacobian = now.blocks.jacobian[counted]
    bent = now.hessian[counted] @ jacobian  # (n, 2, 4)
    left, noise = overlay.left[counted], overlay.noise
    for _ in range(2):
        scale = noise + 0.05 * now.variance[counted]
        weights = (scale / (scale + left)) ** 2
        matrix = jacobian.reshape(-1, 4).T @ (weights[:, None, None] * bent).reshape(-1, 4)
        matrix[np.diag_indices(4)] = STEADY * matrix.diagonal() + 1e-6
        way = -np.linalg.solve(matrix, jacobian.reshape(-1, 4).T @ (weights[:, None] * overlay.pull[counted]).reshape(-1))
        left = _left(now, overlay.plain, overlay.pull, now.blocks.jacobian @ way)[counted]
    return way[:2] * min(1.0, LONGEST_STEP / (np.hypot(*way[:2]) + 1e-9)), np.clip(way[2:], -0.05, 0.05)


def _left(now: Picture, plain: np.ndarray, pull: np.ndarray, ways: np.ndarray) -> np.ndarray:
    """Variance that is left of each block when it goes a way further, `(n, 2)` pixels, as the slopes foresee."""
    bend = (ways[:, None, :] @ now.hessian)[:, 0]
    left: np.ndarray = np.maximum(plain + ((2 * pull + bend) * ways).sum(1), 0.1 * plain)
    return left


def _moved(smooth: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """A picture moved to the right and down, continued by its edges."""
    for axis, moved in enumerate(-shift[::-1]):
        first, length = int(np.floor(moved)), smooth.shape[axis]
        places = np.clip(np.arange(first - 1, first + 2 + length), 0, length - 1)
        piece, weights = smooth.take(places, axis), cubic(np.array(moved - first)).astype(np.float32)
        taps = [piece[tap : tap + length] if axis == 0 else piece[:, tap : tap + length] for tap in range(4)]
        smooth = taps[1] * weights[1]
        for tap in (0, 2, 3):
            if weights[tap]:
                smooth += weights[tap] * taps[tap]
    return smooth


def at_share(values: np.ndarray, share: float) -> float:
    """The one of some values below which a share of them lies; a tenth of the time of NumPy's quantile, which interpolates."""
    place = int(share * (len(values) - 1))
    return float(np.partition(values, place)[place])


def _smoothed(grey: np.ndarray) -> np.ndarray:
    """Weighted 1, 2, 1 along both axes."""
    padded = np.pad(grey, 1, mode="edge")
    rows = padded[:-2] + padded[2:] + 2 * padded[1:-1]
    smoothed: np.ndarray = (rows[:, :-2] + rows[:, 2:] + 2 * rows[:, 1:-1]) / 16
    return smoothed


def _cut(length: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the blocks along a side begin, and what takes the means over them: float32 `(blocks, length)`."""
    count = length // BLOCK
    starts = (length - count * BLOCK) // 2 + BLOCK * np.arange(count)
    inside = (np.arange(length) >= starts[:, None]) & (np.arange(length) < starts[:, None] + BLOCK)
    return starts, inside.astype(np.float32) / BLOCK
