"""Small files that come out of a command: whether they may be written, told before any work; then whole or not at all."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from realtime_nst.errors import SinkError
from realtime_nst.files import draft_of, whole

UNITS = {"GB": 1e9, "MB": 1e6, "kB": 1e3}


def ending(path: Path) -> str:
    """What a message says about the end of a name."""
    return f"ends in '{path.suffix}'" if path.suffix else "has no ending"


def amount(size: float) -> str:
    """Bytes as a message says them."""
    return next((f"{size / unit:.1f} {name}" for name, unit in UNITS.items() if size >= unit), f"{size:.0f} bytes")


def check_output(path: Path, *, sources: Sequence[Path] = (), overwrite: bool = False) -> None:
    """Make sure that a file of this name can be written, and that nothing is lost by it.

    Args:
        path: The file to write.
        sources: Files that are read; it must be another one.
        overwrite: Whether an existing file may be replaced.

    Raises:
        SinkError: It cannot, or must not.
    """
    try:
        if path.exists() and any(source.exists() and path.samefile(source) for source in sources):
            raise SinkError(f"Input and output are the same file, '{path}'. Choose another name or folder for the output.")
        if path.is_dir():
            raise SinkError(f"'{path}' is a folder; the name of a file was expected.")
        if os.path.lexists(path) and not overwrite:
            raise SinkError(f"'{path}' exists. Add --overwrite to replace it, or choose another name.")
        if not path.parent.is_dir():
            raise SinkError(f"No folder '{path.parent}' for '{path.name}'. Create it, or choose another place.")
        probe = draft_of(path)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise SinkError(f"'{path}' cannot be written: {error.strerror}. Choose another place or name.") from error


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """`files.whole`, whose errors are those of a command.

    Raises:
        SinkError: The disk does not allow it.
    """
    try:
        with whole(path) as draft:
            yield draft
    except OSError as error:
        raise SinkError(
            f"'{path}' was not written: {error.strerror or error}. Free the disk, or choose another place."
        ) from error
