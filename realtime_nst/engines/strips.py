"""Large pictures on a processor in little memory: the end of the network works in strips that share their statistics.

What is computed at half of the picture's size takes two thirds of the memory. It comes in two rounds: the first adds
up what the instance normalization needs to know about the whole picture, the second paints strip by strip. Strips
overlap by as much as the convolutions look around, so that none shows.
"""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from realtime_nst.engines.field import KeptField
from realtime_nst.engines.interface import Runner
from realtime_nst.style.field import HOME, Offset
from realtime_nst.style.style import Body

if TYPE_CHECKING:
    import keras

STRIP_PIXELS = 2_000_000
HALO = 1
"""Rows at a quarter of the size at a strip's inner edges that see what is not there."""
QUARTER = 4
EPSILON = 1e-5


def strip_rows(width: int, height: int) -> int:
    """Rows of a strip at a quarter of the picture's size."""
    return min(height // QUARTER, max(8, STRIP_PIXELS // (QUARTER * width)))


class StripEngine:
    """Image and vector to image, in parts.

    Args:
        body: The network.
        width: Width of the pictures in pixels, a multiple of 8.
        height: Height of the pictures in pixels, a multiple of 8.
        runner: What runs them, with channels first.

    Raises:
        StyleError: The body's weights are damaged.
        BackendError: Keras already runs on another backend in this process, or the temporary folder is full.
    """

    def __init__(self, body: Body, width: int, height: int, runner: Runner) -> None:
        self._width, self._height, self._rows = width, height, strip_rows(width, height)
        self._half = body.architecture.half
        self._field = KeptField(body.architecture, width, height, runner)
        parts: list[keras.Model] = []

        def part(index: int) -> "keras.Model":
            if not parts:
                from realtime_nst.networks.strips import cut_network
                from realtime_nst.networks.transform import build_transform_network, set_kernels

                network = build_transform_network(body.architecture, width=width, height=height)
                set_kernels(network, body.weights())
                parts.extend(cut_network(network, self._rows))
            return parts[index]

        facts = (body.sha256, width, height, self._rows)
        # The sums are always float32: variance is a small difference of large numbers.
        self._front, self._sums, self._back = (
            runner.compile(partial(part, index), "part", index, *facts, float32=float32)
            for index, float32 in enumerate((False, True, False))
        )

    def __call__(self, image: np.ndarray, vector: np.ndarray, offset: Offset = HOME) -> np.ndarray:
        painted: np.ndarray = self.on_device(image, vector, offset)[0]
        return painted

    def on_device(self, image: np.ndarray, vector: np.ndarray, offset: Offset = HOME) -> np.ndarray:
        """The painting `(1, height, width, 3)`."""
        (features,) = self._front({"images": image[None], "vectors": vector[None], **self._field.at(offset)})  # (1, C, H/4, W/4)
        scale, shift, *colours = np.split(vector[None, -2 * self._half - 6 :], np.cumsum([self._half, self._half, 3]), axis=1)
        total, squares = np.zeros((2, self._half))
        for strip, kept in self._strips():
            sums, sums_of_squares = self._sums({"features": features[:, :, strip]})
            rows = slice(2 * kept.start, 2 * kept.stop)
            total += sums[0, :, rows].sum(1, dtype=np.float64)
            squares += sums_of_squares[0, :, rows].sum(1, dtype=np.float64)
        mean = total / (self._height * self._width / 4)
        gain = scale / np.sqrt(squares / (self._height * self._width / 4) - mean**2 + EPSILON)
        norm = {"scales": gain.astype(np.float32), "shifts": (shift - mean * gain).astype(np.float32)}
        norm |= {"colour_scales": colours[0], "colour_shifts": colours[1]}
        picture = np.empty((1, self._height, self._width, 3), np.uint8)
        for strip, kept in self._strips():
            (painted,) = self._back({"features": features[:, :, strip], **norm})
            top = QUARTER * (strip.start + kept.start)
            rows = slice(QUARTER * kept.start, QUARTER * kept.stop)
            picture[:, top : top + rows.stop - rows.start] = painted[:, rows]
        return picture

    def _strips(self) -> Iterator[tuple[slice, slice]]:
        """Rows of each strip at a quarter of the size, and which rows of it are to be kept; each row is kept once."""
        end, done = self._height // QUARTER, 0
        while done < end:
            top = min(max(done - HALO, 0), end - self._rows)
            bottom = top + self._rows
            kept = end if bottom == end else bottom - HALO
            yield slice(top, bottom), slice(done - top, kept - top)
            done = kept
