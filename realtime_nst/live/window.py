"""`WindowSink`: a window that shows frames and takes keys. Only this module knows OpenCV's windows."""

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress

import numpy as np

from realtime_nst.errors import SinkError, SourceError
from realtime_nst.frames import Frame
from realtime_nst.live.keys import SIGNS
from realtime_nst.live.visibility import watch_window
from realtime_nst.media.opencv import load_opencv

KEY_NAMES = {ord(sign): name for name, sign in SIGNS.items()} | {
    27: "esc",
    32: "space",
    ord("="): "+",
    ord("_"): "-",
    ord("<"): ",",
    ord(">"): ".",
}
"""Names of codes; a key that needs shift for its sign on some keyboards also counts without, and the other way."""
LOOK_EVERY = 0.5
"""Seconds between two questions whether the window is minimised."""
REDRAW_EVERY = 0.25
"""Seconds after which a picture that stays is drawn again: the figures on it tell that nothing comes."""
SHARE = 0.88
"""Of the screen's width and height, that a window takes at most when it opens."""
SMALLEST = 32
"""Pixels along a side of a window that is worth scaling for."""


class WindowSink:
    """A window that shows frames and takes keys. Made and used on the main thread.

    Args:
        title: Title of the window.
        width: Width of the frames, and of the window at first, in pixels; it opens smaller where the screen is.
        height: Height likewise.
        draw: Writes over the picture before it is shown.
        changed: Something that changes when `draw` would draw something else; the last frame is then drawn again.
        full_screen: Whether it should fill the screen now.

    Raises:
        SinkError: There is no display, or OpenCV has no windows here.
    """

    def __init__(
        self,
        title: str,
        width: int,
        height: int,
        draw: Callable[[np.ndarray], np.ndarray] = lambda image: image,
        changed: Callable[[], object] = lambda: 0,
        full_screen: Callable[[], bool] = lambda: False,
    ) -> None:
        try:
            self._watcher = watch_window(title)  # before Qt, which ends the program where there is no screen
        except ConnectionError as error:
            raise SinkError(f"There is no display for a window ({error}). Use --no-window, and -o FILE to record.") from error
        if sys.platform == "linux":
            os.environ["QT_QPA_PLATFORM"] = "xcb"  # OpenCV has no other, and Qt ends the program that asks for one
        os.environ.setdefault("QT_LOGGING_RULES", "*.warning=false")  # OpenCV's own Qt misses its fonts at each start
        try:
            self._cv2 = load_opencv()
        except SourceError as error:
            self._watcher.close()
            raise SinkError(str(error)) from error
        self._title = title
        self._draw = draw
        self._changed = changed
        self._drawn, self._drawn_at = changed(), 0.0
        self._want_full, self._full = full_screen, False
        self._shown: np.ndarray | None = None
        self._on_screen, self._asked = True, 0.0
        self._screen, self._placed = self._watcher.screen(), False
        try:
            plain = self._cv2.WINDOW_NORMAL | self._cv2.WINDOW_KEEPRATIO | self._cv2.WINDOW_GUI_NORMAL
            self._cv2.namedWindow(title, plain)
            self._cv2.resizeWindow(title, *fitting(width, height, self._screen))
        except self._cv2.error as error:
            self._watcher.close()
            raise SinkError("No window could be opened: OpenCV has none here. Use --no-window, and -o FILE to record.") from error

    @property
    def watched(self) -> bool:
        """False while the window is minimised."""
        if time.monotonic() - self._asked > LOOK_EVERY:
            self._on_screen = self._watcher.seen()
            self._asked = time.monotonic()
        return self._on_screen

    def write(self, frame: Frame) -> None:
        self._shown = frame.image
        self._show()

    def poll_key(self, timeout: float) -> str | None:
        """The key pressed, by its name in `keys.KEYS`, after at most `timeout` seconds; `None` without one."""
        stale = self._on_screen and time.monotonic() - self._drawn_at > REDRAW_EVERY
        if self._shown is not None and (stale or self._changed() != self._drawn):
            self._show()
        if self._want_full() != self._full:
            self._full = not self._full
            state = self._cv2.WINDOW_FULLSCREEN if self._full else self._cv2.WINDOW_NORMAL
            self._cv2.setWindowProperty(self._title, self._cv2.WND_PROP_FULLSCREEN, state)
        code = self._cv2.waitKeyEx(max(1, round(1000 * timeout)))
        if self._shown is not None and not self._placed:
            self._place()
        if self._shown is not None and not self._visible():
            return "q"  # the window was closed with the mouse
        return key_name(code)

    def close(self) -> None:
        if self._shown is not None:
            self._shown = None
            self._cv2.destroyAllWindows()
            self._cv2.waitKey(1)
        self._watcher.close()

    def discard(self) -> None:
        self.close()

    def _place(self) -> None:
        """Move the window up and to the left as far as it must be to be seen whole; it was placed before it had its size."""
        self._placed = True
        if self._screen is None or self._full:
            return
        with suppress(self._cv2.error):  # it is closed
            left, top, width, height = self._cv2.getWindowImageRect(self._title)
            right, bottom = (round((1.0 + SHARE) / 2 * length) for length in self._screen)
            place = max(0, min(left, right - width)), max(0, min(top, bottom - height))
            if place != (left, top):
                self._cv2.moveWindow(self._title, *place)

    def _visible(self) -> bool:
        least = 0 if sys.platform == "darwin" else 1  # where it is 0 while the window is minimised
        try:
            return bool(self._cv2.getWindowProperty(self._title, self._cv2.WND_PROP_VISIBLE) >= least)
        except self._cv2.error:  # what OpenCV's Qt windows do once they are gone
            return False

    def _show(self) -> None:
        if self._shown is not None:
            self._drawn, self._drawn_at = self._changed(), time.monotonic()
            picture = self._draw(self._scaled(self._shown))
            self._cv2.imshow(self._title, self._cv2.cvtColor(picture, self._cv2.COLOR_RGB2BGR))

    def _scaled(self, image: np.ndarray) -> np.ndarray:
        """The picture in the size of the window, so that text is sharp there; OpenCV's Qt would repeat whole pixels."""
        height, width = image.shape[:2]
        try:
            _, _, room_width, room_height = self._cv2.getWindowImageRect(self._title)
        except self._cv2.error:
            return image
        scale = min(room_width / width, room_height / height)
        size = round(width * scale), round(height * scale)
        if min(size) < SMALLEST or size == (width, height):
            return image
        way = self._cv2.INTER_LINEAR if scale > 1 else self._cv2.INTER_AREA
        scaled: np.ndarray = self._cv2.resize(image, size, interpolation=way)
        return scaled


def fitting(width: int, height: int, screen: tuple[int, int] | None) -> tuple[int, int]:
    """The size of a window that shows a picture of a size as large as it is, or as the screen allows beside title and panels."""
    scale = 1.0 if screen is None else min(1.0, SHARE * screen[0] / width, SHARE * screen[1] / height)
    return max(1, round(scale * width)), max(1, round(scale * height))


def key_name(code: int) -> str | None:
    """The name of a key in `keys.KEYS`, if it has one there.

    Args:
        code: From `waitKeyEx`: a letter's own, with the state of other keys above its 16 bits in some builds; arrows and
            the like are above 255, where their last 8 bits are those of some letter; without a key -1.
    """
    code = -1 if code < 0 else code & 0xFFFF
    return KEY_NAMES.get(code, chr(code).lower()) if 0 < code < 256 else None
