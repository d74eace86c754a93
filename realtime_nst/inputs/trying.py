"""A camera opened for a moment: how large and how fast its frames are, what one looks like, or what is wrong."""

import time
from dataclasses import dataclass

import numpy as np

from realtime_nst.errors import SourceError
from realtime_nst.frames import Frame
from realtime_nst.inputs.cameras import LIGHT, SILENCE, CameraSource, Capture, is_black, why_no_picture
from realtime_nst.inputs.devices import Device
from realtime_nst.pipeline.stage import Stage


@dataclass(frozen=True)
class CameraReport:
    """What a camera gives when it is tried.

    Args:
        device: Which one.
        width: Width of its frames in pixels; 0 without a picture.
        height: Height likewise.
        fps: Frames per second, measured.
        still: One of its frames, RGB.
        problem: Why there is no picture, or what is wrong with it.
    """

    device: Device
    width: int = 0
    height: int = 0
    fps: float = 0.0
    still: np.ndarray | None = None
    problem: str = ""


def try_camera(device: Device, seconds: float = 1.0, capture: Capture | None = None) -> CameraReport:
    """Open a camera for a moment, and measure it."""
    try:
        source = CameraSource(device.place, capture=capture)
    except SourceError as error:
        return CameraReport(device, problem=str(error))
    stage = Stage(source, keep="all", name="camera")
    frames: list[Frame] = []
    deadline = time.monotonic() + seconds + SILENCE
    try:
        while time.monotonic() < deadline:
            frame = stage.get(timeout=0.1)
            if frame is not None:
                frames.append(frame)
                if frame.captured_at - frames[0].captured_at >= seconds:
                    break
    finally:
        stage.close()
        source.close()
        stage.join(1.0)
    if not frames:
        return CameraReport(device, source.width, source.height, problem=why_no_picture(device.place))
    span = frames[-1].captured_at - frames[0].captured_at
    fps = (len(frames) - 1) / span if span > 0 else 0.0
    problem = f"Camera {source.name} is black: {LIGHT}." if all(is_black(frame.image) for frame in frames) else ""
    return CameraReport(device, source.width, source.height, fps, frames[-1].image, problem)
