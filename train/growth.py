"""A trained body grown to a later architecture: the same answers at first, with room to learn more.

The opposite of `narrow.py`. NumPy only.
"""

from collections.abc import Mapping

import numpy as np

from realtime_nst.style.architecture import GAIN, Architecture


def grown_kernels(kernels: Mapping[str, np.ndarray], architecture: Architecture) -> dict[str, np.ndarray]:
    """Kernels of an older body that a larger architecture has, too; a wider entry begins with zeros around the old one."""
    found = dict(kernels)
    entry, old = architecture.entry, found["patches/kernel"]
    margin = (entry - len(old)) // 2
    found["patches/kernel"] = np.pad(old, [(margin, margin), (margin, margin), (0, 0), (0, 0)])
    return found


def grown_vector(vector: np.ndarray, before: Architecture, after: Architecture) -> np.ndarray:
    """A style vector of an older body as one of a body with a texture field, whose gains are at their start."""
    if before.field or not after.field:
        return vector
    parts, start = [], 0
    taken = [size for size, value in after.vector_parts if value == GAIN]
    for size, value in after.vector_parts:
        if value == GAIN:
            parts.append(np.full(size, GAIN, np.float32))
        else:
            parts.append(vector[start : start + size])
            start += size
    assert len(taken) and start == len(vector)
    return np.concatenate(parts)
