"""The figures of a style: how much of photo and painting its pictures keep, how still they hold, how sharp they are.

What is measured is the picture as it is shown: clipped and rounded, from the clean photo, in float32 on the backend
that trains; what the serving engine's own precision changes is `serving_precision.py`. The photos must be others than those
of training, which this module cannot know. It does not know command lines or files.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain, repeat
from typing import Any

import keras
import numpy as np

from realtime_nst.frames import pad_to_multiple
from realtime_nst.networks.transform import build_transform_network, set_kernels
from realtime_nst.style.field import HOME, Offset, fields_of
from realtime_nst.style.style import Style

from .flow import FlowFiles, FlowPair
from .model import use_xla
from .objective import PerceptualLoss, Terms
from .recipes import REFERENCE_RECIPE
from .reference import STEPS, Comparison, compare
from .stability import COMPRESSION_GRAIN, COMPRESSION_NOISE, Stylize, noise_gain, sharpness, shift_error, warping_error

PIECE = 128
"""Side of the pieces, in pixels, in which a photo is looked at for plain places."""


@dataclass(frozen=True)
class Figures:
    """What is known about one style; `None` where it was not measured.

    Args:
        content: Relative content loss at relu3_3, mean over the photos.
        style: Relative style loss against the painting, likewise.
        style_ratio: Style loss over that of image optimization at equal content loss.
        content_ratio: Content loss over that of image optimization at equal style loss.
        warping_error: Root mean squared difference to the moved frame before, in `[0, 1]`, mean over the scenes.
        noise_gain: Change from frame to frame when nothing moves but the sensor's noise, over that noise.
        flicker: The same for what video compression leaves: little noise that spans many pixels.
        sharpness: Mean gradient over that of the photo.
        plain: Style loss where the photos are plainest, over that where the painting is: 1 paints a bare wall as fully.
        shift: What is drawn anew when the photo moves by a few pixels, over sharpness.
        half_precision: What the serving engine's rounding leaves, in dB (PSNR against float32).
        warping_errors: By scene.
        references: One for each photo that was optimized.
    """

    content: float | None = None
    style: float | None = None
    style_ratio: float | None = None
    content_ratio: float | None = None
    warping_error: float | None = None
    noise_gain: float | None = None
    flicker: float | None = None
    sharpness: float | None = None
    plain: float | None = None
    shift: float | None = None
    half_precision: float | None = None
    warping_errors: Mapping[str, float] = field(default_factory=dict)
    references: Sequence[Comparison] = ()

    def to_dict(self) -> dict[str, Any]:
        """The figures by name, as JSON can hold them: what is infinite becomes `None`."""
        return {name: finite(value) for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Trial:
    """What styles are measured on, the same for all.

    Args:
        photos: float32 `(H, W, 3)` in `[0, 255]`, all of one size.
        loss: The perceptual loss.
        flow: Pairs of frames with true flow; they are read one at a time.
        references: On how many photos image optimization is run.
        steps: Its steps at each content weight.
        seed: Of the camera's noise.
    """

    photos: Sequence[np.ndarray]
    loss: PerceptualLoss
    flow: Sequence[FlowFiles] = ()
    references: int = 0
    steps: int = STEPS
    seed: int = 0


def evaluate(
    stylize: Stylize, painting: np.ndarray | None, trial: Trial, *, report: Callable[[str], None] = lambda doing: None
) -> Figures:
    """Measure a function that stylizes.

    Args:
        stylize: What is measured; `unchanged` gives the figures of the photos themselves.
        painting: float32 `(H, W, 3)` in `[0, 255]`, at the size of its training; `None` leaves out what needs it.
        trial: On what.
        report: Called with a few words on what is being done.
    """
    report("photos")
    terms, gains, flickers, sharp, shifts = [], [], [], [], []
    pictures = [stylize(photo[None])[0] for photo in trial.photos]
    grams = [] if painting is None else trial.loss.grams(painting)
    for number, (photo, picture) in enumerate(zip(trial.photos, pictures)):
        terms.append(trial.loss.terms(picture, trial.loss.features(photo), grams))
        gains.append(noise_gain(stylize, photo, seed=trial.seed + number))
        flickers.append(noise_gain(stylize, photo, sigma=COMPRESSION_NOISE, grain=COMPRESSION_GRAIN, seed=trial.seed + number))
        sharp.append(sharpness(picture) / max(sharpness(photo), 1e-6))
        shifts.append(shift_error(stylize, photo))
    references = []
    if painting is not None:
        for number, (photo, picture) in enumerate(zip(trial.photos[: trial.references], pictures), 1):
            report(f"optimization of photo {number} of {min(trial.references, len(trial.photos))}")
            weights = Terms.weights_of(REFERENCE_RECIPE)
            references.append(compare(trial.loss.objective(photo, painting), picture, weights, steps=trial.steps))
    report("flow")
    errors = warping_errors(stylize, trial.flow)
    return Figures(
        content=mean(term.content for term in terms),
        style=None if painting is None else mean(term.style for term in terms),
        style_ratio=ratio(references, "style"),
        content_ratio=ratio(references, "content"),
        warping_error=mean(errors.values()) if errors else None,
        noise_gain=mean(gains),
        flicker=mean(flickers),
        sharpness=mean(sharp),
        plain=None if painting is None else plain_style(pictures, painting, trial, grams),
        shift=mean(shifts),
        warping_errors=errors,
        references=references,
    )


def unchanged(photos: np.ndarray, moves: Sequence[Offset] = ()) -> np.ndarray:
    """A `Stylize` that gives the photos themselves."""
    return photos


def plain_style(pictures: Sequence[np.ndarray], painting: np.ndarray, trial: Trial, grams: Sequence[Any]) -> float:
    """Style loss of what is painted where the photos are plainest, over that of the plainest places of the painting.

    A person before a bare wall is what a webcam shows most, and a style that paints outlines alone leaves the wall
    empty. Pieces of 128 pixels (or whole pictures that are smaller) are compared with the whole painting, which even the
    painting's own pieces are not equal to.

    Args:
        pictures: The paintings of the trial's photos.
        painting: float32 `(H, W, 3)` in `[0, 255]`.
        trial: Its photos say which pieces are plain, and its loss compares.
        grams: Of the painting.
    """

    def loss(places: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
        plainest = sorted(places, key=lambda place: sharpness(place[0]))[: math.ceil(len(places) / 4)]
        return mean(trial.loss.style(piece, grams) for _, piece in plainest)

    painted = [place for pair in zip(trial.photos, pictures) for place in zip(*map(pieces, pair))]
    return loss(painted) / max(loss([(piece, piece) for piece in pieces(painting)]), 1e-9)


def pieces(picture: np.ndarray) -> list[np.ndarray]:
    """Square pieces of a picture `(H, W, 3)`, side by side from the upper left corner; the rest is left out."""
    height, width = picture.shape[:2]
    side = min(PIECE, height, width)
    return [
        picture[top : top + side, left : left + side]
        for top in range(0, height - side + 1, side)
        for left in range(0, width - side + 1, side)
    ]


def warping_errors(stylize: Stylize, flow: Sequence[FlowFiles]) -> dict[str, float]:
    """The warping error of each scene: the root of the mean over its pairs, which the literature reports.

    Raises:
        TrainingError: A pair is damaged.
        SourceError: A frame cannot be read.
    """
    squares: dict[str, list[float]] = {}
    for files in flow:
        squares.setdefault(files.scene, []).append(stylized_error(stylize, files.read()) ** 2)
    return {scene: float(np.sqrt(mean(values))) for scene, values in squares.items()}


def stylized_error(stylize: Stylize, pair: FlowPair) -> float:
    """The warping error of a pair after stylizing each frame by itself."""
    first, second = (stylize(frame[None].astype(np.float32))[0] for frame in (pair.first, pair.second))
    return warping_error(first, second, pair.flow, pair.valid)


class Painter:
    """Styles as functions, on Keras' backend of this process; a body is built once."""

    def __init__(self) -> None:
        self._networks: dict[str, keras.Model] = {}

    def __call__(self, style: Style) -> Stylize:
        """The function that paints in a style, one picture at a time, of any size, clipped and rounded.

        A second argument says by how many pixels each picture's texture field has moved; without it, it stands.

        Raises:
            StyleError: The body's weights are damaged.
        """
        body = style.body
        if body.sha256 not in self._networks:
            network = build_transform_network(body.architecture, uint8=False)
            set_kernels(network, body.weights())
            network.compile(jit_compile=use_xla())
            self._networks[body.sha256] = network
        network = self._networks[body.sha256]

        def paint(photo: np.ndarray, offset: Offset) -> np.ndarray:
            padded = pad_to_multiple(photo.astype(np.float32))
            height, width = padded.shape[:2]
            fields = fields_of(body.architecture.field, width, height, offset)
            painted = network.predict_on_batch({"images": padded[None], "vectors": style.vector[None], **fields})
            cropped = painted[0, : photo.shape[0], : photo.shape[1]]
            shown: np.ndarray = np.rint(cropped.clip(0.0, 255.0))
            return shown

        def stylize(photos: np.ndarray, moves: Sequence[Offset] = ()) -> np.ndarray:
            return np.stack([paint(photo, move) for photo, move in zip(photos, chain(moves, repeat(HOME)))])

        return stylize


def ratio(references: Sequence[Comparison], term: str) -> float | None:
    """A term of the network over that of optimization where the other term is equal, both as means over the photos.

    `None` without a reference, or where the photo itself is at least as good as the network's picture of it.
    """
    own = sum(getattr(reference, term) for reference in references)
    best = sum(getattr(reference, f"reference_{term}") for reference in references)
    return own / best if best > 0 else None


def mean(values: Any) -> float:
    """The mean of some numbers."""
    return float(np.mean(list(values)))


def finite(value: Any) -> Any:
    """A value for JSON, which has no infinity."""
    return None if isinstance(value, float) and not np.isfinite(value) else value
