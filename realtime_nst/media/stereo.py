"""3D: two views in one picture. What ffmpeg says of them, and how a file of each kind can say it.

Names of layouts are those of Matroska's `StereoMode`, as ffmpeg has them: `left_right` and so on.
"""

import re

LAYOUTS = {
    "side by side": ("left_right", "right_left"),
    "top and bottom": ("top_bottom", "bottom_top"),
    "checkerboard": ("checkerboard_lr", "checkerboard_rl"),
    "interleaved lines": ("row_interleaved_lr", "row_interleaved_rl"),
    "interleaved columns": ("col_interleaved_lr", "col_interleaved_rl"),
    "frame alternate": ("block_lr", "block_rl"),
}
"""ffmpeg's names, and Matroska's for the left view first and for the right one first."""
NAMED = re.compile(r"^\s+stereo_mode *: (\w+)$", re.MULTILINE | re.IGNORECASE)
DESCRIBED = re.compile(r"(?:^\s+Stereo 3D: |side data - .*\btype - )([a-z ]+\w(?: \([a-z ]+\))?)(.*)$", re.MULTILINE)
FLAT = ("", "mono", "2D")
CONTAINERS = {
    "matroska": frozenset(name for names in LAYOUTS.values() for name in names) | {"anaglyph_cyan_red", "anaglyph_green_magenta"},
    "webm": frozenset({"left_right", "right_left", "top_bottom", "bottom_top"}),
}
"""Kinds of files that say it themselves, and what they can say. ffmpeg writes the box of MP4 (`st3d`) in such a way that it
is read as of no known layout."""
H264 = {
    "checkerboard_lr": 0,
    "col_interleaved_lr": 1,
    "row_interleaved_lr": 2,
    "left_right": 3,
    "top_bottom": 4,
    "block_lr": 5,
}
"""Numbers of frame packing in H.264 (table D-8); x264 writes the left view first."""
MESSAGES = {"h264": "6", "hevc": "39|40", "vvc": "23|24"}
"""Units of these codecs that say things about the picture beside it (SEI)."""


def layout(said: str) -> str:
    """How two views lie in a picture, by what ffmpeg says of a track or its frames; empty where there is one."""
    if (match := NAMED.search(said)) and match[1] not in FLAT:
        return match[1]
    if (match := DESCRIBED.search(said)) is None or match[1] in FLAT:
        return ""
    left, right = LAYOUTS.get(match[1], (match[1], match[1]))
    return right if "inverted" in match[2] else left


def in_words(mode: str) -> str:
    """A layout in plain words."""
    for words, (left, right) in LAYOUTS.items():
        if mode in (left, right):
            return words if mode == left else f"{words}, the right view first"
    return mode.replace("_", " ")


def container_mark(mode: str, format: str) -> list[str]:
    """Arguments that mark a file's picture, or remove a mark that its kind of file would refuse.

    Args:
        mode: As `layout` has it.
        format: ffmpeg's name of the file's writer.
    """
    return ["-metadata:s:v:0", f"stereo_mode={mode if mode in CONTAINERS.get(format, ()) else ''}"]


def picture_mark(mode: str, format: str, encoder: str) -> tuple[str, ...]:
    """Arguments that mark the picture itself, where the file cannot say it; ffmpeg 9 refuses what is said in both places.

    Args:
        mode: As `layout` has it.
        format: ffmpeg's name of the file's writer.
        encoder: ffmpeg's name of what encodes its picture.
    """
    inside = format in ("mp4", "mov") and encoder == "libx264" and mode in H264
    return ("-x264opts", f"frame-packing={H264[mode]}") if inside else ()


def kept(mode: str, format: str, encoder: str) -> bool:
    """Whether one of these marks is made."""
    return mode in CONTAINERS.get(format, ()) or bool(picture_mark(mode, format, encoder))


def without_messages(codec: str, track: int) -> tuple[str, ...]:
    """Arguments before an input that take what the picture says of itself out before it is decoded.

    ffmpeg 9 gives up where that and the file say the same: of 3D, or of a turned picture (`File exists`).
    """
    return (f"-bsf:{track}", f"filter_units=remove_types={MESSAGES[codec]}") if codec in MESSAGES else ()
