"""Photos in and out: any size, upright, in the formats that Pillow knows."""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, PngImagePlugin

from realtime_nst.errors import SinkError, SourceError
from realtime_nst.results import written_whole
from realtime_nst.sources import check_file

WRITABLE = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
QUALITY = 92
LARGEST_PHOTO = 50_000_000  # pixels: the network needs about 170 bytes for each
UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)
"""What Pillow raises for files that are no pictures, or damaged ones."""


def read_photo(path: Path) -> np.ndarray:
    """A photo as uint8 `(height, width, 3)` RGB, turned as its EXIF orientation says; transparency becomes white.

    Raises:
        SourceError: It is missing, empty or no picture.
    """
    check_file(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # told in our own words
            with Image.open(path) as file:
                if file.width * file.height > LARGEST_PHOTO:
                    size = f"{file.width * file.height / 1e6:.0f} megapixels; at most {LARGEST_PHOTO / 1e6:.0f}"
                    raise SourceError(f"'{path}' has {size} fit into memory. Shrink it first.")
                return np.asarray(upright_rgb(file))
    except PermissionError as error:
        raise SourceError(f"'{path}' cannot be read: {error.strerror}. Check its rights.") from error
    except UNREADABLE as error:
        raise SourceError(f"'{path}' is not a picture that can be read. JPEG, PNG, WebP and others of Pillow's are.") from error


def upright_rgb(file: Image.Image) -> Image.Image:
    """An opened picture as RGB, turned as its EXIF orientation says; transparency becomes white, 16 bits become 8.

    Raises:
        Exception: One of `UNREADABLE`.
    """
    picture = ImageOps.exif_transpose(file)
    if picture.mode in ("I;16", "I;16B", "I"):  # Pillow clips 16-bit greys instead of scaling them
        picture = Image.fromarray((np.asarray(picture).astype(np.float32) / 257).clip(0, 255).astype(np.uint8))
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        layered = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered)
    return picture.convert("RGB")


def check_photo_name(path: Path) -> None:
    """Make sure that a photo can be written under this name.

    Raises:
        SinkError: Its ending names no format that can be written.
    """
    if path.suffix.lower() not in WRITABLE:
        raise SinkError(f"'{path}' ends in '{path.suffix}'; {', '.join(WRITABLE)} were expected. Choose another name.")


def write_photo(path: Path, image: np.ndarray, text: dict[str, str] | None = None) -> None:
    """Write a photo as a whole or not at all; the ending chooses PNG, JPEG or WebP.

    Args:
        path: The file.
        image: uint8 `(height, width, 3)` RGB.
        text: Named remarks that a PNG keeps.

    Raises:
        SinkError: The ending is unknown, or the disk does not allow it.
    """
    check_photo_name(path)
    options: dict[str, object] = {"quality": QUALITY}
    if WRITABLE[path.suffix.lower()] == "PNG":
        info = PngImagePlugin.PngInfo()
        for name, remark in (text or {}).items():
            info.add_itxt(name, remark)
        options = {"pnginfo": info}
    try:
        with written_whole(path) as draft:
            Image.fromarray(image).save(draft, WRITABLE[path.suffix.lower()], **options)
    except ValueError as error:
        raise SinkError(f"'{path}' was not written: {error}. It is too large for its format; choose another.") from error
