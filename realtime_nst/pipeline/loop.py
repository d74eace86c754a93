"""The loop: `Source -> Stylizer -> Sink`, and a `Remote` that steers it. It knows nothing else, neither OpenCV nor Keras.

The main thread owns the sink, the window, the keyboard and Ctrl-C; capture and stylizing run ahead on a thread
each. Frames are dropped in one place only: between a live source and the stylizer. There they also end while
nobody would see them, so that nothing is painted for nobody.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from realtime_nst.frames import Frame, Sink, Source
from realtime_nst.pipeline.interrupt import on_interrupt
from realtime_nst.pipeline.stage import Stage
from realtime_nst.pipeline.stats import Stats

HEARTBEAT = 0.03
"""Seconds between two looks at the remote when no frame comes."""
STOP_TIMEOUT = 2.0
"""Seconds that a stalled camera may take to let go; then it is left behind. A picture that is being painted is
waited for, however long that takes: engines do not survive that the program ends under them."""

FRAMES_AHEAD = 2
ONE_AHEAD_FROM = 16_000_000
"""Pixels from which on only one frame waits: it takes 48 MB and more."""


class Remote(Protocol):
    """What steers the loop."""

    @property
    def quit(self) -> bool:
        """Whether to end now."""

    @property
    def idle(self) -> bool:
        """Whether nobody would see a new frame: paused, or out of sight. Asked on two threads."""

    def leave(self) -> None:
        """Ask to quit. Called inside of a signal handler."""

    def poll(self, timeout: float) -> None:
        """Look at keys, and at whatever else must be looked at on the main thread, for at most `timeout` seconds.

        Called after each frame, and again and again while none comes. While idle the loop waits only here: without keys
        to wait for, it sleeps.
        """


class Unattended:
    """A `Remote` of work that nobody watches: it runs to its end, unless it is asked to quit."""

    idle = False

    def __init__(self) -> None:
        self.quit = False

    def leave(self) -> None:
        self.quit = True

    def poll(self, timeout: float) -> None:
        """There is nothing to look at, and nothing to wait for: it is never idle."""


def run(
    source: Source,
    stylize: Callable[[Iterable[Frame]], Iterable[Frame]],
    sink: Sink,
    remote: Remote,
    stats: Stats,
    *,
    frames: int | None = None,
) -> None:
    """Carry frames from source to sink until the source ends or the remote says so.

    Args:
        source: Where frames come from; it is closed at the end.
        stylize: Makes of frames the painted ones, in their order; on a thread of its own.
        sink: Where they go; the caller closes it.
        remote: What the user wants. While it is idle, a live source goes on unseen, so that the next frame is a fresh
            one; another source waits.
        stats: Counts what was written.
        frames: Stop after so many; `None` goes on to the end.

    Raises:
        Exception: Whatever source, stylizer, sink or remote raised.
    """
    ahead = FRAMES_AHEAD if source.width * source.height <= ONE_AHEAD_FROM else 1
    capture = Stage(source, keep="latest" if source.live else "all", depth=ahead, name="capture")
    painted = Stage(stylize(seen(capture, remote) if source.live else capture), keep="all", depth=1, name="stylize")
    try:
        with on_interrupt(remote.leave):
            while not (remote.quit or painted.finished or stats.frames == frames):
                idle = remote.idle  # then wait for keys, which a window loses when nobody listens, not for frames
                frame = None if idle and not source.live else painted.get(timeout=0.0 if idle else HEARTBEAT)
                if frame is not None:  # None: nothing new yet, but keys must still work
                    sink.write(frame)
                    stats.dropped = capture.dropped
                    stats.count(frame)
                remote.poll(HEARTBEAT if idle else 0.0)
    finally:
        for stage in (capture, painted):
            stage.close()  # wake every waiting thread first ...
        source.close()
        for stage in (capture, painted):
            stage.join(STOP_TIMEOUT if stage is capture else None)  # ... then wait


def seen(frames: Iterable[Frame], remote: Remote) -> Iterator[Frame]:
    """The frames that someone would see; the others end here, before anything is computed for them."""
    return (frame for frame in frames if not remote.idle)
