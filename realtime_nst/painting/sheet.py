"""`contact_sheet`: pictures of one size side by side, each with a few words below it, for people who choose by eye."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

GAP = 8
"""Pixels between two."""


def contact_sheet(pictures: Sequence[tuple[str, np.ndarray]], columns: int = 0) -> np.ndarray:
    """Lay pictures out in rows.

    Args:
        pictures: One or more words and pictures, uint8 `(height, width, 3)`, all of the first one's size.
        columns: How many are in a row; 0 gives a sheet about as wide as high.

    Returns:
        uint8 RGB, on white. Words that are too long for their picture are cut.
    """
    height, width = pictures[0][1].shape[:2]
    letters = max(12, width // 16)
    down, right = height + 2 * letters + GAP, width + GAP
    columns = columns or max(1, min(len(pictures), round((len(pictures) * down / right) ** 0.5)))
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * right + GAP, rows * down + GAP), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(letters)
    for place, (words, picture) in enumerate(pictures):
        row, column = divmod(place, columns)
        left, top = GAP + column * right, GAP + row * down
        sheet.paste(Image.fromarray(picture), (left, top))
        room = width - 4  # letters lean over a little
        if draw.textlength(words, font) > room:
            while words and draw.textlength(f"{words}...", font) > room:
                words = words[:-1]
            words += "..."
        draw.text((left + 2, top + height + letters // 4), words, fill="black", font=font)
    return np.asarray(sheet)
