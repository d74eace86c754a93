"""How far a picture moves because it is sharp: the figures of `evaluate` for photos that are only sharpened.

`python docs/sharpened.py PHOTOS FLOW SHARPNESS ...`: a folder of photos, one of frames with true flow, and how sharp the
photos are made, as multiples of what they are. A sharpened photo has no stroke that hangs on anything but the scene itself, so
that its warping error is what a painting of that sharpness can be compared with.
"""

import sys
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from realtime_nst.media.photos import read_photo
from train.evaluate import mean, warping_errors
from train.evaluate_command import choose_photos, square
from train.flow import find_flow
from train.stability import COMPRESSION_GRAIN, COMPRESSION_NOISE, noise_gain, sharpness

COUNT, SIZE = 12, 256
RADII = (1.0, 2.0, 4.0)
"""Standard deviations of the blur that is taken away, in pixels."""


def main(photos: str, flow: str, *wanted: str) -> None:
    """A row for each radius and sharpness."""
    pictures = [square(read_photo(path), SIZE).astype(np.float32) for path in choose_photos(Path(photos), COUNT)]
    scenes = find_flow(Path(flow))
    print("radius  sharpness  warping  noise  flicker")
    for radius in RADII:
        for multiple in map(float, wanted):
            stylize = partial(sharpen, radius=radius, amount=amount_for(multiple, radius, pictures))
            warping = mean(warping_errors(stylize, scenes).values())
            noise = mean(noise_gain(stylize, picture) for picture in pictures)
            flicker = mean(noise_gain(stylize, picture, sigma=COMPRESSION_NOISE, grain=COMPRESSION_GRAIN) for picture in pictures)
            print(f"{radius:6.0f}  {relative_sharpness(stylize(np.stack(pictures)), pictures):9.2f}", end="")
            print(f"  {warping:7.4f}  {noise:5.2f}  {flicker:7.2f}", flush=True)


def sharpen(photos: np.ndarray, radius: float, amount: float) -> np.ndarray:
    """Photos `(B, H, W, 3)` with so many times their fine detail more, clipped and rounded as they would be shown."""
    blurred = np.stack([cv2.GaussianBlur(photo, (0, 0), radius) for photo in photos])
    shown: np.ndarray = np.rint(photos + amount * (photos - blurred)).clip(0, 255)
    return shown


def amount_for(multiple: float, radius: float, photos: list[np.ndarray]) -> float:
    """By how much photos must be sharpened to be so many times as sharp as they are."""
    least, most = 0.0, 1000.0
    for _ in range(16):
        amount = (least + most) / 2
        sharp = relative_sharpness(sharpen(np.stack(photos), radius, amount), photos)
        least, most = (amount, most) if sharp < multiple else (least, amount)
    return most


def relative_sharpness(pictures: np.ndarray, photos: list[np.ndarray]) -> float:
    """How sharp pictures are, over the sharpness of the photos they were made of."""
    return mean(sharpness(picture) / max(sharpness(photo), 1e-6) for picture, photo in zip(pictures, photos))


if __name__ == "__main__":
    main(*sys.argv[1:])
