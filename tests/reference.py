"""The transform network in NumPy, written from the papers' formulas and not from the Keras code."""

import numpy as np

from realtime_nst.architecture import Architecture


def convolve(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """3x3 convolution over `(H, W, C)`, the border mirrored."""
    height, width, _ = x.shape
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)), mode="reflect")
    result = np.zeros((height, width, kernel.shape[-1]))
    for row in range(3):
        for column in range(3):
            result += padded[row : row + height, column : column + width] @ kernel[row, column].astype(np.float64)
    return result


def stylize_with_numpy(
    image: np.ndarray, vector: np.ndarray, kernels: dict[str, np.ndarray], architecture: Architecture
) -> np.ndarray:
    """Stylize `(H, W, 3)` uint8, with sides that are multiples of 4, in float64."""
    rest = list(vector.astype(np.float64))

    def take(count: int) -> np.ndarray:
        taken, rest[:] = np.array(rest[:count]), rest[count:]
        return taken

    def norm(x: np.ndarray) -> np.ndarray:
        scale, shift = take(x.shape[-1]), take(x.shape[-1])
        return (x - x.mean((0, 1))) / np.sqrt(x.var((0, 1)) + 1e-5) * scale + shift

    def relu(x: np.ndarray) -> np.ndarray:
        return np.maximum(x, 0)

    height, width, _ = image.shape
    x = image.astype(np.float64) / 127.5 - 1
    blocks = np.zeros((height // 4, width // 4, 48))
    for row in range(4):
        for column in range(4):
            blocks[..., (row * 4 + column) * 3 : (row * 4 + column) * 3 + 3] = x[row::4, column::4]
    x = relu(norm(convolve(blocks, kernels["stem/kernel"])))
    for number in range(1, architecture.blocks + 1):
        y = relu(norm(convolve(x, kernels[f"block{number}a/kernel"])))
        x = x + norm(convolve(y, kernels[f"block{number}b/kernel"]))
    for name in ("half", "full"):
        x = relu(norm(convolve(x.repeat(2, 0).repeat(2, 1), kernels[f"{name}/kernel"])))
    x = convolve(x, kernels["colours/kernel"])
    scale, shift = take(3), take(3)
    assert not rest
    return np.rint(np.clip(127.5 + 64 * (x * scale + shift), 0, 255)).astype(np.uint8)
