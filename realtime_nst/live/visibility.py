"""Whether there is a screen, how large it is, and whether a window on it can be seen.

OpenCV ends the whole program where there is no screen, and calls a minimised window visible; so the system is asked,
where one can. Linux with X11 and Windows answer; elsewhere every window counts as seen, which costs power and nothing else.
"""

import ctypes
import os
import sys
from contextlib import suppress
from typing import Any

DEEPEST = 4
VIEWABLE = 2
WHEEL = (4, 5, 6, 7)
"""X11's buttons that are the turns of a wheel."""
ANY_MODIFIER, BUTTON_PRESSED, NOT_FROZEN = 1 << 15, 1 << 2, 1
MOST_EVENT_BYTES = 256


class _Attributes(ctypes.Structure):
    """The beginning of `XWindowAttributes`; the rest is room."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("x", "y", "width", "height", "border_width", "depth")),
        *((name, ctypes.c_void_p) for name in ("visual", "root")),
        *((name, ctypes.c_int) for name in ("kind", "bit_gravity", "win_gravity", "backing_store")),
        *((name, ctypes.c_ulong) for name in ("backing_planes", "backing_pixel")),
        *((name, ctypes.c_int) for name in ("save_under",)),
        ("colormap", ctypes.c_ulong),
        *((name, ctypes.c_int) for name in ("map_installed", "map_state")),
        ("rest", ctypes.c_byte * 256),
    )


class Watcher:
    """Tells whether a window can be seen. This one cannot tell, and says yes."""

    def seen(self) -> bool:
        """Whether a window of the title is on the screen, or none is known."""
        return True

    def screen(self) -> tuple[int, int] | None:
        """Width and height of the screen in pixels, where that is known."""
        return None

    def close(self) -> None:
        """Ask no more."""


def watch_window(title: str) -> Watcher:
    """A watcher for windows of a title, which need not be there yet.

    Raises:
        ConnectionError: There is no screen for a window; the message says why.
    """
    if sys.platform == "win32":
        return _Windows(title)
    return _X11Windows(title) if sys.platform == "linux" else Watcher()


def _ignore_error(display: Any, error: Any) -> int:
    """By default a window that is gone between two questions would end the program."""
    return 0


_ERROR_HANDLER = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(_ignore_error)


def _use_systems_libx11_xcb() -> None:
    """Let Qt, which is loaded later, find the system's libX11-xcb before that of OpenCV's package.

    The package has its own libX11-xcb and no libX11. Where these are of different versions, Qt does not get the queue of its
    events for itself. On a busy machine Xlib then takes the first ones, and the window stays blank.
    """
    with suppress(OSError):  # it is not installed
        ctypes.CDLL("libX11-xcb.so.1", ctypes.RTLD_GLOBAL)


class _Windows(Watcher):
    """Windows' windows."""

    def __init__(self, title: str) -> None:
        self._title = title

    def seen(self) -> bool:
        user32: Any = ctypes.windll.user32  # type: ignore[attr-defined, unused-ignore]
        return not user32.IsIconic(user32.FindWindowW(None, self._title))

    def screen(self) -> tuple[int, int] | None:
        user32: Any = ctypes.windll.user32  # type: ignore[attr-defined, unused-ignore]
        return user32.GetSystemMetrics(0), user32.GetSystemMetrics(1)


class _X11Windows(Watcher):
    """A connection of its own to the X server. It also takes the wheel of the mouse away from the window: OpenCV's Qt zooms
    into the picture with it, text and all, and has no way to say that it must not.

    Args:
        title: Of the window.
    """

    def __init__(self, title: str) -> None:
        self._title = title.encode()
        name = os.environ.get("DISPLAY")
        if not name:
            wayland = "; OpenCV's windows need X11, which is Xwayland on Wayland" if os.environ.get("WAYLAND_DISPLAY") else ""
            raise ConnectionError(f"DISPLAY is not set{wayland}")
        try:
            self._x = x = ctypes.CDLL("libX11.so.6")
        except OSError as error:
            raise ConnectionError("libX11 is not installed (on Debian: `apt install libx11-6`)") from error
        _use_systems_libx11_xcb()
        window, number = ctypes.c_ulong, ctypes.c_uint
        x.XOpenDisplay.restype = ctypes.c_void_p
        x.XCloseDisplay.argtypes = [ctypes.c_void_p]
        x.XDefaultRootWindow.restype = window
        x.XDefaultRootWindow.argtypes = [ctypes.c_void_p]
        x.XQueryTree.argtypes = [
            ctypes.c_void_p, window, *[ctypes.POINTER(window)] * 2, ctypes.POINTER(ctypes.POINTER(window)), ctypes.POINTER(number)
        ]  # fmt: skip
        x.XFetchName.argtypes = [ctypes.c_void_p, window, ctypes.POINTER(ctypes.c_char_p)]
        x.XGetWindowAttributes.argtypes = [ctypes.c_void_p, window, ctypes.POINTER(_Attributes)]
        x.XFree.argtypes = [ctypes.c_void_p]
        x.XGrabButton.argtypes = [
            ctypes.c_void_p, number, number, window, ctypes.c_int, number, *[ctypes.c_int] * 2, *[window] * 2
        ]  # fmt: skip
        x.XPending.argtypes = [ctypes.c_void_p]
        x.XNextEvent.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        x.XInitThreads()  # before anything else of X, as Qt will use it too
        x.XSetErrorHandler(_ERROR_HANDLER)
        self.display: int | None = x.XOpenDisplay(None)
        if self.display is None:
            raise ConnectionError(f"nothing answers at DISPLAY={name}, or it does not let this user in")
        self._without_wheel: set[int] = set()

    def close(self) -> None:
        if self.display is not None:
            self._x.XCloseDisplay(self.display)
            self.display = None

    def seen(self) -> bool:
        if self.display is None:
            return True
        windows = self._windows(self._x.XDefaultRootWindow(self.display), DEEPEST)
        self._take_wheel(windows)
        states = [attributes.map_state for window in windows if (attributes := self._attributes(window)) is not None]
        return not states or VIEWABLE in states

    def screen(self) -> tuple[int, int] | None:
        attributes = None if self.display is None else self._attributes(self._x.XDefaultRootWindow(self.display))
        return None if attributes is None else (attributes.width, attributes.height)

    def _attributes(self, window: int) -> _Attributes | None:
        attributes = _Attributes()
        known = self._x.XGetWindowAttributes(self.display, window, ctypes.byref(attributes))
        return attributes if known else None

    def _take_wheel(self, windows: list[int]) -> None:
        """Let the wheel's turns come here, and drop them."""
        for window in set(windows) - self._without_wheel:
            for button in WHEEL:
                self._x.XGrabButton(self.display, button, ANY_MODIFIER, window, 0, BUTTON_PRESSED, NOT_FROZEN, NOT_FROZEN, 0, 0)
        self._without_wheel = set(windows)
        event = ctypes.create_string_buffer(MOST_EVENT_BYTES)
        while self._x.XPending(self.display):
            self._x.XNextEvent(self.display, event)

    def _windows(self, window: int, depth: int) -> list[int]:
        """The windows of the title, from this one down."""
        found, name = [], ctypes.c_char_p()
        if self._x.XFetchName(self.display, window, ctypes.byref(name)) and name.value is not None:
            if name.value == self._title:
                found.append(window)
            self._x.XFree(name)
        if found or not depth:
            return found
        root, parent, count = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.c_uint()
        children = ctypes.POINTER(ctypes.c_ulong)()
        known = self._x.XQueryTree(
            self.display, window, ctypes.byref(root), ctypes.byref(parent), ctypes.byref(children), ctypes.byref(count)
        )
        if known and children:
            inside = [children[index] for index in range(count.value)]
            self._x.XFree(children)
            for child in inside:
                found += self._windows(child, depth - 1)
        return found
