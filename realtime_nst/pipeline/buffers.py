"""Pictures whose memory is used again once nobody looks at them any more.

A picture of 1280x720 is 2.8 MB: asking the system for that much anew for every frame costs it page by page.
"""

import sys

import numpy as np


class Buffers:
    """Arrays of one shape, handed out again and again; one thread at a time may take.

    An array counts as free when nothing outside refers to it or to a view of it, so that a frame that is shown,
    recorded or kept stays what it is.

    Args:
        shape: Of the arrays.
        dtype: Of the arrays.
    """

    def __init__(self, shape: tuple[int, ...], dtype: type = np.uint8) -> None:
        self._shape, self._dtype = shape, dtype
        self._arrays: list[np.ndarray] = [np.empty(shape, dtype)]
        self._free = self._references(0)  # of an array that only the list holds

    def take(self) -> np.ndarray:
        """An array that nobody else holds; its content is whatever it was."""
        for index in range(len(self._arrays)):
            if self._references(index) == self._free:
                return self._arrays[index]
        self._arrays.append(np.empty(self._shape, self._dtype))
        return self._arrays[-1]

    def __len__(self) -> int:
        return len(self._arrays)

    def _references(self, index: int) -> int:
        return sys.getrefcount(self._arrays[index])
