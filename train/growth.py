"""Which architecture a run trains, and a trained body grown to it: a texture field for one that has none.

With its gains at zero a grown body gives the answers of the old one; they start higher, so that there is something to
learn from. NumPy only.
"""

from dataclasses import replace

import numpy as np

from realtime_nst.style.architecture import GAIN, Architecture
from realtime_nst.style.style import Body


def architecture_of(body: Body | None, frozen: bool) -> Architecture:
    """The architecture that a run trains.

    Args:
        body: The body that it starts from; `None` starts with random weights.
        frozen: Whether that body stays as it is.
    """
    if body is None:
        return Architecture()
    return body.architecture if frozen else grown(body.architecture)


def grown(architecture: Architecture) -> Architecture:
    """An architecture with a texture field; all else stays."""
    return replace(architecture, field=architecture.field or Architecture().field)


def grown_vector(vector: np.ndarray, before: Architecture, after: Architecture) -> np.ndarray:
    """A style vector of a body as one of the body that grew out of it; new gains are at their start.

    Args:
        vector: float32 `(before.vector_size,)`.
        before: Of the body.
        after: The same, or what `grown` makes of it.
    """
    if before.field or not after.field:
        return vector
    old = iter(np.split(vector, np.cumsum([size for size, _ in before.vector_parts])[:-1]))
    parts = [np.full(size, GAIN, np.float32) if start == GAIN else next(old) for size, start in after.vector_parts]
    return np.concatenate(parts)
