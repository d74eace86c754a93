"""`Recorder`: recordings that start and stop while the show goes on."""

import logging
import re
import time
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

from realtime_nst.errors import NSTError, SinkError
from realtime_nst.files import free_name
from realtime_nst.frames import Frame
from realtime_nst.live.controls import Controls
from realtime_nst.outputs.background import BackgroundSink
from realtime_nst.outputs.recording import LiveFileSink, fragments
from realtime_nst.pipeline.stage import Stage, once

log = logging.getLogger(__name__)

LONGEST_NAME = 100
"""Bytes of a file's name that come from the style."""


class Recorder:
    """Record while the user wants it, each time to a new file, named by style and time.

    Args:
        folder: Where the files go.
        controls: `recording` is the wish; notices tell what happened.
        width: Width of the frames in pixels.
        height: Height of the frames in pixels.
        rate: Frames per second that may be expected; the files have the time of each.
        done: Called with each finished file, also with what is left of one that failed.
        failed: Called with the error of a recording that failed.
    """

    def __init__(
        self,
        folder: Path,
        controls: Controls,
        width: int,
        height: int,
        rate: Fraction,
        done: Callable[[Path], None] = lambda path: None,
        failed: Callable[[NSTError], None] = lambda error: log.warning("%s", error),
    ) -> None:
        self._folder, self._controls, self._done, self._failed = folder, controls, done, failed
        self._size, self._rate = (width, height), rate
        self._output: BackgroundSink | None = None
        self._file: LiveFileSink | None = None
        self._finishing: list[tuple[Stage[bool], LiveFileSink]] = []
        fragments()  # tried before the show, not in the middle of it

    def write(self, frame: Frame) -> None:
        self.check()
        if not self._controls.recording:
            return
        if self._output is None and not self._start():
            return
        if self._output is not None:
            self._output.write(frame)

    def check(self) -> None:
        """Stop when that is wished, and tell of what is finished."""
        if self._output is not None and not self._controls.recording:
            self._stop()
        for stage, file in list(self._finishing):
            self._take(stage, file, timeout=0.0)

    def close(self) -> None:
        if self._controls.recording and self._output is None:
            log.warning("Nothing was recorded: the show ended before the next frame.")
        self._controls.recording = False
        if self._output is not None:
            self._stop()
        for stage, file in list(self._finishing):
            self._take(stage, file, timeout=None)

    def discard(self) -> None:
        """What was recorded stays, whatever went wrong elsewhere."""
        self.close()

    def _start(self) -> bool:
        name = f"{plain_name(self._controls.target.name)}-{time.strftime('%Y%m%d-%H%M%S')}.mp4"
        path = self._folder / name
        try:
            path = free_name(path, [file.path for _, file in self._finishing].__contains__)
            file = LiveFileSink(path, *self._size, self._rate)
        except (NSTError, OSError) as error:
            self._controls.recording = False
            self._tell(error if isinstance(error, NSTError) else SinkError(f"'{path}' is not recorded: {error.strerror}."))
            return False

        def give_up(error: NSTError) -> None:  # of this file, also when the next one is already recorded
            if self._file is file:
                self._output = self._file = None
                self._controls.recording = False
            self._tell(error)
            if file.written:
                self._done(path)

        self._file = file
        self._output = BackgroundSink(file, give_up, name=f"'{path.name}'", missing=self._controls.say)
        self._controls.say(f"recording {path.name}")
        return True

    def _stop(self) -> None:
        """Finish the file on a thread beside, because that may take a moment."""
        output, file = self._output, self._file
        self._output = self._file = None
        if output is not None and file is not None:
            self._finishing.append((once(partial(_finish, output), name="recording"), file))

    def _take(self, stage: Stage[bool], file: LiveFileSink, timeout: float | None) -> None:
        if stage.get(timeout=timeout) or stage.finished:
            stage.join()
            self._finishing.remove((stage, file))
            if file.whole:
                self._controls.say(f"recorded {file.path.name}")
                self._done(file.path)

    def _tell(self, error: NSTError) -> None:
        self._controls.say("not recorded")
        self._failed(error)


def _finish(output: BackgroundSink) -> bool:
    output.close()
    return True


def plain_name(style: str) -> str:
    """A style's name, or a mix, as a part of a file's name on any system, and no longer than that may be."""
    return re.sub(r"[^\w.+-]+", "-", style).encode()[:LONGEST_NAME].decode(errors="ignore")
