"""What a camera adds to a picture: the noise of its sensor, and what compression leaves, which spans many pixels.

NumPy and Pillow only; this module does not know what the pictures are for.
"""

import io

import numpy as np
from PIL import Image

BILINEAR_DEVIATION = 2.0 / 3.0
"""Standard deviation of white noise of 1 after it was upsampled bilinearly, far above twice its size."""


def correlated_noise(height: int, width: int, grain: float, rng: np.random.Generator) -> np.ndarray:
    """Noise that is much the same over `grain` pixels, as video compression leaves it where nothing moves.

    It passes through any filter that averages fewer pixels, where the white noise of a sensor dies out.

    Args:
        height: In pixels.
        width: In pixels.
        grain: How far it reaches, in pixels; at least 1, which is white noise.
        rng: Where it comes from.

    Returns:
        float32 `(height, width, 3)`: Gaussian, mean 0, standard deviation 1.
    """
    if grain <= 1:
        return rng.standard_normal((height, width, 3), dtype=np.float32)
    rows, columns = int(np.ceil(height / grain)) + 1, int(np.ceil(width / grain)) + 1
    left, top = rng.uniform(size=2)
    box = (left, top, left + width / grain, top + height / grain)
    coarse = rng.standard_normal((3, rows + 1, columns + 1), dtype=np.float32)
    planes = [Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR, box=box) for plane in coarse]
    return np.stack([np.asarray(plane) for plane in planes], axis=-1) / np.float32(BILINEAR_DEVIATION)


def as_camera(image: np.ndarray, noise: np.ndarray, quality: int | None = None) -> np.ndarray:
    """An image as a camera would deliver it: noisy, clipped, in 256 steps; float32 like its input.

    Args:
        image: `(H, W, 3)` in `[0, 255]`.
        noise: What is added to it, alike.
        quality: JPEG quality of the camera's own compression; `None` for none.
    """
    noisy: np.ndarray = np.rint(image + noise).clip(0, 255)
    if quality is None:
        return noisy
    file = io.BytesIO()
    Image.fromarray(noisy.astype(np.uint8)).save(file, "JPEG", quality=quality)
    with Image.open(file) as compressed:
        return np.asarray(compressed, dtype=np.float32)
