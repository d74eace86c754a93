"""Checkpoints: everything that the rest of a training run depends on, in one file."""

from pathlib import Path
from typing import Any

from keras import ops

from realtime_nst.errors import StyleError, TrainingError
from realtime_nst.weightfile import read_arrays, read_metadata, write_weights

from .model import StyleModel

START_OVER = "Start over with another --seed or a lower --style-weight; what was saved before is good."


def state_of(model: StyleModel) -> dict[str, Any]:
    """Every variable that a step changes, by a name that is the same in every run."""
    state = {f"network/{layer.name}/kernel": layer.kernel for layer in model.network.layers if hasattr(layer, "kernel")}
    state["vectors"], state["lag"] = model.vectors, model.lag
    for index, variable in enumerate(model.optimizer.variables):
        state[f"optimizer/{index}"] = variable
    return state


def save_checkpoint(path: Path, model: StyleModel, fingerprint: str, step: int, seconds: float, returns: int) -> None:
    """Save the state of a run as a whole or not at all.

    Args:
        path: The file; one that is there is replaced.
        model: Its variables are saved.
        fingerprint: What must agree for the run to be continued.
        step: Steps done.
        seconds: Time spent on them.
        returns: How often the run went back to a good step.

    Raises:
        StyleError: The disk does not allow it.
    """
    arrays = {name: ops.convert_to_numpy(variable) for name, variable in state_of(model).items()}
    facts = {"kind": "checkpoint", "fingerprint": fingerprint, "step": step, "seconds": seconds, "returns": returns}
    write_weights(path, arrays, facts)


def load_checkpoint(path: Path, model: StyleModel, fingerprint: str) -> tuple[int, float, int]:
    """Continue from a checkpoint of the same run, if there is one.

    Returns:
        Steps done, seconds spent on them, and how often the run went back: `(0, 0.0, 0)` without a checkpoint.

    Raises:
        TrainingError: The checkpoint is of another run, or damaged.
    """
    if not path.exists():
        return 0, 0.0, 0
    state = state_of(model)
    try:
        metadata = read_metadata(path)
        step, seconds, returns = int(metadata["step"]), float(metadata["seconds"]), int(metadata["returns"])
        found = metadata["fingerprint"]
        if found != fingerprint:
            raise TrainingError(
                f"'{path}' is a checkpoint of a run with other settings. Delete its folder to start anew, or choose another name."
            )
        arrays = read_arrays(path, {name: tuple(variable.shape) for name, variable in state.items()})
    except (StyleError, KeyError, TypeError, ValueError) as error:
        raise TrainingError(f"'{path}' is damaged and cannot be continued. Delete its folder to start anew.") from error
    for name, variable in state.items():
        variable.assign(arrays[name].astype(variable.dtype))
    return step, seconds, returns
