"""The process size follows the speed of a stylizer that changes, and does not hunt."""

import numpy as np
import pytest

from realtime_nst.live.pace import Pace
from realtime_nst.live.settings import SCALES

FPS = 30


class Machine:
    """A stylizer whose frames take so long at full size, and a clock that runs with it.

    Args:
        full: Seconds for a frame at full size.
        finest: What the user wants at most.
    """

    def __init__(self, full: float, finest: float = 1.0) -> None:
        self.full = full
        self.finest = finest
        self.now = 0.0
        self.noise = np.random.default_rng(0)
        self.pace = Pace(FPS, clock=lambda: self.now)
        self.scale = finest
        self.compiled_at = 0.0
        self.scales: list[float] = []
        self.late: list[bool] = []

    def run(self, seconds: float) -> None:
        """Paint for so long; a new scale takes half a second to compile."""
        end = self.now + seconds
        while self.now < end:
            wanted = min(self.pace.scale, self.finest)
            if wanted != self.scale:
                self.compiled_at = self.compiled_at or self.now + 0.5
                if self.now >= self.compiled_at:
                    self.scale, self.compiled_at = wanted, 0.0
            took = self.full * self.scale**2 * float(self.noise.uniform(0.95, 1.05))
            self.pace.observe(took, self.scale, self.finest)
            self.now += max(took, 1 / FPS)
            self.scales.append(self.scale)
            self.late.append(took > 1 / FPS)


def test_a_fast_machine_paints_at_full_size() -> None:
    machine = Machine(0.02)
    machine.run(30)
    assert set(machine.scales) == {1.0}


@pytest.mark.parametrize("full", [0.04, 0.06, 0.1, 0.15])
def test_a_slow_machine_holds_the_rate_at_the_finest_size_that_fits(full: float) -> None:
    machine = Machine(full)
    machine.run(30)
    assert not any(machine.late[-300:]), "the rate holds"
    finer = [scale for scale in SCALES if scale > machine.scale]
    assert full * finer[0] ** 2 > 0.65 / FPS, "the next finer one would not fit with room to spare"


@pytest.mark.parametrize("finest", [0.9, 0.875, 0.6])
def test_the_rate_holds_below_the_size_that_the_user_wants(finest: float) -> None:
    machine = Machine(0.15, finest)
    machine.run(30)
    assert machine.scale < 0.5 and not any(machine.late[-300:])
    machine.full = 0.02
    machine.run(120)
    assert machine.scale == finest, "and it returns to that, no finer"
    machine.finest = 0.375
    machine.run(5)
    assert machine.scale == 0.375
    machine.finest = 1.0
    machine.run(120)
    assert machine.scale == 1.0


def test_scales_that_cannot_be_had_are_passed_over() -> None:
    machine = Machine(0.06)
    machine.run(5)
    first = machine.scale
    machine.pace.refuse(first, 1.0)
    machine.scale = 1.0
    machine.run(30)
    assert machine.scale < first and not any(machine.late[-300:])
    for scale in SCALES:
        machine.pace.refuse(scale, 1.0)
    machine.run(30)
    assert machine.scale == 1.0


def test_it_settles_within_two_seconds() -> None:
    machine = Machine(0.1)
    machine.run(2)
    assert not machine.late[-1]


def test_a_machine_that_gets_slower_and_faster_again_is_followed() -> None:
    machine = Machine(0.02)
    machine.run(10)
    machine.full = 0.09
    machine.run(10)
    slow = machine.scale
    assert slow < 0.7 and not machine.late[-1]
    machine.full = 0.02
    machine.run(60)
    assert machine.scale == 1.0, "it returns to the finer size when it can"


@pytest.mark.parametrize("full", [0.0275, 0.03, 0.033, 0.036, 0.045])
def test_it_does_not_hunt(full: float) -> None:
    machine = Machine(full)
    machine.run(120)
    changes = sum(before != after for before, after in zip(machine.scales, machine.scales[1:]))
    assert changes <= 3


def test_one_slow_frame_changes_nothing() -> None:
    machine = Machine(0.02)
    machine.run(2)
    for _ in range(3):
        machine.pace.observe(0.5, 1.0)
    machine.run(2)
    assert set(machine.scales) == {1.0}


def test_a_hopeless_machine_paints_as_coarsely_as_it_can() -> None:
    machine = Machine(5.0)
    machine.run(200)
    assert machine.scale == SCALES[0]
