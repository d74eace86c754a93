"""Make pictures of very different kinds that nothing was trained on, and show what a style from each is like.

`python docs/pictures.py FOLDER` draws them: out of nothing, or out of the photos in samples/, so that they are free to show.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw

SAMPLES = Path(__file__).parents[1] / "samples"
SIDE = 512


def photo(name: str, side: int = SIDE) -> np.ndarray:
    """The middle of a sample, float32 `(side, side, 3)` RGB in `[0, 255]`."""
    picture = Image.open(SAMPLES / name)
    left, top = ((length - min(picture.size)) // 2 for length in picture.size)
    box = (left, top, left + min(picture.size), top + min(picture.size))
    return np.asarray(picture.resize((side, side), Image.Resampling.LANCZOS, box=box), np.float32)


def light(picture: np.ndarray) -> np.ndarray:
    """Its brightness, spread over 0 to 1."""
    grey = cv2.GaussianBlur(picture @ np.float32([0.299, 0.587, 0.114]), (0, 0), 2)
    low, high = np.percentile(grey, (2, 98))
    return ((grey - low) / (high - low)).clip(0, 1)


def cells(step: int, jitter: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The plane in pieces around points of a loose grid: the number of each pixel's piece, and how near its border is."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    centres = np.mgrid[0 : SIDE + step : step, 0 : SIDE + step : step].reshape(2, -1).T
    centres = centres + rng.uniform(-jitter, jitter, centres.shape) * step
    nearest, second = np.full((2, SIDE, SIDE), np.inf, np.float32)
    number = np.zeros((SIDE, SIDE), np.int32)
    for index, (row, column) in enumerate(centres):
        away = np.hypot(y - row, x - column)
        number = np.where(away < nearest, index, number)
        second = np.minimum(second, np.maximum(away, nearest))
        nearest = np.minimum(nearest, away)
    return number, second - nearest


def means(picture: np.ndarray, number: np.ndarray) -> np.ndarray:
    """A picture whose pieces have one colour each."""
    count = np.bincount(number.ravel()).clip(1)
    colours = [np.bincount(number.ravel(), picture[..., channel].ravel()) / count for channel in range(3)]
    return np.stack(colours, -1)[number]


def mosaic(rng: np.random.Generator) -> np.ndarray:
    """Stones in grey mortar."""
    number, border = cells(13, 0.25, rng)
    stones = means(photo("palace.jpg"), number) * rng.uniform(0.8, 1.2, (number.max() + 1, 1))[number]
    return np.where(border[..., None] < 2.2, (96, 88, 80), stones)


def window(rng: np.random.Generator) -> np.ndarray:
    """Stained glass in lead, with the sun behind."""
    number, border = cells(64, 0.4, rng)
    glass = np.array([(200, 30, 40), (20, 60, 170), (240, 190, 40), (30, 130, 70), (120, 40, 130), (90, 170, 220)], float)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    shine = 1.35 - 0.9 * np.hypot(x, y) + 0.06 * cv2.GaussianBlur(rng.normal(size=(SIDE, SIDE)), (0, 0), 4) * 8
    panes = glass[rng.integers(0, len(glass), number.max() + 1)][number] * shine[..., None]
    return np.where(border[..., None] < 7, (18, 16, 20), panes)


def woodcut(rng: np.random.Generator) -> np.ndarray:
    """Black lines on cream, thicker where the photo is dark."""
    y, x = np.mgrid[:SIDE, :SIDE]
    lines = 0.5 + 0.5 * np.sin((y + 10 * np.sin(x / 45)) * 2 * np.pi / 7)
    wobble = 0.15 * cv2.GaussianBlur(rng.normal(size=(SIDE, SIDE)), (0, 0), 3) * 6
    return np.where((light(photo("astronaut.jpg")) + wobble > 0.1 + 0.85 * lines)[..., None], (236, 224, 196), (24, 20, 18))


def weave(rng: np.random.Generator) -> np.ndarray:
    """A woven band: zigzags of coloured threads that pass over and under each other."""
    colours = np.array([(150, 30, 35), (230, 210, 170), (35, 50, 95), (205, 140, 45)], float)
    y, x = np.mgrid[:SIDE, :SIDE]
    stripe = (y + np.abs(x % 96 - 48)) // 24 % 4
    over = ((x // 4 + y // 4) % 2)[..., None]
    round_thread = 0.72 + 0.28 * np.sin(np.where(over[..., 0] == 0, x, y) % 4 / 4 * np.pi)[..., None]
    threads = 1 + 0.08 * rng.normal(size=(SIDE // 4, SIDE // 4)).repeat(4, 0).repeat(4, 1)[..., None]
    return colours[stripe] * (0.9 + 0.1 * over) * round_thread * threads


def comic(rng: np.random.Generator) -> np.ndarray:
    """Flat colours, dots for half tones, black outlines."""
    picture = photo("coffee.jpg")
    shade = light(picture)
    colours = np.array([(40, 40, 110), (200, 40, 50), (250, 200, 60), (255, 245, 225)], float)
    flat = colours[(shade * 3.999).astype(int)]
    y, x = np.mgrid[:SIDE, :SIDE]
    dots = np.hypot((x + y) % 10 - 5, (x - y) % 10 - 5) < 3.2
    flat = np.where((dots & (shade > 0.5) & (shade < 0.8))[..., None], (235, 120, 60), flat)
    outlines = cv2.dilate(cv2.Canny(picture.astype(np.uint8), 60, 160), np.ones((3, 3), np.uint8)) > 0
    return np.where(outlines[..., None], (10, 10, 15), flat)


def pencil(rng: np.random.Generator) -> np.ndarray:
    """Grey strokes in three directions on paper."""
    shade = light(photo("palace.jpg"))
    paper = np.full((SIDE, SIDE), 238.0)
    for darkness, angle in ((0.75, 0.8), (0.5, 2.2), (0.28, 1.5)):
        grain = rng.normal(size=(SIDE, SIDE)).astype(np.float32)
        kernel = np.zeros((25, 25), np.float32)
        end = (12 + round(12 * np.cos(angle)), 12 + round(12 * np.sin(angle)))
        cv2.line(kernel, (24 - end[0], 24 - end[1]), end, 1.0)
        strokes = cv2.filter2D(grain, -1, kernel / kernel.sum()) * 5
        paper -= np.where(shade < darkness, 45 * (1 + 0.9 * strokes).clip(0.1, 2), 0)
    edges = cv2.GaussianBlur(cv2.Canny((255 * shade).astype(np.uint8), 40, 110).astype(np.float32), (0, 0), 0.9)
    return np.repeat((paper - 0.5 * edges + rng.normal(0, 4, paper.shape))[..., None], 3, -1)


def crayons(rng: np.random.Generator) -> np.ndarray:
    """A house, a tree, the sun and two people, as a child draws them."""
    sheet = Image.new("RGB", (SIDE, SIDE), (252, 250, 244))
    pen = ImageDraw.Draw(sheet)

    def line(colour: str, *points: tuple[float, float]) -> None:
        for _ in range(4):
            pen.line([(x + rng.normal(0, 2.5), y + rng.normal(0, 2.5)) for x, y in points], colour, 4)

    def scribble(colour: str, left: int, top: int, right: int, bottom: int, step: int = 9) -> None:
        for x in range(left, right, step):
            line(colour, (x, top), (x + step, bottom))

    scribble("#3f9b3f", 0, 430, SIDE, SIDE, 11)
    scribble("#6fb7e9", 0, 0, SIDE, 50, 13)
    scribble("#e8b0a0", 150, 280, 320, 430)
    line("#703020", (150, 430), (150, 280), (320, 280), (320, 430))
    scribble("#d03030", 190, 215, 285, 280)
    line("#d03030", (130, 285), (235, 180), (340, 285), (130, 285))
    scribble("#5070d0", 175, 315, 215, 355, 7)
    scribble("#804020", 250, 345, 290, 430, 8)
    line("#804020", (420, 430), (420, 300))
    for angle in np.linspace(0, 2 * np.pi, 40):
        line("#2f8f3f", (420, 260), (420 + 60 * np.cos(angle), 255 + 60 * np.sin(angle)))
        line("#f5c518", (80, 80), (80 + 62 * np.cos(angle), 80 + 62 * np.sin(angle)))
    for x, colour in ((60, "#8040a0"), (110, "#2060c0")):
        line(colour, (x, 360), (x, 410), (x - 14, 445))
        line(colour, (x, 410), (x + 14, 445))
        line(colour, (x - 20, 375), (x + 20, 375))
        line(colour, *((x + 14 * np.cos(turn), 345 + 14 * np.sin(turn)) for turn in np.linspace(0, 7, 20)))
    return np.asarray(sheet, float)


def logo(rng: np.random.Generator) -> np.ndarray:
    """Flat shapes in three colours."""
    sheet = Image.new("RGB", (2 * SIDE, 2 * SIDE), "#f4f1ea")
    pen = ImageDraw.Draw(sheet)
    pen.ellipse((140, 140, 884, 884), fill="#123a5a")
    pen.ellipse((250, 250, 774, 774), fill="#f4f1ea")
    pen.polygon([(512, 190), (850, 800), (174, 800)], fill="#e4572e")
    pen.polygon([(512, 420), (650, 690), (374, 690)], fill="#f4f1ea")
    pen.rectangle((140, 880, 884, 930), fill="#123a5a")
    return np.asarray(sheet.resize((SIDE, SIDE), Image.Resampling.LANCZOS), float)


def snapshot(rng: np.random.Generator) -> np.ndarray:
    """A photo as it is."""
    return photo("coffee.jpg")


KINDS: tuple[Callable[[np.random.Generator], np.ndarray], ...] = (
    mosaic, window, woodcut, weave, comic, pencil, crayons, logo, snapshot
)  # fmt: skip


def main() -> None:
    """Write a PNG for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for number, kind in enumerate(KINDS):
        picture = kind(np.random.default_rng(number))
        Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(folder / f"{kind.__name__}.png")


if __name__ == "__main__":
    main()
