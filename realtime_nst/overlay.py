"""What is written over the preview: the style's name for a moment, and the help. Recordings never see it."""

from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from realtime_nst.controls import KEYS, Controls
from realtime_nst.stats import Stats


def draw_overlay(image: np.ndarray, controls: Controls, stats: Stats) -> np.ndarray:
    """Write what the user should read now over a picture.

    Args:
        image: uint8 `(height, width, 3)`; it is not changed.
        controls: For the notice, the help and the styles.
        stats: For frame rate and latency.

    Returns:
        The image itself when there is nothing to write, else a copy with text.
    """
    lines = help_lines(controls, stats) if controls.show_help else []
    notice = "paused" if controls.paused else controls.notice
    if not lines and not notice:
        return image
    size = max(12, image.shape[0] // 26)
    picture = Image.fromarray(image)
    if lines:
        _panel(picture, lines, size, at_bottom=False)
    if notice:
        _panel(picture, [notice], round(size * 1.3), at_bottom=True)
    return np.asarray(picture)


def help_lines(controls: Controls, stats: Stats) -> list[str]:
    """The help as lines of text: speed, keys, styles."""
    lines = [f"{stats.fps:.0f} frames/s   {stats.latency_ms():.0f} ms   {stats.dropped} dropped", ""]
    for key in KEYS:
        names = f"{key.names[0]}-{key.names[-1]}" if len(key.names) > 2 else " ".join(key.names)
        lines.append(f"{names}   {key.help}")
    lines.append("")
    for number, style in enumerate(controls.styles[:9], start=1):
        lines.append(f"{number}  {style.name}" + ("  <" if style.name == controls.style.name else ""))
    return lines


def _panel(picture: Image.Image, lines: list[str], size: int, *, at_bottom: bool) -> None:
    """Light text on a darkened patch, readable on any picture."""
    font = _font(size)
    pitch = round(size * 1.35)
    width = max(round(font.getlength(line)) for line in lines) + 2 * size
    height = len(lines) * pitch + size
    top = picture.height - height - size // 2 if at_bottom else size // 2
    box = (size // 2, top, min(size // 2 + width, picture.width), min(top + height, picture.height))
    patch = picture.crop(box)
    picture.paste(Image.blend(patch, Image.new("RGB", patch.size), 0.65), box[:2])
    draw = ImageDraw.Draw(picture)
    for row, line in enumerate(lines):
        draw.text((box[0] + size, top + size // 2 + row * pitch), line, fill=(255, 255, 255), font=font)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
