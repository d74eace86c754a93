"""Frames with true flow: found in both layouts, read exactly, and refused when something is wrong with them."""

import os
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realtime_nst.errors import SourceError, TrainingError
from realtime_nst.train.flow import find_flow, read_flow, stays_inside

pytestmark = pytest.mark.once

RNG = np.random.default_rng(5)
WIDTH, HEIGHT = 12, 8


def write_flow(path: Path, flow: np.ndarray, *, magic: float = 202021.25, size: tuple[int, int] | None = None) -> None:
    """A .flo file number by number, as Middlebury describes it."""
    height, width = flow.shape[:2]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(struct.pack("<fii", magic, *(size or (width, height))))
        for row in flow:
            for u, v in row:
                file.write(struct.pack("<ff", u, v))


def write_picture(path: Path, *, mode: str = "RGB", value: int | None = None, width: int = WIDTH, height: int = HEIGHT) -> None:
    """A picture of noise, or of one value."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if value is None:
        Image.fromarray(RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)).convert(mode).save(path)
    else:
        Image.new(mode, (width, height), value).save(path)


def make_scene(folder: Path, number: int = 2, flow: np.ndarray | None = None) -> Path:
    """Frames, flow and masks beside each other; returns the flow's path."""
    write_flow(folder / f"flow_{number:04}.flo", np.zeros((HEIGHT, WIDTH, 2)) if flow is None else flow)
    for index in (number, number + 1):
        write_picture(folder / f"frame_{index:04}.png")
    return folder / f"flow_{number:04}.flo"


# Flow files.


def test_flow_comes_back_as_it_was_written(tmp_path: Path) -> None:
    flow = RNG.normal(0, 30, (HEIGHT, WIDTH, 2)).astype(np.float32)
    write_flow(tmp_path / "a.flo", flow)
    read = read_flow(tmp_path / "a.flo")
    assert read.dtype == np.float32 and np.array_equal(read, flow)


def test_unknown_flow_is_nan(tmp_path: Path) -> None:
    flow = np.ones((HEIGHT, WIDTH, 2), np.float32)
    flow[1, 2, 0], flow[3, 4, 1], flow[5, 6] = 1.7e9, -2e9, np.nan
    write_flow(tmp_path / "a.flo", flow)
    unknown = np.isnan(read_flow(tmp_path / "a.flo"))
    assert unknown[1, 2].all() and unknown[3, 4].all() and unknown[5, 6].all() and unknown.sum() == 6


def test_flow_that_is_none_is_reported(tmp_path: Path) -> None:
    flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    path = tmp_path / "a.flo"
    with pytest.raises(TrainingError, match=r"The flow '.*a\.flo' cannot be read: No such file"):
        read_flow(path)
    path.write_bytes(b"PIEH")
    with pytest.raises(TrainingError, match="has 4 bytes and cannot be a .flo file: 12 come before the flow. Copy it again"):
        read_flow(path)
    write_flow(path, flow, magic=1.5)
    with pytest.raises(TrainingError, match=r"is no .flo file: it starts with 1.5 instead of 202021.25. Take Middlebury's"):
        read_flow(path)
    for size in ((0, 8), (12, -8), (2**20, 8)):
        write_flow(path, flow, size=size)
        with pytest.raises(TrainingError, match=f"says that it is {size[0]}x{size[1]} pixels large; 1 to 16384 were expected"):
            read_flow(path)


@pytest.mark.parametrize(("change", "words"), [(-4, "cut short: 776 bytes for 12x8 pixels, 780 expected"), (1, "too long: 781")])
def test_flow_of_another_length_is_reported(tmp_path: Path, change: int, words: str) -> None:
    path = tmp_path / "a.flo"
    write_flow(path, np.zeros((HEIGHT, WIDTH, 2), np.float32))
    data = path.read_bytes()
    path.write_bytes(data[:change] if change < 0 else data + b"x" * change)
    with pytest.raises(TrainingError, match=f"is {words}"):
        read_flow(path)


# Pairs.


@pytest.mark.parametrize("folder", ["data", "flow"])
def test_pair_lies_in_one_folder(tmp_path: Path, folder: str) -> None:
    tmp_path = tmp_path / folder
    flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    flow[0, 0] = 2e9
    flow[3, WIDTH - 1, 0] = 0.5
    make_scene(tmp_path / "street", flow=flow)
    occluded, invalid = np.zeros((2, HEIGHT, WIDTH), np.uint8)
    occluded[4, 5], invalid[6, 7] = 255, 255
    Image.fromarray(occluded).save(tmp_path / "street" / "occlusion_0002.png")
    Image.fromarray(invalid).save(tmp_path / "street" / "invalid_0002.png")
    (tmp_path / "street" / "._flow_0002.flo").write_bytes(b"\0\5\x16\7 notes of a Mac")
    (files,) = find_flow(tmp_path)
    assert files.scene == "street" and [path.name for path in files.masks] == ["occlusion_0002.png", "invalid_0002.png"]
    pair = files.read()
    with Image.open(tmp_path / "street" / "frame_0003.png") as file:
        assert np.array_equal(pair.second, np.asarray(file))
    assert set(map(tuple, np.argwhere(~pair.valid))) == {(0, 0), (3, WIDTH - 1), (4, 5), (6, 7)}
    assert np.isfinite(pair.flow).all() and pair.flow[3, WIDTH - 1, 0] == 0.5


@pytest.mark.parametrize("within", [False, True])
@pytest.mark.parametrize("root", ["", "flow", "flow/alley_1"])
def test_pairs_lie_in_the_folders_of_sintel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: str, within: bool) -> None:
    for scene in ("alley_1", "cave_2"):
        for number in (1, 2, 3):
            for folder in ("final", "clean"):
                write_picture(tmp_path / folder / scene / f"frame_{number:04}.png")
        for number in (1, 2):
            write_flow(tmp_path / "flow" / scene / f"frame_{number:04}.flo", np.zeros((HEIGHT, WIDTH, 2)))
            write_picture(tmp_path / "occlusions" / scene / f"frame_{number:04}.png", mode="L", value=0)
        write_picture(tmp_path / "invalid" / scene / "frame_0001.png", mode="L", value=0)
    if within:
        monkeypatch.chdir(tmp_path / root)
    pairs = find_flow(Path() if within else tmp_path / root)
    names = [(pair.scene, pair.flow.name) for pair in pairs]
    assert names == sorted({(scene, f"frame_{n:04}.flo") for scene in ("alley_1", "cave_2") for n in (1, 2)})[: len(names)]
    assert len(names) == (2 if root.endswith("alley_1") else 4)
    assert pairs[0].first == tmp_path / "final" / "alley_1" / "frame_0001.png" and pairs[0].second.name == "frame_0002.png"
    assert [len(pair.masks) for pair in pairs[:2]] == [2, 1]
    assert pairs[0].read().valid.all()


def test_numbers_need_no_zeros_and_no_underscore(tmp_path: Path) -> None:
    make_scene(tmp_path, 10).rename(tmp_path / "flow10.flo")
    (tmp_path / "frame_0010.png").rename(tmp_path / "frame10.png")
    write_picture(tmp_path / "frame110.png")
    (files,) = find_flow(tmp_path)
    assert (files.first.name, files.second.name, files.masks) == ("frame10.png", "frame_0011.png", ())


def test_what_is_missing_is_reported(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="No folder of optical flow at '.*gone'. Name one in MPI-Sintel's layout"):
        find_flow(tmp_path / "gone")
    with pytest.raises(TrainingError, match="No .flo file below"):
        find_flow(tmp_path)
    flow = make_scene(tmp_path)
    (tmp_path / "frame_0003.png").unlink()
    with pytest.raises(TrainingError, match=r"flow_0002.flo' has no frame 3 in '.*'. `frame_0003.png` was expected there"):
        find_flow(tmp_path)
    flow.rename(tmp_path / "motion.flo")
    with pytest.raises(TrainingError, match="has no number. `flow_0002.flo` for the motion from frame 2 to frame 3"):
        find_flow(tmp_path)


@pytest.mark.parametrize("name", ["frame_0002.png", "frame_0003.png", "occlusion_0002.png"])
def test_pictures_of_another_size_are_reported(tmp_path: Path, name: str) -> None:
    make_scene(tmp_path)
    write_picture(tmp_path / name, width=WIDTH + 1)
    with pytest.raises(TrainingError, match=rf"{name}' has 13x8 pixels and '.*flow_0002.flo' 12x8; the same size was expected"):
        find_flow(tmp_path)[0].read()


def test_pair_without_a_common_pixel_is_reported(tmp_path: Path) -> None:
    make_scene(tmp_path)
    write_picture(tmp_path / "occlusion_0002.png", mode="L", value=255)
    with pytest.raises(TrainingError, match="leave no pixel that both frames show. Check that the masks are white where"):
        find_flow(tmp_path)[0].read()


def test_frame_that_is_no_picture_is_reported(tmp_path: Path) -> None:
    make_scene(tmp_path)
    (tmp_path / "frame_0002.png").write_text("no picture")
    with pytest.raises(SourceError, match="is not a picture that can be read"):
        find_flow(tmp_path)[0].read()


def test_inside_is_up_to_the_last_pixel() -> None:
    flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    flow[..., 0], flow[..., 1] = 2, -1.5
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[2:, : WIDTH - 2] = True
    assert np.array_equal(stays_inside(flow), expected)


def test_true_flow_of_real_frames_is_read() -> None:
    folder = os.environ.get("REALTIME_NST_FLOW")
    if not folder:
        pytest.skip("REALTIME_NST_FLOW is not set: no frames with true flow")
    pairs = {files.scene: files.read() for files in find_flow(Path(folder))}
    assert pairs
    for scene, pair in pairs.items():
        assert pair.valid.mean() > 0.5, scene
        speed = np.hypot(*np.moveaxis(pair.flow, -1, 0))[pair.valid]
        assert 0.5 < speed.mean() < 50, scene
