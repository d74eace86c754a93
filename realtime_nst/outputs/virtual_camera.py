"""`VirtualCameraSink`: a camera that other programs see, through pyvirtualcam where it is installed."""

import sys
from typing import Any

import numpy as np

from realtime_nst.errors import SinkError
from realtime_nst.frames import Frame

MISSING = "The virtual camera needs pyvirtualcam: `pip install pyvirtualcam`."
SET_UP = {
    "linux": "On Linux it needs the v4l2loopback module: `sudo apt install v4l2loopback-dkms`, then "
    '`sudo modprobe v4l2loopback exclusive_caps=1 card_label="realtime-nst"`.',
    "darwin": "On macOS it needs OBS Studio 30 or later: install it, start its virtual camera once and stop it again.",
    "win32": "On Windows it needs OBS Studio: install it, and its virtual camera is there.",
}


def set_up() -> str:
    """What this system needs to have a virtual camera, in words."""
    return SET_UP.get(sys.platform, "It exists for Linux, macOS and Windows.")


def load_pyvirtualcam() -> Any:
    """pyvirtualcam; imported late, because it is optional.

    Raises:
        SinkError: It is not installed.
    """
    try:
        import pyvirtualcam
    except ImportError as error:
        raise SinkError(f"{MISSING} {set_up()}") from error
    return pyvirtualcam


class VirtualCameraSink:
    """Frames as the picture of a camera.

    Args:
        width: Width of the frames in pixels.
        height: Height of the frames in pixels.
        fps: Frames per second that the camera claims.

    Raises:
        SinkError: pyvirtualcam or the system's part of it is missing.
    """

    def __init__(self, width: int, height: int, fps: float) -> None:
        pyvirtualcam = load_pyvirtualcam()
        try:
            self._camera = pyvirtualcam.Camera(width, height, fps, fmt=pyvirtualcam.PixelFormat.RGB, print_fps=False)
        except RuntimeError as error:
            raise SinkError(f"No virtual camera could be opened: {str(error).strip().splitlines()[0]} {set_up()}") from error
        self.device = str(self._camera.device)
        self._closed = False

    def write(self, frame: Frame) -> None:
        """Send a frame.

        Raises:
            SinkError: The device is gone.
        """
        try:
            self._camera.send(np.ascontiguousarray(frame.image))
        except RuntimeError as error:
            raise SinkError(f"The virtual camera '{self.device}' takes no more frames: {error}. Start again.") from error

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._camera.close()

    def discard(self) -> None:
        self.close()
