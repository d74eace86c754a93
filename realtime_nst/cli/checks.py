"""The commands `cameras`, which tries each, and `doctor`. They print."""

import argparse
from pathlib import Path

from realtime_nst.cli.console import say
from realtime_nst.errors import SinkError
from realtime_nst.inputs.cameras import all_cameras
from realtime_nst.inputs.devices import list_formats
from realtime_nst.inputs.trying import CameraReport, try_camera
from realtime_nst.live.doctor import examine
from realtime_nst.media.opencv import load_opencv
from realtime_nst.media.photos import write_photo


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
    findings = examine(options.weights, options.backend, options.precision, options.device)
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        print(f"{finding.state:<4}{finding.name:<{width}}  {finding.words}")
        if finding.cure:
            print(f"{'':<4}{'':<{width}}  -> {finding.cure}")
    bad, missing = (sum(finding.state == state for finding in findings) for state in ("bad", "no"))
    say(f"{bad} to mend." if bad else "Ready, but for what is marked `no`." if missing else "Ready.")
    return 1 if bad else 0


def save_still(report: CameraReport, folder: Path) -> Path:
    """Save a camera's picture as `camera-<index>.png`."""
    path = folder / f"camera-{report.device.place}.png"
    if report.still is not None:
        write_photo(path, report.still, {"Camera": report.device.name})
    return path
