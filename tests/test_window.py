"""A real window on a virtual screen, with real key presses, judged by its pixels."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from realtime_nst.files.ffmpeg import executable
from realtime_nst.styles import write_style
from tests.conftest import narrow_body, random_vector, wait_until

for tool in ("Xvfb", "xdotool"):
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed: no virtual screen", allow_module_level=True)
pytest.importorskip("cv2", exc_type=ImportError, reason="OpenCV does not load here")

COLOURS = {"blue": (0, 0, 255), "green": (0, 255, 0), "red": (255, 0, 0)}  # keys 1, 2, 3
WIDTH, HEIGHT = 320, 240


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """A screen of its own."""
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "800x600x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    number = os.read(read, 20).decode().strip()
    yield f":{number}"
    server.terminate()
    server.wait(10)


class Show:
    """The running application and its window."""

    def __init__(self, display: str, weights: Path, folder: Path) -> None:
        self.display = display
        self.folder = folder
        self.environment = {"DISPLAY": display, **{k: v for k, v in os.environ.items() if k != "DISPLAY"}}
        command = [sys.executable, "-m", "realtime_nst", "webcam", "--camera", "pattern", "--size", f"{WIDTH}x{HEIGHT}"]
        command += ["--style", "0-red", "--weights", str(weights), "--snapshots", str(folder)]
        self.process = subprocess.Popen(command, env=self.environment, stderr=subprocess.PIPE)

    def press(self, key: str) -> None:
        """Press a key as a user would; without a window manager the window under the pointer gets it."""
        subprocess.run(["xdotool", "mousemove", "100", "100", "key", key], env=self.environment, check=True)

    def screen(self) -> np.ndarray:
        """The whole screen, `(600, 800, 3)`."""
        command = [executable(), "-v", "error", "-f", "x11grab", "-video_size", "800x600", "-i", self.display]
        command += ["-frames:v", "1", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"]
        shot = subprocess.run(command, check=True, capture_output=True).stdout
        return np.frombuffer(shot, np.uint8).reshape(600, 800, 3)

    def share(self, colour: str) -> float:
        """How much of the window's area has a colour."""
        near = np.abs(self.screen().astype(int) - COLOURS[colour]).max(-1) < 40
        return float(near.sum()) / (WIDTH * HEIGHT)

    def shows(self, colour: str) -> bool:
        """Wait until the window is filled with a colour."""
        return wait_until(lambda: self.share(colour) > 0.75, 15)


@pytest.fixture
def show(display: str, tmp_path: Path) -> Iterator[Show]:
    """The application with three styles that paint everything in one colour."""
    body = narrow_body(tmp_path / "weights")
    for name, colour in COLOURS.items():
        vector = random_vector(0)
        vector[-6:-3] = 0.0
        vector[-3:] = (np.array(colour) - 127.5) / 64
        write_style(tmp_path / "weights", f"0-{name}", vector, body, {})  # sorts before the shipped styles
    (tmp_path / "pictures").mkdir()
    running = Show(display, tmp_path / "weights", tmp_path / "pictures")
    yield running
    running.process.kill()
    running.process.communicate()


def test_keys_do_in_the_window_what_they_say(show: Show) -> None:
    assert show.shows("red"), "the style of --style at first"
    show.press("1")
    assert show.shows("blue")
    show.press("2")
    assert show.shows("green")
    show.press("n")
    assert show.shows("red")
    show.press("p")
    assert show.shows("green")
    show.press("3")
    assert show.shows("red")

    show.press("h")
    assert wait_until(lambda: show.share("red") < 0.7, 10), "the help covers a part of the picture"
    show.press("h")
    assert show.shows("red")

    show.press("s")
    assert wait_until(lambda: len(list(show.folder.glob("0-red-*.png"))) == 1, 10)

    show.press("space")
    assert wait_until(lambda: show.share("red") < 0.98, 10), "the word 'paused' is shown"
    show.press("2")
    show.press("s")
    assert wait_until(lambda: len(list(show.folder.glob("*.png"))) == 2, 10), "keys work while paused"
    assert show.share("green") < 0.1 and show.share("red") > 0.5, "a pause holds the picture"
    show.press("space")
    assert show.shows("green")

    show.press("q")
    assert show.process.wait(15) == 0
    assert show.process.stderr is not None and b"Traceback" not in show.process.stderr.read()


def test_escape_quits(show: Show) -> None:
    assert show.shows("red")
    show.press("Escape")
    assert show.process.wait(15) == 0


@pytest.mark.skipif(shutil.which("openbox") is None, reason="openbox is not installed: nothing asks a window to close")
def test_closing_the_window_quits(show: Show) -> None:
    assert show.shows("red")
    manager = subprocess.Popen(["openbox"], env=show.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        find = ["xdotool", "search", "--sync", "--onlyvisible", "--name", "^realtime-nst$", "windowactivate", "--sync"]
        assert wait_until(lambda: subprocess.run(find, env=show.environment, capture_output=True).returncode == 0)
        close = ["xdotool", "key", "alt+F4"]

        def closed() -> bool:  # until the manager has taken its keys, nobody hears them
            subprocess.run(close, env=show.environment, capture_output=True)
            return show.process.poll() is not None

        assert wait_until(closed, 15)
        assert show.process.returncode == 0, show.process.stderr and show.process.stderr.read()
    finally:
        manager.terminate()
        manager.wait(10)
