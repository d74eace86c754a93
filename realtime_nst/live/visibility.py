"""Whether a window can be seen. OpenCV calls a minimised window visible, so the system is asked, where one can.

Linux with X11 and Windows answer; elsewhere every window counts as seen, which costs power and nothing else.
"""

import ctypes
import ctypes.util
import sys
from collections.abc import Callable
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


def window_watcher(title: str) -> Callable[[], bool]:
    """A function that tells whether a window of this title can be seen; it says yes where it cannot tell."""
    if sys.platform == "win32":
        user32: Any = ctypes.windll.user32
        return lambda: not user32.IsIconic(user32.FindWindowW(None, title))
    x11 = _X11Windows(title) if sys.platform == "linux" else None
    return x11.seen if x11 is not None and x11.display else lambda: True


class _X11Windows:
    """A connection of its own to the X server.

    Args:
        title: Of the window.
    """

    def __init__(self, title: str) -> None:
        self._title = title.encode()
        name = ctypes.util.find_library("X11")
        self.display: Any = None
        if name is None:
            return
        try:
            self._x = ctypes.CDLL(name)
        except OSError:
            return
        x, window, number = self._x, ctypes.c_ulong, ctypes.c_uint
        x.XOpenDisplay.restype = ctypes.c_void_p
        x.XDefaultRootWindow.restype = window
        x.XDefaultRootWindow.argtypes = [ctypes.c_void_p]
        x.XQueryTree.argtypes = [
            ctypes.c_void_p, window, *[ctypes.POINTER(window)] * 2, ctypes.POINTER(ctypes.POINTER(window)), ctypes.POINTER(number)
        ]  # fmt: skip
        x.XFetchName.argtypes = [ctypes.c_void_p, window, ctypes.POINTER(ctypes.c_char_p)]
        x.XGetWindowAttributes.argtypes = [ctypes.c_void_p, window, ctypes.POINTER(_Attributes)]
        x.XFree.argtypes = [ctypes.c_void_p]
        # By default a window that is gone between two questions would end the program.
        self._ignore = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(lambda display, error: 0)
        x.XSetErrorHandler(self._ignore)
        self.display = x.XOpenDisplay(None)

    def seen(self) -> bool:
        """Whether a window of the title is on the screen, or none is known."""
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
