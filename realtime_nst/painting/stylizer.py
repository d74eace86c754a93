"""`Stylizer`: pictures through a body, held still before it and recoloured behind it where the look asks for that.

Every body and size is compiled once; a style is only a vector, so that a switch takes effect on the next frame
and costs nothing. Engines are given to it: it imports no framework.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from realtime_nst.engines.interface import Engine, Recolour, StabilizedPhoto, Stabilizer
from realtime_nst.frames import pad_to_multiple, padded_length
from realtime_nst.painting.contrast import painted_share
from realtime_nst.style.field import HOME, Offset
from realtime_nst.style.look import PLAIN, Look
from realtime_nst.style.style import Body, Style

SIZES_KEPT = 2
"""Compiled sizes that are kept; a size takes about 100 MB at 1280x720."""


UNSTABILIZED_FROM = 10_000_000
"""Pixels from which on a picture is recoloured in strips (at once it would take 120 bytes for each), and not stabilized."""
STRIP_PIXELS = 2_000_000
TOUCHED = Look(strength=0.5, colours=1.0, stability=1.0)
"""A look that uses everything."""
TURNED: Offset = (0.0, 0.0, 0.01)
"""A field that turns: what it needs takes a third of a second to make, once."""


@dataclass
class Compiled:
    """What serves one size of frame: an engine per body, by its hash, the stabilizer before and the recolour behind it."""

    engines: dict[str, Engine]
    recolour: Recolour | None = None
    stabilizer: Stabilizer | None = None


class Stylizer:
    """Paint pictures. Several threads may share one: they paint in turns.

    Args:
        compile: Body, width and height (multiples of 8) to an `Engine`: `engine.build_engine` with a runner.
        recolour: Width and height to a `Recolour`; without one strength and colours are the painting's.
        stabilizer: Width and height to a `Stabilizer`; without one no look is stable.
        at_once: How many threads may paint at the same time; its engines must allow that.
    """

    def __init__(
        self,
        compile: Callable[[Body, int, int], Engine],
        recolour: Callable[[int, int], Recolour] | None = None,
        stabilizer: Callable[[int, int], Stabilizer] | None = None,
        at_once: int = 1,
    ) -> None:
        self._compile = compile
        self._build_recolour, self._build_stabilizer = recolour, stabilizer
        self._sizes: OrderedDict[tuple[int, int], Compiled] = OrderedDict()
        self.at_once = at_once
        self._building, self._turns = threading.RLock(), threading.BoundedSemaphore(at_once)

    def prepare(self, bodies: Iterable[Body], width: int, height: int, *, live: bool = False) -> None:
        """Compile for frames of a size, so that no switch between these bodies has to wait.

        Raises:
            StyleError: A body's weights are damaged.
        """
        self.install(self.compiled(bodies, width, height, live=live), width, height)

    def compiled(self, bodies: Iterable[Body], width: int, height: int, *, live: bool = False) -> Compiled:
        """Compile without using it yet; may run on another thread while this stylizer paints.

        For a live show any look is made ready, and a first picture goes through everything: TensorFlow and JAX
        compile then, and OpenVINO takes its memory.
        """
        width, height = padded_length(width), padded_length(height)
        bodies = list(bodies)
        compiled = Compiled({body.sha256: self._compile(body, width, height) for body in bodies})
        if not live:
            return compiled
        if width * height <= UNSTABILIZED_FROM:  # larger ones are recoloured in strips, and not stabilized
            compiled.recolour = self._build_recolour(width, height) if self._build_recolour else None
            compiled.stabilizer = self._build_stabilizer(width, height) if self._build_stabilizer else None
        picture = np.zeros((height, width, 3), np.uint8)
        for body in bodies:
            engine, vector = compiled.engines[body.sha256], np.zeros(body.architecture.vector_size, np.float32)
            still = picture if compiled.stabilizer is None else compiled.stabilizer(picture, TOUCHED.stability, None).photo[0]
            if compiled.recolour is None:
                engine(still, vector, TURNED)
            else:
                compiled.recolour(still, engine.on_device(still, vector, TURNED), TOUCHED)
        return compiled

    def install(self, compiled: Compiled, width: int, height: int) -> None:
        """Use what was compiled for a size; the size that was not used for longest may go."""
        with self._building:
            kept = self._kept(padded_length(width), padded_length(height))
            kept.engines.update(compiled.engines)
            kept.recolour = compiled.recolour or kept.recolour
            kept.stabilizer = compiled.stabilizer or kept.stabilizer

    def ready(self, width: int, height: int) -> bool:
        """Whether a size is compiled."""
        return (padded_length(width), padded_length(height)) in self._sizes

    def paint(self, image: np.ndarray, style: Style, look: Look = PLAIN, offset: Offset = HOME) -> np.ndarray:
        """Stylize one picture of any size; one without contrast stays the photo.

        Args:
            image: uint8 `(height, width, 3)` RGB.
            style: The style.
            look: How its painting is recoloured. With nothing before it, the picture itself is not stabilized.
            offset: How the texture field has moved.

        Returns:
            A new image, like the input.
        """
        return self.begin(image, style, look, None, offset)[0]()

    def begin(
        self, image: np.ndarray, style: Style, look: Look, before: StabilizedPhoto | None, offset: Offset = HOME
    ) -> tuple[Callable[[], np.ndarray], StabilizedPhoto | None]:
        """Begin with the next picture of a stream (`Stream` keeps what the stabilizer knows between them).

        Args:
            image: uint8 `(height, width, 3)` RGB.
            style: The style.
            look: How the picture is held still, and how its painting is recoloured.
            before: What the picture before became, of the same size; `None` for the first one.
            offset: How the texture field has moved with what the picture shows.

        Returns:
            What paints it, on any thread: a new image, like the input. And what the stabilizer keeps for the next picture;
            `None` if nothing.
        """
        height, width = image.shape[:2]
        padded = pad_to_multiple(image)
        with self._building:
            engine = self._engine(style.body, *reversed(padded.shape[:2]))
            stabilized = self._stabilized(padded, look, before)
        still = stabilized.photo[0] if stabilized else padded
        vector = style.body.architecture.textured(style.vector, look.texture)

        def paint() -> np.ndarray:
            share = painted_share(image) if self._build_recolour else 1.0
            faint = look._replace(strength=share * look.strength) if share < 1.0 else look
            with self._turns:
                if faint.recolours:
                    painted = self._recoloured(still, engine.on_device(still, vector, offset), faint)
                else:
                    painted = engine(still, vector, offset)
            return painted if padded is image else painted[:height, :width]

        return paint, stabilized

    def hold_next(self, image: np.ndarray, look: Look, before: StabilizedPhoto | None) -> StabilizedPhoto | None:
        """What `begin` keeps of a picture for the next one, without painting it."""
        with self._building:
            return self._stabilized(pad_to_multiple(image), look, before)

    def recolour(self, image: np.ndarray, painting: np.ndarray, look: Look) -> np.ndarray:
        """Recolour a painting that was worked on since; one of a photo without contrast becomes the photo again.

        Args:
            image: uint8 `(height, width, 3)` RGB: the photo.
            painting: Its painting, likewise.
            look: How.

        Returns:
            A new image like them, or the painting itself where nothing is to be done.
        """
        look = look._replace(strength=painted_share(image) * look.strength)
        if not look.recolours:
            return painting
        height, width = image.shape[:2]
        with self._turns:
            return self._recoloured(pad_to_multiple(image), pad_to_multiple(painting)[None], look)[:height, :width]

    def _stabilized(self, padded: np.ndarray, look: Look, before: StabilizedPhoto | None) -> StabilizedPhoto | None:
        stabilizer = self._stabilizer(*reversed(padded.shape[:2])) if look.stability else None
        return stabilizer(padded, look.stability, before) if stabilizer else None

    def _stabilizer(self, width: int, height: int) -> Stabilizer | None:
        """What holds pictures of a size still; `None` for large ones, which are painted each by itself."""
        if width * height > UNSTABILIZED_FROM:
            return None
        kept = self._kept(width, height)
        if kept.stabilizer is None:
            if self._build_stabilizer is None:
                raise ValueError("look: this stylizer has no stabilizer, no look can be stable.")
            kept.stabilizer = self._build_stabilizer(width, height)
        return kept.stabilizer

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

    def _recoloured(self, photo: Any, painting: Any, look: Look) -> np.ndarray:
        height, width = photo.shape[:2]
        if width * height <= UNSTABILIZED_FROM:
            return self._recolour(width, height)(photo, painting, look)
        rows = min(height, padded_length(STRIP_PIXELS // width))  # each pixel is on its own
        recolour, whole = self._recolour(width, rows), np.empty((height, width, 3), np.uint8)
        for top in [*range(0, height - rows, rows), height - rows]:  # the last one overlaps the one before
            strip = slice(top, top + rows)
            whole[strip] = recolour(photo[strip], painting[:, strip], look)
        return whole

    def _recolour(self, width: int, height: int) -> Recolour:
        with self._building:
            kept = self._kept(width, height)
            if kept.recolour is None:
                if self._build_recolour is None:
                    raise ValueError("look: this stylizer has no recolour.")
                kept.recolour = self._build_recolour(width, height)
            return kept.recolour
