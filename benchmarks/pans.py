"""How well the texture field goes along with a camera that moves: `python -m benchmarks.pans CLIP`.

The same frames are painted with the field standing on the screen, going along as live, and going along as dense optical flow
says, which is as far as a field in one piece can follow that scene. Each painted frame is compared with the one before, moved
by that flow, where the photo is plain: there texture that does not go along is all that differs.
"""

import argparse
import itertools
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from math import atan2
from pathlib import Path

import cv2
import numpy as np

from realtime_nst.engines.backend import choose_backend
from realtime_nst.errors import NSTError, SourceError
from realtime_nst.media.decoding import FrameReader
from realtime_nst.media.probing import probe
from realtime_nst.painting.camera_motion import CameraMotion
from realtime_nst.painting.serving import load_stylizer
from realtime_nst.style.book import find_styles, style_folders
from realtime_nst.style.field import HOME, Offset

PLAINEST, AROUND = 0.4, 41
"""Share of a frame that counts as plain, and the pixels around each over which its slopes are averaged."""
BORDER = 24
"""Pixels along the edges that do not count: what comes in there was not painted before."""
GRID = 16
"""Pixels between the places whose flow tells how the scene moved as a whole."""


@dataclass(frozen=True)
class Step:
    """From one frame to the next.

    Args:
        places: Where each pixel of the next frame was in the one before, float32 `(height, width, 2)`, (x, y).
        plain: Which pixels count, bool `(height, width)`.
    """

    places: np.ndarray
    plain: np.ndarray


def main(arguments: Sequence[str]) -> None:
    """Paint, compare, and print a line for each style."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pans", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("clip", help="a film, taken with a camera that moves all the time")
    parser.add_argument("--styles", nargs="+", default=["mosaic", "starry-night", "wave"], help="default: %(default)s")
    parser.add_argument("--size", type=int, nargs=2, default=(640, 480), metavar=("W", "H"), help="default: %(default)s")
    parser.add_argument("--frames", type=int, default=30, help="from the beginning (default: %(default)s)")
    options = parser.parse_args(arguments)
    frames = read(options.clip, *options.size, options.frames)
    book = find_styles(style_folders(None))
    styles = [book[name] for name in options.styles]
    stylizer = load_stylizer(choose_backend())
    steps = [step(*pair) for pair in itertools.pairwise(frames)]
    motion = CameraMotion()
    ways = {"standing": len(frames) * [HOME], "moving": [motion(frame) for frame in frames], "by flow": by_flow(steps)}
    followed = sum(a != b for a, b in itertools.pairwise(ways["moving"]))
    turned = np.degrees(ways["by flow"][-1][2])
    print(f"{Path(options.clip).name}: {len(frames)} frames, turned by {turned:.1f} degrees, followed in {followed}")
    for style in styles:
        errors = {}
        for way, offsets in ways.items():
            paintings = [stylizer.paint(frame, style, offset=offset) for frame, offset in zip(frames, offsets, strict=True)]
            errors[way] = error_of(paintings, steps)
        print(f"{style.name:16} {report(errors)}", flush=True)


def read(clip: str, width: int, height: int, count: int) -> list[np.ndarray]:
    """The first frames of a clip, scaled."""
    frames: list[np.ndarray] = []
    with closing(FrameReader(clip, replace(probe(clip), width=width, height=height))) as reader:
        while len(frames) < count and (frame := reader.read()) is not None:
            frames.append(frame)
    if len(frames) < 2:
        raise SourceError(f"'{clip}' has fewer than two frames, or --frames asks for fewer. Nothing moves from one to the next.")
    return frames


def step(before: np.ndarray, after: np.ndarray) -> Step:
    """How the scene moved between two frames, and where it is plain."""
    old, new = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (before, after))
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(new, old, None)  # type: ignore[call-overload]
    y, x = np.mgrid[: new.shape[0], : new.shape[1]].astype(np.float32)
    slopes = [cv2.Sobel(new, cv2.CV_32F, *way) for way in ((1, 0), (0, 1))]
    busy = cv2.blur(np.hypot(*slopes), (AROUND, AROUND))
    plain = busy < np.quantile(busy, PLAINEST)
    inside = np.zeros_like(plain)
    inside[BORDER:-BORDER, BORDER:-BORDER] = True
    return Step(flow + np.stack([x, y], -1), plain & inside)


def by_flow(steps: Sequence[Step]) -> list[Offset]:
    """How the scene has moved and turned since the first frame: the similarity that fits most of the flow, without its scale."""
    offsets, back = [HOME], np.eye(3)  # `back`: from places in this frame to places in the first one
    for one in steps:
        height, width = one.plain.shape
        y, x = (part.ravel() for part in np.mgrid[GRID // 2 : height : GRID, GRID // 2 : width : GRID])
        here = np.stack([x, y], -1).astype(np.float32)
        fit, _ = cv2.estimateAffinePartial2D(here, one.places[y, x], ransacReprojThreshold=1.0)
        if fit is not None:  # else nothing in it moves as a whole
            back = back @ np.vstack([fit, [0, 0, 1]])
        there = np.linalg.inv(back)
        middle = np.array([width / 2, height / 2, 1.0])
        moved = (there @ middle - middle)[:2]
        offsets.append((float(moved[0]), float(moved[1]), atan2(there[1, 0], there[0, 0])))
    return offsets


def error_of(paintings: Sequence[np.ndarray], steps: Sequence[Step]) -> float:
    """Root mean square difference to the painting before, moved along, in grey levels."""
    squares = []
    for (before, after), one in zip(itertools.pairwise(paintings), steps, strict=True):
        moved = cv2.remap(before.astype(np.float32), one.places, None, cv2.INTER_LINEAR)  # type: ignore[call-overload]
        squares.append(np.square(after - moved)[one.plain].mean())
    return float(np.sqrt(np.mean(squares)))


def report(errors: Mapping[str, float]) -> str:
    """The errors, and what part of the first is left of the others."""
    standing = errors["standing"]
    return ", ".join(
        f"{way} {error:.1f}" + (f" ({error / standing:.2f})" if way != "standing" else "") for way, error in errors.items()
    )


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except NSTError as error:
        sys.exit(f"{error}")
