"""Whether there is a screen, and whether a window on it can be seen.

OpenCV ends the whole program where there is no screen, and calls a minimised window visible; so the system is asked,
where one can. Linux with X11 and Windows answer; elsewhere every window counts as seen, which costs power and nothing else.
"""

import ctypes
import os
import sys
from typing import Any

DEEPEST = 4
VIEWABLE = 2


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


class _Windows(Watcher):
    """Windows' windows."""

    def __init__(self, title: str) -> None:
        self._title = title

    def seen(self) -> bool:
        user32: Any = ctypes.windll.user32  # type: ignore[attr-defined, unused-ignore]
        return not user32.IsIconic(user32.FindWindowW(None, self._title))


class _X11Windows(Watcher):
    """A connection of its own to the X server.

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
        x.XInitThreads()  # before anything else of X, as Qt will use it too
        x.XSetErrorHandler(_ERROR_HANDLER)
        self.display: int | None = x.XOpenDisplay(None)
        if self.display is None:
            raise ConnectionError(f"nothing answers at DISPLAY={name}, or it does not let this user in")

    def close(self) -> None:
        if self.display is not None:
            self._x.XCloseDisplay(self.display)
            self.display = None

    def seen(self) -> bool:
        if self.display is None:
            return True
        states = self._states(self._x.XDefaultRootWindow(self.display), DEEPEST)
        return not states or VIEWABLE in states

    def _states(self, window: int, depth: int) -> list[int]:
        states, name = [], ctypes.c_char_p()
        if self._x.XFetchName(self.display, window, ctypes.byref(name)) and name.value is not None:
            attributes = _Attributes()
            if name.value == self._title and self._x.XGetWindowAttributes(self.display, window, ctypes.byref(attributes)):
                states.append(int(attributes.map_state))
            self._x.XFree(name)
        if states or not depth:
            return states
        root, parent, count = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.c_uint()
        children = ctypes.POINTER(ctypes.c_ulong)()
        found = self._x.XQueryTree(
            self.display, window, ctypes.byref(root), ctypes.byref(parent), ctypes.byref(children), ctypes.byref(count)
        )
        if found and children:
            inside = [children[index] for index in range(count.value)]
            self._x.XFree(children)
            for child in inside:
                states += self._states(child, depth - 1)
        return states
