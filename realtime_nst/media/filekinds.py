"""What files are, without asking ffmpeg: there and readable, videos by their names in folders, anything by their first bytes."""

import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from realtime_nst.errors import SourceError
from realtime_nst.media.addresses import mask
from realtime_nst.media.photofiles import HEIC_SUFFIXES, PHOTO_SUFFIXES, RAW_SUFFIXES, files_below, what_to_convert

VIDEO_SUFFIXES = frozenset(
    {
        *(".264", ".265", ".360", ".3g2", ".3gp", ".3gp2", ".3gpp", ".amv", ".apng", ".asf", ".avc", ".avi", ".bik", ".bk2"),
        *(".dav", ".dif", ".divx", ".dv", ".evo", ".f4v", ".flv", ".gif", ".gxf", ".h264", ".h265", ".hevc", ".insv", ".ismv"),
        *(".ivf", ".lrf", ".lrv", ".m1v", ".m2p", ".m2t", ".m2ts", ".m2v", ".m4v", ".mjpeg", ".mjpg", ".mk3d", ".mkv", ".mod"),
        *(".mov", ".mp4", ".mp4v", ".mpe", ".mpeg", ".mpg", ".mpv", ".mts", ".mxf", ".nut", ".obu", ".ogm", ".ogv", ".qt", ".rm"),
        *(".rmvb", ".roq", ".smk", ".tod", ".tp", ".trp", ".ts", ".vob", ".vro", ".webm", ".wmv", ".wtv", ".xvid", ".y4m"),
    }
)
"""What counts as a video in a folder, where nothing says otherwise: all that ffmpeg reads and nothing else is called."""
HEAD, HEAD_OF_PNG = 1 << 12, 1 << 20
"""Bytes that say what a file is; that a PNG moves may come behind profiles and remarks."""
PNG = b"\x89PNG\r\n"
BYTES = (
    ("macOS", rb"\x00\x05\x16[\x00\x07]"),
    ("photo", rb"\xff\xd8\xff|BM.{4}\x00{4}|II[*\x55]\x00|MM\x00[*\x55]|8BPS\x00|P[4-7]\s|\x00\x00\x01\x00[\x01-\xff]\x00"),
    ("photo", rb".{4}ftyp(?:avif|heic|heix|heim|heis|mif1|crx )|\x00\x00\x00\x0c(?:jP|JXL) |\xff\x0a|RIFF.{4}WEBPVP8[ L]"),
    ("sound", rb"ID3[\x02-\x04]|\xff[\xf1-\xf3\xf9-\xfb]|fLaC|RIFF.{4}WAVE|FORM.{4}AIF|#!AMR|.{4}ftypM4[AB]|MThd"),
    ("sound", rb"OggS.{24,30}(?:\x01vorbis|OpusHead|\x7fFLAC)"),
    ("video", rb"GIF8|.{4}(?:ftyp|moov|mdat|wide|free|skip|pnot|RED[12])|\x1a\x45\xdf\xa3|RIFF.{4}(?:AVI |CDXA)|FLV\x01|\.RMF"),
    ("video", rb"\x00\x00\x01[\xba\xb3]|G.{187}G.{187}G|.{4}G.{191}G.{191}G|\x06\x0e\x2b\x34|\x1f\x07\x00|\x30\x26\xb2\x75|OggS"),
    ("video", rb"YUV4MPEG2|DKIF|\xb7\xd8\x00\x20|\x00\x00\x00?\x01[\x09\x27\x40\x46\x47\x67]"),
    ("PDF", rb"%PDF-"),
    ("archive", rb"PK\x03\x04|Rar!\x1a|7z\xbc\xaf|\x1f\x8b|\xfd7zXZ|BZh"),
)
"""Kinds of files, and how they begin; the first that fits counts."""
WORDS = (
    ("film", rb"\s*(?:#EXTM3U.*#EXT-X-|ffconcat|v=0\s|<\?xml.*<MPD)"),
    ("playlist", rb"(?i)\s*(?:#EXTM3U|\[playlist\]|<asx|<\?xml.*<(?:playlist|smil|asx))"),
    ("web page", rb"(?i)\s*(?:<!doctype html|<html)"),
    ("drawing", rb"(?i)\s*(?:<\?xml.*)?<svg[\s>]"),
    ("photo", rb"P[1-3]\s+\d|#define \w+_width"),
    ("PDF", rb"%PDF-"),
    ("text", rb""),
)
"""Likewise of those that hold words. A "film" is one that ffmpeg plays."""
INSTEAD = {
    "macOS": "it is what macOS keeps beside a file. Name that file, without the '._'",
    "sound": "it is sound and no picture. Choose a file with pictures",
    "PDF": "it is a PDF. Save its pages as pictures; `realtime-nst image` paints those",
    "archive": "it is an archive. Unpack it first",
    "playlist": "it is a playlist, which only names other files. Give those",
    "web page": "it is a web page. Save what it shows, and give that file",
    "drawing": "it is a drawing (SVG). Save it as a PNG; `realtime-nst image` paints that",
    "text": "it is a text. Choose another file",
}
"""What is said of them, and what to do."""
OTHERWISE = {
    ("photo", ".mjpeg"): "video",
    ("photo", ".mjpg"): "video",
    ("text", ".m3u"): "playlist",
    ("text", ".m3u8"): "playlist",
}
"""What the ending of a name says beyond that."""
NO_SIGN = (".tga", ".pcx")
"""Photos whose first bytes say nothing."""
LEFT_OUT = {
    "video": ", because they do not end as videos do: {}. Give them by name, or by --pattern.",
    "photo": ": {}, which cannot be read here. Save them as JPEG first.",
}
"""What is said of those that are not taken with their folder, and what to do."""
NAMED = 3
DEVICES = Path("/dev")


def kind_of(path: Path) -> str:
    """What a file is by its first bytes: "video", "photo", one of `INSTEAD`, "film" for a text that ffmpeg plays, or empty.

    Animated pictures are videos.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
            head += file.read(HEAD_OF_PNG) if head.startswith(PNG) else b""
    except OSError:
        return ""
    if head.startswith(PNG):
        return "video" if b"acTL" in head.partition(b"IDAT")[0] else "photo"
    if re.match(rb"RIFF.{4}WEBPVP8X", head, re.DOTALL):
        return "video" if head[20:21] and head[20] & 2 else "photo"
    for kind, begins in WORDS if _reads(head) else BYTES:
        if re.match(begins, head, re.DOTALL):
            return OTHERWISE.get((kind, path.suffix.lower()), kind)
    return "photo" if path.suffix.lower() in NO_SIGN else ""


def check_file(path: Path) -> None:
    """Make sure that a file is there and not empty.

    Raises:
        SourceError: It is not; the message names what lies beside it.
    """
    try:
        if path.is_dir():
            videos = of_the_other_kind(path, "photo", recursive=False)
            raise SourceError(f"'{path}' is a folder; a file was expected.{videos}")
        if not path.exists():
            if (scheme := path.parts[0])[-1] == ":" and len(scheme) > 2:  # a path has one slash less than the address
                address = f"{scheme}//{'/'.join(path.parts[1:])}"
                raise SourceError(f"'{mask(address)}' is an address, and a file was expected. Save it first, and give that file.")
            raise SourceError(f"No file at '{path}'. {_beside(path)}")
        if path.is_char_device() or path.is_block_device():
            raise SourceError(f"'{path}' is a device, and a file was expected. {_as_camera(path)}")
        if path.is_fifo():
            raise SourceError(f"'{path}' is a pipe, which can be read only once; a file was expected. Save it first.")
        if path.stat().st_size == 0:
            raise SourceError(f"'{path}' is empty (0 bytes). Copy or record it again.")
        if not os.access(path, os.R_OK):
            raise SourceError(f"'{path}' cannot be read: Permission denied. Check its rights.")
    except OSError as error:
        raise SourceError(f"'{path}' cannot be read: {error.strerror}. Check the name and its rights.") from error


def _beside(path: Path) -> str:
    """What a folder holds that could have been meant, for the message about a file that is not in it."""
    folder, suffix = path.parent, path.suffix.lower()
    if not folder.is_dir():
        return f"There is no folder '{folder}'."
    if folder == DEVICES:
        return _as_camera(path)
    kinds = [kind for kind in (VIDEO_SUFFIXES, PHOTO_SUFFIXES) if suffix in kind]
    there = sorted(file for file in folder.iterdir() if not file.name.startswith("."))
    files = [file for file in there if file.is_file()]
    names = [file.name for file in files if not kinds or any(file.suffix.lower() in kind for kind in kinds)]
    if names:
        return f"The folder holds: {_first(names)}."
    if there and all(file.is_dir() for file in there):
        return f"The folder holds only folders: {_first([file.name for file in there])}."
    return "The folder holds nothing of that kind." if there else "The folder is empty."


def _first(names: list[str]) -> str:
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")


def _as_camera(path: Path) -> str:
    return f"If it is a camera, `realtime-nst webcam --camera {path}` shows and records it."


def check_film(path: Path, name: str = "") -> None:
    """Make sure that a file is nothing that is known to be no video.

    Args:
        path: The file.
        name: Its address, if it was fetched from one.

    Raises:
        SourceError: It is.
    """
    kind, first = kind_of(path), "Save it first; " if name else ""
    name = name or str(path)
    if kind in ("photo", "") and (words := _to_convert(path)):
        raise SourceError(f"'{name}' is {words} `realtime-nst image` paints photos.")
    if kind == "photo":
        raise SourceError(f"'{name}' is a photo, and a video was expected. {first}`realtime-nst image` paints photos.")
    if kind in INSTEAD:
        raise SourceError(f"'{name}' holds no video that can be read: {INSTEAD[kind]}.")


def no_photo(path: Path) -> SourceError:
    """The error for a file that no reader of photos understands."""
    kind = kind_of(path)
    if kind in ("video", "film"):
        return SourceError(f"'{path}' is a video, and a photo was expected. `realtime-nst video` paints videos.")
    why = f": {INSTEAD[kind]}." if kind in INSTEAD else ". JPEG, PNG, WebP and others of Pillow's are."
    return SourceError(f"'{path}' is not a picture that can be read{why}")


def left_out(folder: Path, noun: str, *, recursive: bool = True) -> str:
    """What in a folder is a "video" or a "photo" and is not taken with it, in words; nothing where there is none."""
    files = files_below(folder, recursive=recursive)
    some = _not_called_so(files) if noun == "video" else _unreadable(files)
    return f"Left out in '{folder}'{LEFT_OUT[noun].format(some)}" if some else ""


def of_the_other_kind(folder: Path, noun: str, *, recursive: bool) -> str:
    """For the message that a folder has no "video" or no "photo": what it has of the other, and what paints it."""
    other, command = ("photo", "image") if noun == "video" else ("video", "video")
    found = _of_kind(other, files_below(folder, recursive=recursive))
    count = len([path for path in found if other == "video" or not _to_convert(path)])
    those = other if count == 1 else f"{other}s"
    if found and not count:
        return " Its photos have to be saved as JPEG first; `realtime-nst image` paints those."
    return f" It holds {count} {those}; `realtime-nst {command}` paints {other}s." if count else ""


def _to_convert(path: Path) -> str:
    """What `what_to_convert` says; nothing of what cannot be read at all."""
    try:
        return what_to_convert(path)
    except OSError:
        return ""


def _not_called_so(files: Iterable[Path]) -> str:
    """The first of those that are videos by their bytes and not by their names."""
    found = [path.name for path in _of_kind("video", files) if path.suffix.lower() not in VIDEO_SUFFIXES]
    return ", ".join(found[:NAMED]) + (f" and {len(found) - NAMED} more" if len(found) > NAMED else "")


def _unreadable(files: Iterable[Path]) -> str:
    """How many there are of each kind of photo that cannot be read here."""
    counts = Counter(path.suffix.lower() for path in files)
    return ", ".join(f"{counts[suffix]} {suffix}" for suffix in sorted(RAW_SUFFIXES | HEIC_SUFFIXES) if counts[suffix])


def _of_kind(kind: str, files: Iterable[Path]) -> list[Path]:
    return [path for path in files if path.is_file() and kind_of(path) == kind]


def _reads(head: bytes) -> bool:
    """Whether bytes are words; the last letter may be cut."""
    try:
        text = head.decode("utf-8-sig", "strict" if len(head) < HEAD else "ignore")
    except UnicodeDecodeError:
        return False
    return bool(text) and all(letter.isprintable() or letter.isspace() for letter in text)
