"""Polishing: image optimization that goes on from what a network painted, for photos of any size.

The network is most of the way there, so that a few steps do what takes many from the photo. The loss is one that the
network learned by. Pictures are uint8 here as they are wherever files are read and written; this module knows no files.
"""

from collections.abc import Callable, Sequence

import numpy as np

from realtime_nst.errors import TrainingError

from .objective import Objective, PerceptualLoss, Terms
from .optimize import Progress, optimize
from .recipes import REFERENCE_RECIPE
from .tiles import SMALLEST

CONTENT = 0.5
"""How much the photo counts against training. At 1 the search spends its steps on leading strokes back to the photo; at a quarter
faces blur."""


class Polisher:
    """What goes on from a network's pictures in one style.

    Strokes are compared at one scale, where the network learned at two. The smaller copy sees nothing but means of 2x2 pixels,
    and leaves blocks of that size in plain places.

    Args:
        loss: Compares.
        paintings: For each style of a mix its painting, float32 `(H, W, 3)` in `[0, 255]`, and its share; shares sum to 1.
        emphasis: How much style counts, 1 as in the recipe.
    """

    def __init__(self, loss: PerceptualLoss, paintings: Sequence[tuple[np.ndarray, float]], emphasis: float = 1.0) -> None:
        self._loss = loss
        grams = [[gram * share for gram in loss.grams(painting)] for painting, share in paintings]
        self._grams = [sum(parts[1:], parts[0]) for parts in zip(*grams, strict=True)]
        weights = Terms.weights_of(REFERENCE_RECIPE)
        self.weights = weights._replace(content=CONTENT * weights.content, style=emphasis * weights.style)

    def __call__(
        self,
        photo: np.ndarray,
        painting: np.ndarray,
        *,
        steps: int,
        report: Callable[[Progress], None] = lambda progress: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> np.ndarray:
        """Go on from a painting.

        Args:
            photo: uint8 `(H, W, 3)` RGB.
            painting: What the network made of it, likewise.
            steps: Of L-BFGS; each is about one pass through VGG19 and back, two forth in pictures of several tiles.
            report: Called after each step.
            stop: Asked after each step and between two tiles; True ends the search there.

        Returns:
            The best picture so far, likewise.

        Raises:
            TrainingError: The photo is too small for VGG19, or the loss is not finite.
        """
        objective = self.objective(photo, stop)
        image, _ = optimize(objective, self.weights, painting, steps=steps, report=report, stop=stop)
        polished: np.ndarray = np.rint(image).astype(np.uint8)
        return polished

    def objective(self, photo: np.ndarray, stop: Callable[[], bool] = lambda: False) -> Objective:
        """What is made small, for arguments and errors as above."""
        height, width = photo.shape[:2]
        if min(height, width) < SMALLEST:
            raise TrainingError(
                f"The photo has {width}x{height} pixels; --polish needs at least {SMALLEST} on the shorter side. "
                "Leave it out, or give a larger photo."
            )
        return Objective(self._loss, photo, self._loss.features(photo), self._grams, stop)
