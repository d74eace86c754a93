"""A real window on a virtual screen, with real key presses, judged by its pixels.

The camera is a clip of which every pixel is known: warm to the left, cool to the right, texture above, noise below.
"""

import ctypes.util
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realtime_nst.live.keys import KEYS, Key
from realtime_nst.media.ffmpeg import executable
from realtime_nst.style.style import write_style
from tests import conftest
from tests.conftest import PATIENCE, ffmpeg_children, frames_of, narrow_body, random_vector
from tests.reference import keep_colours_with_numpy

for tool in ("Xvfb", "xdotool", "openbox"):
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed: no virtual screen", allow_module_level=True)
pytest.importorskip("cv2", exc_type=ImportError, reason="OpenCV does not load here")

COLOURS = {
    "blue": (0, 0, 255),
    "green": (0, 255, 0),
    "red": (255, 0, 0),
    "yellow": (255, 255, 0),
    "magenta": (255, 0, 255),
    "cyan": (0, 255, 255),
    "orange": (255, 128, 0),
    "purple": (128, 0, 255),
    "pink": (255, 128, 192),
}  # keys 1 to 8, and 0; key 9 is a style that paints what it sees
NUMBERS = ("1", "2", "3", "4", "5", "6", "7", "8", "10")
WIDTH, HEIGHT = 320, 240
SCREEN = 800, 600
LINE, LINE_HEIGHT = np.s_[209:225], 18
"""Rows of the lowest line of text at the bottom, and how much higher the next one is."""
X_KEYS = {"10": "0", "-": "minus", "+": "plus", ",": "comma", ".": "period", "esc": "Escape"}
TEXTURED, NOISY = np.s_[8:104, 8:-8], np.s_[136:184, 8:-8]
"""Parts of the picture, clear of what is written at the bottom."""
wait_until = partial(conftest.wait_until, pause=0.015)
"""Looks twice at each of 30 frames a second: a look takes a while, in which the show may lack the processor."""


@dataclass(frozen=True)
class Screen:
    """A virtual screen, whose pixels are a file.

    Args:
        name: As DISPLAY wants it.
        memory: What it shows, blue first, `(600, 800, 4)`.
    """

    name: str
    memory: np.ndarray

    def pixels(self, *part: slice) -> np.ndarray:
        """What it shows now, or a part of it, RGB `(600, 800, 3)`."""
        return self.memory[part][..., 2::-1].copy()


@pytest.fixture(autouse=True)
def nothing_left_behind() -> None:
    """One show outlives many tests; `screen` looks at the end what is left."""


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    folder = tmp_path_factory.mktemp("screen")
    children = set(ffmpeg_children())
    read, write = os.pipe()
    size = f"{SCREEN[0]}x{SCREEN[1]}x24"
    options = ("-fbdir", str(folder), "-nolisten", "tcp", "-r")  # the last: a key that is let go late must not repeat
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", size, *options],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)  # so that nothing is waited for from a server that has ended
    assert select.select([read], [], [], PATIENCE)[0], "Xvfb does not say its number"
    number = os.read(read, 20).decode().strip()
    assert number, "Xvfb does not start"
    manager = subprocess.Popen(
        ["openbox"], env={**os.environ, "DISPLAY": f":{number}"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )  # without one, Qt's window now and then stays blank
    file = folder / "Xvfb_screen0"
    assert wait_until(lambda: file.exists() and file.stat().st_size > SCREEN[0] * SCREEN[1] * 4, PATIENCE)
    header = np.fromfile(file, ">u4", 25)  # of X's own dumps: its length, ..., bytes in a line, ..., colours of 12 bytes
    shape = (SCREEN[1], int(header[12]) // 4, 4)
    memory = np.memmap(file, np.uint8, "r", offset=int(header[0] + 12 * header[19]), shape=shape)
    yield Screen(f":{number}", memory[:, : SCREEN[0]])
    for process in (manager, server):
        process.terminate()
        process.wait(PATIENCE)
    os.close(read)
    assert wait_until(lambda: set(ffmpeg_children()) <= children, PATIENCE), "a child process was left behind"


@dataclass(frozen=True)
class Studio:
    """What all shows share: a screen, a camera, styles, compiled networks, and settings that are made for them.

    Args:
        screen: Where the window is.
        folder: For all files.
        photos: What the camera sees, `(frames, 240, 320, 3)`.
    """

    screen: Screen
    folder: Path
    photos: np.ndarray

    @property
    def environment(self) -> dict[str, str]:
        """Of the application."""
        folders = {"XDG_CONFIG_HOME": str(self.folder / "config"), "REALTIME_NST_CACHE": str(self.folder / "cache")}
        # Many a Wayland desktop asks each program for what OpenCV does not have.
        display = {"DISPLAY": self.screen.name, "QT_QPA_PLATFORM": "wayland"}
        return {**os.environ, **display, **folders, "PYTHONFAULTHANDLER": "1"}  # `seen` reads what it says


@pytest.fixture(scope="module")
def studio(screen: Screen, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    folder = tmp_path_factory.mktemp("studio")
    body = narrow_body(folder / "weights")
    for number, (name, colour) in zip(NUMBERS, COLOURS.items()):
        vector = random_vector(0)
        vector[-6:-3] = 0.0
        vector[-3:] = (np.array(colour) - 127.5) / 64
        write_style(folder / "weights", f"{number:>02}-{name}", vector, body, {})  # sorts before the shipped styles
    write_style(folder / "weights", "09-rough", random_vector(1), body, {})

    rng = np.random.default_rng(0)
    still = np.full((HEIGHT, WIDTH, 3), (190, 120, 70), float)
    still[:, WIDTH // 2 :] = (50, 90, 150)
    still[: HEIGHT // 2] += rng.uniform(-40, 40, (HEIGHT // 8, WIDTH // 4, 1)).repeat(4, 0).repeat(4, 1)
    photos = np.repeat(still[None], 24, 0)
    photos[:, HEIGHT // 2 :] += rng.normal(0, 8, (24, HEIGHT // 2, WIDTH, 3))
    photos = photos.clip(0, 255).astype(np.uint8)
    command = [executable(), "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}", "-r", "30"]
    command += ["-i", "-", "-c:v", "ffv1", "-pix_fmt", "bgr0", str(folder / "camera.mkv")]  # without loss
    subprocess.run(command, input=photos.tobytes(), check=True)
    return Studio(screen, folder, photos)


@dataclass
class Show:
    """The running application and its window.

    Args:
        studio: Where it runs.
        folder: Where it saves.
        flags: Of the command, besides those that all shows have.
        plug: For a show with a camera that can be unplugged: the file that plugs it in, which holds its colour.
    """

    studio: Studio
    folder: Path
    flags: tuple[str, ...] = ("--style", "03-red", "--reset")
    plug: Path | None = None
    pressed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        module = ["realtime_nst"] if self.plug is None else ["tests.fakeshow", str(self.plug.parent)]
        command = [sys.executable, "-m", *module, "webcam", "--camera", str(self.studio.folder / "camera.mkv")]
        command += ["--weights", str(self.studio.folder / "weights"), "--snapshots", str(self.folder), *self.flags]
        self.process = subprocess.Popen(command, env=self.studio.environment, stderr=subprocess.PIPE, cwd=ROOT)
        self.top = self.left = 0

    def start(self) -> "Show":
        """Wait until the window has the keyboard and is filled with red."""
        activate = (*FIND, "windowactivate", "--sync", "getwindowgeometry")
        assert wait_until(lambda: bool(self.xdotool(*activate)) or self.process.poll() is not None, PATIENCE, pause=0.1)
        assert wait_until(lambda: self.filled("red") or self.process.poll() is not None, PATIENCE), self.seen()
        assert self.process.poll() is None, self.process.communicate()
        self.locate()
        return self

    def seen(self) -> str:
        """For a test that fails: what is on the screen, and where the program was when it was killed for this."""
        pixels = self.studio.screen.pixels().reshape(-1, 3) // 32 * 32
        colours, counts = np.unique(pixels, axis=0, return_counts=True)
        most = [f"{tuple(map(int, colours[k]))}: {counts[k]}" for k in counts.argsort()[::-1][:4]]
        ended = self.process.poll()
        self.process.send_signal(signal.SIGABRT)
        stacks = self.process.communicate()[1].decode("utf-8", "replace")
        return f"on the screen {', '.join(most)}; exit code {ended}; {stacks[-6000:]}"

    def locate(self) -> None:
        """Find the picture on the screen, by its red."""
        rows, columns = np.nonzero(self.near("red"))
        assert len(rows) > 0.7 * WIDTH * HEIGHT
        self.top, self.left = int(rows.min()), int(columns.min())

    def xdotool(self, *words: str) -> str:
        """What xdotool answers; nothing if it fails, or waits for a window that does not come."""
        command = ["xdotool", *words]
        try:
            said = subprocess.run(command, env=self.studio.environment, capture_output=True, text=True, timeout=PATIENCE / 3)
        except subprocess.TimeoutExpired:
            return ""
        return said.stdout if said.returncode == 0 else ""

    def press(self, key: str, times: int = 1) -> None:
        """Press a key as a user would, so slowly that the window hears each."""
        self.pressed.add(key)
        for _ in range(times):
            self.xdotool("key", "--delay", "60", X_KEYS.get(key, key))

    def press_until(self, key: str, condition: Callable[[], bool]) -> bool:
        """Press a key again and again: of two presses within one frame a window hears one."""

        def pressed() -> bool:
            self.press(key)
            return wait_until(condition, 1.0)

        return wait_until(pressed, PATIENCE)

    def press_and_read(self, key: str) -> None:
        """Press a key of which nothing but words tells, and wait for them: of two keys at once a window hears one."""
        assert wait_until(lambda: not self.told(), PATIENCE), "the words before are gone"
        self.press(key)
        assert wait_until(self.told, PATIENCE), f"'{key}' says something"

    def told(self, line: int = 0) -> bool:
        """Whether something is written at the bottom.

        Args:
            line: 0 is the lowest line of text.
        """
        up = line * LINE_HEIGHT
        strip = self.picture()[LINE.start - up : LINE.stop - up, 8:-8]
        return bool((strip.min(-1) > 200).mean() > 0.003)

    def painted(self) -> int:
        """How many frames were painted so far, of a camera that can be unplugged."""
        assert self.plug is not None
        return self.plug.with_name("painted").stat().st_size

    def paints(self, seconds: float = PATIENCE) -> bool:
        """Whether a frame is painted within so many seconds."""
        before = self.painted()
        return wait_until(lambda: self.painted() > before, seconds)

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()

    def gone(self) -> bool:
        """Wait until the window of a program that has ended is no longer there, and not taken for the next one."""
        return wait_until(lambda: not self.xdotool(*FIND), PATIENCE)

    def picture(self) -> np.ndarray:
        """What the window shows, `(240, 320, 3)`."""
        return self.studio.screen.pixels(slice(self.top, self.top + HEIGHT), slice(self.left, self.left + WIDTH))

    def near(self, colour: str | tuple[int, int, int]) -> np.ndarray:
        """Which pixels of the screen have a colour."""
        wanted = COLOURS[colour] if isinstance(colour, str) else colour
        seen, found = self.studio.screen.pixels(), np.ones(SCREEN[::-1], bool)
        for channel, value in enumerate(wanted):  # in bytes and one by one: this is looked at all the time, beside the show
            low, high = max(value - 39, 0), min(value + 39, 255)
            found &= (seen[..., channel] >= low) & (seen[..., channel] <= high)
        return found

    def share(self, colour: str | tuple[int, int, int]) -> float:
        """How much of the window's area has a colour."""
        return float(self.near(colour).sum()) / (WIDTH * HEIGHT)

    def filled(self, colour: str | tuple[int, int, int], least: float = 0.75, most: float = 1.2) -> bool:
        return least <= self.share(colour) <= most

    def shows(self, colour: str | tuple[int, int, int], least: float = 0.75, most: float = 1.2) -> bool:
        """Wait until the window is filled with a colour, or with so much of it."""
        return wait_until(lambda: self.filled(colour, least, most), PATIENCE)

    def is_like(self, picture: np.ndarray) -> bool:
        """Whether the textured part of the window is that of a picture, but for a few grey levels on average."""
        return float(np.abs(self.picture()[TEXTURED] - picture[TEXTURED].astype(float)).mean()) < 4.0

    def looks_like(self, picture: np.ndarray) -> bool:
        """Wait until it is."""
        return wait_until(lambda: self.is_like(picture), PATIENCE)

    def middle(self) -> tuple[int, ...]:
        """The colour of the window's middle."""
        return tuple(int(value) for value in self.picture()[HEIGHT // 2, WIDTH // 2])

    def saved(self, pattern: str, count: int = 1) -> list[Path]:
        """Wait for files."""
        assert wait_until(lambda: len(list(self.folder.glob(pattern))) == count, PATIENCE), list(self.folder.iterdir())
        return sorted(self.folder.glob(pattern))


FIND = ("search", "--onlyvisible", "--name", "^realtime-nst$")
ROOT = Path(__file__).parents[1]


def choose(show: Show) -> None:
    for number, colour in zip(NUMBERS, COLOURS):
        show.press(number)
        assert show.shows(colour), number
    show.press("9")
    assert wait_until(lambda: show.picture()[TEXTURED].std(axis=(0, 1)).max() > 3, PATIENCE), "a style that paints what it sees"
    show.press("3")
    assert show.shows("red")


def step_style(show: Show) -> None:
    show.press("n")
    assert show.shows("yellow")
    show.press("p")
    assert show.shows("red")


def step_strength(show: Show) -> None:
    photo = show.studio.photos[0]
    show.press("-")
    assert show.looks_like(0.25 * photo + 0.75 * np.array(COLOURS["red"]))
    assert show.press_until("-", lambda: show.is_like(photo)), "nothing is left of the style"
    show.press("+")
    assert show.looks_like(0.75 * photo + 0.25 * np.array(COLOURS["red"]))
    assert show.press_until("equal", lambda: show.filled("red")), "the same key without shift"


def toggle_colours(show: Show) -> None:
    show.press("c")
    painting = np.full_like(show.studio.photos[0], COLOURS["red"])
    assert show.looks_like(keep_colours_with_numpy(show.studio.photos[0], painting)), "its brightness, the photo's colours"
    show.press("c")
    assert show.shows("red")


def step_texture(show: Show) -> None:
    show.press("9")
    assert wait_until(lambda: show.picture()[TEXTURED].std(axis=(0, 1)).max() > 3, PATIENCE)
    full = show.picture().astype(float)

    def changed() -> float:
        return float(np.abs(show.picture() - full)[NOISY].mean())  # which is plain but for the noise

    assert show.press_until("g", lambda: changed() > 8.0), "its strokes lose what they hang on"
    assert show.press_until("t", lambda: changed() < 3.0), "but for the camera's noise, which it held otherwise"
    show.press("3")
    assert show.shows("red")


def toggle_follow_camera(show: Show) -> None:
    show.press_and_read("v")  # this camera stands
    show.press_and_read("v")


def step_scale(show: Show) -> None:
    show.press("9")
    assert wait_until(lambda: show.picture()[TEXTURED].std(axis=(0, 1)).max() > 3, PATIENCE)
    fine = show.picture()
    assert show.press_until(",", lambda: detail(show.picture()) < 0.7 * detail(fine)), "strokes are larger"
    assert show.press_until(".", lambda: bool(np.abs(show.picture()[TEXTURED].astype(int) - fine[TEXTURED]).mean() < 1.0))
    show.press("3")
    assert show.shows("red")


def detail(picture: np.ndarray) -> float:
    """How much neighbouring pixels differ: finer strokes have more."""
    return float(np.abs(np.diff(picture[TEXTURED].astype(float), axis=1)).mean())


def step_stability(show: Show) -> None:
    show.press("9")
    assert wait_until(lambda: show.picture()[TEXTURED].std(axis=(0, 1)).max() > 3, PATIENCE)
    still = motion(show)
    assert show.press_until("j", lambda: motion(show) > max(0.5, 5 * still)), "without it the camera's noise is painted, too"
    restless = motion(show)
    assert show.press_until("k", lambda: motion(show) < 0.2 * restless), "it holds still again"
    show.press("3")
    assert show.shows("red")


def motion(show: Show) -> float:
    """How much the noisy part changes from one picture to another, on average over some."""
    pictures: list[np.ndarray] = []
    for _ in range(8):
        pictures.append(show.picture()[NOISY].astype(float))
        wait_until(lambda: bool((show.picture()[NOISY] != pictures[-1]).any()), 0.2)
    return float(np.mean(np.std(pictures, axis=0)))


def choose_other(show: Show) -> None:
    show.press("2")
    assert show.shows("green")
    show.press("1")
    assert show.shows("blue")
    show.press("b")
    assert show.shows((0, 64, 191)), "mixed with the style before it"
    show.press("o")
    assert show.shows((64, 0, 191)), "with the one after that"
    assert show.press_until("b", lambda: show.filled("blue"))
    show.press("3")
    assert show.shows("red")


def step_balance(show: Show) -> None:
    show.press("2")
    assert show.shows("green")
    show.press("1")
    assert show.shows("blue")
    for mixed in ((0, 64, 191), (0, 127, 127), (0, 191, 64), COLOURS["blue"]):
        show.press("b")
        assert show.shows(mixed), mixed
    show.press("3")
    assert show.shows("red")


def press_refine(show: Show) -> None:
    show.press_and_read("u")  # these styles are of no picture, which is said
    assert show.shows("red", 0.98), "and the show goes on"


def toggle_cycle(show: Show) -> None:
    seen: set[str] = set()

    def three() -> bool:
        seen.update(colour for colour in COLOURS if show.filled(colour))
        return len(seen) >= 3

    def stays() -> bool:
        colour = show.middle()
        return not wait_until(lambda: show.middle() != colour, 2.5)

    show.press("a")
    assert wait_until(three, PATIENCE), "styles change every second"
    show.press("a")
    assert wait_until(stays, PATIENCE)
    show.press("3")
    assert show.shows("red")
    assert not wait_until(lambda: show.middle() != COLOURS["red"], 1.5), "this style stays"


def step_cycle_seconds(show: Show) -> None:
    def stays() -> bool:
        colour = show.middle()
        return not wait_until(lambda: show.middle() != colour, 3.0)

    show.press("a")
    assert wait_until(lambda: show.middle() != COLOURS["red"], PATIENCE) and not stays(), "styles change every second"
    assert show.press_until("l", stays)
    show.press("a")
    assert wait_until(lambda: show.told(), PATIENCE)
    show.press("3")
    assert show.shows("red")


def toggle_fade(show: Show) -> None:
    def colours_on_the_way(key: str, colour: str) -> set[tuple[int, ...]]:
        passed: set[tuple[int, ...]] = set()
        show.press(key)

        def arrived() -> bool:
            passed.add(show.middle())
            return show.middle() == COLOURS[colour]

        assert wait_until(arrived, PATIENCE)
        return passed

    assert colours_on_the_way("1", "blue") <= {COLOURS["red"], COLOURS["blue"]}, "a cut shows the whole style at once"
    show.press_and_read("d")
    between = colours_on_the_way("3", "red") - {COLOURS["red"], COLOURS["blue"]}
    assert len(between) > 2, "a fade leads through the styles between"
    shares = sorted(red / 255 for red, _, blue in between if abs(red + blue - 255) < 4)
    assert len(shares) == len(between), "each is a mix of the two"
    assert shares[0] > 0.29, "and the very next frame is already far on the way"
    show.press_and_read("d")


def step_fade_seconds(show: Show) -> None:
    for key in ("d", "e", "e"):
        show.press_and_read(key)
    show.press("1")
    assert not wait_until(lambda: show.filled("blue"), 2.0), "much is left to do of ten seconds, and little of three as before"
    assert wait_until(lambda: show.filled("blue"), PATIENCE)
    show.press_and_read("d")
    show.press("3")
    assert show.shows("red")


def step_wipe(show: Show) -> None:
    photo = show.studio.photos[0].astype(int)
    show.press("w")
    assert show.shows("red", 0.3, 0.6), "a half of the picture is the photo"
    left = show.picture()[TEXTURED][:, : WIDTH // 2 - 16]
    assert np.abs(left - photo[TEXTURED][:, : WIDTH // 2 - 16]).mean() < 2
    show.press("w")
    places: set[int] = set()

    def moves() -> bool:
        places.add(int((show.picture()[HEIGHT // 2] != COLOURS["red"]).any(-1).sum()) // 16)
        return len(places) > 5

    assert wait_until(moves, PATIENCE), "the line moves"
    show.press("w")
    assert show.shows("red", 0.95)


def toggle_mirror(show: Show) -> None:
    photo = show.studio.photos[0]
    assert show.press_until("-", lambda: show.is_like(photo))
    show.press("m")
    assert show.looks_like(photo[:, ::-1])
    show.press("m")
    assert show.looks_like(photo)
    assert show.press_until("+", lambda: show.filled("red"))


def toggle_full_screen(show: Show) -> None:
    show.press("f")
    assert show.shows("red", 5.5, 6.5), "800x600 is six times 320x240"
    show.press("9")

    def smooth() -> bool:
        line = show.studio.screen.pixels()[100:200].astype(int)
        same = (np.abs(np.diff(line, axis=1)).max(-1) == 0).mean()
        return bool(line.std() > 3 and same < 0.35)  # of pixels that are repeated 2.5 times 0.6 are the same

    assert wait_until(smooth, PATIENCE), "enlarged without steps"
    show.press("3")
    assert show.shows("red", 5.5, 6.5)
    show.press("f")
    assert show.shows("red")
    show.locate()


def toggle_pause(show: Show) -> None:
    before = len(list(show.folder.glob("*.png")))
    show.press_and_read("space")
    assert not wait_until(lambda: not show.told(), 3.0), "the word 'paused' stays, other words would be gone"
    assert not show.told(1)
    show.press("2")
    assert wait_until(lambda: show.told(1), PATIENCE), "what a key does is told above it"
    assert wait_until(lambda: not show.told(1), PATIENCE)
    show.press("s")
    show.saved("*.png", before + 1)
    assert wait_until(lambda: show.told(1), PATIENCE), "and where the picture is"
    assert show.told() and show.share("green") < 0.1 and show.share("red") > 0.5, "keys work, and the picture is held"
    show.press("space")
    assert show.shows("green")
    show.press("3")
    assert show.shows("red")


def snapshot(show: Show) -> None:
    show.press("i")
    assert show.shows("red", 0.5, 0.95)
    for path in show.folder.glob("*.png"):
        path.unlink()
    show.press_and_read("s")
    (path,) = show.saved("03-red-*.png")

    def whole() -> bool:
        with Image.open(path) as saved:
            return bool((np.asarray(saved) == COLOURS["red"]).all()) and saved.text["Style"] == "03-red"  # type: ignore[attr-defined]

    assert wait_until(whole, PATIENCE), "the painting, with nothing written over it"
    show.press("i")
    assert show.shows("red", 0.95)


def toggle_recording(show: Show) -> None:
    show.press("r")
    assert wait_until(lambda: list(show.folder.glob(".*.part.mp4")) != [], PATIENCE)
    assert wait_until(lambda: show.share((230, 0, 0)) > 0.0 and show.share((255, 255, 255)) > 0.0, PATIENCE), "a red dot"
    show.press("1")
    assert show.shows("blue")
    show.press("r")
    (path,) = show.saved("03-red-*.mp4")
    means = np.array([frame.mean((0, 1)) for frame in frames_of(path)])
    red, blue = (np.abs(means - COLOURS[name]).max(1) < 40 for name in ("red", "blue"))
    assert red[0] and blue[-1], "from red to blue"
    assert (red | blue).all(), "with nothing between: a cut shows the whole style in the very next frame"
    show.press("3")
    assert show.shows("red", 0.95)


def toggle_display(show: Show) -> None:
    text_comes_and_goes(show, "i")
    show.press("i")
    assert show.shows("red", 0.5, 0.95)
    show.press_and_read("space")
    seen: set[bytes] = set()

    def counts() -> bool:
        seen.add(show.picture()[8 : HEIGHT // 4, 8 : WIDTH // 2].tobytes())
        return len(seen) > 5

    assert wait_until(counts, PATIENCE), "the rate sinks and the age grows also while no frame comes"
    show.press("i")
    assert show.shows("red", 0.9), "the figures are gone"
    show.press("space")
    assert show.shows("red", 0.98)


def toggle_help(show: Show) -> None:
    text_comes_and_goes(show, "h")


def text_comes_and_goes(show: Show, key: str) -> None:
    assert show.shows("red", 0.95)
    show.press(key)

    def written() -> bool:
        corner = show.picture()[8 : HEIGHT // 5, 8 : WIDTH // 3].reshape(-1, 3)
        light, dark = (corner.min(1) > 200).mean(), (corner.max(1) < 120).mean()
        return bool(light > 0.01 and dark > 0.4)

    assert wait_until(written, PATIENCE), "light text on a dark ground"
    show.press(key)
    assert show.shows("red", 0.98)


def leave(show: Show) -> None:
    for key in ("q", "esc"):
        show.press(key)
        assert show.process.wait(PATIENCE) == 0 and show.gone()
        assert show.process.stderr is not None and b"Traceback" not in show.process.stderr.read()
        if key == "q":
            show.process.stderr.close()
            again = Show(show.studio, show.folder).start()
            show.process = again.process


CHECKS: tuple[Callable[[Show], None], ...] = (
    choose,
    step_style,
    step_strength,
    toggle_colours,
    step_texture,
    toggle_follow_camera,
    step_scale,
    step_stability,
    choose_other,
    step_balance,
    press_refine,
    toggle_cycle,
    step_cycle_seconds,
    toggle_fade,
    step_fade_seconds,
    step_wipe,
    toggle_mirror,
    toggle_full_screen,
    toggle_pause,
    snapshot,
    toggle_recording,
    toggle_display,
    toggle_help,
    leave,
)
"""What each row of the table of keys does, in its order."""


class Theatre:
    """One show for many tests; after a failure the next test gets a new one."""

    def __init__(self, studio: Studio, folder: Path) -> None:
        self._studio, self._folder = studio, folder
        self.show: Show | None = None

    def open(self) -> Show:
        if self.show is None:
            config = self._studio.folder / "config" / "realtime-nst"
            config.mkdir(parents=True, exist_ok=True)
            (config / "live.json").write_text('{"cycle": 1.0, "fade": 3.0}')
            self.show = Show(self._studio, self._folder, ("--style", "03-red")).start()
            self.show.press_and_read("d")  # cuts from here on
        return self.show

    def close(self) -> None:
        if self.show is not None:
            self.show.close()
            assert self.show.gone()
            self.show = None


@pytest.fixture(scope="module")
def theatre(studio: Studio) -> Iterator[Theatre]:
    built = Theatre(studio, studio.folder / "saved")
    yield built
    built.close()


def test_arrows_and_the_like_mean_nothing(theatre: Theatre) -> None:
    show = theatre.open()
    assert show.shows("red", 0.98), "nothing is written"
    for key in ("Left", "Up", "Right", "Down", "Home", "End", "Insert", "Delete"):  # q, r, s, t, p, w, c in their last 8 bits
        show.press(key)
        heard = wait_until(lambda: show.process.poll() is not None or not show.filled("red", 0.98), 0.3)
        if heard:
            theatre.close()
        assert not heard, key


@pytest.mark.parametrize(("key", "check"), list(zip(KEYS, CHECKS, strict=True)), ids=[key.action for key in KEYS])
def test_each_key_does_in_the_window_what_the_table_says(theatre: Theatre, key: Key, check: Callable[[Show], None]) -> None:
    show = theatre.open()
    show.pressed.clear()
    try:
        check(show)
        assert set(key.names) <= show.pressed
    except BaseException:
        theatre.close()
        raise
    if key.action == "quit":
        theatre.close()


@pytest.fixture
def play(studio: Studio, theatre: Theatre, tmp_path: Path) -> Iterator[Callable[..., Show]]:
    """Start shows of one's own; only one window at a time has the keyboard."""
    theatre.close()
    shows: list[Show] = []

    def start(*flags: str, plug: Path | None = None) -> Show:
        shows.append(Show(studio, tmp_path / "saved", (*Show.flags, *flags), plug))
        return shows[-1]

    yield start
    for show in shows:
        show.close()
    assert all(show.gone() for show in shows)


def test_a_program_that_is_killed_leaves_a_recording_that_plays_and_the_next_one_names_it(play: Callable[..., Show]) -> None:
    from realtime_nst.outputs.recording import rescue_recordings

    show = play().start()
    show.press("r")
    assert wait_until(lambda: list(show.folder.glob(".*.part.mp4")) != [], PATIENCE)
    show.press("1")
    assert show.shows("blue")
    show.process.kill()
    (draft,) = show.folder.glob(".*.part.mp4")

    def playable() -> bool:  # ffmpeg finishes by itself what it has got
        try:
            return len(frames_of(draft)) > 5
        except Exception:
            return False

    assert wait_until(playable, PATIENCE)
    found: list[Path] = []

    def rescued() -> bool:  # not before ffmpeg has ended: until then the file looks as if somebody wrote it
        os.utime(draft, (1, 1))
        found.extend(rescue_recordings(show.folder))
        return bool(found)

    assert wait_until(rescued, PATIENCE)
    (named,) = found
    assert named.name.startswith("03-red-") and not draft.exists() and frames_of(named)


def plug_in(plug: Path, colour: str) -> Path:
    """Plug the camera in: from now on it sees this colour."""
    draft = plug.with_name("draft")
    draft.write_text(" ".join(map(str, COLOURS[colour])))
    draft.replace(plug)
    return plug


def test_a_camera_that_is_unplugged_leaves_its_picture_and_goes_on_when_it_is_back(
    play: Callable[..., Show], tmp_path: Path
) -> None:
    show = play("--strength", "0", plug=plug_in(tmp_path / "plug", "red")).start()
    assert wait_until(lambda: not show.told(), PATIENCE), "the welcome is gone"
    (tmp_path / "plug").unlink()
    assert wait_until(show.told, PATIENCE), "it is told"
    assert not wait_until(lambda: not show.told(), 3.0), "as long as it lasts"
    assert show.filled("red", 0.5), "the last picture stays"
    assert not show.paints(1.0)
    plug_in(tmp_path / "plug", "green")
    assert show.shows("green") and wait_until(lambda: not show.told(), PATIENCE)
    show.press("q")
    assert show.process.wait(PATIENCE) == 0
    assert show.process.stderr is not None
    said = show.process.stderr.read().decode()
    assert "Camera 0 gives no pictures any more. Plug it in: it goes on by itself." in said and "Traceback" not in said


def test_a_minimised_window_paints_nothing_unless_it_is_recorded(play: Callable[..., Show], tmp_path: Path) -> None:
    show = play(plug=plug_in(tmp_path / "plug", "orange")).start()
    assert show.paints()
    show.xdotool(*FIND, "windowminimize")
    assert wait_until(lambda: not show.paints(2.0), PATIENCE), "no work that nobody sees"
    show.xdotool("search", "--name", "^realtime-nst$", "windowactivate")
    assert show.shows("red") and show.paints()
    show.press("1")
    assert show.shows("blue"), "and it goes on"
    show.press("r")
    assert wait_until(lambda: list(show.folder.glob(".*.part.mp4")) != [], PATIENCE)
    show.xdotool(*FIND, "windowminimize")
    assert wait_until(lambda: show.share("blue") < 0.1, PATIENCE)
    assert not wait_until(lambda: not show.paints(2.0), 3.0), "a recording wants every frame"


def test_what_was_set_is_there_the_next_time_until_it_is_reset(play: Callable[..., Show], studio: Studio) -> None:
    show = play().start()
    assert show.press_until("-", lambda: show.is_like(studio.photos[0]))
    show.press("q")
    assert show.process.wait(PATIENCE) == 0 and show.gone()
    again = Show(studio, show.folder, ())
    again.top, again.left = show.top, show.left
    try:
        assert wait_until(lambda: again.studio.screen.pixels().std() > 20, PATIENCE)
        assert again.looks_like(studio.photos[0]), "still the photo"
    finally:
        again.close()
    assert again.gone() and play().shows("red"), "with --reset as a new user finds it"


def test_a_key_is_remembered_and_a_flag_is_not(play: Callable[..., Show], studio: Studio) -> None:
    show = play("--mirror", "--fade", "0", "--stability", "0").start()
    show.press("1")
    assert show.shows("blue")
    show.press("q")
    assert show.process.wait(PATIENCE) == 0 and show.gone()
    again = Show(studio, show.folder, ())
    again.top, again.left = show.top, show.left
    try:
        assert again.shows("blue", 0.5), "the style that a key chose, over that of the flag"
        assert wait_until(again.told, PATIENCE), "and it is told in the window"
        assert again.press_until("-", lambda: again.is_like(studio.photos[0])), "not mirrored, as it was by a flag"
        again.press("q")
        assert again.process.wait(PATIENCE) == 0
        assert again.process.stderr is not None
        assert "Kept from an earlier show: 01-blue. --reset" in again.process.stderr.read().decode()
    finally:
        again.close()
    kept = json.loads((studio.folder / "config" / "realtime-nst" / "live.json").read_text())
    assert (kept["style"], kept["strength"]) == ("01-blue", 0.0)
    assert (kept["mirror"], kept["fade"], kept["stability"]) == (False, 1.0, 8), "as for a new user"
    assert again.gone()


def test_a_window_opens_whole_on_a_screen_that_is_smaller_than_its_picture(play: Callable[..., Show]) -> None:
    show = play("--size", "1440x1080")
    assert wait_until(lambda: show.near("red").sum() > 0.3 * SCREEN[0] * SCREEN[1] or show.process.poll() is not None, PATIENCE)

    def whole() -> bool:
        rows, columns = np.nonzero(show.near("red"))
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        inside = rows.min() > 0 and rows.max() < SCREEN[1] - 1 and columns.min() > 0 and columns.max() < SCREEN[0] - 1
        return bool(inside and abs(width / height - 4 / 3) < 0.02 and height > 0.8 * SCREEN[1])

    assert wait_until(whole, PATIENCE)


def test_the_wheel_does_not_zoom_into_the_picture(play: Callable[..., Show]) -> None:
    show = play().start()
    show.press("w")
    assert show.shows("red", 0.3, 0.6), "a line down the middle"
    show.press("space")
    assert wait_until(show.told, PATIENCE)
    before = show.picture()
    show.xdotool("mousemove", str(show.left + 3 * WIDTH // 4), str(show.top + HEIGHT - 20))  # where the pointer hides nothing
    for button in ("4", "4", "5", "4", "4"):
        show.xdotool("click", button)
    assert not wait_until(lambda: bool((show.picture()[TEXTURED] != before[TEXTURED]).any()), 2.0)
    show.press("space")
    show.press("1")
    assert show.shows("blue", 0.3, 0.6), "and keys are heard as before"


def test_closing_the_window_quits(play: Callable[..., Show]) -> None:
    show = play().start()

    def closed() -> bool:  # until the manager has taken its keys, nobody hears them
        show.xdotool("key", "alt+F4")
        return wait_until(lambda: show.process.poll() is not None, 1.0)

    assert wait_until(closed, PATIENCE)
    assert show.process.returncode == 0, show.process.stderr and show.process.stderr.read()


def test_the_connection_that_asks_for_the_window_is_closed(studio: Studio) -> None:
    code = """
import os
import numpy as np
from realtime_nst.live.window import WindowSink
from realtime_nst.frames import Frame

sink = WindowSink("closing", 64, 48)
sink.write(Frame(np.zeros((48, 64, 3), np.uint8), 0, 0.0))
sink.poll_key(0.01)
before = len(os.listdir("/proc/self/fd"))
assert sink.watched
sink.close()
assert len(os.listdir("/proc/self/fd")) < before
assert sink._watcher.seen(), "it cannot tell any more"
"""
    done = subprocess.run([sys.executable, "-c", code], env=studio.environment, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr


EVENTS_OF_QT = """
import ctypes
from realtime_nst.live.visibility import watch_window

watch_window("any")
x, found_by_qt = ctypes.CDLL("libX11.so.6"), ctypes.CDLL(None)
pointer, window = ctypes.c_void_p, ctypes.c_ulong
x.XOpenDisplay.restype, x.XDefaultRootWindow.restype, x.XCreateSimpleWindow.restype = pointer, window, window
x.XDefaultRootWindow.argtypes = x.XPending.argtypes = [pointer]
x.XCreateSimpleWindow.argtypes = [pointer, window, *[ctypes.c_int] * 2, *[ctypes.c_uint] * 3, *[window] * 2]
x.XSelectInput.argtypes = [pointer, window, ctypes.c_long]
x.XStoreName.argtypes = [pointer, window, ctypes.c_char_p]
x.XSync.argtypes = found_by_qt.XSetEventQueueOwner.argtypes = [pointer, ctypes.c_int]
for owned_by_qt in (False, True):
    display = x.XOpenDisplay(None)
    if owned_by_qt:
        found_by_qt.XSetEventQueueOwner(display, 1)
    child = x.XCreateSimpleWindow(display, x.XDefaultRootWindow(display), 0, 0, 1, 1, 0, 0, 0)
    x.XSelectInput(display, child, 1 << 22)  # changes of properties
    x.XStoreName(display, child, b"a name")
    x.XSync(display, 0)
    print(x.XPending(display))
"""
"""How many events Xlib takes of a display: by itself, and after what Qt does with its own."""


def test_xlib_takes_no_event_of_qts_window(studio: Studio) -> None:
    if ctypes.util.find_library("X11-xcb") is None:
        pytest.skip("libX11-xcb is not installed")
    command = [sys.executable, "-c", EVENTS_OF_QT]
    done = subprocess.run(command, env=studio.environment, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout.split() == ["1", "0"], done.stderr
