"""`Stage`: an iterable that runs ahead on its own thread. The only threading concept of the program.

It knows nothing of frames: the application runs capture and inference in stages, training its photo pipeline.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, Literal, TypeVar

T = TypeVar("T")


class Stage(Generic[T]):
    """Pull items from an iterable on a thread of its own, and hand them over through a small buffer.

    An exception of the iterable travels with the items: whoever takes them meets it, after the last good item.

    Args:
        items: What to run ahead of. If it has a `close()` method, the thread calls that when it stops.
        keep: "all" is lossless: the thread waits while the buffer is full. "latest" is for live sources: a new
            item replaces the waiting one, and `dropped` counts the replaced.
        depth: Items that wait at most with keep="all"; keep="latest" always holds one.
        name: Name of the thread.

    Example:
        with Stage(range(3), keep="all", name="count") as stage:
            assert list(stage) == [0, 1, 2]
    """

    def __init__(self, items: Iterable[T], *, keep: Literal["latest", "all"], name: str, depth: int = 2) -> None:
        if keep not in ("latest", "all"):
            raise ValueError(f"keep={keep!r}: 'latest' or 'all' was expected.")
        if depth < 1:
            raise ValueError(f"depth={depth}: at least 1 was expected.")
        self.dropped = 0
        self._items = items
        self._keep_latest = keep == "latest"
        self._depth = depth
        self._buffer: deque[T] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._ended = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def finished(self) -> bool:
        """True when every item was taken and no more will come. A pending error counts as an item."""
        with self._changed:
            return self._ended and not self._buffer and self._error is None

    def get(self, timeout: float | None = None) -> T | None:
        """Take the next item.

        Args:
            timeout: Seconds to wait; `None` waits until there is an item or the end.

        Returns:
            The item, or `None` when none came in time or none will come: ask `finished` which. A closed stage gives none,
            even where its thread is stalled.

        Raises:
            Exception: What the iterable raised, once, after its last item.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._buffer or self._ended or self._closing, timeout)
            if self._buffer:
                item = self._buffer.popleft()
                self._changed.notify_all()
                return item
            if self._error is not None:
                error, self._error = self._error, None
                raise error
            return None

    def __iter__(self) -> Iterator[T]:
        while not (self.finished or self._closing):
            item = self.get()
            if item is not None:
                yield item

    def close(self) -> None:
        """Ask the thread to stop and wake everyone who waits. Returns at once; may be called again."""
        with self._changed:
            self._closing = True
            self._buffer.clear()
            self._changed.notify_all()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the thread to end.

        Returns:
            False if it is still busy after `timeout` seconds (a stalled camera); it then dies with the program.
        """
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def __enter__(self) -> "Stage[T]":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
        self.join(2.0)

    def _run(self) -> None:
        try:
            for item in self._items:
                if not self._offer(item):
                    break
        except BaseException as error:  # handed to the thread that takes the items
            with self._changed:
                self._error = None if self._closing else error
        finally:
            try:
                close = getattr(self._items, "close", None)
                if close is not None:
                    close()
            except Exception as error:
                self._error = self._error or error
            finally:
                with self._changed:
                    self._ended = True
                    self._changed.notify_all()

    def _offer(self, item: T) -> bool:
        """Put an item into the buffer; False when the stage is closing."""
        with self._changed:
            if self._keep_latest:
                self.dropped += len(self._buffer)
                self._buffer.clear()
            else:
                self._changed.wait_for(lambda: len(self._buffer) < self._depth or self._closing)
            if self._closing:
                return False
            self._buffer.append(item)
            self._changed.notify_all()
            return True


def once(function: Callable[[], T], name: str) -> Stage[T]:
    """Call a function on a thread of its own: `get` gives its result, or raises what it raised.

    Args:
        function: What to call; its result must not be `None`, which `get` gives while there is none.
        name: Name of the thread.
    """
    return Stage((function() for _ in range(1)), keep="all", name=name)
