"""Make `docs/stability.jpg`: what stability does to a clip of a static camera, and its figures.

`python docs/stability.py CLIP [STYLE]`; the clip should show something still and a hand that comes and goes.
"""

import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from realtime_nst.backend import choose_backend
from realtime_nst.commands import load_stylizer
from realtime_nst.files.decoding import FrameReader
from realtime_nst.files.probing import probe
from realtime_nst.look import PLAIN, Look
from realtime_nst.photos import write_photo
from realtime_nst.stylebook import find_styles
from realtime_nst.styles import Style
from realtime_nst.stylizer import Stylizer

ROOT = Path(__file__).parents[1]
STABILITY = 16
STILL = 4.0
"""Grey levels: where the camera's picture strays less from its mean over the whole clip, nothing but noise moves."""
NOISE, NOISY_FRAMES = 4.0, 30
AMPLIFIED = 12
WIDTH, LABEL, GAP = 426, 30, 8


def main(clip: str, name: str = "wave") -> None:
    """Paint the clip without and with stability, print the figures, and draw rows of pictures."""
    stylizer, style = load_stylizer(choose_backend()), find_styles([ROOT / "weights"])[name]
    frames = read(clip)
    rows = {
        "camera": frames,
        "painted": paint(stylizer, style, frames, 0),
        f"painted, stability {STABILITY}": paint(stylizer, style, frames, STABILITY),
    }
    video = np.stack(frames).astype(np.float32)
    still = (np.abs(video - video.mean(0)).max(-1).max(0) < STILL)[..., None]
    moving = (video.std(0).max(-1) > 4 * STILL)[..., None]
    camera, plain, held = rows.values()
    print(f"{clip}: {still.mean():.0%} of the picture stands still")
    print(f"noise gain there: {motion(plain, still) / motion(camera, still):.2f} without, ", end="")
    print(f"{motion(held, still) / motion(camera, still):.2f} with stability {STABILITY}")
    rng = np.random.default_rng(0)
    shape = (NOISY_FRAMES, *frames[0].shape)
    noisy = list(np.clip(frames[0] + rng.normal(0, NOISE, shape), 0, 255).astype(np.uint8))
    gains = [motion(paint(stylizer, style, noisy, stability)) / motion(noisy) for stability in (0, STABILITY)]
    print(f"noise gain on its first frame with noise of {NOISE:g} levels: {gains[0]:.2f} without, {gains[1]:.2f} with")
    busiest = int(motion_of_each(camera, moving).argmax()) + 1
    write_photo(ROOT / "docs" / "stability.jpg", draw(rows, (busiest, len(frames) - 1)))


def read(clip: str) -> list[np.ndarray]:
    """All frames of a clip."""
    reader = FrameReader(clip, probe(clip))
    frames = []
    while (frame := reader.read()) is not None:
        frames.append(frame)
    reader.close()
    return frames


def paint(stylizer: Stylizer, style: Style, frames: Sequence[np.ndarray], stability: int) -> list[np.ndarray]:
    """Every frame, as a live show would paint it."""
    look = Look(stability=stability) if stability else PLAIN
    return [stylizer.paint(frame, style, look, fresh=not index).copy() for index, frame in enumerate(frames)]


def motion_of_each(frames: Sequence[np.ndarray], where: np.ndarray) -> np.ndarray:
    """How much each frame differs from the one before, in grey levels."""
    return np.array([np.abs(b.astype(float) - a).mean(where=where) for a, b in itertools.pairwise(frames)])


def motion(frames: Sequence[np.ndarray], where: np.ndarray | None = None) -> float:
    """The same, on average."""
    return float(motion_of_each(frames, np.array(True) if where is None else where).mean())


def draw(rows: dict[str, list[np.ndarray]], places: tuple[int, int]) -> np.ndarray:
    """A row for each kind: while something moves, at the end, and what changes there from one frame to the next."""
    height = round(WIDTH * next(iter(rows.values()))[0].shape[0] / next(iter(rows.values()))[0].shape[1])
    columns = ("while a hand moves", "after it has moved", f"change since the frame before, x {AMPLIFIED}")
    sheet = Image.new("RGB", (3 * (WIDTH + GAP) + GAP, LABEL + len(rows) * (height + LABEL + GAP)), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(18)
    for row, (label, frames) in enumerate(rows.items()):
        change = np.abs(frames[-1].astype(int) - frames[-2]) * AMPLIFIED
        pictures = [*(frames[place] for place in places), np.clip(change, 0, 255).astype(np.uint8)]
        for column, picture in enumerate(pictures):
            left, top = GAP + column * (WIDTH + GAP), LABEL + row * (height + LABEL + GAP)
            sheet.paste(Image.fromarray(picture).resize((WIDTH, height), Image.Resampling.LANCZOS), (left, top))
            pen.text((left + 2, top + height + 4), label, fill="black", font=font)
            pen.text((left + 2, 4), columns[column], fill="black", font=font)
    return np.asarray(sheet)


if __name__ == "__main__":
    main(*sys.argv[1:])
