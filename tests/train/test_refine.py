"""The process that refines: what it learns from, what it tells, when it ends, and how much it rests."""

import io
import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from realtime_nst.errors import TrainingError
from realtime_nst.style.style import Style
from realtime_nst.train import refine as refining
from realtime_nst.train.build import build_model
from realtime_nst.train.dataset import PhotoBatches
from realtime_nst.train.learner import measure
from realtime_nst.train.recipes import PREDICTED_STEPS, predicted_recipe, vector_recipe
from realtime_nst.train.refine import FrameBatches, News, converse, refine, refining_recipe
from tests.conftest import NARROW, narrow_body, random_vector
from tests.train.small import RECIPE, make_small

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
"""Keras' own, about TensorFlow's variables."""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two fixed convolutions in the place of VGG19, and measurements at every second step."""
    make_small(monkeypatch)
    monkeypatch.setattr(refining, "predicted_recipe", lambda architecture: replace(RECIPE, steps=PREDICTED_STEPS))
    monkeypatch.setattr(refining, "EVERY", 2)
    monkeypatch.setattr(refining, "REST", 0.0)


@pytest.fixture
def style(pictures: Path, tmp_path: Path) -> Style:
    """Stripes, and a vector that knows nothing of them."""
    picture = np.asarray(Image.open(pictures / "stripes.png").convert("RGB"))
    return Style("stripes", random_vector(0), narrow_body(tmp_path), {}, picture)


def frame(seed: int) -> np.ndarray:
    """What a camera might see, uint8 `(48, 64, 3)`."""
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(pixels).resize((64, 48), Image.Resampling.BICUBIC))


def told(style: Style, photos: Path | None, answer: Callable[[int], list[np.ndarray]]) -> list[News]:
    """All news of a refinement."""
    work, found = refine(style, photos, ""), []
    try:
        found.append(next(work))
        while True:
            found.append(work.send(answer(len(found))))
    except StopIteration:
        return found


def loss_of(style: Style, vector: np.ndarray, photos: Path) -> float:
    """The loss of a vector on other pieces of some photos than a refinement has seen."""
    recipe = refining_recipe(NARROW)
    assert style.picture is not None
    model = build_model(recipe, [style.picture.astype(np.float32)], vgg_weights="", body=style.body)
    model.start_at(vector[None])
    batches = PhotoBatches(sorted(photos.iterdir()), batch=4, size=recipe.size, seed=99, motion=recipe.motion, field=model.field)
    return measure(model, batches(0), np.zeros(4, np.int32))["loss"]


def test_vectors_that_are_told_are_better_each_than_the_one_before(style: Style, pictures: Path) -> None:
    news = told(style, pictures / "photos", lambda number: [])
    better = [item for item in news if "vector" in item]
    losses = [news[0]["loss"], *(item["loss"] for item in better)]
    assert len(better) > 3 and losses == sorted(set(losses), reverse=True)
    assert [item["step"] for item in news] == list(range(len(news))) and news[0]["steps"] == 60
    vector = np.array(better[-1]["vector"], np.float32)
    assert loss_of(style, vector, pictures / "photos") < 0.9 * loss_of(style, style.vector, pictures / "photos")


@pytest.mark.once
def test_without_photos_it_waits_for_frames_and_learns_from_the_newest(style: Style, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[np.ndarray]] = []
    make = FrameBatches.__call__
    monkeypatch.setattr(refining, "MOST_FRAMES", 3)

    def watched(batches: FrameBatches, step: int) -> Any:
        seen.append(list(batches._frames))
        return make(batches, step)

    monkeypatch.setattr(FrameBatches, "__call__", watched)
    news = told(style, None, lambda number: [] if number < 3 else [frame(number)])
    assert news[:3] == [{}, {}, {}] and news[3]["step"] == 0, "nothing is measured before the first frame"
    assert len(seen[0]) == 1 and np.array_equal(seen[0][0], frame(3))
    assert [len(frames) for frames in seen[-3:]] == [3, 3, 3]
    assert np.array_equal(seen[-1][-1], frame(len(news) - 1)) and news[-1]["loss"] < news[3]["loss"]


@pytest.mark.once
def test_it_ends_when_it_gains_no_more(style: Style, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refining, "LEAST_GAIN", 1.0)
    assert told(style, None, lambda number: [frame(0)])[-1]["step"] == refining.PATIENCE * 2


@pytest.mark.once
def test_what_is_worse_is_not_told(style: Style, monkeypatch: pytest.MonkeyPatch) -> None:
    uphill = replace(RECIPE, steps=PREDICTED_STEPS, learning_rate=-1e-2)
    monkeypatch.setattr(refining, "predicted_recipe", lambda architecture: uphill)
    news = told(style, None, lambda number: [frame(0)])
    assert not [item for item in news if "vector" in item] and news[-1]["step"] == refining.PATIENCE * 2
    assert {item["loss"] for item in news if item} == {news[1]["loss"]}


@pytest.mark.once
def test_it_rests_in_proportion_to_what_it_computed(style: Style, monkeypatch: pytest.MonkeyPatch) -> None:
    spent, rests = iter(range(10_000)), []
    monkeypatch.setattr(refining, "REST", 2.0)
    monkeypatch.setattr(refining, "time", SimpleNamespace(process_time=lambda: next(spent) ** 2, sleep=rests.append))
    steps = told(style, None, lambda number: [frame(0)])[-1]["step"]
    assert rests == [2.0 * (4 * step + 1) for step in range(steps)]


@pytest.mark.once
def test_recipe_is_that_of_the_body_in_fewer_and_larger_steps_at_the_size_that_the_encoder_sees(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(refining, "predicted_recipe", predicted_recipe)
    for architecture in (NARROW, replace(NARROW, field=0)):
        expected = replace(vector_recipe(architecture), steps=60, learning_rate=4e-2, batch=2, painting_size=384)
        assert refining_recipe(architecture) == expected


def conversation(order: dict[str, Any], answers: int) -> tuple[int, list[News]]:
    """What it says, and its exit code, where it is answered so many times with a frame."""
    heard, said = io.BytesIO(), io.BytesIO()
    for item in (order, *([frame(0)] for _ in range(answers))):
        pickle.dump(item, heard)
    heard.seek(0)
    code = converse(heard, said)
    return code, [json.loads(line) for line in said.getvalue().splitlines()]


@pytest.mark.once
def test_it_ends_when_nobody_answers_any_more(style: Style) -> None:
    code, news = conversation({"style": style, "photos": None, "vgg_weights": ""}, answers=5)
    assert code == 0 and [item.get("step") for item in news] == [None, 0, 1, 2, 3, 4]
    assert len(news[3]["vector"]) == NARROW.vector_size
    assert converse(io.BytesIO(), io.BytesIO()) == 0, "not even an order"


@pytest.mark.once
def test_what_is_missing_is_told_in_words(style: Style, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order = {"style": style, "photos": tmp_path / "gone", "vgg_weights": ""}
    code, news = conversation(order, answers=1)
    assert code == 1 and news[0]["error"].startswith(f"No folder of photos at '{tmp_path / 'gone'}'.")

    def broken(*given: object, **named: object) -> None:
        raise TrainingError("The VGG19 weights were not loaded.")

    def full(*given: object, **named: object) -> None:
        raise MemoryError

    for raised, said in ((broken, "The VGG19 weights were not loaded."), (full, "The memory is not enough.")):
        monkeypatch.setattr("realtime_nst.train.build.build_loss_network", raised)
        assert conversation(order | {"photos": None}, answers=1) == (1, [{"error": said}])
