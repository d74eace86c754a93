"""Ctrl-C as a request, so that files are finished and checkpoints saved."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 130
"""Exit code of a command that Ctrl-C ended before its work was done."""
PRESSES = 3
"""The Ctrl-C that is meant: the second is often the first one pressed twice."""


@contextmanager
def on_interrupt(ask: Callable[[], object]) -> Iterator[None]:
    """Call `ask` at Ctrl-C, SIGTERM or SIGHUP (unless that is ignored, as under nohup); the third Ctrl-C interrupts at once.

    Outside of the main thread, where Python delivers no signals, it does nothing.

    Args:
        ask: Called inside of the signal handler, perhaps more than once: it should only set a flag.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed = 0

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        pressed += number == signal.SIGINT
        ask()
        if pressed >= PRESSES:
            raise KeyboardInterrupt

    numbers = [signal.SIGINT, signal.SIGTERM]
    hangup = getattr(signal, "SIGHUP", None)  # Windows has none
    if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:  # as nohup wants it: go on without a terminal
        numbers.append(hangup)
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
