"""`FramePainter`: frames to frames in the style of their moment; one that repeats the one before is not painted again.

What it does with frames that are not painted, `FrameHolder` does for those who never paint.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from typing import Generic, Protocol, TypeVar

import numpy as np

from realtime_nst.frames import Frame
from realtime_nst.jobs.stretches import Stretches
from realtime_nst.pipeline.in_flight import InFlight
from realtime_nst.style.field import Offset
from realtime_nst.style.schedule import StylePath, moment
from realtime_nst.style.style import Style

SPARSE = 64
"""Rows between those that are compared first."""


class Holder(Protocol):
    """What takes notice of pictures one after another: `PicturePainter` says how each method is meant."""

    def hold(self, image: np.ndarray, style: Style) -> None: ...

    def warm_up(self, image: np.ndarray, style: Style) -> None: ...

    def renew(self) -> None: ...


class Painter(Holder, Protocol):
    """What paints them, too."""

    @property
    def offset(self) -> Offset: ...

    @property
    def at_once(self) -> int: ...

    def begin(self, image: np.ndarray, style: Style) -> Callable[[], np.ndarray]: ...


H = TypeVar("H", bound=Holder)


class FrameHolder(Generic[H]):
    """Take notice of frames, except of those that repeat the one before in the same style.

    Args:
        painter: Takes notice of pictures.
        styles: The style of each moment.
        begin: Second that counts as the first.
        fps: Frames per second, for files without times.
        stretches: Where all begins anew; the first frame of each segment is then always painted. `None` for nowhere.
        first: Number of the frame that is painted first; those before it may be held.
    """

    def __init__(
        self,
        painter: H,
        styles: StylePath,
        begin: float,
        fps: float,
        *,
        stretches: Stretches | None = None,
        first: int = 0,
    ) -> None:
        self._painter, self._styles, self._begin, self._fps = painter, styles, begin, fps
        self._stretches = stretches
        self._needed = stretches.start(first) if stretches else first
        self._before, self._warmed = Newest(), Newest()

    def hold(self, frame: Frame) -> None:
        """Take notice of a frame that has been painted before, or elsewhere."""
        style = self._begin_frame(frame)
        if frame.index >= self._needed and not self._before.repeated_by(frame, style):
            self._painter.hold(frame.image, style)
        self._end_frame(frame, style)

    def _begin_frame(self, frame: Frame) -> Style:
        if self._stretches and frame.index % self._stretches.segment == 0:
            self._before, self._warmed = Newest(), Newest()
        return self._styles.at(moment(frame.time, frame.index, self._fps) - self._begin)

    def _end_frame(self, frame: Frame, style: Style) -> None:
        if self._stretches is None or not self._stretches.warms_up(frame.index):
            return
        if not self._warmed.repeated_by(frame, style):
            self._painter.warm_up(frame.image, style)
        if self._stretches.ends(frame.index):
            self._painter.renew()


class FramePainter(FrameHolder[Painter]):
    """Paint frames, except those that repeat the one before in the same style.

    Its arguments are those of `FrameHolder`, with a painter.
    """

    repeated = 0

    def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Painted frames in their order; as many are painted at once as the painter allows, and the next one is looked at."""
        in_flight = InFlight(self._painter.at_once, ahead=True)
        begun = deque[Frame]()

        def begin() -> Iterator[Future[np.ndarray]]:
            for frame in frames:
                style = self._begin_frame(frame)
                if self._before.repeated_by(frame, style):
                    self.repeated += 1
                else:
                    self._before.painted = in_flight.begin(self._painter.begin(frame.image, style))
                begun.append(replace(frame, offset=self._painter.offset))
                painted = self._before.painted
                self._end_frame(frame, style)
                yield painted

        for image in in_flight.in_order(begin()):
            yield begun.popleft().with_image(image)


class Newest:
    """The newest frame that was not a repetition."""

    def __init__(self) -> None:
        self.painted = Future[np.ndarray]()
        self._image: np.ndarray | None = None
        self._vector: np.ndarray | None = None

    def repeated_by(self, frame: Frame, style: Style) -> bool:
        """Whether a frame is the same in the same style; otherwise it is the newest from now on."""
        image, vector = self._image, self._vector
        if (
            image is not None
            and vector is style.vector
            and np.array_equal(image[::SPARSE], frame.image[::SPARSE])
            and np.array_equal(image, frame.image)
        ):
            return True
        self._image, self._vector = frame.image, style.vector
        return False
