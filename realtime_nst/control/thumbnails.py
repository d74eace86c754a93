"""`Thumbnails`: every style, painted small from what the camera sees now, one after another on a thread beside the show."""

import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image

from realtime_nst.errors import NSTError
from realtime_nst.frames import padded_length
from realtime_nst.live.controls import Controls
from realtime_nst.media.jpeg import jpeg
from realtime_nst.painting.stylizer import Stylizer
from realtime_nst.pipeline.stage import Stage
from realtime_nst.style.look import Look
from realtime_nst.style.style import Style

LONGER_SIDE = 224
"""Pixels."""
PAUSE = 0.5
"""Seconds between two, once all are there: each costs the show a few milliseconds."""
FIRST_PAUSE = 0.02
LOOK_EVERY = 0.3
"""Seconds between two looks whether anyone wants them."""


class Thumbnail(NamedTuple):
    """A small picture of a style.

    Args:
        version: Another one for each picture.
        data: A JPEG.
    """

    version: int
    data: bytes


class Thumbnails:
    """Paint them while they are wanted.

    Args:
        controls: Their styles; whether they keep their own colours, and their texture.
        stylizer: Used by nobody else, so that the show never waits for it.
        photo: What the camera sees, uint8 `(height, width, 3)`; `None` while that is not known.
        wanted: Whether anyone looks at them now.
    """

    def __init__(
        self,
        controls: Controls,
        stylizer: Stylizer,
        photo: Callable[[], np.ndarray | None],
        wanted: Callable[[], bool],
    ) -> None:
        self._controls, self._stylizer, self._photo, self._wanted = controls, stylizer, photo, wanted
        self._painted: dict[str, Thumbnail] = {}
        self._closing = threading.Event()
        self._stage = Stage(self._paint(), keep="latest", name="thumbnails")

    @property
    def versions(self) -> dict[str, int]:
        """Those that are there, by style."""
        return {name: thumbnail.version for name, thumbnail in list(self._painted.items())}

    def get(self, name: str) -> Thumbnail | None:
        """That of a style, if it is there yet."""
        return self._painted.get(name)

    def close(self) -> None:
        """Paint no more."""
        self._closing.set()
        self._stage.close()
        self._stage.join()

    def _paint(self) -> Iterator[None]:
        count = 0
        while True:
            yield
            if not self._wanted() or self._photo() is None:
                self._closing.wait(LOOK_EVERY)
                continue
            for style in list(self._controls.styles):
                photo = self._photo()
                if photo is None or not self._wanted():
                    break
                count += 1
                self._painted[style.name] = Thumbnail(count, self._small(photo, style))
                yield
                self._closing.wait(PAUSE if count > len(self._controls.styles) else FIRST_PAUSE)

    def _small(self, photo: np.ndarray, style: Style) -> bytes:
        width, height = thumbnail_size(photo.shape[1], photo.shape[0])
        small = np.asarray(Image.fromarray(photo).resize((width, height), Image.Resampling.BOX))
        try:
            small = self._stylizer.paint(small, style, Look(1.0, float(self._controls.colours), texture=self._controls.texture))
        except NSTError:  # of a body that does not compile: the photo stands for it
            pass
        return jpeg(small)


def thumbnail_size(width: int, height: int) -> tuple[int, int]:
    """Width and height of a small picture, as the network takes them without padding."""
    scale = LONGER_SIDE / max(width, height)
    return padded_length(round(width * scale) // 8 * 8), padded_length(round(height * scale) // 8 * 8)
