"""OpenCV, imported late: without a display's libraries it does not load, and most commands do not need it."""

import os
from typing import Any

from realtime_nst.errors import SourceError

OPENCV_MISSING = (
    "Cameras and windows need OpenCV, which did not load: {error}. On Debian: `apt install libgl1 libglib2.0-0`. "
    "Video files and photos work without."
)


def load_opencv() -> Any:
    """OpenCV.

    Raises:
        SourceError: It does not load here.
    """
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # a missing camera is told in our own words
    try:
        import cv2
    except ImportError as error:
        raise SourceError(OPENCV_MISSING.format(error=error)) from error
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2


def has_opencv() -> bool:
    """Whether it loads here."""
    try:
        load_opencv()
    except SourceError:
        return False
    return True
