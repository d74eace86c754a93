"""Commands of this program, each given by a worker that is free: long ones, of which none needs another one's result.

A worker gives a command in a process of its own, as in a terminal. What it reads and writes it finds at the same paths as the
client: in folders that all machines see. One that goes on where it was interrupted does so here, too, wherever it is given again.
"""

import tempfile
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from realtime_nst import __version__
from realtime_nst.cluster.crew import TRIES, Waiting, check_scheduler, in_words, is_wanted, workers_of
from realtime_nst.errors import ClusterError
from realtime_nst.jobs.errand import Errand

PAUSE = 0.5
"""Seconds between two looks at what the workers do, and of a worker at its command: both take minutes."""
ENDING = 60.0
"""Seconds in which a command that nobody waits for any more may save what it has."""


@dataclass(frozen=True)
class Command:
    """What a worker is to do.

    Args:
        name: By which users know it.
        words: As in a terminal, without the program's name.
        environment: What is to differ from the worker's own.
        seen: What the worker must see where the client does.
        version: Of the client.
        report: Whether `--json FILE` gives something that the client wants to have.
    """

    name: str
    words: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    seen: Path | None = None
    version: str = __version__
    report: bool = False


def give(command: Command) -> str:
    """Give a command, on a worker.

    Returns:
        What it reported.

    Raises:
        ClusterError: It failed, in its own words, or nobody waits for it any more.
    """
    from distributed import get_worker

    worker = get_worker()
    task = worker.get_current_task()
    if command.version != __version__:
        raise ClusterError(f"It has realtime-nst {__version__}, and the client {command.version}. Install the same.")
    if command.seen is not None and not command.seen.exists():
        raise ClusterError(f"It does not see '{command.seen}', which the client does. Name folders that all machines share.")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        words = [*command.words, *(["--json", str(report)] if command.report else [])]
        errand = Errand(words, command.environment, polite=False)
        while not errand.wait(PAUSE):
            if not is_wanted(worker, task) or worker.status.name != "running":
                errand.stop(ENDING)
        cause = errand.end()
        if cause is not None:
            raise ClusterError(cause)
        return report.read_text("utf-8") if command.report else ""


def share(
    client: Any,
    commands: Sequence[Command],
    *,
    keep: Callable[[Command, str], None],
    at_work: Callable[[Mapping[str, str]], None],
    notice: Callable[[str], None],
    stop: Callable[[], bool],
) -> bool:
    """Have all commands given, each by one worker at a time.

    Args:
        client: Dask's, connected.
        commands: In the order in which they begin.
        keep: Takes what a command reported; whatever `NSTError` it raises, that worker has failed.
        at_work: Called with what each worker does, by their names, whenever that changes.
        notice: Tells the user what went wrong, and goes on.
        stop: Asked again and again; True ends all.

    Returns:
        Whether all came to their end.

    Raises:
        ClusterError: One failed on every worker, or three times; the others have come to their end.
    """
    waiting, busy = deque(commands), dict[str, tuple[Command, Any]]()
    failed: dict[str, list[str]] = {command.name: [] for command in commands}
    names, told = dict[str, str](), dict[str, str]()
    lost: list[str] = []
    lonely = Waiting(notice)

    def fail(command: Command, address: str, cause: str, *, again: bool) -> None:
        times = failed[command.name]
        times.append(address)
        often = f"{len(times)} times, last " if len(times) > 1 else ""
        said = f"'{command.name}' failed {often}on worker {names[address]}: {cause}"
        if again and len(times) < TRIES:
            notice(f"{said} Another one takes it.")
            waiting.append(command)
        else:
            lost.append(said)
            if waiting or busy:
                notice(said)

    try:
        while waiting or busy:
            if stop():
                return False
            there = workers_of(client)
            if there is not None:
                names.update(there)
                for address in set(busy) - set(there):
                    command, _ = busy.pop(address)
                    fail(command, address, "It has gone.", again=True)
                for address, (command, future) in list(busy.items()):
                    if future.done():
                        del busy[address]
                        try:
                            keep(command, future.result())
                        except Exception as error:  # of the command, of the worker, or of Dask: another one may do better
                            check_scheduler(client)
                            others = set(there) - {address, *failed[command.name]}
                            fail(command, address, in_words(error), again=bool(others))
                for address in set(there) - set(busy):
                    found = next((command for command in waiting if address not in failed[command.name]), None)
                    if found is not None:
                        waiting.remove(found)
                        busy[address] = found, _submit(client, found, address)
                if (doing := {names[address]: command.name for address, (command, _) in busy.items()}) != told:
                    told = doing
                    at_work(doing)
                lonely.look(anybody=bool(busy))  # those that are idle have failed at all that is left
            time.sleep(PAUSE)
    finally:
        for _, future in busy.values():
            future.cancel(force=True)
    if lost:
        raise ClusterError(lost[0] if len(lost) == 1 else f"{lost[0]} {len(lost) - 1} others failed, too.")
    return True


def _submit(client: Any, command: Command, address: str) -> Any:
    key = f"{command.words[0]} {command.name}-{uuid.uuid4().hex[:8]}"
    return client.submit(give, command, key=key, workers=[address], allow_other_workers=False, pure=False, retries=0)
