"""Make the samples out of pictures of other packages: `pip install scikit-image scikit-learn`, `python samples/make.py`."""

import math
import tempfile
import wave
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data
from sklearn.datasets import load_sample_image

from realtime_nst.media.encoding import FrameWriter
from realtime_nst.media.ffmpeg import produce

HERE = Path(__file__).parent
WIDTH, HEIGHT, RATE, SECONDS = 640, 480, 30, 8
SOUND_RATE = 44100
NOTES = (220.0, 277.2, 329.6, 440.0, 329.6, 277.2, 246.9, 329.6)  # a broken chord, a note a second


def view(picture: Image.Image, time: float, start: tuple[float, float, float], end: tuple[float, float, float]) -> np.ndarray:
    """The part of a picture that a camera sees on its way between two views.

    Args:
        picture: The picture.
        time: 0 at the start, 1 at the end.
        start: Centre x and y, and height of the view, as shares of the picture.
        end: The same.
    """
    ease = (1 - math.cos(math.pi * time)) / 2
    x, y, high = (a + (b - a) * ease for a, b in zip(start, end))
    half_height = high * picture.height / 2
    half_width = half_height * WIDTH / HEIGHT
    centre_x, centre_y = x * picture.width, y * picture.height
    box = (centre_x - half_width, centre_y - half_height, centre_x + half_width, centre_y + half_height)
    return np.asarray(picture.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC, box=box), dtype=np.float32)


def sound() -> np.ndarray:
    """A plucked chord, int16."""
    time = np.arange(SOUND_RATE) / SOUND_RATE
    notes = [np.exp(-4 * time) * (np.sin(2 * np.pi * note * time) + 0.3 * np.sin(4 * np.pi * note * time)) for note in NOTES]
    return (np.concatenate(notes) * 0.4 * 32767).astype(np.int16)


def main() -> None:
    """Write three photos and a clip with sound."""
    astronaut = Image.fromarray(data.astronaut())
    coffee = Image.fromarray(data.coffee())
    astronaut.save(HERE / "astronaut.jpg", quality=92)
    coffee.save(HERE / "coffee.jpg", quality=92)
    Image.fromarray(load_sample_image("china.jpg")).save(HERE / "palace.jpg", quality=92)
    with tempfile.TemporaryDirectory() as folder:
        track = Path(folder) / "sound.wav"
        with wave.open(str(track), "wb") as file:
            file.setparams((1, 2, SOUND_RATE, 0, "NONE", ""))
            file.writeframes(sound().tobytes())
        silent = Path(folder) / "silent.mp4"
        writer = FrameWriter(silent, WIDTH, HEIGHT, Fraction(RATE))
        count = RATE * SECONDS
        for index in range(count):
            time = index / (count - 1)
            first = view(astronaut, min(1.0, time * 2), (0.5, 0.36, 0.7), (0.46, 0.26, 0.5))
            second = view(coffee, max(0.0, time * 2 - 1), (0.45, 0.5, 0.85), (0.52, 0.55, 0.6))
            fade = np.clip((time - 0.47) / 0.06, 0, 1)
            writer.write(np.rint(first * (1 - fade) + second * fade).astype(np.uint8))
        writer.close()
        tracks = ["-i", str(silent), "-i", str(track), "-c:v", "copy", "-c:a", "aac", "-b:a", "192k", "-movflags", "+faststart"]
        if words := produce([*tracks, "-f", "mp4"], HERE / "clip.mp4"):
            raise SystemExit(words)


if __name__ == "__main__":
    main()
