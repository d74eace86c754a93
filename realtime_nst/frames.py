"""What flows: `Frame`, and the two ends of the flow, `Source` and `Sink`. Also the arithmetic of sizes.

Inside the program an image is always `(height, width, 3)` uint8 RGB; other layouts exist only inside sources
and sinks. Sizes are two ints, width and height.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol

import numpy as np

LARGEST_SIDE = 16384
SMALLEST_SIDE = 8
LATEST = 10_000_000
NO_MOMENT = "'{}' is no moment. Write seconds, or hours:minutes:seconds, as in 90, 1:30 or 0:01:30.5."


@dataclass(frozen=True)
class Frame:
    """One picture on its way.

    Args:
        image: uint8 `(height, width, 3)` RGB.
        index: Its number in the source, from 0; numbers that a live source dropped are missing.
        captured_at: When it came from the source, or was due where it could wait, in seconds of `time.monotonic()`.
        time: When it is shown, in seconds since the beginning of a file or by a stream's clock; `None` where nobody knows.
        shown: How long it is shown, in seconds, or `None` where nobody knows.
        check: What its picture is known by as it came from a file; 0 where nobody will look for it again.
        remarks: How it was painted, for a file of it: names and values, the style's first.
        offset: How its texture field had moved (`style/field.py`).
    """

    image: np.ndarray
    index: int
    captured_at: float
    time: Fraction | None = None
    shown: Fraction | None = None
    check: int = 0
    remarks: Mapping[str, str] | None = None
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def with_image(self, image: np.ndarray) -> "Frame":
        """The same moment with another picture."""
        return replace(self, image=image)


class Source(Protocol):
    """Where frames come from: an iterable of `Frame`s of one size.

    A live source goes on whether anyone takes its frames or not; another one waits.
    """

    width: int
    height: int
    fps: float
    live: bool

    def __iter__(self) -> Iterator[Frame]: ...

    def close(self) -> None:
        """Release the device or process. Safe to call twice, and while another thread iterates."""


class LiveSource(Source, Protocol):
    """A source of a live show, which may stand still."""

    tell: Callable[[str], None]
    """Called with words about that, for those who watch; on the thread that takes the frames."""


class Sink(Protocol):
    """Where frames go."""

    def write(self, frame: Frame) -> None:
        """Show or store a frame."""

    def close(self) -> None:
        """Finish what was stored. Safe to call twice."""

    def discard(self) -> None:
        """Close after an error: leave nothing unfinished behind. Safe after `close`."""


def parse_size(text: str) -> tuple[int, int]:
    """Width and height from text as in "640x480".

    Raises:
        ValueError: Something else, or a side outside of 8 to 16384 pixels.
    """
    match = re.fullmatch(r"(\d{1,5})[xX](\d{1,5})", text.strip())
    if not match or not all(SMALLEST_SIDE <= int(side) <= LARGEST_SIDE for side in match.groups()):
        raise ValueError(f"'{text}' is no size. Write width x height in pixels, as in 640x480.")
    return int(match[1]), int(match[2])


def parse_moment(text: str) -> Fraction:
    """Seconds from text as in "90", "1:30" or "0:01:30.5".

    Raises:
        ValueError: Something else.
    """
    parts = text.split(":")
    try:
        numbers = [Fraction(part) for part in parts]
    except (ValueError, ZeroDivisionError) as error:
        raise ValueError(NO_MOMENT.format(text)) from error
    if (
        len(parts) > 3
        or any(number < 0 for number in numbers)
        or "/" in text
        or any(number >= 60 for number in numbers[1:])
        or numbers[0] > LATEST
    ):
        raise ValueError(NO_MOMENT.format(text))
    seconds = Fraction(0)
    for number in numbers:
        seconds = seconds * 60 + number
    return seconds


def pad_to_multiple(image: np.ndarray, multiple: int = 8) -> np.ndarray:
    """Continue an image by reflection, to the right and below, until both sides are multiples.

    Args:
        image: `(height, width, 3)`.
        multiple: What the sides must be divisible by; sides shorter than twice that are padded to it.

    Returns:
        The image itself where nothing is missing; crop the result back to its first `height` rows and `width`
        columns.
    """
    height, width = image.shape[:2]
    below, right = padded_length(height, multiple) - height, padded_length(width, multiple) - width
    if not below and not right:
        return image
    return np.pad(image, ((0, below), (0, right), (0, 0)), mode="reflect")


def padded_length(length: int, multiple: int = 8) -> int:
    """The next multiple of `multiple` that is at least `length` and at least two of them."""
    return max(2 * multiple, -(-length // multiple) * multiple)
