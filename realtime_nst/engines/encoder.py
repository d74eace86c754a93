"""`PictureEncoder`: style encoders compiled, for pictures of any size: picture to style vector, always in float32.

It knows neither files nor names; `style/from_picture.py` asks it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from realtime_nst.engines.interface import Program, Runner
from realtime_nst.style.encoder import Encoder

if TYPE_CHECKING:
    import keras


class PictureEncoder:
    """Compute vectors; an encoder is compiled when it is first asked for. One thread at a time may call it.

    Args:
        runner: Gives what runs it, likewise.
    """

    def __init__(self, runner: Callable[[], Runner]) -> None:
        self._runner = runner
        self._programs: dict[tuple[str, str], tuple[Program, Runner]] = {}

    def __call__(self, encoder: Encoder, picture: np.ndarray) -> np.ndarray:
        """The vector of a picture.

        Args:
            encoder: Of the body that the vector is for.
            picture: uint8 `(height, width, 3)` RGB.

        Returns:
            float32 `(encoder.vector_size,)`; for the same picture always the same.

        Raises:
            StyleError: The encoder's weights are damaged.
            BackendError: As for `Runner.compile`.
        """
        key = encoder.sha256, encoder.body.sha256
        if key not in self._programs:
            self._programs[key] = self._compiled(encoder)
        program, runner = self._programs[key]
        (vectors,) = program({"paintings": picture[None]})
        vector: np.ndarray = runner.download(vectors)[0]
        return vector.copy()

    def _compiled(self, encoder: Encoder) -> tuple[Program, Runner]:
        def build() -> "keras.Model":
            from realtime_nst.networks.encoder import loaded_encoder

            return loaded_encoder(encoder)

        runner = self._runner()
        facts = "encoder", encoder.sha256, encoder.body.sha256
        return runner.compile(build, *facts, float32=True), runner
