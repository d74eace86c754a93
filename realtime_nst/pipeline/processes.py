"""`Processes`: a pool of processes, for work that would keep threads waiting for each other.

They are of Python's own pool. Ctrl-C does not reach them, as whoever started them ends them, and none stays when that one dies.
"""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Processes(ProcessPoolExecutor):
    """As `ProcessPoolExecutor`; what runs there is imported anew, whatever runs here.

    Args:
        count: How many there are at most; each is started when there is something to do for it.
    """

    def __init__(self, count: int) -> None:
        super().__init__(count, mp_context=multiprocessing.get_context("spawn"), initializer=_begin)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """As the pool has it."""
        with _deaf():
            return super().submit(fn, *args, **kwargs)


@contextmanager
def _deaf() -> Iterator[None]:
    """Processes that are started meanwhile never hear Ctrl-C, not even before they have read what they are for."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    """What each of them does first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_along, name="end-along", daemon=True).start()


def _end_along() -> None:
    """Wait for the one that started this process to die: a pool whose owner was killed would wait for work for ever."""
    if (owner := multiprocessing.parent_process()) is not None:
        owner.join()
        os._exit(1)
