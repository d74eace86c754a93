"""A trained body cut to a narrower one: of each kind of channels those that matter most stay, with their numbers.

What comes out answers much like the wide body, and is a start for `distil.py`. NumPy only.
"""

from collections.abc import Mapping
from dataclasses import asdict

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from realtime_nst.errors import TrainingError
from realtime_nst.style.architecture import PATCH, Architecture

KEPT = ("entry", "blurred", "quarter", "eighth", "blocks", "fine_blocks", "field")
"""What a narrower body has in common with the wide one: what it takes in, and the maps that residual blocks add to, and their
number."""

Kernels = dict[str, np.ndarray]
"""By layer, as `Body.weights` reads them."""

NORMAL = np.linspace(-3.5, 3.5, 71)
DENSITY = np.exp(-(NORMAL**2) / 2) / np.exp(-(NORMAL**2) / 2).sum()


def narrowed(
    wide: Architecture, kernels: Mapping[str, np.ndarray], vectors: np.ndarray, narrow: Architecture, photos: np.ndarray
) -> tuple[Kernels, np.ndarray]:
    """Cut a body and the vectors of its styles.

    Args:
        wide: The body's architecture.
        kernels: Its kernels by layer.
        vectors: Of its styles, float32 `(S, V)`.
        narrow: The architecture wanted.
        photos: What patches look like in life, `(B, H, W, 3)` in `[0, 255]`.

    Returns:
        Kernels and vectors of the narrow architecture.

    Raises:
        TrainingError: The architectures differ in more than can be cut, or the new one is wider somewhere.
    """
    check_narrower(wide, narrow)
    new = {name.removesuffix("/kernel"): np.asarray(kernel, np.float64) for name, kernel in kernels.items()}
    parts = split_vectors(wide, vectors)
    new["patches"], new["stem"] = fewer_patches(new["patches"], new["stem"], narrow.patches, photos)
    cuts = [(f"block{index}a", f"block{index}b", narrow.inner) for index in range(1, wide.blocks + 1)]
    cuts += [(f"fine{index}a", f"fine{index}b", narrow.fine_inner) for index in range(1, wide.fine_blocks + 1)]
    for before, after, count in [*cuts, ("half", "colours", narrow.half)]:
        kept = strongest(parts[before], new[after], count)
        new[before], new[after] = new[before][..., kept], new[after][:, :, kept]
        parts[before] = parts[before][:, :, kept]
        if f"{before}_field" in new:
            new[f"{before}_field"] = new[f"{before}_field"][..., kept]
    flat = [part for name in parts for part in parts[name]]
    return {f"{name}/kernel": kernel.astype(np.float32) for name, kernel in new.items()}, np.concatenate(flat, axis=1)


def check_narrower(wide: Architecture, narrow: Architecture) -> None:
    """Make sure that an architecture can be cut to another.

    Raises:
        TrainingError: It cannot.
    """
    for name, number in asdict(narrow).items():
        has = getattr(wide, name)
        if number > has or (name in KEPT and number != has):
            wanted = str(has) if name in KEPT else f"at most {has}"
            raise TrainingError(
                f"{number} for '{name}', where the body to learn from has {has}: {wanted} was expected. A body can be made "
                "narrower between its residual maps, and nowhere else."
            )


def split_vectors(architecture: Architecture, vectors: np.ndarray) -> dict[str, np.ndarray]:
    """Style vectors `(S, V)` as what each layer takes of them, `(K, S, C)`, in their order; the colours come last.

    K is 2, scale and shift, or 3, with gains, where a layer takes up the texture field.
    """
    names = [name.removesuffix("/kernel") for name in architecture.kernel_shapes if not name.endswith("_field/kernel")][1:]
    parts, start = {}, 0
    for name, channels in zip(names, (*architecture.norm_channels, 3), strict=True):
        kinds = 3 if name in architecture.field_channels else 2
        end = start + kinds * channels
        parts[name] = np.stack(np.split(vectors[:, start:end], kinds, axis=1))
        start = end
    return parts


def strongest(parts: np.ndarray, after: np.ndarray, count: int) -> np.ndarray:
    """Numbers of the channels that the next layer hears most, in their order.

    Args:
        parts: Scale and shift of these channels in each style, `(2, S, C)` or more; gains do not count.
        after: Kernel of the next layer, `(3, 3, C, C_out)`.
        count: How many to keep.
    """
    scale, shift = parts[:2].astype(np.float64)
    answers = np.maximum(scale[..., None] * NORMAL + shift[..., None], 0.0)  # normalized features are nearly normal
    power = (np.square(answers) @ DENSITY).mean(0) * np.square(after).sum((0, 1, 3))
    return np.sort(np.argsort(-power, kind="stable")[:count])


def fewer_patches(patches: np.ndarray, stem: np.ndarray, count: int, photos: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Describe patches of pixels by fewer numbers, so that the stem loses least on photos.

    Args:
        patches: Kernel `(side, side, 3, C)`.
        stem: Kernel `(3, 3, C, C_out)`.
        count: How many numbers stay.
        photos: `(B, H, W, 3)` in `[0, 255]`.

    Returns:
        The two kernels, `(side, side, 3, count)` and `(3, 3, count, C_out)`.
    """
    side = len(patches)
    cells = sliding_window_view(photos / 127.5 - 1.0, (side, side), axis=(1, 2))[:, ::PATCH, ::PATCH]
    pixels = cells.transpose(0, 1, 2, 4, 5, 3).reshape(-1, side * side * 3).astype(np.float64)
    power, directions = np.linalg.eigh(pixels.T @ pixels / len(pixels))
    spread = np.sqrt(np.maximum(power, 1e-8))
    root, inverse = (directions * spread) @ directions.T, (directions / spread) @ directions.T
    heard = patches.reshape(side * side * 3, -1) @ stem.transpose(2, 0, 1, 3).reshape(stem.shape[2], -1)  # pixels to stem
    best = np.linalg.svd(root @ heard, full_matrices=False)[0][:, :count]
    encoded = (inverse @ best).reshape(side, side, 3, -1)
    decoded = (best.T @ root @ heard).reshape(-1, *stem.shape[:2], stem.shape[3])
    return encoded, decoded.transpose(1, 2, 0, 3)
