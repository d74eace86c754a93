"""Image optimization after Gatys et al. (2016): the pixels of one picture learn, instead of a network.

The method that the field starts from, with the losses of `losses.py`. It takes dozens to hundreds of passes through VGG19
for one picture where a trained network takes one pass through itself, and so shows what a style can look like,
and how near a network comes to it (`reference.py`); or it goes on from what the network painted (`polish.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from realtime_nst.errors import TrainingError

from .objective import Objective, Terms, check
from .search import descend


@dataclass(frozen=True)
class Progress:
    """What `optimize` reports after each step."""

    step: int
    steps: int
    terms: Terms


def optimize(
    objective: Objective,
    weights: Terms,
    start: np.ndarray,
    *,
    steps: int,
    report: Callable[[Progress], None] = lambda progress: None,
    stop: Callable[[], bool] = lambda: False,
) -> tuple[np.ndarray, Terms]:
    """Find the picture of the smallest loss near a start, by L-BFGS within the range of pixels.

    L-BFGS because it needs no rate and gets further: at 192 pixels 50 steps of it (8 s) reached a loss of 0.37, and
    220 of Adam (24 s), at the best of three rates, 0.39. The bounds are part of the search, so that clipping costs
    nothing at the end.

    Args:
        objective: The loss.
        weights: Of its terms.
        start: `(H, W, 3)` in `[0, 255]`: the photo, noise, or what an earlier call or a network painted.
        steps: Steps at most; fewer where nothing more can be gained.
        report: Called after each step.
        stop: Asked after each step; True ends the search there.

    Returns:
        The picture, float32 `(H, W, 3)` in `[0, 255]`, and its terms.

    Raises:
        TrainingError: The loss is not finite.

    Reference:
        Gatys, Ecker, Bethge: Image style transfer using convolutional neural networks (2016), equation 7 and
        section 2.3.
    """
    seen: dict[float, Terms] = {}
    done = 0
    reached: Terms | None = None

    def value(image: np.ndarray) -> tuple[float, np.ndarray]:
        terms, gradient = objective(image, weights)
        total = terms.weighted(weights)
        if not np.isfinite(total):
            raise TrainingError(
                f"The loss is {total} after step {done}; a finite one was expected. Choose another photo or painting."
            )
        seen[total] = terms
        return total, gradient

    def after(total: float) -> None:
        nonlocal done, reached
        done += 1
        reached = seen[total]
        seen.clear()
        report(Progress(done, steps, reached))
        check(stop)

    image = descend(value, start.astype(np.float32), 0.0, 255.0, steps=steps, after=after)
    return image, reached or objective.terms(image)


def noise_like(photo: np.ndarray, seed: int) -> np.ndarray:
    """A start without the photo: noise around mid grey, float32 in `[0, 255]`, of the photo's shape."""
    noise = np.random.default_rng(seed).normal(127.5, 32.0, photo.shape)
    return noise.clip(0.0, 255.0).astype(np.float32)
