"""Photos in and out, read back."""

import os
import re
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from realtime_nst.errors import SinkError, SourceError
from realtime_nst.media.photos import read_layers, read_photo, write_photo


@pytest.fixture
def corners() -> np.ndarray:
    """30x20 with a red, a green, a blue and a white corner."""
    image = np.zeros((20, 30, 3), np.uint8)
    image[:10, :15], image[:10, 15:], image[10:, :15], image[10:, 15:] = (255, 0, 0), (0, 255, 0), (0, 0, 255), 255
    return image


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, corners: np.ndarray, orientation: int) -> None:
    inverse = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(inverse(corners))).save(tmp_path / "photo.png", exif=exif)
    assert np.array_equal(read_photo(tmp_path / "photo.png"), corners)


def test_orientation_is_applied_however_odd_the_other_remarks_are(tmp_path: Path, corners: np.ndarray) -> None:
    entries = [(0x0100, 5, 1, 38), (0x0112, 3, 1, 6)]  # a width as a fraction, and a quarter of a turn
    fields = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + fields + bytes(4) + struct.pack("<II", 30, 1)
    Image.fromarray(np.ascontiguousarray(np.rot90(corners))).save(tmp_path / "photo.jpg", exif=exif, quality=100, subsampling=0)
    assert np.abs(read_photo(tmp_path / "photo.jpg").astype(int) - corners).mean() < 5


def odd_profile() -> bytes:
    """The profile of sRGB with red and green exchanged, and another name."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(profile[128:132], "big")
    places = {bytes(profile[132 + 12 * i : 136 + 12 * i]): 136 + 12 * i for i in range(count)}
    red, green = places[b"rXYZ"], places[b"gXYZ"]
    profile[red : red + 4], profile[green : green + 4] = profile[green : green + 4], profile[red : red + 4]
    start = int.from_bytes(profile[places[b"desc"] : places[b"desc"] + 4], "big")
    name = profile.index("sRGB".encode("utf-16-be"), start)
    profile[name : name + 8] = "odd!".encode("utf-16-be")
    return bytes(profile)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colours_mean_what_the_profile_says(tmp_path: Path, corners: np.ndarray, mode: str) -> None:
    swapped = Image.fromarray(corners[..., [1, 0, 2]]).convert(mode)
    swapped.save(tmp_path / "odd.png", icc_profile=odd_profile())
    assert np.abs(read_photo(tmp_path / "odd.png").astype(int) - corners).max() <= 3
    colours, alpha = read_layers(tmp_path / "odd.png")
    assert np.abs(colours.astype(int) - corners).max() <= 3 and alpha is None


def test_transparency_stays_beside_a_profile(tmp_path: Path) -> None:
    layers = np.zeros((8, 8, 4), np.uint8)
    layers[..., 1], layers[:, :4, 3] = 255, 255
    Image.fromarray(layers).save(tmp_path / "odd.png", icc_profile=odd_profile())
    colours, alpha = read_layers(tmp_path / "odd.png")
    assert alpha is not None and np.array_equal(alpha, layers[..., 3])
    assert np.abs(colours[:, :4].astype(int) - (255, 0, 0)).max() <= 3


@pytest.mark.parametrize("profile", [b"no profile", b"", ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()])
def test_profile_that_says_nothing_new_changes_nothing(tmp_path: Path, corners: np.ndarray, profile: bytes) -> None:
    Image.fromarray(corners).save(tmp_path / "plain.png", icc_profile=profile)
    assert np.array_equal(read_photo(tmp_path / "plain.png"), corners)


def test_every_mode_becomes_rgb(tmp_path: Path, corners: np.ndarray) -> None:
    picture = Image.fromarray(corners)
    for mode in ("L", "P", "RGBA", "LA", "1", "CMYK", "I;16", "F"):
        path = tmp_path / f"{mode.replace(';', '')}.tif"
        converted = Image.fromarray(np.full((20, 30), 32768, np.uint16)) if mode == "I;16" else picture.convert(mode)
        converted.save(path)
        image = read_photo(path)
        assert image.shape == (20, 30, 3) and image.dtype == np.uint8, mode
    assert abs(int(read_photo(tmp_path / "I16.tif").mean()) - 128) <= 1, "16 bits are scaled, not clipped"


def test_transparency_becomes_white(tmp_path: Path) -> None:
    Image.new("RGBA", (9, 9), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert read_photo(tmp_path / "clear.png").min() == 255


def ramp(folder: Path, mode: str = "RGBA") -> Path:
    """A picture of noise that is transparent at the left and opaque at the right."""
    layers = np.random.default_rng(0).integers(0, 256, (24, 64, 4), np.uint8)
    layers[..., 3] = np.linspace(0, 255, 64)
    picture = Image.fromarray(layers)
    path = folder / f"ramp{mode}.png"
    (picture.quantize(200) if mode == "P" else picture.convert(mode)).save(path)
    return path


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_layers_are_colours_and_alpha(tmp_path: Path, mode: str) -> None:
    path = ramp(tmp_path, mode)
    colours, alpha = read_layers(path)
    layers = np.asarray(Image.open(path).convert("RGBA"))
    assert alpha is not None and np.array_equal(alpha, layers[..., 3]) and 0 < alpha.mean() < 255
    seen = alpha > 0
    assert np.array_equal(colours[seen], layers[seen][:, :3]) and (colours[~seen] == 255).all()


def test_opaque_pictures_have_no_alpha(tmp_path: Path, corners: np.ndarray) -> None:
    for mode in ("RGB", "RGBA", "L", "P"):
        Image.fromarray(corners).convert(mode).save(tmp_path / f"{mode}.png")
        image, alpha = read_layers(tmp_path / f"{mode}.png")
        assert alpha is None and np.array_equal(image, read_photo(tmp_path / f"{mode}.png"))


@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_painted_photos_keep_their_transparency(
    run: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    path, out = ramp(tmp_path), tmp_path / f"out.{suffix}"
    assert run("image", path, "-o", out) == 0
    assert "transparent" not in capsys.readouterr().err
    before, after = np.asarray(Image.open(path)), np.asarray(Image.open(out))
    assert after.shape == before.shape and np.array_equal(after[..., 3], before[..., 3])
    assert np.abs(after[:, 32:, :3].astype(int) - before[:, 32:, :3]).mean() > 10, "not painted"


def test_transparency_that_cannot_be_kept_is_told(
    run: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = ramp(tmp_path), tmp_path / "out.jpg"
    assert run("image", path, "-o", out, "--strength", "0") == 0
    said = capsys.readouterr().err
    assert re.search(r"ramp.*is transparent in places; that becomes white in a \.jpg\. A \.png or \.webp keeps it", said)
    assert np.asarray(Image.open(out))[:, 0].min() > 215, "white, as far as JPEG can beside noise"


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".jpeg", ".webp", ".PNG"])
def test_formats_read_back(tmp_path: Path, suffix: str) -> None:
    image = np.full((33, 47, 3), (200, 30, 60), np.uint8)
    write_photo(tmp_path / f"out{suffix}", image)
    back = read_photo(tmp_path / f"out{suffix}").astype(int)
    assert back.shape == image.shape and np.abs(back - image).max() <= 6
    assert [path.name for path in tmp_path.iterdir()] == [f"out{suffix}"]


def test_png_keeps_remarks(tmp_path: Path) -> None:
    write_photo(tmp_path / "out.png", np.zeros((8, 8, 3), np.uint8), {"Style": "wave"})
    with Image.open(tmp_path / "out.png") as file:
        assert file.info["Style"] == "wave"


def test_unknown_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"ends in '\.xyz'; \.png, \.jpg, \.jpeg, \.webp were expected"):
        write_photo(tmp_path / "out.xyz", np.zeros((8, 8, 3), np.uint8))


def test_too_large_for_the_format_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="was not written"):
        write_photo(tmp_path / "out.webp", np.zeros((8, 16400, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_forbidden_folder_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(SinkError, match="was not written"):
        write_photo(tmp_path / "out.png", np.zeros((8, 8, 3), np.uint8))


def test_what_is_no_picture_is_told(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "empty.png").write_bytes(b"")
    Image.effect_noise((64, 64), 50).save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:800])
    with pytest.raises(SourceError, match="not a picture that can be read"):
        read_photo(tmp_path / "text.png")
    with pytest.raises(SourceError, match="not a picture that can be read"):
        read_photo(tmp_path / "cut.png")
    with pytest.raises(SourceError, match="is empty"):
        read_photo(tmp_path / "empty.png")
    with pytest.raises(SourceError, match=r"No file at .*The folder holds: cut\.png, empty\.png"):
        read_photo(tmp_path / "gone.png")
    with pytest.raises(SourceError, match="is a folder"):
        read_photo(tmp_path)


def test_side_too_long_for_jpeg_is_told(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="a side has 65501 pixels, of which JPEG holds 65500. It is too large for its format"):
        write_photo(tmp_path / "long.jpg", np.zeros((8, 65_501, 3), np.uint8))
    write_photo(tmp_path / "long.png", np.zeros((8, 65_501, 3), np.uint8))
    assert [path.name for path in tmp_path.iterdir()] == ["long.png"]
