"""Cameras through OpenCV: opening them by index or name, outliving a cable that comes loose, telling what is wrong."""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from realtime_nst.errors import SourceError
from realtime_nst.frames import Frame
from realtime_nst.inputs.devices import Device, find_device, list_devices, users_of
from realtime_nst.media.opencv import load_opencv
from realtime_nst.pipeline.stage import Stage

log = logging.getLogger(__name__)

Capture = Callable[..., Any]
"""From an index or path, and the number of an API where that is known, to a device."""

USUAL_FPS = 30.0
MISSES_ALLOWED = 30
"""Frames in a row that a camera may fail to give before it counts as gone."""
SILENCE = 2.0
"""Seconds without a frame after which a camera counts as gone, also if its driver says nothing."""
FIRST_SILENCE = 10.0
"""Seconds that a camera which was opened again may take for its first picture."""
RETRY_EVERY = 0.5
FIRST_PAUSE = 0.02
"""Seconds between two reads while a camera that has just been opened gives no picture yet."""
INDICES_TRIED = 10
BLACK, BLACK_SECONDS = 3, 3.0
"""A picture whose brightest spot is darker is black; a camera that gives only such for so long is told of."""
LIGHT = "open its shutter, or allow it in the system's settings"


class CameraSource:
    """A camera.

    MJPG is asked for first, because uncompressed formats often run at 10 frames per second where MJPG runs at 30.
    A camera that goes away is opened again when it comes back, by its name where it has one; meanwhile no frame
    comes. Frames keep the size of the first one.

    Args:
        camera: An index, or the path of a device.
        width: Width to ask for, in pixels; the camera may give another.
        height: Height to ask for, in pixels.
        fps: Frames per second to ask for; `None` leaves that to the camera.
        capture: Opens the device; `cv2.VideoCapture` unless a test says otherwise.
        silence: Seconds without a frame after which the device is opened anew, or at first given up.

    Raises:
        SourceError: OpenCV does not load, or the camera does not open or gives no picture.
    """

    live = True

    def __init__(
        self,
        camera: int | str,
        width: int = 640,
        height: int = 480,
        capture: Capture | None = None,
        silence: float = SILENCE,
        *,
        fps: float | None = None,
    ) -> None:
        self._cv2 = load_opencv()
        self.camera = camera
        known = list_devices()
        self.device = find_device(camera, known)
        self._namesakes = [other.place for other in known if self.device and other.name == self.device.name]
        self.tell: Callable[[str], None] = lambda text: None
        self._capture = capture or self._cv2.VideoCapture
        self._asked = width, height, fps
        self._silence = silence
        self._closed = threading.Event()
        device = self._open(camera)
        if device is None:
            raise SourceError(why_not(camera))
        first = self._first_picture(device)
        if first is None:
            device.release()
            raise SourceError(why_no_picture(camera))
        self.height, self.width = first.shape[:2]
        claimed = float(device.get(self._cv2.CAP_PROP_FPS))
        self.fps = claimed if 1.0 <= claimed <= 1000.0 else USUAL_FPS  # 0 and NaN are common
        self._index = 0
        self._black_since: float | None = None
        self._black_told = False
        self._device = device
        self._reading: Stage[tuple[np.ndarray, float]] | None = None
        self._given_up = threading.Event()

    @property
    def name(self) -> str:
        """How messages call it."""
        return str(self.camera) if self.device is None else f"{self.camera} ({self.device.name})"

    def __iter__(self) -> Iterator[Frame]:
        reading = self._reading = self._start(self._device)  # not before: frames would wait, and grow old
        silence = self._silence
        while not self._closed.is_set():
            picture = reading.get(timeout=silence)
            if picture is not None:
                silence = self._silence
                image, captured_at = picture
                self._watch_for_black(image, captured_at)
                yield Frame(self._fitted(image), self._index, captured_at)
                self._index += 1
            elif not self._closed.is_set():
                self._given_up.set()
                reading.close()
                reading.join(0.1)
                self._reading = reading = self._reconnected()
                silence = max(self._silence, FIRST_SILENCE)

    def close(self) -> None:
        self._closed.set()
        if self._reading is None:
            self._device.release()
        else:
            self._reading.close()
            self._reading.join(1.0)  # a stalled driver keeps its thread; it goes with the program

    def _open(self, camera: int | str) -> Any:
        """The device, with format and size asked for, or `None`."""
        cv2 = self._cv2
        width, height, fps = self._asked
        try:
            device = self._capture(camera, self.device.api) if self.device and self.device.api else self._capture(camera)
            if not device.isOpened():
                device.release()
                return None
            device.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
            device.set(cv2.CAP_PROP_FRAME_WIDTH, width)
            device.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
            if fps is not None:
                device.set(cv2.CAP_PROP_FPS, fps)
            device.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        except cv2.error as error:
            log.info("%s", error)
            return None
        return device

    def _first_picture(self, device: Any) -> np.ndarray | None:
        """A picture from a device that was just opened; some give none at first."""
        deadline = time.monotonic() + self._silence
        while (image := self._read(device)) is None and time.monotonic() < deadline:
            time.sleep(FIRST_PAUSE)
        return image

    def _read(self, device: Any) -> np.ndarray | None:
        """A picture, BGR, or `None`."""
        try:
            good, image = device.read()
        except self._cv2.error as error:  # a torn frame, or a device that went away in the middle of it
            log.info("%s", error)
            return None
        if not good or image is None or image.ndim != 3 or not image.size:
            return None
        picture: np.ndarray = image
        return picture

    def _start(self, device: Any) -> "Stage[tuple[np.ndarray, float]]":
        """Read on a thread of its own: a driver may hang in a read for ever, and then only this thread hangs."""
        self._given_up = threading.Event()
        return Stage(self._pictures(device, self._given_up), keep="all", name="camera")

    def _pictures(self, device: Any, given_up: threading.Event) -> Iterator[tuple[np.ndarray, float]]:
        misses = 0
        try:
            while not (self._closed.is_set() or given_up.is_set()) and misses <= MISSES_ALLOWED:
                image = self._read(device)
                misses = 0 if image is not None else misses + 1
                if image is not None:
                    yield image, time.monotonic()
        finally:
            device.release()

    def _reconnected(self) -> "Stage[tuple[np.ndarray, float]]":
        """Open the device again, however long it takes."""
        log.warning("Camera %s gives no pictures any more. Plug it in: it goes on by itself.", self.name)
        while not self._closed.is_set():
            self.tell(f"camera {self.name} is gone: plug it in, it goes on by itself")
            place = self._place()
            device = None if place is None else self._open(place)
            if device is not None:
                return self._start(device)
            self._closed.wait(RETRY_EVERY)
        return Stage(iter(()), keep="all", name="camera")

    def _place(self) -> int | str | None:
        """Where the camera is now: a replugged one may have got another number, but not that of its twin. `None` while
        another camera is where it was.
        """
        if self.device is None:
            return self.camera
        known = list_devices()
        places = [found.place for found in known if found.name == self.device.name]
        fresh = [place for place in places if place not in self._namesakes]
        if fresh and self.device.place not in places:
            return fresh[0]
        taken = any(found.place == self.device.place and found.name != self.device.name for found in known)
        return None if taken else self.camera

    def _watch_for_black(self, image: np.ndarray, now: float) -> None:
        if not is_black(image):
            self._black_since, self._black_told = None, False
        elif self._black_since is None:
            self._black_since = now
        elif now - self._black_since > BLACK_SECONDS:
            self._black_since = now
            self.tell(f"camera {self.name} is black: {LIGHT}")
            if not self._black_told:
                log.warning("Camera %s is black: %s.", self.name, LIGHT)
                self._black_told = True

    def _fitted(self, image: np.ndarray) -> np.ndarray:
        """RGB in the size of the first frame, whatever the camera has changed to."""
        coloured: np.ndarray = self._cv2.cvtColor(fitted(image, self.width, self.height), self._cv2.COLOR_BGR2RGB)
        return coloured


def fitted(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """A picture in another size, uint8 `(height, width, 3)`; bars keep its shape."""
    if image.shape[:2] == (height, width):
        return image
    cv2 = load_opencv()
    scale = min(width / image.shape[1], height / image.shape[0])
    inner = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    small = cv2.resize(image, inner, interpolation=cv2.INTER_AREA)
    whole = np.zeros((height, width, 3), np.uint8)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    whole[top : top + inner[1], left : left + inner[0]] = small
    return whole


def is_black(image: np.ndarray) -> bool:
    """Whether a picture shows nothing at all, as behind a shutter or without leave of the system."""
    return bool(image[::8, ::8].max() < BLACK)


def all_cameras(capture: Capture | None = None, system: str = sys.platform) -> list[Device]:
    """The cameras that the system knows; where it knows none by name, those of the first indices that open."""
    known = list_devices()
    if known or system == "linux":
        return known
    open_it = capture or load_opencv().VideoCapture
    found = []
    for index in range(INDICES_TRIED):
        device = open_it(index)
        if device.isOpened():
            found.append(Device(index, f"camera {index}"))
        device.release()
    return found


def choose_camera(wanted: str) -> int | str | None:
    """The camera that a user's words name: an index, a device's path, a name or a part of one; `None` if none.

    Raises:
        SourceError: Several cameras have that in their names.
    """
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 5:
        return int(wanted)
    if wanted.startswith("/dev/"):
        return wanted
    devices = list_devices()
    exact = [device for device in devices if device.name.casefold() == wanted.casefold()]
    found = exact or [device for device in devices if wanted.casefold() in device.name.casefold()]
    if len(found) > 1:
        names = ", ".join(f"{device.place} '{device.name}'" for device in found)
        raise SourceError(f"'{wanted}' fits {len(found)} cameras: {names}. Write more of the name, or the index.")
    return found[0].place if found else None


def no_such_camera(wanted: str) -> str:
    """What there is instead of what a user's words name."""
    found = ", ".join(f"{device.place} '{device.name}'" for device in list_devices())
    there = f"Cameras found: {found}." if found else "No camera was found: plug one in, or try `--camera pattern`."
    return f"No camera and no file is named '{wanted}'. {there}"


def why_not(camera: int | str) -> str:
    """Why a camera does not open, as far as the system tells, and what to do."""
    device = find_device(camera)
    others = [found for found in list_devices() if found != device]
    listed = ", ".join(f"{found.place} '{found.name}'" for found in others)
    if device is None:
        if others:
            return f"Camera {camera} did not open. Cameras found: {listed}. Try `--camera {others[0].place}`."
        return (
            f"Camera {camera} did not open, and no other camera was found. Plug one in, or try `--camera pattern` or "
            "`--camera VIDEO`."
        )
    if device.path is not None and not os.access(device.path, os.R_OK | os.W_OK):
        return (
            f"Camera {device.place} ('{device.name}') may not be used by this user: no right to {device.path}. "
            "`sudo usermod -aG video $USER`, then log in again."
        )
    return why_no_picture(camera, "did not open")


def why_no_picture(camera: int | str, words: str = "opened but gives no picture") -> str:
    """Why a camera gives no picture, and what to do.

    Args:
        camera: Its index or path.
        words: What happened, where nobody else is found to use it.
    """
    device = find_device(camera)
    name = str(camera) if device is None else f"{device.place} ('{device.name}')"
    users = users_of(device.path) if device is not None and device.path is not None else []
    if users:
        return f"Camera {name} is in use by {', '.join(users)}. Close that program, or choose another with --camera."
    allow = {"darwin": " Allow it in System Settings, Privacy, Camera.", "win32": " Allow it in Settings, Privacy, Camera."}
    return f"Camera {name} {words}. Close other programs that use it, or replug it.{allow.get(sys.platform, '')}"
