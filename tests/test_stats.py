"""Stats: rates and ages from a clock that the test moves."""

import numpy as np
import pytest

from realtime_nst.frames import Frame
from realtime_nst.pipeline.stats import Stats


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def frame(captured_at: float) -> Frame:
    """A frame of that age."""
    return Frame(np.zeros((8, 8, 3), np.uint8), 0, captured_at)


def test_rates_follow_the_clock() -> None:
    clock = Clock()
    stats = Stats(clock)
    for _ in range(50):
        stats.count(frame(clock.now))
        clock.now += 0.05
    assert stats.fps == pytest.approx(20)
    assert stats.mean_fps == pytest.approx(20)
    for _ in range(100):
        stats.count(frame(clock.now))
        clock.now += 0.1
    assert stats.fps == pytest.approx(10, rel=0.05), "the rate on show is that of the last seconds"
    assert 10 < stats.mean_fps < 20


def test_the_rate_on_show_sinks_to_zero_within_a_second_when_nothing_comes() -> None:
    clock = Clock()
    stats = Stats(clock)
    for _ in range(60):
        clock.now += 1 / 30
        stats.count(frame(clock.now))
    rates = []
    for _ in range(11):
        rates.append(stats.fps)
        clock.now += 0.104
    assert rates[0] == pytest.approx(30) and rates[-1] == 0.0
    assert rates[5] == pytest.approx(15, abs=1.5) and rates == sorted(rates, reverse=True)
    assert stats.mean_fps == pytest.approx(30), "of the whole show it is what it was"


def test_a_slow_show_has_a_rate_too() -> None:
    clock = Clock()
    stats = Stats(clock)
    for _ in range(3):
        clock.now += 3.0
        stats.count(frame(clock.now))
    clock.now += 2.9
    assert stats.fps == pytest.approx(1 / 3)


def test_the_age_on_show_is_that_of_the_last_second_and_grows_when_nothing_comes() -> None:
    clock = Clock()
    stats = Stats(clock)
    for age in (0.5, 0.04):  # the machine was busy for a while
        for _ in range(60):
            clock.now += 1 / 30
            stats.count(frame(clock.now - age))
    assert stats.age_ms == pytest.approx(40)
    assert stats.latency_ms(95) == pytest.approx(500), "of the whole show"
    clock.now += 5.0
    assert stats.age_ms == pytest.approx(5040), "the picture is old that stays when the camera is gone"


def test_frame_age_percentiles() -> None:
    clock = Clock()
    stats = Stats(clock)
    for milliseconds in range(100):
        stats.count(frame(clock.now - milliseconds / 1000))
    assert stats.latency_ms() == pytest.approx(50, abs=1)
    assert stats.latency_ms(95) == pytest.approx(95, abs=1)


def test_nothing_counted_is_zero_and_not_an_error() -> None:
    stats = Stats(Clock())
    assert (stats.fps, stats.mean_fps, stats.latency_ms(), stats.age_ms, stats.frames) == (0.0, 0.0, 0.0, 0.0, 0)
    assert "0 frames" in stats.summary()


def test_a_long_run_needs_no_more_memory() -> None:
    clock = Clock()
    stats = Stats(clock)
    for _ in range(20_000):
        stats.count(frame(clock.now))
        clock.now += 0.01
    assert len(stats._ages) <= 1000 and len(stats._recent) <= 102


def test_each_is_called_for_every_frame() -> None:
    seen: list[int] = []
    stats = Stats(Clock(), each=lambda: seen.append(1))
    for _ in range(3):
        stats.count(frame(100.0))
    assert len(seen) == 3
