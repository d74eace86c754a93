"""Where frames go: nowhere, or several sinks at once. Those of films are in `jobs/segments.py`."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from realtime_nst.errors import SinkError
from realtime_nst.frames import Frame, Sink
from realtime_nst.media.results import check_output, ending

RECORDING_SUFFIXES = (".mp4", ".m4v", ".mov")


class NullSink:
    """Nowhere: for measuring."""

    def write(self, frame: Frame) -> None:
        pass

    def close(self) -> None:
        pass

    def discard(self) -> None:
        pass


class TeeSink:
    """Several sinks at once.

    Args:
        sinks: Any number.
    """

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = sinks

    def write(self, frame: Frame) -> None:
        for sink in self._sinks:
            sink.write(frame)

    def close(self) -> None:
        """Close every one, also when one of them fails.

        Raises:
            Exception: The first error, when all are closed.
        """
        with ExitStack() as closing:  # it calls in reverse, and raises the last error that it meets
            for sink in self._sinks:
                closing.callback(sink.close)

    def discard(self) -> None:
        with ExitStack() as closing:
            for sink in self._sinks:
                closing.callback(sink.discard)


@contextmanager
def finishing(sink: Sink) -> Iterator[Sink]:
    """Close a sink when all went well, and leave nothing behind when not."""
    try:
        yield sink
    except BaseException:
        sink.discard()
        raise
    sink.close()


def check_video_output(path: Path, *, overwrite: bool = False) -> None:
    """Make sure that a video can be written, before any work is done.

    Args:
        path: The file to write.
        overwrite: Whether an existing file may be replaced.

    Raises:
        SinkError: It cannot, or must not.
    """
    if path.suffix.lower() not in RECORDING_SUFFIXES:
        raise SinkError(f"'{path}' {ending(path)}; {', '.join(RECORDING_SUFFIXES)} were expected. Choose another name.")
    check_output(path, overwrite=overwrite)
