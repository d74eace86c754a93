"""The loop: `Source -> Stylizer -> Sink`. It knows nothing else, neither OpenCV nor Keras.

The main thread owns the sink, the window, the keyboard and Ctrl-C; capture and stylizing run ahead on a thread
each. Frames are dropped in one place only: between a live source and the stylizer. There they also end while
nobody would see them, so that nothing is painted for nobody.
"""

from collections.abc import Callable, Iterable, Iterator

from realtime_nst.controls import Controls
from realtime_nst.interrupt import on_interrupt
from realtime_nst.stage import Stage
from realtime_nst.stats import Stats
from realtime_nst.video import Frame, Sink, Source

HEARTBEAT = 0.03
"""Seconds between two looks at the keyboard when no frame comes."""
STOP_TIMEOUT = 2.0
"""Seconds that a stalled camera may take to let go; then it is left behind. A picture that is being painted is
waited for, however long that takes: engines do not survive that the program ends under them."""

FRAMES_AHEAD = 2
LARGE_PICTURE = 16_000_000
"""Pixels from which on only one frame waits: it takes 48 MB and more."""


def run(
    source: Source,
    stylizer: Callable[[Frame], Frame],
    sink: Sink,
    controls: Controls,
    stats: Stats,
    *,
    frames: int | None = None,
    save: Callable[[Frame], None] = lambda frame: None,
    watched: Callable[[], bool] = lambda: True,
) -> None:
    """Carry frames from source to sink until the source ends or the user quits.

    Args:
        source: Where frames come from; it is closed at the end.
        stylizer: Frame to frame; called on one thread, in order.
        sink: Where they go; the caller closes it.
        controls: What the user wants; quitting and pausing take effect here. A paused live source goes on unseen, so
            that the next frame is a fresh one; another source waits.
        stats: Counts what was written.
        frames: Stop after so many; `None` goes on to the end.
        save: Called with the frame on show when the user asks for a snapshot.
        watched: Whether anyone takes the frames now; a live source goes on unseen while nobody does.

    Raises:
        Exception: Whatever source, stylizer or sink raised.
    """
    ahead = FRAMES_AHEAD if source.width * source.height <= LARGE_PICTURE else 1
    capture = Stage(source, keep="latest" if source.live else "all", depth=ahead, name="capture")
    stylize = Stage(map(stylizer, seen(capture, controls) if source.live else capture), keep="all", depth=1, name="stylize")
    shown: Frame | None = None
    saved = controls.snapshots_wanted
    try:
        with on_interrupt(controls.leave):
            while not (controls.quit or stylize.finished or stats.frames == frames):
                idle = controls.idle  # then wait for keys, which a window loses when nobody listens, not for frames
                frame = None if idle and not source.live else stylize.get(timeout=0.0 if idle else HEARTBEAT)
                if frame is not None:  # None: nothing new yet, but keys must still work
                    sink.write(frame)
                    stats.dropped = capture.dropped
                    stats.count(frame)
                    shown = frame
                controls.press(sink.poll_key(HEARTBEAT if idle else 0.0))
                controls.watched = watched()
                controls.tick()
                if saved < controls.snapshots_wanted and shown is not None:
                    saved = controls.snapshots_wanted
                    save(shown)
    finally:
        for stage in (capture, stylize):
            stage.close()  # wake every waiting thread first ...
        source.close()
        for stage in (capture, stylize):
            stage.join(STOP_TIMEOUT if stage is capture else None)  # ... then wait


def seen(frames: Iterable[Frame], controls: Controls) -> Iterator[Frame]:
    """The frames that someone would see; the others end here, before anything is computed for them."""
    return (frame for frame in frames if not controls.idle)
