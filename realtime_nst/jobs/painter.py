"""`FramePainter`: frame to frame in the style of its moment; a frame that repeats the one before is not painted again."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from realtime_nst.frames import Frame
from realtime_nst.style.schedule import StylePath, moment
from realtime_nst.style.style import Style

Paint = Callable[[np.ndarray, Style], np.ndarray]
SPARSE = 64
"""Rows between those that are compared first."""


class FramePainter:
    """Paint frames, except those that repeat the one before in the same style.

    Args:
        paint: Picture and style to a picture.
        styles: The style of each moment.
        begin: Second that counts as the first.
        fps: Frames per second, for files without times.
        segment: Frames after which all begins anew, whose first one is always painted; 0 for never.
        held: What is held of the frames so far; the last one of each segment takes it along.
    """

    def __init__(
        self,
        paint: Paint,
        styles: StylePath,
        begin: float,
        fps: float,
        *,
        segment: int = 0,
        held: Callable[[], Mapping[str, np.ndarray] | None] = lambda: None,
    ) -> None:
        self.repeated = 0
        self._segment, self._held = segment, held
        self._paint, self._styles, self._begin, self._fps = paint, styles, begin, fps
        self._before: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None

    def __call__(self, frame: Frame) -> Frame:
        if self._segment and frame.index % self._segment == 0:
            self._before = None
        painted = self._painted(frame)
        if self._segment and (frame.index + 1) % self._segment == 0:
            return replace(painted, held=self._held())
        return painted

    def _painted(self, frame: Frame) -> Frame:
        style = self._styles.at(moment(frame.time, frame.index, self._fps) - self._begin)
        if self._before is not None:
            image, vector, painted = self._before
            if (
                vector is style.vector
                and np.array_equal(image[::SPARSE], frame.image[::SPARSE])
                and np.array_equal(image, frame.image)
            ):
                self.repeated += 1
                return frame.with_image(painted)
        painted = self._paint(frame.image, style)
        self._before = (frame.image, style.vector, painted)
        return frame.with_image(painted)
