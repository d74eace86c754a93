"""`PreviewSink`: a picture file that shows what has just been painted, so that one can look how a long job is getting on.

It is written on a thread of its own: a PNG of a large frame takes longer than painting it. It carries a remark by which
the next run knows it, because a preview may be replaced by the next one, and nothing else may.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image

from realtime_nst.errors import SinkError
from realtime_nst.frames import Frame
from realtime_nst.media.containers import is_of
from realtime_nst.media.photos import check_photo_name, write_photo
from realtime_nst.media.picturefile import UNREADABLE
from realtime_nst.media.remarks import SOFTWARE
from realtime_nst.media.results import check_output
from realtime_nst.pipeline.stage import Stage

PREVIEW_SECONDS = 2.0
"""From one picture to the next, at least; a slow disk makes it longer."""
FINISH_TIMEOUT = 60.0
"""Seconds in which the last picture may be written at the end."""
MAKER = "realtime-nst preview"


class PreviewSink:
    """Keep a picture of the latest frame.

    Args:
        path: A PNG, JPEG or WebP file.
        clock: Seconds.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._clock = path, clock
        self._next = 0.0
        self._shown: np.ndarray | None = None
        self._waiting: np.ndarray | None = None
        self._busy = self._ending = False
        self._changed = threading.Condition()
        self._stage = Stage(self._save(), keep="latest", name="output")

    def write(self, frame: Frame) -> None:
        self._shown = frame.image
        with self._changed:
            if not self._busy and self._clock() >= self._next:
                self._hand_over(frame.image)

    def close(self) -> None:
        with self._changed:
            if self._shown is not None:
                self._hand_over(self._shown)
        self.discard()

    def discard(self) -> None:
        self._shown = None
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        self._stage.join(FINISH_TIMEOUT)

    def _hand_over(self, image: np.ndarray) -> None:
        self._waiting, self._busy = image, True
        self._changed.notify_all()

    def _save(self) -> Iterator[bool]:
        """Save one after another; a preview that cannot be written does not stop the work."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting is not None or self._ending)
                image, self._waiting = self._waiting, None
            if image is None:
                return
            with suppress(SinkError):
                write_photo(self._path, image, software=MAKER, hasty=True)
            with self._changed:
                self._busy = self._waiting is not None
                self._next = self._clock() + PREVIEW_SECONDS
            yield True


def check_preview(path: Path, *, sources: Sequence[Path], outputs: Sequence[Path], overwrite: bool) -> None:
    """Make sure that a preview can be written, before any work is done, and that nothing is lost by it.

    A preview that an earlier run has left is replaced.

    Raises:
        SinkError: It cannot, or must not.
    """
    check_photo_name(path)
    for output in outputs:
        if is_of(path, output):
            raise SinkError(
                f"'{path}' would be the preview and one of the painted pictures. Choose another name for the preview."
            )
    check_output(path, sources=sources, overwrite=overwrite or _is_preview(path))


def _is_preview(path: Path) -> bool:
    try:
        with Image.open(path) as file:
            return bool(file.getexif().get(SOFTWARE) == MAKER)
    except UNREADABLE:
        return False
