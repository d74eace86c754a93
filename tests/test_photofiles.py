"""Which files are photos: the same in every command that looks into folders."""

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realtime_nst.errors import SourceError
from realtime_nst.inputs.sources import open_source
from realtime_nst.media.filekinds import left_out
from realtime_nst.media.photofiles import is_raw, photos_below, tiff_directories

from .madephotos import Page, tiff


def shelf(folder: Path, *names: str) -> Path:
    """A folder with files of these names."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"some")
    return folder


def test_photos_of_every_ending_count_and_hidden_ones_do_not(tmp_path: Path) -> None:
    photos = ["a.jpg", "b.jfif", "c.JPE", "d.avif", "e.ppm", "sub/f.webp", "sub/deep/g.tif", "h.jp2"]
    hidden = ["._a.jpg", ".trash/z.jpg", "sub/._f.webp", "sub/.thumbs/y.png", ".png"]
    folder = shelf(tmp_path, *photos, *hidden, "notes.txt", "film.mp4", "song.mp3", "raw.nef", "phone.heic")
    assert photos_below(folder) == sorted(tmp_path / name for name in photos)


def test_photos_that_cannot_be_read_are_counted_by_kind(tmp_path: Path) -> None:
    folder = shelf(tmp_path, "a.NEF", "b.nef", "sub/c.HEIC", "d.jpg", "._e.nef", ".f/g.nef")
    assert left_out(folder, "photo") == (
        f"Left out in '{tmp_path}': 1 .heic, 2 .nef, which cannot be read here. Save them as JPEG first."
    )
    assert "heic" not in left_out(folder, "photo", recursive=False)
    assert left_out(shelf(tmp_path / "plain", "a.jpg", "b.txt"), "photo") == ""


@pytest.mark.parametrize(("name", "form"), [("a.jfif", "JPEG"), ("a.jpe", "JPEG"), ("a.avif", "AVIF"), ("a.pgm", "PPM")])
def test_a_photo_of_any_ending_as_a_camera_is_told(tmp_path: Path, name: str, form: str) -> None:
    Image.new("L" if form == "PPM" else "RGB", (16, 16)).save(tmp_path / name, form)
    with pytest.raises(SourceError, match="is a photo, and a video was expected"):
        open_source(str(tmp_path / name))


def test_damaged_directories_of_a_tiff_end_nothing(tmp_path: Path) -> None:
    whole = tiff(Page(np.zeros((8, 8), np.uint8)), Page(np.zeros((8, 8), np.uint8)))
    path = tmp_path / "a.tif"
    for content in (whole[:8], whole[:-20], b"II*\0", b"MM\0*\xff\xff\xff\xff", b"II*\0" + struct.pack("<I", 4)):
        path.write_bytes(content)
        assert not is_raw(path)
    turning = bytearray(whole)
    first = struct.unpack("<I", whole[4:8])[0]
    count = struct.unpack("<H", whole[first : first + 2])[0]
    turning[first + 2 + 12 * count : first + 6 + 12 * count] = struct.pack("<I", first)  # its next directory is itself
    path.write_bytes(turning)
    with path.open("rb") as file:
        assert len(list(tiff_directories(file))) == 1
