"""Which files are photos: by their names in folders, and by their first bytes which cannot be read here. Opens no picture."""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

PHOTO_SUFFIXES = frozenset(
    {
        *(".apng", ".avif", ".bmp", ".dib", ".gif", ".j2k", ".jfif", ".jif", ".jp2", ".jpe", ".jpeg", ".jpg", ".mpo", ".pbm"),
        *(".pgm", ".png", ".pnm", ".ppm", ".tga", ".tif", ".tiff", ".webp"),
    }
)
"""What counts as a photo in a folder."""
RAW_SUFFIXES = frozenset(
    {
        *(".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".iiq", ".kdc", ".mef", ".mos", ".mrw", ".nef"),
        *(".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f"),
    }
)
HEIC_SUFFIXES = frozenset({".heic", ".heif", ".hif"})
RAW_BEGINNINGS = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FOVb", b"\0MRM")
HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
TIFF_BEGINNINGS = (b"II*\0", b"MM\0*")
PICTURE_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"BM", *TIFF_BEGINNINGS)
PHOTOMETRIC, SUB_DIRECTORIES, DNG_VERSION = 262, 330, 50706  # tags of TIFF
SENSOR_VALUES = (32803, 34892)  # photometric interpretations: through a colour filter, and with three colours each
MOST_DIRECTORIES = 64


def is_photo(path: Path) -> bool:
    """Whether a file in a folder counts as a photo, by its name: hidden ones, which some systems leave there, do not."""
    return path.suffix.lower() in PHOTO_SUFFIXES and not path.name.startswith(".")


def photos_below(folder: Path) -> list[Path]:
    """Photos below a folder, in the order of their names, without what is hidden."""
    return sorted(path for path in files_below(folder) if is_photo(path))


def files_below(folder: Path, *, recursive: bool = True) -> Iterator[Path]:
    """What lies in a folder and, if wished, below it, in the order of names folder by folder, without what is hidden."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if recursive and not name.startswith("."))
        yield from (Path(root) / name for name in sorted(names) if not name.startswith("."))


def what_to_convert(path: Path) -> str:
    """What a photo is that has to be converted before it can be read here, and what to do; nothing for any other file.

    Raises:
        OSError: It cannot be read.
    """
    if is_raw(path):
        return (
            "a camera's raw file, which has to be developed first. Save it as JPEG or TIFF with the camera's program, or another "
            "one for raw files, and take that."
        )
    return "a HEIC photo, which cannot be read here. Save or export it as JPEG, and take that." if is_heic(path) else ""


def is_raw(path: Path) -> bool:
    """Whether a file is what a camera's sensor has seen, before it became a picture.

    Most of these are TIFFs whose first directory is a small preview, which any reader would take for the picture.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(16)
        if start.startswith(RAW_BEGINNINGS) or start[6:14] == b"HEAPCCDR" or start[4:12] == b"ftypcrx ":
            return True
        if start[:4] not in TIFF_BEGINNINGS:
            return False
        if path.suffix.lower() in RAW_SUFFIXES or start[8:10] == b"CR":
            return True
        return any(
            DNG_VERSION in directory or any(kind in SENSOR_VALUES for kind in directory.get(PHOTOMETRIC, ()))
            for directory in tiff_directories(file)
        )


def is_heic(path: Path) -> bool:
    """Whether a file is a photo in the format of newer phones. AVIF shares its general brands, but can be read.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(64)
    length = int.from_bytes(start[:4], "big")
    brands = {start[place : place + 4] for place in (8, *range(16, min(length, len(start)), 4))}
    return start[4:8] == b"ftyp" and bool(brands & HEIC_BRANDS) and not brands & {b"avif", b"avis"}


def is_tiff(path: Path) -> bool:
    """Whether a file is a TIFF that has a directory, whatever is in it.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        return file.read(4) in TIFF_BEGINNINGS and any(tiff_directories(file))


def begins_as_picture(path: Path) -> bool:
    """Whether a file begins as pictures do, whatever comes then.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(16)
    return start.startswith(PICTURE_BEGINNINGS) or start[8:12] == b"WEBP" or start[4:12] in (b"ftypavif", b"ftypavis")


def tiff_directories(file: BinaryIO) -> Iterator[dict[int, tuple[int, ...]]]:
    """Whole numbers by tag, for each directory of a TIFF: its pages, and those below them. Damaged ones are passed over."""
    file.seek(0)
    order = "<" if file.read(4)[:2] == b"II" else ">"
    waiting, seen = [_long(file, order)], set[int]()
    while waiting and len(seen) < MOST_DIRECTORIES:
        place = waiting.pop(0)
        if place and place not in seen:
            seen.add(place)
            try:
                directory, after = _directory(file, order, place)
            except (struct.error, OSError, OverflowError):
                continue
            waiting += [after, *directory.get(SUB_DIRECTORIES, ())]
            yield directory


def _directory(file: BinaryIO, order: str, place: int) -> tuple[dict[int, tuple[int, ...]], int]:
    file.seek(place)
    (count,) = struct.unpack(f"{order}H", file.read(2))
    entries = [struct.unpack(f"{order}HHI4s", file.read(12)) for _ in range(count)]
    after = _long(file, order)
    directory = {}
    for tag, kind, length, value in entries:
        letter = {1: "B", 3: "H", 4: "I", 13: "I"}.get(kind)
        if letter and length <= MOST_DIRECTORIES:
            size = length * struct.calcsize(letter)
            if size > len(value):
                file.seek(struct.unpack(f"{order}I", value)[0])
                value = file.read(size)
            directory[tag] = struct.unpack(f"{order}{length}{letter}", value[:size])
    return directory, after


def _long(file: BinaryIO, order: str) -> int:
    raw = file.read(4)
    return int(struct.unpack(f"{order}I", raw)[0]) if len(raw) == 4 else 0
