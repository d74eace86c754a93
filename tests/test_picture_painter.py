"""Strength and own colours for files: `image` and `video`, read back and compared with NumPy written independently."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realtime_nst.engines.backend import Backend
from realtime_nst.engines.interface import Stabilizer
from realtime_nst.engines.recolour import RecolourEngine
from realtime_nst.engines.runner import runner_for
from realtime_nst.engines.stabilizer import StabilizerEngine
from realtime_nst.media.photos import read_photo
from realtime_nst.painting.stream import Stream
from realtime_nst.painting.stylizer import Stylizer
from realtime_nst.style.book import StyleBook
from realtime_nst.style.field import HOME, Offset
from realtime_nst.style.look import Look
from realtime_nst.style.schedule import StylePath
from tests.conftest import one_line
from tests.readback import psnr, read_back
from tests.reference import keep_colours_with_numpy

Clip = Callable[..., Path]
Run = Callable[..., int]
OPENVINO = runner_for(Backend("openvino", "float32", gpu=False))
LUMA = np.array([0.299, 0.587, 0.114])


class Negative:
    """An engine whose painting anybody can compute; how light it is depends on the style."""

    def __init__(self) -> None:
        self.vectors: list[np.ndarray] = []

    def __call__(self, image: np.ndarray, vector: np.ndarray, offset: Offset = HOME) -> np.ndarray:
        return self.on_device(image, vector, offset)[0]

    def on_device(self, image: np.ndarray, vector: np.ndarray, offset: Offset = HOME) -> np.ndarray:
        self.vectors.append(vector)
        return np.ascontiguousarray(255 - image)[None]


@pytest.fixture
def negative(monkeypatch: pytest.MonkeyPatch) -> Negative:
    """Commands paint negatives, and recolour as they always do."""
    engine = Negative()

    def stabilizer(width: int, height: int) -> Stabilizer:
        return StabilizerEngine(width, height, OPENVINO)

    stylizer = Stylizer(lambda *size: engine, lambda *size: RecolourEngine(*size, OPENVINO), stabilizer)
    monkeypatch.setattr("realtime_nst.painting.serving.load_stylizer", lambda backend: stylizer)
    return engine


def colourful(folder: Path, width: int = 61, height: int = 43) -> Path:
    """A photo with all colours, of an odd size."""
    path = folder / "photo.png"
    Image.fromarray(np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8)).save(path)
    return path


def test_photo_at_strength_nothing_is_the_photo(run: Run, tmp_path: Path, negative: Negative) -> None:
    photo = colourful(tmp_path)
    assert run("image", photo, "-o", tmp_path / "out.png", "--strength", "0", "--keep-colours") == 0
    assert np.array_equal(read_photo(tmp_path / "out.png"), read_photo(photo)) and not negative.vectors


@pytest.mark.parametrize("strength", ["0.25", "0.7"])
def test_photo_is_blended_by_strength(run: Run, tmp_path: Path, negative: Negative, strength: str) -> None:
    photo = colourful(tmp_path)
    assert run("image", photo, "-o", tmp_path / "out.png", "--strength", strength) == 0
    before = read_photo(photo).astype(float)
    expected = (1 - float(strength)) * before + float(strength) * (255 - before)
    assert np.abs(read_photo(tmp_path / "out.png") - expected).max() <= 0.51


def test_photo_keeps_its_colours(run: Run, tmp_path: Path, negative: Negative) -> None:
    photo = colourful(tmp_path)
    assert run("image", photo, "-o", tmp_path / "out.png", "--keep-colours") == 0
    before = read_photo(photo)
    assert np.abs(read_photo(tmp_path / "out.png") - keep_colours_with_numpy(before, 255 - before)).max() <= 0.52


def test_large_pictures_are_recoloured_in_strips_that_do_not_show(monkeypatch: pytest.MonkeyPatch, book: StyleBook) -> None:
    sizes: list[tuple[int, int]] = []

    def build(width: int, height: int) -> object:
        sizes.append((width, height))
        return RecolourEngine(width, height, OPENVINO)

    stylizer = Stylizer(lambda *size: Negative(), build)  # type: ignore[arg-type]
    photo = np.random.default_rng(3).integers(0, 256, (210, 98, 3), np.uint8)
    whole = stylizer.paint(photo, book["wave"], Look(0.6, 1.0))
    monkeypatch.setattr("realtime_nst.painting.stylizer.UNSTABILIZED_FROM", 10_000)
    monkeypatch.setattr("realtime_nst.painting.stylizer.STRIP_PIXELS", 104 * 64)
    assert np.array_equal(stylizer.paint(photo, book["wave"], Look(0.6, 1.0)), whole)
    assert sizes == [(104, 216), (104, 64)]


def test_large_pictures_are_painted_each_by_itself(monkeypatch: pytest.MonkeyPatch, book: StyleBook) -> None:
    stripes = np.arange(96, dtype=np.uint8)[:, None, None] // 16 % 2 * np.full((1, 96, 3), 40, np.uint8)
    photos = [level + stripes for level in np.array([100, 103], np.uint8)]
    stylizer = Stylizer(lambda *size: Negative(), stabilizer=lambda *size: StabilizerEngine(*size, OPENVINO))  # type: ignore[arg-type]
    stream, look = Stream(stylizer), Look(stability=8)
    stabilized = [stream.paint(photo, book["wave"], look) for photo in photos]
    assert np.abs(stabilized[1].astype(int) - (155 - stripes)).max() <= 1, "hardly moved"
    monkeypatch.setattr("realtime_nst.painting.stylizer.UNSTABILIZED_FROM", 96 * 96 - 1)
    assert np.array_equal(stream.paint(photos[1], book["wave"], look), 255 - photos[1])
    stream.hold(photos[0], book["wave"], look)
    assert np.array_equal(stream.paint(photos[1], book["wave"], look), 255 - photos[1]), "nothing was held"


def moving(make_clip: Clip, *formats: str) -> Path:
    """A second of all colours, with edges that do not move and a number that does."""
    return make_clip("moving.mkv", "-f", "lavfi", "-i", "testsrc2=size=128x96:rate=25:duration=1", *formats)


def half(images: np.ndarray) -> np.ndarray:
    """Pictures of half the size: as fine as the colours of 4:2:0 are."""
    count, height, width, _ = images.shape
    return images.reshape(count, height // 2, 2, width // 2, 2, 3).mean((2, 4))


@pytest.mark.parametrize("formats", [["-pix_fmt", "yuv420p"], ["-pix_fmt", "yuv420p10le", "-c:v", "libx265"]])
def test_video_at_strength_nothing_is_the_original(
    run: Run, tmp_path: Path, make_clip: Clip, negative: Negative, formats: list[str]
) -> None:
    clip = moving(make_clip, *formats)
    assert run("video", clip, "-o", tmp_path / "out.mp4", "--strength", "0", "--crf", "4") == 0
    before, after = read_back(clip)[1], read_back(tmp_path / "out.mp4")[1]
    assert before.shape == after.shape and psnr(half(before), half(after)) > 33 and not negative.vectors


def test_video_is_blended_by_strength(run: Run, tmp_path: Path, make_clip: Clip, negative: Negative) -> None:
    clip = moving(make_clip, "-c:v", "ffv1", "-pix_fmt", "bgr0")
    assert run("video", clip, "-o", tmp_path / "out.mkv", "--codec", "ffv1", "--strength", "0.25", "--stability", "0") == 0
    before, after = read_back(clip)[1], read_back(tmp_path / "out.mkv")[1]
    assert np.abs(after - (0.75 * before + 0.25 * (255.0 - before))).max() <= 0.51


def test_video_keeps_its_colours_and_takes_the_brightness_of_the_painting(
    run: Run, tmp_path: Path, make_clip: Clip, negative: Negative
) -> None:
    clip = moving(make_clip, "-c:v", "ffv1", "-pix_fmt", "bgr0")
    assert run("video", clip, "-o", tmp_path / "out.mkv", "--codec", "ffv1", "--keep-colours", "--stability", "0") == 0
    before, after = read_back(clip)[1], read_back(tmp_path / "out.mkv")[1]
    assert np.abs(after[7] - keep_colours_with_numpy(before[7], 255 - before[7])).max() <= 0.52
    assert np.abs((after - (255.0 - before)) @ LUMA).max() < 1, "luma is the painting's"
    chroma = [images[7] - (images[7] @ LUMA)[..., None] for images in (before, after)]
    cosine = (chroma[0] * chroma[1]).sum(-1) / (np.linalg.norm(chroma[0], axis=-1) * np.linalg.norm(chroma[1], axis=-1) + 1e-9)
    strong = np.linalg.norm(chroma[1], axis=-1) > 20
    assert strong.any() and cosine[strong].min() > 0.99, "the direction of chroma is the original's"


def test_strength_and_colours_go_with_changing_styles_size_and_parts(
    run: Run, tmp_path: Path, make_clip: Clip, negative: Negative, book: StyleBook
) -> None:
    clip = moving(make_clip, "-c:v", "ffv1", "-pix_fmt", "bgr0")
    flags = ["--style", "wave,scream", "--every", "0.4", "--strength", "0.5", "--keep-colours", "--size", "65x49"]
    assert run("video", clip, "-o", tmp_path / "out.mkv", "--codec", "ffv1", "--start", "0.2", *flags) == 0
    plain = ["--codec", "ffv1", "--size", "65x49", "--start", "0.2", "--strength", "0"]
    assert run("video", clip, "-o", tmp_path / "plain.mkv", *plain) == 0
    before, after = read_back(tmp_path / "plain.mkv")[1], read_back(tmp_path / "out.mkv")[1]
    assert after.shape == (20, 49, 65, 3)
    recoloured = keep_colours_with_numpy(before[9], 255 - before[9])
    assert np.abs(after[9] - (before[9] + recoloured) / 2).max() <= 1.02
    path = StylePath([book["wave"], book["scream"]], 0.4)
    expected = [path.at(number / 25).vector for number in range(20)]
    assert np.allclose(negative.vectors, expected, atol=1e-5), "each frame in the style of its moment"


def test_another_strength_does_not_go_on_with_what_was_painted(
    run: Run,
    tmp_path: Path,
    make_clip: Clip,
    negative: Negative,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("realtime_nst.jobs.workfolder.SEGMENT_FRAMES", 8)
    clip, out = moving(make_clip, "-c:v", "ffv1", "-pix_fmt", "bgr0"), tmp_path / "out.mkv"

    def stop_at(frame: int) -> None:
        """Leave segments as a full disk would."""
        usual = negative.on_device

        def failing(image: np.ndarray, vector: np.ndarray, offset: Offset) -> np.ndarray:
            if len(negative.vectors) == frame:
                raise OSError(28, os.strerror(28))
            return usual(image, vector, offset)

        with monkeypatch.context() as patch:
            patch.setattr(negative, "on_device", failing)
            assert run("video", clip, "-o", out, "--codec", "ffv1", "--strength", "0.5") == 1

    stop_at(20)
    assert "frames painted so far are kept" in capsys.readouterr().err
    for flags, words in (
        (["--strength", "0.25"], "strength 0.5, now 0.25"),
        (["--strength", "0.5", "--keep-colours"], "own colours False, now True"),
        (["--strength", "0.5", "--texture", "0.25"], "texture 1.0, now 0.25"),
    ):
        assert run("video", clip, "-o", out, "--codec", "ffv1", *flags) == 1
        assert f"holds frames painted otherwise ({words})" in one_line(capsys)
    negative.vectors.clear()
    assert run("video", clip, "-o", out, "--codec", "ffv1", "--strength", "0.5", "--json") == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    before, after = read_back(clip)[1], read_back(out)[1]
    kept = next(event for event in events if event["event"] == "begin")["painted_before"]
    assert kept in (8, 16) and len(negative.vectors) == 25 - kept and len(after) == 25
    assert np.abs(after - 127.5).max() <= 1, "half of the picture and half of its negative, all the way"
    assert before.std() > 50


@pytest.mark.parametrize("command", ["image", "video", "webcam"])
@pytest.mark.parametrize("flag", ["--strength", "--texture"])
@pytest.mark.parametrize("share", ["-0.1", "1.5", "50%", "nan"])
def test_shares_have_one_form_everywhere(
    run: Run, command: str, flag: str, share: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"image": ["a.png", "-o", "b.png"], "video": ["a.mp4", "-o", "b.mp4"], "webcam": []}[command]
    with pytest.raises(SystemExit) as end:
        run(command, *given, flag, share)
    assert end.value.code == 2 and f"'{share}' is no number from 0 to 1" in capsys.readouterr().err
