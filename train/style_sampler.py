"""Which styles a training step sees: each its fair share, and more of those that lag behind.

NumPy only. What comes out depends on the seed, the step and the losses so far alone, so that training resumes
exactly.
"""

import numpy as np

LEAST, MOST = 0.5, 2.0
"""A style's share is at least half and at most twice the fair one, however its loss compares."""


def choose_styles(step: int, batch: int, lag: np.ndarray, seed: int) -> np.ndarray:
    """Choose a style for each picture of a batch.

    Systematic sampling: over many steps a style comes up in proportion to its lag, and in a single batch never
    more than one time too many or too few.

    Args:
        step: The training step.
        batch: Pictures per step.
        lag: How far each style is from its painting, its recent style loss: float `(S,)`, positive.
        seed: Start of all randomness.

    Returns:
        int32 `(batch,)`: numbers of styles.
    """
    rng = np.random.default_rng((seed, 2, step))
    share = shares(lag) * batch
    order = rng.permutation(len(share))
    marks = rng.uniform() + np.arange(batch)
    places = np.searchsorted(np.cumsum(share[order]), marks, side="right")
    return np.asarray(order[np.minimum(places, len(share) - 1)], dtype=np.int32)


def shares(lag: np.ndarray) -> np.ndarray:
    """Share of the pictures that each style gets: float64 `(S,)`, with a sum of 1."""
    weights = (lag / lag.mean()).astype(np.float64).clip(LEAST, MOST)
    share: np.ndarray = weights / weights.sum()
    return share
