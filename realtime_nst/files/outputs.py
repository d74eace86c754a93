"""Names of painted videos: which file becomes which, and putting a finished one in its place so that nothing is lost."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from realtime_nst.errors import SinkError, SourceError
from realtime_nst.files.containers import CONTAINERS, PIPE, PNG, container_of, numbered
from realtime_nst.results import check_output

VIDEO_SUFFIXES = frozenset(
    {
        *(".3gp", ".asf", ".avi", ".divx", ".f4v", ".flv", ".gif", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg"),
        *(".mts", ".mxf", ".ogm", ".ogv", ".ts", ".vob", ".webm", ".wmv"),
    }
)
"""What counts as a video in a folder, where no pattern says otherwise."""
DEFAULT_SUFFIX = ".mp4"


@dataclass(frozen=True)
class Task:
    """One file to paint.

    Args:
        source: The original.
        output: What it becomes.
    """

    source: Path
    output: Path


def plan_tasks(
    inputs: Sequence[Path],
    output: Path,
    *,
    pattern: str | None = None,
    recursive: bool = False,
    container: str | None = None,
) -> list[Task]:
    """Which file becomes which.

    One file becomes `output`, unless that is a folder. Several files, or the videos of a folder, go into the folder
    `output` under their own names, and keep their places below the folder that was named.

    Args:
        inputs: Files and folders.
        output: A file, a folder, or `-`.
        pattern: Names that are taken from folders, as in `*.mp4`.
        recursive: Also look into the folders of a folder.
        container: Name of the kind of file to write into a folder; `None` keeps the original's where it can be written.

    Raises:
        SourceError: A folder holds no video.
        SinkError: Several files, and `output` is no folder.
    """
    if len(inputs) == 1 and not inputs[0].is_dir() and not output.is_dir():
        return [Task(inputs[0], output)]
    found: list[tuple[Path, Path]] = []
    for path in inputs:
        found += [(path, Path(path.name))] if not path.is_dir() else _in_folder(path, output, pattern, recursive)
    if str(output) == PIPE or (output.suffix and not output.is_dir()) or output.is_file():
        if len(inputs) == 1 and inputs[0].is_dir():
            raise SinkError(
                f"'{inputs[0]}' is a folder, and '{output}' is none. Name a folder for its videos, or name one video."
            )
        raise SinkError(f"{len(found)} videos need a folder, and '{output}' is none. Name a folder, or one video.")
    tasks: list[Task] = []
    taken: set[str] = set()
    for path, place in found:
        suffix = _suffix(place, container)
        name = place.with_suffix(suffix)
        if str(name).casefold() in taken:  # a.mov beside a.mp4
            name = place.with_name(f"{place.name}{suffix}")
        count = 2
        while str(name).casefold() in taken:
            name, count = place.with_name(f"{place.stem}-{count}{suffix}"), count + 1
        taken.add(str(name).casefold())
        tasks.append(Task(path, output / name))
    return tasks


def check_task(task: Task, inputs: Sequence[Path], *, overwrite: bool) -> None:
    """Make sure that an output can be written, before any work is done, and that it is none of the inputs.

    Raises:
        SinkError: It cannot, or must not.
    """
    if str(task.output) == PIPE:
        return
    container = container_of(task.output)
    first = numbered(task.output, 1) if container is PNG else task.output
    for path in inputs:
        try:
            same = first.exists() and path.is_file() and first.samefile(path)
        except OSError:
            same = False
        if same:
            raise SinkError(f"Input and output are the same file, '{first}'. Choose another name for the output.")
    check_output(first, overwrite=overwrite)


def place(draft: Path, output: Path, *, overwrite: bool) -> None:
    """Give a finished file its name; one that has appeared there meanwhile is replaced only if that was asked for.

    Raises:
        SinkError: There is a file of that name.
    """
    if not overwrite:
        try:
            os.link(draft, output)
        except FileExistsError as error:
            raise SinkError(
                f"'{output}' has appeared meanwhile. Rename it, and repeat the command: nothing is painted twice."
            ) from error
        except OSError:  # a disk without hard links
            if output.exists():
                raise SinkError(f"'{output}' has appeared meanwhile. Rename it, and repeat the command.") from None
        else:
            draft.unlink()
            return
    draft.replace(output)


def free_name(path: Path) -> Path:
    """The name itself, or with a number where there is such a file."""
    count, free = 2, path
    while free.exists():
        free, count = path.with_name(f"{path.stem}-{count}{path.suffix}"), count + 1
    return free


def _in_folder(folder: Path, output: Path, pattern: str | None, recursive: bool) -> list[tuple[Path, Path]]:
    found = []
    for root, folders, names in os.walk(folder):
        here = Path(root)
        folders[:] = (
            sorted(name for name in folders if not name.startswith(".") and not _same(here / name, output)) if recursive else []
        )
        for name in sorted(names):
            taken = fnmatch(name.lower(), pattern.lower()) if pattern else Path(name).suffix.lower() in VIDEO_SUFFIXES
            if taken and not name.startswith("."):
                found.append((here / name, (here / name).relative_to(folder)))
    if not found:
        deeper = "" if recursive else " Add --recursive to look into its folders."
        raise SourceError(f"No video in '{folder}'{f' that matches {pattern}' if pattern else ''}.{deeper}")
    return found


def _suffix(name: Path, container: str | None) -> str:
    for known in CONTAINERS:
        if container == known.name or (container is None and known is not PNG and name.suffix.lower() in known.suffixes):
            return name.suffix if name.suffix.lower() in known.suffixes else known.suffixes[0]
    return DEFAULT_SUFFIX


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False
