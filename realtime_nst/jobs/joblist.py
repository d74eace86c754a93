"""`JobList`: photos and films that are painted one after another beside a show, in a folder of the user.

Each has a folder of its own, with the original, the painting, a preview, and a note of what is to be done. So the list is
the same after a restart, and a film that was under way goes on after its last finished segment.
"""

import secrets
import shutil
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from realtime_nst import __version__
from realtime_nst.errors import SinkError
from realtime_nst.jobs.errand import Errand
from realtime_nst.jobs.workfolder import lock, read_json, write_json
from realtime_nst.pipeline.stage import Stage

COMMANDS = {"photo": "image", "video": "video"}
"""What paints each kind, and the kinds that there are."""
NOTE = "job.json"
PAINTED, PREVIEW = "painted", "preview.jpg"
MOST_JOBS = 50
LEAST_FREE = 1e9
"""Bytes of the disk that uploads leave free."""


@dataclass(frozen=True)
class Job:
    """A photo or film to paint.

    Args:
        id: Its folder's name, which nobody guesses.
        name: What its user calls it; no file has that name.
        kind: "photo" or "video".
        original: The file's name in the folder.
        look: Flags of the command: style, strength and so on.
        style: The style, as the list shows it.
        added: Seconds since 1970.
        version: Of the program that began it.
        state: "waiting", "painting", "done" or "failed".
        words: Why it failed, or what there is to know.
        progress: `frame`, `frames`, `frames_per_second`, `seconds_left` of a film under way.
    """

    id: str
    name: str
    kind: str
    original: str
    look: tuple[str, ...]
    style: str
    added: float
    version: str = __version__
    state: str = "waiting"
    words: str = ""
    progress: Mapping[str, Any] = field(default_factory=dict)


class JobList:
    """Paint what is in the list, until it is closed. Any thread may ask.

    Args:
        folder: Where the jobs are; it is made.
        flags: Of every command, as in `["--weights", DIR]`.

    Raises:
        SinkError: The folder cannot be written, or another show paints there.
    """

    def __init__(self, folder: Path, flags: Sequence[str] = ()) -> None:
        self._folder, self._flags = folder, list(flags)
        self._jobs: dict[str, Job] = {}
        self._errands: dict[str, Errand] = {}
        self._changed = threading.Condition()
        self._closing = threading.Event()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            held = lock(folder)
        except OSError as error:
            raise SinkError(f"'{folder}' cannot be written: {error.strerror}. Nothing can be painted there.") from error
        if held is None:
            raise SinkError("Another show of this user paints photos and films already. Drop them there, or close it.")
        self._lock = held
        self._read()
        self._lanes = [Stage(self._paint(kind), keep="latest", name=f"jobs-{kind}") for kind in COMMANDS]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """All jobs, the newest first."""
        with self._changed:
            jobs = sorted(self._jobs.values(), key=lambda job: -job.added)
        return [self._row(job) for job in jobs]

    @property
    def unfinished(self) -> int:
        """How many are waiting or under way."""
        with self._changed:
            return sum(job.state in ("waiting", "painting") for job in self._jobs.values())

    @property
    def full(self) -> bool:
        """Whether no further one is taken."""
        with self._changed:
            return len(self._jobs) >= MOST_JOBS

    @property
    def room(self) -> float:
        """Bytes that an original may have."""
        return shutil.disk_usage(self._folder).free - LEAST_FREE

    def begin(self) -> Path:
        """A folder of its own for an original that is on its way; `take` it, or `forget` it."""
        place = self._folder / secrets.token_hex(8)
        place.mkdir()
        return place

    def take(self, original: Path, name: str, kind: str, look: Sequence[str], style: str) -> dict[str, Any]:
        """Put a whole original into the list.

        Returns:
            Its row.

        Raises:
            OSError: The disk does not take the note of it.
        """
        job = Job(original.parent.name, name, kind, original.name, tuple(look), style, time.time())
        with self._changed:
            self._write(job)
            self._jobs[job.id] = job
            self._changed.notify_all()
        return self._row(job)

    def forget(self, place: Path) -> None:
        """Delete the folder of an original that did not come as a whole."""
        shutil.rmtree(place, ignore_errors=True)

    def remove(self, name: str) -> bool:
        """Stop a job, if it is under way, and delete all of it. False if there is none of this id."""
        with self._changed:
            if self._jobs.pop(name, None) is None:
                return False
            (self._folder / name / NOTE).unlink(missing_ok=True)
            errand = self._errands.get(name)
        if errand is not None:
            errand.stop()  # its lane deletes the rest
        else:
            self.forget(self._folder / name)
        return True

    def painted(self, name: str) -> Path | None:
        """The painting of a job, if there is one."""
        with self._changed:
            known = name in self._jobs and self._jobs[name].state == "done"
        return next(self._paintings(name), None) if known else None

    def preview(self, name: str) -> Path | None:
        """A picture of a job: a film's latest frame, a photo's painting."""
        with self._changed:
            job = self._jobs.get(name)
        if job is None:
            return None
        if job.kind == "photo":
            return self.painted(name)
        file = self._folder / name / PREVIEW
        return file if file.exists() else None

    def close(self) -> None:
        """Stop for now: what is not finished goes on at the next start."""
        with self._changed:
            self._closing.set()
            errands = list(self._errands.values())
            self._changed.notify_all()
        for errand in errands:
            errand.stop()
        for lane in self._lanes:
            lane.close()
            lane.join()
        self._lock.close()

    def _read(self) -> None:
        """Find the jobs of earlier starts; an upload that was cut off is deleted."""
        for place in self._folder.iterdir():
            if not place.is_dir():
                continue
            if (kept := read_json(place / NOTE)) is None:
                self.forget(place)
                continue
            with suppress(TypeError):  # of a later version, which will know it again
                self._jobs[place.name] = Job(**{**kept, "id": place.name, "look": tuple(kept.get("look", ()))})

    def _paint(self, kind: str) -> Iterator[None]:
        while (job := self._next(kind)) is not None:
            self._carry_out(job)
            yield

    def _next(self, kind: str) -> Job | None:
        """The first job of a kind that waits, once there is one; `None` at the end."""

        def waiting() -> list[Job]:
            found = [job for job in self._jobs.values() if job.kind == kind and job.state == "waiting"]
            return sorted(found, key=lambda job: job.added)

        with self._changed:
            self._changed.wait_for(lambda: self._closing.is_set() or waiting())
            return None if self._closing.is_set() else waiting()[0]

    def _carry_out(self, job: Job) -> None:
        place = self._folder / job.id
        with self._changed:
            if self._closing.is_set() or job.id not in self._jobs:
                return
            errand = self._errands[job.id] = Errand(self._command(job))
            self._note(replace(job, state="painting", version=__version__))
        for event in errand.news():
            self._hear(job.id, event)
        why = errand.end()
        with self._changed:
            del self._errands[job.id]
            if job.id not in self._jobs:
                self.forget(place)
            elif why is None:
                self._note(replace(self._jobs[job.id], state="done", progress={}))
                with suppress(OSError):
                    (place / job.original).unlink()  # it is needed no more
            elif self._closing.is_set():
                self._note(replace(job, version=__version__))
            else:
                words = why.replace(str(place / job.original), job.name).replace(job.original, job.name)
                self._note(replace(job, state="failed", words=words))

    def _command(self, job: Job) -> list[str]:
        place = self._folder / job.id
        command = [COMMANDS[job.kind], str(place / job.original), "-o", f"{place / PAINTED}/", "--skip-existing"]
        command += [*job.look, *self._flags]
        if job.kind == "video":
            command += ["--json", "--preview", str(place / PREVIEW)]
            command += [] if job.version == __version__ else ["--restart"]  # another program might paint otherwise
        return command

    def _hear(self, name: str, event: Mapping[str, Any]) -> None:
        with self._changed:
            job = self._jobs.get(name)
            if job is None:
                return
            if event.get("event") == "begin":
                self._jobs[name] = replace(job, progress={"frame": event["painted_before"], "frames": event["frames"]})
            elif event.get("event") == "progress":
                self._jobs[name] = replace(job, progress={key: value for key, value in event.items() if key != "event"})
            elif event.get("event") == "notice":
                words = str(event["text"]).replace(job.original, job.name).removeprefix(f"{job.name}: ")
                self._jobs[name] = replace(job, words=f"{job.words} {words}".strip())

    def _note(self, job: Job) -> None:
        """Keep a job as it is now, for the next start too."""
        self._jobs[job.id] = job
        with suppress(OSError):  # of a full disk: it stays in the list until the end
            self._write(job)
        self._changed.notify_all()

    def _write(self, job: Job) -> None:
        """What the next start finds: a job under way waits again."""
        kept = replace(job, state="waiting") if job.state == "painting" else job
        write_json(self._folder / job.id / NOTE, asdict(replace(kept, progress={})))

    def _paintings(self, name: str) -> Iterator[Path]:
        place = self._folder / name / PAINTED
        return (path for path in place.glob("*") if path.is_file() and not path.name.startswith("."))

    def _row(self, job: Job) -> dict[str, Any]:
        row: dict[str, Any] = {key: getattr(job, key) for key in ("id", "name", "kind", "style", "state", "words")}
        preview, painted = self.preview(job.id), self.painted(job.id)
        row["preview"] = _version(preview)
        if painted is not None:
            row |= {"size": painted.stat().st_size, "suffix": painted.suffix}
        return row | dict(job.progress)


def _version(file: Path | None) -> int:
    """Another number whenever a file is another; 0 without one."""
    try:
        return 0 if file is None else file.stat().st_mtime_ns // 1_000_000
    except OSError:
        return 0
