"""The command `realtime-nst optimize`: a photo, a painting, and a progress bar between them."""

import argparse
import sys
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from tqdm import tqdm

from realtime_nst.engines.backend import activate
from realtime_nst.errors import TrainingError
from realtime_nst.media.photos import check_photo_name, read_photo, write_photo
from realtime_nst.media.results import check_output
from realtime_nst.pipeline.interrupt import INTERRUPTED, on_interrupt

from .command import training_backend
from .recipes import REFERENCE_RECIPE
from .tiles import SMALLEST

if TYPE_CHECKING:
    from .optimize import Progress


def optimize(options: argparse.Namespace) -> int:
    """Paint one photo by optimizing its pixels; Ctrl-C keeps what there is."""
    check_photo_name(options.output)
    check_output(options.output, sources=[options.photo, options.painting], overwrite=options.overwrite)
    weights = [weight_of(options, name) for name in ("content_weight", "style_weight")]
    photo = resized(read_photo(options.photo), options.size)
    activate(training_backend())
    from .job import read_painting
    from .objective import PerceptualLoss, Terms
    from .optimize import noise_like
    from .optimize import optimize as run_optimization

    painting = read_painting(options.painting, options.painting_size or REFERENCE_RECIPE.painting_size)
    objective = PerceptualLoss(options.vgg_weights, REFERENCE_RECIPE).objective(photo, painting)
    recipe = Terms.weights_of(REFERENCE_RECIPE)
    terms = Terms(recipe.content * weights[0], recipe.style * weights[1], recipe.total_variation)
    start = photo if options.start == "photo" else noise_like(photo, options.seed)
    stopping: list[bool] = []
    bar = tqdm(total=options.steps, unit="step", desc=options.output.name, dynamic_ncols=True)

    def report(progress: "Progress") -> None:
        losses = {"loss": progress.terms.weighted(terms), **progress.terms._asdict()}
        bar.set_postfix({name: f"{value:.4f}" for name, value in losses.items()}, refresh=False)
        bar.update()

    with on_interrupt(lambda: stopping.append(True)), bar:
        image, reached = run_optimization(
            objective, terms, start, steps=options.steps, report=report, stop=lambda: bool(stopping)
        )
    write_photo(options.output, np.rint(image).astype(np.uint8), {"Software": "realtime-nst optimize"})
    losses = f"content loss {reached.content:.3f}, style loss {reached.style:.4f}"
    if stopping:
        print(f"Interrupted: '{options.output}' is what there was by then; {losses}.", file=sys.stderr)
        return INTERRUPTED
    print(f"Wrote '{options.output}': {losses}.", file=sys.stderr)
    return 0


def weight_of(options: argparse.Namespace, name: str) -> float:
    """A weight from the flags.

    Raises:
        TrainingError: It is out of range.
    """
    value: float = getattr(options, name)
    if not 0 < value < 1e3:
        raise TrainingError(f"--{name.replace('_', '-')} {value} is out of range. 1 is the default; try 0.1 to 10.")
    return value


def resized(photo: np.ndarray, longest: int) -> np.ndarray:
    """A photo as float32, shrunk until its longest side fits; a smaller one stays as it is.

    Raises:
        TrainingError: It is too small for VGG19.
    """
    height, width = photo.shape[:2]
    scale = min(1.0, longest / max(height, width))
    size = (round(width * scale), round(height * scale))
    if min(size) < SMALLEST:
        raise TrainingError(
            f"The photo would have {size[0]}x{size[1]} pixels; at least {SMALLEST} on the shorter side were expected. "
            "Give a larger photo or --size."
        )
    return np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.LANCZOS), dtype=np.float32)
