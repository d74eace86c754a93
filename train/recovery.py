"""Going back to the last good step when a loss is not finite or explodes, at half the learning rate.

It knows nothing of photos or files; the run decides when a state is worth keeping.
"""

import logging
import math
from collections import deque
from collections.abc import Sequence
from statistics import median

import numpy as np
from keras import ops

from realtime_nst.errors import TrainingError

from .checkpoint import state_of
from .learner import Learner

EXPLODED = 5.0
"""Losses so many times the median of the earlier ones have gone astray, when `HIGH_IN_A_ROW` come in a row: a single one
may be an odd photo."""

HIGH_IN_A_ROW = 5

MEMORY = 50
FEWEST = 20
MOST_RETURNS = 5

log = logging.getLogger(__name__)


class LastGood:
    """The latest state of a run that is worth returning to.

    Args:
        model: Its present variables are the first such state.
        step: Steps done so far.
        returns: How often the run has gone back before.
        losses: Its last ordinary losses.
        advice: What to do when it does so too often, a sentence.
    """

    def __init__(self, model: Learner, step: int, returns: int = 0, losses: Sequence[float] = (), *, advice: str) -> None:
        self._model = model
        self._advice = advice
        self._losses = deque(losses, MEMORY)
        self._high = 0  # how many of the last losses were too high
        self.returns = returns
        self.keep(step)

    @property
    def losses(self) -> list[float]:
        """The last ordinary losses."""
        return list(self._losses)

    @property
    def settled(self) -> bool:
        """Whether the last loss was an ordinary one; a state with a high loss may be lost already, and is not worth saving."""
        return self._high == 0

    @property
    def rate(self) -> float:
        """What the learning rate is multiplied by: half for every return."""
        return float(0.5**self.returns)

    def keep(self, step: int) -> bool:
        """Remember the present state and say True, unless one of its numbers is not finite.

        Raises:
            ValueError: The last loss was high, so that nobody knows what the state is worth.
        """
        if not self.settled:
            raise ValueError(f"step {step} with a high loss: a settled state was expected.")
        state = {name: np.array(ops.convert_to_numpy(variable)) for name, variable in state_of(self._model).items()}
        if not all(np.isfinite(array).all() for array in state.values()):
            return False
        self._state, self._step, self._before = state, step, tuple(self._losses)
        return True

    def astray(self, loss: float) -> bool:
        """Whether a step's loss shows that training has left the good path; good ones are remembered to compare with."""
        if not math.isfinite(loss):
            return True
        if len(self._losses) >= FEWEST and loss > EXPLODED * median(self._losses):
            self._high += 1
            return self._high == HIGH_IN_A_ROW
        self._high = 0
        self._losses.append(loss)
        return False

    def restore(self, step: int, loss: float) -> int:
        """Put the last good state back, and return its step.

        Args:
            step: Where training went astray.
            loss: The loss there.

        Raises:
            TrainingError: That has been done too often.
        """
        if self.returns == MOST_RETURNS:
            raise TrainingError(
                f"The loss is {loss:.3g} after step {step}, although the learning rate was halved {MOST_RETURNS} times. "
                f"{self._advice}"
            )
        self.returns += 1
        for name, variable in state_of(self._model).items():
            variable.assign(self._state[name])
        self._losses = deque(self._before, MEMORY)
        self._high = 0
        log.warning(
            "The loss is %.3g after step %d: back to step %d, with %g of the learning rate.", loss, step, self._step, self.rate
        )
        return self._step
