"""Connections to a Dask scheduler, and a small cluster on this machine. Nothing else imports what Dask brings."""

import asyncio
import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from realtime_nst.errors import ClusterError
from realtime_nst.media import ffmpeg

CONNECT_SECONDS = 15.0
LOCAL = re.compile(r"local(?::([1-9]\d{0,2}))?")
CORES_EACH = 2
"""Processor cores for each worker of `local`."""
PATIENCE = 10.0
"""Seconds in which a local worker may end by itself, and save what it is at."""


@contextmanager
def connected(where: str, arguments: Sequence[str] = ()) -> Iterator[Any]:
    """Dask's client for a cluster.

    Args:
        where: Address of a scheduler, its file, or `local` or `local:4` for workers on this machine.
        arguments: For workers on this machine, beside the address of their scheduler.

    Raises:
        ClusterError: There is none.
    """
    distributed = dask()
    local = LOCAL.fullmatch(where)
    with ExitStack() as open_ones:
        if local:
            cluster = distributed.LocalCluster(n_workers=0, dashboard_address="127.0.0.1:0", host="127.0.0.1")
            open_ones.enter_context(cluster)
            client = open_ones.enter_context(distributed.Client(cluster, set_as_default=False))
            count = int(local[1] or max(1, (os.cpu_count() or 1) // CORES_EACH))
            open_ones.enter_context(_workers(count, cluster.scheduler_address, arguments))
        else:
            client = open_ones.enter_context(_client(distributed, where))
        yield client


def work(where: str, name: str | None, say: Callable[[str], None]) -> None:
    """Be a worker until the scheduler ends, one task at a time.

    Args:
        where: Address of the scheduler, or its file.
        name: By which users know it; `None` for its address.
        say: Tells that it is ready.

    Raises:
        ClusterError: The scheduler cannot be reached.
    """
    distributed = dask()
    scheduler = {"scheduler_file": where} if Path(where).is_file() else {"scheduler_ip": where}

    async def serve() -> None:
        worker = distributed.Worker(
            **scheduler, nthreads=1, name=name, memory_limit=0, dashboard=False, death_timeout=CONNECT_SECONDS
        )
        async with worker:
            say(f"Worker {worker.name} is ready. Ctrl-C ends it.")
            await worker.finished()

    try:
        asyncio.run(serve())
    except (OSError, TimeoutError, ValueError, RuntimeError) as error:
        raise _unreachable(where, error) from error


def _client(distributed: Any, where: str) -> Any:
    scheduler = {"scheduler_file": where} if Path(where).is_file() else {"address": where}
    try:
        return distributed.Client(**scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError, RuntimeError) as error:
        raise _unreachable(where, error) from error


def _unreachable(where: str, error: BaseException) -> ClusterError:
    words = (str(error).strip() or type(error).__name__).splitlines()[0]
    return ClusterError(
        f"No Dask scheduler answers at '{where}' ({words:.100}). Start one with `dask scheduler`, and give the address that it "
        "prints, as in tcp://192.168.1.5:8786."
    )


@contextmanager
def _workers(count: int, scheduler: str, arguments: Sequence[str]) -> Iterator[None]:
    """Workers on this machine, each with its share of the processor; they end with this process."""
    started = []
    try:
        for number in range(count):
            command = [sys.executable, "-m", "realtime_nst", "worker", scheduler, "--name", f"local-{number}", *arguments]
            process = subprocess.Popen(
                [*ffmpeg.dying_along(), *command],
                stdin=ffmpeg.NOWHERE,
                stdout=ffmpeg.NOWHERE,
                stderr=ffmpeg.NOWHERE,
                start_new_session=True,
            )
            started.append(process)
            if sys.platform == "linux" and len(cores := sorted(os.sched_getaffinity(0))) >= count > 1:
                os.sched_setaffinity(process.pid, cores[number::count])
        yield
    finally:
        for process in started:  # as by Ctrl-C, after which a worker lets go of its task before it ends
            process.send_signal(signal.SIGTERM if sys.platform == "win32" else signal.SIGINT)
        for process in started:
            if ffmpeg.wait(process, PATIENCE) is None:
                process.kill()
                process.wait()


def dask() -> Any:
    """Dask's package `distributed`.

    Raises:
        ClusterError: It is not installed.
    """
    try:
        import distributed
    except ModuleNotFoundError as error:
        raise ClusterError("A cluster needs Dask: `pip install 'realtime-nst[cluster]'`.") from error
    for name in [name for name in logging.root.manager.loggerDict if name.split(".")[0] == "distributed"]:
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what goes wrong is told in one line, by us
    return distributed
