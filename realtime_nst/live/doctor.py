"""What a live show needs, checked one by one, each with its cure. It changes nothing, and opens no camera."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from realtime_nst.backend import BACKENDS, choose_backend, has_nvidia_gpu, installed
from realtime_nst.errors import NSTError
from realtime_nst.files.ffmpeg import executable
from realtime_nst.live.devices import list_devices
from realtime_nst.live.virtualcamera import load_pyvirtualcam, set_up
from realtime_nst.opencv import load_opencv
from realtime_nst.stylebook import find_styles, style_folders

OLDEST, NEWEST = (3, 11), (3, 13)
DRIVER = Path("/proc/driver/nvidia/version")
ENCODERS = ("libx264", "h264_nvenc", "h264_videotoolbox", "h264_qsv", "h264_vaapi")
TIMEOUT = 20.0


@dataclass(frozen=True)
class Finding:
    """The outcome of a check.

    Args:
        name: What was checked.
        state: "ok", "no" for what only some need, or "bad".
        words: What was found.
        cure: What to do, if anything.
    """

    name: str
    state: str
    words: str
    cure: str = ""


def examine(weights: Path | None = None, backend: str = "auto", precision: str = "auto") -> list[Finding]:
    """All checks.

    Args:
        weights: A folder of styles, as `--weights` names it.
        backend: As `--backend` names it.
        precision: As `--precision` names it.
    """
    checks: list[tuple[str, Callable[[], Finding]]] = [
        ("Python", check_python),
        ("backend", lambda: check_backend(backend, precision)),
        ("GPU", check_gpu),
        ("styles", lambda: check_weights(weights)),
        ("OpenCV", check_opencv),
        ("cameras", check_cameras),
        ("display", check_display),
        ("encoders", check_encoders),
        ("virtual camera", check_virtual_camera),
    ]
    findings = []
    for name, check in checks:
        try:
            findings.append(check())
        except NSTError as error:
            findings.append(Finding(name, "bad", str(error)))
    return findings


def check_python() -> Finding:
    """A Python for which there are wheels of everything."""
    version = sys.version_info[:2]
    words = f"{platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} processors"
    if OLDEST <= version <= NEWEST:
        return Finding("Python", "ok", words)
    wanted = f"{OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}"
    return Finding("Python", "bad", words, f"Make the environment with Python {wanted}.")


def check_backend(name: str = "auto", precision: str = "auto") -> Finding:
    """The engine that will be used."""
    chosen = choose_backend(name, precision)
    there = [other for other in BACKENDS if installed(other)]
    return Finding("backend", "ok", f"{chosen} (installed: {', '.join(there)})")


def check_gpu() -> Finding:
    """A GPU and its driver."""
    if not has_nvidia_gpu():
        return Finding("GPU", "no", "no NVIDIA driver is at work; the processor paints", "")
    words = _said("nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader") if shutil.which(
        "nvidia-smi"
    ) else ""  # fmt: skip
    if not words and DRIVER.exists():
        words = DRIVER.read_text(errors="replace").splitlines()[0]
    if not installed("tensorflow"):
        return Finding("GPU", "bad", words, "pip install 'tensorflow[and-cuda]'")
    return Finding("GPU", "ok", words or "there")


def check_weights(folder: Path | None = None) -> Finding:
    """Styles that can be used."""
    book = find_styles(style_folders(folder))
    if not len(book):
        return Finding(
            "styles", "bad", f"none of {len(book.broken)} can be used", "Install realtime-nst again, or use --weights."
        )
    words = f"{len(book)}: {', '.join(book)}"
    if book.broken:
        return Finding("styles", "bad", f"{words}; broken: {', '.join(book.broken)}", "Copy or train the broken ones again.")
    return Finding("styles", "ok", words)


def check_opencv() -> Finding:
    """OpenCV and its system libraries."""
    return Finding("OpenCV", "ok", str(load_opencv().__version__))


def check_cameras() -> Finding:
    """Cameras that the system knows, and the right to use them."""
    devices = list_devices()
    if not devices:
        return Finding("cameras", "no", "none was found", "Plug one in; until then `--camera pattern` or a video file.")
    words = ", ".join(f"{device.place} '{device.name}'" for device in devices)
    locked = [str(device.path) for device in devices if device.path and not os.access(device.path, os.R_OK | os.W_OK)]
    if locked:
        cure = "`sudo usermod -aG video $USER`, then log in again."
        return Finding("cameras", "bad", f"{words}; no right to {', '.join(locked)}", cure)
    return Finding("cameras", "ok", f"{words} (`realtime-nst cameras` tries them)")


def check_display() -> Finding:
    """A screen for the window."""
    if sys.platform != "linux":
        return Finding("display", "ok", "of the system")
    found = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY")
    if found:
        return Finding("display", "ok", found)
    return Finding("display", "no", "DISPLAY is not set", "Log in at a screen, or use --no-window with -o or --virtual-camera.")


def check_encoders() -> Finding:
    """ffmpeg, and what it can encode with."""
    said = _said(executable(), "-hide_banner", "-encoders")
    found = [name for name in ENCODERS if f" {name} " in said]
    if "libx264" not in found:
        return Finding("encoders", "bad", "ffmpeg has no libx264", "pip install --force-reinstall imageio-ffmpeg")
    return Finding("encoders", "ok", f"{', '.join(found)} in {executable()}")


def check_virtual_camera() -> Finding:
    """pyvirtualcam, and a device for it."""
    try:
        load_pyvirtualcam()
    except NSTError as error:
        return Finding("virtual camera", "no", "pyvirtualcam is not installed", str(error))
    if sys.platform == "linux" and not Path("/sys/devices/virtual/video4linux").is_dir():
        return Finding("virtual camera", "no", "there is no device for it", set_up())
    return Finding("virtual camera", "ok", "pyvirtualcam is installed")


def _said(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, timeout=TIMEOUT, text=True, errors="replace").stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""
