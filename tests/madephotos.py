"""Picture files made by hand, of kinds that Pillow reads and does not write."""

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

GREY, COLOUR, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 4, 6  # kinds of PNG
THUMBNAIL, PHOTOMETRIC, ORIENTATION, EXTRA = 254, 262, 274, 338  # tags of TIFF
CMYK, CFA = 5, 32803


def png(samples: np.ndarray, kind: int, depth: int, clear: Sequence[int] = ()) -> bytes:
    """A PNG.

    Args:
        samples: Whole numbers, `(height, width)` or with channels behind.
        kind: See above.
        depth: Bits of each.
        clear: The grey or colour that is transparent.
    """

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    height, width = samples.shape[:2]
    rows = samples.reshape(height, -1)
    if depth == 16:
        lines = [row.astype(">u2").tobytes() for row in rows]
    else:
        bits = (rows[..., None] >> np.arange(depth)[::-1] & 1).astype(np.uint8)
        lines = [np.packbits(row).tobytes() for row in bits.reshape(height, -1)]
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))
        + (chunk(b"tRNS", struct.pack(f">{len(clear)}H", *clear)) if clear else b"")
        + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + line for line in lines)))
        + chunk(b"IEND", b"")
    )


@dataclass
class Page:
    """A page of a TIFF.

    Args:
        samples: Of any type, `(height, width)` or with channels behind.
        tags: Others than those that follow from it; numbers or bytes.
        below: Pages in its own directory of directories.
        apart: Whether each channel lies in a plane of its own, in two strips, and not each pixel's channels together.
        packed: Whether they are compressed.
    """

    samples: np.ndarray
    tags: Mapping[int, Sequence[int] | bytes] = field(default_factory=dict)
    below: Sequence["Page"] = ()
    apart: bool = False
    packed: bool = False


def tiff(*pages: Page, order: Literal["<", ">"] = "<") -> bytes:
    """A TIFF of pages, with the low or the high bytes of its numbers first."""
    file = bytearray({"<": b"II*\0", ">": b"MM\0*"}[order] + bytes(4))

    def store(content: bytes) -> int:
        place = len(file)
        file.extend(content + b"\0" * (len(content) % 2))
        return place

    def add(page: Page, after: int) -> int:
        height, width = page.samples.shape[:2]
        channels = page.samples.size // (height * width)
        samples = page.samples.astype(page.samples.dtype.newbyteorder(order)).reshape(height, width, channels)
        strips = [half[..., channel] for channel in range(channels) for half in np.split(samples, 2)] if page.apart else [samples]
        raw = [zlib.compress(strip.tobytes()) if page.packed else strip.tobytes() for strip in strips]
        tags: dict[int, Sequence[int] | bytes] = {256: [width], 257: [height], 259: [8 if page.packed else 1], 277: [channels]}
        tags |= {278: [height // 2], 284: [2]} if page.apart else {278: [height]}
        tags |= {258: [8 * page.samples.itemsize] * channels, 339: [{"u": 1, "i": 2, "f": 3}[page.samples.dtype.kind]] * channels}
        tags |= {PHOTOMETRIC: [2 if channels > 2 else 1], 273: list(map(store, raw)), 279: list(map(len, raw)), **page.tags}
        if channels in (2, 4) and tags[PHOTOMETRIC] != [CMYK]:
            tags.setdefault(EXTRA, [2])
        if page.below:
            tags[330] = [add(other, 0) for other in page.below]
        entries = b""
        for tag, values in sorted(tags.items()):
            kind, content = (1, values) if isinstance(values, bytes) else (4, struct.pack(f"{order}{len(values)}I", *values))
            count = len(values)
            value = content.ljust(4, b"\0") if len(content) <= 4 else struct.pack(f"{order}I", store(content))
            entries += struct.pack(f"{order}HHI", tag, kind, count) + value
        return store(struct.pack(f"{order}H", len(tags)) + entries + struct.pack(f"{order}I", after))

    first = 0
    for page in reversed(pages):
        first = add(page, first)
    file[4:8] = struct.pack(f"{order}I", first)
    return bytes(file)
