"""`FrameClock`: when each frame is shown, as whole ticks of the clock of the file that is written.

A constant rate stays an exact ratio although containers round it (Matroska to milliseconds): a time less than one
tick of the original's clock from where a constant rate would have it is put there. All other times are kept to
less than a tenth of a millisecond. This module knows numbers only.
"""

import re
from fractions import Fraction
from math import ceil

FINE = 90_000
"""Ticks per second at least: one is shorter than any container's rounding, and long enough for 32 bits."""
BACK = Fraction(1)
"""Seconds that times must go back to count as a new beginning, as where two recordings have been put together."""
APART = Fraction(1, 1000)
"""Seconds between two frames of one moment: what every container tells apart, and no more, so that the next need not wait."""
BELIEVABLE = 60
"""Seconds after the frame before, and after the end that a file announces, from which on a time counts as damaged."""


class FrameClock:
    """Turn the times of frames into ticks that always increase.

    Args:
        rate: Frames per second, exactly.
        time_base: Seconds of a tick of the original's clock.
        begin: Second of the original at which the painted file begins.
        duration: Seconds that the original says it lasts, or `None`.
    """

    def __init__(
        self,
        rate: Fraction,
        time_base: Fraction,
        begin: Fraction = Fraction(0),
        duration: float | None = None,
    ) -> None:
        self.ticks_per_second = ticks_per_second(rate)
        self.step = int(self.ticks_per_second / rate)
        self.origin: Fraction | None = None
        self.last: int | None = None
        self.shift = Fraction(0)
        self._rate = rate
        self._tolerance = max(time_base, Fraction(1, self.ticks_per_second))
        self._begin = begin
        self._end = None if duration is None else Fraction(duration) + BELIEVABLE

    def go_on(self, origin: Fraction | None, last: int, shift: Fraction) -> None:
        """Take over from an earlier run.

        Args:
            origin: Time of the very first frame.
            last: Tick of the last frame.
            shift: Seconds that were added to times after a new beginning.
        """
        self.origin, self.last, self.shift = origin, last, shift

    def tick(self, time: Fraction | None) -> int:
        """The tick of the next frame.

        Args:
            time: Seconds since the beginning of the original, or `None` where it does not say.
        """
        before = self._begin + Fraction(self.last or 0, self.ticks_per_second)
        if time is not None and self.last is not None and time + self.shift < before - BACK:
            self.shift = before + 1 / self._rate - time
        time = None if time is None else time + self.shift
        if time is None or (self._end is not None and time > max(self._end, before + BELIEVABLE)):
            tick = 0 if self.last is None else self.last + self.step
        else:
            if self.origin is None:
                self.origin = time
            tick = round(self._on_grid(time) * self.ticks_per_second)
        if self.last is not None and tick <= self.last:
            tick = self.last + max(1, min(self.step // 10, ceil(max(self._tolerance, APART) * self.ticks_per_second)))
        self.last = max(tick, 0)
        return self.last

    def _on_grid(self, time: Fraction) -> Fraction:
        """The time since `begin`, put where a constant rate has it if it is less than a tick away."""
        origin = self.origin if self.origin is not None else time
        frames = round((time - origin) * self._rate)
        exact = origin + frames / self._rate
        return (exact if abs(exact - time) < self._tolerance else time) - self._begin


def later_timecode(timecode: str, rate: Fraction, frames: int) -> str:
    """A time code so many frames later.

    Args:
        timecode: As in `01:00:00:00`; a `;` or `.` before the frames says that two numbers of every minute but each tenth are
            left out (four at 60 frames per second).
        rate: Frames per second.
        frames: How many.

    Returns:
        The other one, empty where this one is none.
    """
    match = re.fullmatch(r"(\d+):(\d\d):(\d\d)([:;.])(\d+)", timecode)
    if match is None:
        return ""
    hours, minutes, seconds, number = (int(match[place]) for place in (1, 2, 3, 5))
    second = round(rate)
    dropped = second // 15 if match[4] != ":" else 0
    minute, ten_minutes = 60 * second - dropped, 600 * second - 9 * dropped
    minutes += 60 * hours
    count = (60 * minutes + seconds) * second + number - dropped * (minutes - minutes // 10) + frames
    tens, rest = divmod(count, ten_minutes)
    count += dropped * (9 * tens + max(0, rest - dropped) // minute)
    whole, number = divmod(count, second)
    return f"{whole // 3600 % 24:02}:{whole // 60 % 60:02}:{whole % 60:02}{match[4]}{number:02}"


def ticks_per_second(rate: Fraction) -> int:
    """A clock that divides a second finely and holds a frame of this rate as a whole number of ticks."""
    return rate.numerator * -(-FINE // rate.numerator)
