"""Signals as requests."""

import os
import signal
import sys

import pytest

from realtime_nst.pipeline.interrupt import on_interrupt

if sys.platform == "win32":
    pytest.skip("Windows has no SIGHUP", allow_module_level=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_ask(number: signal.Signals) -> None:
    asked: list[bool] = []
    before = signal.signal(number, signal.SIG_DFL)  # the tests themselves may run under nohup
    try:
        with on_interrupt(lambda: asked.append(True)):
            os.kill(os.getpid(), number)
        assert asked == [True] and signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, before)


def test_under_nohup_a_terminal_that_closes_ends_nothing() -> None:
    asked: list[bool] = []
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with on_interrupt(lambda: asked.append(True)):
            os.kill(os.getpid(), signal.SIGHUP)
        assert not asked
    finally:
        signal.signal(signal.SIGHUP, before)
