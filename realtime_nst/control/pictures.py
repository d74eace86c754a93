"""`Pictures`: the newest frame as a JPEG, for all who look. Nothing is encoded while nobody does."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple

import numpy as np

from realtime_nst.frames import Frame
from realtime_nst.media.jpeg import jpeg

MOST_FPS = 30.0
"""Pictures a second at most, however many frames there are: more would cost the show its time."""
PATIENCE = 1.0
"""Seconds for which someone counts as looking after the last picture."""


class Picture(NamedTuple):
    """A frame as a JPEG.

    Args:
        number: Of the frames written, from 1.
        data: The JPEG.
        captured_at: As in `Frame`.
    """

    number: int
    data: bytes
    captured_at: float


class Pictures:
    """A sink that keeps the newest frame. Frames come on the show's thread; pictures are asked for in an event loop.

    Args:
        encode: uint8 `(height, width, 3)` to a JPEG; it runs on a thread beside.
        clock: Seconds.
    """

    def __init__(self, encode: Callable[[np.ndarray], bytes] = jpeg, clock: Callable[[], float] = time.monotonic) -> None:
        self._encode, self._clock = encode, clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._newest: tuple[int, Frame | None] = (0, None)
        self._picture = Picture(0, b"", 0.0)
        self._encoding: asyncio.Task[None] | None = None
        self._encoded_at = self._asked_at = float("-inf")
        self._waiting = 0
        self.encoded = 0

    @property
    def watched(self) -> bool:
        """Whether anyone looks; any thread may ask."""
        return self._waiting > 0 or self._clock() - self._asked_at < PATIENCE

    def write(self, frame: Frame) -> None:
        self._newest = (self._newest[0] + 1, frame)
        loop = self._loop
        if self._waiting and loop is not None:
            with suppress(RuntimeError):  # it has just been closed
                loop.call_soon_threadsafe(self._came.set)

    def check(self) -> None:
        """There is nothing to look at."""

    def close(self) -> None:
        """There is nothing to finish."""

    discard = close

    def begin(self) -> None:
        """Serve the event loop that runs now."""
        self._came = asyncio.Event()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="jpeg")
        self._loop = asyncio.get_running_loop()

    def end(self) -> None:
        """Serve it no more."""
        self._loop = None
        self._pool.shutdown()

    async def next_frame(self) -> Frame:
        """The next frame that is written."""
        self._waiting += 1
        try:
            before, found = self._newest
            while found is None or self._newest[0] <= before:
                self._came.clear()
                await self._came.wait()
                found = self._newest[1]
            return found
        finally:
            self._waiting -= 1

    async def newer(self, number: int) -> Picture:
        """The newest frame, once it is newer than that of a number; 0 for any."""
        self._waiting += 1
        try:
            while self._newest[0] <= number:
                self._came.clear()
                await self._came.wait()
            if self._picture.number < self._newest[0]:
                if self._encoding is None:
                    self._encoding = asyncio.create_task(self._encode_newest())
                await asyncio.shield(self._encoding)
            return self._picture
        finally:
            self._waiting -= 1
            self._asked_at = self._clock()

    async def _encode_newest(self) -> None:
        try:
            pause = self._encoded_at + 1.0 / MOST_FPS - self._clock()
            if pause > 0.0:
                await asyncio.sleep(pause)
            self._encoded_at = self._clock()
            number, frame = self._newest
            if frame is not None:
                data = await asyncio.get_running_loop().run_in_executor(self._pool, self._encode, frame.image)
                self._picture = Picture(number, data, frame.captured_at)
                self.encoded += 1
        finally:
            self._encoding = None
