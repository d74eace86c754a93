"""What a client sends to its workers: plain numbers, names and vectors, and nothing that would have to be run.

Bodies of styles do not travel: a worker must have those of its own, known by their hash.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from realtime_nst.cluster.originals import Original
from realtime_nst.jobs.film_source import Mark
from realtime_nst.jobs.reel import Reel
from realtime_nst.style.field import Offset
from realtime_nst.style.look import Look


@dataclass(frozen=True)
class Commission:
    """What all orders of a film share.

    Args:
        version: Of the client.
        original: The film.
        reel: How it is read and its segments are written.
        styles: Name, vector and hash of the body of each style.
        every: Seconds for each, or `None`.
        look: How it is painted.
        backend: As for `choose_backend`.
        precision: Likewise.
        topic: Under which workers tell how far they are.
    """

    version: str
    original: Original
    reel: Reel
    styles: tuple[tuple[str, np.ndarray, str], ...]
    every: float | None
    look: Look
    backend: str
    precision: str
    topic: str


@dataclass(frozen=True)
class Order:
    """One stretch of a film.

    Args:
        number: Of its first segment.
        first: Number of its first frame.
        frames: How many frames it has.
        after: Where to begin to read, or `None` for the film's beginning.
        clock: Time of the film's very first frame, tick of the last frame before the stretch, and what was added to times
            there; `None` for the film's beginning.
        offset: How the texture field has moved before the stretch.
        ends: Time and `fingerprint` of the last frame of each segment.
    """

    number: int
    first: int
    frames: int
    after: Mark | None
    clock: tuple[Fraction | None, int, Fraction] | None
    offset: Offset
    ends: tuple[tuple[Fraction | None, int], ...]

    @property
    def segments(self) -> range:
        """Numbers of its segments."""
        return range(self.number, self.number + len(self.ends))


@dataclass(frozen=True)
class Abilities:
    """What a worker says of itself.

    Args:
        engine: What it would compute with.
        has_original: Whether it can read the film.
    """

    engine: str
    has_original: bool
