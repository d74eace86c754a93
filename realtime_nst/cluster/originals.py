"""`Original`: a film that is read by many machines: from where all of them see it, or from a copy that came in pieces."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PIECE = 8 << 20
"""Bytes of a piece on its way to a worker."""
LOOKED_AT, LOOKS = 1 << 16, 16
"""Bytes that are compared at a place, and the places."""


@dataclass(frozen=True)
class Original:
    """A film by its contents.

    Args:
        path: Where the client has it.
        size: Bytes.
        check: Hash of its size and of pieces all over it.
    """

    path: str
    size: int
    check: str

    @classmethod
    def of(cls, path: Path) -> "Original":
        """That of a file."""
        size, check = _known_by(path)
        return cls(str(path.absolute()), size, check)

    def is_at(self, path: Path) -> bool:
        """Whether a file is this film."""
        with suppress(OSError):
            return path.is_file() and _known_by(path) == (self.size, self.check)
        return False

    def found(self, folder: Path) -> Path | None:
        """Where it can be read: at the same path as on the client, or in a folder of copies."""
        copy = self._copy(folder)
        return next((path for path in (Path(self.path), copy) if self.is_at(path)), None)

    def pieces(self) -> Iterator[tuple[int, bytes]]:
        """All of it: places and bytes."""
        with Path(self.path).open("rb") as file:
            while data := file.read(PIECE):
                yield file.tell() - len(data), data

    def keep(self, folder: Path, place: int, data: bytes) -> None:
        """Keep a piece of it in a folder of copies; they come in order."""
        copy = self._copy(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        with copy.open("r+b" if place else "wb") as file:
            file.seek(place)
            file.write(data)
            file.truncate()

    def forget(self, folder: Path) -> None:
        """Delete its copy."""
        with suppress(OSError):
            self._copy(folder).unlink()

    def _copy(self, folder: Path) -> Path:
        return folder / self.check[:16] / "film"


def _known_by(path: Path) -> tuple[int, str]:
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for look in range(LOOKS):
            file.seek(look * max(0, size - LOOKED_AT) // (LOOKS - 1))
            digest.update(file.read(LOOKED_AT))
    return size, digest.hexdigest()
