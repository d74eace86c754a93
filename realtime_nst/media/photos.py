"""Photos in and out: any size, upright, in the formats that Pillow knows."""

import io
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageFile

from realtime_nst.errors import SinkError, SourceError
from realtime_nst.frames import padded_length
from realtime_nst.media.depth import coding, eight_bits
from realtime_nst.media.picturefile import LARGEST_PHOTO, WITHOUT_WARNINGS, opened, tell_of_more, too_large
from realtime_nst.media.remarks import ORIENTATION, Remarks, options_for, remarks_of
from realtime_nst.media.results import ending, written_whole

log = logging.getLogger(__name__)

WRITABLE = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
QUALITY, LONGEST_JPEG = 92, 65_500
JPEG_END, JPEG_BLOCK = b"\xff\xd9", 8
NOTHING_SAID = Remarks()
KEEPS_ALPHA = ("PNG", "WEBP")
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


def read_photo(path: Path) -> np.ndarray:
    """A photo as uint8 `(height, width, 3)` sRGB, turned as its EXIF orientation says; transparency becomes white.

    Raises:
        SourceError: It is missing, empty or no picture, or one that has to be converted first.
    """
    return np.asarray(_read(path, upright_rgb))


def read_layers(path: Path, notice: Callable[..., object] = log.warning) -> tuple[np.ndarray, np.ndarray | None]:
    """A photo as its colours, like `read_photo`, and its alpha, uint8 `(height, width)`; `None` where all is opaque.

    Colours that show only in part are given as they are, not mixed with white, so that they can be laid over anything.

    Args:
        path: The file.
        notice: Called as `logging.warning` is with what is not taken of it.

    Raises:
        SourceError: Likewise.
    """
    picture = _read(path, _upright, notice)
    if not picture.has_transparency_data:
        return np.asarray(_rgb(picture)), None
    layers = np.asarray(picture.convert("RGBA"))
    colours, alpha = layers[..., :3].copy(), layers[..., 3].copy()
    if alpha.min() == 255:
        return colours, None
    colours[alpha == 0] = 255
    return colours, alpha


def read_reduced(path: Path, shorter: int, *, longest: float, least: int) -> np.ndarray:
    """A photo like `read_photo`, scaled to a shorter side of so many pixels; of a long one the middle.

    Args:
        path: The file.
        shorter: Pixels; smaller photos are enlarged.
        longest: How many times as long the other side may be; what is further out is cut off.
        least: Pixels that each side of the photo must have.

    Raises:
        SourceError: As for `read_photo`, or it is smaller than `least`.
    """
    with _plainly(path) as file:
        if min(file.size) < least:
            raise SourceError(
                f"'{path}' has {file.width}x{file.height} pixels; at least {least}x{least} were expected. Take a larger picture."
            )
        scale = shorter / min(file.size)  # a JPEG is decoded at half its size or less where that is still enough
        file.draft(file.mode, (round(2 * scale * file.width), round(2 * scale * file.height)))
        _check_size(path, file)
        picture = upright_rgb(file)
    width, height = picture.size
    wide, high = min(width, round(longest * height)), min(height, round(longest * width))
    left, top = (width - wide) / 2, (height - high) / 2
    scale = shorter / min(wide, high)
    size = max(shorter, round(scale * wide)), max(shorter, round(scale * high))
    box = (left, top, left + wide, top + high)
    return np.asarray(picture.resize(size, Image.Resampling.BICUBIC, box=box, reducing_gap=3.0))


def on_white(colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Layers as `read_layers` gives them, laid on white: uint8 `(height, width, 3)`."""
    return np.asarray(_rgb(Image.fromarray(np.dstack([colours, alpha]))))


def read_remarks(path: Path) -> Remarks:
    """What a photo says beside its picture.

    Raises:
        SourceError: It is no picture.
    """
    with _plainly(path) as file:
        return remarks_of(file)


def _read(path: Path, take: Callable[[Image.Image], Image.Image], notice: Callable[..., object] = log.warning) -> Image.Image:
    with _plainly(path) as file:
        _check_size(path, file)
        tell_of_more(path, file.format, notice)
        return take(file)


@contextmanager
def _plainly(path: Path) -> Iterator[Image.Image]:
    """A picture file, `opened`, without Pillow's warnings."""
    with WITHOUT_WARNINGS, opened(path) as file:
        yield file


def _check_size(path: Path, file: Image.Image) -> None:
    pixels = padded_length(file.width) * padded_length(file.height)
    if pixels > LARGEST_PHOTO:
        raise too_large(path, f"{pixels / 1e6:.0f}")


def too_large_for_format(path: Path, reason: object) -> SinkError:
    """The error for a picture that its format cannot hold."""
    return SinkError(f"'{path}' was not written: {reason}. It is too large for its format; choose another.")


def upright_rgb(file: Image.Image) -> Image.Image:
    """An opened picture as sRGB, turned as its EXIF orientation says; transparency becomes white, 16 bits become 8.

    Raises:
        Exception: One of `UNREADABLE`.
    """
    return _rgb(_upright(file))


def _upright(file: Image.Image) -> Image.Image:
    coded = coding(file)
    file = _decoded(file)
    picture = eight_bits(file, coded)
    turn = TURNS.get(file.getexif().get(ORIENTATION, 1))
    return _srgb(picture if turn is None else picture.transpose(turn), file.info.get("icc_profile"))


def _decoded(file: Image.Image) -> Image.Image:
    """A picture with its pixels. Of a JPEG, nothing but its end may be missing: some programs forget that."""
    try:
        file.load()
    except OSError:
        if not isinstance(file, ImageFile.ImageFile) or file.format not in ("JPEG", "MPO") or "progressive" in file.info:
            raise
        ended = Image.open(io.BytesIO(Path(os.fsdecode(file.filename)).read_bytes() + JPEG_END))
        last = np.asarray(ended)[-1, -JPEG_BLOCK:].astype(int)
        if (abs(last - 128) <= 1).all():  # what is not there comes out grey
            raise
        return ended
    return file


def _srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """A picture whose colours mean what a profile says, in sRGB; a profile that does not fit it is passed over."""
    if not profile:
        return picture
    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if ImageCms.getProfileDescription(given).startswith("sRGB"):
            return picture
        alpha = picture.convert("RGBA").getchannel("A") if picture.has_transparency_data else None
        plain = {"CMYK": "CMYK", "L": "L", "LA": "L"}.get(picture.mode, "RGB")
        flat = picture if picture.mode == plain else picture.convert(plain)
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
    remarks: Remarks = NOTHING_SAID,
    notice: Callable[..., object] = log.warning,
) -> None:
    """Write a photo as a whole or not at all; the ending chooses PNG, JPEG or WebP.

    Args:
        path: The file.
        image: uint8 `(height, width, 3)` RGB.
        text: Named remarks that a PNG keeps.
        alpha: uint8 `(height, width)`, 0 where it is transparent, if `keeps_alpha`.
        software: Who made it, in EXIF.
        hasty: Rather fast than small.
        remarks: What the original said beside its picture.
        notice: Called as `logging.warning` is with what of that is left out.

    Raises:
        SinkError: The ending is unknown, or the disk does not allow it.
    """
    check_photo_name(path)
    kind = WRITABLE[path.suffix.lower()]
    height, width = image.shape[:2]
    options = {"compress_level": 1} if kind == "PNG" and hasty else {} if kind == "PNG" else {"quality": QUALITY}
    if kind == "JPEG" and max(width, height) > LONGEST_JPEG:
        raise too_large_for_format(path, f"a side has {max(width, height)} pixels, of which JPEG holds {LONGEST_JPEG}")
    if remarks.iptc and kind != "JPEG" and not remarks.xmp:
        notice("'%s' has no place for remarks of IPTC; they are left out. A .jpg keeps them.", path)
    if kind == "WEBP" and remarks.comment and remarks.has_user_comment:
        notice("'%s' has room for one comment, and EXIF's is kept; the other is left out. A .jpg or .png keeps both.", path)
    try:
        layers = image if alpha is None else np.dstack([image, alpha])
        said = options_for(kind, remarks, width, height, texts=text or {}, software=software)
        with written_whole(path) as draft:
            Image.fromarray(layers).save(draft, kind, **options, **said)
    except ValueError as error:
        raise too_large_for_format(path, error) from error
