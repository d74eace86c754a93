"""A real window on a virtual screen, with real key presses, judged by its pixels."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from realtime_nst.files.ffmpeg import executable
from realtime_nst.styles import write_style
from tests.conftest import narrow_body, random_vector, wait_until

for tool in ("Xvfb", "xdotool", "openbox"):
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed: no virtual screen", allow_module_level=True)
pytest.importorskip("cv2", exc_type=ImportError, reason="OpenCV does not load here")

COLOURS = {"blue": (0, 0, 255), "green": (0, 255, 0), "red": (255, 0, 0)}  # keys 1, 2, 3
WIDTH, HEIGHT = 320, 240
PATIENCE = 60
"""Seconds for what should take one: a busy machine may need long to start."""


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
    manager = subprocess.Popen(
        ["openbox"], env={**os.environ, "DISPLAY": f":{number}"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )  # without one, Qt's window now and then stays blank
    yield f":{number}"
    manager.terminate()
    manager.wait(10)
    server.terminate()
    server.wait(10)


class Show:
    """The running application and its window."""

    def __init__(self, display: str, weights: Path, folder: Path, *flags: str) -> None:
        self.display = display
        self.folder = folder
        self.environment = {"DISPLAY": display, **{k: v for k, v in os.environ.items() if k != "DISPLAY"}}
        command = [sys.executable, "-m", "realtime_nst", "webcam", "--camera", "pattern", "--size", f"{WIDTH}x{HEIGHT}"]
        command += ["--style", "0-red", "--weights", str(weights), "--snapshots", str(folder), *flags]
        self.process = subprocess.Popen(command, env=self.environment, stderr=subprocess.PIPE)

    def press(self, key: str) -> None:
        """Press a key as a user would; the window that was opened last gets it."""
        subprocess.run(["xdotool", "key", key], env=self.environment, check=True)

    def press_until(self, key: str, condition: Callable[[], bool]) -> bool:
        """Press a key again and again: of two presses within one frame a window hears one."""

        def pressed() -> bool:
            self.press(key)
            return wait_until(condition, 0.5)

        return wait_until(pressed, PATIENCE)

    def screen(self) -> np.ndarray:
        """The whole screen, `(600, 800, 3)`."""
        command = [executable(), "-v", "error", "-f", "x11grab", "-video_size", "800x600", "-i", self.display]
        command += ["-frames:v", "1", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"]
        shot = subprocess.run(command, check=True, capture_output=True).stdout
        return np.frombuffer(shot, np.uint8).reshape(600, 800, 3)

    def share(self, colour: str | tuple[int, int, int]) -> float:
        """How much of the window's area has a colour."""
        wanted = COLOURS[colour] if isinstance(colour, str) else colour
        near = np.abs(self.screen().astype(int) - wanted).max(-1) < 40
        return float(near.sum()) / (WIDTH * HEIGHT)

    def shows(self, colour: str | tuple[int, int, int], least: float = 0.75, most: float = 9.0) -> bool:
        """Wait until the window is filled with a colour, or with so much of it."""
        return wait_until(lambda: least <= self.share(colour) <= most, PATIENCE)


@pytest.fixture
def show(display: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Show]:
    """The application with three styles that paint everything in one colour."""
    body = narrow_body(tmp_path / "weights")
    for name, colour in COLOURS.items():
        vector = random_vector(0)
        vector[-6:-3] = 0.0
        vector[-3:] = (np.array(colour) - 127.5) / 64
        write_style(tmp_path / "weights", f"0-{name}", vector, body, {})  # sorts before the shipped styles
    (tmp_path / "pictures").mkdir()
    running = Show(display, tmp_path / "weights", tmp_path / "pictures", *getattr(request, "param", ()))
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


def test_look_keys_do_in_the_window_what_they_say(show: Show) -> None:
    assert show.shows("red")
    show.press("d")  # cuts from here on
    assert show.press_until("minus", lambda: show.share("red") < 0.1), "without strength the photo is on show"
    assert show.press_until("plus", lambda: 0.1 < show.share((191, 50, 50)) < 0.7), "some of the colour over the photo"
    assert show.press_until("equal", lambda: show.share("red") > 0.75), "the same key without shift"

    show.press("c")
    assert show.shows("red", 0.0, 0.3), "the photo's colours"
    show.press("c")
    assert show.shows("red")

    show.press("2")
    assert show.shows("green")
    show.press("1")
    assert show.shows("blue")
    show.press("b")
    assert show.shows((0, 64, 191)), "three quarters of blue, one of green"
    show.press("b")
    assert show.shows((0, 127, 127))
    show.press("b")
    assert show.shows((0, 191, 64))
    show.press("b")
    assert show.shows("blue")

    show.press("w")
    assert show.shows("blue", 0.3, 0.6), "a half of the picture is the photo"
    show.press("w")
    seen = set()

    def moves() -> bool:
        seen.add(round(show.share("blue"), 1))
        return len(seen) > 2

    assert wait_until(moves, 20), "the line moves"
    show.press("w")
    assert show.shows("blue")

    for key in ("k", "comma", "i", "m"):
        show.press(key)
        assert show.shows("blue", 0.5), f"the show goes on after '{key}'"
    assert wait_until(lambda: show.share("blue") < 0.98, 10), "the figures cover a part"
    assert show.press_until("i", lambda: show.share("blue") > 0.95), "nothing is left over the picture"
    show.press("q")
    assert show.process.wait(15) == 0


@pytest.mark.parametrize("show", [("--fade", "0", "--cycle", "1")], indirect=True)
def test_styles_change_by_themselves_until_the_key_stops_them(show: Show) -> None:
    seen: set[str] = set()

    def all_three() -> bool:
        seen.update(colour for colour in COLOURS if show.share(colour) > 0.7)
        return len(seen) == 3

    assert wait_until(all_three, 60)
    show.press("a")
    show.press("1")
    assert show.shows("blue")


def test_record_key_starts_and_stops_a_file_that_plays(show: Show) -> None:
    from tests.conftest import frames_of

    assert show.shows("red")
    show.press("r")
    assert wait_until(lambda: list(show.folder.glob(".*.part.mp4")) != [], 20)
    assert wait_until(lambda: show.share((230, 0, 0)) > 0.0, 10)
    show.press("1")
    assert show.shows("blue")
    show.press("r")
    assert wait_until(lambda: len(list(show.folder.glob("0-red-*.mp4"))) == 1, 30)
    frames = frames_of(next(show.folder.glob("*.mp4")))
    first, last = frames[0].mean((0, 1)), frames[-1].mean((0, 1))
    assert first[0] > 200 > 60 > first[2] and last[2] > 200 > 60 > last[0], "from red to blue, with nothing written over it"


def test_a_program_that_is_killed_leaves_a_recording_that_plays_and_the_next_one_names_it(show: Show) -> None:
    from realtime_nst.live import recorder
    from tests.conftest import frames_of

    assert show.shows("red")
    show.press("r")
    assert wait_until(lambda: list(show.folder.glob(".*.part.mp4")) != [], 20)
    show.press("1")
    assert show.shows("blue")
    show.process.kill()
    (draft,) = show.folder.glob(".*.part.mp4")

    def playable() -> bool:  # ffmpeg finishes by itself what it has got
        try:
            return len(frames_of(draft)) > 5
        except Exception:
            return False

    assert wait_until(playable, 30)
    found: list[Path] = []

    def rescued() -> bool:  # not before ffmpeg has ended: until then the file looks as if somebody wrote it
        os.utime(draft, (1, 1))
        found.extend(recorder.rescue_recordings(show.folder))
        return bool(found)

    assert wait_until(rescued, 30)
    (named,) = found
    assert named.name.startswith("0-red-") and not draft.exists() and frames_of(named)


def test_full_screen_fills_it_and_a_minimised_window_paints_nothing(show: Show) -> None:
    assert show.shows("red")
    find = ["xdotool", "search", "--sync", "--onlyvisible", "--name", "^realtime-nst$"]
    activate = [*find, "windowactivate", "--sync"]
    assert wait_until(lambda: subprocess.run(activate, env=show.environment, capture_output=True).returncode == 0)

    def presses_fill() -> bool:
        subprocess.run(["xdotool", "key", "f"], env=show.environment, capture_output=True)
        return wait_until(lambda: show.share("red") > 5.0, 3)

    assert wait_until(presses_fill, 30), "800x600 is six times 320x240"
    subprocess.run(["xdotool", "key", "f"], env=show.environment, capture_output=True)
    assert show.shows("red", 0.7, 1.5)

    def busy() -> int:
        fields = Path(f"/proc/{show.process.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    def busy_for_a_second() -> int:
        before = busy()
        time.sleep(1.0)
        return busy() - before

    seen = busy_for_a_second()
    subprocess.run([*find, "windowminimize"], env=show.environment, check=True, capture_output=True)
    assert wait_until(lambda: busy_for_a_second() < max(0.5 * seen, 1), 20), "no work that nobody sees"
    window = ["xdotool", "search", "--name", "^realtime-nst$", "windowactivate"]
    subprocess.run(window, env=show.environment, capture_output=True)
    assert show.shows("red", 0.7, 1.5)
    subprocess.run(["xdotool", "key", "1"], env=show.environment, check=True)
    assert show.shows("blue", 0.7, 1.5), "and it goes on"


def test_what_was_set_is_there_the_next_time_until_it_is_reset(show: Show, tmp_path: Path) -> None:
    assert show.shows("red")
    assert show.press_until("minus", lambda: show.share("red") < 0.1)
    show.press("w")
    show.press("q")
    assert show.process.wait(15) == 0
    for flags, least, most in (((), 0.0, 0.3), (("--reset",), 0.75, 9.0)):
        again = Show(show.display, tmp_path / "weights", show.folder, *flags)
        try:
            assert wait_until(lambda again=again: again.screen().max() > 0, 60)
            assert again.shows("red", least, most), flags
        finally:
            again.process.kill()
            again.process.communicate()


def test_escape_quits(show: Show) -> None:
    assert show.shows("red")
    show.press("Escape")
    assert show.process.wait(15) == 0


def test_closing_the_window_quits(show: Show) -> None:
    assert show.shows("red")
    find = ["xdotool", "search", "--sync", "--onlyvisible", "--name", "^realtime-nst$", "windowactivate", "--sync"]
    assert wait_until(lambda: subprocess.run(find, env=show.environment, capture_output=True).returncode == 0)
    close = ["xdotool", "key", "alt+F4"]

    def closed() -> bool:  # until the manager has taken its keys, nobody hears them
        subprocess.run(close, env=show.environment, capture_output=True)
        return show.process.poll() is not None

    assert wait_until(closed, 15)
    assert show.process.returncode == 0, show.process.stderr and show.process.stderr.read()
