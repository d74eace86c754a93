"""Frames that show hardly anything, as where a film fades in from black: how much of a painting they bear.

Instance normalization gives every frame the same contrast. Of a black one it would show the network's own grid at full
strength, of a faint one every grain of noise; so a faint photo lowers the strength of its painting.
"""

import math

import numpy as np

FAINTEST, CLEAR = 1.0, 8.0
"""Contrast, as the standard deviation of a colour in levels of 255: up to here the photo alone, from here the painting."""
SAMPLES = 4096


def painted_share(photo: np.ndarray) -> float:
    """How much of its painting a photo bears, from 0 to 1, by its contrast.

    Args:
        photo: uint8 `(height, width, 3)`.
    """
    height, width = photo.shape[:2]
    step = math.isqrt(height * width // SAMPLES) | 1  # odd, because many a pattern repeats every 2, 4 or 8 pixels
    contrast = float(photo[::step, ::step].std(axis=(0, 1)).max())
    return min(max((contrast - FAINTEST) / (CLEAR - FAINTEST), 0.0), 1.0)
