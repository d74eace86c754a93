"""The transform network in NumPy, written from the papers' formulas and not from the Keras code."""

from functools import cache

import numpy as np

from realtime_nst.style.architecture import Architecture


def convolve(x: np.ndarray, kernel: np.ndarray, border: str = "reflect") -> np.ndarray:
    """Convolution over `(H, W, C)`; the border is mirrored, without itself ("reflect") or with it ("symmetric")."""
    height, width, _ = x.shape
    margin = kernel.shape[0] // 2
    padded = np.pad(x, ((margin, margin), (margin, margin), (0, 0)), mode=border)  # type: ignore[call-overload]
    result = np.zeros((height, width, kernel.shape[-1]))
    for row in range(kernel.shape[0]):
        for column in range(kernel.shape[1]):
            result += padded[row : row + height, column : column + width] @ kernel[row, column].astype(np.float64)
    return result


def upsample_and_convolve(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Each pixel four times, the border repeated before, and a convolution."""
    wide = np.pad(x, ((2, 2), (2, 2), (0, 0)), mode="edge").repeat(2, 0).repeat(2, 1)
    return convolve(wide, kernel)[4:-4, 4:-4]


@cache
def torus_with_numpy(part: int, channels: int) -> np.ndarray:
    """The whole texture field, blurred through its spectrum."""
    side = 2048 // part
    noise = np.random.RandomState(2048 + part).standard_normal((side, side, channels))
    away = np.minimum(np.arange(side), side - np.arange(side))
    along = np.where(away <= 4, np.exp(-(away**2) / (2 * 0.8**2)), 0)
    kernel = np.fft.fft2(np.outer(along, along))[..., None]
    blurred = np.fft.ifft2(np.fft.fft2(noise, axes=(0, 1)) * kernel, axes=(0, 1)).real
    return (blurred - blurred.mean()) / blurred.std()


def field_with_numpy(
    part: int, channels: int, width: int, height: int, offset: tuple[float, float, float] = (0, 0, 0)
) -> np.ndarray:
    """The texture field of a frame: its torus moved by whole places, and the rest by Keys' kernel as he wrote it down."""
    assert not offset[2], "it does not turn here"
    field = torus_with_numpy(part, channels)
    for axis, moved in ((1, offset[0] / part), (0, offset[1] / part)):
        whole = int(np.floor(moved))
        field = sum(keys(moved - whole - tap) * np.roll(field, whole + tap, axis) for tap in (-1, 0, 1, 2))
    rows, columns = np.arange(height // part) % len(field), np.arange(width // part) % len(field)
    return field[rows][:, columns]


def keys(distance: float) -> float:
    """Weight of a neighbour at a distance: Keys (1981), equation 4 with a = -1/2."""
    s = abs(distance)
    if s < 1:
        return 1.5 * s**3 - 2.5 * s**2 + 1
    return -0.5 * s**3 + 2.5 * s**2 - 4 * s + 2 if s < 2 else 0.0


def plainness_with_numpy(x: np.ndarray) -> np.ndarray:
    """How plain a picture in `[-1, 1]` is at each place of 4x4 pixels, `(H / 4, W / 4)`, place by place."""
    grey = np.array(
        [[x[row : row + 4, column : column + 4].mean() for column in range(0, x.shape[1], 4)] for row in range(0, len(x), 4)]
    )
    change = np.abs(np.diff(grey, axis=0, append=grey[-1:])) + np.abs(np.diff(grey, axis=1, append=grey[:, -1:]))
    around = np.pad(change, 4, mode="symmetric")
    return np.array(
        [
            [np.exp(-127.5 * around[row : row + 9, column : column + 9].mean() / 32) for column in range(grey.shape[1])]
            for row in range(len(grey))
        ]
    )


def stylize_with_numpy(
    image: np.ndarray,
    vector: np.ndarray,
    kernels: dict[str, np.ndarray],
    architecture: Architecture,
    offset: tuple[float, float, float] = (0, 0, 0),
) -> np.ndarray:
    """Stylize `(H, W, 3)` uint8, with sides that are multiples of 8, in float64; its texture field has moved by an offset."""
    rest = list(vector.astype(np.float64))

    def take(count: int) -> np.ndarray:
        taken, rest[:] = np.array(rest[:count]), rest[count:]
        return taken

    def norm(x: np.ndarray, name: str = "") -> np.ndarray:
        scale, shift = take(x.shape[-1]), take(x.shape[-1])
        normalized = (x - x.mean((0, 1))) / np.sqrt(x.var((0, 1)) + 1e-5) * scale + shift
        if not architecture.field or not name:
            return normalized
        return normalized + take(x.shape[-1]) * convolve(fields[height // len(x)], kernels[f"{name}_field/kernel"])

    def relu(x: np.ndarray) -> np.ndarray:
        return np.maximum(x, 0)

    height, width, _ = image.shape
    x = image.astype(np.float64) / 127.5 - 1
    fields = {}
    if architecture.field:
        plain = plainness_with_numpy(x)
        fields[4] = field_with_numpy(4, architecture.field, width, height, offset) * plain[..., None]
        plain = plain.reshape(height // 8, 2, width // 8, 2).mean((1, 3))
        fields[8] = field_with_numpy(8, architecture.field, width, height, offset) * plain[..., None]
    margin = (architecture.entry - 4) // 2
    wide = np.pad(x, ((margin, margin), (margin, margin), (0, 0)), mode="reflect")
    patches = np.zeros((height // 4, width // 4, architecture.patches))
    for row in range(architecture.entry):
        for column in range(architecture.entry):
            there = wide[row : row + height : 4, column : column + width : 4]
            patches += there @ kernels["patches/kernel"][row, column].astype(np.float64)
    fine = relu(norm(convolve(patches, kernels["stem/kernel"]), "stem"))
    x = fine
    if architecture.blurred:
        binomial = np.outer([1, 2, 1], [1, 2, 1]) / 16
        x = convolve(x, binomial[..., None, None] * np.eye(x.shape[-1]))
    x = relu(norm(convolve(x, kernels["down/kernel"])[::2, ::2], "down"))
    for number in range(1, architecture.blocks + 1):
        y = relu(norm(convolve(x, kernels[f"block{number}a/kernel"]), f"block{number}a"))
        x = x + norm(convolve(y, kernels[f"block{number}b/kernel"]))
    x = relu(norm(upsample_and_convolve(x, kernels["quarter/kernel"]))) + fine
    for number in range(1, architecture.fine_blocks + 1):
        y = relu(norm(convolve(x, kernels[f"fine{number}a/kernel"]), f"fine{number}a"))
        x = x + norm(convolve(y, kernels[f"fine{number}b/kernel"]))
    x = relu(norm(upsample_and_convolve(x, kernels["half/kernel"])))
    kernel = kernels["colours/kernel"].astype(np.float64).reshape(3, 3, -1, 4, 3)
    sums = kernel.sum((0, 1))
    for pixel in range(4):  # the same answer of all four pixels to what is even
        kernel[:, :, :, pixel] -= (sums[:, pixel] - sums.mean(1)) / 9
    four = convolve(x, kernel.reshape(3, 3, -1, 12))
    x = np.zeros((height, width, 3))
    for pixel in range(4):
        x[pixel // 2 :: 2, pixel % 2 :: 2] = four[..., 3 * pixel : 3 * pixel + 3]
    scale, shift = take(3), take(3)
    assert not rest
    return np.rint(np.clip(127.5 + 64 * (x * scale + shift), 0, 255)).astype(np.uint8)


def keep_colours_with_numpy(photo: np.ndarray, painting: np.ndarray) -> np.ndarray:
    """Brightness of the painting, colour of the photo, pixel by pixel in double precision."""
    weights = np.array([0.299, 0.587, 0.114])
    result = np.empty(photo.shape)
    for place in np.ndindex(photo.shape[:2]):
        colour = photo[place].astype(float)
        offsets = colour - colour @ weights
        luma = painting[place].astype(float) @ weights
        most = 1.0
        for offset in offsets:  # as much saturation as the range of colours allows
            if offset > 0:
                most = min(most, (255 - luma) / offset)
            elif offset < 0:
                most = min(most, luma / -offset)
        result[place] = luma + most * offsets
    return result


def block_means(photo: np.ndarray) -> np.ndarray:
    """Means of 4x4 pixels, `(height / 4, width / 4, 3)`."""
    height, width = photo.shape[0] // 4, photo.shape[1] // 4
    means = np.empty((height, width, 3))
    for row, column in np.ndindex(height, width):
        means[row, column] = photo[4 * row : 4 * row + 4, 4 * column : 4 * column + 4].astype(float).mean((0, 1))
    return means


def stabilize_with_numpy(
    photo: np.ndarray, held: tuple[np.ndarray, np.ndarray], stability: float, thresholds: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What is held after a frame, means of blocks and photo, by loops over cells of 8x8 pixels.

    Thresholds are those of one row of cells, `(8, width / 8, 24)`: they are the same in all rows.
    """
    height, width = photo.shape[0] // 8, photo.shape[1] // 8
    means = block_means(photo)
    differs = np.abs(means - held[0]).max(-1)
    change = np.zeros((height, width))
    for row, column in np.ndindex(height, width):
        change[row, column] = differs[2 * row : 2 * row + 2, 2 * column : 2 * column + 2].max()

    def around(values: np.ndarray, reach: int, row: int, column: int) -> np.ndarray:
        return values[max(row - reach, 0) : row + reach + 1, max(column - reach, 0) : column + reach + 1]

    most = np.array([[around(change, 3, row, column).max() for column in range(width)] for row in range(height)])
    moves = np.clip((most - stability) / stability, 1 / 32, 1)
    share = np.array([[around(moves, 1, row, column).mean() for column in range(width)] for row in range(height)])

    def follow(old: np.ndarray, new: np.ndarray, size: int) -> np.ndarray:
        return old + share.repeat(size, 0).repeat(size, 1)[..., None] * (new.astype(float) - old)

    whole = follow(held[1], photo, 8)
    for row, column in np.ndindex(height, width):
        whole[8 * row : 8 * row + 8, 8 * column : 8 * column + 8] += thresholds[:, column].reshape(8, 8, 3)
    return follow(held[0], means, 2), np.floor(whole).astype(np.uint8)
