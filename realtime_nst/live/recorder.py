"""`Recorder`: recordings that start and stop while the show goes on, and those that a crash has left unnamed."""

import logging
import re
import time
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from realtime_nst.controls import Controls
from realtime_nst.errors import NSTError
from realtime_nst.live.aside import Aside
from realtime_nst.sinks import FileSink
from realtime_nst.stage import Stage
from realtime_nst.video import Frame

log = logging.getLogger(__name__)

DRAFT = re.compile(r"\.(.+-\d{8}-\d{6}(?:-\d+)?)\.\d+\.part\.mp4")
"""The name under which a recording grows: ffmpeg finishes it also when this program dies, but cannot rename it."""
STILL_GROWING = 10.0


class Recorder:
    """Record while the user wants it, each time to a new file, named by style and time.

    Args:
        folder: Where the files go.
        controls: `recording` is the wish; notices tell what happened.
        width: Width of the frames in pixels.
        height: Height of the frames in pixels.
        rate: Frames per second of the files. Frames come when they come; each is repeated or left out so that the
            file plays at the speed of life.
        done: Called with each finished file.
    """

    def __init__(
        self,
        folder: Path,
        controls: Controls,
        width: int,
        height: int,
        rate: Fraction,
        done: Callable[[Path], None] = lambda path: None,
    ) -> None:
        self._folder, self._controls, self._done = folder, controls, done
        self._size, self._rate = (width, height), rate
        self._output: Aside | None = None
        self._path = Path()
        self._finishing: list[tuple[Stage[bool], Path]] = []
        for path in rescue_recordings(folder):
            done(path)

    @property
    def watched(self) -> bool:
        """Whether it records."""
        return self._controls.recording

    def write(self, frame: Frame) -> None:
        self.poll_key(0.0)
        if not self._controls.recording:
            return
        if self._output is None and not self._start():
            return
        if self._output is not None:
            self._output.write(frame)

    def poll_key(self, timeout: float) -> str | None:
        if self._output is not None and not self._controls.recording:
            self._stop()
        for stage, path in list(self._finishing):
            self._take(stage, path, timeout=0.0)
        return None

    def close(self) -> None:
        self._controls.recording = False
        if self._output is not None:
            self._stop()
        for stage, path in list(self._finishing):
            self._take(stage, path, timeout=None)

    def discard(self) -> None:
        """What was recorded stays, whatever went wrong elsewhere."""
        self.close()

    def _start(self) -> bool:
        name = f"{plain_name(self._controls.target.name)}-{time.strftime('%Y%m%d-%H%M%S')}.mp4"
        self._path = unused(self._folder / name, [path for _, path in self._finishing])
        try:
            self._output = Aside(FileSink(self._path, *self._size, self._rate, live=True), self._give_up)
        except NSTError as error:
            self._give_up(error)
            return False
        self._controls.say(f"records {self._path.name}")
        return True

    def _stop(self) -> None:
        """Finish the file on a thread beside, because that may take a moment."""
        output, self._output = self._output, None
        if output is not None:
            self._finishing.append((Stage(_finished(output), keep="all", name="recording"), self._path))

    def _take(self, stage: Stage[bool], path: Path, timeout: float | None) -> None:
        if stage.get(timeout=timeout) or stage.finished:
            stage.join()
            self._finishing.remove((stage, path))
            if path.exists():
                self._controls.say(f"recorded {path.name}")
                self._done(path)

    def _give_up(self, error: NSTError) -> None:
        self._output = None
        self._controls.recording = False
        self._controls.say("not recorded")
        log.warning("%s", error)


def _finished(output: Aside) -> Iterator[bool]:
    output.close()
    yield True


def rescue_recordings(folder: Path) -> list[Path]:
    """Give recordings their names that a program which died could not give them any more.

    Returns:
        The files.
    """
    rescued = []
    for draft in sorted(folder.glob(".*.part.mp4")):
        match = DRAFT.fullmatch(draft.name)
        try:
            if match and time.time() - draft.stat().st_mtime > STILL_GROWING and draft.stat().st_size:
                path = unused(folder / f"{match[1]}.mp4")
                draft.rename(path)
                rescued.append(path)
        except OSError as error:
            log.warning("'%s' is a recording that was left behind, and cannot be renamed: %s.", draft, error.strerror)
    return rescued


def plain_name(style: str) -> str:
    """A style's name, or a mix, as a part of a file's name."""
    return style.replace(":", "-").replace(",", "-")


def unused(path: Path, taken: Sequence[Path] = ()) -> Path:
    """The path, or one with a number where there is such a file, or one of them will be there in a moment."""
    number, free = 2, path
    while free.exists() or free in taken:
        free, number = path.with_stem(f"{path.stem}-{number}"), number + 1
    return free
