"""This program once more, beside a show: a process at a low priority, which Ctrl-C does not reach and which never stays alone."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from realtime_nst.media.ffmpeg import Process, dying_along

LOWEST = 19
"""The nice value at which a process has what others leave."""


def start_beside(
    module: str, arguments: Sequence[str] = (), *, nice: int = LOWEST, environment: Mapping[str, str] | None = None, **pipes: Any
) -> Process:
    """Start a module of this program in a process of its own.

    Args:
        module: As `python -m` takes it.
        arguments: What it is told.
        nice: How far it stands back behind other processes, where the system knows such values.
        environment: What it finds set beside what is set here.
        pipes: As `subprocess.Popen` takes them.

    Raises:
        OSError: The system cannot start one.
    """
    apart: dict[str, Any] = {"process_group": 0}  # of Ctrl-C in the terminal it is told by us
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.BELOW_NORMAL_PRIORITY_CLASS | subprocess.CREATE_NEW_PROCESS_GROUP}
    command = [*dying_along(), sys.executable, "-m", module, *arguments]
    process = subprocess.Popen(command, env={**os.environ, **(environment or {})}, **pipes, **apart)
    if sys.platform != "win32":
        with suppress(OSError):  # it has ended already
            os.setpriority(os.PRIO_PROCESS, process.pid, nice)
    return process
