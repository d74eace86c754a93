"""Which cameras the system knows, by name, and who uses them: from `/sys` on Linux, from cv2-enumerate-cameras elsewhere."""

import logging
import os
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from realtime_nst.media.ffmpeg import ask

log = logging.getLogger(__name__)

SYSTEM = Path("/sys/class/video4linux")
LIST_TIMEOUT = 10.0
APIS = {"win32": 700, "darwin": 1200}
"""OpenCV's numbers of the API by which cameras are numbered and opened: DirectShow, which has virtual ones, and AVFoundation."""


@dataclass(frozen=True)
class Device:
    """A camera that the system knows.

    Args:
        place: What OpenCV opens: its index.
        name: As its maker calls it.
        path: The device file, on Linux.
        api: OpenCV's number of the API that `place` belongs to; 0 leaves it to OpenCV.
    """

    place: int
    name: str
    path: Path | None = None
    api: int = 0


def list_devices(system: str = sys.platform) -> list[Device]:
    """All cameras, in the order of their indices. Nothing is opened.

    Args:
        system: As `sys.platform` names it.
    """
    if system == "linux":
        return list_linux_devices(SYSTEM)
    return list_by_api(APIS[system]) if system in APIS else []


def find_device(camera: int | str, known: Sequence[Device] | None = None) -> Device | None:
    """The device of an index or path.

    Args:
        camera: The index or path.
        known: All cameras, if they were listed a moment ago.
    """
    number = re.fullmatch(r"(?:/dev/video)?(\d{1,4})", str(camera))
    devices = list_devices() if known is None else known
    return next((device for device in devices if number and device.place == int(number[1])), None)


def list_linux_devices(folder: Path) -> list[Device]:
    """Cameras of Video4Linux. A camera has several nodes; the first gives the pictures, the others its metadata."""
    devices = []
    for entry in folder.glob("video*") if folder.is_dir() else ():
        with suppress(OSError, ValueError):
            if (entry / "index").exists() and (entry / "index").read_text().strip() != "0":
                continue
            name = (entry / "name").read_text(errors="replace").strip()
            devices.append(Device(int(entry.name.removeprefix("video")), name, Path("/dev") / entry.name))
    return sorted(devices, key=lambda device: device.place)


def list_by_api(api: int) -> list[Device]:
    """Cameras of Windows or macOS as OpenCV numbers them when it opens them by this API; none where the system does not tell."""
    try:
        from cv2_enumerate_cameras import enumerate_cameras

        found = enumerate_cameras(api)
    except (ImportError, NotImplementedError, OSError) as error:
        log.info("The cameras are not known by name: %s", error)
        return []
    return sorted((Device(camera.index, camera.name, api=api) for camera in found), key=lambda device: device.place)


def list_formats(device: Device, ask: Callable[..., str] | None = None) -> list[str]:
    """What a camera can give, as in "mjpeg 1920x1080", where the system tells; the largest size of each format."""
    if device.path is None:
        return []
    said = (ask or ask_ffmpeg)("-f", "v4l2", "-list_formats", "all", "-i", str(device.path))
    formats = []
    for line in re.findall(r"(?:Raw|Compressed)\s*:\s*(.+)", said):
        name = line.partition(":")[0].strip()
        sizes = re.findall(r"\b(\d{2,5})x(\d{2,5})\b", line)
        widest = max(sizes, key=lambda size: int(size[0]) * int(size[1]), default=None)
        formats.append(f"{name} {widest[0]}x{widest[1]}" if widest else name)
    return formats


def users_of(path: Path) -> list[str]:
    """Other programs that have a device open, as in "zoom (1234)", as far as this user may see."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        with suppress(OSError):
            if any(file.readlink() == path for file in (process / "fd").iterdir()):
                found.append(f"{(process / 'comm').read_text().strip()} ({process.name})")
    return found


def ask_ffmpeg(*arguments: str) -> str:
    """What ffmpeg says about devices; it ends with an error, because it is given nothing to do."""
    try:
        return ask(arguments, LIST_TIMEOUT)[1]
    except (OSError, TimeoutError):
        return ""
