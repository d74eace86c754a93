"""How still a style holds, and how sharp it stays: figures of pictures, or of any function that stylizes them.

Flicker alone is a bad guide, because a blurred picture holds still too: sharpness is measured beside it, and two
networks compare in stability only where their sharpness is within a tenth. NumPy alone, but for the warp and the
noise that training uses too. It does not know networks, styles or files.
"""

from collections.abc import Callable

import numpy as np
from keras import ops

from realtime_nst.style.look import LUMA

from .camera_noise import as_camera, correlated_noise
from .losses import warp

Stylize = Callable[..., np.ndarray]
"""Pictures float32 `(B, H, W, 3)` in `[0, 255]` to pictures alike. `shift_error` also gives it, second, by how many pixels
each picture has moved, `(B, 2)`, (x, y): where a body has a texture field, it goes along."""

SENSOR_NOISE = 3.0
"""Standard deviation of the noise of a camera in ordinary light, of 255; every pixel has its own."""

COMPRESSION_NOISE, COMPRESSION_GRAIN = 0.5, 8.0
"""Standard deviation of what video compression leaves in a still scene, of 255, and how many pixels it spans."""

SHIFTS, SHIFT_MARGIN = (1, 2, 3, 5), 16
"""By how many pixels a photo is moved to see whether its painting moves along, and how wide a border does not count."""


def warping_error(first: np.ndarray, second: np.ndarray, flow: np.ndarray, valid: np.ndarray) -> float:
    """How much the second frame differs from the moved first one, where both show the same.

    The true flow leads from the first frame to the second, so the second is sampled where the pixels of the first
    have gone: the same comparison as warping the first one forward, without the holes.

    Args:
        first: A frame, stylized or not, `(H, W, 3)` in `[0, 255]`.
        second: The next one, alike.
        flow: float32 `(H, W, 2)`, as in `FlowPair`.
        valid: bool `(H, W)`: pixels of the first frame that count.

    Returns:
        The root of the mean squared difference, of pictures in `[0, 1]`.

    Raises:
        ValueError: No pixel counts.

    Reference:
        Gao, Gu, Zhang, Yu: ReCoNet: Real-time coherent video style transfer network (2018), the stability error of
        its experiments.
    """
    warped, inside = warp(ops.convert_to_tensor(second[None].astype(np.float32)), ops.convert_to_tensor(flow[None]))
    counts = valid & (ops.convert_to_numpy(inside)[0, ..., 0] > 0)
    if not counts.any():
        raise ValueError("no pixel counts: at least one valid pixel that stays inside of the frame was expected.")
    difference = (first.astype(np.float32) - ops.convert_to_numpy(warped)[0]) / 255.0
    return float(np.sqrt(np.mean(np.square(difference[counts], dtype=np.float64))))


def noise_gain(
    stylize: Stylize, photo: np.ndarray, *, draws: int = 4, sigma: float = SENSOR_NOISE, grain: float = 1.0, seed: int = 0
) -> float:
    """How much a picture moves when nothing moves but the noise of the camera, relative to that noise.

    White noise averages out over what a network sees at once. Noise that spans many pixels does not: however little
    there is, strokes can hang on it.

    Args:
        stylize: What is measured.
        photo: A still scene, `(H, W, 3)` in `[0, 255]`.
        draws: Frames of it, each with noise of its own; at least 2.
        sigma: Standard deviation of the noise, of 255.
        grain: How many pixels it spans; 1 is white noise.
        seed: Of the noise.

    Returns:
        Mean absolute change from frame to frame of the output, over that of the input: 1 hands noise through.
    """
    rng = np.random.default_rng(seed)
    height, width = photo.shape[:2]
    noise = (sigma * correlated_noise(height, width, grain, rng) for _ in range(draws))
    frames = np.stack([as_camera(photo, of_frame) for of_frame in noise])
    return mean_change(stylize(frames)) / mean_change(frames)


def shift_error(stylize: Stylize, photo: np.ndarray) -> float:
    """How much a painting is drawn anew when the photo moves by a few pixels, instead of moving along.

    The photo is pushed diagonally by 1, 2, 3 and 5 pixels (what leaves it on one side comes in on the other), and painted
    anew each time, with its texture field moved along, as it is before a camera that moves. All but the outer pixels, which see
    the border, is compared with the first painting, pushed likewise.

    Args:
        stylize: What is measured.
        photo: `(H, W, 3)` in `[0, 255]`, at least 24 pixels wide and high.

    Returns:
        Mean absolute difference over the mean gradient of the first painting (`sharpness`): by how many pixels a
        painting of that sharpness would have to slip to differ as much. 0 moves along exactly.
    """
    moves = (0, *SHIFTS)
    moved = [np.roll(photo, (by, by), (0, 1)) for by in moves]
    first, *others = stylize(np.stack(moved).astype(np.float32), [(by, by, 0.0) for by in moves])
    margin = min(SHIFT_MARGIN, min(photo.shape[:2]) // 4)
    inner = slice(margin, -margin)
    differences = [
        np.mean(np.abs(other[inner, inner] - np.roll(first, (by, by), (0, 1))[inner, inner])) for by, other in zip(SHIFTS, others)
    ]
    return float(np.mean(differences)) / max(sharpness(first), 1e-6)


def mean_change(frames: np.ndarray) -> float:
    """Mean absolute difference of consecutive frames `(T, H, W, 3)`."""
    return float(np.mean(np.abs(np.diff(frames.astype(np.float64), axis=0))))


def sharpness(image: np.ndarray) -> float:
    """Mean length of the gradient of brightness, in steps per pixel: `(H, W, 3)` to a number. Blur lowers it."""
    light = image.astype(np.float32) @ np.asarray(LUMA, np.float32)
    across, down = np.diff(light, axis=1)[:-1], np.diff(light, axis=0)[:, :-1]
    return float(np.mean(np.hypot(across, down)))
