"""Make `docs/gallery.jpg`: the sample photos in every shipped style. `python docs/gallery.py`."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from realtime_nst.backend import choose_backend
from realtime_nst.commands import load_stylizer
from realtime_nst.photos import read_photo, write_photo
from realtime_nst.stylebook import find_styles

ROOT = Path(__file__).parents[1]
COLUMNS, SIDE, GAP, LABEL = 4, 240, 8, 30


def square(photo: np.ndarray) -> np.ndarray:
    """The middle of a photo as a square."""
    side = min(photo.shape[:2])
    top, left = (photo.shape[0] - side) // 4, (photo.shape[1] - side) // 2
    return np.ascontiguousarray(photo[top : top + side, left : left + side])


def main() -> None:
    """Two sheets side by side: each photo, and the photo in every style."""
    book = find_styles([ROOT / "weights"])
    stylizer = load_stylizer(choose_backend())
    font = ImageFont.load_default(18)
    rows = -(-(len(book) + 1) // COLUMNS)
    cell = SIDE + GAP
    sheet = Image.new("RGB", (2 * COLUMNS * cell + 4 * GAP, rows * (cell + LABEL) + GAP), "white")
    draw = ImageDraw.Draw(sheet)
    for half, name in enumerate(("astronaut.jpg", "coffee.jpg")):
        photo = square(read_photo(ROOT / "samples" / name))
        pictures = [("photo", photo)] + [(style.name, stylizer.paint(photo, style)) for style in book.values()]
        for place, (label, picture) in enumerate(pictures):
            row, column = divmod(place, COLUMNS)
            left = GAP + half * (COLUMNS * cell + 2 * GAP) + column * cell
            top = GAP + row * (cell + LABEL)
            sheet.paste(Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.LANCZOS), (left, top))
            draw.text((left + 2, top + SIDE + 4), label, fill="black", font=font)
    write_photo(ROOT / "docs" / "gallery.jpg", np.asarray(sheet))


if __name__ == "__main__":
    main()
