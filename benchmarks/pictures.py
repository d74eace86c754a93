"""How good a style from a picture is: as the encoder finds it, refined, and learned without it: `python -m benchmarks.pictures`.

Each picture gets four vectors: that of the shipped style that is most like it, where training without an encoder begins;
the encoder's; that one refined for some steps; and one that learned for more steps from the shipped style. All are measured
on photos that were not learned from. What is in the report already is not measured again, so a run may be interrupted.
"""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from keras import ops
from tqdm import tqdm

from realtime_nst.errors import NSTError
from realtime_nst.media.photos import read_photo
from realtime_nst.style.book import find_styles, style_folders
from realtime_nst.style.encoder import PAINTING_SIZE
from realtime_nst.style.from_picture import style_name
from realtime_nst.style.style import Style, write_style
from realtime_nst.train.build import build_model
from realtime_nst.train.command import training_backend
from realtime_nst.train.dataset import PhotoBatches, find_photos
from realtime_nst.train.evaluate import Painter
from realtime_nst.train.evaluate_command import choose_photos, square
from realtime_nst.train.job import read_painting
from realtime_nst.train.model import StyleModel
from realtime_nst.train.objective import PerceptualLoss
from realtime_nst.train.prediction import predicted
from realtime_nst.train.recipes import PREDICTED_RATE, PREDICTED_STEPS, REFERENCE_RECIPE, Recipe, vector_recipe
from realtime_nst.train.stability import Stylize, noise_gain
from realtime_nst.train.trainer import most_similar

KINDS = ("nearest", "predicted", "refined", "learned")
STYLE, CONTENT, NOISE = "style", "content", "noise"


class Lessons:
    """Vectors that learn, each alone: the network is compiled once for all pictures.

    Args:
        model: A frozen body; its styles are the pictures.
        recipe: The numbers.
        batches: Photos by step.
    """

    def __init__(self, model: StyleModel, recipe: Recipe, batches: PhotoBatches) -> None:
        self._model, self._recipe, self._batches = model, recipe, batches
        self._fresh = [ops.convert_to_numpy(variable) for variable in model.optimizer.variables]

    def __call__(self, index: int, start: np.ndarray, steps: int, rate: float, says: str) -> np.ndarray:
        """The vector of a picture after some steps of a learning rate, float32 `(V,)`."""
        model, recipe = self._model, replace(self._recipe, steps=steps, learning_rate=rate)
        vectors = np.array(ops.convert_to_numpy(model.vectors))
        vectors[index] = start
        model.start_at(vectors)
        for variable, value in zip(model.optimizer.variables, self._fresh):
            variable.assign(value)
        styles = np.full(recipe.batch, index, np.int32)
        for step in tqdm(range(steps), desc=says, leave=False):
            model.optimizer.learning_rate = recipe.rate(step)
            model.train_on_batch(x={**self._batches(step), "styles": styles})
        return np.array(ops.convert_to_numpy(model.vectors)[index])


def measured(stylize: Stylize, painting: np.ndarray, photos: list[np.ndarray], loss: PerceptualLoss) -> dict[str, float]:
    """Style and content loss and noise gain, means over the photos."""
    grams, sums = loss.grams(painting), dict.fromkeys((STYLE, CONTENT, NOISE), 0.0)
    for number, photo in enumerate(photos):
        terms = loss.terms(stylize(photo[None])[0], loss.features(photo), grams)
        for name, value in ((STYLE, terms.style), (CONTENT, terms.content), (NOISE, noise_gain(stylize, photo, seed=number))):
            sums[name] += value / len(photos)
    return sums


def summary(rows: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """What the report says, in lines."""
    lines = []
    for kind in KINDS:
        found = [row[kind] for row in rows.values() if kind in row]
        if found:
            means = (f"{name} {np.mean([figures[name] for figures in found]):.3f}" for name in (STYLE, CONTENT, NOISE))
            lines.append(f"{kind:10s} {len(found):4d} pictures  {'  '.join(means)}")
    for kind, other in (("predicted", "nearest"), ("predicted", "learned"), ("refined", "learned"), ("refined", "predicted")):
        both = [(row[kind][STYLE], row[other][STYLE]) for row in rows.values() if kind in row and other in row]
        if both:
            ratios, better = [one / two for one, two in both], sum(one < two for one, two in both)
            lines.append(f"style of {kind} over {other}: mean {np.mean(ratios):.2f}, lower in {better} of {len(both)}")
    gains = [row["predicted"][NOISE] for row in rows.values() if "predicted" in row]
    lines.append(f"noise gain of predicted: at most 1.5 in {sum(gain <= 1.5 for gain in gains)} of {len(gains)}")
    return "\n".join(lines)


def main() -> int:
    """Measure what is not measured yet, print the summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE")
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR", help="to learn from")
    parser.add_argument("--measured", type=Path, required=True, metavar="DIR", help="other photos, to measure on")
    parser.add_argument("--count", type=int, default=6, metavar="N", help="photos to measure on (default: %(default)s)")
    parser.add_argument("--refine", type=int, default=PREDICTED_STEPS, metavar="STEPS", help="0: none (default: %(default)s)")
    parser.add_argument("--learn", type=int, default=200, metavar="STEPS", help="0: none (default: %(default)s)")
    parser.add_argument("--vgg-weights", default="imagenet", metavar="imagenet|PATH")
    parser.add_argument("--weights", type=Path, metavar="DIR", help="a folder of styles")
    parser.add_argument("--json", type=Path, required=True, metavar="FILE", help="the report")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="write the styles, in a folder of each kind")
    options = parser.parse_args()
    book = list(find_styles(style_folders(options.weights)).values())
    body = next(style.body for style in book if "signature" in style.metadata)
    recipe = vector_recipe(body.architecture)
    rows = json.loads(options.json.read_text()) if options.json.exists() else {}
    names = {style_name(path.stem): path for path in options.pictures}
    left = {name: path for name, path in names.items() if name not in rows}
    if left:
        relatives = [style for style in book if style.body.sha256 == body.sha256]
        paintings = [read_painting(path, PAINTING_SIZE) for path in left.values()]
        model = build_model(recipe, paintings, vgg_weights=options.vgg_weights, body=body)
        photos = find_photos(options.photos)
        given = {"batch": recipe.batch, "size": recipe.size, "seed": recipe.seed, "motion": recipe.motion, "field": model.field}
        lessons = Lessons(model, recipe, PhotoBatches(photos, **given))
        chosen = choose_photos(options.measured, options.count)
        seen = [square(read_photo(path), recipe.size).astype(np.float32) for path in chosen]
        loss, painter = PerceptualLoss(options.vgg_weights, REFERENCE_RECIPE), Painter()
        guesses = predicted(left, body, training_backend())
        for index, name in enumerate(tqdm(left, unit="picture")):
            nearest, guess, row = most_similar(model.signature(index), relatives).vector, guesses[name], {}
            for kind in KINDS:
                if kind == "nearest":
                    vector = nearest
                elif kind == "predicted":
                    vector = guess
                elif kind == "refined" and options.refine:
                    vector = lessons(index, guess, options.refine, PREDICTED_RATE, kind)
                elif kind == "learned" and options.learn:
                    vector = lessons(index, nearest, options.learn, recipe.learning_rate, kind)
                else:
                    continue
                style = Style(name, vector, body)
                row[kind] = measured(painter(style), paintings[index], seen, loss)
                if options.keep is not None:
                    keep(options.keep / kind, style)
            rows[name] = row
            options.json.write_text(json.dumps(rows, indent=1))
    print(summary({name: rows[name] for name in names}))
    return 0


def keep(folder: Path, style: Style) -> None:
    """Write a style, and its body beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / style.body.path.name
    if not target.exists():
        shutil.copyfile(style.body.path, target)
    write_style(folder, style.name, style.vector, style.body, {"title": style.name})


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NSTError as error:
        sys.exit(f"{error}")
