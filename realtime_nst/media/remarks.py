"""What a photo says beside its picture: when, where, by whom and with what it was taken; carried over into a painted one.

Not carried over is what describes the file of the original: its size, turn, thumbnail, colour profile, the camera maker's own
notes, which no other program can keep right, and places within its picture.
"""

import struct
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from math import isfinite
from typing import Any

from PIL import Image, PngImagePlugin

ORIENTATION, SOFTWARE = 0x0112, 0x0131  # how a picture is turned, what made it
DESCRIPTION, ARTIST, COPYRIGHT = 0x010E, 0x013B, 0x8298
ACROSS, DOWN, UNIT = 0x011A, 0x011B, 0x0128  # resolution
INNER, PLACE = 0x8769, 0x8825  # the directories of how and where it was taken
COMMENT, COLOUR_SPACE, PIXELS_ACROSS, PIXELS_DOWN = 0x9286, 0xA001, 0xA002, 0xA003
OUTER_KEPT = frozenset(
    {
        *(0x010D, DESCRIPTION, 0x010F, 0x0110, 0x011D, 0x0132, ARTIST, 0x013C, 0x4746, 0x4749, COPYRIGHT),
        *(0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F),
    }
)
"""Remarks of the first directory: among them lie also those that tell how a TIFF is to be decoded."""
INNER_STALE = frozenset(
    {0x9101, 0x9102, 0x9214, 0x927C, 0xA005, 0xA20C, 0xA214, 0xA302, 0xA500, 0xEA1C, COLOUR_SPACE, PIXELS_ACROSS, PIXELS_DOWN}
)
INCH = {2: 1.0, 3: 2.54}
"""How often the unit of a resolution goes into an inch."""
LONGEST_JPEG_PART, LONGEST_TAG = 65_400, 16_000
IPTC_BLOCK, IPTC_TAG = 0x0404, 33723
XMP_TEXT = "XML:com.adobe.xmp"
XMP_STALE = (
    *("{http://ns.adobe.com/tiff/1.0/}" + name for name in ("Orientation", "ImageWidth", "ImageLength", "BitsPerSample")),
    *("{http://ns.adobe.com/exif/1.0/}" + name for name in ("PixelXDimension", "PixelYDimension", "ColorSpace")),
    *("{http://ns.adobe.com/photoshop/1.0/}" + name for name in ("ICCProfile", "ColorMode")),
    *("{http://ns.adobe.com/xap/1.0/}Thumbnails", "{http://ns.adobe.com/xmp/note/}"),
    *("{http://ns.adobe.com/camera-raw-settings/1.0/}", "{http://ns.adobe.com/hdr-gain-map/1.0/}"),
    *("{http://ns.google.com/photos/1.0/" + name for name in ("audio/", "camera/", "container/", "depthmap/", "image/")),
    *("{http://ns.apple.com/", "{http://www.metadataworkinggroup.com/schemas/regions/}", "{http://ns.microsoft.com/photo/1.2/}"),
)
"""How names in XMP begin that describe the original's file, something that lay behind its picture, or places in it."""


@dataclass(frozen=True)
class Remarks:
    """What a photo says beside its picture.

    Args:
        outer: EXIF's remarks about the picture, by tag.
        inner: Those about how it was taken.
        place: Those about where.
        resolution: Pixels per inch across and down, as it is turned upright.
        xmp: A packet of XMP.
        iptc: Records of IPTC.
        comment: A comment, in no certain encoding.
        texts: Named texts of a PNG.
    """

    outer: Mapping[int, Any] = field(default_factory=dict)
    inner: Mapping[int, Any] = field(default_factory=dict)
    place: Mapping[int, Any] = field(default_factory=dict)
    resolution: tuple[float, float] | None = None
    xmp: bytes = b""
    iptc: bytes = b""
    comment: bytes = b""
    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_user_comment(self) -> bool:
        """Whether EXIF has a comment of its own; many cameras write an empty one."""
        said = self.inner.get(COMMENT, b"")
        return bool((said[8:] if isinstance(said, bytes) else str(said).encode()).strip(b"\0 "))


def remarks_of(file: Image.Image) -> Remarks:
    """What an opened photo says; parts that are damaged are passed over."""
    if file.format == "PNG":
        file.load()  # its remarks may stand behind its picture
    exif = Image.Exif()
    with suppress(Exception):  # whatever Pillow raises for damaged EXIF
        exif = file.getexif()
    directories: list[dict[int, Any]] = [dict(exif)]
    for tag in (INNER, PLACE):
        directories.append({})
        with suppress(Exception):
            directories[-1] = dict(exif.get_ifd(tag))
    outer, inner, place = directories
    comment = file.info.get("comment", b"")
    xmp = file.info.get("xmp", b"")
    texts = {str(name): str(text) for name, text in getattr(file, "text", {}).items()}
    return Remarks(
        outer=_writable(outer, lambda tag: tag in OUTER_KEPT),
        inner=_writable(inner, lambda tag: tag not in INNER_STALE),
        place=_writable(place, lambda tag: True),
        resolution=_resolution(file, outer),
        xmp=_lasting(xmp if isinstance(xmp, bytes) else str(xmp).encode()),
        iptc=_iptc(file),
        comment=comment if isinstance(comment, bytes) else str(comment).encode(),
        texts={name: text for name, text in texts.items() if name != XMP_TEXT and not name.startswith("Raw profile type")},
    )


def options_for(
    kind: str, remarks: Remarks, width: int, height: int, *, texts: Mapping[str, str], software: str
) -> dict[str, Any]:
    """What Pillow is to be told as it writes a picture, so that it says the same.

    Args:
        kind: PNG, JPEG or WEBP.
        remarks: What the original said.
        width: Of the picture.
        height: Likewise.
        texts: Named texts of our own, for a PNG.
        software: Who made it, in EXIF; "" says nothing.
    """
    exif = _exif(kind, remarks, width, height, software)
    if kind == "JPEG" and len(exif.tobytes()) > LONGEST_JPEG_PART:
        exif = _exif(kind, Remarks(), width, height, software)
    options: dict[str, Any] = {"exif": exif} if len(exif) else {}
    if remarks.resolution and kind != "WEBP":
        options["dpi"] = remarks.resolution
    if kind == "PNG":
        given = {"Comment": _text(remarks.comment)} if remarks.comment else {}
        given = {**given, **remarks.texts, **({XMP_TEXT: _text(remarks.xmp)} if remarks.xmp else {}), **texts}
        options["pnginfo"] = info = PngImagePlugin.PngInfo()
        for name, text in given.items():
            with suppress(UnicodeEncodeError):
                info.add_itxt(name, text)
        return options
    if len(remarks.xmp) <= LONGEST_JPEG_PART or kind != "JPEG":
        options["xmp"] = remarks.xmp
    if kind == "JPEG":
        comment = remarks.comment or remarks.texts.get("Comment", "").encode()
        options["comment"] = comment[:LONGEST_JPEG_PART]
        if 0 < len(remarks.iptc) <= LONGEST_JPEG_PART:
            options["extra"] = _photoshop_segment(remarks.iptc)
    return options


def _exif(kind: str, remarks: Remarks, width: int, height: int, software: str) -> Image.Exif:
    outer, inner = dict(remarks.outer), dict(remarks.inner)
    if kind != "PNG":
        for tag, names in ((DESCRIPTION, ("Description", "Title")), (ARTIST, ("Author",)), (COPYRIGHT, ("Copyright",))):
            text = next((remarks.texts[name] for name in names if name in remarks.texts), "")
            if text:
                outer.setdefault(tag, text.encode())
    comment = _text(remarks.comment) or remarks.texts.get("Comment", "")
    if kind == "WEBP" and comment and not remarks.has_user_comment:
        inner[COMMENT] = _user_comment(comment)
    if remarks.resolution and (outer or inner or remarks.place or kind == "WEBP"):
        outer |= {ACROSS: remarks.resolution[0], DOWN: remarks.resolution[1], UNIT: 2}
    if inner:
        inner |= {COLOUR_SPACE: 1, PIXELS_ACROSS: width, PIXELS_DOWN: height}
    exif = Image.Exif()
    exif.update({**outer, **{tag: values for tag, values in ((INNER, inner), (PLACE, dict(remarks.place))) if values}})
    if software:
        exif[SOFTWARE] = software
    if len(exif):
        exif[ORIENTATION] = 1
    return exif


def _writable(tags: Mapping[int, Any], wanted: Callable[[int], bool]) -> dict[int, Any]:
    """The tags that are wanted and that can be written: damaged ones, and whole files in a tag, cannot."""
    kept = {}
    for tag, value in tags.items():
        if isinstance(value, str) and not value.isascii():  # else Pillow writes question marks; it has read it as Latin 1
            value = value.encode("latin-1", "replace")
        trial = Image.Exif()
        trial[tag] = value
        with suppress(Exception):
            if wanted(tag) and len(trial.tobytes()) <= LONGEST_TAG:
                kept[tag] = value
    return kept


def _resolution(file: Image.Image, outer: Mapping[int, Any]) -> tuple[float, float] | None:
    """Pixels per inch across and down the upright picture."""
    stated = file.info.get("dpi")
    if file.format in ("JPEG", "MPO") and not file.info.get("jfif_unit"):
        stated = None  # Pillow's own guess
    with suppress(TypeError, ValueError, ZeroDivisionError):
        if ACROSS in outer and DOWN in outer:
            stated = tuple(float(outer[tag]) * INCH[outer.get(UNIT, 2)] for tag in (ACROSS, DOWN))
    if not stated or not all(isfinite(number) and 1 <= number < 65_536 for number in stated):
        return None
    across, down = (float(number) for number in stated)
    return (down, across) if outer.get(ORIENTATION) in (5, 6, 7, 8) else (across, down)


def _lasting(packet: bytes) -> bytes:
    """XMP without what is stale; nothing where it is damaged."""
    packet = packet.strip(b"\0 \r\n\t")
    if not packet:
        return b""
    try:
        for _, (prefix, address) in ET.iterparse(BytesIO(packet), events=["start-ns"]):
            with suppress(ValueError):  # a prefix that is reserved
                ET.register_namespace(prefix, address)
        root = ET.fromstring(packet)
    except ET.ParseError:
        return b""
    for element in root.iter():
        for name in [name for name in element.attrib if name.startswith(XMP_STALE)]:
            del element.attrib[name]
        for child in [child for child in element if str(child.tag).startswith(XMP_STALE)]:
            element.remove(child)
    begin, end = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>', '<?xpacket end="w"?>'
    return f"{begin}{ET.tostring(root, 'unicode')}{end}".encode()


def _iptc(file: Image.Image) -> bytes:
    blocks = file.info.get("photoshop")
    found = blocks.get(IPTC_BLOCK) if isinstance(blocks, dict) else getattr(file, "tag_v2", {}).get(IPTC_TAG)
    return found if isinstance(found, bytes) else b""


def _photoshop_segment(iptc: bytes) -> bytes:
    """A segment of a JPEG that holds records of IPTC, in the block that Photoshop has made the place for them."""
    block = b"8BIM" + struct.pack(">HHI", IPTC_BLOCK, 0, len(iptc)) + iptc + b"\0" * (len(iptc) % 2)
    content = b"Photoshop 3.0\0" + block
    return struct.pack(">HH", 0xFFED, len(content) + 2) + content


def _user_comment(text: str) -> bytes:
    """A comment as EXIF has it: in ASCII, or else in UTF-16 with its high bytes first, as Pillow writes numbers."""
    return b"ASCII\0\0\0" + text.encode() if text.isascii() else b"UNICODE\0" + text.encode("utf-16-be", "replace")


def _text(raw: bytes) -> str:
    """Text in UTF-8, or else in Latin 1."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
