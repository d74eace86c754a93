"""The workers of a scheduler as their client sees them: who is there, for how long nobody, and in which words they fail."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from realtime_nst.errors import ClusterError, NSTError

TRIES = 3
"""How often a piece of work may fail."""
NOTICED, GIVEN_UP = 20.0, 600.0
"""Seconds without any worker that can do anything, after which that is told, and after which nobody waits any longer."""
NOBODY = "No worker is there. Start `realtime-nst worker` with the scheduler's address, or stop by Ctrl-C."


def workers_of(client: Any) -> Mapping[str, str] | None:
    """Names of the workers that are there, by their addresses; `None` if the scheduler has not answered.

    Raises:
        ClusterError: The scheduler has gone.
    """
    check_scheduler(client)
    try:
        # Not `scheduler_info`: another thread may put a shorter answer in the place of the one that it returns.
        found = client.sync(client.scheduler.identity, n_workers=-1)["workers"]
    except (OSError, TimeoutError):
        return None  # it is seen the next time whether it has gone
    return {address: str(worker["name"]) for address, worker in found.items()}


def check_scheduler(client: Any) -> None:
    """Make sure that the scheduler is there.

    Raises:
        ClusterError: It has gone.
    """
    if client.status != "running":
        raise ClusterError("The Dask scheduler has gone. What is finished is kept; the same command goes on.")


class Waiting:
    """How long no worker has been there.

    Args:
        notice: Tells the user.
    """

    def __init__(self, notice: Callable[[str], None]) -> None:
        self._notice = notice
        self._since: float | None = None
        self._told = False

    def look(self, *, anybody: bool) -> None:
        """See whether that lasts.

        Args:
            anybody: Whether a worker is there now.

        Raises:
            ClusterError: It lasts too long.
        """
        if anybody:
            self._since, self._told = None, False
            return
        now = time.monotonic()
        self._since = self._since or now
        if now - self._since > NOTICED and not self._told:
            self._told = True
            self._notice(NOBODY)
        if now - self._since > GIVEN_UP:
            raise ClusterError(
                f"No worker has come within {GIVEN_UP:.0f} seconds. Start `realtime-nst worker` with the scheduler's address."
            )


def in_words(error: BaseException) -> str:
    """What went wrong at a worker, as the end of a sentence about it."""
    words = str(error).strip() if isinstance(error, NSTError) else f"{type(error).__name__}: {str(error).strip()}"
    return words.splitlines()[0] if words else repr(error)


def is_wanted(worker: Any, task: object) -> bool:
    """Whether anybody still waits for a task, at the worker that does it."""
    found = worker.state.tasks.get(task)
    return found is not None and found.state != "cancelled"
