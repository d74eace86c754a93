"""L-BFGS within bounds: the lowest point of a smooth function of very many numbers, all of them between two limits.

In float32 and in place. SciPy's keeps 21 numbers of 8 bytes for each one searched, which is 6 GB for a photo of 12 megapixels;
here it is 9 to 21 of 4 bytes. It does not know pictures.
"""

from collections import deque
from collections.abc import Callable
from contextlib import suppress

import numpy as np

MEMORY = 8
"""Steps that are remembered. More gain a hundredth of the loss, and cost as much time as VGG19 itself."""
SHORTEST_MEMORY = 2
MEMORY_BYTES = 2**30
"""What the remembered steps may take, down to the shortest memory."""

TRIES = 12
"""How often a step is halved before it is given up."""
ENOUGH = 1e-4
"""Share of the descent that the slope promises which a step must bring (Armijo's condition)."""

Value = Callable[[np.ndarray], tuple[float, np.ndarray]]
Past = deque[tuple[np.ndarray, np.ndarray, float]]
"""Steps, how the gradient changed by each, and the product of both; the latest last."""


class SearchStoppedError(Exception):
    """What a function raises to end the search for its lowest point."""


def descend(
    value: Value, x: np.ndarray, lowest: float, highest: float, *, steps: int, after: Callable[[float], object]
) -> np.ndarray:
    """Go down from where `x` is, each step lower than the one before.

    Args:
        value: Array to its value and gradient, a new array like it. It may raise `SearchStoppedError`.
        x: float32, of any shape, within the limits. It is used up.
        lowest: Lower limit of every number.
        highest: Upper limit.
        steps: Steps at most; fewer where nothing more can be gained.
        after: Called after each step with the value there. It may raise `SearchStoppedError`.

    Returns:
        The lowest point that was reached, like `x`.

    Reference:
        Liu, Nocedal: On the limited memory BFGS method (1989), algorithm 2.1. Bertsekas: Projected Newton methods for
        optimization problems with simple constraints (1982): what a limit holds back takes no part in a step.
    """
    past: Past = deque(maxlen=int(np.clip(MEMORY_BYTES // (2 * x.nbytes), SHORTEST_MEMORY, MEMORY)))
    with suppress(SearchStoppedError):
        level, gradient = value(x)
        for _ in range(steps):
            found = _lower(value, x, level, gradient, past, lowest, highest)
            if found is None and past:
                past.clear()  # what it remembers leads nowhere any more
                found = _lower(value, x, level, gradient, past, lowest, highest)
            if found is None:
                break
            ahead, level, new_gradient = found
            step, change = np.subtract(ahead, x, out=x), np.subtract(new_gradient, gradient, out=gradient)
            x, gradient = ahead, new_gradient
            curvature = _dot(step, change)
            if curvature > 1e-10 * _dot(change, change):
                past.append((step, change, curvature))
            after(level)
    return x


def _downwards(gradient: np.ndarray, past: Past) -> np.ndarray:
    """Minus the gradient, through what the past steps tell of the curvature (the two-loop recursion)."""
    direction = -gradient
    shares = []
    for step, change, curvature in reversed(past):
        shares.append(_dot(step, direction) / curvature)
        direction -= np.float32(shares[-1]) * change
    if past:
        _, change, curvature = past[-1]
        direction *= np.float32(curvature / _dot(change, change))
    for (step, change, curvature), share in zip(past, reversed(shares)):
        direction += np.float32(share - _dot(change, direction) / curvature) * step
    return direction


def _lower(
    value: Value, x: np.ndarray, level: float, gradient: np.ndarray, past: Past, lowest: float, highest: float
) -> tuple[np.ndarray, float, np.ndarray] | None:
    """A point ahead that is lower by enough, its value and gradient; `None` where there is none."""
    held = ((x <= lowest) & (gradient > 0)) | ((x >= highest) & (gradient < 0))
    direction = _downwards(np.where(held, np.float32(0), gradient), past)
    direction[held] = 0.0
    length = 1.0 if past else 1.0 / max(float(np.abs(direction).mean()), 1e-30)  # the first step goes one unit, on average
    for _ in range(TRIES):
        ahead = np.multiply(direction, np.float32(length))
        ahead += x
        ahead.clip(lowest, highest, out=ahead)
        promised = _dot(gradient, ahead - x)
        if promised >= 0:
            return None
        ahead_level, ahead_gradient = value(ahead)
        if ahead_level < level and ahead_level <= level + ENOUGH * promised:
            return ahead, ahead_level, ahead_gradient
        lowest_of_parabola = -promised / (2.0 * max(ahead_level - level - promised, 1e-30))
        length *= min(max(lowest_of_parabola, 0.1), 0.5)
    return None


def _dot(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.vdot(one, other))
