"""Checkpoints: everything that the rest of a training run depends on, in one file."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from keras import ops

from realtime_nst.errors import StyleError, TrainingError
from realtime_nst.style.weightfile import read_arrays, read_metadata, write_weights

from .learner import Learner

CHECKPOINT = "checkpoint.h5"
"""Name of the file in a run's folder."""
KINDS: dict[str, Callable[[Any], Any]] = {
    **{"step": int, "seconds": float, "waited": float, "returns": int},
    **{"losses": list, "photos": list, "photo_count": int, "skipped": list, "started_from": dict},
}
"""What is read of `Past`, and as what."""


def state_of(model: Learner) -> dict[str, Any]:
    """Every variable that a step changes, by a name that is the same in every run."""
    state = model.learned()
    for index, variable in enumerate(model.optimizer.variables):
        state[f"optimizer/{index}"] = variable
    return state


@dataclass
class Past:
    """What a run has behind it, besides the state of its model.

    Args:
        step: Steps done.
        seconds: Time spent on them.
        waited: How much of it was spent waiting for photos.
        returns: How often it went back to a good step.
        losses: The last ordinary ones, to compare with.
        photos: Hashes of its photos: one, or more if they changed while it was stopped.
        photo_count: How many photos there are.
        skipped: Numbers of photos that could not be decoded, among those of the last hash.
        started_from: Styles that vectors started from, by style name.
    """

    step: int = 0
    seconds: float = 0.0
    waited: float = 0.0
    returns: int = 0
    losses: list[float] = field(default_factory=list)
    photos: list[str] = field(default_factory=list)
    photo_count: int = 0
    skipped: list[int] = field(default_factory=list)
    started_from: dict[str, str] = field(default_factory=dict)


def size_of(model: Learner) -> int:
    """Bytes of a checkpoint, roughly."""
    return sum(4 * math.prod(variable.shape) for variable in state_of(model).values())


def save_checkpoint(path: Path, model: Learner, fingerprint: str, past: Past) -> None:
    """Save the state of a run as a whole or not at all.

    Args:
        path: The file; one that is there is replaced.
        model: Its variables are saved.
        fingerprint: What must agree for the run to be continued.
        past: What the run has behind it.

    Raises:
        StyleError: The disk does not allow it.
    """
    arrays = {name: ops.convert_to_numpy(variable) for name, variable in state_of(model).items()}
    write_weights(path, arrays, {"kind": "checkpoint", "fingerprint": fingerprint, **asdict(past)})


def load_checkpoint(path: Path, model: Learner, fingerprint: str) -> Past | None:
    """Continue from a checkpoint of the same run, if there is one.

    Returns:
        What the run has behind it; `None` without a checkpoint.

    Raises:
        TrainingError: The checkpoint is of another run, or damaged.
    """
    if not path.exists():
        return None
    state = state_of(model)
    try:
        metadata = read_metadata(path)
        past = Past(**{name: kind(metadata[name]) for name, kind in KINDS.items()})
        found = metadata["fingerprint"]
        if found != fingerprint:
            raise TrainingError(
                f"'{path}' is a checkpoint of a run with other settings. Delete its folder to start anew, or choose another "
                "name or folder."
            )
        arrays = read_arrays(path, {name: tuple(variable.shape) for name, variable in state.items()})
    except (StyleError, KeyError, TypeError, ValueError) as error:
        raise TrainingError(f"'{path}' is damaged and cannot be continued. Delete its folder to start anew.") from error
    for name, variable in state.items():
        variable.assign(arrays[name].astype(variable.dtype))
    return past
