"""Draw photos in the styles of a folder, and below in those of the same names in others, to see what training made of them.

`python docs/compare.py OUT FOLDER ... --photos PHOTO ...`: each folder holds its body, too; what one lacks stays empty.
With `--pictures DIR` the pictures of those names there come first, in a row of their own. Where there are more styles than
`--columns`, the next ones follow below, in rows of their own.
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
    parser.add_argument("--columns", type=int, default=6, help="default: %(default)s")
    options = parser.parse_args()
    books = {folder.name: find_styles([folder]) for folder in options.folders}
    names = list(next(iter(books.values())))
    pictures = {path.stem: square(read_photo(path)) for path in sorted(options.pictures.iterdir())} if options.pictures else {}
    stylizer, font = load_stylizer(choose_backend()), ImageFont.load_default(18)
    width, height = SIDE + GAP, SIDE + LABEL + GAP
    rows = []
    for part in (names[start : start + options.columns] for start in range(0, len(names), options.columns)):
        if pictures:
            rows.append({name: (name, pictures[name]) for name in part if name in pictures})
        for photo in options.photos:
            shown = square(read_photo(photo))
            for label, book in books.items():
                rows.append({name: (f"{name}, {label}", stylizer.paint(shown, book[name])) for name in part if name in book})
    sheet = Image.new("RGB", (min(options.columns, len(names)) * width + GAP, len(rows) * height + GAP), "white")
    pen = ImageDraw.Draw(sheet)
    for row, cells in enumerate(rows):
        for name, (label, picture) in cells.items():
            left, top = GAP + names.index(name) % options.columns * width, GAP + row * height
            sheet.paste(Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.LANCZOS), (left, top))
            pen.text((left + 2, top + SIDE + 4), label, fill="black", font=font)
    write_photo(options.out, np.asarray(sheet))


if __name__ == "__main__":
    main()
