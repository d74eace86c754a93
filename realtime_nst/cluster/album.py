"""`Album`: what frames look like from afar, kept until their stretch ends; then anyone can find how far the camera moved in it.

That does not depend on the stretches before, so several can be looked through at once.
"""

from collections.abc import Sequence

import numpy as np

from realtime_nst.cluster.crew import in_words
from realtime_nst.errors import ClusterError
from realtime_nst.painting.camera_motion import Movement, SmallFrame
from realtime_nst.style.style import Style

SmallFrames = Sequence[SmallFrame]


class Album:
    """A `Holder` that keeps small frames.

    `stretch` are those of the newest stretch that has ended, and those of its warm-up: what `movement` takes.
    """

    def __init__(self) -> None:
        self.stretch: tuple[SmallFrames, SmallFrames] = ([], [])
        self._warmed: list[SmallFrame] = []  # for the stretch that is under way
        self._frames: list[SmallFrame] = []
        self._warming: list[SmallFrame] = []
        self._newest: tuple[np.ndarray, SmallFrame] | None = None

    def hold(self, image: np.ndarray, style: Style) -> None:
        """Take notice of the next picture of a stretch."""
        self._frames.append(self._small(image))

    def warm_up(self, image: np.ndarray, style: Style) -> None:
        """Take notice of a picture before the next stretch."""
        self._warming.append(self._small(image))

    def renew(self) -> None:
        """A stretch has ended."""
        self.stretch = self._frames, self._warmed
        self._warmed, self._frames, self._warming, self._newest = self._warming, [], [], None

    def _small(self, image: np.ndarray) -> SmallFrame:
        """The small frame of a picture; of one that is held and warms up the same."""
        if self._newest is None or self._newest[0] is not image:
            self._newest = image, SmallFrame.of(image)
        return self._newest[1]


def movement(frames: SmallFrames, warm_up: SmallFrames) -> Movement:
    """How the field moves over a stretch, in any process.

    Raises:
        ClusterError: It cannot be found.
    """
    try:
        return Movement.over(frames, warm_up)
    except Exception as error:
        raise ClusterError(f"How the camera moves could not be found: {in_words(error)}") from error
