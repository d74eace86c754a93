"""What stability does: a table of clips of still cameras, and `docs/stability.jpg` of the first one.

`python docs/stability.py CLIP ...`; the first clip should show something still and a hand that comes and goes. The table
gives the mean change from frame to frame where the camera's picture stands still, in grey levels of 255: the camera's
own, and for every shipped style that of the painting without and with stability.
"""

import itertools
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from realtime_nst.engines.backend import choose_backend
from realtime_nst.media.decoding import FrameReader
from realtime_nst.media.photos import write_photo
from realtime_nst.media.probing import probe
from realtime_nst.painting.serving import load_stylizer
from realtime_nst.painting.stream import Stream
from realtime_nst.painting.stylizer import Stylizer
from realtime_nst.style.book import find_styles
from realtime_nst.style.look import DEFAULT_STABILITY, PLAIN, Look
from realtime_nst.style.style import Style

ROOT = Path(__file__).parents[1]
FRAMES = 120
DRAWN = "wave"
STILL = 4.0
"""Grey levels: where the camera's picture strays less from its mean over the whole clip, nothing but noise moves."""
AMPLIFIED = 12
WIDTH, LABEL, GAP = 426, 30, 8


def main(*clips: str) -> None:
    """Paint the clips without and with stability, print the table, and draw rows of pictures of the first one."""
    stylizer, styles = load_stylizer(choose_backend()), find_styles([ROOT / "weights"])
    for clip in clips:
        frames = read(clip)
        video = np.stack(frames).astype(np.float32)
        still = (np.abs(video - video.mean(0)).max(-1).max(0) < STILL)[..., None]
        if not still.any():
            print(f"{Path(clip).name}: nothing in it stands still.")
            continue
        print(f"{Path(clip).name}: {still.mean():.0%} of the picture stands still, the camera moves {motion(frames, still):.2f}")
        for style in styles.values():
            plain, held = (paint(stylizer, style, frames, stability) for stability in (0, DEFAULT_STABILITY))
            print(f"{style.name:16} {motion(plain, still):5.2f} without, {motion(held, still):5.2f} with stability", flush=True)
            if clip == clips[0] and style.name == DRAWN:
                moving = (video.std(0).max(-1) > 4 * STILL)[..., None]
                busiest = int(motion_of_each(frames, moving).argmax()) + 1
                rows = {"camera": frames, "painted": plain, f"painted, stability {DEFAULT_STABILITY}": held}
                write_photo(ROOT / "docs" / "stability.jpg", draw(rows, (busiest, len(frames) - 1)))


def read(clip: str) -> list[np.ndarray]:
    """The first frames of a clip."""
    reader = FrameReader(clip, probe(clip))
    frames: list[np.ndarray] = []
    while len(frames) < FRAMES and (frame := reader.read()) is not None:
        frames.append(frame)
    reader.close()
    return frames


def paint(stylizer: Stylizer, style: Style, frames: Sequence[np.ndarray], stability: int) -> list[np.ndarray]:
    """Every frame, as a live show would paint it."""
    look = Look(stability=stability) if stability else PLAIN
    stream = Stream(stylizer)
    return [stream.paint(frame, style, look).copy() for frame in frames]


def motion_of_each(frames: Sequence[np.ndarray], where: np.ndarray) -> np.ndarray:
    """How much each frame differs from the one before, in grey levels."""
    return np.array([np.abs(b.astype(float) - a).mean(where=where) for a, b in itertools.pairwise(frames)])


def motion(frames: Sequence[np.ndarray], where: np.ndarray) -> float:
    """The same, on average."""
    return float(motion_of_each(frames, where).mean())


def draw(rows: Mapping[str, Sequence[np.ndarray]], places: tuple[int, int]) -> np.ndarray:
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
