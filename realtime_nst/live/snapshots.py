"""`Snapshots`: the frame on show as a PNG, written on a thread beside, because compressing it takes a few frames' time."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from realtime_nst import __version__
from realtime_nst.errors import SinkError
from realtime_nst.files import free_name
from realtime_nst.frames import Frame
from realtime_nst.live.controls import Controls
from realtime_nst.live.recorder import plain_name
from realtime_nst.media.photos import write_photo
from realtime_nst.pipeline.stage import Stage, once


class Snapshots:
    """A sink that keeps the frame on show, and saves it when the user wants that.

    Pictures have style and time in their names, and how they were painted inside.

    Args:
        folder: Where they go.
        controls: `snapshots_wanted` counts the wishes; notices tell what happened.
        done: Called, on another thread, with what to tell the user.
        draw: Writes over a picture before it is saved; `None` leaves it clean.
    """

    def __init__(
        self,
        folder: Path,
        controls: Controls,
        done: Callable[[str], None] = lambda text: None,
        draw: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> None:
        self._folder, self._controls, self._done, self._draw = folder, controls, done, draw
        self._shown: Frame | None = None
        self._saved = 0  # what was wished before the show began to paint is still wished
        self._writing: list[tuple[Stage[bool], Path]] = []

    @property
    def pending(self) -> bool:
        """Whether a picture is wished that is not there yet."""
        return self._saved < self._controls.snapshots_wanted

    def write(self, frame: Frame) -> None:
        self._shown = frame

    def check(self) -> None:
        """Save the frame on show, if that is wished."""
        if not (self._controls.watched or self._controls.paused):
            self._shown = None  # too old; whoever wishes one now gets the next
        if self.pending and self._shown is not None:
            self._saved = self._controls.snapshots_wanted
            self.save(self._shown if self._draw is None else self._shown.with_image(self._draw(self._shown.image)))

    def save(self, frame: Frame) -> None:
        """Save a frame. A full disk is told in the window and does not end the show."""
        controls, painted = self._controls, frame.remarks or {}
        self._writing = [(stage, path) for stage, path in self._writing if not stage.join(0.0)]
        name = f"{plain_name(painted.get('Style', 'photo'))}-{time.strftime('%Y%m%d-%H%M%S')}-{frame.index}.png"
        try:
            path = free_name(self._folder / name, [path for _, path in self._writing].__contains__)  # of a pause several
        except OSError as error:  # of the folder
            controls.say("not saved")
            self._done(f"'{self._folder / name}' was not saved: {error.strerror}. Choose another folder with --snapshots.")
            return
        remarks = {
            **painted,
            "Creation Time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "Software": f"realtime-nst {__version__}",
        }

        def write() -> bool:
            try:
                write_photo(path, frame.image, remarks)
            except SinkError as error:
                controls.say("not saved")
                self._done(str(error))
                return False
            controls.say(f"saved {path.name}")
            self._done(f"Saved '{path}'.")
            return True

        self._writing.append((once(write, name="snapshot"), path))

    def close(self) -> None:
        """Wait until all are written."""
        for stage, _ in self._writing:
            stage.join()

    def discard(self) -> None:
        """What was saved stays, whatever went wrong elsewhere."""
        self.close()
