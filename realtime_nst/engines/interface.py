"""What a stylizer is put together from, each for one size: an `Engine`, a `Stabilizer` before it, a `Recolour` behind it.

All three are Keras models that a `Runner` compiles and runs on arrays; it does not know what they compute.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from realtime_nst.style.field import HOME, Offset
from realtime_nst.style.look import Look

if TYPE_CHECKING:
    import keras


class Program(Protocol):
    """A model compiled for batches of one, of one size or of any; any thread may call it."""

    shapes: dict[str, tuple[int, ...]]
    """Of the inputs, by name; what stands for a length that is free differs."""

    def __call__(self, inputs: Mapping[str, Any]) -> tuple[Any, ...]:
        """Compute.

        Args:
            inputs: By name: NumPy's arrays, or what a program of the same runner gave.

        Returns:
            The model's outputs in their order, where they were computed; nothing overwrites them.
        """


class Runner(Protocol):
    """A backend at a precision."""

    in_strips: bool
    """Whether pictures of millions of pixels take so much memory at once that they are painted in strips."""

    def compile(self, build: Callable[[], "keras.Model"], *facts: object, float32: bool = False, at_once: int = 1) -> Program:
        """Compile a model.

        Args:
            build: Builds it by Keras, which is imported and set up by then; not called if the model is on disk.
            facts: All that it depends on, beside the precision.
            float32: Whether it computes in float32, whatever the precision.
            at_once: How many threads call it at the same time, each on its share of the processor.

        Raises:
            BackendError: Keras already runs on another backend in this process, or the temporary folder is full.
        """

    def upload(self, array: np.ndarray) -> Any:
        """An array to where programs compute, for an input that many calls share."""

    def download(self, array: Any) -> np.ndarray:
        """An output of a program as an array of NumPy's own that may be written to."""


class Engine(Protocol):
    """A body compiled for one size."""

    def __call__(self, image: Any, vector: np.ndarray, offset: Offset = HOME) -> np.ndarray:
        """Paint.

        Args:
            image: uint8 `(height, width, 3)`, which may be on the device.
            vector: float32 `(V,)`.
            offset: How the texture field has moved with what the image shows; a body without a field takes
                no notice. Another one than before costs one to three milliseconds at 1280x720.

        Returns:
            An image like the first.
        """

    def on_device(self, image: Any, vector: np.ndarray, offset: Offset = HOME) -> Any:
        """The same, left where it is computed, for a `Recolour`."""


Recolour = Callable[[Any, Any, Look], np.ndarray]
"""Photo, its painting on the device, and look, to an image like the photo."""


@dataclass(frozen=True)
class StabilizedPhoto:
    """A photo that was held still, and all that the next one of its stream needs for that. It never changes.

    Args:
        blocks: Means of 4x4 pixels, float32 `(1, height / 4, width / 4, 3)`.
        photo: The photo, uint8 `(1, height, width, 3)`, on the device of the engine.
        frames: How many were stabilized before this one.
    """

    blocks: Any
    photo: Any
    frames: int


class Stabilizer(Protocol):
    """Holds photos of one size still where their scene does. It remembers nothing: any stream may use it."""

    def __call__(self, photo: np.ndarray, stability: float, before: StabilizedPhoto | None) -> StabilizedPhoto:
        """A photo uint8 `(height, width, 3)`, stability as in `Look`, and what the photo before it in its stream became."""
