"""`overlapped`: items in three steps; while one is in the second step, the next are in the first and those before in the last."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from realtime_nst.pipeline.in_flight import InFlight, now

Item = TypeVar("Item")
Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass
class InWork(Generic[Item]):
    """An item, and the step that it is in."""

    item: Item
    weight: float
    step: Future[Any]


def overlapped(
    items: Iterable[Item],
    first: Callable[[Item], Given],
    second: Callable[[Item, Given], Made],
    last: Callable[[Item, Made], None],
    *,
    at_once: int,
    weigh: Callable[[Item], float],
    limit: float,
    stop: Callable[[], bool],
) -> Iterator[tuple[Item, Future[None]]]:
    """Take items through three steps. What a step gives is let go as soon as the next one is done with it.

    Args:
        items: The next one is asked for when there may be room for it.
        first: Item to what the second step needs; on any thread.
        second: Item and that to what the last step needs; one after the other, in order, on the thread that asks for results.
        last: On any thread.
        at_once: Threads for the first and the last step. With 1 there is none: an item is finished before the next one begins.
        weigh: What an item weighs, in any unit; on the thread that asks for results.
        limit: What all that are in work may weigh together. One that weighs more is in work alone.
        stop: Whether to leave the rest; what has been through the second step by then goes through the last one, too.

    Yields:
        Each item, in order, and what to wait for: a future that has the error of whichever step failed.
    """
    in_flight = InFlight(at_once)
    most = 2 * at_once + 1 if at_once > 1 else 1  # enough that no thread, and the second step neither, waits for the next
    coming = ((item, weigh(item)) for item in items)
    following: tuple[Item, float] | None = None
    beginning, ending = deque[InWork[Item]](), deque[InWork[Item]]()

    def has_room(weight: float = 0.0) -> bool:
        weights = [work.weight for work in beginning] + [work.weight for work in ending if not work.step.done()]
        return not weights or (len(weights) < most and sum(weights) + weight <= limit)

    def go_on(work: InWork[Item]) -> Future[None]:
        made = now(lambda: second(work.item, work.step.result()))
        return made if made.exception() else in_flight.begin(partial(last, work.item, made.result()))  # type: ignore[return-value]

    def finished() -> tuple[Item, Future[None]]:
        work = ending.popleft()
        return work.item, work.step

    try:
        while not stop():
            if following is None and has_room():
                following = next(coming, None)
            if following and has_room(following[1]):
                beginning.append(InWork(*following, in_flight.begin(partial(first, following[0]))))
                following = None
            elif beginning:
                wait([beginning[0].step])
                if stop():
                    break
                beginning[0].step = go_on(beginning[0])
                ending.append(beginning.popleft())
            elif ending:
                yield finished()
            else:
                return
            while ending and ending[0].step.done():
                yield finished()
        for work in beginning:
            work.step.cancel()
        while ending:
            yield finished()
    finally:
        in_flight.close()
