"""`LivePainter`: frame to frame as `Controls` wish at that moment. It runs on the stylizing thread.

It joins what other modules do: the path between styles, the look, the size at which to paint, before and after.
A size that is not compiled yet is compiled on a thread beside, while the show goes on at the size before.
"""

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from realtime_nst.frames import Frame, padded_length
from realtime_nst.live.controls import Controls
from realtime_nst.live.pace import Pace
from realtime_nst.live.upscale import enlarge, mirrored, shrink
from realtime_nst.painting.stream import Stream
from realtime_nst.painting.stylizer import Compiled, Stylizer
from realtime_nst.pipeline.stage import Stage, once
from realtime_nst.style.crossfade import Crossfade
from realtime_nst.style.look import Look
from realtime_nst.style.style import Body, Style

log = logging.getLogger(__name__)

WIPE_SECONDS = 6.0
"""Time for the line between before and after to go there and back."""
LINE = 2


class LivePainter:
    """Paint frames of one size.

    Args:
        stylizer: Compiles and paints.
        controls: What the user wants now.
        bodies: The networks that the user may switch between.
        width: Width of the frames in pixels.
        height: Height of the frames in pixels.
        pace: Chooses the process size, up to the user's; without one it is the user's.
        clock: Seconds, for how long painting takes.
    """

    def __init__(
        self,
        stylizer: Stylizer,
        controls: Controls,
        bodies: Sequence[Body],
        width: int,
        height: int,
        pace: Pace | None = None,
        *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.controls = controls
        self.width, self.height = width, height
        self._stylizer = stylizer
        self._bodies = list(bodies)
        self._pace = pace
        self._clock = clock
        self._path = Crossfade()
        self._stream = Stream(stylizer)
        self._mirrored = controls.mirror
        self._scale = controls.scale
        self._compiling: Stage[Compiled] | None = None
        self._compiling_scale = 0.0
        self._refused: set[float] = set()
        self.photo: np.ndarray | None = None
        """The newest one, as it was painted; any thread may look at it."""
        stylizer.prepare(self._bodies, *self.process_size(), live=True)

    def process_size(self, scale: float | None = None) -> tuple[int, int]:
        """Width and height at which the network works; the frame's own at scale 1."""
        scale = self._scale if scale is None else scale
        if scale >= 1.0:
            return self.width, self.height
        return padded_length(round(self.width * scale)), padded_length(round(self.height * scale))

    def __call__(self, frame: Frame) -> Frame:
        """Paint a frame, and remark how."""
        controls = self.controls
        remarks = remarks_of(controls)
        started = self._clock()
        photo = mirrored(frame.image) if controls.mirror else frame.image
        self.photo = photo
        self._follow_size()
        style = self._path.towards(controls.target, controls.fade)
        if controls.strength <= 0.0:
            painted = photo
            self._stream.forget()
        else:
            painted = self._paint(photo, style)
            if self._pace is not None:
                self._pace.observe(self._clock() - started, self._scale, controls.scale)
        if controls.wipe:
            painted = beside(photo, painted, wipe_share(controls.wipe, time.monotonic()))
        return replace(frame, image=painted, remarks=remarks)

    def close(self) -> None:
        """Stop compiling; what is compiled at this moment is finished and thrown away."""
        if self._compiling is not None:
            self._compiling.close()
            self._compiling.join()
            self._compiling = None

    def _paint(self, photo: np.ndarray, style: Style) -> np.ndarray:
        controls = self.controls
        look = Look(
            controls.strength, float(controls.colours), float(controls.stability), controls.texture, controls.follow_camera
        )
        if controls.mirror != self._mirrored:
            self._stream.forget()
            self._mirrored = controls.mirror
        width, height = self.process_size()
        if (width, height) == (self.width, self.height):
            return self._stream.paint(photo, style, look)
        small = shrink(photo, width, height)
        return enlarge(self._stream.paint(small, style, look), photo, small)

    def _follow_size(self) -> None:
        """Go to the wanted process size when it is compiled, and have it compiled when it is not."""
        wanted = min(self.controls.scale, self._pace.scale if self._pace else 1.0)
        if self._compiling is not None:
            self._take_compiled()
        if wanted == self._scale or wanted in self._refused:
            return
        size = self.process_size(wanted)
        if self._stylizer.ready(*size):
            self._scale = wanted
        elif self._compiling is None:
            self._compiling_scale = wanted
            self._compiling = once(partial(self._stylizer.compiled, self._bodies, *size, live=True), name="compile")

    def _take_compiled(self) -> None:
        stage = self._compiling
        if stage is None:
            return
        try:
            compiled = stage.get(timeout=0.0)
        except Exception as error:  # whatever a framework raises: the show goes on at the size that it has
            self._refuse(self._compiling_scale, error)
            compiled = None
        if compiled is not None:
            self._stylizer.install(compiled, *self.process_size(self._compiling_scale))
        if compiled is not None or stage.finished:
            stage.join()
            self._compiling = None

    def _refuse(self, scale: float, error: Exception) -> None:
        """Do without a size that does not compile, and stay at the one before."""
        self._refused.add(scale)
        if self._pace is not None:
            self._pace.refuse(scale, self._scale)
        if self.controls.scale == scale:
            self.controls.scale = self._scale
            self.controls.keep({"scale"} & self.controls.chosen.keys())  # what does not work is not remembered
        self.controls.say(f"not at {scale:.0%}: {error}")
        log.warning("Painting at %.0f %% of the size does not work: %s", 100 * scale, error)


def remarks_of(controls: Controls) -> dict[str, str]:
    """What is set now, for a file of the picture that is painted with it."""
    return {
        "Style": controls.target.name,
        "Strength": f"{controls.strength:g}",
        "Own colours": "yes" if controls.colours else "no",
        "Texture": f"{controls.texture:g}",
        "Stability": str(controls.stability),
        "Scale": f"{controls.scale:g}",
    }


def wipe_share(wipe: str, seconds: float) -> float:
    """Where the line between before and after stands, as a share of the width.

    Args:
        wipe: "half", or "moving" for one that goes there and back.
        seconds: The time.
    """
    return 0.5 if wipe == "half" else 0.5 - 0.5 * math.cos(2 * math.pi * seconds / WIPE_SECONDS)


def beside(before: np.ndarray, after: np.ndarray, share: float) -> np.ndarray:
    """The photo to the left of a white line, the painting to its right."""
    place = round(share * before.shape[1])
    both = after.copy()
    both[:, :place] = before[:, :place]
    both[:, max(place - LINE // 2, 0) : place + LINE // 2] = 255
    return both
