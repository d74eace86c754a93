"""What `realtime-nst image --polish` adds to painting: the paintings of its styles, VGG19, and a progress bar."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from realtime_nst.engines.backend import Backend, activate
from realtime_nst.errors import TrainingError
from realtime_nst.pipeline.interrupt import on_interrupt
from realtime_nst.style.style import Style

from .command import find_painting, training_backend
from .evaluate_command import painting_size_of
from .job import read_painting
from .recipes import REFERENCE_RECIPE

if TYPE_CHECKING:
    from .optimize import Progress


class PolishCommand:
    """Polish pictures as the flags of `image` say.

    Args:
        options: The flags.
        parts: The styles of the mix, each with its share; of a style that one.

    Raises:
        TrainingError: A painting is missing, or the VGG19 weights.
        BackendError: TensorFlow is not installed.
    """

    def __init__(self, options: argparse.Namespace, parts: Sequence[tuple[Style, float]]) -> None:
        if (options.backend, options.precision) != ("auto", "auto"):
            raise TrainingError("--polish computes on TensorFlow, in float32. Leave out --backend and --precision.")
        paintings = paintings_of(options.painting, parts)
        self.backend: Backend = training_backend()
        activate(self.backend)
        from .objective import PerceptualLoss
        from .polish import Polisher

        self._polisher = Polisher(PerceptualLoss(options.vgg_weights, REFERENCE_RECIPE), paintings, emphasis_of(parts))
        self._steps: int = options.polish
        self.interrupted = False

    def __call__(self, photo: np.ndarray, painting: np.ndarray, name: str) -> np.ndarray:
        """Go on from a painting; Ctrl-C keeps the best so far.

        Args:
            photo: uint8 `(H, W, 3)`.
            painting: Likewise.
            name: What the progress bar says.

        Raises:
            TrainingError: The photo is too small.
        """

        def ask() -> None:
            self.interrupted = True

        with on_interrupt(ask), tqdm(total=self._steps, unit="step", desc=name, dynamic_ncols=True) as bar:

            def report(progress: "Progress") -> None:
                bar.set_postfix_str(f"loss {progress.terms.weighted(self._polisher.weights):.3f}", refresh=False)
                bar.update()

            return self._polisher(photo, painting, steps=self._steps, report=report, stop=lambda: self.interrupted)


def paintings_of(given: Path | None, parts: Sequence[tuple[Style, float]]) -> list[tuple[np.ndarray, float]]:
    """The paintings of a mix, each with its share, at the sizes of their training; for the errors see `find_picture`."""
    files = [find_picture(given, style, alone=len(parts) == 1) for style, _ in parts]
    return [(read_painting(file, painting_size_of(style)), share) for file, (style, share) in zip(files, parts)]


def emphasis_of(parts: Sequence[tuple[Style, float]]) -> float:
    """How much the style term counted when the styles of a mix were trained, as their files say; 1 where one says nothing."""
    numbers = [(style.metadata.get("emphasis"), share) for style, share in parts]
    return sum(share * (each if isinstance(each, int | float) and 0.01 <= each <= 100 else 1.0) for each, share in numbers)


def find_picture(given: Path | None, style: Style, alone: bool) -> Path:
    """The picture of a style's painting, from what `--painting` names.

    Args:
        given: A picture, or a folder of them by style name.
        style: The style.
        alone: Whether it is the only one, so that a single picture will do.

    Raises:
        TrainingError: There is none.
    """
    if given is None:
        title, artist = (str(style.metadata.get(key, "unknown")) for key in ("title", "artist"))
        what = f"'{title}'" + (f" by {artist}" if artist != "unknown" else "")
        raise TrainingError(
            f"--polish compares with the painting itself, which '{style.name}' does not hold. Name a picture of {what} with "
            "--painting FILE; museums and Wikimedia Commons have most works."
        )
    if given.is_dir():
        found = find_painting(given, style.name, wanted=True, otherwise="name the picture itself with --painting")
        if found is not None:
            return found
    if not alone:
        raise TrainingError(
            f"'{given}' is no folder. A mix needs the paintings of all its styles: name a folder of them with --painting, with "
            f"`{style.name}.jpg` and so on."
        )
    return given
