"""Pictures whose samples are not eight bits, as pictures whose samples are: 16 and 32 bits, fractions, greys of 2 and 4.

What white is, whole numbers of 16 bits and PNGs say. 32 bits and fractions do not, so their values tell: nearly all at most
1 are fractions of white, at most 255 are those of eight bits, at most 65535 those of sixteen. What is no number is black.
"""

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFile, TiffImagePlugin, UnidentifiedImageError

from realtime_nst.media.opencv import has_opencv, load_opencv
from realtime_nst.media.photofiles import tiff_directories

BITS_PER_SAMPLE, PHOTOMETRIC, SAMPLES_PER_PIXEL, PLANAR, SAMPLE_FORMAT = 258, 262, 277, 284, 339  # tags of TIFF
WHITE_IS_ZERO, APART, UNSIGNED = 0, 2, 1  # values of photometric interpretation, planar configuration and sample format
OVERSHOOT = 2.0
"""Up to how much fractions may be and still count as such: sharpening and bright lamps leave some above white."""
SAMPLE = 1_000_000
"""How many values tell what nearly all are like."""


def coding(file: Image.Image) -> str:
    """How the samples of an opened picture lie in its file, in Pillow's words, which it forgets as it decodes."""
    arguments = file.tile[0].args if isinstance(file, ImageFile.ImageFile) and file.tile else ""
    return str(arguments[0] if isinstance(arguments, tuple) and arguments else arguments)


def with_whole_samples(file: Image.Image) -> Image.Image:
    """An opened picture, not yet decoded, whose samples will be read as they lie in its file.

    Pillow reads planes of more than 8 bits that are not compressed as if they had 8, and numbers of 32 bits that libtiff has
    turned already as if they still had the other order of bytes.

    Raises:
        UnidentifiedImageError: It has planes that Pillow has no words for.
    """
    if not isinstance(file, TiffImagePlugin.TiffImageFile):
        return file
    tiles: list[Any] = list(file.tile)
    if any(tile.codec_name != "raw" for tile in tiles):
        file.tile = [tile._replace(args=(tile.args[0].replace(";32B", ";32N"), *tile.args[1:])) for tile in tiles]
    elif file.tag_v2.get(PLANAR) == APART and max(bits := file.tag_v2.get(BITS_PER_SAMPLE, (1,))) > 8:
        big = file.tag_v2.prefix == b"MM"
        endings = {"RGB": ";16B" if big else ";16L", "I;16": ";16", "I;16B": ";16B", "F": ";32BF" if big else ";32F"}
        ending = endings.get(file.mode.replace("RGBA", "RGB"), "")
        planes = [tile for tile in tiles if tile.args[0] in file.mode]
        if set(bits) != {int(ending[1:3] or 0)} or len({tile.args[0] for tile in planes}) != len(file.getbands()):
            raise UnidentifiedImageError(f"planes of {file.mode} with {bits} bits")
        file.tile = [tile._replace(args=(tile.args[0] + ending, *tile.args[1:])) for tile in planes]
    return file


def eight_bits(file: Image.Image, coded: str) -> Image.Image:
    """A decoded picture with samples of eight bits; what a grey or a colour makes transparent becomes an alpha.

    Args:
        file: The picture.
        coded: Its `coding`.
    """
    clear = file.info.get("transparency")
    if file.mode in ("I", "F") or file.mode.startswith("I;"):
        values = np.asarray(file)
        grey = Image.fromarray(_grey(file, values))
        return _cleared(grey, values == clear) if isinstance(clear, int) else grey
    if isinstance(clear, int) and (few := re.fullmatch(r"L;([24])", coded)):  # Pillow spreads the greys, and not this one
        return _cleared(file, np.asarray(file) == clear * 255 // (2 ** int(few[1]) - 1))
    if isinstance(clear, tuple) and coded == "RGB;16B" and isinstance(file, ImageFile.ImageFile):
        colours = np.asarray(file).astype(np.uint16) * 256 + _low_bytes(file.filename)
        return _cleared(file, (colours == np.array(clear)).all(axis=-1))
    return file


def read_with_opencv(path: Path) -> Image.Image | None:
    """A TIFF of samples that Pillow does not know, in three colours, upright; `None` where OpenCV does not, either."""
    with path.open("rb") as file:
        tags = next(tiff_directories(file), {})
    samples, bits = tags.get(SAMPLES_PER_PIXEL, (1,))[0], max(tags.get(BITS_PER_SAMPLE, (1,)))
    mixed_up = samples > 1 and bits > 8 and tags.get(PLANAR) == (APART,)
    if not has_opencv() or samples not in (1, 3, 4) or mixed_up:  # of two, it gives only the first
        return None
    cv2 = load_opencv()
    try:
        values = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    if values is None:
        return None
    if values.ndim == 3:
        values = values[..., [2, 1, 0, 3][: values.shape[2]]]
    return Image.fromarray(_scaled(values, _white_of(values)))


def _grey(file: Image.Image, values: np.ndarray) -> np.ndarray:
    tags: dict[int, Any] = getattr(file, "tag_v2", {})
    bits, unsigned = tags.get(BITS_PER_SAMPLE, (16,))[0], tags.get(SAMPLE_FORMAT, (UNSIGNED,))[0] == UNSIGNED
    if file.mode == "I" and unsigned and values.min() < 0:
        values = values.view(np.uint32)  # Pillow knows signed ones only
    said = None if file.mode == "F" or bits == 32 else 2.0 ** (bits if unsigned else bits - 1) - 1
    grey = _scaled(values, said or _white_of(values))
    return 255 - grey if tags.get(PHOTOMETRIC) == WHITE_IS_ZERO else grey


def _white_of(values: np.ndarray) -> float:
    """What white is among these values, if nothing says it."""
    if values.dtype.kind == "u" and values.itemsize < 4:
        return float(np.iinfo(values.dtype).max)
    known = values[np.isfinite(values)]
    if not known.size:
        return 1.0
    most, some = float(known.max()), known[:: max(1, known.size // SAMPLE)]
    if values.dtype.kind == "f" and (some != np.rint(some)).any():
        most = min(most, float(np.percentile(some, 99)))
        if most <= OVERSHOOT:
            return 1.0
    elif most <= 1:
        return 1.0
    return next((white for white in (255.0, 65_535.0, 2.0**31 - 1, 2.0**32 - 1) if most <= white * 1.01), most)


def _scaled(values: np.ndarray, white: float) -> np.ndarray:
    shares = np.nan_to_num(values / np.float32(white), nan=0.0, posinf=1.0, neginf=0.0)
    scaled: np.ndarray = np.rint(shares.clip(0, 1) * 255).astype(np.uint8)
    return scaled


def _low_bytes(filename: str | bytes) -> np.ndarray:
    """What Pillow cuts off the colours of a PNG of 16 bits: it reads their other halves as well."""
    with Image.open(os.fsdecode(filename)) as again:
        again.tile = [tile._replace(args="RGB;16L") for tile in again.tile]
        return np.array(again)


def _cleared(picture: Image.Image, clear: np.ndarray) -> Image.Image:
    """A picture that is transparent in places, and opaque elsewhere."""
    layered = picture.copy()
    layered.info.pop("transparency", None)
    layered.putalpha(Image.fromarray(np.where(clear, 0, 255).astype(np.uint8)))
    return layered
