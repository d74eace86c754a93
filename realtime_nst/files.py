"""Files as this program writes them: under a draft's name until they are whole, and under a name that is free."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LONGEST_FILE, LONGEST_NAME = 255, 240
"""Bytes of a name that file systems allow, and those that leave room for a folder of segments beside it."""


def draft_of(path: Path) -> Path:
    """The name under which a file grows: hidden, beside it, with its ending, this process's own, and never too long."""
    ending = f".{os.getpid()}.part{path.suffix}"
    stem = os.fsdecode(os.fsencode(path.stem)[: LONGEST_FILE - 1 - len(os.fsencode(ending))])
    return path.with_name(f".{stem}{ending}")


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A name to write a file under, which replaces the file at the end, and is gone after an error.

    Raises:
        OSError: The disk does not allow it.
    """
    draft = draft_of(path)
    try:
        yield draft
        draft.replace(path)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def on_disk(path: Path) -> None:
    """Wait until a file's contents have reached the disk, so that a power cut after a rename cannot empty it."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def free_name(path: Path, taken: Callable[[Path], object] = lambda path: False) -> Path:
    """The name itself, or with a number where there is such a file; shortened where it is too long.

    Args:
        path: The name.
        taken: What else makes a name one that is not free.
    """
    ending = len(f"-000{path.suffix}".encode())
    stem = os.fsdecode(os.fsencode(path.stem)[: LONGEST_NAME - ending])
    path = path if len(os.fsencode(path.name)) <= LONGEST_NAME else path.with_name(f"{stem}{path.suffix}")
    count, free = 2, path
    while free.exists() or taken(free):
        free, count = path.with_name(f"{stem}-{count}{path.suffix}"), count + 1
    return free
