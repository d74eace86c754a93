"""Which tracks of an MP4 or QuickTime file are encrypted: ffmpeg does not say, and decodes noise."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO

LOCKED = frozenset({b"encv", b"enca", b"enct", b"encs", b"drmi", b"drms"})
"""What stands in place of the codec: the first four of Common Encryption, the others of films and music from a shop."""
WAY = (b"mdia", b"minf", b"stbl", b"stsd")
"""Boxes in each other, from that of a track to that which names its codecs."""
NAMES_BEGIN = 8
"""Bytes of the last of them before the first codec."""


def locked_tracks(path: Path) -> frozenset[int]:
    """Numbers, as the file itself has them, of its encrypted tracks."""
    found: set[int] = set()
    with path.open("rb") as file:
        end = path.stat().st_size
        for kind, begin, after in _boxes(file, 0, end):
            if kind == b"moov":
                tracks = [(start, stop) for inner, start, stop in _boxes(file, begin, after) if inner == b"trak"]
                found.update(_number(file, *track) for track in tracks if _codecs(file, *track) & LOCKED)
    return frozenset(found)


def _codecs(file: IO[bytes], begin: int, end: int) -> set[bytes]:
    """What a track says that it is encoded with."""
    for step in WAY:
        begin, end = next(((start, stop) for kind, start, stop in _boxes(file, begin, end) if kind == step), (end, end))
    return {kind for kind, _, _ in _boxes(file, begin + NAMES_BEGIN, end)}


def _number(file: IO[bytes], begin: int, end: int) -> int:
    start = next((start for kind, start, _ in _boxes(file, begin, end) if kind == b"tkhd"), end)
    file.seek(start)
    head = file.read(24)
    place = 20 if head[:1] == b"\1" else 12  # after two dates, of eight bytes each in the newer version
    return int.from_bytes(head[place : place + 4], "big")


def _boxes(file: IO[bytes], begin: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, begin and end of the contents of each box in a part of a file."""
    while begin + 8 <= end:
        file.seek(begin)
        head = file.read(16)
        size, inside = int.from_bytes(head[:4], "big"), begin + 8
        if size == 1:
            size, inside = int.from_bytes(head[8:16], "big"), begin + 16
        after = end if size == 0 else begin + size
        if not inside <= after <= end:
            return  # cut short, or no box at all
        yield head[4:8], inside, after
        begin = after
