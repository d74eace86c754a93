"""The commands `cameras`, which tries each, and `doctor`. They print."""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from realtime_nst.cli.console import say
from realtime_nst.errors import SinkError, SourceError
from realtime_nst.frames import Frame
from realtime_nst.inputs.cameras import LIGHT, SILENCE, CameraSource, Capture, all_cameras, is_black, why_no_picture
from realtime_nst.inputs.devices import Device, list_formats
from realtime_nst.live.doctor import examine
from realtime_nst.media.opencv import load_opencv
from realtime_nst.media.photos import write_photo
from realtime_nst.pipeline.stage import Stage


def cameras(options: argparse.Namespace) -> int:
    """List the cameras: index, name, size and rate as measured, formats; on request a picture of each."""
    if options.preview is not None and not options.preview.is_dir():
        raise SinkError(f"No folder '{options.preview}' for previews. Create it, or choose another with --preview.")
    load_opencv()
    devices = all_cameras()
    for device in devices:
        report = try_camera(device)
        size = f"{report.width}x{report.height}" if report.still is not None else ""
        rate = f"{report.fps:.1f} frames/s" if report.fps else "a single frame" if size else ""
        formats = ", ".join(list_formats(device))
        print("  ".join(filter(None, (str(device.place), device.name, size, rate, formats, report.problem))))
        if options.preview is not None and report.still is not None:
            say(f"Saved '{save_still(report, options.preview)}'.")
    if not devices:
        say("No camera was found. Plug one in, or try `realtime-nst webcam --camera pattern`.")
    return 0


def doctor(options: argparse.Namespace) -> int:
    """Say what is there and what is not, each with its cure; the exit code is 1 where something must be mended."""
    findings = examine(options.weights, options.backend, options.precision)
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        print(f"{finding.state:<4}{finding.name:<{width}}  {finding.words}")
        if finding.cure:
            print(f"{'':<4}{'':<{width}}  -> {finding.cure}")
    bad, missing = (sum(finding.state == state for finding in findings) for state in ("bad", "no"))
    say(f"{bad} to mend." if bad else "Ready, but for what is marked `no`." if missing else "Ready.")
    return 1 if bad else 0


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


def save_still(report: CameraReport, folder: Path) -> Path:
    """Save a camera's picture as `camera-<index>.png`."""
    path = folder / f"camera-{report.device.place}.png"
    if report.still is not None:
        write_photo(path, report.still, {"Camera": report.device.name})
    return path
