"""The perceptual loss against NumPy, and the loss network against Keras' own VGG19."""

import os
from pathlib import Path
from typing import Any
from urllib.error import URLError

import keras
import numpy as np
import pytest
from keras import ops
from PIL import Image

from realtime_nst.errors import TrainingError
from realtime_nst.train.dataset import Motion, PhotoBatches, sample
from realtime_nst.train.losses import (
    VGG_LAYERS,
    build_loss_network,
    content_loss,
    gram_matrix,
    grid_loss,
    style_loss,
    temporal_loss,
    total_variation_loss,
    warp,
)

NUMBERS = np.random.default_rng(7)
START = NUMBERS.bit_generator.state


@pytest.fixture(autouse=True)
def same_numbers_in_any_order() -> None:
    """Every test draws the same numbers, whichever run before it."""
    NUMBERS.bit_generator.state = START


def some_features(*shape: int) -> np.ndarray:
    """Random float32 numbers."""
    return NUMBERS.normal(size=shape).astype(np.float32)


def some_images(*shape: int) -> np.ndarray:
    """Random float32 pixels in `[0, 255]`."""
    return NUMBERS.uniform(0, 255, shape).astype(np.float32)


def numpy_of(tensor: Any) -> np.ndarray:
    """A tensor of any backend as float64."""
    return np.asarray(ops.convert_to_numpy(tensor), np.float64)


def warp_pixel_by_pixel(image: np.ndarray, flow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bilinear sampling as a loop over pixels, and which of them come from inside of the image."""
    height, width = image.shape[:2]
    result, inside = np.zeros_like(image, np.float64), np.zeros((height, width, 1))
    for row in range(height):
        for column in range(width):
            x, y = column + float(flow[row, column, 0]), row + float(flow[row, column, 1])
            inside[row, column] = 0 <= x <= width - 1 and 0 <= y <= height - 1
            x, y = min(max(x, 0), width - 1), min(max(y, 0), height - 1)
            for r in range(height):
                for c in range(width):
                    share = max(0, 1 - abs(x - c)) * max(0, 1 - abs(y - r))
                    result[row, column] += share * image[r, c]
    return result, inside


# Gram matrices.


def test_gram_matrix_is_the_mean_product_of_channels() -> None:
    features = some_features(2, 3, 5, 4)
    expected = np.zeros((2, 4, 4))
    for picture, one, other in np.ndindex(2, 4, 4):
        expected[picture, one, other] = np.mean(features[picture, :, :, one] * features[picture, :, :, other])
    assert np.allclose(numpy_of(gram_matrix(features)), expected, atol=1e-6)


def test_gram_matrix_does_not_depend_on_places_or_size() -> None:
    features = some_features(1, 4, 6, 3)
    gram = numpy_of(gram_matrix(features))
    shuffled = np.random.default_rng(0).permutation(features.reshape(24, 3)).reshape(1, 4, 6, 3)
    assert np.allclose(numpy_of(gram_matrix(shuffled)), gram, atol=1e-6)
    assert np.allclose(numpy_of(gram_matrix(np.tile(features, (1, 3, 2, 1)))), gram, atol=1e-6)


def test_gram_matrix_of_half_precision_is_summed_in_float32() -> None:
    features = ops.cast(np.full((1, 64, 64, 2), 256.0, np.float32), "float16")
    assert np.array_equal(numpy_of(gram_matrix(features)), np.full((1, 2, 2), 65536.0))


# Content.


def test_content_loss_is_the_relative_mean_square() -> None:
    features, target = some_features(3, 4, 5, 6), some_features(3, 4, 5, 6)
    expected = [((x - y) ** 2).mean() / (y**2).mean() for x, y in zip(features, target)]
    assert np.allclose(numpy_of(content_loss(features, target)), expected, rtol=1e-5)


def test_content_loss_of_the_photo_itself_is_zero() -> None:
    target = some_features(2, 4, 5, 6)
    assert np.array_equal(numpy_of(content_loss(target, target)), [0, 0])


def test_content_loss_of_nothing_is_one() -> None:
    target = some_features(2, 4, 5, 6)
    assert np.allclose(numpy_of(content_loss(np.zeros_like(target), target)), 1)


def test_content_loss_does_not_depend_on_the_scale_of_features() -> None:
    features, target = some_features(2, 4, 5, 6), some_features(2, 4, 5, 6)
    loss = numpy_of(content_loss(features, target))
    assert np.allclose(numpy_of(content_loss(features * 1000, target * 1000)), loss, rtol=1e-5)


# Style.


def test_style_loss_is_the_relative_squared_distance() -> None:
    grams, targets = some_features(3, 4, 4), some_features(3, 4, 4)
    expected = [np.linalg.norm(x - y) ** 2 / np.linalg.norm(y) ** 2 for x, y in zip(grams, targets)]
    assert np.allclose(numpy_of(style_loss(grams, targets)), expected, rtol=1e-5)


def test_style_loss_of_the_painting_itself_is_zero_and_of_nothing_one() -> None:
    targets = some_features(2, 4, 4)
    assert np.array_equal(numpy_of(style_loss(targets, targets)), [0, 0])
    assert np.allclose(numpy_of(style_loss(np.zeros_like(targets), targets)), 1)


def test_style_loss_does_not_depend_on_the_scale_of_features() -> None:
    x, y = some_features(1, 4, 5, 3), some_features(1, 4, 5, 3)
    loss = numpy_of(style_loss(gram_matrix(x), gram_matrix(y)))
    assert np.allclose(numpy_of(style_loss(gram_matrix(x * 30), gram_matrix(y * 30))), loss, rtol=1e-4)


# Smoothness.


def test_total_variation_is_the_mean_squared_difference_of_neighbours() -> None:
    images = some_images(2, 4, 6, 3)
    expected = []
    for image in images.astype(np.float64):
        down = [(image[r + 1, c] - image[r, c]) ** 2 for r in range(3) for c in range(6)]
        right = [(image[r, c + 1] - image[r, c]) ** 2 for r in range(4) for c in range(5)]
        expected.append((np.mean(down) + np.mean(right)) / 127.5**2)
    assert np.allclose(numpy_of(total_variation_loss(images)), expected, rtol=1e-5)


def test_total_variation_of_a_flat_picture_is_zero_and_of_a_half_range_checkerboard_two() -> None:
    flat = np.full((1, 6, 6, 3), 77, np.float32)
    checks = np.indices((6, 6)).sum(axis=0)[None, :, :, None] % 2 * np.full((1, 6, 6, 3), 127.5, np.float32)
    assert np.array_equal(numpy_of(total_variation_loss(flat)), [0])
    assert np.allclose(numpy_of(total_variation_loss(checks)), [2])


# Warping.


def test_warp_equals_bilinear_sampling_pixel_by_pixel() -> None:
    images = some_images(2, 5, 7, 3)
    flow = NUMBERS.uniform(-4, 4, (2, 5, 7, 2)).astype(np.float32)
    warped, inside = (numpy_of(tensor) for tensor in warp(images, flow))
    for index in range(2):
        expected, expected_inside = warp_pixel_by_pixel(images[index], flow[index])
        assert np.array_equal(inside[index], expected_inside)
        assert np.allclose(warped[index], expected, atol=1e-2)
    assert 0 < inside.mean() < 1


@pytest.mark.parametrize(("x", "y"), [(0, 0), (2, 0), (0, 3), (-1, 2), (3, -2)])
def test_warp_by_whole_pixels_moves_the_picture(x: int, y: int) -> None:
    images = some_images(2, 8, 10, 3)
    flow = np.broadcast_to(np.array([x, y], np.float32), (2, 8, 10, 2))
    warped, inside = (numpy_of(tensor) for tensor in warp(images, flow))
    rows, columns = slice(max(0, -y), min(8, 8 - y)), slice(max(0, -x), min(10, 10 - x))
    assert np.array_equal(warped[:, rows, columns], np.roll(images, (-y, -x), (1, 2))[:, rows, columns])
    expected = np.zeros((2, 8, 10, 1))
    expected[:, rows, columns] = 1
    assert np.array_equal(inside, expected), "pixels from outside, and only they, are marked"


def test_warp_samples_each_picture_of_a_batch_from_itself() -> None:
    images = np.stack([np.full((4, 4, 3), level, np.float32) for level in (10, 200, 90)])
    warped, _ = warp(images, NUMBERS.uniform(-9, 9, (3, 4, 4, 2)).astype(np.float32))
    assert np.allclose(numpy_of(warped), images)


# Stability.


def test_temporal_loss_is_the_mean_squared_difference_where_the_photo_reaches() -> None:
    moved, outputs = some_images(2, 5, 6, 3), some_images(2, 5, 6, 3)
    flow = NUMBERS.uniform(-3, 3, (2, 5, 6, 2)).astype(np.float32)
    expected = []
    for index in range(2):
        warped, inside = warp_pixel_by_pixel(outputs[index], flow[index])
        squares = ((moved[index] - warped) ** 2)[inside[..., 0] == 1]
        expected.append(squares.sum() / (squares.size + 1) / 127.5**2)
    assert np.allclose(numpy_of(temporal_loss(moved, outputs, flow)), expected, rtol=1e-4)


def test_temporal_loss_of_a_still_picture_is_zero() -> None:
    outputs = some_images(2, 6, 6, 3)
    assert np.array_equal(numpy_of(temporal_loss(outputs, outputs, np.zeros((2, 6, 6, 2), np.float32))), [0, 0])


def test_temporal_loss_ignores_what_comes_from_outside() -> None:
    outputs = some_images(1, 6, 6, 3)
    flow = np.broadcast_to(np.array([2, 0], np.float32), (1, 6, 6, 2))
    moved = np.roll(outputs, -2, axis=2)
    assert np.array_equal(numpy_of(temporal_loss(moved, outputs, flow)), [0])
    moved[:, :, -2:] = 0
    assert np.array_equal(numpy_of(temporal_loss(moved, outputs, flow)), [0])
    moved[:, :, 0] += 100
    assert numpy_of(temporal_loss(moved, outputs, flow))[0] > 0.01


def test_temporal_loss_of_pictures_without_overlap_is_zero() -> None:
    flow = np.full((1, 6, 6, 2), 99, np.float32)
    assert np.array_equal(numpy_of(temporal_loss(some_images(1, 6, 6, 3), some_images(1, 6, 6, 3), flow)), [0])


def test_photos_moved_by_the_dataset_are_stable_by_the_loss(tmp_path: Path) -> None:
    smooth = np.cumsum(NUMBERS.uniform(-6, 6, (90, 120, 3)), axis=1) + 128
    Image.fromarray(smooth.clip(0, 255).astype(np.uint8)).save(tmp_path / "a.png")
    motion = Motion(noise=0, correlated=0, exposure=0, compressed=0, still=0)
    batch = PhotoBatches([tmp_path / "a.png"], batch=4, size=32, motion=motion)(0)
    rounding = (0.51 / 127.5) ** 2
    assert numpy_of(temporal_loss(batch["moved"], batch["photos"], batch["flow"])).max() < rounding
    assert numpy_of(temporal_loss(batch["photos"], batch["photos"], batch["flow"])).min() > 10 * rounding


def test_dataset_and_loss_agree_on_the_direction_of_flow() -> None:
    wide, flow = some_images(14, 16, 3)[:14, :14], NUMBERS.uniform(-2, 2, (8, 8, 2)).astype(np.float32)
    warped, inside = (numpy_of(tensor)[0] for tensor in warp(wide[None, 3:11, 3:11], flow[None]))
    assert np.allclose((sample(wide, flow, 3) - warped) * inside, 0, atol=1e-2)


# The loss network.


def test_unknown_tap_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="tap 'relu3_9': one of relu1_1, .*, relu5_1 was expected"):
        build_loss_network("imagenet", ["relu1_1", "relu3_9"])
    with pytest.raises(ValueError, match="tap 'conv1_1'"):
        build_loss_network("imagenet", ["relu1_1"], ["conv1_1"])


def test_missing_weights_are_reported(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.h5", tmp_path):
        with pytest.raises(TrainingError, match=f"No VGG19 weights at '{path}'. Give the path of the file, or `--vgg-weights"):
            build_loss_network(str(path), ["relu1_1"])


def test_weights_that_are_none_are_reported(tmp_path: Path) -> None:
    (tmp_path / "vgg.h5").write_text("not found: please log in")
    with pytest.raises(TrainingError, match=r"The VGG19 weights '.*vgg\.h5' were not loaded: \w.* Check the connection, or"):
        build_loss_network(str(tmp_path / "vgg.h5"), ["relu1_1"])


def test_weights_that_cannot_be_downloaded_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*arguments: Any, **more: Any) -> Any:
        raise URLError("Temporary failure in name resolution")

    monkeypatch.setattr("urllib.request.urlopen", offline)
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))
    said = (
        r"The VGG19 weights 'imagenet' were not loaded: URL fetch failure on https://.* Temporary failure in name resolution. "
        "Check the connection, or download the file elsewhere and give its path with --vgg-weights."
    )
    with pytest.raises(TrainingError, match=said):
        build_loss_network("imagenet", ["relu1_1"])


def test_error_that_says_nothing_is_told_by_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(weights: str, include_top: bool) -> Any:
        raise MemoryError

    monkeypatch.setattr(keras.applications, "VGG19", fail)
    with pytest.raises(TrainingError, match="The VGG19 weights 'imagenet' were not loaded: MemoryError. Check the connection"):
        build_loss_network("imagenet", ["relu1_1"])


def taps_of_keras(vgg: keras.Model, images: np.ndarray) -> dict[str, np.ndarray]:
    """All taps as Keras' own model and preprocessing give them."""
    layers = {tap: vgg.get_layer(name).output for tap, name in VGG_LAYERS.items()}
    inputs = keras.applications.vgg19.preprocess_input(images.copy())
    return {tap: numpy_of(tensor) for tap, tensor in keras.Model(vgg.input, layers)(inputs).items()}


def assert_taps_are_those_of(vgg: keras.Model, network: keras.Model) -> None:
    """All taps of a picture, compared."""
    images = some_images(2, 32, 48, 3)
    expected = taps_of_keras(vgg, images)
    features = network(images)
    assert set(features) == set(VGG_LAYERS)
    for tap, tensor in features.items():
        scale = np.abs(expected[tap]).max()
        assert scale > 0
        assert np.allclose(numpy_of(tensor) / scale, expected[tap] / scale, atol=1e-4), tap


@pytest.fixture
def random_vgg(monkeypatch: pytest.MonkeyPatch) -> keras.Model:
    """VGG19 of random weights, which `build_loss_network` then takes instead of loading some."""
    keras.utils.set_random_seed(0)
    vgg = keras.applications.VGG19(weights=None, include_top=False)
    monkeypatch.setattr(keras.applications, "VGG19", lambda weights, include_top: vgg)
    return vgg


def test_taps_are_the_layers_of_vgg19(random_vgg: keras.Model) -> None:
    (network,) = build_loss_network("imagenet", list(VGG_LAYERS))
    assert_taps_are_those_of(random_vgg, network)


def test_networks_share_frozen_layers_and_end_at_the_last_tap(random_vgg: keras.Model) -> None:
    whole, part = build_loss_network("imagenet", ["relu1_1", "relu3_1"], ["relu2_1"])
    assert not whole.trainable_weights and not part.trainable_weights
    convolutions = [[layer for layer in network.layers if "conv" in layer.name] for network in (whole, part)]
    assert [layer.name for layer in convolutions[0]] == [
        *("block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2", "block3_conv1")
    ]
    assert convolutions[1] == convolutions[0][:3]
    images = some_images(1, 16, 16, 3)
    assert list(part(images)) == ["relu2_1"]
    assert set(whole(images)) == {"relu1_1", "relu3_1"}


def test_taps_of_the_trained_network_are_those_of_keras() -> None:
    weights = os.environ.get("REALTIME_NST_VGG")
    if not weights:
        pytest.skip("REALTIME_NST_VGG is not set: no file of VGG19 weights")
    (network,) = build_loss_network(weights, list(VGG_LAYERS))
    assert_taps_are_those_of(keras.applications.VGG19(weights=weights, include_top=False), network)


# The grid.


def test_grid_is_the_deviation_of_the_places_means() -> None:
    images = np.random.default_rng(0).uniform(0, 255, (2, 16, 24, 3)).astype(np.float32)
    expected = []
    for image in images:
        places = np.array([[image[row::8, column::8].mean((0, 1)) for column in range(8)] for row in range(8)])
        expected.append(((places - places.mean((0, 1))) ** 2).mean() / 127.5**2)
    assert np.allclose(ops.convert_to_numpy(grid_loss(images)), expected, rtol=1e-3)


def test_even_picture_has_no_grid_and_a_faint_one_is_found() -> None:
    even = np.full((1, 32, 32, 3), 90.0, np.float32)
    faint = even + 2.0 * np.tile([[1, -1], [-1, 1]], (16, 16))[None, :, :, None].astype(np.float32)
    assert float(grid_loss(even)[0]) == 0
    assert np.isclose(float(grid_loss(faint)[0]), (2 / 127.5) ** 2, rtol=1e-3)
