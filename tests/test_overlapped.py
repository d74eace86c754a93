"""Items in three steps: that the steps overlap, and what that must not change: order, errors, how much is in work, the end."""

import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from realtime_nst.pipeline.overlapped import overlapped
from tests.conftest import wait_until

PATIENCE = 30.0
COUNTS = [1, 2, 5]


def through(items: Any, first: Any, second: Any, last: Any, at_once: int, **more: Any) -> list[tuple[Any, BaseException | None]]:
    """Items, each with its error, as they come."""
    settings: dict[str, Any] = {"weigh": lambda item: 1.0, "limit": 1e9, "stop": lambda: False} | more
    return [(item, end.exception()) for item, end in overlapped(items, first, second, last, at_once=at_once, **settings)]


def no_threads() -> bool:
    return not [thread for thread in threading.enumerate() if thread.name.startswith("in-flight")]


@pytest.mark.parametrize("at_once", COUNTS)
def test_items_keep_their_order_whichever_step_is_slow(at_once: int) -> None:
    rng = np.random.default_rng(0)
    pauses = rng.choice([0.0, 0.004], (40, 3))
    ended, middle = list[int](), list[int]()

    def step(index: int) -> Callable[..., int]:
        def run(item: int, given: int | None = None) -> int:
            time.sleep(pauses[item, index])  # not for a condition: so that steps differ in length
            if index == 1:
                middle.append(item)
            if index == 2:
                ended.append(item)
            return item + 100 if given is None else given + 100

        return run

    found = through(range(40), step(0), step(1), step(2), at_once)
    assert found == [(item, None) for item in range(40)]
    assert middle == list(range(40)), "the second step takes them in order"
    assert sorted(ended) == list(range(40)) and no_threads()


def test_the_next_is_read_and_the_last_one_written_while_one_is_painted() -> None:
    begun, ended = [threading.Event() for _ in range(9)], [threading.Event() for _ in range(9)]
    painted = [threading.Event() for _ in range(9)]

    def first(item: int) -> int:
        begun[item].set()
        return item

    def second(item: int, given: int) -> int:
        assert threading.current_thread() is threading.main_thread()
        assert item == 8 or begun[item + 1].wait(PATIENCE), "the next one has begun"
        painted[item].set()
        return given

    def last(item: int, made: int) -> None:
        assert item == 8 or painted[item + 1].wait(PATIENCE), "the next one was painted before this one is written"
        ended[item].set()

    found = through(range(9), first, second, last, 2)
    assert [error for _, error in found] == [None] * 9 and all(event.is_set() for event in ended)


def test_one_at_a_time_needs_no_thread_and_finishes_each_before_the_next_is_asked_for() -> None:
    seen = list[str]()

    def coming() -> Any:
        for item in range(3):
            seen.append(f"{item} asked for")
            yield item

    def step(name: str) -> Callable[..., None]:
        def run(item: int, given: object = None) -> None:
            assert threading.current_thread() is threading.main_thread()
            seen.append(f"{item} {name}")

        return run

    steps = [step(name) for name in ("read", "painted", "written")]
    for item, end in overlapped(coming(), *steps, at_once=1, weigh=lambda item: 9, limit=1, stop=lambda: False):  # type: ignore[arg-type]
        assert end.done()
        seen.append(f"{item} told")
    words = ("asked for", "read", "painted", "written", "told")
    assert seen == [f"{item} {word}" for item in range(3) for word in words]


@pytest.mark.parametrize("at_once", COUNTS)
def test_an_error_of_any_step_comes_in_its_turn_and_stops_no_other(at_once: int) -> None:
    wrong = {3: 0, 4: 1, 7: 2, 9: 0}

    def step(index: int) -> Callable[..., int]:
        def run(item: int, given: object = None) -> int:
            if wrong.get(item) == index:
                raise ValueError(f"{item} in {index}")
            return item

        return run

    found = through(range(12), step(0), step(1), step(2), at_once)
    assert [item for item, _ in found] == list(range(12))
    assert {item: str(error) for item, error in found if error} == {item: f"{item} in {index}" for item, index in wrong.items()}


@pytest.mark.parametrize("at_once", COUNTS)
def test_no_more_is_alive_than_may_be(at_once: int) -> None:
    """Arrays of a weight each, counted by their own ends: of those that are light there may be many, of heavy ones few."""
    weights = [1, 1, 40, 1, 1, 1, 30, 30, 1, 60, 60, 1, 1, 150, 1, 1, 1, 1, 1, 1, 1, 1, 1, 50, 50, 50]
    alive, lock, counts, sums = list[int](), threading.Lock(), list[int](), list[int]()

    def gone(item: int) -> None:
        with lock:
            alive.remove(item)

    def hold(item: int) -> np.ndarray:
        array = np.zeros(8)
        weakref.finalize(array, gone, item)
        with lock:
            alive.append(item)
            counts.append(len(set(alive)))
            sums.append(sum(weights[each] for each in set(alive)))
        if weights[item] > 100:
            assert wait_until(lambda: set(alive) == {item}, PATIENCE), "what is too heavy is alone in work"
        return array

    def last(item: int, made: np.ndarray) -> None:
        time.sleep(0.003)  # slower than what gives it something to do

    def second(item: int, given: np.ndarray) -> np.ndarray:
        return hold(item)

    found = through(range(len(weights)), hold, second, last, at_once, weigh=lambda item: weights[item], limit=100)
    assert [error for _, error in found] == [None] * len(weights)
    late = 60  # a thread lets go of an array right after it has said that it is done with it
    assert max(counts) <= 2 * at_once + 2 and max(each for each in sums if each < 150) <= 100 + late
    assert not alive, "nothing is kept"


@pytest.mark.parametrize("at_once", COUNTS)
def test_after_stop_what_is_painted_is_written_and_nothing_else_begins(at_once: int) -> None:
    stop, begun, written = threading.Event(), list[int](), list[int]()

    def second(item: int, given: int) -> int:
        if item == 4:
            stop.set()
        return given

    def first(item: int) -> int:
        begun.append(item)
        return item

    found = through(range(100), first, second, lambda item, made: written.append(item), at_once, stop=stop.is_set)
    assert [item for item, _ in found] == sorted(written) == list(range(5))
    assert len(begun) <= 5 + 2 * at_once + 1 and no_threads()


def test_a_reader_who_leaves_early_leaves_no_thread() -> None:
    steps = overlapped(
        range(100), str, lambda item, given: given, lambda item, made: None, at_once=3, weigh=len_of, limit=9, stop=lambda: False
    )
    assert next(steps)[0] == 0
    steps.close()  # type: ignore[attr-defined]
    assert no_threads()


def len_of(item: int) -> float:
    return 1.0
