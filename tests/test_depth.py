"""Pictures whose samples are not eight bits look as their copies of eight bits do."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image

from realtime_nst.errors import SourceError
from realtime_nst.media.photos import read_layers, read_photo

from .madephotos import CMYK, COLOUR, COLOUR_ALPHA, EXTRA, GREY, GREY_ALPHA, ORIENTATION, PHOTOMETRIC, Page, png, tiff

SHADES = np.linspace(0, 1, 48 * 64).reshape(48, 64)
COLOURS = np.stack([SHADES, SHADES[::-1], SHADES[:, ::-1]], axis=-1)
SIXTEEN = np.rint(COLOURS * 65_535).astype(np.uint16)
ALPHA = np.tile(np.linspace(0, 1, 64), (48, 1))
WITH_ALPHA = np.dstack([COLOURS, ALPHA])


def odd_floats() -> np.ndarray:
    """Shades with a bright lamp, and some that are no numbers."""
    values = SHADES.astype(np.float32)
    values[-1, -4:] = 20, 20, np.inf, np.inf
    values[0, :2] = np.nan, -np.inf
    return values


GREYS: dict[str, Callable[[], bytes]] = {
    "16 bits.png": lambda: png(SIXTEEN[..., 0], GREY, 16),
    "16 bits.tif": lambda: tiff(Page(SIXTEEN[..., 0])),
    "16 bits, white is zero.tif": lambda: tiff(Page(65_535 - SIXTEEN[..., 0], {PHOTOMETRIC: [0]})),
    "16 of 32 bits.tif": lambda: tiff(Page(SIXTEEN[..., 0].astype(np.int32))),
    "8 of 32 bits.tif": lambda: tiff(Page(np.rint(SHADES * 255).astype(np.int32))),
    "32 bits.tif": lambda: tiff(Page(np.rint(SHADES * (2**32 - 1)).astype(np.uint32))),
    "15 bits and a sign.tif": lambda: tiff(Page(np.rint(SHADES * 32_767).astype(np.int16))),
    "fractions.tif": lambda: tiff(Page(SHADES.astype(np.float32))),
    "long fractions.tif": lambda: tiff(Page(SHADES)),
    "fractions of 255.tif": lambda: tiff(Page((SHADES * 255).astype(np.float32))),
    "fractions of 65535.tif": lambda: tiff(Page((SHADES * 65_535).astype(np.float32))),
    "odd fractions.tif": lambda: tiff(Page(odd_floats())),
    "16 bits.pgm": lambda: b"P5 64 48 65535\n" + SIXTEEN[..., 0].astype(">u2").tobytes(),
}
IN_COLOUR: dict[str, Callable[[], bytes]] = {
    "16 bits.png": lambda: png(SIXTEEN, COLOUR, 16),
    "16 bits.tif": lambda: tiff(Page(SIXTEEN)),
    "fractions.tif": lambda: tiff(Page(COLOURS.astype(np.float32))),
    "long fractions.tif": lambda: tiff(Page(COLOURS)),
    "upside down.tif": lambda: tiff(Page(COLOURS[::-1, ::-1].astype(np.float32), {ORIENTATION: [3]})),
    "32 bits.tif": lambda: tiff(Page(np.rint(COLOURS * (2**32 - 1)).astype(np.uint32))),
    "fractions of 255.tif": lambda: tiff(Page((COLOURS * 255).astype(np.float32))),
}
TRANSPARENT: dict[str, Callable[[], bytes]] = {
    "16 bits.png": lambda: png(np.rint(WITH_ALPHA * 65_535).astype(np.uint16), COLOUR_ALPHA, 16),
    "16 bits.tif": lambda: tiff(Page(np.rint(WITH_ALPHA * 65_535).astype(np.uint16))),
    "fractions.tif": lambda: tiff(Page(WITH_ALPHA.astype(np.float32))),
}


@pytest.mark.parametrize("name", GREYS)
def test_greys_are_rounded_to_eight_bits(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(GREYS[name]())
    image, alpha = read_layers(tmp_path / name)
    expected = SHADES * 255
    expected[-1, -4:], expected[0, :2] = (255, 0) if name.startswith("odd") else (expected[-1, -4:], expected[0, :2])
    assert alpha is None and np.abs(image - expected[..., None]).max() <= 0.51


@pytest.mark.parametrize("name", IN_COLOUR)
def test_colours_are_within_a_level(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(IN_COLOUR[name]())
    assert np.abs(read_photo(tmp_path / name) - COLOURS * 255).max() <= 1


@pytest.mark.parametrize("name", TRANSPARENT)
def test_alpha_of_more_bits_is_kept(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(TRANSPARENT[name]())
    image, alpha = read_layers(tmp_path / name)
    assert alpha is not None and np.abs(alpha - ALPHA * 255).max() <= 1
    assert np.abs(image - COLOURS * 255)[alpha > 0].max() <= 1


def test_grey_with_alpha_of_16_bits(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(np.rint(np.dstack([SHADES, ALPHA]) * 65_535).astype(np.uint16), GREY_ALPHA, 16))
    image, alpha = read_layers(tmp_path / "a.png")
    assert alpha is not None and np.abs(alpha - ALPHA * 255).max() <= 1
    assert np.abs(image - SHADES[..., None] * 255)[alpha > 0].max() <= 1


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_a_grey_that_is_transparent(tmp_path: Path, depth: int) -> None:
    most = 2**depth - 1
    samples = np.rint(SHADES * most).astype(np.uint16)
    clear = int(samples[20, 20])
    (tmp_path / "a.png").write_bytes(png(samples, GREY, depth, [clear]))
    image, alpha = read_layers(tmp_path / "a.png")
    assert alpha is not None and np.array_equal(alpha == 0, samples == clear) and set(np.unique(alpha)) == {0, 255}
    assert np.abs(image - (samples / most * 255)[..., None])[alpha > 0].max() <= 0.51


def test_a_colour_of_16_bits_that_is_transparent_is_that_one_alone(tmp_path: Path) -> None:
    samples = SIXTEEN.copy()
    samples[3, 4], samples[5, 6] = (513, 1027, 2051), (512, 1027, 2051)  # alike in their first eight bits
    (tmp_path / "a.png").write_bytes(png(samples, COLOUR, 16, [513, 1027, 2051]))
    image, alpha = read_layers(tmp_path / "a.png")
    assert alpha is not None and [tuple(place) for place in np.argwhere(alpha == 0)] == [(3, 4)]
    assert np.abs(image - samples / 257)[alpha > 0].max() <= 1


@pytest.mark.parametrize("mode", ["LA", "1", "CMYK", "YCbCr", "LAB"])
def test_other_kinds_of_eight_bits_are_as_they_were(tmp_path: Path, mode: str) -> None:
    picture = Image.fromarray(np.rint(COLOURS * 255).astype(np.uint8)).convert(mode)
    picture.save(tmp_path / ("a.png" if mode == "LA" else "a.tif"))
    image, alpha = read_layers(tmp_path / ("a.png" if mode == "LA" else "a.tif"))
    assert alpha is None and np.abs(image.astype(int) - np.asarray(picture.convert("RGB"))).max() <= 1


@pytest.mark.parametrize("samples", [SHADES.astype(np.float16), np.dstack([SIXTEEN[..., 0], SIXTEEN[..., 1]])])
def test_a_tiff_of_a_kind_that_nobody_knows_is_told(tmp_path: Path, samples: np.ndarray) -> None:
    (tmp_path / "a.tif").write_bytes(tiff(Page(samples)))
    with pytest.raises(SourceError, match="is a TIFF that is damaged, or of a kind that cannot be read here. Save"):
        read_photo(tmp_path / "a.tif")


ORDERS: tuple[Literal["<", ">"], ...] = ("<", ">")


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("order", ORDERS)
def test_planes_and_either_order_of_bytes_change_nothing(tmp_path: Path, order: Literal["<", ">"], packed: bool) -> None:
    four = np.rint(WITH_ALPHA * 65_535).astype(np.uint16)
    pages = {
        "colours": Page(SIXTEEN, apart=True, packed=packed),
        "alpha": Page(four, apart=True, packed=packed),
        "a fourth that says nothing": Page(four, {EXTRA: [0]}, apart=True, packed=packed),
        "eight bits": Page((SIXTEEN >> 8).astype(np.uint8), apart=True, packed=packed),
        "grey": Page(SIXTEEN[..., 0], apart=True, packed=packed),
        "fractions": Page(SHADES.astype(np.float32), apart=True, packed=packed),
        "fractions together": Page(SHADES.astype(np.float32), packed=packed),
        "32 bits": Page(np.rint(SHADES * 65_535).astype(np.int32), packed=packed),
    }
    for name, page in pages.items():
        (tmp_path / "a.tif").write_bytes(tiff(page, order=order))
        image, alpha = read_layers(tmp_path / "a.tif")
        expected = COLOURS if page.samples.ndim == 3 else SHADES[..., None]
        seen = np.ones(SHADES.shape, bool) if alpha is None else alpha > 0
        assert np.abs(image - expected * 255)[seen].max() <= 1, name
        assert (name == "alpha") == (alpha is not None) and (alpha is None or np.abs(alpha - ALPHA * 255).max() <= 1), name


@pytest.mark.parametrize("order", ORDERS)
def test_planes_that_nobody_knows_are_refused_and_not_painted_wrong(tmp_path: Path, order: Literal["<", ">"]) -> None:
    four = np.rint(WITH_ALPHA * 65_535).astype(np.uint16)
    for page in (
        Page(COLOURS.astype(np.float32), apart=True),
        Page(COLOURS.astype(np.float32), apart=True, packed=True),
        Page(COLOURS, apart=True),
        Page(np.rint(COLOURS * (2**32 - 1)).astype(np.uint32), apart=True),
        Page(np.rint(COLOURS * 32_767).astype(np.int16), apart=True),
        Page(four, {PHOTOMETRIC: [CMYK]}, apart=True),
        Page(four, {EXTRA: [1]}, apart=True),
    ):
        (tmp_path / "a.tif").write_bytes(tiff(page, order=order))
        with pytest.raises(
            SourceError, match=r"is a TIFF that is damaged, or of a kind that cannot be read here. Save it with 8"
        ):
            read_layers(tmp_path / "a.tif")
