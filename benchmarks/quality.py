"""What the fast network gives up: it and Johnson's, trained the same way, measured on other photos.

`python -m benchmarks.quality PAINTING ... --photos DIR --vgg-weights PATH`. Both networks start from random weights
and see the same photos in the same order; both take the style as a vector. Every twentieth photo is kept for measuring.
Each network is trained at each of the learning rates that are given, and stands with its best.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from keras import layers
from tqdm import tqdm

from benchmarks.peers import LAYERS, johnson
from realtime_nst.networks.convolutions import per_channel
from realtime_nst.networks.transform import OUTPUT_GAIN, OUTPUT_MID, ConditionalInstanceNormalization, SplitStyleVector
from realtime_nst.pipeline.stage import Stage
from realtime_nst.train import build as building
from realtime_nst.train import growth
from realtime_nst.train.build import build_model
from realtime_nst.train.dataset import PhotoBatches, find_photos
from realtime_nst.train.job import read_painting
from realtime_nst.train.learner import measure as measure_batch
from realtime_nst.train.learner import take_step
from realtime_nst.train.losses import terms_of
from realtime_nst.train.model import StyleModel
from realtime_nst.train.recipes import Recipe

FIGURE_BATCHES = 8
EVERY = 20


class JohnsonArchitecture:
    """Johnson's network with a style vector, in numbers: what `build_model` needs of an architecture."""

    norm_channels = tuple(channels_out for name, _, _, channels_out, _ in LAYERS if name != "conv4")
    vector_parts = tuple(part for size in (*norm_channels, 3) for part in ((size, 1.0), (size, 0.0)))
    vector_size = 2 * (sum(norm_channels) + 3)


class ReflectionPadding(layers.Layer):
    """Mirror a border of any width."""

    def __init__(self, margin: int, **options: Any) -> None:
        super().__init__(**options)
        self.margin = margin

    def call(self, x: Any) -> Any:
        both = [self.margin, self.margin]
        return keras.ops.pad(x, [[0, 0], both, both, [0, 0]], mode="reflect")


class ToImage(layers.Layer):
    """The end of this project's network, at full size."""

    def call(self, inputs: Any) -> Any:
        x, scale, shift = inputs
        return OUTPUT_MID + OUTPUT_GAIN * (x * per_channel(scale) + per_channel(shift))


def build_johnson(architecture: JohnsonArchitecture, *, uint8: bool) -> keras.Model:
    """Johnson's network (2016) with conditional instance normalization, float32, channels last."""
    images = keras.Input((None, None, 3), name="images")
    vectors = keras.Input((architecture.vector_size,), name="vectors")
    parts = iter(SplitStyleVector(architecture)(vectors))  # type: ignore[arg-type]
    shapes = {name: (size, channels, stride) for name, size, _, channels, stride in LAYERS}
    start = keras.initializers.VarianceScaling(0.05, distribution="truncated_normal")

    def conv(x: Any, name: str) -> Any:
        size, channels, stride = shapes[name]
        x = ReflectionPadding(size // 2)(x)
        initializer = start if name == "conv4" else "glorot_uniform"
        return layers.Conv2D(channels, size, stride, use_bias=False, name=name, kernel_initializer=initializer)(x)

    def norm(x: Any, name: str) -> Any:
        return ConditionalInstanceNormalization()([x, next(parts), next(parts)])

    x = johnson(layers.Rescaling(1 / 127.5, -1)(images), conv, norm, layers.ReLU(), layers.UpSampling2D(2))
    return keras.Model({"images": images, "vectors": vectors}, ToImage()([x, next(parts), next(parts)]))


def train_and_measure(recipe: Recipe, pictures: list[np.ndarray], photos: list[Path], vgg: str, name: str) -> dict[str, float]:
    """Train whatever `build_model` builds at present, and return its terms on photos that it has not seen."""
    model = build_model(recipe, pictures, vgg_weights=vgg)
    held = photos[::EVERY]
    seen = [path for path in photos if path not in set(held)]
    batches = PhotoBatches(seen, batch=recipe.batch, size=recipe.size, seed=recipe.seed, motion=recipe.motion)
    started = time.perf_counter()
    with Stage(map(batches, range(recipe.steps)), keep="all", name="photos") as stage, tqdm(stage, desc=name) as bar:
        for step, batch in enumerate(bar):
            losses = take_step(model, recipe, step, batch, 1.0)
            bar.set_postfix_str(f"{losses['loss']:.3f}")
    seconds = (time.perf_counter() - started) / recipe.steps
    return {**measure(model, recipe, held, len(pictures)), "seconds_per_step": seconds}


def measure(model: StyleModel, recipe: Recipe, photos: list[Path], styles: int) -> dict[str, float]:
    """The terms of the loss, means over styles and photos."""
    batches = PhotoBatches(photos, batch=recipe.batch, size=recipe.size, seed=recipe.seed + 2, motion=recipe.motion)
    sums = dict.fromkeys(model.terms, 0.0)
    for number in range(FIGURE_BATCHES):
        for style in range(styles):
            losses = measure_batch(model, batches(number), np.full(recipe.batch, style, np.int32))
            sums = {term: total + losses[term] for term, total in sums.items()}
    return {term: total / (FIGURE_BATCHES * styles) for term, total in sums.items()}


def weighted(figures: dict[str, float], recipe: Recipe) -> float:
    """The loss of some figures."""
    return float(sum(term.weight * figures[term.name] for term in terms_of(recipe)))


def main() -> int:
    """Train both, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", nargs="+", type=Path, metavar="PAINTING")
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR")
    parser.add_argument("--vgg-weights", default="imagenet", metavar="imagenet|PATH")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--rates", type=float, nargs="+", default=[2.5e-3, 5e-3], help="learning rates (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    photos = find_photos(options.photos)
    ours: Callable[..., keras.Model] = building.build_transform_network
    networks: dict[str, tuple[Any, Any]] = {
        "this project": (partial(growth.Architecture, field=0), ours),  # as Johnson's: what is compared is the shape
        "Johnson": (JohnsonArchitecture, build_johnson),
    }
    results: dict[str, dict[str, float]] = {}
    for name, (architecture, build) in networks.items():
        growth.Architecture, building.build_transform_network = architecture, build  # type: ignore[misc]
        for rate in options.rates:
            recipe = replace(Recipe(), steps=options.steps, learning_rate=rate)
            pictures = [read_painting(path, recipe.painting_size) for path in options.pictures]
            figures = train_and_measure(recipe, pictures, photos, options.vgg_weights, f"{name}, {rate:g}")
            figures |= {"rate": rate, "loss": weighted(figures, recipe)}
            if name not in results or figures["loss"] < results[name]["loss"]:
                results[name] = figures
    columns = ("rate", "loss", *(term.name for term in terms_of(Recipe())), "seconds_per_step")
    print("network".ljust(14), *(column.rjust(16) for column in columns))
    for name, figures in results.items():
        print(name.ljust(14), *(f"{figures[column]:16.4f}" for column in columns))
    if options.json is not None:
        options.json.write_text(json.dumps({"steps": options.steps, "networks": results}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
