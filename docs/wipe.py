"""Make `docs/wipe.webp`, README's moving picture: photos that turn into paintings behind a line. `python docs/wipe.py`."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from realtime_nst.engines.backend import choose_backend
from realtime_nst.media.photos import read_photo
from realtime_nst.painting.serving import load_stylizer
from realtime_nst.style.book import find_styles

ROOT = Path(__file__).parents[1]
WIDTH, HEIGHT, RATE = 800, 450, 12
SCENES = [  # photo, style, and the middle and height of what is seen at the start and at the end, as shares of the photo
    ("astronaut.jpg", "composition-vii", (0.49, 0.32, 0.54), (0.45, 0.27, 0.42)),
    ("palace.jpg", "wave", (0.45, 0.55, 0.72), (0.46, 0.50, 0.60)),
    ("coffee.jpg", "edtaonisl", (0.48, 0.52, 0.80), (0.52, 0.52, 0.66)),
]
SCENE_SECONDS, HOLD = 2.4, 0.12
"""How long a scene lasts, and which share of it the line waits at either end."""

QUALITY, LARGEST = 46, 3_000_000


def scene(photo: Image.Image, start: tuple[float, float, float], end: tuple[float, float, float]) -> Iterator[np.ndarray]:
    """Frames of a camera that moves slowly over a photo."""
    for number in range(round(RATE * SCENE_SECONDS)):
        time = number / (RATE * SCENE_SECONDS - 1)
        x, y, high = (a + (b - a) * time for a, b in zip(start, end))
        half_height = high * photo.height / 2
        half_width = half_height * WIDTH / HEIGHT
        box = np.array([-half_width, -half_height, half_width, half_height]) + np.array([x, y, x, y]) * [*photo.size, *photo.size]
        yield np.asarray(photo.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC, box=tuple(box)))


def place_of_line(time: float) -> int:
    """Where the line between painting and photo stands, in pixels from the left, at a time from 0 to 1 of a scene."""
    way = min(max((time - HOLD) / (1 - 2 * HOLD), 0.0), 1.0)
    return round(WIDTH * (1 - math.cos(math.pi * way)) / 2)


def main() -> None:
    """Paint the scenes and write them as one animation."""
    book, stylizer = find_styles([ROOT / "weights"]), load_stylizer(choose_backend())
    font = ImageFont.load_default(22)
    frames = []
    for name, style, start, end in SCENES:
        views = list(scene(Image.fromarray(read_photo(ROOT / "samples" / name)), start, end))
        for number, view in enumerate(views):
            line = place_of_line(number / (len(views) - 1))
            frame = view.copy()
            frame[:, :line] = stylizer.paint(view, book[style])[:, :line]
            frame[:, max(line - 1, 0) : line + 1] = 255
            picture = Image.fromarray(frame)
            ImageDraw.Draw(picture).text((14, HEIGHT - 36), style, fill="white", font=font, stroke_width=2, stroke_fill=(0, 0, 0))
            frames.append(picture)
    target = ROOT / "docs" / "wipe.webp"
    frames[0].save(
        target, save_all=True, append_images=frames[1:], duration=round(1000 / RATE), loop=0, quality=QUALITY, method=6
    )
    if target.stat().st_size > LARGEST:
        raise SystemExit(f"{target} has {target.stat().st_size} bytes; {LARGEST} at most were wanted. Lower QUALITY.")


if __name__ == "__main__":
    main()
