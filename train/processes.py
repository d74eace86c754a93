"""One training in several processes, each on a machine of its own: they take the same steps, and share every batch.

JAX connects them, and Keras gives every device its part of a batch (`model.share_devices`). All processes make the same
batches, which depend on seed and step alone, and each hands in its own part. What one may find otherwise than another, such
as the time and Ctrl-C, they agree on after each step. Only the first has files: the others work in a folder that is thrown
away, and get a checkpoint from the first. Where there is one process, nothing here does anything.
"""

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np

from realtime_nst.engines.backend import reaches_gpu
from realtime_nst.errors import TrainingError

from .meeting import Meeting

AUTO = "auto"
"""In place of a coordinator's address: whoever started the processes, such as SLURM, has said it."""
SILENCE_SECONDS = 60
"""After which a process that says nothing has gone."""

log = logging.getLogger(__name__)


@contextmanager
def joined(coordinator: str, process: tuple[int, int] | None) -> Iterator[int]:
    """Be one of several processes that train together, on JAX.

    Args:
        coordinator: Host and port of the first, or "auto".
        process: Which of how many, from 1; `None` with "auto".

    Yields:
        The number of this one, from 0.

    Raises:
        TrainingError: Not all have come, or one has gone.
    """
    import jax

    number, count = process or (None, None)
    meeting = None if number is None or count is None else Meeting(coordinator, number, count)
    survives = not reaches_gpu("jax")  # there a step would wait for ever for one that has gone, and JAX has to end the program
    jax.config.update("jax_enable_recoverability", survives)
    try:
        jax.distributed.initialize(
            None if coordinator == AUTO else coordinator,
            num_processes=count,
            process_id=None if number is None else number - 1,
            heartbeat_timeout_seconds=SILENCE_SECONDS,
            shutdown_timeout_seconds=SILENCE_SECONDS,
        )
    except (RuntimeError, ValueError) as error:
        if coordinator != AUTO:
            raise TrainingError(f"JAX did not connect the processes of '{coordinator}': {_first_line(error)}.") from error
        raise TrainingError(
            "Nothing here says which processes train together, as SLURM or Open MPI would. Give --coordinator HOST:PORT and "
            "--process I/N."
        ) from error
    try:
        yield place()[0]
    except (jax.errors.JaxRuntimeError, ValueError) as error:
        if isinstance(error, ValueError) and "Gloo" not in str(error):
            raise
        log.info("JAX: %s", error)
        raise TrainingError(
            "Another process has ended, or cannot be reached any more. Start all again; they go on from the last checkpoint."
        ) from error
    finally:
        if meeting is not None and survives:
            meeting.wait_until_alone()  # JAX would not let the others outlive the first
        jax.distributed.shutdown()
        if meeting is not None:
            meeting.leave()


def place() -> tuple[int, int]:
    """Which process this is, from 0, and of how many."""
    if keras.config.backend() != "jax":
        return 0, 1
    import jax

    return jax.process_index(), jax.process_count()


@contextmanager
def own_folder(folder: Path) -> Iterator[Path]:
    """A folder as it is for the first; for each other one in its place, which is thrown away."""
    with ExitStack() as stack:
        yield Path(stack.enter_context(TemporaryDirectory(prefix="realtime-nst-"))) if place()[0] else folder


def own_part(batch: Mapping[str, Any]) -> dict[str, Any]:
    """This process's part of a batch; every array falls into as many as there are processes."""
    number, count = place()
    parts = {}
    for name, values in batch.items():
        size = len(values) // count
        parts[name] = values[number * size : (number + 1) * size]
    return parts


def agreed(stopping: bool, seconds: float) -> tuple[bool, float]:
    """What holds for all: one that is asked to stop stops all, and the first has the clock."""
    told = _told(np.array([stopping, seconds], np.float32))
    return (bool(told[:, 0].any()), float(told[0, 1])) if len(told) > 1 else (stopping, seconds)


def check_alike(*facts: str) -> None:
    """Make sure that all processes have the same before them.

    Raises:
        TrainingError: They do not.
    """
    digest = hashlib.sha256("\n".join(facts).encode()).digest()
    told = _told(np.frombuffer(digest, np.uint8))
    others = [str(number + 1) for number, other in enumerate(told) if (other != told[0]).any()]
    if others:
        raise TrainingError(
            f"Process {' and '.join(others)} of {len(told)} has other photos, pictures, flags or versions than the first. Start "
            "all with the same command, but for --process, and give each a copy of the same folders."
        )


def share_file(path: Path) -> None:
    """Give all processes a file of the first, if it has that, at this path of theirs."""
    number, _ = place()
    content = path.read_bytes() if number == 0 and path.exists() else b""
    size = int(_told(np.array([len(content)], np.int32))[0, 0])
    if size:
        whole = np.frombuffer(content if number == 0 else bytes(size), np.uint8)
        told = _from_first(whole)
        if number:
            path.write_bytes(told.tobytes())


def _told(own: np.ndarray) -> np.ndarray:
    """An array of every process, `(processes, ...)`."""
    if place()[1] == 1:
        return own[None]
    from jax.experimental import multihost_utils

    return np.asarray(multihost_utils.process_allgather(own))


def _from_first(values: np.ndarray) -> np.ndarray:
    from jax.experimental import multihost_utils

    return np.asarray(multihost_utils.broadcast_one_to_all(values))


def _first_line(error: Exception) -> str:
    lines: Sequence[str] = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")
