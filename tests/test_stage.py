"""Stage: order, dropping, errors, closing."""

import threading
from collections.abc import Iterator

import pytest

from realtime_nst.pipeline.stage import Stage
from tests.conftest import wait_until


def test_lossless_stage_hands_over_everything_in_order() -> None:
    with Stage(range(200), keep="all", name="stage") as stage:
        assert list(stage) == list(range(200))
    assert stage.dropped == 0


def test_lossless_stage_waits_while_its_buffer_is_full() -> None:
    started: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            started.append(number)
            yield number

    with Stage(items(), keep="all", name="stage", depth=2) as stage:
        assert wait_until(lambda: len(started) >= 3)
        assert stage.get() == 0
        assert wait_until(lambda: len(started) >= 4)
        assert len(started) <= 5  # one taken, two waiting, one offered, one at most just begun


def test_latest_stage_keeps_only_the_newest_and_counts_the_dropped() -> None:
    gate = threading.Event()

    def items() -> Iterator[int]:
        yield from range(10)
        gate.set()

    with Stage(items(), keep="latest", name="stage") as stage:
        assert gate.wait(5)
        assert wait_until(lambda: stage.dropped == 9)
        assert stage.get() == 9
        assert stage.get() is None
        assert stage.finished


def test_error_arrives_after_the_last_good_item_and_only_once() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise RuntimeError("broken lens")

    with Stage(items(), keep="all", name="stage") as stage:
        assert stage.get() == 1
        with pytest.raises(RuntimeError, match="broken lens"):
            stage.get()
        assert stage.get() is None
        assert stage.finished


def test_get_returns_none_when_nothing_comes_in_time() -> None:
    gate = threading.Event()

    def items() -> Iterator[int]:
        gate.wait(5)
        yield 1

    with Stage(items(), keep="all", name="stage") as stage:
        assert stage.get(timeout=0.01) is None
        assert not stage.finished
        gate.set()
        assert stage.get() == 1


def test_close_ends_a_thread_that_waits_to_hand_over_and_closes_its_items() -> None:
    closed = threading.Event()

    class Items:
        def __iter__(self) -> Iterator[int]:
            yield from range(1000)

        def close(self) -> None:
            closed.set()

    stage = Stage(Items(), keep="all", name="stage")
    assert stage.get() == 0
    stage.close()
    stage.close()
    assert stage.join(5)
    assert closed.is_set()
    assert stage.get() is None


def test_join_gives_up_on_a_stalled_source() -> None:
    release = threading.Event()

    def items() -> Iterator[int]:
        release.wait(10)
        yield 1

    stage = Stage(items(), keep="all", name="stage")
    stage.close()
    assert not stage.join(0.01)
    release.set()
    assert stage.join(5)


def test_close_wakes_who_waits_for_a_stalled_source() -> None:
    release, waiting, woken = threading.Event(), threading.Event(), threading.Event()

    def items() -> Iterator[int]:
        waiting.set()
        release.wait(60)
        yield 1

    stage = Stage(items(), keep="all", name="stage")

    def take() -> None:
        assert list(stage) == []
        woken.set()

    threading.Thread(target=take, daemon=True).start()
    assert waiting.wait(10)
    stage.close()
    assert woken.wait(10)
    release.set()
    assert stage.join(5)


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="'latest' or 'all' was expected"):
        Stage([], keep="some", name="stage")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least 1 was expected"):
        Stage([], keep="all", name="stage", depth=0)
