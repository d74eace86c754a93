"""The command `worker`: this machine paints for `video --cluster` on another one."""

import argparse

from realtime_nst.cli.console import say
from realtime_nst.cluster.connection import work
from realtime_nst.cluster.labour import HERE
from realtime_nst.engines.backend import choose_backend


def worker(options: argparse.Namespace) -> int:
    """Paint for whoever asks, until the scheduler ends."""
    choose_backend(options.backend, options.precision)  # here and now, rather than when the first stretch comes
    HERE.weights, HERE.backend, HERE.precision = options.weights, options.backend, options.precision
    work(options.scheduler, options.name, say)
    say("The scheduler has ended, and so does this worker.")
    return 0
