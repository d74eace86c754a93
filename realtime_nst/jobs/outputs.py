"""Names of painted files: which video or photo becomes which, and putting a finished one in its place, with nothing lost."""

import filecmp
import os
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from realtime_nst.errors import SinkError, SourceError
from realtime_nst.jobs.workfolder import being_placed
from realtime_nst.media.containers import CONTAINERS, PIPE, PNG, container_of, numbered, numbers_there
from realtime_nst.media.filekinds import VIDEO_SUFFIXES, left_out, of_the_other_kind
from realtime_nst.media.photofiles import PHOTO_SUFFIXES
from realtime_nst.media.results import check_output

DEFAULT_SUFFIX = ".mp4"


@dataclass(frozen=True)
class Task:
    """One file to paint.

    Args:
        source: The original.
        output: What it becomes.
        error: Why it cannot be painted, where that is known already.
    """

    source: Path
    output: Path
    error: SourceError | None = None


@dataclass(frozen=True)
class Kind:
    """What is painted.

    Args:
        noun: Its name, as in "video".
        suffixes: What counts as such in a folder, where nothing says otherwise.
        becomes: The ending of what an original of some name becomes in a folder, from that name and the container asked for.
    """

    noun: str
    suffixes: Collection[str]
    becomes: Callable[[Path, str | None], str]


def plan_tasks(
    inputs: Sequence[Path],
    output: Path,
    *,
    folder: bool = False,
    pattern: str | None = None,
    recursive: bool = False,
    container: str | None = None,
    kind: Kind | None = None,
    once: bool = False,
) -> list[Task]:
    """Which file becomes which.

    One file becomes `output`, unless that is a folder. Several files, or the videos or photos of a folder, go into the folder
    `output` under their own names, and keep their places below the folder that was named. Where two would get one name
    because their endings change, each keeps its old ending before the new one.

    Args:
        inputs: Files and folders.
        output: A file, a folder, or `-`.
        folder: Whether `output` is meant as a folder, even if it does not exist.
        pattern: Names that are taken from folders, as in `*.mp4`.
        recursive: Also look into the folders of a folder.
        container: Name of the kind of file to write into a folder; `None` keeps the original's where it can be written.
        kind: What is painted; `None` for videos.
        once: Whether a file that is named twice counts once.

    Raises:
        SourceError: The only folder holds nothing to paint.
        SinkError: Several files, and `output` is no folder.
    """
    kind = kind or VIDEOS
    folder = folder or output.is_dir()
    if len(inputs) == 1 and not inputs[0].is_dir() and not folder:
        return [Task(inputs[0], output)]
    found: list[tuple[Path, Path]] = []
    failed: list[Task] = []
    for path in inputs:
        try:
            found += [(path, Path(path.name))] if not path.is_dir() else _in_folder(path, output, pattern, recursive, kind)
        except SourceError as error:
            if len(inputs) == 1:
                raise
            failed.append(Task(path, output, error))
    if once:
        found = _each_once(found)
    if not folder and (str(output) == PIPE or _names_a_file(output)):
        if len(inputs) == 1 and inputs[0].is_dir():
            raise SinkError(
                f"'{inputs[0]}' is a folder, and '{output}' is none. Name a folder for its {kind.noun}s, or name one {kind.noun}."
            )
        count = len(found) + len(failed)
        if once and count == 1:
            return [*(Task(path, output) for path, _ in found), *failed]
        raise SinkError(f"{count} {kind.noun}s need a folder, and '{output}' is none. Name a folder, or one {kind.noun}.")
    return [*(Task(path, output / name) for (path, _), name in zip(found, _names(found, container, kind))), *failed]


def check_task(task: Task, inputs: Sequence[Path], *, overwrite: bool) -> None:
    """Make sure that an output can be written, before any work is done, and that it is none of the inputs.

    Pictures that an interrupted run of the same job has placed are its own; whether they are is seen when they are placed.

    Raises:
        SinkError: It cannot, or must not.
    """
    if str(task.output) == PIPE:
        return
    if container_of(task.output) is not PNG:
        check_output(task.output, sources=inputs, overwrite=overwrite)
        return
    for path in [*numbers_there(task.output).values(), numbered(task.output, 1)]:
        check_output(path, sources=inputs, overwrite=overwrite or being_placed(task.output))


def place(draft: Path, output: Path, *, overwrite: bool) -> None:
    """Give a finished file its name; one that has appeared there meanwhile is replaced only if that was asked for.

    Raises:
        SinkError: There is a file of that name.
    """
    if not overwrite:
        try:
            os.link(draft, output)
        except FileExistsError as error:
            raise _appeared(output) from error
        except OSError:  # a disk without hard links
            if output.exists():
                raise _appeared(output) from None
        else:
            draft.unlink()
            return
    draft.replace(output)


def place_pictures(drafts: Sequence[Path], output: Path, *, overwrite: bool) -> None:
    """Give numbered pictures their names, all or none.

    One that is there already with the very same contents was placed before an interruption.

    Args:
        drafts: The pictures, from number 1.
        output: The name with a place for the number.
        overwrite: Whether others may be replaced.

    Raises:
        SinkError: There is another file of one of these names.
    """
    pairs = [(draft, numbered(output, number)) for number, draft in enumerate(drafts, 1)]
    placed = {path for draft, path in pairs if path.is_file() and filecmp.cmp(draft, path, shallow=False)}
    for _, path in pairs:
        if path.exists() and path not in placed and not overwrite:
            raise _appeared(path)
    for draft, path in pairs:
        place(draft, path, overwrite=overwrite or path in placed)


def _appeared(output: Path) -> SinkError:
    return SinkError(f"'{output}' has appeared meanwhile. Rename it, and repeat the command: nothing is painted twice.")


def _names_a_file(output: Path) -> bool:
    """Whether a name is that of a video or photo rather than of a folder: `Painted.v2` is none."""
    known = [suffix for container in CONTAINERS for suffix in container.suffixes]
    return output.is_file() or output.suffix.lower() in (*known, *VIDEO_SUFFIXES, *PHOTO_SUFFIXES)


def _names(found: Sequence[tuple[Path, Path]], container: str | None, kind: Kind) -> list[Path]:
    """Names of outputs, each once; what a file is called does not depend on the order."""
    wanted = [place.with_suffix(kind.becomes(place, container)) for _, place in found]
    often = Counter(str(name).casefold() for name in wanted)
    taken: set[str] = set()
    names = []
    for (_, place), name in zip(found, wanted):
        suffix = name.suffix
        if (often[str(name).casefold()] > 1 and place != name) or str(name).casefold() in taken:
            name = place.with_name(f"{place.name}{suffix}")
        count = 2
        while str(name).casefold() in taken:
            name, count = place.with_name(f"{place.stem}-{count}{suffix}"), count + 1
        taken.add(str(name).casefold())
        names.append(name)
    return names


def _in_folder(folder: Path, output: Path, pattern: str | None, recursive: bool, kind: Kind) -> list[tuple[Path, Path]]:
    found = []
    for root, folders, names in os.walk(folder):
        here = Path(root)
        folders[:] = (
            sorted(name for name in folders if not name.startswith(".") and not _same(here / name, output)) if recursive else []
        )
        for name in sorted(names):
            taken = fnmatch(name.lower(), pattern.lower()) if pattern else Path(name).suffix.lower() in kind.suffixes
            if taken and not name.startswith("."):
                found.append((here / name, (here / name).relative_to(folder)))
    if not found:
        unread = left_out(folder, "photo", recursive=recursive) if kind.noun == "photo" and not pattern else ""
        deeper = "" if recursive or not _has_folders(folder) else " Add --recursive to look into its folders."
        other = of_the_other_kind(folder, kind.noun, recursive=recursive)
        matching = f" that matches {pattern}" if pattern else ""
        raise SourceError(f"No {kind.noun} in '{folder}'{matching}.{unread and ' '}{unread}{other or deeper}")
    return found


def _each_once(found: Sequence[tuple[Path, Path]]) -> list[tuple[Path, Path]]:
    """Files as they are named first; links that lead to one file are files of their own."""
    first: dict[tuple[str, str], tuple[Path, Path]] = {}
    for path, place in found:
        first.setdefault((os.path.realpath(path.parent), path.name), (path, place))
    return list(first.values())


def _has_folders(folder: Path) -> bool:
    _, folders, _ = next(os.walk(folder), ("", [], []))
    return any(not name.startswith(".") for name in folders)


def _suffix(name: Path, container: str | None) -> str:
    for known in CONTAINERS:
        if container == known.name or (container is None and known is not PNG and name.suffix.lower() in known.suffixes):
            return name.suffix if name.suffix.lower() in known.suffixes else known.suffixes[0]
    return DEFAULT_SUFFIX


VIDEOS = Kind("video", VIDEO_SUFFIXES, _suffix)


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False
