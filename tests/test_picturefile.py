"""Files that hold more than a picture, less than one, or one that has to be converted first."""

import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realtime_nst.errors import SourceError
from realtime_nst.inputs.sources import open_source
from realtime_nst.media.photos import read_photo

from .conftest import one_line
from .madephotos import CFA, PHOTOMETRIC, THUMBNAIL, Page, tiff

Run = Callable[..., int]
SMALL = np.full((40, 60, 3), (200, 30, 60), np.uint8)
LARGE = np.full((120, 180, 3), (20, 130, 60), np.uint8)
PREVIEW = Page(SMALL, {THUMBNAIL: [1]})
SENSOR = Page(np.full((400, 600), 900, np.uint16), {PHOTOMETRIC: [CFA], THUMBNAIL: [0]})
LINEAR = Page(np.full((400, 600, 3), 900, np.uint16), {PHOTOMETRIC: [34892]})

RAW: dict[str, bytes] = {
    "a.nef": tiff(Page(SMALL, {THUMBNAIL: [1]}, [SENSOR])),
    "a.dng": tiff(Page(SMALL, {THUMBNAIL: [1], 50706: bytes([1, 4, 0, 0])}, [LINEAR])),
    "a.pef": tiff(SENSOR),
    "renamed.tif": tiff(Page(SMALL, {THUMBNAIL: [1]}, [Page(SMALL), SENSOR])),
    "second page.tif": tiff(PREVIEW, SENSOR),
    "dng.tiff": tiff(Page(SMALL, {50706: bytes([1, 4, 0, 0])})),
    "linear.tif": tiff(PREVIEW, LINEAR),
    "a.arw": tiff(Page(SMALL)),  # by its name alone
    "a.cr3": struct.pack(">I", 24) + b"ftypcrx \0\0\0\1crx isom" + bytes(100),
    "a.raf": b"FUJIFILMCCD-RAW 0201" + bytes(100),
    "a.orf": b"IIRO\x08\0\0\0" + bytes(100),
    "a.rw2": b"IIU\0\x08\0\0\0" + bytes(100),
    "a.crw": b"II\x1a\0\0\0HEAPCCDR" + bytes(100),
    "a.x3f": b"FOVb" + bytes(100),
}

HEIC = struct.pack(">I", 24) + b"ftypheic\0\0\0\0mif1heic" + bytes(200)


def animation(path: Path, count: int = 3) -> None:
    """So many pictures in one file, each in a colour of its own; the first one is red."""
    colours = [(230, 20, 30), (20, 230, 30), (20, 30, 230)]
    frames = [Image.new("RGB", (32, 24), colours[number % 3]) for number in range(count)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100, loop=0)


@pytest.mark.parametrize("name", RAW)
def test_raw_files_are_told_and_their_previews_not_painted(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / name).write_bytes(RAW[name])
    assert run("image", tmp_path / name, "-o", tmp_path / "out.png") == 1
    assert f"{name}' is a camera's raw file, which has to be developed first" in one_line(capsys)
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize("name", [*RAW, "IMG_0001.HEIC"])
def test_what_has_to_be_converted_is_named_where_videos_are_expected_and_not_sent_to_a_command_that_refuses_it(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / name).write_bytes({**RAW, "IMG_0001.HEIC": HEIC}[name])
    assert run("video", tmp_path / name, "-o", tmp_path / "out.mp4") == 1
    said = one_line(capsys)
    assert run("image", tmp_path / name, "-o", tmp_path / "out.png") == 1
    assert said == f"{one_line(capsys)} `realtime-nst image` paints photos."
    with pytest.raises(SourceError) as caught:
        open_source(str(tmp_path / name))
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plain.tif", tiff(Page(LARGE))),
        ("thumbnail below.tif", tiff(Page(LARGE, {}, [PREVIEW]))),
        ("thumbnail behind.tif", tiff(Page(LARGE), PREVIEW)),
        ("thumbnail first.tif", tiff(PREVIEW, Page(LARGE, {THUMBNAIL: [0]}))),
        ("large one below.tif", tiff(Page(SMALL, {THUMBNAIL: [1]}, [Page(LARGE, {THUMBNAIL: [0]})]))),
        ("alone and called a thumbnail.tif", tiff(Page(LARGE, {THUMBNAIL: [1]}))),
    ],
)
def test_tiffs_with_thumbnails_are_read_at_full_size(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    assert np.array_equal(read_photo(tmp_path / name), LARGE)
    assert not caplog.messages


def test_a_jpeg_with_the_ending_of_a_raw_file_is_a_photo(tmp_path: Path) -> None:
    Image.fromarray(LARGE).save(tmp_path / "a.dng", "JPEG")
    assert read_photo(tmp_path / "a.dng").shape == LARGE.shape


def test_pages_that_are_not_taken_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.tif").write_bytes(tiff(Page(LARGE), PREVIEW, Page(SMALL), Page(SMALL)))
    assert np.array_equal(read_photo(tmp_path / "a.tif"), LARGE)
    assert caplog.messages == [
        f"'{tmp_path}/a.tif' has 3 pages; only the first one is taken. Save the others as files of their own."
    ]


@pytest.mark.parametrize("kind", ["gif", "png", "webp", "avif"])
def test_animations_are_told_with_the_command_that_paints_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    animation(tmp_path / f"a.{kind}")
    animation(tmp_path / f"still.{kind}", 1)
    image = read_photo(tmp_path / f"a.{kind}")
    assert np.abs(image.astype(int) - (230, 20, 30)).max() < 12
    (said,) = caplog.messages
    assert said.startswith(f"'{tmp_path}/a.{kind}' is an animation of 3 pictures; only the first one is taken.")
    assert "`realtime-nst video` paints all of them" in said
    read_photo(tmp_path / f"still.{kind}")
    assert len(caplog.messages) == 1, "one picture is none"


def test_photos_of_two_pictures_are_no_animations(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Image.fromarray(LARGE).save(tmp_path / "a.mpo", save_all=True, append_images=[Image.fromarray(LARGE)])
    assert read_photo(tmp_path / "a.mpo").shape == LARGE.shape
    assert not caplog.messages


def test_what_is_damaged_behind_the_first_picture_does_not_spoil_it(tmp_path: Path) -> None:
    whole = bytearray(tiff(Page(LARGE)))
    (first,) = struct.unpack("<I", whole[4:8])
    (count,) = struct.unpack("<H", whole[first : first + 2])
    for following in (len(whole) + 1000, len(whole) - 7, 9, 0xFFFFFFFF):
        whole[first + 2 + 12 * count : first + 6 + 12 * count] = struct.pack("<I", following)
        (tmp_path / "a.tif").write_bytes(whole)
        assert np.array_equal(read_photo(tmp_path / "a.tif"), LARGE)
    animation(tmp_path / "a.gif")
    content = (tmp_path / "a.gif").read_bytes()
    (tmp_path / "a.gif").write_bytes(content[: len(content) * 2 // 3])
    assert read_photo(tmp_path / "a.gif").shape == (24, 32, 3)


@pytest.mark.parametrize("brands", [b"heic\0\0\0\0mif1heic", b"mif1\0\0\0\0mif1heic", b"msf1\0\0\0\0msf1hevc", b"heix\0\0\0\0"])
def test_heic_is_named_with_the_way_out(tmp_path: Path, brands: bytes) -> None:
    (tmp_path / "IMG_0001.HEIC").write_bytes(struct.pack(">I", 8 + len(brands)) + b"ftyp" + brands + bytes(200))
    with pytest.raises(SourceError, match="is a HEIC photo, which cannot be read here. Save or export it as JPEG"):
        read_photo(tmp_path / "IMG_0001.HEIC")


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "gif", "tif", "bmp", "avif"])
@pytest.mark.parametrize("share", [0.03, 0.5, 0.97])
def test_what_is_cut_short_is_told(tmp_path: Path, kind: str, share: float) -> None:
    path = tmp_path / f"a.{kind}"
    Image.effect_noise((96, 72), 80).convert("RGB").save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(SourceError, match="is cut short.*, and not a picture that can be read as a whole. Copy it again"):
        read_photo(path)


def test_a_progressive_jpeg_that_is_cut_short_is_not_taken_blurred(tmp_path: Path) -> None:
    content = io.BytesIO()
    Image.effect_noise((96, 72), 80).convert("RGB").save(content, "JPEG", progressive=True)
    (tmp_path / "a.jpg").write_bytes(content.getvalue()[: content.tell() // 2])
    with pytest.raises(SourceError, match="is cut short"):
        read_photo(tmp_path / "a.jpg")


def test_a_jpeg_that_lacks_nothing_but_its_end_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.effect_noise((96, 72), 80).convert("RGB").save(path)
    whole, content = read_photo(path), path.read_bytes()
    for missing in (1, 2):
        path.write_bytes(content[:-missing])
        assert np.array_equal(read_photo(path), whole)
