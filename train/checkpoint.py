"""Checkpoints: everything that the rest of a training run depends on, in one file."""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from keras import ops

from realtime_nst.errors import TrainingError
from realtime_nst.weightfile import write_weights

from .model import StyleModel


def state_of(model: StyleModel) -> dict[str, Any]:
    """Every variable that a step changes, by a name that is the same in every run."""
    state = {f"network/{layer.name}/kernel": layer.kernel for layer in model.network.layers if hasattr(layer, "kernel")}
    state["vectors"] = model.vectors
    for index, variable in enumerate(model.optimizer.variables):
        state[f"optimizer/{index}"] = variable
    return state


def save_checkpoint(path: Path, model: StyleModel, fingerprint: str, step: int, seconds: float) -> None:
    """Save everything that the rest of the run depends on, as a whole or not at all."""
    arrays = {name: ops.convert_to_numpy(variable) for name, variable in state_of(model).items()}
    write_weights(path, arrays, {"kind": "checkpoint", "fingerprint": fingerprint, "step": step, "seconds": seconds})


def load_checkpoint(path: Path, model: StyleModel, fingerprint: str) -> tuple[int, float]:
    """Continue from a checkpoint of the same job, if there is one.

    Returns:
        Steps done, and seconds spent on them: `(0, 0.0)` without a checkpoint.

    Raises:
        TrainingError: The checkpoint is of another job, or damaged.
    """
    if not path.exists():
        return 0, 0.0
    try:
        with h5py.File(path, "r") as file:
            metadata = json.loads(file.attrs["metadata"])
            if metadata["fingerprint"] != fingerprint:
                raise TrainingError(
                    f"'{path}' is a checkpoint of a run with other settings. Delete its folder to start anew, or choose "
                    "another name."
                )
            for name, variable in state_of(model).items():
                variable.assign(np.asarray(file[name][()]).astype(variable.dtype))
            return int(metadata["step"]), float(metadata["seconds"])
    except (OSError, KeyError, ValueError) as error:
        raise TrainingError(f"'{path}' is damaged and cannot be continued. Delete its folder to start anew.") from error
