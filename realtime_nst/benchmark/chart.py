"""The picture of a benchmark: bars for the network, the loop around it, and the least that the machine allows."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from realtime_nst.media.results import written_whole

WIDTH, MARGIN, BAR, GAP, LABEL = 1000, 30, 22, 26, 210
INK, PAPER = (40, 40, 48), (255, 255, 255)
COLOURS = {"network alone": (47, 109, 179), "whole loop": (120, 170, 215), "limit of the machine": (225, 155, 60)}


def draw_chart(path: Path, rows: Sequence[tuple[str, float, float, float]]) -> None:
    """Write a PNG.

    Args:
        path: The file.
        rows: A label, and milliseconds a frame: network alone, whole loop, least possible.

    Raises:
        SinkError: The disk does not allow it.
    """
    height = 2 * MARGIN + 60 + len(rows) * (3 * BAR + GAP)
    image = Image.new("RGB", (WIDTH, height), PAPER)
    draw = ImageDraw.Draw(image)
    font, title = ImageFont.load_default(16), ImageFont.load_default(20)
    draw.text((MARGIN, MARGIN - 10), "Milliseconds a frame (less is better)", INK, title)
    left = MARGIN
    for name, colour in COLOURS.items():
        draw.rectangle((left, MARGIN + 24, left + 14, MARGIN + 38), colour)
        draw.text((left + 22, MARGIN + 20), name, INK, font)
        left += 200
    longest = max(max(times) for _, *times in rows)
    room = WIDTH - LABEL - 2 * MARGIN - 170
    for number, (label, *times) in enumerate(rows):
        top = MARGIN + 60 + number * (3 * BAR + GAP)
        draw.text((MARGIN, top + BAR), label, INK, font)
        for bar, (milliseconds, colour) in enumerate(zip(times, COLOURS.values())):
            right = LABEL + MARGIN + max(2, round(room * milliseconds / longest))
            draw.rectangle((LABEL + MARGIN, top + bar * BAR, right, top + (bar + 1) * BAR - 4), colour)
            text = f"{milliseconds:.1f} ms, {1000 / milliseconds:.0f} frames/s"
            draw.text((right + 8, top + bar * BAR - 2), text, INK, font)
    with written_whole(path) as draft:
        image.save(draft, "PNG")
