"""All that flags ask for beside the window: opened before the show, and closed after it."""

import argparse
import os
import sys
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from realtime_nst.control.access import new_token
from realtime_nst.errors import SinkError
from realtime_nst.folders import user_folder
from realtime_nst.live.show import Show
from realtime_nst.painting import serving

if TYPE_CHECKING:
    from realtime_nst.jobs.joblist import JobList


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
            link = _serve(options, show, token, opened, say)
            say(f"See and steer it at {link}")
            if options.studio and options.open and has_desktop():
                webbrowser.open(link)
        if options.osc is not None:
            from realtime_nst.control.osc import Osc

            osc = Osc(show.controls, options.osc, token)
            opened.callback(osc.close)
            say(f"OSC at {osc.place}, as in {osc.root}/strength 0.6")
        if options.midi is not None:
            from realtime_nst.control.midi import Midi, default_mapping

            midi = Midi(show.controls, options.midi, options.midi_map or default_mapping(), options.midi_learn)
            opened.callback(midi.close)
        yield


def _serve(options: argparse.Namespace, show: Show, token: str, opened: ExitStack, say: Callable[[str], None]) -> str:
    """Put the show on a page, until `opened` closes. Returns the link to it."""
    from realtime_nst.control.channel import Steered, outside  # aiohttp takes a moment to load
    from realtime_nst.control.pictures import Pictures
    from realtime_nst.control.server import Server
    from realtime_nst.control.thumbnails import Thumbnails
    from realtime_nst.inputs.switching import SwitchableSource
    from realtime_nst.jobs.joblist import JobList
    from realtime_nst.live.doctor import examine

    pictures = Pictures()
    steered = Steered(show.controls, pictures, show.figures)
    try:
        steered.jobs = JobList(user_folder("data") / "jobs", painting_flags(options))
    except SinkError as error:
        steered.no_jobs = outside(str(error))
    else:
        opened.callback(_close_jobs, steered.jobs, say)
    steered.book = show.book
    steered.source = show.source if isinstance(show.source, SwitchableSource) else None
    steered.photo = lambda: show.painter.photo
    steered.examine = lambda: examine(options.weights, options.backend, options.precision)
    server = Server(steered, options.http, token, "--port" if options.studio else "--http")
    opened.callback(server.close)
    stylizer = serving.load_stylizer(show.backend)
    steered.thumbnails = Thumbnails(show.controls, stylizer, steered.photo, lambda: steered.choosing > 0 and pictures.watched)
    opened.callback(steered.thumbnails.close)
    show.viewers.append(pictures)
    return server.access.entrance("/kiosk" if options.kiosk else "/")


def painting_flags(options: argparse.Namespace) -> list[str]:
    """The flags of this show that what is painted beside it has, too."""
    flags = [f"--backend={options.backend}", f"--precision={options.precision}"]
    return flags + ([f"--weights={options.weights.absolute()}"] if options.weights else [])


def _close_jobs(jobs: "JobList", say: Callable[[str], None]) -> None:
    if left := jobs.unfinished:
        say(f"Photos and films that are not finished: {left}. They go on at the next start.")
    jobs.close()


def has_desktop() -> bool:
    """Whether a browser would be seen; one in a terminal would take the show's own."""
    return sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
