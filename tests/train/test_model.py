"""The model that is trained: which picture gets which vector, and what its loss compares."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from realtime_nst.networks.convolutions import dtype_policy
from realtime_nst.networks.transform import build_transform_network, set_kernels
from realtime_nst.train import model as module
from realtime_nst.train.build import build_model
from realtime_nst.train.checkpoint import Past, load_checkpoint, save_checkpoint, state_of
from realtime_nst.train.dataset import Batch, Motion, PhotoBatches, find_photos
from realtime_nst.train.model import StyleModel, kernels_of
from tests.conftest import NARROW, narrow_body
from tests.train.small import RECIPE, make_small, neutral_vector, small_loss_network

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
"""Keras' own, about TensorFlow's variables."""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test of this file trains small."""
    make_small(monkeypatch)


@pytest.fixture
def batch(pictures: Path) -> Batch:
    """Two photos and their moved copies, without a camera's noise."""
    motion = Motion(shift=3, bend=0.3, noise=0, correlated=0, exposure=0, compressed=0, still=0)
    return PhotoBatches(find_photos(pictures / "photos"), batch=2, size=32, motion=motion, field=NARROW.field)(0)


class Brighten(layers.Layer):
    """A network that adds the first number of the vector to every pixel."""

    def call(self, inputs: Mapping[str, Any]) -> Any:
        return inputs["images"] + inputs["vectors"][:, 0][:, None, None, None]


def numpy_gram(features: Any) -> np.ndarray:
    """Mean products of channels, `(C, C)`, of the first picture."""
    rows = np.asarray(ops.convert_to_numpy(features), np.float64)[0].reshape(-1, features.shape[-1])
    gram: np.ndarray = rows.T @ rows / len(rows)
    return gram


def smaller(picture: np.ndarray, scale: int) -> np.ndarray:
    """Means of blocks of pixels; what is left of one at the edge is cut off."""
    height, width = (length // scale for length in picture.shape[:2])
    blocks = picture[: height * scale, : width * scale].reshape(height, scale, width, scale, 3)
    means: np.ndarray = blocks.mean((1, 3))
    return means


def brightening_model(
    pictures: np.ndarray, vectors: list[float], emphasis: list[tuple[float, float]] | None = None
) -> StyleModel:
    """A model that only brightens, with pictures `(S, H, W, 3)` as paintings."""
    loss_network, content_network = small_loss_network("", ["relu1_1", "relu2_1"], ["relu2_1"])
    grams = [
        np.stack([numpy_gram(loss_network(smaller(picture, scale)[None])[tap]) for picture in pictures]).astype(np.float32)
        for scale in RECIPE.style_scales
        for tap in RECIPE.style_taps
    ]
    starts = np.array(vectors, np.float32)[:, None]
    weights = np.ones((len(pictures), 2)) if emphasis is None else np.array(emphasis)
    return StyleModel(Brighten(), starts, grams, weights, RECIPE, loss_network, content_network)


def terms_of(model: StyleModel, batch: Batch, styles: list[int]) -> dict[str, float]:
    """The loss and its terms for a batch."""
    x = {**batch, "styles": np.array(styles, np.int32)}
    model.reset_metrics()
    loss = model.compute_loss(x=x, y_pred=model(x))
    return {"loss": float(loss), **{name: float(metric.result()) for name, metric in model.terms.items()}}


def test_every_picture_gets_the_vector_of_its_style(batch: Batch) -> None:
    model = brightening_model(batch["photos"], [10.0, -20.0, 30.0])
    x = {**batch, "styles": np.array([2, 0], np.int32)}
    expected = np.concatenate([batch["frames"] + [[[[30]]], [[[10]]]], batch["moved"] + [[[[30]]], [[[10]]]]])
    assert np.allclose(ops.convert_to_numpy(model(x)), expected)


def test_photo_left_as_it_is_costs_no_content_and_no_stability(batch: Batch) -> None:
    terms = terms_of(brightening_model(batch["photos"], [0.0, 0.0]), batch, [0, 1])
    assert terms["content"] == 0
    assert terms["temporal"] < (0.51 / 127.5) ** 2
    down, right = np.diff(batch["photos"], axis=1), np.diff(batch["photos"], axis=2)
    variation = ((down**2).mean(axis=(1, 2, 3)) + (right**2).mean(axis=(1, 2, 3))).mean() / 127.5**2
    assert np.isclose(terms["total_variation"], variation, rtol=1e-5)


def test_stability_is_measured_along_the_flow(batch: Batch) -> None:
    model = brightening_model(batch["photos"], [0.0, 0.0])
    along = terms_of(model, batch, [0, 1])["temporal"]
    against = terms_of(model, {**batch, "flow": -batch["flow"]}, [0, 1])["temporal"]
    assert against > 30 * along


def test_content_is_compared_with_the_clean_photo_and_not_with_the_frame(batch: Batch) -> None:
    model = brightening_model(batch["photos"], [25.0, 25.0])
    _, content_network = small_loss_network("", ["relu1_1"], ["relu2_1"])
    features, target = (ops.convert_to_numpy(content_network(batch["photos"] + plus)["relu2_1"]) for plus in (30, 0))
    expected = np.mean([((x - y) ** 2).mean() / (y**2).mean() for x, y in zip(features, target)])
    noisy: Batch = {**batch, "frames": batch["frames"] + 5}
    assert np.isclose(terms_of(model, noisy, [0, 1])["content"], expected, rtol=1e-4)


def test_every_picture_is_compared_with_the_painting_of_its_own_style(batch: Batch) -> None:
    model = brightening_model(batch["photos"], [0.0, 0.0])
    assert terms_of(model, batch, [0, 1])["style"] < 1e-8
    assert terms_of(model, batch, [1, 0])["style"] > 1e-3


def test_style_term_is_the_mean_over_scales_taps_and_pictures(batch: Batch) -> None:
    model = brightening_model(batch["photos"], [0.0, 40.0])
    loss_network, _ = small_loss_network("", ["relu1_1", "relu2_1"], ["relu2_1"])
    expected = []
    for scale, tap in product((1, 2), ("relu1_1", "relu2_1")):
        gram_of = [numpy_gram(loss_network(smaller(photo, scale)[None])[tap]) for photo in batch["photos"]]
        expected += [((gram - gram_of[0]) ** 2).sum() / (gram_of[0] ** 2).sum() for gram in gram_of]
    assert np.isclose(terms_of(model, batch, [0, 0])["style"], np.mean(expected), rtol=1e-3)


def test_loss_weighs_its_terms_as_the_recipe_says(batch: Batch) -> None:
    model = brightening_model(batch["photos"], [25.0, -25.0])
    weights = {"content": 2.0, "style": 3.0, "total_variation": 5.0, "temporal": 7.0}
    model.recipe = replace(RECIPE, **weights)
    terms = terms_of(model, batch, [1, 0])
    loss = terms.pop("loss")
    assert set(weights) < set(terms)
    expected = sum(weights.get(name, getattr(RECIPE, name)) * value for name, value in terms.items())
    assert np.isclose(loss, expected, rtol=1e-5)


@pytest.mark.parametrize(("term", "place"), [("style", 0), ("temporal", 1)])
def test_emphasis_weighs_a_style_in_the_loss_and_not_in_its_figure(batch: Batch, term: str, place: int) -> None:
    weights = (1.0, 1.0), tuple(np.where(np.arange(2) == place, 31.0, 1.0))
    plain, strong = (brightening_model(batch["photos"], [0.0, 25.0], emphasis=[(1.0, 1.0), weight]) for weight in weights)
    one, many = (terms_of(model, batch, [1, 1]) for model in (plain, strong))
    assert one[term] == many[term] > 0
    assert np.isclose(many["loss"] - one["loss"], 30 * getattr(RECIPE, term) * one[term], rtol=1e-3)


def test_lag_follows_the_losses_of_the_styles_that_were_seen(batch: Batch) -> None:
    model = brightening_model(batch["photos"], [0.0, 40.0, 40.0][:2])
    before = ops.convert_to_numpy(model.lag).copy()
    style = terms_of(model, batch, [1, 1])["style"]
    after = ops.convert_to_numpy(model.lag)
    assert after[0] == before[0] == 1
    assert np.isclose(after[1], 0.9 * 1 + 0.1 * style, rtol=1e-4)


def test_lag_is_not_touched_when_only_measured(batch: Batch) -> None:
    model = brightening_model(batch["photos"], [0.0, 40.0])
    x = {**batch, "styles": np.array([1, 1], np.int32)}
    model.compute_loss(x=x, y_pred=model(x), training=False)
    assert np.array_equal(ops.convert_to_numpy(model.lag), [1, 1])


def test_new_model_starts_neutral_with_the_gram_matrices_of_its_paintings(batch: Batch) -> None:
    paintings = [batch["photos"][0], batch["photos"][1, :20]]
    model = build_model(RECIPE, paintings, vgg_weights="")
    neutral = neutral_vector(NARROW)
    assert np.array_equal(ops.convert_to_numpy(model.vectors), [neutral, neutral])
    for (scale, tap), grams in zip(product(RECIPE.style_scales, RECIPE.style_taps), model.grams, strict=True):
        for painting, gram in zip(paintings, ops.convert_to_numpy(grams)):
            expected = numpy_gram(ops.cast(model.loss_network(smaller(painting, scale)[None])[tap], "float32"))
            assert np.allclose(gram, expected, rtol=1e-2, atol=1e-2)
    assert len(model.trainable_variables) == 1 + len(kernels_of(model.network))


def test_frozen_body_learns_vectors_alone(batch: Batch, tmp_path: Path) -> None:
    body = narrow_body(tmp_path)
    model = build_model(RECIPE, [batch["photos"][0]], vgg_weights="", body=body)
    assert [variable.name for variable in model.trainable_variables] == ["vectors"]
    kernels = kernels_of(model.network)
    assert set(kernels) == set(body.weights())
    assert all(np.array_equal(kernels[name], array) for name, array in body.weights().items())


def test_same_seed_gives_the_same_start(batch: Batch) -> None:
    first, second, other = (
        kernels_of(build_model(replace(RECIPE, seed=seed), [batch["photos"][0]], vgg_weights="").network) for seed in (1, 1, 2)
    )
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert not np.array_equal(first["stem/kernel"], other["stem/kernel"])


def test_kernels_that_are_set_are_those_that_are_read() -> None:
    network = build_transform_network(NARROW, uint8=False)
    arrays = {name: np.full(array.shape, number, np.float32) for number, (name, array) in enumerate(kernels_of(network).items())}
    set_kernels(network, arrays)
    assert all(np.array_equal(array, arrays[name]) for name, array in kernels_of(network).items())


def test_dtype_policy_ends_with_its_block_even_after_an_error() -> None:
    before = keras.config.dtype_policy().name
    with pytest.raises(RuntimeError, match="stop"), dtype_policy("mixed_bfloat16"):
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
        raise RuntimeError("stop")
    assert keras.config.dtype_policy().name == before


def test_float16_scales_its_loss_and_leaves_out_steps_that_overflow(batch: Batch, tmp_path: Path) -> None:
    model = build_model(RECIPE, [batch["photos"][0]], vgg_weights="", precision="mixed_float16")
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    assert model.optimizer.inner_optimizer.global_clipnorm == RECIPE.clip_norm
    model.optimizer.learning_rate = 0.01
    x = {**batch, "styles": np.zeros(2, np.int32)}
    vectors = [ops.convert_to_numpy(model.vectors).copy()]
    for scale in (2.0**15, 1e38):
        model.optimizer.dynamic_scale.assign(scale)
        logs = model.train_on_batch(x=x, return_dict=True)
        assert 0 < logs["loss"] < 100, "as it is without its scale"
        vectors.append(ops.convert_to_numpy(model.vectors).copy())
    assert 1e-3 < np.abs(vectors[1] - vectors[0]).max() < 0.02
    assert np.array_equal(vectors[2], vectors[1]) and float(model.optimizer.dynamic_scale) == np.float32(1e38) / 2
    before = {name: ops.convert_to_numpy(variable).copy() for name, variable in state_of(model).items()}
    save_checkpoint(tmp_path / "a.h5", model, "", Past())
    model.optimizer.dynamic_scale.assign(1.0)
    model.train_on_batch(x=x)
    load_checkpoint(tmp_path / "a.h5", model, "")
    assert all(np.array_equal(ops.convert_to_numpy(variable), before[name]) for name, variable in state_of(model).items())


def test_bfloat16_computes_in_it_and_learns_in_float32_without_a_scale(batch: Batch) -> None:
    model = build_model(RECIPE, [batch["photos"][0]], vgg_weights="", precision="mixed_bfloat16")
    assert isinstance(model.optimizer, keras.optimizers.Adam)
    assert {str(variable.dtype) for variable in model.trainable_variables} == {"float32"}
    convolutions = [layer for layer in model.network.layers if hasattr(layer, "kernel")]
    assert {layer.compute_dtype for layer in convolutions} == {"bfloat16"}
    before = kernels_of(model.network)
    logs = model.train_on_batch(x={**batch, "styles": np.zeros(2, np.int32)}, return_dict=True)
    assert 0 < logs["loss"] < 100
    for name, kernel in kernels_of(model.network).items():
        assert 0 < np.abs(kernel - before[name]).max() < 0.02, name


@pytest.mark.parametrize(
    ("precision", "has", "policy"),
    [
        ("float32", False, "float32"),
        ("float32", True, "mixed_bfloat16"),
        ("mixed_bfloat16", False, "mixed_bfloat16"),
        ("mixed_float16", False, "float32"),
        ("mixed_float16", True, "mixed_bfloat16"),
    ],
)
def test_loss_is_never_computed_in_float16(monkeypatch: pytest.MonkeyPatch, precision: str, has: bool, policy: str) -> None:
    monkeypatch.setattr(module, "has_bfloat16", lambda: has)
    assert module.loss_precision(precision) == policy


def test_processor_that_has_no_bfloat16_computes_the_loss_in_float32(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    for has, name in ((False, "float32"), (True, "bfloat16")):
        monkeypatch.setattr(module, "has_bfloat16", lambda has=has: has)
        model = build_model(RECIPE, [batch["photos"][0]], vgg_weights="")
        convolutions = [layer for layer in model.loss_network.layers if isinstance(layer, layers.Conv2D)]
        assert {layer.compute_dtype for layer in convolutions} == {name}
        assert {layer.compute_dtype for layer in model.network.layers} == {"float32"}
