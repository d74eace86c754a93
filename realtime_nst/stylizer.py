"""`Stylizer`: pictures through a body, and through a retouch where the look asks for one.

Every body and size is compiled once; a style is only a vector, so that a switch takes effect on the next frame
and costs nothing. Engines are given to it: it imports no framework.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from realtime_nst.look import PLAIN, Look
from realtime_nst.styles import Body, Style
from realtime_nst.video import Frame, pad_to_multiple, padded_length

SIZES_KEPT = 2
"""Compiled sizes that are kept; a size takes about 100 MB at 1280x720."""


LARGE_PICTURE = 10_000_000
"""Pixels from which on a picture is retouched in strips: at once it would take 120 bytes for each."""
STRIP_PIXELS = 2_000_000
TOUCHED = Look(strength=0.5, colours=1.0, stability=1.0)
"""A look that uses all of the retouch."""


class Engine(Protocol):
    """A body compiled for one size."""

    def __call__(self, image: np.ndarray, vector: np.ndarray) -> np.ndarray:
        """Image uint8 `(height, width, 3)` and vector float32 `(V,)` to an image alike."""

    def on_device(self, image: np.ndarray, vector: np.ndarray) -> Any:
        """The same, left where it is computed, for a `Retouch`."""


@dataclass(frozen=True)
class Held:
    """What is held from one frame to the next: enough to go on from there.

    Args:
        blocks: Means of the photo, float32 `(1, height / 4, width / 4, 3)`.
        painting: uint8 `(1, height, width, 3)`.
        frames: How many there were.
    """

    blocks: Any
    painting: Any
    frames: int = 0


class Retouch(Protocol):
    """Strength, own colours and stability for one size of frame. `held` may be kept, and set to go on from it."""

    held: Held | None

    def __call__(self, photo: np.ndarray, painting: Any, look: Look, fresh: bool) -> np.ndarray:
        """The picture as the look wants it.

        Args:
            photo: uint8 `(height, width, 3)`.
            painting: Of the photo, as `on_device` of an engine gives it.
            look: What to do.
            fresh: Forget what was held.

        Returns:
            An image like the photo. It is held, too, and must stay as it is.
        """


@dataclass
class Compiled:
    """What serves one size of frame: an engine per body, by its hash, and the retouch."""

    engines: dict[str, Engine]
    retouch: Retouch | None = None


class Stylizer:
    """Paint pictures.

    Args:
        compile: Body, width and height (multiples of 8) to an `Engine`: `engine.build_engine` with a backend.
        retouch: Width and height to a `Retouch`; without one only plain looks are painted.
    """

    def __init__(self, compile: Callable[[Body, int, int], Engine], retouch: Callable[[int, int], Retouch] | None = None) -> None:
        self._compile = compile
        self._build_retouch = retouch
        self._sizes: OrderedDict[tuple[int, int], Compiled] = OrderedDict()

    def prepare(self, bodies: Iterable[Body], width: int, height: int, *, retouch: bool = False) -> None:
        """Compile for frames of a size, so that no switch between these bodies has to wait.

        Raises:
            StyleError: A body's weights are damaged.
        """
        self.install(self.compiled(bodies, width, height, retouch=retouch), width, height)

    def compiled(self, bodies: Iterable[Body], width: int, height: int, *, retouch: bool = False) -> Compiled:
        """Compile without using it yet; may run on another thread while this stylizer paints.

        With a retouch, which live shows ask for, a first picture goes through everything: TensorFlow and JAX
        compile then, and OpenVINO takes its memory.
        """
        width, height = padded_length(width), padded_length(height)
        bodies = list(bodies)
        engines = {body.sha256: self._compile(body, width, height) for body in bodies}
        compiled = Compiled(engines, self._build_retouch(width, height) if retouch and self._build_retouch else None)
        picture = np.zeros((height, width, 3), np.uint8)
        for body in bodies if retouch else ():
            engine, vector = engines[body.sha256], np.zeros(body.architecture.vector_size, np.float32)
            if compiled.retouch is None:
                engine(picture, vector)
            else:
                compiled.retouch(picture, engine.on_device(picture, vector), TOUCHED, True)
        return compiled

    def install(self, compiled: Compiled, width: int, height: int) -> None:
        """Use what was compiled for a size; the size that was not used for longest may go."""
        kept = self._kept(padded_length(width), padded_length(height))
        kept.engines.update(compiled.engines)
        kept.retouch = compiled.retouch or kept.retouch

    def ready(self, width: int, height: int) -> bool:
        """Whether a size is compiled."""
        return (padded_length(width), padded_length(height)) in self._sizes

    def paint(self, image: np.ndarray, style: Style, look: Look = PLAIN, *, fresh: bool = True) -> np.ndarray:
        """Stylize one picture of any size.

        Args:
            image: uint8 `(height, width, 3)` RGB.
            style: The style.
            look: How the painting is retouched by the picture.
            fresh: Forget the picture before, which a stable look would hold.

        Returns:
            A new image, like the input.
        """
        height, width = image.shape[:2]
        padded = pad_to_multiple(image)
        size = padded.shape[1], padded.shape[0]
        engine = self._engine(style.body, *size)
        if look.plain:
            painted = engine(padded, style.vector)
        else:
            painted = self._retouched(padded, engine.on_device(padded, style.vector), look, fresh)
        return painted if padded is image else painted[:height, :width]

    def follow(self, style: Callable[[], Style]) -> Callable[[Frame], Frame]:
        """A function from frame to frame that asks for the style anew each time."""
        return lambda frame: frame.with_image(self.paint(frame.image, style()))

    def _kept(self, width: int, height: int) -> Compiled:
        kept = self._sizes.setdefault((width, height), Compiled({}))
        self._sizes.move_to_end((width, height))
        if len(self._sizes) > SIZES_KEPT:
            self._sizes.popitem(last=False)
        return kept

    def _engine(self, body: Body, width: int, height: int) -> Engine:
        engines = self._kept(width, height).engines
        if body.sha256 not in engines:
            engines[body.sha256] = self._compile(body, width, height)
        return engines[body.sha256]

    def _retouched(self, photo: np.ndarray, painting: Any, look: Look, fresh: bool) -> np.ndarray:
        height, width = photo.shape[:2]
        if look.stability or width * height <= LARGE_PICTURE:
            return self._retouch(width, height)(photo, painting, look, fresh)
        rows = min(height, padded_length(STRIP_PIXELS // width))  # without stability each pixel is on its own
        retouch, whole = self._retouch(width, rows), np.empty_like(photo)
        for top in [*range(0, height - rows, rows), height - rows]:  # the last one overlaps the one before
            strip = slice(top, top + rows)
            whole[strip] = retouch(photo[strip], painting[:, strip], look, True)
        return whole

    def _retouch(self, width: int, height: int) -> Retouch:
        kept = self._kept(width, height)
        if kept.retouch is None:
            if self._build_retouch is None:
                raise ValueError("look: this stylizer has no retouch, only plain looks can be painted.")
            kept.retouch = self._build_retouch(width, height)
        return kept.retouch
