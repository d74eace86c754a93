"""Stats: rates and ages from a clock that the test moves."""

import numpy as np
import pytest

from realtime_nst.stats import Stats
from realtime_nst.video import Frame


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


def test_frame_age_percentiles() -> None:
    clock = Clock()
    stats = Stats(clock)
    for milliseconds in range(100):
        stats.count(frame(clock.now - milliseconds / 1000))
    assert stats.latency_ms() == pytest.approx(50, abs=1)
    assert stats.latency_ms(95) == pytest.approx(95, abs=1)


def test_nothing_counted_is_zero_and_not_an_error() -> None:
    stats = Stats(Clock())
    assert (stats.fps, stats.mean_fps, stats.latency_ms(), stats.frames) == (0.0, 0.0, 0.0, 0)
    assert "0 frames" in stats.summary()


def test_a_long_run_needs_no_more_memory() -> None:
    clock = Clock()
    stats = Stats(clock)
    for _ in range(20_000):
        stats.count(frame(clock.now))
        clock.now += 0.01
    assert len(stats._ages) <= 1000 and len(stats._times) <= 202


def test_each_is_called_for_every_frame() -> None:
    seen: list[int] = []
    stats = Stats(Clock(), each=lambda: seen.append(1))
    for _ in range(3):
        stats.count(frame(100.0))
    assert len(seen) == 3
