"""The texture field: fixed, smooth noise that strokes hang on where the photo is plain.

It is the same on every machine, has no border (it is a torus of 2048 pixels on a side), and can be moved by any part of a
pixel, so that it goes along with the camera. NumPy alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import product

import numpy as np

PERIOD = 2048
"""Pixels after which it repeats, along both axes."""
PARTS = (4, 8)
"""It has a value every 4 pixels for strokes and lines, and another field one every 8 for what is larger."""
SMOOTH = 0.8
"""Standard deviation of the Gaussian that it was blurred with, in places."""
SEED = 2048
REACH = 4

Offset = tuple[float, float]
"""By how many pixels, to the right and down, a field has moved."""
HOME: Offset = (0.0, 0.0)


@cache
def torus(part: int, channels: int) -> np.ndarray:
    """The whole field, of mean 0 and deviation 1.

    Args:
        part: 4 or 8: pixels from value to value.
        channels: Independent fields side by side.

    Returns:
        float32 `(2048 / part, 2048 / part, channels)`, read-only.
    """
    side = PERIOD // part
    # The legacy generator never changes its numbers; newer ones may, and every painting with them.
    noise: np.ndarray = np.random.RandomState(SEED + part).standard_normal((side, side, channels)).astype(np.float32)
    taps = np.arange(-REACH, REACH + 1)
    weights = np.exp(-0.5 * (taps / SMOOTH) ** 2).astype(np.float32)
    for axis in (0, 1):
        noise = sum(weight * np.roll(noise, int(tap), axis) for tap, weight in zip(taps, weights, strict=True))
    noise = (noise - noise.mean()) / noise.std()
    noise.flags.writeable = False
    return noise


def field(part: int, channels: int, width: int, height: int, offset: Offset = HOME) -> np.ndarray:
    """The field of a frame.

    Args:
        part: 4 or 8: pixels from value to value.
        channels: Independent fields side by side.
        width: Of the frame in pixels, a multiple of `part`.
        height: Of the frame in pixels, a multiple of `part`.
        offset: By how far the field has moved.

    Returns:
        float32 `(height / part, width / part, channels)`, between places by cubic convolution (`cubic`).
    """
    starts = [-moved / part for moved in reversed(offset)]
    firsts = [int(np.floor(start)) for start in starts]
    piece = _cut_out(torus(part, channels), [first - 1 for first in firsts], [length // part + 3 for length in (height, width)])
    for axis, (start, first) in enumerate(zip(starts, firsts)):
        count = piece.shape[axis] - 3
        neighbours = [piece[(slice(None),) * axis + (slice(tap, tap + count),)] for tap in range(4)]
        piece = neighbours[1]
        if start != first:
            weights = cubic(np.array(start - first)).astype(np.float32)
            piece = neighbours[0] * weights[0]
            term = np.empty_like(piece)  # one for all: asking for memory takes longer than the sum
            for weight, neighbour in zip(weights[1:], neighbours[1:], strict=True):
                piece += np.multiply(neighbour, weight, out=term)
    return np.ascontiguousarray(piece)


def field_at(part: int, channels: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The field at any positions.

    Args:
        part: 4 or 8: pixels from value to value.
        channels: Independent fields side by side.
        x: Distances to the right from the field's first value, in values, float `(...)`.
        y: Distances down, alike.

    Returns:
        float32 `(..., channels)`, as `field` has it.
    """
    whole = torus(part, channels)
    left, top = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    across, along = cubic(x - left).astype(np.float32), cubic(y - top).astype(np.float32)
    side, found = len(whole), np.zeros((*x.shape, channels), np.float32)
    for row in range(4):
        for column in range(4):
            weight = along[row] * across[column]
            found += weight[..., None] * whole[(top + row - 1) % side, (left + column - 1) % side]
    return found


def cubic(t: np.ndarray | float) -> np.ndarray:
    """Weights of the four neighbours of a position, by how far it lies between the inner two: `(...)` to `(4, ...)`.

    Reference:
        Keys: Cubic convolution interpolation for digital image processing (1981), equation 15.
    """
    return np.array(
        [((2 - t) * t - 1) * t / 2, ((3 * t - 5) * t * t + 2) / 2, ((4 - 3 * t) * t + 1) * t / 2, (t - 1) * t * t / 2]
    )


def fields_of(channels: int, width: int, height: int, offset: Offset = HOME) -> Mapping[str, np.ndarray]:
    """Both fields of a frame as a transform network takes them, `(1, ...)` each; none for a body without a field."""
    return {f"field{part}": field(part, channels, width, height, offset)[None] for part in PARTS} if channels else {}


def _cut_out(whole: np.ndarray, firsts: Sequence[int], counts: Sequence[int]) -> np.ndarray:
    """So many rows and columns of a torus, from a row and a column on."""
    piece = np.empty((*counts, whole.shape[2]), whole.dtype)
    rows, columns = (list(_spans(first, count, len(whole))) for first, count in zip(firsts, counts))
    for (into_rows, of_rows), (into_columns, of_columns) in product(rows, columns):
        piece[into_rows, into_columns] = whole[of_rows, of_columns]
    return piece


def _spans(first: int, count: int, side: int) -> Iterator[tuple[slice, slice]]:
    """Places from one on, around a circle of `side` of them: their numbers in the order asked for, and on the circle."""
    done = 0
    while done < count:
        place = (first + done) % side
        length = min(count - done, side - place)
        yield slice(done, done + length), slice(place, place + length)
        done += length
