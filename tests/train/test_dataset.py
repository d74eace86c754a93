"""Photos into batches: the same for everyone, from any photo, moved as the flow says."""

import logging
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import map_coordinates

from realtime_nst.errors import TrainingError
from realtime_nst.train.dataset import Batch, Motion, PhotoBatches, find_photos, hash_photos, sample
from tests.reference import keys, torus_with_numpy

pytestmark = pytest.mark.once

CALM = Motion(noise=0, correlated=0, exposure=0, compressed=0)
"""Motion alone, without what a camera adds."""

STILL = replace(CALM, still=1)


def some_picture(seed: int, width: int = 80, height: int = 60) -> Image.Image:
    """Blurred noise: no two places are alike."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)


def flat_photos(folder: Path, count: int) -> list[Path]:
    """Photos of one grey each: the n-th is 20 n."""
    for number in range(count):
        Image.new("RGB", (40, 30), (20 * number,) * 3).save(folder / f"{number}.png")
    return [folder / f"{number}.png" for number in range(count)]


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """Nine photos."""
    for number in range(9):
        some_picture(number).save(tmp_path / f"{number}.png")
    return find_photos(tmp_path)


def assert_same(one: Batch, other: Batch) -> None:
    """All four arrays, to the bit."""
    assert np.array_equal(one["photos"], other["photos"])
    assert np.array_equal(one["frames"], other["frames"])
    assert np.array_equal(one["moved"], other["moved"])
    assert np.array_equal(one["flow"], other["flow"])


# What a batch is.


def test_batches_have_the_promised_shapes_and_ranges(photos: list[Path]) -> None:
    for step in range(3):
        batch = PhotoBatches(photos, batch=3, size=32)(step)
        assert list(batch) == ["photos", "frames", "moved", "flow"]
        for images in (batch["photos"], batch["frames"], batch["moved"]):
            assert images.shape == (3, 32, 32, 3) and images.dtype == np.float32
            assert images.min() >= 0 and images.max() <= 255
            assert images.std() > 10
            assert np.array_equal(images, np.rint(images)), "a camera delivers whole numbers"
        assert batch["flow"].shape == (3, 32, 32, 2) and batch["flow"].dtype == np.float32


def test_batch_depends_on_seed_and_step_alone(photos: list[Path]) -> None:
    forward = PhotoBatches(photos, batch=2, size=16, seed=5)
    backward = PhotoBatches(photos, batch=2, size=16, seed=5)
    batches = [forward(step) for step in range(6)]
    for step in (5, 0, 3, 3, 1):
        assert_same(backward(step), batches[step])


def test_other_steps_and_seeds_give_other_batches(photos: list[Path]) -> None:
    batches = PhotoBatches(photos[:1], batch=1, size=16)
    assert not np.array_equal(batches(0)["photos"], batches(1)["photos"])
    assert not np.array_equal(batches(0)["photos"], PhotoBatches(photos[:1], batch=1, size=16, seed=1)(0)["photos"])


def test_every_photo_comes_once_before_one_comes_again(tmp_path: Path) -> None:
    batches = PhotoBatches(flat_photos(tmp_path, 12), batch=4, size=8, motion=STILL)
    epochs = []
    for epoch in range(3):
        greys = [int(photo.mean()) for step in range(3) for photo in batches(3 * epoch + step)["photos"]]
        assert sorted(greys) == [20 * number for number in range(12)]
        epochs.append(greys)
    assert epochs[0] != epochs[1] != epochs[2], "each time in another order"


def test_crops_are_of_many_places_scales_and_both_sides(tmp_path: Path) -> None:
    ramp = np.zeros((100, 200, 3), np.uint8)
    ramp[..., 0] = np.linspace(0, 255, 200).astype(np.uint8)[None, :]
    ramp[..., 1] = np.linspace(0, 255, 100).astype(np.uint8)[:, None]
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    crops = PhotoBatches([tmp_path / "ramp.png"], batch=60, size=16, motion=replace(STILL, shift=0, bend=0))(0)["photos"]
    slope_x = crops[:, 8, 15, 0] - crops[:, 8, 0, 0]
    slope_y = crops[:, 15, 8, 1] - crops[:, 0, 8, 1]
    assert 15 < (slope_x < 0).sum() < 45, "about half are mirrored"
    assert (slope_y > 0).all(), "none stands on its head"
    assert np.allclose(np.abs(slope_x) * 2, slope_y, atol=10), "width and height are scaled alike"
    assert slope_y.max() > 1.3 * slope_y.min()
    assert crops[:, 8, 8, 0].std() > 20


# Motion.


def test_moved_frame_is_the_photo_sampled_where_the_flow_points(photos: list[Path]) -> None:
    batch = PhotoBatches(photos, batch=6, size=48, motion=replace(CALM, still=0))(0)
    assert np.array_equal(batch["frames"], batch["photos"])
    rows, columns = np.mgrid[:48, :48]
    compared = 0
    for photo, moved, flow in zip(batch["photos"], batch["moved"], batch["flow"]):
        x, y = columns + flow[..., 0], rows + flow[..., 1]
        inside = (x >= 0) & (x <= 47) & (y >= 0) & (y <= 47)
        expected = np.stack([map_coordinates(photo[..., colour], [y, x], order=1) for colour in range(3)], axis=-1)
        assert np.abs(moved - expected)[inside].max() <= 0.51, "no more than rounding"
        compared += inside.sum()
    assert compared > 0.5 * 6 * 48 * 48


def test_share_of_motion_is_by_whole_pixels_and_exact(photos: list[Path]) -> None:
    batch = PhotoBatches(photos, batch=60, size=32, motion=replace(CALM, still=0, shift=5, bend=0.5, whole=0.5))(0)
    whole = 0
    for photo, moved, flow in zip(batch["photos"], batch["moved"], batch["flow"]):
        x, y = map(int, flow[0, 0])
        if not (flow == (x, y)).all():
            assert np.ptp(flow) > 0.1, "the others bend"
            continue
        whole += 1
        inner = slice(6, -6)
        assert np.array_equal(moved[inner, inner], np.roll(photo, (-y, -x), (0, 1))[inner, inner])
    assert 15 < whole < 45


@pytest.mark.parametrize("zoom", [1.0, 2.0])
def test_crops_are_as_near_as_the_zoom_allows(tmp_path: Path, zoom: float) -> None:
    ramp = np.repeat(np.linspace(0, 255, 96)[:, None, None], 96, 1).repeat(3, 2)
    Image.fromarray(ramp.astype(np.uint8)).save(tmp_path / "ramp.png")
    motion = replace(STILL, shift=0, bend=0, zoom=zoom)
    crops = PhotoBatches([tmp_path / "ramp.png"], batch=40, size=32, motion=motion)(0)["photos"]
    seen = 255 / (crops[:, -1, 0, 0] - crops[:, 0, 0, 0])  # how much of the height is in a crop
    assert 0.9 < seen.min() < 1.2 and 0.9 * zoom < seen.max() < 1.25 * zoom


def test_wanted_plain_crops_are_the_plainest_of_three(tmp_path: Path) -> None:
    """Of a photo that is plain but for a strip on the left, chance alone leaves a quarter of the crops uneven."""
    wall = np.full((64, 256, 3), 128, np.uint8)
    wall[:, :40] = np.random.default_rng(0).integers(0, 256, (64, 40, 3))
    Image.fromarray(wall).save(tmp_path / "wall.png")
    uneven = {}
    for plain in (0.0, 0.5, 1.0):
        motion = replace(STILL, shift=0, bend=0, zoom=1.0, plain=plain)
        crops = PhotoBatches([tmp_path / "wall.png"], batch=200, size=32, motion=motion)(0)["photos"]
        uneven[plain] = np.mean([np.ptp(crop) > 100 for crop in crops])
    assert 0.1 < uneven[0.0] < 0.4
    assert uneven[1.0] < 0.3 * uneven[0.0] < uneven[0.5] < 0.9 * uneven[0.0]


# The texture field.


def field_value(part: int, channel: int, x: float, y: float) -> float:
    """The field at a distance from its first value, in values."""
    torus = torus_with_numpy(part, 4)[..., channel]
    left, top, side = int(np.floor(x)), int(np.floor(y)), len(torus)
    near = [(left + across, top + down) for across in (-1, 0, 1, 2) for down in (-1, 0, 1, 2)]
    return float(sum(torus[row % side, column % side] * keys(x - column) * keys(y - row) for column, row in near))


def test_field_goes_along_with_the_photo(photos: list[Path]) -> None:
    """A moved photo's field is the photo's own, where the flow of its place points to."""
    batch = PhotoBatches(photos, batch=3, size=32, seed=2, motion=replace(CALM, still=0, shift=6, bend=2), field=4)(7)
    corners = np.random.default_rng((2, 3, 7)).uniform(0, 2048, (3, 2))
    assert not np.array_equal(batch["field4"][0], batch["field4"][1]), "each photo has another piece"
    for part in (4, 8):
        field, moved = (batch[f"{name}{part}"] for name in ("field", "moved"))  # type: ignore[literal-required]
        assert field.shape == moved.shape == (3, 32 // part, 32 // part, 4) and field.dtype == np.float32
        for number, row, column, channel in [(0, 0, 0, 0), (1, 1, 2, 3), (2, 3, 1, 1), (2, 2, 3, 2)]:
            x, y = corners[number] / part + (column, row)
            assert field[number, row, column, channel] == pytest.approx(field_value(part, channel, x, y), abs=1e-4)
            place = batch["flow"][number, row * part : (row + 1) * part, column * part : (column + 1) * part]
            by_x, by_y = place.mean((0, 1)) / part
            expected = field_value(part, channel, x + by_x, y + by_y)
            assert moved[number, row, column, channel] == pytest.approx(expected, abs=1e-4)


def test_photos_are_the_same_with_a_field_and_without(photos: list[Path]) -> None:
    with_field, without = (PhotoBatches(photos, batch=2, size=32, field=field)(3) for field in (4, 0))
    assert set(with_field) - set(without) == {"field4", "field8", "moved4", "moved8"}
    assert_same(with_field, without)


def test_what_moves_in_from_outside_is_the_photo_and_no_edge(tmp_path: Path) -> None:
    rows, columns = np.mgrid[:300, :300]
    Image.fromarray(np.stack([40 + columns / 2, 40 + rows / 2, (rows + columns) / 4], -1).astype(np.uint8)).save(
        tmp_path / "a.png"
    )
    batch = PhotoBatches([tmp_path / "a.png"], batch=8, size=32, motion=replace(CALM, shift=12, still=0))(0)
    rows, columns = np.mgrid[:32, :32]
    for photo, moved, flow in zip(batch["photos"], batch["moved"], batch["flow"]):
        plane = np.stack([columns.ravel(), rows.ravel(), np.ones(32 * 32)], axis=-1)
        slopes = np.linalg.lstsq(plane, photo.reshape(-1, 3), rcond=None)[0]
        x, y = columns + flow[..., 0], rows + flow[..., 1]
        expected = np.stack([x, y, np.ones_like(x)], axis=-1) @ slopes
        assert np.abs(moved - expected).max() < 4


@pytest.mark.parametrize(("x", "y"), [(0, 0), (2, -1), (-3, 3), (1, 0)])
def test_sampling_by_whole_pixels_is_slicing(x: int, y: int) -> None:
    wide = np.random.default_rng(0).uniform(0, 255, (18, 20, 3)).astype(np.float32)[:18, :18]
    flow = np.broadcast_to(np.array([x, y], np.float32), (10, 10, 2))
    assert np.array_equal(sample(wide, flow, 4), wide[4 + y : 14 + y, 4 + x : 14 + x])


def test_sampling_between_pixels_is_bilinear() -> None:
    rng = np.random.default_rng(1)
    wide = rng.uniform(0, 255, (22, 22, 3)).astype(np.float32)
    flow = rng.uniform(-4.9, 4.9, (12, 12, 2)).astype(np.float32)
    rows, columns = np.mgrid[:12, :12] + 5
    places = [rows + flow[..., 1], columns + flow[..., 0]]
    expected = np.stack([map_coordinates(wide[..., colour], places, order=1) for colour in range(3)], axis=-1)
    assert np.allclose(sample(wide, flow, 5), expected, atol=1e-3)


def test_flow_is_a_shift_with_a_smooth_bend_within_their_limits(photos: list[Path]) -> None:
    motion = Motion(shift=6, bend=1, still=0)
    flow = PhotoBatches(photos, batch=64, size=64, motion=motion)(0)["flow"]
    assert np.abs(flow).max() <= 6 + 3 * 1
    means = flow.mean(axis=(1, 2))
    assert means.min() < -3 and means.max() > 3
    bends = flow - means[:, None, None]
    assert 0.2 < bends.std() < 1
    assert np.abs(np.diff(flow, axis=1)).max() < 1 and np.abs(np.diff(flow, axis=2)).max() < 1


def test_share_of_still_pictures_is_as_asked(tmp_path: Path) -> None:
    batches = PhotoBatches(flat_photos(tmp_path, 8), batch=20, size=4, motion=CALM)
    still = [not flow.any() for step in range(100) for flow in batches(step)["flow"]]
    assert 0.31 < np.mean(still) < 0.40
    for share in (0, 1):
        flow = PhotoBatches(flat_photos(tmp_path, 8), batch=20, size=4, motion=Motion(still=share))(0)["flow"]
        assert all(not plane.any() for plane in flow) == bool(share)


def test_still_pictures_without_noise_stay_as_they_are(photos: list[Path]) -> None:
    batch = PhotoBatches(photos, batch=4, size=32, motion=STILL)(0)
    assert np.array_equal(batch["moved"], batch["photos"])


def test_noise_differs_between_the_frames_and_keeps_below_its_limit(tmp_path: Path) -> None:
    Image.new("RGB", (40, 40), (128, 128, 128)).save(tmp_path / "grey.png")
    batch = PhotoBatches([tmp_path / "grey.png"], batch=32, size=64, motion=replace(CALM, noise=6))(0)
    noises = [batch[name] - 128 for name in ("frames", "moved")]
    deviations = [noise.std(axis=(1, 2, 3)) for noise in noises]
    assert np.allclose(deviations[0], deviations[1], atol=0.3), "both frames come from one camera"
    assert deviations[0].max() < 6.2 and deviations[0].max() > 4
    assert np.median(deviations[0]) < 2.5, "little noise is more frequent than much"
    assert abs(noises[0].mean()) < 0.1
    products = [np.corrcoef(one.ravel(), other.ravel())[0, 1] for one, other in zip(*noises) if one.std() > 1]
    assert np.abs(products).max() < 0.05


def test_correlated_noise_differs_between_the_frames_and_spans_many_pixels(tmp_path: Path) -> None:
    Image.new("RGB", (40, 40), (128, 128, 128)).save(tmp_path / "grey.png")
    motion = replace(CALM, correlated=6, grain=(8, 16))
    batch = PhotoBatches([tmp_path / "grey.png"], batch=32, size=64, motion=motion)(0)
    frames, moved = (batch[name] - 128 for name in ("frames", "moved"))
    deviations = frames.std(axis=(1, 2, 3))
    assert deviations.min() < 1.5 and 4 < deviations.max() < 8
    strong = frames[deviations > 2]
    means = strong.reshape(-1, 16, 4, 16, 4, 3).mean((2, 4))
    assert means.std() > 0.85 * strong.std(), "white noise would lose three quarters in a mean of sixteen pixels"
    assert abs(np.corrcoef(frames.ravel(), moved.ravel())[0, 1]) < 0.1


def test_exposure_changes_the_moved_frame_alone_and_within_its_limit(tmp_path: Path) -> None:
    Image.new("RGB", (40, 40), (200, 200, 200)).save(tmp_path / "grey.png")
    batch = PhotoBatches([tmp_path / "grey.png"], batch=64, size=8, motion=replace(CALM, exposure=0.1))(0)
    assert (batch["frames"] == 200).all()
    brightness = batch["moved"].mean(axis=(1, 2, 3)) / 200
    assert 0.9 <= brightness.min() < 0.93 and 1.07 < brightness.max() <= 1.1


# Photos of every kind.


def save_rotated(path: Path) -> None:
    """The picture on its side, with the note that a camera makes about it."""
    exif = Image.Exif()
    exif[0x0112] = 6
    some_picture(3).transpose(Image.Transpose.ROTATE_90).save(path, exif=exif)


@pytest.mark.parametrize(
    ("name", "save"),
    [
        ("turned.png", save_rotated),
        ("palette.png", lambda path: some_picture(3).quantize(256, dither=Image.Dither.NONE).save(path)),
        ("see-through palette.png", lambda path: some_picture(3).quantize(256).save(path, transparency=bytes([255] * 256))),
        ("opaque.png", lambda path: some_picture(3).convert("RGBA").save(path)),
        ("photo.jpg", lambda path: some_picture(3).save(path, quality=95)),
        ("cmyk.jpg", lambda path: some_picture(3).convert("CMYK").save(path, quality=95)),
        ("cmyk.tif", lambda path: some_picture(3).convert("CMYK").save(path)),
        ("photo.webp", lambda path: some_picture(3).save(path, lossless=True)),
        ("photo.bmp", lambda path: some_picture(3).save(path)),
    ],
)
def test_same_picture_in_any_format_gives_the_same_crops(tmp_path: Path, name: str, save: Callable[[Path], None]) -> None:
    some_picture(3).save(tmp_path / "plain.png")
    save(tmp_path / name)
    expected = PhotoBatches([tmp_path / "plain.png"], batch=4, size=32, motion=STILL)(0)["photos"]
    found = PhotoBatches([tmp_path / name], batch=4, size=32, motion=STILL)(0)["photos"]
    assert np.abs(found - expected).mean() < 12, "the colours of a palette and of JPEG, no more"


@pytest.mark.parametrize("mode", ["L", "LA", "I;16"])
def test_grey_photos_keep_their_greys(tmp_path: Path, mode: str) -> None:
    grey = np.asarray(some_picture(3).convert("L"))
    Image.fromarray(np.stack([grey] * 3, axis=-1)).save(tmp_path / "plain.png")
    picture = Image.fromarray(grey.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(grey).convert(mode)
    assert picture.mode == mode
    picture.save(tmp_path / "grey.png")
    expected = PhotoBatches([tmp_path / "plain.png"], batch=4, size=32, motion=STILL)(0)["photos"]
    found = PhotoBatches([tmp_path / "grey.png"], batch=4, size=32, motion=STILL)(0)["photos"]
    assert np.abs(found - expected).max() <= 1


@pytest.mark.parametrize(("width", "height"), [(80, 60), (60, 80), (500, 20), (20, 500), (61, 61), (3, 2), (1, 1)])
def test_photos_of_any_shape_are_cut_square(tmp_path: Path, width: int, height: int) -> None:
    Image.new("RGB", (width, height), (10, 100, 200)).save(tmp_path / "photo.png")
    for step in range(5):
        photos = PhotoBatches([tmp_path / "photo.png"], batch=2, size=32, motion=STILL)(step)["photos"]
        assert (photos == [10, 100, 200]).all()


def test_large_jpegs_are_cut_like_small_ones(tmp_path: Path) -> None:
    some_picture(3, 1600, 1200).save(tmp_path / "large.jpg", quality=95)
    some_picture(3, 1600, 1200).resize((400, 300), Image.Resampling.BOX).save(tmp_path / "small.png")
    crops = [PhotoBatches([tmp_path / name], batch=4, size=32, motion=STILL)(0)["photos"] for name in ("large.jpg", "small.png")]
    assert np.abs(crops[0] - crops[1]).mean() < 8


# Photos that are none.


def test_broken_photo_is_skipped_counted_and_named(photos: list[Path], caplog: pytest.LogCaptureFixture) -> None:
    photos[4].write_bytes(photos[4].read_bytes()[:200])
    batches = PhotoBatches(photos, batch=3, size=16)
    with caplog.at_level(logging.WARNING):
        for step in range(6):
            assert batches(step)["photos"].shape == (3, 16, 16, 3)
    assert batches.skipped == {photos[4]}
    assert [f"Photo '{photos[4]}' was skipped" in record.getMessage() for record in caplog.records] == [True]


def test_batches_with_a_broken_photo_do_not_depend_on_the_order_of_calls(photos: list[Path]) -> None:
    photos[0].write_bytes(b"")
    photos[5].write_text("no picture")
    forward, backward = (PhotoBatches(photos, batch=4, size=16) for _ in range(2))
    batches = [forward(step) for step in range(5)]
    for step in (4, 2, 0):
        assert_same(backward(step), batches[step])


def test_one_good_photo_among_broken_ones_is_always_found(tmp_path: Path) -> None:
    photos = flat_photos(tmp_path, 8)
    for path in photos[:7]:
        path.write_bytes(b"")
    batches = PhotoBatches(photos, batch=4, size=8, motion=STILL)
    for step in range(20):
        assert (batches(step)["photos"] == 140).all()
    assert batches.skipped == set(photos[:7])


def test_broken_photos_alone_are_reported(tmp_path: Path) -> None:
    photos = flat_photos(tmp_path, 8)
    for path in photos:
        path.write_text("no picture")
    with pytest.raises(TrainingError, match=r"None of the 8 photos could be decoded; the last was '.*\d\.png'. Check the folder"):
        PhotoBatches(photos, batch=2, size=8)(0)


def test_photo_that_would_fill_the_memory_is_skipped(photos: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    some_picture(0, 800, 600).save(photos[2])
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100_000)
    batches = PhotoBatches(photos, batch=9, size=8)
    assert batches(0)["photos"].shape == (9, 8, 8, 3)
    assert batches.skipped == {photos[2]}


# Finding them.


def test_photos_are_found_in_subfolders_by_their_endings(tmp_path: Path) -> None:
    names = ["a.jpg", "b.JPEG", "c.Png", "d.webp", "sub/e.bmp", "sub/deep/f.tif", "g.tiff", "z.png"]
    for name in [*names, "notes.txt", "clip.mp4", "sub/jpg"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert find_photos(tmp_path) == sorted(tmp_path / name for name in names)


def test_photos_of_rarer_endings_are_seen_and_hidden_files_are_not(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    names = [f"download ({number}).jfif" for number in range(5)] + ["a.jpe", "b.avif", "c.ppm"]
    for name in names:
        some_picture(0, 40, 40).save(tmp_path / name, "JPEG" if name.endswith(("jfif", "jpe")) else None)
        (tmp_path / f"._{name}").write_bytes(b"\0\5\x16\7 notes of a Mac")
    (tmp_path / ".thumbs").mkdir()
    shutil.copyfile(tmp_path / names[0], tmp_path / ".thumbs" / "small.jpg")
    found = find_photos(tmp_path)
    assert found == sorted(tmp_path / name for name in names)
    batches = PhotoBatches(found, batch=8, size=16, motion=STILL)
    assert batches(0)["photos"].shape == (8, 16, 16, 3) and not batches.skipped and not caplog.messages


def test_photos_that_cannot_be_read_are_told_before_training(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(9):
        (tmp_path / f"IMG_{number}.HEIC").touch()
    with pytest.raises(TrainingError, match=r"0 photos in .*Left out in .*: 9 \.heic, which cannot be read here"):
        find_photos(tmp_path)
    flat_photos(tmp_path, 8)
    assert len(find_photos(tmp_path)) == 8
    assert caplog.messages == [f"Left out in '{tmp_path}': 9 .heic, which cannot be read here. Save them as JPEG first."]


def test_photos_of_other_samples_than_eight_bits_are_no_black_ones(tmp_path: Path) -> None:
    photos = [tmp_path / f"{number}.tif" for number in range(2)]
    for path in photos:
        Image.fromarray(np.full((40, 40), 0.5, np.float32)).save(path)
    batches = PhotoBatches(photos, batch=2, size=8, motion=STILL)
    assert (batches(0)["photos"] == 128).all()


def test_a_raw_file_among_photos_is_skipped_and_told(
    photos: list[Path], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    photos[2].write_bytes(b"FUJIFILMCCD-RAW 0201" + bytes(100))
    batches = PhotoBatches(photos, batch=9, size=16)
    batches(0)
    assert batches.skipped == {photos[2]} and f"Photo '{photos[2]}' was skipped: it is a camera's raw file" in caplog.text


def test_pictures_that_training_draws_are_no_photos(tmp_path: Path) -> None:
    photos = flat_photos(tmp_path, 8)
    (tmp_path / "styles" / "mine.training").mkdir(parents=True)
    shutil.copyfile(photos[0], tmp_path / "styles" / "mine.training" / "preview.png")
    assert find_photos(tmp_path) == photos


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' names are Unicode")
def test_names_that_are_no_unicode_do_not_matter(tmp_path: Path) -> None:
    photos = flat_photos(tmp_path, 8)
    plain = hash_photos(tmp_path, photos)
    strange = Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9.png"))
    photos[0].rename(strange)
    found = find_photos(tmp_path)
    assert strange in found and hash_photos(tmp_path, found) != plain


def test_missing_folder_of_photos_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file.jpg").touch()
    for name in ("gone", "file.jpg"):
        with pytest.raises(
            TrainingError, match=f"No folder of photos at '.*{name}'. Name a folder of JPEG or PNG files with --ph"
        ):
            find_photos(tmp_path / name)


def test_too_few_photos_are_reported(tmp_path: Path) -> None:
    flat_photos(tmp_path, 7)
    with pytest.raises(TrainingError, match="7 photos in '.*'; at least 8 were expected, a few hundred are good"):
        find_photos(tmp_path)
    flat_photos(tmp_path, 8)
    assert len(find_photos(tmp_path)) == 8


def test_compressed_frames_have_block_edges_and_their_photos_have_none(tmp_path: Path) -> None:
    ramp = np.linspace(60, 200, 200)[None, :, None] + np.linspace(-40, 40, 200)[:, None, None] + np.zeros((1, 1, 3))
    for number in range(8):
        Image.fromarray(ramp.astype(np.uint8)).save(tmp_path / f"{number}.png")
    motion = replace(STILL, compressed=1)
    batch = PhotoBatches(find_photos(tmp_path), batch=16, size=64, motion=motion)(0)

    def steps_at_block_edges(images: np.ndarray) -> float:
        steps = np.abs(np.diff(images.mean(-1), axis=2))
        return float(steps[:, :, 7::8].mean() / steps.mean())

    assert steps_at_block_edges(batch["frames"]) > 1.5 > 1.2 > steps_at_block_edges(batch["photos"])
    assert np.array_equal(batch["frames"], batch["moved"]), "one camera compresses alike from frame to frame"
