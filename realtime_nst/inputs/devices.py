"""Which cameras the system knows, by name, and who uses them: from `/sys` on Linux, from ffmpeg's lists elsewhere."""

import os
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from realtime_nst.media.ffmpeg import ask

SYSTEM = Path("/sys/class/video4linux")
LIST_TIMEOUT = 10.0


@dataclass(frozen=True)
class Device:
    """A camera that the system knows.

    Args:
        place: What OpenCV opens: its index.
        name: As its maker calls it.
        path: The device file, on Linux.
    """

    place: int
    name: str
    path: Path | None = None


def list_devices(system: str = sys.platform) -> list[Device]:
    """All cameras, in the order of their indices. Nothing is opened.

    Args:
        system: As `sys.platform` names it.
    """
    if system == "linux":
        return list_linux_devices(SYSTEM)
    if system == "darwin":
        said = ask_ffmpeg("-f", "avfoundation", "-list_devices", "true", "-i", "")
        return [Device(int(index), name) for index, name in named_by_avfoundation(said)]
    if system == "win32":
        said = ask_ffmpeg("-f", "dshow", "-list_devices", "true", "-i", "dummy")
        return [Device(index, name) for index, name in enumerate(named_by_directshow(said))]
    return []


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


def named_by_avfoundation(said: str) -> list[tuple[str, str]]:
    """Index and name of the cameras in ffmpeg's list on macOS."""
    cameras = said.partition("video devices:")[2].partition("audio devices:")[0]
    found = re.findall(r"\] \[(\d+)\] (.+)", cameras)
    return [(index, name.strip()) for index, name in found if not name.startswith("Capture screen")]


def named_by_directshow(said: str) -> list[str]:
    """Names of the cameras in ffmpeg's list on Windows."""
    return re.findall(r'"([^"]+)" \(video\)', said)


def ask_ffmpeg(*arguments: str) -> str:
    """What ffmpeg says about devices; it ends with an error, because it is given nothing to do."""
    try:
        return ask(arguments, LIST_TIMEOUT)[1]
    except (OSError, TimeoutError):
        return ""
