"""The style of a picture made better beside a show: a process that learns and tells of each better vector.

`realtime_nst/live/refiner.py` starts it, and pickles what is to be refined to its standard input. Each line of JSON that it
writes is answered there with a list of new frames. It ends when nobody answers any more. It computes half of the time, on few
threads, so that the show keeps most of the processor.
"""

import json
import pickle
import sys
import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image

from realtime_nst.engines.backend import activate
from realtime_nst.errors import NSTError, lacks_memory
from realtime_nst.style.architecture import Architecture
from realtime_nst.style.encoder import PAINTING_SIZE
from realtime_nst.style.style import Style

from .command import training_backend
from .dataset import PhotoBatches, find_photos
from .recipes import Recipe, predicted_recipe

BATCH, CHECKED = 2, 4
"""Photos of a step, and of the measurement that says whether a vector is better."""
EVERY = 5
"""Steps between two measurements."""
PATIENCE, LEAST_GAIN = 3, 0.01
"""It ends when so many measurements together have gained less than this share of the loss."""
REST = 1.0
"""How many times as long as it computed it rests."""
MOST_FRAMES = 16
"""The newest ones, which are learned from."""

News = dict[str, Any]
"""`step`, `steps` and the `loss` of the best vector, and that as `vector` where it is a new one; or an `error`, in words."""


class FrameBatches(PhotoBatches):
    """Batches of pictures in memory, to which others may come.

    Args:
        frames: uint8 `(height, width, 3)`; there must be one when the first batch is made.
        given: As for `PhotoBatches`.
    """

    def __init__(self, frames: Sequence[np.ndarray], **given: Any) -> None:
        super().__init__([], **given)
        self._frames = frames

    def _open(self, position: int) -> Image.Image:
        return Image.fromarray(self._frames[position % len(self._frames)])


def refine(style: Style, photos: Path | None, vgg_weights: str) -> Generator[News, list[np.ndarray], None]:
    """Learn a better vector for the picture of a style; each news is answered with new frames of the show.

    Args:
        style: Where it begins; it has a picture.
        photos: A folder to learn from; `None` is the frames.
        vgg_weights: "imagenet" or a path.

    Raises:
        TrainingError: The VGG19 weights cannot be loaded, or no photo.
        StyleError: The body's weights are damaged.
    """
    from keras import ops

    from .build import build_model
    from .learner import measure, take_step

    files = find_photos(photos) if photos is not None else []
    recipe = refining_recipe(style.body.architecture)
    picture = np.asarray(style.picture, np.float32)
    model = build_model(recipe, [picture], vgg_weights=vgg_weights, body=style.body)
    model.start_at(style.vector[None])
    frames: list[np.ndarray] = []

    def batches(batch: int, kind: int) -> PhotoBatches:
        given: dict[str, Any] = {
            "batch": batch, "size": recipe.size, "seed": recipe.seed + kind, "motion": recipe.motion, "field": model.field
        }  # fmt: skip
        return PhotoBatches(files, **given) if files else FrameBatches(frames, **given)

    while not (frames or files):
        frames += yield {}
    learned, checked = batches(BATCH, 0), batches(CHECKED, 1)(0)
    no_style = np.zeros(CHECKED, np.int32)
    best = [measure(model, checked, no_style)["loss"]]
    frames += yield {"step": 0, "steps": recipe.steps, "loss": best[0]}
    for step in range(1, recipe.steps + 1):
        began, news = time.process_time(), News(step=step, steps=recipe.steps)
        take_step(model, recipe, step - 1, learned(step), 1.0)
        if step % EVERY == 0:
            loss = measure(model, checked, no_style)["loss"]
            if loss < best[-1]:
                news["vector"] = ops.convert_to_numpy(model.vectors)[0].tolist()
            best.append(min(loss, best[-1]))
        time.sleep(REST * (time.process_time() - began))
        frames += yield news | {"loss": best[-1]}
        del frames[:-MOST_FRAMES]
        if len(best) > PATIENCE and best[-1] > (1.0 - LEAST_GAIN) * best[-1 - PATIENCE]:
            return


def refining_recipe(architecture: Architecture) -> Recipe:
    """The recipe for predicted styles, with batches that are sooner done, and strokes as large as the encoder gives."""
    return replace(predicted_recipe(architecture), batch=BATCH, painting_size=PAINTING_SIZE)


def converse(heard: IO[bytes], said: IO[bytes]) -> int:
    """Refine what is heard, and say how far it is, until it is done or nobody answers. Returns the exit code."""

    def say(news: News) -> None:
        said.write(json.dumps(news).encode() + b"\n")
        said.flush()

    try:
        activate(training_backend())
        work = refine(**pickle.load(heard))
        say(next(work))
        while True:
            say(work.send(pickle.load(heard)))
    except StopIteration:
        return 0
    except (EOFError, BrokenPipeError):  # the show is over
        return 0
    except NSTError as error:
        say({"error": str(error)})
    except Exception as error:
        if not lacks_memory(error):
            raise
        say({"error": "The memory is not enough."})
    return 1


if __name__ == "__main__":
    lines, sys.stdout = sys.stdout.buffer, sys.stderr  # where Keras writes that it downloads
    sys.exit(converse(sys.stdin.buffer, lines))
