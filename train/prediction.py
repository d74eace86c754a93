"""What a style encoder says of pictures, on the backend that trains: where their vectors start, and what they are measured by."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from realtime_nst.engines.backend import Backend
from realtime_nst.engines.encoder import PictureEncoder
from realtime_nst.engines.runner import runner_for
from realtime_nst.media.photos import read_reduced
from realtime_nst.style.from_picture import PictureStyles
from realtime_nst.style.style import Body


def picture_styles(backend: Backend) -> PictureStyles:
    """What makes styles of pictures on a backend, which is loaded when the first one is made."""
    return PictureStyles(read_reduced, PictureEncoder(lambda: runner_for(backend)))


def predicted(pictures: Mapping[str, Path], body: Body, backend: Backend) -> dict[str, np.ndarray]:
    """The vectors of pictures for a body that has an encoder, float32 `(V,)` each, by the names of the pictures.

    Raises:
        SourceError: One is missing or damaged.
        StyleError: The encoder cannot be used.
    """
    styles = picture_styles(backend)
    return {name: styles.style_of(path, [body]).vector for name, path in pictures.items()}
