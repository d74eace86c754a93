"""Make `window.jpg`, the picture of the live window in docs/live.md: a real one, on a virtual screen, with real key presses.

It needs Linux with Xvfb and xdotool: `python docs/window.py`.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from realtime_nst.frames import parse_size
from realtime_nst.media.ffmpeg import executable

HERE = Path(__file__).parent
CAMERA, SIZE, STYLE = HERE.parent / "samples" / "clip.mp4", "960x540", "wave"
KEYS = ("h",)
SECONDS_TO_START, SECONDS_TO_SETTLE = 60.0, 10.0
QUALITY = 88


def main() -> int:
    """Start a screen and the application, press the keys, and save what the screen shows."""
    width, height = parse_size(SIZE)
    read, write = os.pipe()
    # Larger than the picture, because a window leaves room around it.
    screen = ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{width * 5 // 4}x{height * 5 // 4}x24", "-nolisten", "tcp"]
    server = subprocess.Popen(screen, pass_fds=[write], stderr=subprocess.DEVNULL)
    display = f":{os.read(read, 20).decode().strip()}"
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "DISPLAY": display, "XDG_CONFIG_HOME": home}
        show = [sys.executable, "-m", "realtime_nst", "webcam", "--camera", str(CAMERA), "--size", SIZE, "--style", STYLE]
        application = subprocess.Popen([*show, "--display", "--snapshots", home], env=environment)
        try:
            deadline = time.monotonic() + SECONDS_TO_START
            while grab(display, width, height).std() < 10 and time.monotonic() < deadline:
                time.sleep(0.2)
            for key in KEYS:
                subprocess.run(["xdotool", "mousemove", "5", "5", "key", key], env=environment, check=True)
            time.sleep(SECONDS_TO_SETTLE)  # until the figures are those of a show that runs
            Image.fromarray(grab(display, width, height)).save(HERE / "window.jpg", quality=QUALITY)
        finally:
            application.terminate()
            application.wait()
            server.terminate()
            server.wait()
    return 0


def grab(display: str, width: int, height: int) -> np.ndarray:
    """The upper left of the screen, where the window is, uint8 `(height, width, 3)`."""
    command = [executable(), "-v", "error", "-f", "x11grab", "-draw_mouse", "0", "-video_size", f"{width}x{height}"]
    command += ["-i", display, "-frames:v", "1", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"]
    shot = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(shot, np.uint8).reshape(height, width, 3)


if __name__ == "__main__":
    sys.exit(main())
