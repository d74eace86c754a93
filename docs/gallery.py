"""Make `docs/gallery.jpg`: the sample photos in every shipped style. `python docs/gallery.py`."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from realtime_nst.engines.backend import choose_backend
from realtime_nst.media.photos import read_photo, write_photo
from realtime_nst.painting.serving import load_stylizer
from realtime_nst.style.book import find_styles

ROOT = Path(__file__).parents[1]
COLUMNS, SIDE, GAP, LABEL = 7, 240, 8, 30


def square(photo: np.ndarray) -> np.ndarray:
    """The middle of a photo as a square."""
    side = min(photo.shape[:2])
    top, left = (photo.shape[0] - side) // 4, (photo.shape[1] - side) // 4
    return np.ascontiguousarray(photo[top : top + side, left : left + side])


def main() -> None:
    """Two sheets, one above the other: each photo, and the photo in every style."""
    book = find_styles([ROOT / "weights"])
    stylizer = load_stylizer(choose_backend())
    font = ImageFont.load_default(18)
    rows = -(-(len(book) + 1) // COLUMNS)
    width, height = SIDE + GAP, SIDE + GAP + LABEL
    sheet = Image.new("RGB", (COLUMNS * width + GAP, 2 * rows * height + 3 * GAP), "white")
    draw = ImageDraw.Draw(sheet)
    for half, name in enumerate(("astronaut.jpg", "palace.jpg")):
        photo = square(read_photo(ROOT / "samples" / name))
        pictures = [("photo", photo)] + [(style.name, stylizer.paint(photo, style)) for style in book.values()]
        for place, (label, picture) in enumerate(pictures):
            row, column = divmod(place, COLUMNS)
            left, top = GAP + column * width, GAP + half * (rows * height + GAP) + row * height
            sheet.paste(Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.LANCZOS), (left, top))
            draw.text((left + 2, top + SIDE + 4), label, fill="black", font=font)
    write_photo(ROOT / "docs" / "gallery.jpg", np.asarray(sheet))


if __name__ == "__main__":
    main()
