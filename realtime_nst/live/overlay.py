"""What is written over the preview: a few words for a moment, the figures, the keys. Recordings do not see it."""

from collections.abc import Callable
from functools import lru_cache
from itertools import chain, repeat, zip_longest

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from realtime_nst.live.controls import Controls
from realtime_nst.live.keys import KEYS, SIGNS
from realtime_nst.pipeline.stats import Stats

SMALLEST = 6
DARKENED = 0.65
TAB = "\t"
"""Between columns."""


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
        place, red = picture.width - letters - 2, (230, 0, 0)
        ring = {"outline": red, "width": max(2, letters // 6)}  # while paused nothing is recorded
        dot = ring if controls.paused else {"fill": red, "outline": (255, 255, 255)}
        ImageDraw.Draw(picture).ellipse((place - letters, letters // 2, place, letters // 2 + letters), **dot)
    return np.asarray(picture)


def figure_lines(controls: Controls, stats: Stats, engine: str, size: str) -> list[str]:
    """The figures as lines of text: style, speed, frame age, size, engine."""
    return [
        controls.target.name + (f"   strength {controls.strength:.0%}" if controls.strength < 1 else ""),
        f"{stats.fps:.0f} frames/s   {age_in_words(stats.age_ms)}   {stats.dropped} dropped",
        *(line for line in ("   ".join(filter(None, (size, engine))),) if line),
    ]


def help_lines(controls: Controls) -> list[str]:
    """The keys and what they do, and beside them the styles, as lines of text in columns."""
    numbers = next(key.names for key in KEYS if key.action == "style")
    signs = [f"{SIGNS.get(number, number)} " for number in numbers]
    names = [f"{sign}{style.name}" for sign, style in zip(chain(signs, repeat("")), controls.styles)]
    columns = [names[start : start + len(KEYS)] for start in range(0, len(names), len(KEYS))]
    rows = zip_longest((key.label for key in KEYS), (key.help for key in KEYS), *columns, fillvalue="")
    return [TAB.join(row) for row in rows]


def age_in_words(milliseconds: float) -> str:
    """How old the picture is; when nothing comes any more, it is counted in seconds."""
    return f"{milliseconds:.0f} ms old" if milliseconds < 2000 else f"{milliseconds / 1000:.0f} s old"


def _panel(picture: Image.Image, lines: list[str], size: int, *, at_bottom: bool) -> None:
    """Light text on a darkened patch, readable on any picture; smaller, and then closer, where it would not fit into it."""
    room = round(0.96 * picture.height)
    while True:
        rows = _rows(lines, size, picture.width)
        pitch = round(size * 1.3)
        width = round(max(at + _length(words, size) for row in rows for at, words in row)) + 2 * size
        height = len(rows) * pitch + size
        if size <= SMALLEST or (width <= picture.width - size and height <= room):
            break
        size -= 1
    pitch = max(size, min(pitch, (room - size) // len(rows)))
    height = len(rows) * pitch + size
    top = picture.height - height - size // 2 if at_bottom else size // 2
    box = (size // 2, top, min(size // 2 + width, picture.width), min(top + height, picture.height))
    patch = picture.crop(box)
    picture.paste(Image.blend(patch, Image.new("RGB", patch.size), DARKENED), box[:2])
    draw = ImageDraw.Draw(picture)
    for number, row in enumerate(rows):
        for at, words in row:
            place = box[0] + size + at, top + size // 2 + number * pitch
            draw.text(place, words, fill=(255, 255, 255), font=_font(size))


def _rows(lines: list[str], size: int, width: int) -> list[list[tuple[float, str]]]:
    """Rows of text: pieces, and where each begins, in pixels. Lines in columns stay; others are no wider than the picture."""
    cells = [line.split(TAB) for line in lines if TAB in line]
    starts = [0.0]
    for column in zip_longest(*cells, fillvalue=""):
        starts.append(starts[-1] + max(_length(words, size) for words in column) + size)
    rows: list[list[tuple[float, str]]] = []
    for line in lines:
        if TAB in line:
            rows.append(list(zip(starts, line.split(TAB))))
        else:
            room = max(width - 3 * size, 4 * size)
            rows += [[(0.0, part)] for part in wrapped(line, room, lambda words: _length(words, size))]
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


@lru_cache(4096)
def _length(words: str, size: int) -> float:
    return float(_font(size).getlength(words))


@lru_cache(64)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
