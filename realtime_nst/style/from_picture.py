"""Styles from any picture, without training: the style encoder of a body finds a vector for it.

Files are read and vectors computed by functions from outside: nothing here knows Pillow or Keras.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from realtime_nst.errors import StyleError
from realtime_nst.style.encoder import ENCODER_SUFFIX, PAINTING_SIZE, Encoder, encoder_path, read_encoder
from realtime_nst.style.style import Body, Style

LONGEST = 3.0
"""How many times as long as wide a picture may be; of longer ones the middle counts."""
SMALLEST = 32
"""Pixels that each of its sides must have."""
LONGEST_NAME = 60
PREDICTED = "predicted"
"""What the metadata of such a style say."""


class Read(Protocol):
    """What reads a picture file, as uint8 `(height, width, 3)` sRGB, upright, on white; `media/photos.py` has one."""

    def __call__(self, path: Path, shorter: int, *, longest: float, least: int) -> np.ndarray:
        """Scale it to a shorter side of so many pixels, of a long one the middle; refuse what is smaller than `least`."""


Encode = Callable[[Encoder, np.ndarray], np.ndarray]
"""Encoder and picture to a vector; `engines/encoder.py` has one."""


class PictureStyles:
    """Make styles of picture files. One thread at a time may.

    Args:
        read: Reads them.
        encode: Computes their vectors.
    """

    def __init__(self, read: Read, encode: Encode) -> None:
        self._read, self._encode = read, encode

    def prepare(self, bodies: Sequence[Body]) -> None:
        """Have the encoder compiled that `style_of` will use; for errors see there."""
        self._encode(encoder_among(bodies)[1], np.zeros((PAINTING_SIZE, PAINTING_SIZE, 3), np.uint8))

    def style_of(self, path: Path, bodies: Sequence[Body], called: str = "") -> Style:
        """The style of a picture, for the first of some bodies that has an encoder.

        Args:
            path: The file.
            bodies: Those that may be.
            called: The file's name as its user knows it, if not by its path; the style is called so.

        Raises:
            SourceError: The file is missing, damaged, too small or no picture.
            StyleError: No body has an encoder, or it is damaged or makes nothing of the picture.
            BackendError: The encoder cannot run here.
        """
        body, encoder = encoder_among(bodies)
        picture = self._read(path, PAINTING_SIZE, longest=LONGEST, least=SMALLEST)
        vector = self._encode(encoder, picture)
        if not np.isfinite(vector).all():
            raise StyleError(f"The style encoder makes nothing of '{path}'. Take another picture.")
        called = called or path.name
        facts = {PREDICTED: True, "picture": called, "painting_size": PAINTING_SIZE, "encoder_sha256": encoder.sha256}
        return Style(style_name(Path(called).stem), vector, body, facts, picture)


def has_encoder(bodies: Sequence[Body]) -> bool:
    """Whether pictures can become styles of any of these bodies."""
    return any(encoder_path(body).exists() for body in bodies)


def encoder_among(bodies: Sequence[Body]) -> tuple[Body, Encoder]:
    """The first of some bodies that has an encoder, and that.

    Raises:
        StyleError: None has one, or it cannot be used.
    """
    for body in bodies:
        if (encoder := read_encoder(body)) is not None:
            return body, encoder
    raise StyleError(missing(bodies))


def missing(bodies: Sequence[Body]) -> str:
    """The message for a picture that cannot become a style, because there is no encoder."""
    names = " or ".join(f"`{body.name}{ENCODER_SUFFIX}` into '{body.path.parent}'" for body in bodies)
    return f"A style from a picture needs a style encoder, and there is none here. Put {names}, or use `realtime-nst train`."


def style_name(text: str) -> str:
    """A style's name from a file's: without what would mean something in a mix, a path or a terminal."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return re.sub(r'[\s<>:"/\\|?*,]+', " ", plain).strip(" .")[:LONGEST_NAME].strip(" .") or "picture"


def is_predicted(style: Style) -> bool:
    """Whether a style was found by an encoder, and not learned."""
    return bool(style.metadata.get(PREDICTED))
