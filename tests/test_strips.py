"""Large pictures in strips: the same picture as at once, without a seam, and within the memory that is promised."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realtime_nst.engines.backend import Backend, openvino_has_bfloat16
from realtime_nst.engines.engine import WholeEngine, build_engine
from realtime_nst.engines.runner import runner_for
from realtime_nst.engines.strips import StripEngine
from realtime_nst.media.photos import read_photo
from realtime_nst.style.book import StyleBook, find_styles
from tests.readback import most_memory

ROOT = Path(__file__).parents[1]
FLOAT32 = runner_for(Backend("openvino", "float32", gpu=False))
PRECISIONS = ["float32", *(["bfloat16"] if openvino_has_bfloat16() else [])]
MOST_MEMORY = 4 * 2**30


@pytest.fixture
def short_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    """Strips of eight rows at a quarter of the size."""
    monkeypatch.setattr("realtime_nst.engines.strips.STRIP_PIXELS", 1)


@pytest.mark.usefixtures("short_strips")
@pytest.mark.parametrize("height", [64, 72, 200])
def test_every_row_is_painted_once(book: StyleBook, height: int) -> None:
    strips = list(StripEngine(book["wave"].body, 64, height, FLOAT32)._strips())
    rows = [strip.start + row for strip, kept in strips for row in range(kept.start, kept.stop)]
    assert rows == list(range(height // 4)) and {strip.stop - strip.start for strip, _ in strips} == {8}


@pytest.mark.usefixtures("short_strips")
def test_strips_are_the_picture_that_is_painted_at_once(book: StyleBook) -> None:
    image = np.random.default_rng(0).integers(0, 256, (152, 96, 3), np.uint8)
    image[:70] //= 3  # statistics of a strip differ from those of the whole
    for name in ("wave", "scream"):
        style = book[name]
        whole = WholeEngine(style.body, 96, 152, FLOAT32)(image, style.vector)
        for _ in range(2):  # compiled, and from disk
            found = StripEngine(style.body, 96, 152, FLOAT32)(image, style.vector)
            differences = np.abs(found.astype(int) - whole)
            assert differences.max() <= 1 and differences.mean() < 0.01


@pytest.mark.parametrize("precision", PRECISIONS)
def test_no_seam_shows_in_a_shipped_style(precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime_nst.engines.strips.STRIP_PIXELS", 512 * 100)
    photo, style = read_photo(ROOT / "samples" / "astronaut.jpg"), find_styles([ROOT / "weights"])["mondrian"]
    runner = runner_for(Backend("openvino", precision, gpu=False))
    whole = WholeEngine(style.body, 512, 512, runner)(photo, style.vector)
    engine = StripEngine(style.body, 512, 512, runner)
    rows = np.abs(engine(photo, style.vector).astype(int) - whole).mean((1, 2))
    seams = np.array([4 * (strip.start + kept.start) for strip, kept in engine._strips()][1:])
    assert len(seams) == 5 and rows.mean() < (0.01 if precision == "float32" else 0.5)
    near = np.concatenate([rows[seam - 4 : seam + 4] for seam in seams])
    assert near.mean() < 1.5 * rows.mean() + 0.01, "rows at seams differ no more than the others"


def test_only_large_pictures_are_painted_in_strips(book: StyleBook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime_nst.engines.engine.STRIPS_FROM", 96 * 64)
    assert isinstance(build_engine(book["wave"].body, 96, 64, FLOAT32), WholeEngine)
    assert isinstance(build_engine(book["wave"].body, 96, 72, FLOAT32), StripEngine)
    half = runner_for(Backend("openvino", "bfloat16", gpu=False))
    assert isinstance(build_engine(book["wave"].body, 96, 72, half), WholeEngine), "it takes half as much anyway"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="only Linux tells how much memory a process takes")
@pytest.mark.parametrize("precision", PRECISIONS)
def test_8k_photo_fits_into_four_gibibytes(tmp_path: Path, precision: str) -> None:
    Image.open(ROOT / "samples" / "astronaut.jpg").resize((7680, 4320)).save(tmp_path / "8k.jpg")
    flags = ["--precision", precision, "--strength", "0.7", "--keep-colours"]
    assert most_memory("image", tmp_path / "8k.jpg", "-o", tmp_path / "out.jpg", *flags) < MOST_MEMORY
    assert read_photo(tmp_path / "out.jpg").shape == (4320, 7680, 3)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="only Linux tells how much memory a process takes")
@pytest.mark.parametrize(
    ("size", "frames", "flags"),
    [
        ("3840x2160", 30, []),  # more than a segment
        ("7680x4320", 10, []),
        ("7680x4320", 4, ["--codec", "av1"]),
    ],
)
def test_large_video_fits_into_four_gibibytes(
    tmp_path: Path, make_clip: Callable[..., Path], size: str, frames: int, flags: list[str]
) -> None:
    source = f"testsrc2=size={size}:rate=24,format=yuv420p"
    clip = make_clip(f"{size}.mp4", "-f", "lavfi", "-i", source, "-frames:v", str(frames), "-preset", "ultrafast")
    assert most_memory("video", clip, "-o", tmp_path / "out.mp4", "--keep-colours", "--quiet", *flags) < MOST_MEMORY
    assert os.path.getsize(tmp_path / "out.mp4") > 10_000  # noqa: PTH202
