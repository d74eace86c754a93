"""`Stabilizer`: the photo before it is painted, held still where the scene stands still, so that the painting does, too.

A network paints what it sees, a camera's noise included: strokes hang on the last grey level, and flicker with it. What
is held is the photo and not the painting, so that every frame is painted whole and stays as crisp as the first.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from realtime_nst.engines.interface import Runner, StabilizedPhoto

if TYPE_CHECKING:
    import keras

STEP = 0.618034
"""From one frame's thresholds of rounding to the next one's: the golden ratio spreads any few of them evenly."""
LARGEST = np.float32(1 - 2**-12)
"""The largest threshold: white and more would be 256 in float32, and black as a byte."""


class Thresholds:
    """Where a held pixel is rounded up: of every place, and frame by frame evenly spread, so that nothing is lost.

    Args:
        shape: The graph's, `(8, width / 8, 24)`.
    """

    def __init__(self, shape: Sequence[int]) -> None:
        self._first = np.random.default_rng(0).random((1, *shape), np.float32)

    def __call__(self, frame: int) -> np.ndarray:
        """Of a frame: float32 `(1, 8, width / 8, 24)`, from 0 to `LARGEST`."""
        thresholds: np.ndarray = np.minimum((self._first + np.float32(frame * STEP % 1.0)) % np.float32(1.0), LARGEST)
        return thresholds


class StabilizerEngine:
    """`Stabilizer`, compiled for one size of frame; what is held stays on the device.

    Args:
        width: Width of the photos in pixels, a multiple of 8.
        height: Height of the photos in pixels, a multiple of 8.
        runner: What runs it.
    """

    def __init__(self, width: int, height: int, runner: Runner) -> None:
        def build() -> "keras.Model":
            from realtime_nst.networks.stabilizer import build_stabilizer

            return build_stabilizer(width, height)

        self._program = runner.compile(build, "hold", width, height, float32=True)
        self._thresholds = Thresholds(self._program.shapes["thresholds"][1:])
        self._no_blocks = np.zeros(self._program.shapes["held_blocks"], np.float32)

    def __call__(self, photo: np.ndarray, stability: float, before: StabilizedPhoto | None) -> StabilizedPhoto:
        photos = photo[None]
        stabilized = before or StabilizedPhoto(self._no_blocks, photos, -1)
        frames = stabilized.frames + 1
        given = {"photos": photos, "held_photos": stabilized.photo, "held_blocks": stabilized.blocks}
        given |= {"thresholds": self._thresholds(frames), "settings": np.array([[stability, before is None]], np.float32)}
        blocks, still = self._program(given)
        return StabilizedPhoto(blocks, still, frames)
