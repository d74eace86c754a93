"""All that flags ask for beside the window: opened before the show, and closed after it."""

import argparse
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from realtime_nst.control.access import new_token
from realtime_nst.live.show import Show


@contextmanager
def remotes(options: argparse.Namespace, show: Show, say: Callable[[str], None]) -> Iterator[None]:
    """Let a show be seen and steered from where the flags say.

    Args:
        options: The flags.
        show: It gets viewers, and plays inside.
        say: Told where to look.

    Raises:
        ControlError: Nothing can listen there.
    """
    token = new_token()
    with ExitStack() as opened:
        if options.http is not None:
            from realtime_nst.control.channel import Steered  # aiohttp takes a moment to load
            from realtime_nst.control.pictures import Pictures
            from realtime_nst.control.server import Server

            pictures = Pictures()
            server = Server(Steered(show.controls, pictures, show.figures), options.http, token)
            opened.callback(server.close)
            show.viewers.append(pictures)
            say(f"Steer it at {server.access.link}")
        if options.osc is not None:
            from realtime_nst.control.osc import Osc

            osc = Osc(show.controls, options.osc, token)
            opened.callback(osc.close)
            say(f"OSC at {osc.place}, as in {osc.root}/strength 0.6")
        yield
