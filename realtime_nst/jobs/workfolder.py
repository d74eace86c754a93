"""`WorkFolder`: painted segments beside the output, so that no painted frame is lost whatever happens.

It holds a description of the job and the finished segments. A segment counts once it and its note are whole and on
the disk; whatever else lies there after a crash is thrown away. The next run of the same job goes on after the last
one and paints the same file as a run that was never interrupted, because segments have fixed lengths and each is
encoded on its own.
"""

import errno
import json
import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

from realtime_nst.errors import DiskFullError, SinkError
from realtime_nst.files import on_disk, whole
from realtime_nst.jobs.joining import Segment
from realtime_nst.style.field import HOME, Offset

JOB = "job.json"
LOCK = "lock"
PLACING = "placing"
"""Exists once pictures are being given their names: some of them may then be there already."""
SEGMENT_FRAMES = 240
"""Frames of a segment at most; encoders set a keyframe about as often by themselves."""
SEGMENT_PIXELS = 240 * 1280 * 720
"""Pixels of a segment at most: what is lost of a large picture, which takes long to paint, stays little."""
SHORTEST_SEGMENT = 8


@dataclass(frozen=True)
class Note:
    """What is remembered of a finished segment.

    Args:
        frames: How many.
        first: Tick of its first frame.
        last: Tick of its last frame.
        time: Seconds of its last frame in the original, or `None` where the original does not say.
        check: CRC-32 of the original's picture there.
        origin: Seconds of the very first frame in the original.
        size: Bytes of its file.
        shift: Seconds that were added to the original's times there.
        shown: Seconds that its last frame is shown, or `None` where the original does not say.
        offset: How the texture field had moved there.
    """

    frames: int
    first: int
    last: int
    time: Fraction | None
    check: int
    origin: Fraction | None
    size: int
    shift: Fraction = Fraction(0)
    shown: Fraction | None = None
    offset: Offset = HOME


class WorkFolder:
    """Segments of one job.

    Args:
        output: The file that they will become.
        job: What the job is: any change of it would paint or encode otherwise.
        restart: Throw away what another job has left.

    `notes` are those of the segments from the first on, as far as none is missing.

    Raises:
        SinkError: Another process works on it, another job has left segments, or it cannot be written.
    """

    def __init__(self, output: Path, job: Mapping[str, Any], *, restart: bool = False) -> None:
        self.path = work_path(output)
        self.notes: list[Note] = []
        self._ahead: dict[int, Note] = {}
        self._output = output
        self._lock: IO[bytes] | None = None
        try:
            self._lock = lock(self.path)
            if self._lock is None:
                raise SinkError(f"Another process is painting '{output}'. Wait for it, or choose another name.")
            self._open(json.loads(json.dumps(job)), restart)
        except OSError as error:
            if self._lock is not None:
                self.release()
            with suppress(OSError):
                self.path.rmdir()  # only if it is empty
            if error.errno == errno.ENOSPC:
                raise DiskFullError(f"'{self.path}' cannot be written: {error.strerror}.") from error
            raise SinkError(f"'{self.path}' cannot be written: {error.strerror}. Choose another place.") from error
        except BaseException:
            if self._lock is not None:
                self._lock.close()
            raise

    @property
    def frames(self) -> int:
        """Frames in finished segments, as far as none is missing."""
        return sum(note.frames for note in self.notes)

    @property
    def frames_ahead(self) -> int:
        """Frames in finished segments after one that is missing."""
        return sum(note.frames for note in self._ahead.values())

    def __contains__(self, number: int) -> bool:
        """Whether a segment is finished."""
        return number < len(self.notes) or number in self._ahead

    @property
    def size(self) -> int:
        """Bytes of the finished segments."""
        return sum(note.size for note in self.notes)

    def file(self, number: int, suffix: str) -> Path:
        """The file of a segment."""
        return self.path / f"{number:06d}{suffix}"

    def segments(self) -> list[Segment]:
        """The finished segments in order."""
        return [Segment(self._found(number), note.first, note.frames) for number, note in enumerate(self.notes)]

    def add(self, note: Note) -> None:
        """A segment is finished: its file has its name and is on the disk.

        Args:
            note: What is remembered of it.

        Raises:
            SinkError: The disk does not allow it.
        """
        self.put(len(self.notes), note)

    def put(self, number: int, note: Note) -> None:
        """Likewise of any segment, however many before it are missing."""
        write_json(
            self.path / f"{number:06d}.json",
            {name: str(value) if isinstance(value, Fraction) else value for name, value in vars(note).items()},
        )
        self._ahead[number] = note
        self._close_gap()

    def in_order(self) -> None:
        """Forget the segments after one that is missing: from now on one comes after the other."""
        self._ahead.clear()
        self._clean()

    def begin_placing(self) -> None:
        """From now on pictures get their names."""
        (self.path / PLACING).touch()

    def size_of(self, number: int) -> int:
        """Bytes of a segment's file."""
        return self._found(number).stat().st_size

    def release(self) -> None:
        """Let other processes work here; what is finished stays."""
        if not self.notes and not self._used():
            self.remove()
        elif self._lock is not None:
            self._lock.close()
            self._lock = None

    def remove(self) -> None:
        """Delete it: the file is whole, or nothing was painted."""
        if sys.platform != "win32":  # while nobody else can have begun to work here
            shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None
        if sys.platform == "win32":  # which deletes no open file
            shutil.rmtree(self.path, ignore_errors=True)

    def _open(self, job: dict[str, Any], restart: bool) -> None:
        before = read_json(self.path / JOB)
        if before is not None and before != job and not restart and self._used():
            changed = [key for key in job if job.get(key) != before.get(key)]
            was = ", ".join(f"{key} {before.get(key)!s:.60}, now {job[key]!s:.60}" for key in changed[:3])
            raise SinkError(
                f"'{self.path}' holds frames painted otherwise ({was}). Repeat the old command to go on with them, or add "
                "--restart to throw them away."
            )
        if before == job and not restart:
            self._resume()
        self._clean()
        write_json(self.path / JOB, job)

    def _used(self) -> bool:
        """Whether a segment has ever been finished here."""
        return any(path.stem.isdecimal() for path in self.path.glob("*.json"))

    def _resume(self) -> None:
        for path in self.path.glob("*.json"):
            data = read_json(path)
            if data is None or not path.stem.isdecimal():
                continue
            try:
                times = {name: _fraction(data[name]) for name in ("time", "origin", "shift", "shown")}
                x, y, turn = data["offset"]
                note = Note(**{**data, **times, "offset": (float(x), float(y), float(turn))})
                if self.size_of(int(path.stem)) != note.size:
                    continue
            except (OSError, TypeError, ValueError, KeyError):  # damaged by whatever stopped the last run
                continue
            self._ahead[int(path.stem)] = note
        self._close_gap()

    def _close_gap(self) -> None:
        while (note := self._ahead.pop(len(self.notes), None)) is not None:
            self.notes.append(note)

    def _clean(self) -> None:
        """Throw away what does not belong to a finished segment."""
        numbers = [*range(len(self.notes)), *self._ahead]
        keep = {LOCK, JOB, *([PLACING] if self.notes else []), *(self._found(number).name for number in numbers)}
        keep |= {f"{number:06d}.json" for number in numbers}
        for path in self.path.iterdir():
            if path.name not in keep and path.is_file():
                path.unlink()

    def _found(self, number: int) -> Path:
        for path in self.path.glob(f"{number:06d}.*"):
            if path.suffix != ".json":
                return path
        raise FileNotFoundError(f"segment {number} of '{self.path}'")


def work_path(output: Path) -> Path:
    """Where the segments of an output are: a hidden folder beside it."""
    return output.with_name(f".{output.name}.parts")


def being_placed(output: Path) -> bool:
    """Whether an interrupted run had begun to give the pictures of this output their names."""
    return (work_path(output) / PLACING).exists()


def segment_frames(width: int, height: int) -> int:
    """How many frames a segment has; for one size of picture always the same."""
    return max(SHORTEST_SEGMENT, min(SEGMENT_FRAMES, SEGMENT_PIXELS // (width * height)))


def lock(folder: Path) -> IO[bytes] | None:
    """An open file that only one process can have; the system lets go of it however the process ends."""
    while True:
        folder.mkdir(exist_ok=True)
        try:
            file = (folder / LOCK).open("ab")
        except FileNotFoundError:  # whoever had it has just removed the folder
            continue
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
                return file
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(file.fileno()), (folder / LOCK).stat()):
                return file
            file.close()
        except FileNotFoundError:
            file.close()
        except OSError:
            file.close()
            return None


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write a file that is there as a whole or not at all, whatever stops the machine."""
    with whole(path) as draft:
        draft.write_text(json.dumps(data), "utf-8")
        on_disk(draft)
    if sys.platform != "win32":  # the renames themselves reach the disk with the folder
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def read_json(path: Path) -> dict[str, Any] | None:
    """What is in such a file; `None` where there is none, or it is damaged."""
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) else None


def _fraction(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)
