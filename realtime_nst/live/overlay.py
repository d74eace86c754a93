"""What is written over the preview: a few words for a moment, the figures, the keys. Recordings do not see it."""

from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from realtime_nst.controls import Controls
from realtime_nst.keys import KEYS
from realtime_nst.stats import Stats

SMALLEST = 6
DARKENED = 0.65
TAB = "\t"
"""Between a key and what it does: these form a column."""


def draw_overlay(image: np.ndarray, controls: Controls, stats: Stats, engine: str = "", size: str = "") -> np.ndarray:
    """Write what the user should read now over a picture.

    Args:
        image: uint8 `(height, width, 3)`; it is not changed.
        controls: For the notice, what is shown, and the styles.
        stats: For frame rate and frame age.
        engine: What computes, in words.
        size: At which size, in words.

    Returns:
        The image itself when there is nothing to write, else a copy with text.
    """
    figures = figure_lines(controls, stats, engine, size) if controls.show_display else []
    lines = [*figures, *([""] if figures else []), *help_lines(controls)] if controls.show_help else figures
    notice = "paused" if controls.paused else controls.notice
    if not lines and not notice and not controls.recording:
        return image
    letters = max(12, image.shape[0] // 30)
    picture = Image.fromarray(image)
    if lines:
        fitting = int(image.shape[0] * 0.96 / (1.3 * len(lines) + 1))  # all keys, also on a low picture
        _panel(picture, lines, max(SMALLEST, min(letters, fitting)), at_bottom=False)
    if notice:
        _panel(picture, [notice], round(letters * 1.2), at_bottom=True)
    if controls.recording:
        place = picture.width - letters - 2
        ImageDraw.Draw(picture).ellipse((place - letters, letters // 2, place, letters // 2 + letters), (230, 0, 0), (255,) * 3)
    return np.asarray(picture)


def figure_lines(controls: Controls, stats: Stats, engine: str, size: str) -> list[str]:
    """The figures as lines of text: style, speed, frame age, size, engine."""
    return [
        controls.target.name + (f"   strength {controls.strength:.0%}" if controls.strength < 1 else ""),
        f"{stats.fps:.0f} frames/s   {stats.latency_ms():.0f} ms old   {stats.dropped} dropped",
        *(line for line in ("   ".join(filter(None, (size, engine))),) if line),
    ]


def help_lines(controls: Controls) -> list[str]:
    """The keys and the styles as lines of text."""
    lines = [f"{key.label}{TAB}{key.help}" for key in KEYS]
    names = [f"{number} {style.name}" for number, style in enumerate(controls.styles[:9], start=1)]
    return [*lines, "", *("   ".join(names[start : start + 3]) for start in range(0, len(names), 3))]


def _panel(picture: Image.Image, lines: list[str], size: int, *, at_bottom: bool) -> None:
    """Light text on a darkened patch, readable on any picture."""
    font = _font(size)
    pitch = round(size * 1.3)
    first = max((font.getlength(line.partition(TAB)[0]) for line in lines if TAB in line), default=0.0) + size
    rows = [[(0.0, line)] if TAB not in line else list(zip((0.0, first), line.split(TAB))) for line in lines]
    width = round(max(at + font.getlength(words) for row in rows for at, words in row)) + 2 * size
    height = len(lines) * pitch + size
    top = picture.height - height - size // 2 if at_bottom else size // 2
    box = (size // 2, top, min(size // 2 + width, picture.width), min(top + height, picture.height))
    patch = picture.crop(box)
    picture.paste(Image.blend(patch, Image.new("RGB", patch.size), DARKENED), box[:2])
    draw = ImageDraw.Draw(picture)
    for number, row in enumerate(rows):
        for at, words in row:
            draw.text((box[0] + size + at, top + size // 2 + number * pitch), words, fill=(255, 255, 255), font=font)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
