"""`LiveFileSink`: frames as they come into an MP4 file that plays at the speed of life, however the show ends.

The file grows in fragments of a second under a hidden name. A power cut, a full disk or a crash costs at most the last
of them: `rescue_recordings` gives what is left its name. It knows neither keys nor the window.
"""

import ctypes
import logging
import os
import re
import sys
from collections.abc import Collection
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from realtime_nst.errors import SinkError
from realtime_nst.files import free_name
from realtime_nst.frames import Frame
from realtime_nst.media.encoding import Contents, FrameWriter
from realtime_nst.media.ffmpeg import ask

log = logging.getLogger(__name__)

FRAGMENT_MICROSECONDS = 1_000_000
ENCODER = "force-cfr=1:bframes=0:rc-lookahead=4:sync-lookahead=0"
"""x264 that knows of a variable rate writes its clock's 90,000 into the stream as the frame rate, and gives a pause all
bits. Without B-frames the first frame is shown at 0, also in fragments, which have no edit list. Little waits."""
TRIAL_TIMEOUT = 20.0
LEAST_RATE = Fraction(30)
"""A camera that claims less may give more, and what converts a file to a constant rate must not lose frames."""
DRAFT = re.compile(r"\.(.+)\.(\d+)\.live\.part(\.[^.]+)")
"""The name under which a recording grows: that of the file, the process and the ending."""
HEAD_BYTES = 4096
"""A file of fragments has its first one well before."""
STILL_ACTIVE = 259
GROWING: set[Path] = set()
"""Drafts that this process writes now."""


class LiveFileSink:
    """An MP4 file with the time at which each frame was captured; a pause is a frame that stays.

    Args:
        path: The file.
        width: Width of the frames in pixels.
        height: Height of the frames in pixels.
        rate: Frames per second that may be expected, for programs that want a single figure; the times decide.

    Raises:
        SinkError: The folder does not exist.
    """

    def __init__(self, path: Path, width: int, height: int, rate: Fraction) -> None:
        self.path = path
        self.written = self.whole = False
        """Whether the file has its name, and whether everything is in it."""
        self._draft = path.absolute().with_name(f".{path.stem}.{os.getpid()}.live.part{path.suffix}")
        rate = max(rate, LEAST_RATE)
        self._writer = FrameWriter(path, width, height, rate, contents=Contents(arguments=fragments()), draft=self._draft)
        self._started: float | None = None
        self._tick = -1
        GROWING.add(self._draft)

    def write(self, frame: Frame) -> None:
        """Append a frame.

        Raises:
            SinkError: ffmpeg stopped, for example because the disk is full; `discard` keeps what there is.
        """
        if self._started is None:
            self._started = frame.captured_at
        due = round((frame.captured_at - self._started) * self._writer.ticks_per_second)
        self._tick = max(due, self._tick + 1)
        self._writer.write(frame.image, self._tick)

    def close(self) -> None:
        """Finish the file and give it its name.

        Raises:
            SinkError: The file could not be finished; `discard` keeps what there is.
        """
        if self._draft not in GROWING:
            return
        if self._started is None:
            self.discard()
            return
        try:
            self._writer.close()
        except OSError as error:
            raise SinkError(f"'{self.path}' was not finished: {error.strerror or error}. Free the disk.") from error
        GROWING.discard(self._draft)
        self.written = self.whole = True

    def discard(self) -> None:
        """Stop at once. What was recorded stays, in the file where it can be given its name."""
        if self._draft not in GROWING:
            return
        self._writer.discard()
        GROWING.discard(self._draft)
        try:
            self.written = plays(self._draft)
            if self.written:
                self._draft.replace(self.path)
            else:
                self._draft.unlink(missing_ok=True)
        except OSError as error:
            self.written = False
            log.warning("What was recorded of '%s' is in '%s': %s.", self.path, self._draft, error.strerror)


@cache
def fragments() -> tuple[str, ...]:
    """Arguments for a file that can be played while it grows, and is an ordinary one in the end where ffmpeg can do that."""
    trial = ["-loglevel", "error", "-f", "lavfi", "-i", "color=size=64x64:rate=25:duration=0.1", "-c:v", "libx264"]
    trial += ["-movflags", "+hybrid_fragmented", "-frag_duration", "1", "-f", "mp4", "-y", os.devnull]
    try:
        code, _ = ask(trial, TRIAL_TIMEOUT)
    except TimeoutError:
        code = 1
    kind = "+frag_keyframe+empty_moov+default_base_moof" if code else "+hybrid_fragmented"
    return ("-x264-params", ENCODER, "-movflags", kind, "-frag_duration", str(FRAGMENT_MICROSECONDS), "-flush_packets", "1")


def rescue_recordings(folder: Path, planned: Collection[Path] = ()) -> list[Path]:
    """Give recordings their names that a program which died could not give them any more.

    Args:
        folder: Where to look.
        planned: Files that will be written next, so that none of them replaces what is found.

    Returns:
        The files.
    """
    rescued = []
    for draft in sorted(folder.glob(".*.live.part.*")):
        match = DRAFT.fullmatch(draft.name)
        if not match or (draft.absolute() in GROWING if int(match[2]) == os.getpid() else alive(int(match[2]))):
            continue
        try:
            if plays(draft):
                path = free_name(folder / f"{match[1]}{match[3]}", {folder / other.name for other in planned}.__contains__)
                draft.rename(path)
                rescued.append(path)
            else:
                draft.unlink()
        except OSError as error:
            log.warning("'%s' is a recording that was left behind, and cannot be renamed: %s.", draft, error.strerror)
    return rescued


def plays(draft: Path) -> bool:
    """Whether a file that nobody finished holds pictures: at least one whole fragment."""
    if not draft.exists():
        return False
    with draft.open("rb") as file:
        head = file.read(HEAD_BYTES)
    return b"moof" in head or b"mdat" in head


def alive(process: int) -> bool:
    """Whether there is a process of this number that has not ended."""
    if sys.platform == "win32":  # where `os.kill` would end it
        kernel: Any = ctypes.windll.kernel32
        handle = kernel.OpenProcess(0x1000, False, process)  # PROCESS_QUERY_LIMITED_INFORMATION
        code = ctypes.c_ulong()
        running = bool(handle and kernel.GetExitCodeProcess(handle, ctypes.byref(code)) and code.value == STILL_ACTIVE)
        kernel.CloseHandle(handle)
        return running
    try:  # one that nobody has waited for has ended, although it still has its number
        return Path(f"/proc/{process}/stat").read_text("latin-1").rpartition(") ")[2][:1] not in ("Z", "X")
    except OSError:
        pass
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True
