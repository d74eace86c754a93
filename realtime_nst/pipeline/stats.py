"""How fast it runs: frames per second and frame age, measured where frames leave."""

import time
from collections import deque
from collections.abc import Callable

from realtime_nst.frames import Frame


class Stats:
    """Counts frames as they reach the sink.

    Args:
        clock: Seconds; the clock that sources stamp frames with.
        window: Seconds that `fps` and `age_ms` look back.
        each: Called after each frame, for a progress bar.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        window: float = 1.0,
        each: Callable[[], object] = lambda: None,
    ) -> None:
        self._each = each
        self.frames = 0
        self.dropped = 0
        self._clock = clock
        self._window = window
        self._recent: deque[tuple[float, float]] = deque()  # when a frame came, and how old it was
        self._ages: deque[float] = deque(maxlen=1000)
        self._first: float | None = None
        self._last = 0.0

    def count(self, frame: Frame) -> None:
        """A frame has just been shown or written."""
        now = self._clock()
        self._first = now if self._first is None else self._first
        self._last = now
        self.frames += 1
        self._ages.append(now - frame.captured_at)
        self._recent.append((now, now - frame.captured_at))
        while now - self._recent[0][0] > self._window and len(self._recent) > 2:
            self._recent.popleft()
        self._each()

    @property
    def fps(self) -> float:
        """Frames per second over about the last one; 0 before the second frame, and again when none comes any more."""
        now = self._clock()
        recent = self._since(now)
        if len(recent) < 2:
            return 0.0
        first, last = recent[0][0], recent[-1][0]
        pause = max((last - first) / (len(recent) - 1), 1e-9)
        overdue = max(0.0, now - last - pause)
        return max(0.0, 1.0 - overdue / self._window) / pause

    @property
    def age_ms(self) -> float:
        """How old what is on show is, in milliseconds: the median of about the last second, or the age of the last frame
        where none came since; 0 before the first.
        """
        now = self._clock()
        recent = self._since(now)
        if not recent:
            return 0.0
        last, age = recent[-1]
        if now - last > self._window:
            return 1000.0 * (now - last + age)
        ages = sorted(age for _, age in recent)
        return 1000.0 * ages[len(ages) // 2]

    @property
    def mean_fps(self) -> float:
        """Frames per second from the first frame to the last; 0 before the second frame."""
        if self._first is None or self.frames < 2:
            return 0.0
        return (self.frames - 1) / max(self._last - self._first, 1e-9)

    def latency_ms(self, percentile: float = 50.0) -> float:
        """Age of a frame, from capture to the sink's hands, in milliseconds; 0 before the first frame.

        Args:
            percentile: 50 is the median; of the last 1,000 frames.
        """
        if not self._ages:
            return 0.0
        ages = sorted(self._ages)
        return 1000.0 * ages[min(int(len(ages) * percentile / 100.0), len(ages) - 1)]

    def summary(self) -> str:
        """One line for the end of a run."""
        return (
            f"{self.frames} frames, {self.mean_fps:.1f} frames/s, frame age {self.latency_ms():.0f} ms "
            f"(95%: {self.latency_ms(95):.0f} ms), {self.dropped} dropped before stylizing"
        )

    def _since(self, now: float) -> list[tuple[float, float]]:
        """What came in the last second, or the last two frames; nothing is changed, so any thread may ask."""
        recent = list(self._recent)
        late = [item for item in recent if now - item[0] <= self._window]
        return late if len(late) > 2 else recent[-2:]
