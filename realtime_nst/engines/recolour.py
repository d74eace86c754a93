"""`Recolour`: strength and own colours on the device, compiled.

A second compiled graph behind the network; left out where nothing is recoloured, so that it costs nothing then. It
does not know styles, or where frames come from, and imports Keras only where the compiled graph is not on disk.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from realtime_nst.engines.interface import Runner
from realtime_nst.style.look import Look

if TYPE_CHECKING:
    import keras


class RecolourEngine:
    """`Recolour`, compiled for one size of frame.

    Args:
        width: Width of the images in pixels, a multiple of 8.
        height: Height of the images in pixels, a multiple of 8.
        runner: What runs it.
    """

    def __init__(self, width: int, height: int, runner: Runner) -> None:
        def build() -> "keras.Model":
            from realtime_nst.networks.recolour import build_recolour

            return build_recolour(width, height)

        self._program, self._download = runner.compile(build, "retouch", width, height, float32=True), runner.download

    def __call__(self, photo: Any, painting: Any, look: Look) -> np.ndarray:
        """Recolour.

        Args:
            photo: uint8 `(height, width, 3)`.
            painting: Its painting, as `on_device` of an engine gives it.
            look: How.

        Returns:
            An image like the photo.
        """
        settings = np.array([[look.strength, look.colours]], np.float32)
        (picture,) = self._program({"photos": photo[None], "paintings": painting, "settings": settings})
        recoloured: np.ndarray = self._download(picture)[0]
        return recoloured
