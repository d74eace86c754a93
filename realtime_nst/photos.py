"""Photos in and out: any size, upright, in the formats that Pillow knows."""

import io
import struct
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

from realtime_nst.errors import SinkError, SourceError
from realtime_nst.results import ending, written_whole
from realtime_nst.sources import check_file
from realtime_nst.video import padded_length
from realtime_nst.videofiles import no_photo

WRITABLE = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
QUALITY, LONGEST_JPEG = 92, 65_500
KEEPS_ALPHA = ("PNG", "WEBP")
ORIENTATION, SOFTWARE = 0x0112, 0x0131  # fields of EXIF: how a picture is turned, what made it
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture upright, by its orientation."""
LARGEST_PHOTO = 50_000_000  # pixels: the network needs up to 75 bytes for each, so that 4 GiB of memory are enough
UNREADABLE = (
    *(OSError, ValueError, SyntaxError, Image.DecompressionBombError),
    *(struct.error, TypeError, AttributeError),  # of damaged EXIF
)
"""What Pillow raises for files that are no pictures, or damaged ones."""


def read_photo(path: Path) -> np.ndarray:
    """A photo as uint8 `(height, width, 3)` sRGB, turned as its EXIF orientation says; transparency becomes white.

    Raises:
        SourceError: It is missing, empty or no picture.
    """
    return np.asarray(_read(path, upright_rgb))


def read_layers(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """A photo as its colours, like `read_photo`, and its alpha, uint8 `(height, width)`; `None` where all is opaque.

    Colours that show only in part are given as they are, not mixed with white, so that they can be laid over anything.

    Raises:
        SourceError: It is missing, empty or no picture.
    """
    picture = _read(path, _upright)
    if not picture.has_transparency_data:
        return np.asarray(_rgb(picture)), None
    layers = np.asarray(picture.convert("RGBA"))
    colours, alpha = layers[..., :3].copy(), layers[..., 3].copy()
    if alpha.min() == 255:
        return colours, None
    colours[alpha == 0] = 255
    return colours, alpha


def _read(path: Path, take: Callable[[Image.Image], Image.Image]) -> Image.Image:
    check_file(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # told in our own words
            with Image.open(path) as file:
                pixels = padded_length(file.width) * padded_length(file.height)
                if pixels > LARGEST_PHOTO:
                    raise too_large(path, f"{pixels / 1e6:.0f}")
                return take(file)
    except PermissionError as error:
        raise SourceError(f"'{path}' cannot be read: {error.strerror}. Check its rights.") from error
    except Image.DecompressionBombError as error:
        raise too_large(path, f"more than {2 * (Image.MAX_IMAGE_PIXELS or 0) / 1e6:.0f}") from error
    except UNREADABLE as error:
        raise no_photo(path) from error


def too_large_for_format(path: Path, reason: object) -> SinkError:
    """The error for a picture that its format cannot hold."""
    return SinkError(f"'{path}' was not written: {reason}. It is too large for its format; choose another.")


def too_large(path: Path, megapixels: str) -> SourceError:
    """The error for a photo that does not fit into memory."""
    return SourceError(
        f"'{path}' has {megapixels} megapixels; at most {LARGEST_PHOTO / 1e6:.0f} fit into memory. Shrink it first."
    )


def upright_rgb(file: Image.Image) -> Image.Image:
    """An opened picture as sRGB, turned as its EXIF orientation says; transparency becomes white, 16 bits become 8.

    Raises:
        Exception: One of `UNREADABLE`.
    """
    return _rgb(_upright(file))


def _upright(file: Image.Image) -> Image.Image:
    file.load()
    turn = TURNS.get(file.getexif().get(ORIENTATION, 1))
    picture = file if turn is None else file.transpose(turn)
    if picture.mode in ("I;16", "I;16B", "I"):  # Pillow clips 16-bit greys instead of scaling them
        picture = Image.fromarray((np.asarray(picture).astype(np.float32) / 257).clip(0, 255).astype(np.uint8))
    return _srgb(picture, file.info.get("icc_profile"))


def _srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """A picture whose colours mean what a profile says, in sRGB; a profile that does not fit it is passed over."""
    if not profile:
        return picture
    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if ImageCms.getProfileDescription(given).startswith("sRGB"):
            return picture
        alpha = picture.convert("RGBA").getchannel("A") if picture.has_transparency_data else None
        flat = picture if picture.mode in ("L", "RGB", "CMYK") else picture.convert("RGB")
        converted = ImageCms.profileToProfile(flat, given, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (OSError, ValueError, ImageCms.PyCMSError):
        return picture
    if converted is None:
        return picture
    converted.info.pop("transparency", None)
    if alpha is not None:
        converted.putalpha(alpha)
    return converted


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.has_transparency_data:
        layered = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered)
    return picture.convert("RGB")


def check_photo_name(path: Path) -> None:
    """Make sure that a photo can be written under this name.

    Raises:
        SinkError: Its ending names no format that can be written.
    """
    if path.suffix.lower() not in WRITABLE:
        raise SinkError(f"'{path}' {ending(path)}; {', '.join(WRITABLE)} were expected. Choose another name.")


def keeps_alpha(path: Path) -> bool:
    """Whether a photo of this name can be transparent."""
    return WRITABLE.get(path.suffix.lower()) in KEEPS_ALPHA


def write_photo(
    path: Path,
    image: np.ndarray,
    text: dict[str, str] | None = None,
    alpha: np.ndarray | None = None,
    *,
    software: str = "",
    hasty: bool = False,
) -> None:
    """Write a photo as a whole or not at all; the ending chooses PNG, JPEG or WebP.

    Args:
        path: The file.
        image: uint8 `(height, width, 3)` RGB.
        text: Named remarks that a PNG keeps.
        alpha: uint8 `(height, width)`, 0 where it is transparent, if `keeps_alpha`.
        software: Who made it, in EXIF.
        hasty: Rather fast than small.

    Raises:
        SinkError: The ending is unknown, or the disk does not allow it.
    """
    check_photo_name(path)
    options: dict[str, object] = {"quality": QUALITY}
    if WRITABLE[path.suffix.lower()] == "PNG":
        info = PngImagePlugin.PngInfo()
        for name, remark in (text or {}).items():
            info.add_itxt(name, remark)
        options = {"pnginfo": info, **({"compress_level": 1} if hasty else {})}
    if software:
        exif = Image.Exif()
        exif[SOFTWARE] = software
        options["exif"] = exif
    if WRITABLE[path.suffix.lower()] == "JPEG" and max(image.shape[:2]) > LONGEST_JPEG:
        raise too_large_for_format(path, f"a side has {max(image.shape[:2])} pixels, of which JPEG holds {LONGEST_JPEG}")
    try:
        layers = image if alpha is None else np.dstack([image, alpha])
        with written_whole(path) as draft:
            Image.fromarray(layers).save(draft, WRITABLE[path.suffix.lower()], **options)
    except ValueError as error:
        raise too_large_for_format(path, error) from error
