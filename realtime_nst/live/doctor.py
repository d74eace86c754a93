"""What a live show needs, checked one by one, each with its cure. It changes nothing, and opens no camera."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from realtime_nst.engines.backend import (
    BACKENDS,
    choose_backend,
    has_nvidia_gpu,
    installed,
    onnxruntime_providers,
    openvino_devices,
    reaches_gpu,
    usable,
)
from realtime_nst.errors import NSTError
from realtime_nst.inputs.devices import list_devices
from realtime_nst.live.visibility import watch_window
from realtime_nst.media.containers import MP4
from realtime_nst.media.encoders import HARDWARE, choose_encoder
from realtime_nst.media.ffmpeg import executable
from realtime_nst.media.opencv import load_opencv
from realtime_nst.outputs.virtual_camera import load_pyvirtualcam, set_up
from realtime_nst.style.book import find_styles, style_folders

OLDEST = (3, 11)
"""As setup.cfg and README say."""
DRIVER = Path("/proc/driver/nvidia/version")
GPUS_SEEN = {
    "tensorflow": "import tensorflow; print(len(tensorflow.config.list_physical_devices('GPU')))",
    "jax": "import jax; print(sum(device.platform == 'gpu' for device in jax.devices()))",
}
GPU_PACKAGES = {"tensorflow": "tensorflow[and-cuda]", "jax": "jax[cuda12]"}
FRAME = 640, 480
TIMEOUT, IMPORT_TIMEOUT = 20.0, 120.0


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


def examine(weights: Path | None = None, backend: str = "auto", precision: str = "auto", device: str = "auto") -> list[Finding]:
    """All checks.

    Args:
        weights: A folder of styles, as `--weights` names it.
        backend: As `--backend` names it.
        precision: As `--precision` names it.
        device: As `--device` names it.
    """
    checks: list[tuple[str, Callable[[], Finding]]] = [
        ("Python", check_python),
        ("backend", lambda: check_backend(backend, precision, device)),
        ("devices", check_devices),
        ("GPU", lambda: check_gpu(backend)),
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
        except Exception as error:  # whatever is broken on this machine, the other checks go on
            words = f"the check itself failed: {type(error).__name__}: {error}"
            findings.append(Finding(name, "bad", words, "Install realtime-nst again in a fresh environment."))
    return findings


def check_python() -> Finding:
    """A Python that is new enough."""
    words = f"{platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} processors"
    if sys.version_info[:2] >= OLDEST:
        return Finding("Python", "ok", words)
    return Finding("Python", "bad", words, f"Make the environment with Python {OLDEST[0]}.{OLDEST[1]} or newer.")


def check_backend(name: str = "auto", precision: str = "auto", device: str = "auto") -> Finding:
    """The engine that will be used, or those of which the fastest will be."""
    chosen = choose_backend(name, precision, device)
    there = [other for other in BACKENDS if usable(other)]
    return Finding("backend", "ok", f"{chosen} (installed: {', '.join(there)})")


def check_devices() -> Finding:
    """What OpenVINO and ONNX Runtime can compute on."""
    words = [f"{device} '{name}'" for device, name in openvino_devices().items()]
    words += [f"{provider.removesuffix('ExecutionProvider')} of ONNX Runtime" for provider in onnxruntime_providers()]
    return Finding("devices", "ok", ", ".join(words))


def check_gpu(backend: str = "auto") -> Finding:
    """A GPU, its driver, and whether the framework that would paint on it sees it.

    Args:
        backend: As `--backend` names it.
    """
    if not has_nvidia_gpu():
        return Finding("GPU", "no", "no NVIDIA driver is at work")
    asked = ("nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader")
    words = _said(*asked) if shutil.which(asked[0]) else ""
    if not words and DRIVER.exists():
        words = DRIVER.read_text(errors="replace").splitlines()[0]
    if backend == "openvino":
        return Finding("GPU", "no", f"{words}; OpenVINO paints on the processor", "`--backend auto` paints on the GPU.")
    framework = next((name for name in GPU_PACKAGES if reaches_gpu(name)), "tensorflow") if backend == "auto" else backend
    cure = f"pip install '{GPU_PACKAGES[framework]}'"
    if not installed(framework):
        return Finding("GPU", "bad", f"{words}; {framework} is not installed", cure)
    seen = _said(sys.executable, "-c", GPUS_SEEN[framework], timeout=IMPORT_TIMEOUT).splitlines()[-1:]
    if not (seen and seen[0].isdigit() and int(seen[0])):
        return Finding("GPU", "bad", f"{words}; {framework} does not see it", cure)
    return Finding("GPU", "ok", f"{words}; {framework} sees it")


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
    """A screen for the window: the one that the window itself would ask."""
    cure = "Log in at a screen, or use --no-window with -o or --virtual-camera."
    try:
        watch_window("").close()
    except ConnectionError as error:
        return Finding("display", "bad" if os.environ.get("DISPLAY") else "no", str(error), cure)
    return Finding("display", "ok", os.environ["DISPLAY"] if sys.platform == "linux" else "of the system")


def check_encoders() -> Finding:
    """ffmpeg, and what it can encode with: an encoder for hardware that is not there does not count."""
    said = _said(executable(), "-hide_banner", "-encoders")
    if " libx264 " not in said:
        return Finding("encoders", "bad", "ffmpeg has no libx264", "pip install --force-reinstall imageio-ffmpeg")
    found = ["libx264", *(name for kind in HARDWARE if f" {(name := f'h264_{kind}')} " in said and encoder_works(name))]
    return Finding("encoders", "ok", f"{', '.join(found)} in {executable()}")


def encoder_works(name: str) -> bool:
    """Whether a hardware encoder encodes a frame here."""
    return choose_encoder(MP4, *FRAME, codec=name)[0].name == name


def check_virtual_camera() -> Finding:
    """pyvirtualcam, and a device for it."""
    try:
        load_pyvirtualcam()
    except NSTError as error:
        return Finding("virtual camera", "no", "pyvirtualcam is not installed", str(error))
    if sys.platform == "linux" and not Path("/sys/devices/virtual/video4linux").is_dir():
        return Finding("virtual camera", "no", "there is no device for it", set_up())
    return Finding("virtual camera", "ok", "pyvirtualcam is installed")


def _said(*command: str, timeout: float = TIMEOUT) -> str:
    try:
        return subprocess.run(command, capture_output=True, timeout=timeout, text=True, errors="replace").stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""
