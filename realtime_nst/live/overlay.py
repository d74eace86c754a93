"""What is written over the preview: a few words for a moment, the figures, the keys. Recordings do not see it."""

from collections.abc import Callable
from functools import cache, lru_cache
from itertools import chain, repeat

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from realtime_nst.controls import Controls
from realtime_nst.keys import KEYS, SIGNS
from realtime_nst.stats import Stats

SMALLEST = 6
DARKENED = 0.65
IN_A_ROW = 4
"""Names of styles in a line."""
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
    words = [text for text in (controls.notice, "paused" if controls.paused else "") if text]
    if not lines and not words and not controls.recording:
        return image
    letters = max(12, image.shape[0] // 30)
    picture = Image.fromarray(image)
    if lines:
        _panel(picture, lines, letters, at_bottom=False)
    if words:
        _panel(picture, words, round(letters * 1.2), at_bottom=True)
    if controls.recording:
        place = picture.width - letters - 2
        ImageDraw.Draw(picture).ellipse((place - letters, letters // 2, place, letters // 2 + letters), (230, 0, 0), (255,) * 3)
    return np.asarray(picture)


def figure_lines(controls: Controls, stats: Stats, engine: str, size: str) -> list[str]:
    """The figures as lines of text: style, speed, frame age, size, engine."""
    return [
        controls.target.name + (f"   strength {controls.strength:.0%}" if controls.strength < 1 else ""),
        f"{stats.fps:.0f} frames/s   {age_in_words(stats.age_ms)}   {stats.dropped} dropped",
        *(line for line in ("   ".join(filter(None, (size, engine))),) if line),
    ]


def help_lines(controls: Controls) -> list[str]:
    """The keys and the styles as lines of text."""
    lines = [f"{key.label}{TAB}{key.help}" for key in KEYS]
    numbers = next(key.names for key in KEYS if key.action == "choose")
    signs = [f"{SIGNS.get(number, number)} " for number in numbers]
    names = [f"{sign}{style.name}" for sign, style in zip(chain(signs, repeat("")), controls.styles)]
    return [*lines, "", *("   ".join(names[start : start + IN_A_ROW]) for start in range(0, len(names), IN_A_ROW))]


def age_in_words(milliseconds: float) -> str:
    """How old the picture is; when nothing comes any more, it is counted in seconds."""
    return f"{milliseconds:.0f} ms old" if milliseconds < 2000 else f"{milliseconds / 1000:.0f} s old"


def _panel(picture: Image.Image, lines: list[str], size: int, *, at_bottom: bool) -> None:
    """Light text on a darkened patch, readable on any picture; smaller where it would not fit into it."""
    rows = _rows(tuple(lines), size, picture.width)
    while size > SMALLEST and (1.3 * len(rows) + 1) * size > 0.96 * picture.height:
        size -= 1
        rows = _rows(tuple(lines), size, picture.width)
    font = _font(size)
    pitch = round(size * 1.3)
    width = round(max(at + font.getlength(words) for row in rows for at, words in row)) + 2 * size
    height = len(rows) * pitch + size
    top = picture.height - height - size // 2 if at_bottom else size // 2
    box = (size // 2, top, min(size // 2 + width, picture.width), min(top + height, picture.height))
    patch = picture.crop(box)
    picture.paste(Image.blend(patch, Image.new("RGB", patch.size), DARKENED), box[:2])
    draw = ImageDraw.Draw(picture)
    for number, row in enumerate(rows):
        for at, words in row:
            draw.text((box[0] + size + at, top + size // 2 + number * pitch), words, fill=(255, 255, 255), font=font)


@lru_cache(32)
def _rows(lines: tuple[str, ...], size: int, width: int) -> list[list[tuple[float, str]]]:
    """Rows of text that are no wider than a picture: pieces of text, and where each begins, in pixels."""
    measure = _font(size).getlength
    first = max((measure(line.partition(TAB)[0]) for line in lines if TAB in line), default=0.0) + size
    room = width - 3 * size
    rows: list[list[tuple[float, str]]] = []
    for line in lines:
        key, tab, words = line.rpartition(TAB)
        at = first if tab else 0.0
        for number, part in enumerate(wrapped(words, max(room - at, 4 * size), measure)):
            rows.append([*([(0.0, key)] if tab and not number else []), (at, part)])
    return rows


def wrapped(text: str, room: float, measure: Callable[[str], float] = len) -> list[str]:
    """A text in lines of at most so much room, broken between words; a word that is longer is broken, too."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if measure(longer) <= room:
            lines[-1] = longer
            continue
        lines[-1] = lines[-1].rstrip()
        lines += [""] if lines[-1] else []
        while measure(word) > room and len(word) > 1:
            fitting = next(count for count in range(len(word) - 1, 0, -1) if count == 1 or measure(word[:count]) <= room)
            lines[-1:] = [word[:fitting], ""]
            word = word[fitting:]
        lines[-1] = word
    return lines


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
