"""The application with a camera that a test plugs in and pulls out, and a count of what it paints.

`python -m tests.fakeshow FOLDER webcam ...`: while the folder holds a file `plug`, the camera gives pictures of the colour
that is written in it, as in "255 0 0"; each painted frame makes the file `painted` one byte longer.
"""

import sys
import time
from pathlib import Path

import numpy as np

from realtime_nst.cli import webcam
from realtime_nst.cli.main import main
from realtime_nst.frames import Frame
from realtime_nst.inputs.cameras import CameraSource
from realtime_nst.live import show
from realtime_nst.live.painter import LivePainter

WIDTH, HEIGHT, FPS = 320, 240, 30.0
FOLDER = Path(sys.argv[1])


class PluggedDevice:
    """Stands in for `cv2.VideoCapture`."""

    def isOpened(self) -> bool:  # noqa: N802
        return (FOLDER / "plug").exists()

    def set(self, what: int, value: float) -> bool:
        return True

    def get(self, what: int) -> float:
        return FPS

    def read(self) -> tuple[bool, np.ndarray | None]:
        time.sleep(1 / FPS)
        try:
            colour = [int(value) for value in (FOLDER / "plug").read_text().split()]
        except FileNotFoundError:
            return False, None
        picture = np.full((HEIGHT, WIDTH, 3), colour[::-1], np.uint8)
        picture[:, ::2] //= 8  # an even picture would not be painted
        picture[:, ::2] *= 7
        return True, picture

    def release(self) -> None:
        pass


class CountedPainter(LivePainter):
    """Leaves a byte for each frame that it paints."""

    def __call__(self, frame: Frame) -> Frame:
        painted = super().__call__(frame)
        with (FOLDER / "painted").open("ab") as file:
            file.write(b".")
        return painted


if __name__ == "__main__":
    webcam.open_source = lambda *wanted: CameraSource(0, capture=lambda place: PluggedDevice())
    show.LivePainter = CountedPainter  # type: ignore[misc]
    sys.exit(main(sys.argv[2:]))
