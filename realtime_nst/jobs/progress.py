"""How a long job tells how far it is: a bar for people, lines of JSON for programs, nothing for those who want quiet."""

import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from tqdm import tqdm

from realtime_nst.pipeline.stats import Stats

JSON_SECONDS = 1.0
LOG_SECONDS = 10.0
"""Seconds between two states of the bar where nobody watches it move, as in a log file."""


class Report(Protocol):
    """Where news of a job go."""

    def begin(self, name: str, total: int | None, done: int) -> None:
        """A file starts: its name, how many frames it has, how many an earlier run has painted."""

    def frame(self, stats: Stats) -> None:
        """One more frame is written."""

    def crew(self, frames: int, frames_per_second: float, workers: Mapping[str, float]) -> None:
        """So many frames are painted since the beginning, as fast as that; workers by name with their speeds."""

    def notice(self, text: str) -> None:
        """Something that the user should know."""

    def end(self) -> None:
        """The file is over, well or not."""

    def event(self, event: str, **facts: object) -> None:
        """A step, for programs."""


class BarReport:
    """A bar with frames per second and time left.

    Args:
        say: Prints a line for the user.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._bar: Any = None

    def begin(self, name: str, total: int | None, done: int) -> None:
        pause = 0.1 if sys.stderr.isatty() else LOG_SECONDS
        self._bar = tqdm(total=total, initial=done, unit="frame", desc=name, dynamic_ncols=True, mininterval=pause)

    def frame(self, stats: Stats) -> None:
        if self._bar.total is not None and self._bar.n >= self._bar.total:
            self._bar.total = None  # the file has more frames than it said
        self._bar.update()

    def crew(self, frames: int, frames_per_second: float, workers: Mapping[str, float]) -> None:
        self._bar.set_postfix_str(f"{len(workers)} workers", refresh=False)
        self._bar.update(frames + self._bar.initial - self._bar.n)

    def notice(self, text: str) -> None:
        self._say(text)

    def end(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def event(self, event: str, **facts: object) -> None:
        pass


class QuietReport:
    """Nothing."""

    def begin(self, name: str, total: int | None, done: int) -> None:
        pass

    def frame(self, stats: Stats) -> None:
        pass

    def crew(self, frames: int, frames_per_second: float, workers: Mapping[str, float]) -> None:
        pass

    def notice(self, text: str) -> None:
        pass

    def end(self) -> None:
        pass

    def event(self, event: str, **facts: object) -> None:
        pass


class JsonReport:
    """A JSON object per line: `{"event": "progress", "frame": 120, ...}`.

    Args:
        say: Prints a line for a program.
        clock: Seconds.
    """

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say, self._clock = say, clock
        self._total: int | None = None
        self._done = 0
        self._next = 0.0

    def begin(self, name: str, total: int | None, done: int) -> None:
        self._total, self._done, self._next = total, done, 0.0
        self.event("begin", output=name, frames=total, painted_before=done)

    def frame(self, stats: Stats) -> None:
        if self._due():
            self._progress(stats.frames, stats.fps)

    def crew(self, frames: int, frames_per_second: float, workers: Mapping[str, float]) -> None:
        if self._due():
            speeds = {name: round(speed, 2) for name, speed in workers.items()}
            self._progress(frames, frames_per_second, workers=speeds)

    def _due(self) -> bool:
        """Whether it is time for news."""
        if self._clock() < self._next:
            return False
        self._next = self._clock() + JSON_SECONDS
        return True

    def _progress(self, frames: int, fps: float, **facts: object) -> None:
        painted = self._done + frames
        left = None
        if self._total is not None and fps:
            left = round(max(0, self._total - painted) / fps, 1)
        self.event("progress", frame=painted, frames=self._total, frames_per_second=round(fps, 2), seconds_left=left, **facts)

    def notice(self, text: str) -> None:
        self.event("notice", text=text)

    def end(self) -> None:
        pass

    def event(self, event: str, **facts: object) -> None:
        self._say(json.dumps({"event": event, **facts}))
