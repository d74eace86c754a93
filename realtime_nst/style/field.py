"""The texture field: fixed, smooth noise that strokes hang on where the photo is plain.

It is the same on every machine, has no border (it is a torus of 2048 pixels on a side), and can be moved by any part of a
pixel and turned, so that it goes along with the camera. NumPy alone.
"""

import math
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
FINE = 2
"""Where it is turned, so many values along each side of a place, and straight lines between them."""

Offset = tuple[float, float, float]
"""How a field has moved, `(x, y, turn)`: it turned clockwise by `turn` radians about the middle of the frame, and then moved by x
pixels to the right and y down. The frame is the padded one, whose sides are multiples of 8."""
HOME: Offset = (0.0, 0.0, 0.0)


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
        offset: How the field has moved.

    Returns:
        float32 `(height / part, width / part, channels)`, between places by cubic convolution (`cubic`); of one that has turned
        as `turned` says.
    """
    x, y, turn = offset
    return turned(part, channels, width, height, offset) if turn else moved(part, channels, width, height, x, y)


def moved(part: int, channels: int, width: int, height: int, x: float, y: float) -> np.ndarray:
    """The field of a frame that has moved by so many pixels to the right and down, and has not turned; as `field`."""
    starts = [-way / part for way in (y, x)]
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


def turned(part: int, channels: int, width: int, height: int, offset: Offset) -> np.ndarray:
    """The field of a frame that has turned, too, as `field`, with straight lines between the values of `fine`."""
    x, y, turn = offset
    side, places = len(fine(part, channels)), fine(part, channels).reshape(-1, channels)
    across, down = math.cos(turn) * FINE, math.sin(turn) * FINE  # from place to place of a row of the frame, which turns back
    left, top = (part - width) / 2 - x, (part - height) / 2 - y  # the middle of the first place, seen from that of the frame
    first_x = (across * left + down * top + FINE * (width - part) / 2) / part % side
    first_y = (across * top - down * left + FINE * (height - part) / 2) / part % side
    columns, rows = (np.arange(length // part, dtype=np.float32) for length in (width, height))
    u = np.add.outer(rows * np.float32(down) + np.float32(first_x), columns * np.float32(across))
    v = np.add.outer(rows * np.float32(across) + np.float32(first_y), columns * np.float32(-down))
    column, row = np.floor(u), np.floor(v)
    u, v = (u - column)[..., None], (v - row)[..., None]
    column, row = column.astype(np.int32) % side, row.astype(np.int32) % side
    right, below = (column + 1) % side, (row + 1) % side
    lines: list[np.ndarray] = []
    for line in (row * side, below * side):
        found, other = places.take(line + column, 0), places.take(line + right, 0)
        other -= found
        other *= u
        found += other
        lines.append(found)
    upper, lower = lines
    lower -= upper
    lower *= v
    upper += lower
    return upper


@cache
def fine(part: int, channels: int) -> np.ndarray:
    """The torus with values between its places, too (`cubic`): float32 `(FINE * side, FINE * side, channels)`, read-only."""
    found = torus(part, channels)
    for axis in (0, 1):
        weights = [cubic(step / FINE).astype(np.float32) for step in range(FINE)]
        between = [sum(w * np.roll(found, 1 - tap, axis) for tap, w in enumerate(one)) for one in weights]
        shape = [length * FINE if number == axis else length for number, length in enumerate(found.shape)]
        found = np.stack(between, axis + 1).reshape(shape)
    found.flags.writeable = False
    return found


def field_at(part: int, channels: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The field at any positions.

    Args:
        part: 4 or 8: pixels from value to value.
        channels: Independent fields side by side.
        x: Distances to the right from the field's first value, in values, float `(...)`.
        y: Distances down, alike.

    Returns:
        float32 `(..., channels)`, by cubic convolution.
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
