"""Make `docs/new-style.jpg`: styles learned as vectors on a frozen body, beside what joint training made of them.

`python docs/new_style.py FOLDER`: the folder holds the vectors, by the names of shipped styles, and their body.
"""

import sys
from pathlib import Path

import numpy as np
from gallery import ROOT, square
from PIL import Image, ImageDraw, ImageFont

from realtime_nst.backend import choose_backend
from realtime_nst.commands import load_stylizer
from realtime_nst.photos import read_photo, write_photo
from realtime_nst.stylebook import find_styles

PHOTOS = ("astronaut.jpg", "palace.jpg")
SIDE, GAP, LABEL = 300, 8, 30


def main(folder: str) -> None:
    """A row for each style; for each photo the vector's painting, and that of joint training."""
    learned, joint = find_styles([Path(folder)]), find_styles([ROOT / "weights"])
    names = [name for name in learned if name in joint]
    stylizer, font = load_stylizer(choose_backend()), ImageFont.load_default(18)
    width, height = SIDE + GAP, SIDE + GAP + LABEL
    sheet = Image.new("RGB", (2 * len(PHOTOS) * width + GAP, len(names) * height + GAP), "white")
    pen = ImageDraw.Draw(sheet)
    for column, photo in enumerate(square(read_photo(ROOT / "samples" / name)) for name in PHOTOS):
        for row, name in enumerate(names):
            for side, (book, how) in enumerate(((learned, "a vector"), (joint, "joint training"))):
                left, top = GAP + (2 * column + side) * width, GAP + row * height
                painted = Image.fromarray(stylizer.paint(photo, book[name]))
                sheet.paste(painted.resize((SIDE, SIDE), Image.Resampling.LANCZOS), (left, top))
                pen.text((left + 2, top + SIDE + 4), f"{name}, {how}", fill="black", font=font)
    write_photo(ROOT / "docs" / "new-style.jpg", np.asarray(sheet))


if __name__ == "__main__":
    main(*sys.argv[1:])
