"""Draw photos in the styles that several folders have in common, a row for each folder, to see what training made of them.

`python docs/compare.py OUT FOLDER ... --photos PHOTO ...`: the folders hold styles of the same names, each with its body.
With `--pictures DIR` the pictures of those names there come first, in a row of their own.
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
    parser.add_argument("--pictures", type=Path)
    options = parser.parse_args()
    books = {folder.name: find_styles([folder]) for folder in options.folders}
    first, *others = books.values()
    names = [name for name in first if all(name in book for book in others)]
    pictures = {path.stem: square(read_photo(path)) for path in sorted(options.pictures.iterdir())} if options.pictures else {}
    stylizer, font = load_stylizer(choose_backend()), ImageFont.load_default(18)
    width, height = SIDE + GAP, SIDE + LABEL + GAP
    rows = [pictures] if pictures else []
    for photo in options.photos:
        shown = square(read_photo(photo))
        for label, book in books.items():
            rows.append({f"{name}, {label}": stylizer.paint(shown, book[name]) for name in names})
    sheet = Image.new("RGB", (len(names) * width + GAP, len(rows) * height + GAP), "white")
    pen = ImageDraw.Draw(sheet)
    for row, cells in enumerate(rows):
        for name, picture in cells.items():
            left, top = GAP + names.index(name.split(",")[0]) * width, GAP + row * height
            sheet.paste(Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.LANCZOS), (left, top))
            pen.text((left + 2, top + SIDE + 4), name, fill="black", font=font)
    write_photo(options.out, np.asarray(sheet))


if __name__ == "__main__":
    main()
