"""Where frames go: a window, a video file, nowhere, or several of them. Only sinks know OpenCV's windows."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np

from realtime_nst.errors import SinkError, SourceError
from realtime_nst.files.encoding import FrameWriter
from realtime_nst.sources import load_opencv
from realtime_nst.video import Frame, Sink

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov")
KEY_NAMES = {27: "esc", 32: "space"}


class NullSink:
    """Nowhere: for measuring, and for `--no-window`."""

    def write(self, frame: Frame) -> None:
        pass

    def poll_key(self, timeout: float) -> str | None:
        if timeout:
            time.sleep(timeout)  # nothing to wait for: there is no keyboard
        return None

    def close(self) -> None:
        pass

    def discard(self) -> None:
        pass


class WindowSink:
    """A window that shows frames and takes keys. Made and used on the main thread.

    Args:
        title: Title of the window.
        width: Width of the frames, and of the window at first, in pixels.
        height: Height likewise.
        draw: Writes over the picture before it is shown.
        changed: A number that changes when `draw` would draw something else; the last frame is then drawn again.

    Raises:
        SinkError: There is no display, or OpenCV has no windows here.
    """

    def __init__(
        self,
        title: str,
        width: int,
        height: int,
        draw: Callable[[np.ndarray], np.ndarray] = lambda image: image,
        changed: Callable[[], int] = lambda: 0,
    ) -> None:
        if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise SinkError("There is no display for a window (DISPLAY is not set). Use --no-window, and -o FILE to record.")
        os.environ.setdefault("QT_LOGGING_RULES", "*.warning=false")  # OpenCV's own Qt misses its fonts at each start
        try:
            self._cv2 = load_opencv()
        except SourceError as error:
            raise SinkError(str(error)) from error
        self._title = title
        self._draw = draw
        self._changed = changed
        self._drawn = changed()
        self._shown: np.ndarray | None = None
        try:
            plain = self._cv2.WINDOW_NORMAL | self._cv2.WINDOW_KEEPRATIO | self._cv2.WINDOW_GUI_NORMAL
            self._cv2.namedWindow(title, plain)
            self._cv2.resizeWindow(title, width, height)
        except self._cv2.error as error:
            raise SinkError("No window could be opened: OpenCV has none here. Use --no-window, and -o FILE to record.") from error

    def write(self, frame: Frame) -> None:
        self._shown = frame.image
        self._show()

    def poll_key(self, timeout: float) -> str | None:
        if self._shown is not None and self._changed() != self._drawn:
            self._show()
        code = self._cv2.waitKey(max(1, round(1000 * timeout))) & 0xFF
        if self._shown is not None and not self._visible():
            return "q"  # the window was closed with the mouse
        if code == 0xFF:
            return None
        return KEY_NAMES.get(code, chr(code).lower())

    def close(self) -> None:
        if self._shown is not None:
            self._shown = None
            self._cv2.destroyAllWindows()
            self._cv2.waitKey(1)

    def discard(self) -> None:
        self.close()

    def _visible(self) -> bool:
        try:
            return bool(self._cv2.getWindowProperty(self._title, self._cv2.WND_PROP_VISIBLE) >= 1)
        except self._cv2.error:  # what OpenCV's Qt windows do once they are gone
            return False

    def _show(self) -> None:
        if self._shown is not None:
            self._drawn = self._changed()
            self._cv2.imshow(self._title, np.ascontiguousarray(self._draw(self._shown)[:, :, ::-1]))


class FileSink:
    """An MP4 file.

    Args:
        path: The file.
        width: Width of the frames in pixels.
        height: Height of the frames in pixels.
        rate: Frames per second of the file.
        live: Frames come when they come: each is repeated or left out so that the file plays at the speed of life.

    Raises:
        SinkError: The folder does not exist.
    """

    def __init__(
        self,
        path: Path,
        width: int,
        height: int,
        rate: Fraction,
        *,
        live: bool = False,
    ) -> None:
        self._writer = FrameWriter(path, width, height, rate)
        self._rate = float(rate)
        self._live = live
        self._started: float | None = None
        self._waiting: np.ndarray | None = None

    def write(self, frame: Frame) -> None:
        if not self._live:
            self._writer.write(frame.image)
            return
        if self._started is None:
            self._started = frame.captured_at
        due = round((frame.captured_at - self._started) * self._rate)
        while self._waiting is not None and self._writer.frames < due:
            self._writer.write(self._waiting)
        self._waiting = frame.image

    def poll_key(self, timeout: float) -> str | None:
        return None

    def close(self) -> None:
        if self._waiting is not None:
            self._writer.write(self._waiting)
            self._waiting = None
        self._writer.close()

    def discard(self) -> None:
        self._writer.discard()


class TeeSink:
    """Several sinks at once; keys come from the first.

    Args:
        sinks: One or more.
    """

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = sinks

    def write(self, frame: Frame) -> None:
        for sink in self._sinks:
            sink.write(frame)

    def poll_key(self, timeout: float) -> str | None:
        return self._sinks[0].poll_key(timeout)

    def close(self) -> None:
        for sink in self._sinks:
            sink.close()

    def discard(self) -> None:
        for sink in self._sinks:
            sink.discard()


@contextmanager
def finishing(sink: Sink) -> Iterator[Sink]:
    """Close a sink when all went well, and leave nothing behind when not."""
    try:
        yield sink
    except BaseException:
        sink.discard()
        raise
    sink.close()


def check_video_output(path: Path, *, source: Path | None = None, overwrite: bool = False) -> None:
    """Make sure that a video can be written, before any work is done.

    Args:
        path: The file to write.
        source: The file that is read; it must be another one.
        overwrite: Whether an existing file may be replaced.

    Raises:
        SinkError: It cannot, or must not.
    """
    if path.suffix.lower() not in VIDEO_SUFFIXES:
        raise SinkError(f"'{path}' ends in '{path.suffix}'; {', '.join(VIDEO_SUFFIXES)} were expected. Choose another name.")
    check_output(path, source=source, overwrite=overwrite)


def check_output(path: Path, *, source: Path | None = None, overwrite: bool = False) -> None:
    """Make sure that a file of this name can be written, and that nothing is lost by it.

    Raises:
        SinkError: It cannot, or must not.
    """
    try:
        if source is not None and path.exists() and source.exists() and path.samefile(source):
            raise SinkError(f"Input and output are the same file, '{path}'. Choose another name for the output.")
        if path.is_dir():
            raise SinkError(f"'{path}' is a folder; the name of a file was expected.")
        if path.exists() and not overwrite:
            raise SinkError(f"'{path}' exists. Add --overwrite to replace it, or choose another name.")
        if not path.parent.is_dir():
            raise SinkError(f"No folder '{path.parent}' for '{path.name}'. Create it, or choose another place.")
        probe = path.with_name(f".{path.name}.probe")
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise SinkError(f"'{path}' cannot be written: {error.strerror}. Choose another place or name.") from error
