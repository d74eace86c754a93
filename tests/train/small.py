"""Training made small: a narrow network, four fixed convolutions in the place of VGG19, and pictures out of numbers.

`python -m tests.train.small FOLDER` trains in a process of its own, which waits after five steps to be killed.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from realtime_nst.networks import encoder
from realtime_nst.style.architecture import Architecture
from realtime_nst.style.book import find_styles
from realtime_nst.train import build, growth, loop
from realtime_nst.train.dataset import Motion
from realtime_nst.train.job import Job
from realtime_nst.train.loop import Progress
from realtime_nst.train.recipes import Painting, Recipe
from realtime_nst.train.trainer import train
from tests.conftest import NARROW

TAPS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")

RECIPE = Recipe(
    steps=6,
    batch=2,
    size=32,
    painting_size=64,
    learning_rate=1e-2,
    content_tap="relu2_1",
    style_taps=("relu1_1", "relu2_1"),
    motion=Motion(shift=2, bend=0.5),
)
ENCODED = replace(RECIPE, style_taps=TAPS)
"""The same where an encoder learns: each of its sights has a tap."""


class Run(NamedTuple):
    """A training run from its start to its end."""

    job: Job
    written: list[Path]
    reports: list[Progress]


def small_loss_network(weights: str, *taps: Sequence[str]) -> list[keras.Model]:
    """Four frozen convolutions that answer by the names of taps."""
    images = keras.Input((None, None, 3))
    x = images / 127.5 - 1.0
    features = {}
    for number, name in enumerate(TAPS):
        layer = layers.Conv2D(6, 3, strides=1 if number == 0 else 2, padding="same", activation="relu", bias_initializer="ones")
        x = layer(x)
        layer.kernel.assign(np.random.default_rng(number).normal(0.0, 0.15, layer.kernel.shape))  # the same on any backend
        features[name] = x
    networks = [keras.Model(images, {name: features[name] for name in names}) for names in taps]
    for network in networks:
        network.trainable = False
    return networks


def make_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Narrow network, small loss network, a small scene for encoders, frequent checkpoints."""
    monkeypatch.setattr(build, "build_loss_network", small_loss_network)
    monkeypatch.setattr(growth, "Architecture", lambda: NARROW)
    monkeypatch.setattr(encoder, "SIDE", 32)
    monkeypatch.setattr(loop, "CHECKPOINT_EVERY", 2)


def make_pictures(folder: Path) -> None:
    """Eight photos and two paintings."""
    (folder / "photos").mkdir(parents=True)
    for number in range(8):
        pixels = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        picture = Image.fromarray(pixels)
        picture.resize((80, 60), Image.Resampling.BICUBIC).save(folder / "photos" / f"{number}.png")
    for name, colours in (("stripes", [(230, 60, 20), (20, 30, 90)]), ("dots", [(250, 240, 200), (10, 90, 60)])):
        size = 6 if name == "stripes" else 13
        board = (
            np.indices((150, 200)).sum(axis=0) // size % 2
            if name == "stripes"
            else np.indices((150, 200)).prod(axis=0) // size % 2
        )
        Image.fromarray(np.array(colours, np.uint8)[board]).save(folder / f"{name}.png")


def make_job(folder: Path, output: str = "out", **changes: Any) -> Job:
    """A job on the pictures of `make_pictures`."""
    names = ("stripes", "dots")
    job = Job(
        pictures={name: folder / f"{name}.png" for name in names},
        paintings={name: Painting(name.title(), "Nobody", "2001", "public domain") for name in names},
        photos=folder / "photos",
        output=folder / output,
        name="young",
        recipe=RECIPE,
    )
    return replace(job, **changes)


def neutral_vector(architecture: Architecture) -> np.ndarray:
    """Scales of 1, shifts of 0, gains of 0.3, in the order in which the network takes them."""
    taking = architecture.field_channels
    names = [name.removesuffix("/kernel") for name in architecture.kernel_shapes if "_field" not in name][1:]
    parts = [
        np.repeat([1.0, 0.0, 0.3] if name in taking else [1.0, 0.0], size)
        for name, size in zip(names, (*architecture.norm_channels, 3), strict=True)
    ]
    return np.concatenate(parts).astype(np.float32)


def arrays_of(folder: Path) -> dict[str, np.ndarray]:
    """All numbers of a run's body and styles."""
    book = find_styles([folder])
    (body,) = book.bodies
    return {**body.weights(), **{style.name: style.vector for style in book.values()}}


def assert_same_numbers(one: Path, other: Path) -> None:
    """Body and styles of two runs, to the bit."""
    arrays, others = arrays_of(one), arrays_of(other)
    assert set(arrays) == set(others)
    assert {name for name in arrays if not np.array_equal(arrays[name], others[name])} == set()


def stop_after(step: int) -> tuple[Callable[[Progress], None], Callable[[], bool]]:
    """A `report` and a `stop` that end a run after a step."""
    done: list[int] = []
    return lambda progress: done.append(progress.step), lambda: max(done) >= step


if __name__ == "__main__":
    make_small(pytest.MonkeyPatch())

    def report(progress: Progress) -> None:
        """Tell of every step, and wait at the fifth one for whoever kills this process."""
        print(f"step {progress.step}", flush=True)
        if progress.step == 5:
            sys.stdin.read()

    train(make_job(Path(sys.argv[1]), "killed"), report=report)
