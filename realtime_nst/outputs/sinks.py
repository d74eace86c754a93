"""Where frames go: nowhere, or several sinks at once. Those of films are in `jobs/segments.py`."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from realtime_nst.frames import Frame, Sink


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
