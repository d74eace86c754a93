"""`LiveRemote`: what steers a live show. Keys become wishes, time does what it should, and outputs are looked at.

It knows nothing of windows, frames and files.
"""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from realtime_nst.live.controls import Controls


class Keyboard(Protocol):
    """Where keys come from."""

    def poll_key(self, timeout: float) -> str | None:
        """The key pressed, by its name in `keys.KEYS`, after at most `timeout` seconds; `None` without one."""


class NoKeyboard:
    """What there is without a window: no key is ever pressed."""

    def poll_key(self, timeout: float) -> str | None:
        time.sleep(timeout)
        return None


class Output(Protocol):
    """What must be looked at on the main thread, also while no frame comes."""

    def check(self) -> None:
        """See to what is wished, and to what happened on other threads."""


class LiveRemote:
    """A `Remote` of a live show. Used on the main thread.

    Args:
        controls: What the user wants.
        keyboard: Changes it.
        outputs: Looked at after each look at the keyboard.
        watched: Whether anyone takes the frames now.
    """

    def __init__(
        self,
        controls: Controls,
        keyboard: Keyboard,
        outputs: Sequence[Output] = (),
        watched: Callable[[], bool] = lambda: True,
    ) -> None:
        self._controls, self._keyboard, self._outputs, self._watched = controls, keyboard, outputs, watched

    @property
    def quit(self) -> bool:
        """Whether the user wants to quit."""
        return self._controls.quit

    @property
    def idle(self) -> bool:
        """True when nobody would see a new frame; any thread may ask."""
        return self._controls.idle

    def leave(self) -> None:
        """Ask to quit; called inside of a signal handler."""
        self._controls.leave()

    def poll(self, timeout: float) -> None:
        """Do what keys and time say, and look at the outputs."""
        self._controls.press(self._keyboard.poll_key(timeout))
        for output in self._outputs:
            output.check()
        self._controls.watched = self._watched()
        self._controls.tick()
