"""`Errand`: a command in a process of its own, at the lowest priority unless told, so that a show beside it goes on.

The process is the command that anyone could give in a terminal; what it says is what is known of it.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from realtime_nst.media import ffmpeg

PROGRAM = (sys.executable, "-m", "realtime_nst")
SAYS = "realtime-nst: "
"""How a command begins the line that says why it ended."""
NICE = 19
PATIENCE = 5.0
"""Seconds in which it may end by itself when it is asked to."""


class Errand:
    """Start a command of this program.

    Args:
        arguments: As in a terminal, without the program's name.
        environment: What differs from this process' own.
        polite: Whether whatever else runs here goes before it.
    """

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str] | None = None, *, polite: bool = True) -> None:
        apart: dict[str, Any] = {"process_group": 0}  # of Ctrl-C in the terminal it is told by us
        if sys.platform == "win32":
            priority = subprocess.BELOW_NORMAL_PRIORITY_CLASS if polite else 0
            apart = {"creationflags": priority | subprocess.CREATE_NEW_PROCESS_GROUP}
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [*ffmpeg.dying_along(), *PROGRAM, *arguments], env={**os.environ, **(environment or {})},
            stdin=ffmpeg.NOWHERE, stdout=ffmpeg.PIPE, stderr=self._errors, **apart,
        )  # fmt: skip
        if polite and sys.platform != "win32":
            with suppress(OSError):  # it has ended already
                os.setpriority(os.PRIO_PROCESS, self._process.pid, NICE)

    def news(self) -> Iterator[dict[str, Any]]:
        """What it tells on its way, as `JsonReport` has it, until it ends."""
        for line in self._process.stdout or ():
            with suppress(ValueError):
                found = json.loads(line)
                if isinstance(found, dict):
                    yield found

    def wait(self, seconds: float) -> bool:
        """Whether it ends within some seconds; unheard, so that what it tells must fit into a pipe."""
        return ffmpeg.wait(self._process, seconds) is not None

    def end(self) -> str | None:
        """Wait for its end.

        Returns:
            `None` where all is well, otherwise why not.
        """
        code = self._process.wait()
        ffmpeg.stop(self._process)
        with self._errors as errors:
            errors.seek(0)
            lines = [line for line in errors.read().decode("utf-8", "replace").splitlines() if line.startswith(SAYS)]
        if code == 0:
            return None
        return lines[-1].removeprefix(SAYS) if lines else f"Its process ended with code {code}. It may lack memory."

    def stop(self, patience: float = PATIENCE) -> None:
        """Have it end soon; what is painted of a film, or learned of a style, is kept."""
        self._process.terminate()
        if ffmpeg.wait(self._process, patience) is None:
            self._process.kill()
