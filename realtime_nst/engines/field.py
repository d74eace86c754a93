"""`KeptField`: the texture field of one size, where the network takes it from; it is made anew only when it has moved."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from realtime_nst.engines.interface import Runner
from realtime_nst.style.architecture import Architecture
from realtime_nst.style.field import Offset, fields_of


class KeptField:
    """The inputs of a transform network beside image and vector; none where a body has no texture field.

    Args:
        architecture: Of the body.
        width: Width of the frames in pixels, a multiple of 8.
        height: Height of the frames in pixels, a multiple of 8.
        runner: What runs the network.
    """

    def __init__(self, architecture: Architecture, width: int, height: int, runner: Runner) -> None:
        self._make, self._upload = partial(fields_of, architecture.field, width, height), runner.upload
        self._kept: tuple[Offset | None, Mapping[str, Any]] = None, {}

    def at(self, offset: Offset) -> Mapping[str, Any]:
        """By the names of the inputs, on the device: the field as it has moved."""
        kept = self._kept  # which another thread may replace meanwhile
        if offset != kept[0]:
            kept = self._kept = offset, {name: self._upload(array) for name, array in self._make(offset).items()}
        return kept[1]
