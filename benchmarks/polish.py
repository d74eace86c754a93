"""What the network's painting is worth to optimization: the loss from it and from the photo, after as many steps.

`python -m benchmarks.polish PHOTO ... --styles wave kiss --paintings DIR --vgg-weights PATH`. For each style and photo it
prints the loss of the painting, the loss after polishing it, that after as many steps from the photo, the quotient of the two,
and how many steps the photo takes to come as far.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from realtime_nst.media.photos import read_photo, write_photo
from realtime_nst.style.book import find_styles, style_folders
from realtime_nst.train.evaluate import Painter
from realtime_nst.train.objective import Objective, PerceptualLoss, Terms
from realtime_nst.train.optimize import Progress, optimize
from realtime_nst.train.optimize_command import resized
from realtime_nst.train.polish import Polisher
from realtime_nst.train.polish_command import emphasis_of, paintings_of
from realtime_nst.train.recipes import REFERENCE_RECIPE


def main() -> None:
    """Measure as the command line asks."""
    parser = argparse.ArgumentParser(description="Compare optimization from the network's painting with that from the photo.")
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--styles", nargs="+", required=True)
    parser.add_argument("--paintings", type=Path, required=True, help="a folder of them by style name")
    parser.add_argument("--vgg-weights", default="imagenet")
    parser.add_argument("--size", type=int, default=256, help="longest side of the photos (default: %(default)s)")
    parser.add_argument("--steps", nargs="+", type=int, default=[10, 20, 30], help="default: 10 20 30")
    parser.add_argument("--most", type=int, default=100, help="steps from the photo at most (default: %(default)s)")
    parser.add_argument("--sheets", type=Path, metavar="DIR", help="keep photo, painting and polished painting side by side")
    options = parser.parse_args()
    loss = PerceptualLoss(options.vgg_weights, REFERENCE_RECIPE)
    book, painter = find_styles(style_folders()), Painter()
    print(f"{'style':16}{'photo':24}  steps  painting  polished  from the photo  quotient  steps from the photo")
    for style in (book[name] for name in options.styles):
        parts = [(style, 1.0)]
        polisher = Polisher(loss, paintings_of(options.paintings, parts), emphasis_of(parts))
        for path in options.photos:
            photo = resized(read_photo(path), options.size)
            painting = painter(style)(photo[None])[0]
            objective = polisher.objective(photo)
            polished, image = way(objective, polisher.weights, painting, max(options.steps))
            other, _ = way(objective, polisher.weights, photo, max(options.most, *options.steps), until=polished[-1])
            for steps in options.steps:
                same = other[min(steps, len(other) - 1)]
                reached = next((str(step) for step, value in enumerate(other) if value <= polished[steps]), f"> {len(other) - 1}")
                print(
                    f"{style.name:16}{path.name[-22:]:24}{steps:7}{polished[0]:10.3f}{polished[steps]:10.3f}{same:16.3f}"
                    f"{polished[steps] / same:10.2f}{reached:>22}",
                    flush=True,
                )
            if options.sheets:
                sheet = np.rint(np.concatenate([photo, painting, image], axis=1)).astype(np.uint8)
                write_photo(options.sheets / f"{style.name}-{path.stem}.png", sheet, {"Style": style.name})


def way(
    objective: Objective, weights: Terms, start: np.ndarray, steps: int, until: float = 0.0
) -> tuple[list[float], np.ndarray]:
    """The loss at a start and after each step, and the picture at the end; at most so many steps, or so low a loss."""
    losses = [objective.terms(start).weighted(weights)]

    def note(progress: Progress) -> None:
        losses.append(progress.terms.weighted(weights))

    image, _ = optimize(objective, weights, start, steps=steps, report=note, stop=lambda: losses[-1] <= until)
    return losses, image


if __name__ == "__main__":
    main()
