"""`InFlight`: several calls at once on threads or in processes, whose results come in the order in which the calls began."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TypeVar

from realtime_nst.pipeline.processes import Processes

T = TypeVar("T")


class InFlight:
    """Begin calls, and go on.

    Args:
        count: Calls at once. With 1, and not `ahead`, each is finished when it has begun, and there is no other thread.
        apart: Whether each runs in a process of its own; then calls and results must be such that they can be sent there.
        ahead: Whether the next call is prepared while one runs, even where only one may run: it gets a thread, too.
    """

    def __init__(self, count: int, *, apart: bool = False, ahead: bool = False) -> None:
        beside = ahead or count > 1
        self._most = count + 1 if beside else 1  # one more than run, so that no thread waits for the next
        self._pool: Executor | None = None
        if beside:
            self._pool = Processes(count) if apart else ThreadPoolExecutor(count, thread_name_prefix="in-flight")

    def begin(self, call: Callable[[], T]) -> "Future[T]":
        """Begin one; its result may be asked for by anyone, and again."""
        if self._pool is not None:
            return self._pool.submit(call)
        return now(call)

    def close(self) -> None:
        """Forget calls that wait for a thread; those that run are waited for."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def in_order(self, begun: "Iterable[Future[T]]") -> Iterator[T]:
        """Results, each while the calls behind it run; at the end all calls are waited for.

        Args:
            begun: What `begin` gave, each once or several times in a row; it is asked for the next one before results are, so
                long as there may be more.

        Raises:
            Exception: What a call raised, in its turn, or what asking for the next one raised, after the last result.
            BrokenProcessPool: One of the processes has died.
        """
        waiting: deque[Future[T]] = deque()
        coming, failure = iter(begun), None
        try:
            while True:
                try:
                    waiting.append(next(coming))
                except StopIteration:
                    break
                except Exception as error:
                    failure = error
                    break
                while waiting and (waiting[0].done() or len(set(waiting)) >= self._most):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
            if failure is not None:
                raise failure
        finally:
            self.close()


def now(call: Callable[[], T]) -> "Future[T]":
    """A call on this thread, finished: its result, or the error that it raised."""
    done: Future[T] = Future()
    try:
        done.set_result(call())
    except Exception as error:
        done.set_exception(error)
    return done
