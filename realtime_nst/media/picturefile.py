"""A picture file, opened: of several pictures the first whole one, and plain words where it cannot be read.

What its pixels mean is not known here: `photos.py` makes them upright and sRGB.
"""

import logging
import struct
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from realtime_nst.errors import SourceError
from realtime_nst.media.depth import read_with_opencv, with_whole_samples
from realtime_nst.media.filekinds import check_file, no_photo
from realtime_nst.media.photofiles import begins_as_picture, is_tiff, what_to_convert

TIFF_SUFFIXES = (".tif", ".tiff")
ANIMATED = ("AVIF", "GIF", "PNG", "WEBP")
SUBFILE = 254  # a tag of TIFF: its first bit says that a page is a smaller copy of another one
LARGEST_PHOTO = 50_000_000  # pixels: the network needs up to 75 bytes for each, so that 4 GiB of memory are enough
UNREADABLE = (
    *(OSError, ValueError, SyntaxError, Image.DecompressionBombError),
    *(struct.error, TypeError, AttributeError),  # of damaged EXIF
)
"""What Pillow raises for files that are no pictures, or damaged ones."""

log = logging.getLogger(__name__)


class WithoutWarnings:
    """Python's warnings left out, as long as any thread is inside: `warnings.catch_warnings` allows but one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._filters = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                warnings.simplefilter("ignore")

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._filters.__exit__(None, None, None)


WITHOUT_WARNINGS = WithoutWarnings()
"""For Pillow: what is to be said about a photo is said in our own words."""


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """A picture file, not yet decoded where Pillow knows it.

    Raises:
        SourceError: It is missing, empty, no picture, or one that has to be converted first; also where that comes to
            light inside of the `with`.
    """
    check_file(path)
    try:
        if words := what_to_convert(path):
            raise SourceError(f"'{path}' is {words}")
        try:
            file: Image.Image = Image.open(path)
        except UnidentifiedImageError:
            deep = read_with_opencv(path) if path.suffix.lower() in TIFF_SUFFIXES else None
            if deep is None:
                raise
            file = deep
        with file:
            yield with_whole_samples(_full_page(file))
    except PermissionError as error:
        raise SourceError(f"'{path}' cannot be read: {error.strerror}. Check its rights.") from error
    except Image.DecompressionBombError as error:
        raise too_large(path, f"more than {2 * (Image.MAX_IMAGE_PIXELS or 0) / 1e6:.0f}") from error
    except UNREADABLE as error:
        raise _unreadable(path, error) from error


def _full_page(file: Image.Image) -> Image.Image:
    """The first page of a TIFF that is no thumbnail of another one; any other file as it is."""
    if not isinstance(file, TiffImagePlugin.TiffImageFile) or not _is_thumbnail(file):
        return file
    for page in range(1, file.n_frames):
        file.seek(page)
        if not _is_thumbnail(file):
            return file
    file.seek(0)
    return max([file, *file.get_child_images()], key=lambda picture: picture.width * picture.height)


def _is_thumbnail(file: TiffImagePlugin.TiffImageFile) -> bool:
    return bool(file.tag_v2.get(SUBFILE, 0) & 1)


def pixels_of(path: Path) -> int:
    """How many pixels a picture file has, by its first bytes; as many as may be where Pillow does not tell."""
    with suppress(Exception):
        check_file(path)
        with WITHOUT_WARNINGS, Image.open(path) as file:
            return file.width * file.height
    return LARGEST_PHOTO


def tell_of_more(path: Path, kind: str | None, notice: Callable[..., object] = log.warning) -> None:
    """Say where a picture file of some kind holds more than the one picture that is taken.

    Args:
        path: The file.
        kind: Its format, as Pillow calls it.
        notice: Called as `logging.warning` is.
    """
    with suppress(Exception), Image.open(path) as file:  # what is damaged further on does not spoil the first picture
        count = getattr(file, "n_frames", 1) if kind in (*ANIMATED, "TIFF") else 1
        if isinstance(file, TiffImagePlugin.TiffImageFile):
            pages = 0
            for page in range(count):
                file.seek(page)
                pages += not _is_thumbnail(file)
            if pages > 1:
                notice("'%s' has %d pages; only the first one is taken. Save the others as files of their own.", path, pages)
        elif count > 1:
            notice(
                "'%s' is an animation of %d pictures; only the first one is taken. `realtime-nst video` paints all of them.",
                *(path, count),
            )


def _unreadable(path: Path, error: Exception) -> SourceError:
    """Why a file is no picture that can be read, as far as its first bytes tell."""
    with suppress(OSError):
        if isinstance(error, UnidentifiedImageError) and is_tiff(path):
            return SourceError(
                f"'{path}' is a TIFF that is damaged, or of a kind that cannot be read here. Save it with 8 bits for each colour."
            )
        if begins_as_picture(path):
            how = "cut short" if "truncated" in str(error).lower() else "cut short or damaged"
            return SourceError(f"'{path}' is {how}, and not a picture that can be read as a whole. Copy it again.")
    return no_photo(path)


def too_large(path: Path, megapixels: str) -> SourceError:
    """The error for a photo that does not fit into memory."""
    return SourceError(
        f"'{path}' has {megapixels} megapixels; at most {LARGEST_PHOTO / 1e6:.0f} fit into memory. Shrink it first."
    )
