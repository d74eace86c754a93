"""Where frames come from: video files, a moving test picture; cameras are in `live/cameras.py` and `live/polling.py`.

`open_source` turns what a user writes after `--camera` into one of them.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from realtime_nst.errors import SourceError
from realtime_nst.frames import LARGEST_SIDE, Frame, LiveSource
from realtime_nst.inputs.cameras import CameraSource, choose_camera, no_such_camera
from realtime_nst.inputs.playout import FILM, SEGMENTED, Newest, Playout, Replay, manner_of
from realtime_nst.inputs.polling import PolledCamera, sends_parts
from realtime_nst.media.addresses import is_address, is_web, mask
from realtime_nst.media.decoding import FrameReader
from realtime_nst.media.filekinds import check_file, check_film
from realtime_nst.media.probing import LARGEST_PICTURE, VideoInfo, probe
from realtime_nst.pipeline.stage import Stage

log = logging.getLogger(__name__)

PATTERN_FPS = 60.0
STREAM_SILENCE = 3.0
STREAM_PATIENCE = 9.0
"""Seconds without a frame after which an endless stream counts as broken off."""
FIRST_SILENCE, FIRST_PATIENCE = 12.0, 24.0
"""The same for the first frame of a connection: cameras send one that stands by itself every ten seconds, or more often."""
SUCCESSOR = 0.75
"""Share of the time between two frames in which the next one comes if it waits already."""
RETRY_EVERY = 1.0
"""Seconds between two tries to connect to a stream again."""
UNRECOGNISED = "Invalid data found"
PICTURES = ("-f", "mjpeg", "-probesize", "32")
"""Arguments for JPEG pictures in a row, whatever lies between them. Longer looking only makes the first come late."""


class PatternSource:
    """A moving test picture: colour bars over a gradient, and a ball that crosses them.

    Args:
        width: Width in pixels.
        height: Height in pixels.
        fps: Frames per second; `None` makes them as fast as they are taken, and the source is not live.
    """

    def __init__(self, width: int = 640, height: int = 480, fps: float | None = PATTERN_FPS) -> None:
        self.width, self.height = width, height
        self.fps = fps or PATTERN_FPS
        self.live = fps is not None
        self.tell: Callable[[str], None] = lambda text: None  # it never stands still
        self._closed = threading.Event()
        colours = np.array(
            [[230, 230, 230], [220, 200, 20], [20, 200, 210], [30, 170, 40], [200, 40, 180], [210, 40, 30], [30, 50, 200]]
        )
        bars = np.repeat(colours, -(-2 * width // len(colours)), axis=0)[: 2 * width]
        light = np.linspace(1.0, 0.25, height)[:, None, None]
        self._wide = (bars[None] * light).astype(np.uint8)
        side = max(4, min(width, height) // 4)
        y, x = np.mgrid[:side, :side] / (side - 1) * 2 - 1
        self._ball = (x**2 + y**2 < 1)[..., None]
        self._shade = np.clip(255 - 120 * np.hypot(x + 0.4, y + 0.4), 0, 255)[..., None].astype(np.uint8)

    def image(self, index: int) -> np.ndarray:
        """The picture with a number, uint8 `(height, width, 3)`."""
        shift = (2 * index) % self.width
        image = self._wide[:, shift : shift + self.width].copy()
        side = len(self._ball)
        left = _bounce(3 * index, self.width - side)
        top = _bounce(2 * index, self.height - side)
        spot = image[top : top + side, left : left + side]
        np.copyto(spot, np.broadcast_to(self._shade, spot.shape), where=self._ball)
        return image

    def __iter__(self) -> Iterator[Frame]:
        started = time.monotonic()
        index = 0
        while not self._closed.is_set():
            if self.live:
                self._closed.wait(max(0.0, started + index / self.fps - time.monotonic()))
                index = max(index, int((time.monotonic() - started) * self.fps))
            yield Frame(self.image(index), index, time.monotonic())
            index += 1

    def close(self) -> None:
        self._closed.set()


class FileSource:
    """A video file or network stream as a camera, decoded by ffmpeg from the first frame that is asked for on.

    A file, or a film at a web address, plays in real time, starts again at its end, and drops what comes too late.

    Args:
        path: A file's path or a URL.
        size: Width and height to fit the frames into, with bars where their shape is another; `None` leaves them as large
            as they are with square pixels.
        silence: Seconds without a frame after which a stream is told to stand still.
        patience: Seconds without a frame after which a stream without an end, such as a camera's, is connected to again,
            as it is when it breaks off.

    Raises:
        SourceError: It is missing, empty or not a video.
    """

    live = True

    def __init__(
        self,
        path: str,
        *,
        size: tuple[int, int] | None = None,
        silence: float = STREAM_SILENCE,
        patience: float = STREAM_PATIENCE,
    ) -> None:
        self._is_stream = is_address(path)
        if not self._is_stream:
            check_file(Path(path))
            check_film(Path(path))
        self.path, self._shown = path, mask(path)
        self.info: VideoInfo = _looked_into(path)
        if self.info.choice:
            log.warning("'%s': %s", self._shown, self.info.choice)
        if size:
            self.info = replace(self.info, width=size[0], height=size[1], pixel_aspect=Fraction(1), shape=Fraction(*size))
        elif self.info.pixel_aspect != 1:  # neither a window nor a camera can say that its pixels are not square
            width, height = (side + side % 2 for side in self.info.squared)
            if max(width, height) > LARGEST_SIDE or width * height > LARGEST_PICTURE:
                raise SourceError(
                    f"'{self._shown}' has frames of {width}x{height} when its pixels are made square; at most "
                    f"{LARGEST_PICTURE / 1e6:.0f} megapixels fit into memory. Choose a smaller --size."
                )
            self.info = replace(self.info, width=width, height=height, pixel_aspect=Fraction(1))
        self.width, self.height = self.info.width, self.info.height
        self.fps = float(self.info.rate)
        self.tell: Callable[[str], None] = lambda text: None
        self._manner = manner_of(path, self.info) if self._is_stream else FILM
        self._silence, self._patience = max(silence, self._manner.silence), max(patience, self._manner.patience)
        self._replay = Replay()
        self._reader: FrameReader | None = None
        self._closed = threading.Event()
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Frame]:
        return self._watched() if self._is_stream else self._in_time(self._frames())

    def close(self) -> None:
        with self._lock:
            self._closed.set()
            if self._reader is not None:
                self._reader.close()

    def _frames(self) -> Iterator[Frame]:
        with self._lock:
            if self._closed.is_set():
                return
            if self._reader is not None:
                self._reader.close()
            # Not before: what a file played while the network is compiled would come all at once, as if it were new.
            reader = self._reader = FrameReader(self.path, self.info, live=self._manner is FILM)
        self._replay.connect()
        while (image := reader.read()) is not None:
            frame = Frame(image, reader.frames - 1, time.monotonic(), reader.time if self._manner.timed else None)
            if self._manner is not SEGMENTED:
                yield frame
            elif reader.finite and self._replay.over():
                return
            elif not self._replay.seen(frame.time, frame.captured_at):
                yield frame

    def _in_time(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        """Frames as they are due, which is then when they were captured."""
        if not self._manner.waits:
            yield from frames
            return
        playout = Playout(1 / self.fps, self._manner.behind)
        for frame in frames:
            due = playout.due(frame.time, time.monotonic())
            if due is None:
                continue
            if self._closed.wait(max(0.0, due - time.monotonic())):
                return
            yield replace(frame, captured_at=due)

    def _watched(self) -> Iterator[Frame]:
        """The frames of a stream, over as many connections as that takes."""
        count = told = 0
        while True:
            before = count
            try:  # with no name for the connection, which an error would keep alive
                for frame in self._in_time(self._connection()):
                    yield replace(frame, index=count)
                    count += 1
            except SourceError:
                if not count:
                    raise
            if self._closed.is_set():
                return
            if self.info.duration is not None:
                if self._manner is not FILM:
                    log.warning("The stream '%s' has ended.", self._shown)
                    return
                if count > before and self._whole(count - before):
                    continue
            self.tell(f"the stream broke off: connecting to '{self._shown}' again")
            if told != count:
                log.warning("The stream '%s' broke off. Connecting again until it is back; end with Ctrl-C.", self._shown)
                told = count
            self._closed.wait(RETRY_EVERY)

    def _whole(self, frames: int) -> bool:
        """Whether a film ended after so many frames because there are no more; its sound may be longer."""
        near = frames >= ((self.info.duration or 0.0) - 1) * self.fps
        return near or (self._reader is not None and not self._reader.complaints)

    def _connection(self) -> Iterator[Frame]:
        """The frames of one connection, read on a thread of its own: a server may say nothing for ever."""
        newest, waiting = Newest(), None
        silence, patience = max(self._silence, FIRST_SILENCE), max(self._patience, FIRST_PATIENCE)
        with Stage(self._frames(), keep="all", depth=1, name="camera") as reading:
            quiet = 0.0
            while not reading.finished:
                frame = reading.get(timeout=SUCCESSOR / self.fps if waiting else silence)
                if frame is not None and not self._manner.waits and newest.old(frame.time, frame.captured_at):
                    waiting = frame
                    continue
                if frame is None and waiting is not None:
                    newest.settle()
                    frame = waiting
                waiting = None
                if frame is not None:
                    quiet, silence, patience = 0.0, self._silence, self._patience
                    yield frame
                elif not (reading.finished or self._closed.is_set()):
                    self.tell(f"the stream gives no frames: waiting for '{self._shown}'")
                    if not quiet:
                        log.warning("The stream '%s' gives no frames. Waiting for it; end with Ctrl-C.", self._shown)
                    quiet += silence
                    if quiet >= patience and self.info.duration is None and self._reader is not None:
                        self._reader.close()
                        return


def open_source(camera: str, size: tuple[int, int] | None = None, fps: float | None = None) -> LiveSource:
    """What `--camera` names: an index, a device path, a name, a video file, a URL, or `pattern`.

    Args:
        camera: The user's words. A video file stands in for a camera: in real time, over and over. An address that gives
            one picture is asked again and again.
        size: Width and height to ask a camera or the pattern for, or to fit a file into.
        fps: Frames per second to ask a camera for, or pictures to ask an address for at most.

    Raises:
        SourceError: It cannot be opened.
    """
    width, height = size or (640, 480)
    if camera == "pattern":
        return PatternSource(width, height)
    if not is_address(camera) and not Path(camera).is_file():
        chosen = choose_camera(camera)
        if chosen is not None:
            return CameraSource(chosen, width, height, fps=fps)
        if not Path(camera).suffix and not Path(camera).exists():
            raise SourceError(no_such_camera(camera))
    source = FileSource(camera, size=size)
    return PolledCamera(camera, size, fps) if source.info.still and is_web(camera) else source


def _looked_into(path: str) -> VideoInfo:
    """What is in a file or stream. ffmpeg does not recognise pictures in a row when something else comes before the first,
    as from cameras that forget the first boundary: then they are looked for where the address promises some.
    """
    try:
        return probe(path)
    except SourceError as error:
        if is_web(path) and UNRECOGNISED in str(error) and sends_parts(path):
            with suppress(SourceError):
                return probe(path, PICTURES)
        raise


def _bounce(distance: int, length: int) -> int:
    """Position of a ball between 0 and `length` after rolling so far."""
    length = max(length, 1)
    place = distance % (2 * length)
    return min(place, 2 * length - place)
