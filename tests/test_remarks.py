"""What a photo says beside its picture, in the painted one."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import ExifTags, Image, PngImagePlugin

from realtime_nst.media.photos import read_photo

from .madephotos import Page, tiff
from .test_photos import odd_profile

pytestmark = pytest.mark.usefixtures("identity")
Run = Callable[..., int]
ORIENTATION, DESCRIPTION, MAKER, MODEL, SOFTWARE, CHANGED, ARTIST, COPYRIGHT = (
    *(0x0112, 0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x8298),
)
INNER, PLACE, THUMBNAIL = 0x8769, 0x8825, ExifTags.IFD.IFD1
TAKEN, MAKER_NOTE, COMMENT, COLOUR_SPACE, ACROSS, DOWN, SUBJECT = 0x9003, 0x927C, 0x9286, 0xA001, 0xA002, 0xA003, 0x9214
SUNSET = "Sonnenuntergang über dem See"
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    'rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/" '
    'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" tiff:Orientation="6" xmp:Rating="4" GCamera:MotionPhoto="1" '
    'exif:PixelXDimension="4032"><tiff:ImageWidth>4032</tiff:ImageWidth><dc:title><rdf:Alt><rdf:li xml:lang="x-default">'
    "Abend über der Stadt</rdf:li></rdf:Alt></dc:title></rdf:Description></rdf:RDF></x:xmpmeta>"
).encode()
IPTC = b"\x1c\x02\x78\x00\x06Sunset" + b"\x1c\x02\x19\x00\x04lake"
PHOTOSHOP = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", len(IPTC)) + IPTC + b"\0" * (len(IPTC) % 2)
IPTC_SEGMENT = struct.pack(">HH", 0xFFED, len(PHOTOSHOP) + 2) + PHOTOSHOP


def told_exif() -> Image.Exif:
    """What a phone writes, turned by a quarter."""
    exif = Image.Exif()
    exif.update({ORIENTATION: 6, MAKER: "ACME", MODEL: "Phone 1", SOFTWARE: "Phone OS 3", CHANGED: "2021:07:14 18:30:05"})
    exif.update({DESCRIPTION: SUNSET.encode(), COPYRIGHT: "(c) somebody"})
    inner: dict[int, Any] = {TAKEN: "2021:07:14 18:30:04", 0x9011: "+02:00", ACROSS: 120, DOWN: 80, COLOUR_SPACE: 0xFFFF}
    inner.update({MAKER_NOTE: b"secret notes " * 900, SUBJECT: (60, 40, 10), 0x829A: 0.01})
    exif.update({INNER: inner, PLACE: {1: "N", 2: (47.0, 30.0, 0.0), 3: "E", 4: (9.0, 30.0, 0.0)}})
    return exif


def picture() -> Image.Image:
    """120x80, all alike."""
    return Image.new("RGB", (120, 80), (90, 140, 60))


def said_by(path: Path) -> tuple[Image.Exif, dict[Any, Any]]:
    """EXIF and other remarks of a picture file."""
    with Image.open(path) as file:
        file.load()
        return file.getexif(), dict(file.info)


@pytest.mark.parametrize("before", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("after", ["jpg", "png", "webp"])
def test_date_place_camera_and_description_are_kept(run: Run, tmp_path: Path, before: str, after: str) -> None:
    photo, out = tmp_path / f"photo.{before}", tmp_path / f"out.{after}"
    picture().save(photo, exif=told_exif().tobytes(), dpi=(300, 300))
    assert run("image", photo, "-o", out) == 0
    exif, info = said_by(out)
    assert read_photo(out).shape == (120, 80, 3) and exif[ORIENTATION] == 1, "turned once"
    assert exif[DESCRIPTION] == said_by(photo)[0][DESCRIPTION]
    assert exif[DESCRIPTION].encode("latin-1").decode() == SUNSET or before == "tif", "Pillow wrote no umlauts into that one"
    assert [exif[tag] for tag in (MAKER, MODEL, CHANGED, COPYRIGHT)] == ["ACME", "Phone 1", "2021:07:14 18:30:05", "(c) somebody"]
    assert exif[SOFTWARE].startswith("realtime-nst ")
    inner, place = exif.get_ifd(INNER), exif.get_ifd(PLACE)
    assert (inner[TAKEN], inner[0x9011], float(inner[0x829A])) == ("2021:07:14 18:30:04", "+02:00", pytest.approx(0.01))
    assert place == {1: "N", 2: (47.0, 30.0, 0.0), 3: "E", 4: (9.0, 30.0, 0.0)}
    assert (inner[ACROSS], inner[DOWN], inner[COLOUR_SPACE]) == (80, 120, 1)
    assert not {MAKER_NOTE, SUBJECT} & set(inner) and b"secret notes" not in out.read_bytes()
    assert not {256, 257, 258, 259, 262, 273, 277, 279} & set(exif), "how a TIFF is decoded is no remark"
    if before != "webp":  # which has no resolution of its own
        resolution = info["dpi"] if after != "webp" else (exif[0x011A], exif[0x011B])
        assert [float(number) for number in resolution] == pytest.approx([300, 300], abs=0.01)


@pytest.mark.parametrize("after", ["jpg", "png", "webp"])
def test_strip_leaves_all_of_it_out(run: Run, tmp_path: Path, after: str) -> None:
    photo, out = tmp_path / "photo.jpg", tmp_path / f"out.{after}"
    picture().save(photo, exif=told_exif(), dpi=(300, 300), xmp=XMP, comment=b"a comment", extra=IPTC_SEGMENT)
    assert run("image", photo, "-o", out, "--strip") == 0
    exif, info = said_by(out)
    assert set(exif) <= {SOFTWARE, ORIENTATION} and exif.get(ORIENTATION, 1) == 1 and not exif.get_ifd(PLACE)
    assert not {"xmp", "comment", "photoshop"} & set(info) and info.get("jfif_unit", 0) == 0
    for words in (b"ACME", b"2021", "über".encode(), b"Sunset", b"comment"):
        assert words not in out.read_bytes()
    assert read_photo(out).shape == (120, 80, 3)


def test_thumbnail_of_the_original_is_left_out(run: Run, tmp_path: Path) -> None:
    thumbnail = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
    exif = b"Exif\0\0" + tiff(Page(np.zeros((1, 1), np.uint8), {MAKER: b"ACME\0"}), Page(thumbnail))
    picture().save(tmp_path / "photo.jpg", exif=exif)
    assert said_by(tmp_path / "photo.jpg")[0].get_ifd(THUMBNAIL)
    assert run("image", tmp_path / "photo.jpg", "-o", tmp_path / "out.jpg") == 0
    exif, _ = said_by(tmp_path / "out.jpg")
    assert not exif.get_ifd(THUMBNAIL) and thumbnail.tobytes()[:60] not in (tmp_path / "out.jpg").read_bytes()


def test_resolution_turns_with_the_picture(run: Run, tmp_path: Path) -> None:
    for turn, expected in ((1, (300, 150)), (6, (150, 300)), (3, (300, 150))):
        exif = Image.Exif()
        exif[ORIENTATION] = turn
        picture().save(tmp_path / "photo.jpg", exif=exif, dpi=(300, 150))
        assert run("image", tmp_path / "photo.jpg", "-o", tmp_path / "out.jpg", "--overwrite") == 0
        assert said_by(tmp_path / "out.jpg")[1]["dpi"] == expected


def test_a_photo_that_says_nothing_says_nothing_afterwards(run: Run, tmp_path: Path) -> None:
    picture().save(tmp_path / "photo.jpg")
    assert run("image", tmp_path / "photo.jpg", "-o", tmp_path / "out.jpg") == 0
    exif, info = said_by(tmp_path / "out.jpg")
    assert set(exif) <= {SOFTWARE, ORIENTATION} and info["jfif_unit"] == 0, "no resolution was made up"


@pytest.mark.parametrize("before", ["jpg", "png", "webp"])
@pytest.mark.parametrize("after", ["jpg", "png", "webp"])
def test_xmp_is_kept_without_what_is_stale(run: Run, tmp_path: Path, before: str, after: str) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    options = {"pnginfo": info} if before == "png" else {"xmp": XMP}
    picture().save(tmp_path / f"photo.{before}", **options)  # type: ignore[arg-type]
    assert run("image", tmp_path / f"photo.{before}", "-o", tmp_path / f"out.{after}") == 0
    _, told = said_by(tmp_path / f"out.{after}")
    packet = ElementTree.fromstring(told["xmp"])
    (about,) = packet.iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")
    assert about.attrib["{http://ns.adobe.com/xap/1.0/}Rating"] == "4"
    (title,) = packet.iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}li")
    assert title.text == "Abend über der Stadt"
    for stale in (b"Orientation", b"ImageWidth", b"PixelXDimension", b"MotionPhoto"):
        assert stale not in told["xmp"]
    assert read_photo(tmp_path / f"out.{after}").shape == (120, 80, 3), "turned once"


def test_iptc_is_kept_in_a_jpeg_and_told_elsewhere(run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    picture().save(tmp_path / "photo.jpg", extra=IPTC_SEGMENT)
    assert run("image", tmp_path / "photo.jpg", "-o", tmp_path / "out.jpg") == 0
    assert said_by(tmp_path / "out.jpg")[1]["photoshop"][0x0404] == IPTC and not caplog.messages
    assert run("image", tmp_path / "photo.jpg", "-o", tmp_path / "out.png") == 0
    assert caplog.messages == [f"'{tmp_path}/out.png' has no place for remarks of IPTC; they are left out. A .jpg keeps them."]


def test_comments_and_texts_are_kept(run: Run, tmp_path: Path) -> None:
    picture().save(tmp_path / "photo.jpg", comment="Grüße".encode())
    for kind, read in (("jpg", lambda info: info["comment"].decode()), ("png", lambda info: info["Comment"])):
        assert run("image", tmp_path / "photo.jpg", "-o", tmp_path / f"out.{kind}") == 0
        assert read(said_by(tmp_path / f"out.{kind}")[1]) == "Grüße"
    info = PngImagePlugin.PngInfo()
    for name, text in (("Description", SUNSET), ("Author", "Somebody"), ("Copyright", "(c) me"), ("Software", "a scanner")):
        info.add_itxt(name, text)
    info.add_text("Comment", "by hand")
    picture().save(tmp_path / "scan.png", pnginfo=info, dpi=(600, 600))
    assert run("image", tmp_path / "scan.png", "-o", tmp_path / "painted.png") == 0
    _, told = said_by(tmp_path / "painted.png")
    assert [told[name] for name in ("Description", "Author", "Comment", "Style")] == [SUNSET, "Somebody", "by hand", "wave"]
    assert told["Software"].startswith("realtime-nst") and told["dpi"][0] == pytest.approx(600, abs=0.02)
    assert run("image", tmp_path / "scan.png", "-o", tmp_path / "painted.jpg") == 0
    exif, told = said_by(tmp_path / "painted.jpg")
    assert [exif[tag] for tag in (ARTIST, COPYRIGHT)] == ["Somebody", "(c) me"]
    assert exif[DESCRIPTION].encode("latin-1").decode() == SUNSET
    assert (told["comment"], told["dpi"]) == (b"by hand", (600, 600))


@pytest.mark.parametrize(
    ("text", "kept"), [("by the lake", b"ASCII\0\0\0by the lake"), ("Grüße", b"UNICODE\0" + "Grüße".encode("utf-16-be"))]
)
def test_comments_are_kept_in_a_webp_as_exif_has_them(
    run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str, kept: bytes
) -> None:
    empty = Image.Exif()
    empty[INNER] = {COMMENT: b"ASCII\0\0\0" + b" " * 20}
    info = PngImagePlugin.PngInfo()
    info.add_itxt("Comment", text)
    picture().save(tmp_path / "a.jpg", comment=text.encode())
    picture().save(tmp_path / "b.jpg", comment=text.encode(), exif=empty)
    picture().save(tmp_path / "c.png", pnginfo=info)
    for name in ("a.jpg", "b.jpg", "c.png"):
        assert run("image", tmp_path / name, "-o", tmp_path / "out.webp", "--overwrite") == 0
        assert said_by(tmp_path / "out.webp")[0].get_ifd(INNER)[COMMENT] == kept, name
    assert run("image", tmp_path / "a.jpg", "-o", tmp_path / "out.webp", "--overwrite", "--strip") == 0
    assert kept[8:] not in (tmp_path / "out.webp").read_bytes() and not caplog.messages


def test_a_second_comment_is_reported_where_there_is_room_for_one(
    run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    exif = Image.Exif()
    exif[INNER] = {COMMENT: b"ASCII\0\0\0of the camera"}
    picture().save(tmp_path / "a.jpg", comment=b"of somebody", exif=exif)
    assert run("image", tmp_path / "a.jpg", "-o", tmp_path / "out.webp") == 0
    assert said_by(tmp_path / "out.webp")[0].get_ifd(INNER)[COMMENT] == b"ASCII\0\0\0of the camera"
    assert ["out.webp' has room for one comment, and EXIF's is kept" in message for message in caplog.messages] == [True]


def test_a_profile_is_not_carried_over_because_colours_are_those_of_srgb(run: Run, tmp_path: Path) -> None:
    exif = told_exif()
    exif[ORIENTATION] = 1
    Image.new("RGB", (60, 40), (250, 10, 10)).save(tmp_path / "photo.png", exif=exif, icc_profile=odd_profile())
    for kind in ("png", "jpg", "webp"):
        assert run("image", tmp_path / "photo.png", "-o", tmp_path / f"out.{kind}") == 0
        exif, info = said_by(tmp_path / f"out.{kind}")
        assert "icc_profile" not in info and exif.get_ifd(INNER)[COLOUR_SPACE] == 1
        with Image.open(tmp_path / f"out.{kind}") as file:
            assert np.abs(np.asarray(file.convert("RGB"))[20, 30].astype(int) - (10, 250, 10)).max() < 12


@pytest.mark.parametrize("damage", ["cut", "zeros", "noise"])
def test_damaged_remarks_do_not_stop_a_photo(run: Run, tmp_path: Path, damage: str) -> None:
    whole = told_exif()
    whole[ORIENTATION] = 1
    raw = bytearray(whole.tobytes())
    if damage == "cut":
        raw = raw[: len(raw) // 8]
    else:
        changed = bytes(60) if damage == "zeros" else np.random.default_rng(5).integers(0, 256, 60, np.uint8).tobytes()
        raw[150:210] = changed
    picture().save(tmp_path / "photo.jpg", exif=bytes(raw), xmp=XMP[:300], extra=IPTC_SEGMENT[:-3] + b"\0\0\0")
    assert run("image", tmp_path / "photo.jpg", "-o", tmp_path / "out.jpg") == 0
    assert read_photo(tmp_path / "out.jpg").shape == (80, 120, 3)
    assert "xmp" not in said_by(tmp_path / "out.jpg")[1]


def test_remarks_too_long_for_a_jpeg_do_not_stop_a_photo(run: Run, tmp_path: Path) -> None:
    exif = told_exif()
    exif[INNER][COMMENT] = b"ASCII\0\0\0" + b"long " * 20_000
    info = PngImagePlugin.PngInfo()
    info.add_itxt("Comment", "c" * 100_000)
    info.add_itxt("XML:com.adobe.xmp", XMP.decode().replace("Abend", "Abend " * 20_000))
    picture().save(tmp_path / "photo.png", exif=exif, pnginfo=info)
    assert run("image", tmp_path / "photo.png", "-o", tmp_path / "out.jpg") == 0
    exif, _ = said_by(tmp_path / "out.jpg")
    assert exif[MAKER] == "ACME" and exif.get_ifd(INNER)[TAKEN] == "2021:07:14 18:30:04"
