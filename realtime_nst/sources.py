"""Where frames come from: cameras, video files, a moving test picture. Only sources know OpenCV's cameras.

`open_source` turns what a user writes after `--camera` into one of them.
"""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from realtime_nst.errors import SourceError
from realtime_nst.files.decoding import FrameReader
from realtime_nst.files.probing import VideoInfo, probe
from realtime_nst.video import Frame

PATTERN_FPS = 60.0
CAMERAS_TRIED = 10
MISSES_ALLOWED = 30
"""Frames in a row that a camera may fail to give before it counts as gone."""
OPENCV_MISSING = (
    "Cameras and windows need OpenCV, which did not load: {error}. On Debian: `apt install libgl1 libglib2.0-0`. "
    "Video files and photos work without."
)


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
    """A video file or network stream, decoded by ffmpeg.

    Args:
        path: A file's path or a URL.
        live: Stand in for a camera: play in real time, start again at the end, and drop what comes too late.
        size: Width and height to scale the frames to; `None` leaves them as they are.

    Raises:
        SourceError: It is missing, empty or not a video.
    """

    def __init__(self, path: str, *, live: bool = False, size: tuple[int, int] | None = None) -> None:
        if "://" not in path:
            check_file(Path(path))
        self.info: VideoInfo = probe(path)
        if size:
            self.info = replace(self.info, width=size[0], height=size[1], pixel_aspect=Fraction(1))
        self.width, self.height = self.info.width, self.info.height
        self.fps = float(self.info.rate)
        self.live = live
        loop = live and "://" not in path
        self._reader = FrameReader(path, self.info, live=loop)

    def __iter__(self) -> Iterator[Frame]:
        while (image := self._reader.read()) is not None:
            yield Frame(image, self._reader.frames - 1, time.monotonic())

    def close(self) -> None:
        self._reader.close()


class CameraSource:
    """A camera through OpenCV.

    MJPG is asked for first, because uncompressed formats often run at 10 frames per second where MJPG runs at 30.
    The rate is measured where the driver says nothing useful.

    Args:
        camera: An index, or the path of a device.
        width: Width to ask for, in pixels; the camera may give another.
        height: Height to ask for, in pixels.
        capture: Opens the device; `cv2.VideoCapture` unless a test says otherwise.

    Raises:
        SourceError: OpenCV does not load, or the camera does not open or gives no picture.
    """

    live = True

    def __init__(
        self, camera: int | str, width: int = 640, height: int = 480, capture: Callable[[int | str], Any] | None = None
    ) -> None:
        cv2 = load_opencv()
        self.name = str(camera)
        self._capture = (capture or cv2.VideoCapture)(camera)
        if not self._capture.isOpened():
            self._capture.release()
            raise SourceError(_camera_failed(camera))
        self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        self._lock = threading.Lock()
        self._closed = False
        first = self._read()
        if first is None:
            self._capture.release()
            raise SourceError(f"Camera {camera} opened but gives no picture. Close other programs that use it, or replug it.")
        self.height, self.width = first.shape[:2]
        claimed = float(self._capture.get(cv2.CAP_PROP_FPS))
        self.fps = claimed if 1.0 <= claimed <= 1000.0 else 30.0  # 0 and NaN are common

    def __iter__(self) -> Iterator[Frame]:
        index = misses = 0
        while not self._closed:
            image = self._read()
            if image is None:
                misses += 1
                if misses > MISSES_ALLOWED and not self._closed:
                    raise SourceError(f"Camera {self.name} stopped giving pictures. Replug it, and start again.")
                continue
            misses = 0
            yield Frame(image, index, time.monotonic())
            index += 1

    def close(self) -> None:
        self._closed = True
        if self._lock.acquire(timeout=1.0):  # a stalled driver keeps the lock; its device goes with the program
            try:
                self._capture.release()
            finally:
                self._lock.release()

    def _read(self) -> np.ndarray | None:
        with self._lock:
            if self._closed:
                return None
            good, image = self._capture.read()
        if not good or image is None or image.ndim != 3:
            return None
        return np.ascontiguousarray(image[:, :, ::-1])  # OpenCV delivers BGR


def open_source(camera: str, size: tuple[int, int] | None = None) -> Any:
    """What `--camera` names: an index, a device path, a video file, a URL, or `pattern`.

    Args:
        camera: The user's words. A video file stands in for a camera: in real time, over and over.
        size: Width and height to ask a camera or the pattern for, or to scale a file to.

    Returns:
        A `Source`.

    Raises:
        SourceError: It cannot be opened.
    """
    width, height = size or (640, 480)
    if camera == "pattern":
        return PatternSource(width, height)
    if camera.isascii() and camera.isdigit() and len(camera) < 5:
        return CameraSource(int(camera), width, height)
    if camera.startswith("/dev/"):
        return CameraSource(camera, width, height)
    return FileSource(camera, live=True, size=size)


def list_cameras(capture: Callable[[int], Any] | None = None) -> list[tuple[int, int, int]]:
    """Index, width and height of each camera that opens.

    Raises:
        SourceError: OpenCV does not load.
    """
    cv2 = load_opencv()
    found = []
    for index in range(CAMERAS_TRIED):
        device = (capture or cv2.VideoCapture)(index)
        if device.isOpened():
            found.append((index, int(device.get(cv2.CAP_PROP_FRAME_WIDTH)), int(device.get(cv2.CAP_PROP_FRAME_HEIGHT))))
        device.release()
    return found


def check_file(path: Path) -> None:
    """Make sure that a file is there and not empty.

    Raises:
        SourceError: It is not; the message names what lies beside it.
    """
    try:
        if path.is_dir():
            raise SourceError(f"'{path}' is a folder; a file was expected.")
        if not path.exists():
            raise SourceError(f"No file at '{path}'. {_beside(path.parent)}")
        if path.stat().st_size == 0:
            raise SourceError(f"'{path}' is empty (0 bytes). Copy or record it again.")
    except OSError as error:
        raise SourceError(f"'{path}' cannot be read: {error.strerror}. Check the name and its rights.") from error


def load_opencv() -> Any:
    """OpenCV, imported late: without a display's libraries it does not load, and most commands do not need it.

    Raises:
        SourceError: It does not load here.
    """
    try:
        import cv2
    except ImportError as error:
        raise SourceError(OPENCV_MISSING.format(error=error)) from error
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # a missing camera is told in our own words
    return cv2


def _camera_failed(camera: int | str) -> str:
    found = [str(index) for index, _, _ in list_cameras()]
    if found:
        return (
            f"Camera {camera} did not open. Cameras found: {', '.join(found)}. Try `--camera {found[0]}`, or close the "
            "program using it."
        )
    return (
        f"Camera {camera} did not open, and no other camera was found. Plug one in, or try `--camera pattern` or "
        "`--camera VIDEO`."
    )


def _beside(folder: Path) -> str:
    """What a folder holds, for the message about a file that is not in it."""
    if not folder.is_dir():
        return f"There is no folder '{folder}'."
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    more = ", ..." if len(names) > 8 else ""
    return f"The folder holds: {', '.join(names[:8])}{more}." if names else "The folder is empty."


def _bounce(distance: int, length: int) -> int:
    """Position of a ball between 0 and `length` after rolling so far."""
    length = max(length, 1)
    place = distance % (2 * length)
    return min(place, 2 * length - place)
