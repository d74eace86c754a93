"""Draw photos in the styles that several folders have in common, a row for each folder, to see what training made of them.

`python docs/compare.py OUT FOLDER ... --photos PHOTO ...`: the folders hold styles of the same names, each with its body.
"""

import argparse
from pathlib import Path

import numpy as np
from gallery import GAP, LABEL, square
from PIL import Image, ImageDraw, ImageFont

from realtime_nst.engines.backend import choose_backend
from realtime_nst.media.photos import read_photo, write_photo
from realtime_nst.painting.serving import load_stylizer
from realtime_nst.style.book import find_styles

SIDE = 300


def main() -> None:
    """For each photo, for each folder: a row of pictures, one for each style."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("folders", type=Path, nargs="+", help="labels are their names")
    parser.add_argument("--photos", type=Path, nargs="+", required=True)
    options = parser.parse_args()
    books = {folder.name: find_styles([folder]) for folder in options.folders}
    first, *others = books.values()
    names = [name for name in first if all(name in book for book in others)]
    stylizer, font = load_stylizer(choose_backend()), ImageFont.load_default(18)
    width, height = SIDE + GAP, SIDE + LABEL + GAP
    sheet = Image.new("RGB", (len(names) * width + GAP, len(options.photos) * len(books) * height + GAP), "white")
    pen = ImageDraw.Draw(sheet)
    rows = [(square(read_photo(photo)), label, book) for photo in options.photos for label, book in books.items()]
    for row, (photo, label, book) in enumerate(rows):
        for column, name in enumerate(names):
            left, top = GAP + column * width, GAP + row * height
            painted = Image.fromarray(stylizer.paint(photo, book[name]))
            sheet.paste(painted.resize((SIDE, SIDE), Image.Resampling.LANCZOS), (left, top))
            pen.text((left + 2, top + SIDE + 4), f"{name}, {label}", fill="black", font=font)
    write_photo(options.out, np.asarray(sheet))


if __name__ == "__main__":
    main()
