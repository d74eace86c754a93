"""The page in a real browser, judged by the pixels that it shows."""

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from realtime_nst.control.access import TOKEN_VARIABLE
from realtime_nst.live.actions import ACTIONS
from realtime_nst.media.ffmpeg import executable
from realtime_nst.media.probing import probe
from realtime_nst.style.encoder import write_encoder
from realtime_nst.style.style import write_style
from tests import conftest
from tests.conftest import JOBS_IN_TIME, PATIENCE, frames_of, narrow_body, random_encoder, random_vector

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
if CHROMIUM is None or DRIVER is None:
    pytest.skip("chromium or chromedriver is not installed: no browser", allow_module_level=True)
webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: no browser")
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

ROOT = Path(__file__).parents[1]
WIDTH, HEIGHT = 160, 120
RED, BLUE, GREEN = (230, 20, 20), (20, 20, 230), (20, 200, 20)
LEFT, RIGHT = (200, 150, 60), (60, 90, 140)
"""What the camera sees."""
TOKEN = "a-token-of-the-test"
wait_until = partial(conftest.wait_until, pause=0.03)
"""Each look keeps the browser from drawing."""


@pytest.fixture(autouse=True)
def nothing_left_behind() -> None:
    """One show and one browser outlive many tests."""


class Theatre:
    """A running studio.

    Args:
        folder: Where it keeps everything.
        flags: Of the command, besides those that all have.
        snapshots: Whether pictures go to its own folder.
    """

    def __init__(self, folder: Path, *flags: str, snapshots: bool = True) -> None:
        self.folder = folder
        (folder / "saved").mkdir(exist_ok=True)
        own = {"XDG_CONFIG_HOME": str(folder / "config"), "XDG_DATA_HOME": str(folder / "data")}
        own |= {"REALTIME_NST_CACHE": str(folder / "cache"), TOKEN_VARIABLE: TOKEN}
        command = [sys.executable, "-c", JOBS_IN_TIME, "studio", "--no-open", "--port", "0", "--style", "a-red", "--reset"]
        command += ["--camera", str(folder / "camera.mkv"), "--weights", str(folder / "weights"), *flags]
        command += ["--fade", "0", "--stability", "0", *(["--snapshots", str(folder / "saved")] if snapshots else [])]
        self.process = subprocess.Popen(command, env={**os.environ, **own}, stderr=subprocess.PIPE, text=True, cwd=ROOT)
        self.link, self.port = "", 0
        for line in self.process.stderr or ():
            if found := re.search(r"See and steer it at (\S+)", line):
                self.link, self.port = found[1], int(found[1].split(":")[2].split("/")[0])
                break
        assert self.link, "it does not say where it is"

    def act(self, name: str, value: Any = None) -> dict[str, Any]:
        """Do an action past the page."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("POST", f"/api/actions/{name}?token={TOKEN}", json.dumps({"value": value}))
            state: dict[str, Any] = json.loads(connection.getresponse().read())
            return state

    def close(self) -> int:
        self.process.terminate()
        self.process.communicate()
        return self.process.returncode


def solid(colour: tuple[int, ...]) -> np.ndarray:
    """A style that paints everything in one colour."""
    vector = random_vector(0)
    vector[-6:-3] = 0.0
    vector[-3:] = (np.array(colour) - 127.5) / 64
    return vector


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three styles of one colour each, and a camera that sees one colour to the left and another to the right."""
    folder = tmp_path_factory.mktemp("studio")
    body = narrow_body(folder / "weights")
    write_encoder(folder / "weights", body, random_encoder(body.architecture.vector_size), {})
    for name, colour in (("a-red", RED), ("ab-blue", BLUE), ("c-green", GREEN)):
        facts = {"title": name.partition("-")[2].title(), "artist": "Nobody", "year": "2000"}
        write_style(folder / "weights", name, solid(colour), body, facts)
    photo = np.full((HEIGHT, WIDTH, 3), LEFT, np.uint8)
    photo[:, WIDTH // 2 :] = RIGHT
    command = [executable(), "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}", "-r", "30"]
    command += ["-i", "-", "-c:v", "ffv1", "-pix_fmt", "bgr0", str(folder / "camera.mkv")]
    subprocess.run(command, input=np.repeat(photo[None], 30, 0).tobytes(), check=True)
    return folder


@pytest.fixture(scope="module")
def theatre(stage: Path) -> Iterator[Theatre]:
    show = Theatre(stage)
    yield show
    show.close()


class Page:
    """A page in a browser."""

    def __init__(self, link: str, width: int = 1280, height: int = 800, scheme: str = "dark") -> None:
        options = webdriver.ChromeOptions()
        for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
            options.add_argument(flag)
        options.binary_location = CHROMIUM
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
        self.resize(width, height)
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        self.open(link)

    def open(self, link: str) -> None:
        """Load it, and wait until it moves."""
        self.driver.get(link)
        assert wait_until(lambda: self.drawn() > 2), self.driver.get_log("browser")

    def resize(self, width: int, height: int) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def drawn(self) -> int:
        """How many pictures were drawn."""
        return int(self.run("return document.getElementById('picture')?.dataset.drawn ?? 0"))

    def colours(self) -> tuple[np.ndarray, np.ndarray]:
        """The mean colours of the left and of the right half of the picture."""
        means = self.run(
            "const canvas = document.getElementById('picture'), context = canvas.getContext('2d'), half = canvas.width / 2;"
            "return [0, half].map((left) => {"
            " const data = context.getImageData(left + 8, 8, half - 16, canvas.height - 16).data, sums = [0, 0, 0, 0];"
            " data.forEach((value, index) => { sums[index % 4] += value; });"
            " return sums.slice(0, 3).map((sum) => 4 * sum / data.length);"
            "});"
        )
        left, right = np.array(means, float)
        return left, right

    def shows(self, left: Any, right: Any = None) -> bool:
        """Wait until the halves of the picture have these colours."""
        wanted = np.array(left, float), np.array(left if right is None else right, float)

        def near() -> bool:
            return all(np.abs(seen - expected).max() < 14 for seen, expected in zip(self.colours(), wanted))

        return wait_until(near, PATIENCE / 3) or bool(pytest.fail(f"{wanted} expected, {self.colours()} seen"))

    def find(self, selector: str) -> Any:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def click(self, selector: str) -> None:
        self.find(selector).click()

    def press(self, keys: str) -> None:
        """Press keys, wherever the focus is."""
        ActionChains(self.driver).send_keys(keys).perform()

    def slide(self, name: str, key: str, times: int = 1) -> None:
        """Move a slider by its keys."""
        self.find(f"#set-{name}").send_keys(key * times)

    def text(self, selector: str) -> str:
        return str(self.find(selector).text)

    def complaints(self) -> list[str]:
        """What the browser has to say of the page: errors, and what its security policy has stopped."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]


@pytest.fixture
def pages() -> Iterator[Callable[..., Page]]:
    """Opens pages, which are closed after the test: each that is left draws on, and takes the time of those that follow."""
    made: list[Page] = []

    def make(*arguments: Any, **options: Any) -> Page:
        made.append(Page(*arguments, **options))
        return made[-1]

    yield make
    for page in made:
        page.driver.quit()


@pytest.fixture(scope="module")
def only(theatre: Theatre) -> Iterator[Page]:
    page = Page(theatre.link)
    yield page
    page.driver.quit()


@pytest.fixture
def page(only: Page, theatre: Theatre) -> Page:
    """The page, and a show that paints in red and nothing else."""
    plain = {
        "style": "a-red",
        "strength": 1,
        "colours": False,
        "texture": 1,
        "scale": 1,
        "stability": 0,
        "fade": False,
        "cycle": False,
    }
    for name, value in {**plain, "wipe": "off", "mirror": False, "pause": False, "record": False, "mix": 0}.items():
        assert "error" not in theatre.act(name, value)
    assert only.shows(RED)
    return only


def test_the_page_opens_and_its_picture_moves(page: Page) -> None:
    before = page.drawn()
    assert wait_until(lambda: page.drawn() > before + 10)
    assert page.text("#title") == "Red" and page.text("#artist") == "Nobody, 2000"
    assert re.fullmatch(r"\d+ frames/s \d+ ms old", page.text("#figures"))
    assert page.complaints() == []


def test_a_click_on_a_style_paints_in_it_and_the_plaque_names_it(page: Page) -> None:
    page.click("[data-style=ab-blue]")
    assert page.shows(BLUE) and wait_until(lambda: page.text("#title") == "Blue")
    assert page.find("[data-style=ab-blue]").get_attribute("aria-pressed") == "true"
    assert page.find("[data-style=a-red]").get_attribute("aria-pressed") == "false"


def test_thumbnails_are_painted_each_in_its_style(page: Page) -> None:
    script = (
        "const image = document.querySelector(`[data-style=${arguments[0]}] img`);"
        "if (!image.naturalWidth || image.naturalWidth < 32) return null;"
        "const canvas = document.createElement('canvas'); canvas.width = canvas.height = 1;"
        "const context = canvas.getContext('2d'); context.drawImage(image, 0, 0, 1, 1);"
        "return Array.from(context.getImageData(0, 0, 1, 1).data).slice(0, 3);"
    )

    def painted(name: str, colour: tuple[int, ...]) -> bool:
        found = page.run(script, name)
        return found is not None and bool(np.abs(np.array(found) - colour).max() < 20)

    for name, colour in (("a-red", RED), ("ab-blue", BLUE), ("c-green", GREEN)):
        assert wait_until(lambda name=name, colour=colour: painted(name, colour)), page.run(script, name)


def mixed(one: Any, other: Any, share: float) -> np.ndarray:
    return (1 - share) * np.array(one, float) + share * np.array(other, float)


def test_a_style_dragged_onto_another_is_mixed_with_it(page: Page) -> None:
    ActionChains(page.driver).drag_and_drop(page.find("[data-style=ab-blue]"), page.find("[data-style=c-green]")).perform()
    assert page.shows(mixed(GREEN, BLUE, 0.5))
    assert wait_until(lambda: page.text("#title") == "Green 50 %, Blue 50 %")
    assert page.text("[data-style=ab-blue] .share") == "50 %" and page.text("[data-style=a-red] .share") == ""
    page.slide("mix", Keys.HOME)
    assert page.shows(GREEN)


def test_the_share_of_another_style_moves(page: Page) -> None:
    page.find("#set-other").send_keys("Green")
    page.slide("mix", Keys.ARROW_RIGHT, 30)
    assert page.shows(mixed(RED, GREEN, 0.3)) and wait_until(lambda: "30 %" in page.text("#title"))


def test_strength_goes_to_the_photo_and_back(page: Page) -> None:
    page.slide("strength", Keys.HOME)
    assert page.shows(LEFT, RIGHT)
    page.slide("strength", Keys.ARROW_RIGHT, 50)
    assert page.shows(mixed(LEFT, RED, 0.5), mixed(RIGHT, RED, 0.5))
    page.slide("strength", Keys.END)
    assert page.shows(RED)


def test_texture_is_a_share_that_a_slider_and_the_keys_of_the_window_set(page: Page, theatre: Theatre) -> None:
    page.slide("texture", Keys.HOME)
    assert (
        wait_until(lambda: theatre.act("texture", "-")["actions"]["texture"] == 0.0)
        and page.text("[for=set-texture] + output") == "0 %"
    )
    page.run("document.activeElement.blur()")
    page.press("t")
    assert wait_until(lambda: page.text("[for=set-texture] + output") == "25 %")
    page.slide("texture", Keys.END)
    assert wait_until(lambda: page.text("[for=set-texture] + output") == "100 %")


def test_own_colours_are_the_photos(page: Page) -> None:
    page.click("#set-colours")
    assert wait_until(lambda: page.colours()[1][2] > page.colours()[1][0] + 30), "blue where the photo is"
    page.click("#set-colours")
    assert page.shows(RED)


def test_before_and_after_shows_the_photo_to_the_left(page: Page) -> None:
    page.click("[for=set-wipe-half]")
    assert page.shows(LEFT, RED)
    page.click("[for=set-wipe-moving]")
    seen: set[int] = set()

    def moved() -> bool:
        seen.add(round(page.colours()[0][1] / 20))
        return len(seen) > 3

    assert wait_until(moved), "the line moves"
    page.click("[for=set-wipe-off]")
    assert page.shows(RED)


def test_mirror_flips_the_picture(page: Page) -> None:
    page.click("[for=set-wipe-half]")
    assert page.shows(LEFT, RED)
    page.click(".tool-mirror")
    assert page.shows(RIGHT, RED)
    assert wait_until(lambda: page.find(".tool-mirror").get_attribute("aria-pressed") == "true")


def test_pause_holds_the_picture(page: Page) -> None:
    page.click(".tool-pause")
    assert wait_until(lambda: page.text("#notice") == "Paused")
    before = [0]

    def still() -> bool:
        before[0], last = page.drawn(), before[0]
        return before[0] == last

    assert wait_until(still)
    page.click("[data-style=ab-blue]")
    page.click(".tool-pause")
    assert page.shows(BLUE)


def test_scale_and_stability_are_set_in_steps_and_numbers(page: Page, theatre: Theatre) -> None:
    page.slide("scale", Keys.ARROW_LEFT, 2)
    page.slide("stability", Keys.ARROW_RIGHT, 5)
    assert wait_until(lambda: theatre.act("display")["actions"]["scale"] == 0.75)
    assert wait_until(lambda: theatre.act("display")["actions"]["stability"] == 5)
    assert wait_until(lambda: page.text(".slider:has(#set-scale) output") == "75 %")
    assert wait_until(lambda: "painted at 120 " in str(page.find("#figures").get_attribute("title")))


def test_styles_change_by_themselves(page: Page) -> None:
    page.slide("cycle_seconds", Keys.HOME)
    page.click("#set-cycle")
    assert wait_until(lambda: page.text("#title") not in ("Red", "Blue"))
    page.click("#set-cycle")


def test_a_fade_takes_its_time(page: Page) -> None:
    page.slide("fade_seconds", Keys.END)  # which also makes it fade
    page.click("[data-style=ab-blue]")
    assert wait_until(lambda: 60 < page.colours()[0][2] < 200), "on its way"
    assert page.text(".slider:has(#set-fade_seconds) output") == "10 s"


def test_pictures_and_recordings_are_saved(page: Page, theatre: Theatre) -> None:
    saved = theatre.folder / "saved"
    page.click(".tool-snapshot")
    assert wait_until(lambda: any(saved.glob("a-red-*.png")))
    page.click(".tool-record")
    assert wait_until(lambda: page.find("#recording").is_displayed())
    before = page.drawn()
    assert wait_until(lambda: page.drawn() > before + 20)
    page.click(".tool-record")
    assert wait_until(lambda: any(saved.glob("a-red-*.mp4")))
    assert wait_until(lambda: not page.find("#recording").is_displayed())
    (film,) = saved.glob("a-red-*.mp4")
    frames = frames_of(film)
    assert len(frames) > 10 and np.abs(frames[0].mean((0, 1)) - RED).max() < 14


def test_keys_do_what_they_do_in_the_window(page: Page) -> None:
    page.click("#title")
    page.press("2")
    assert page.shows(BLUE)
    page.press("p")
    assert page.shows(RED)
    page.press("----")
    assert page.shows(LEFT, RIGHT)
    page.press("++++w")
    assert page.shows(LEFT, RED)
    page.press("www")  # moving, off, half
    page.press("m")
    assert page.shows(RIGHT, RED)
    page.press("h")
    assert page.find("#keys").is_displayed()
    listed = page.text("#keys-list")
    assert all(action.help in listed for action in ACTIONS if action.keys)
    page.press("m")  # of the dialog, not of the show
    page.press(Keys.ESCAPE)
    assert wait_until(lambda: not page.find("#keys").is_displayed())
    page.press("i")
    assert not page.find("#figures").is_displayed()
    page.press("i")
    assert page.shows(RIGHT, RED), "no key was heard in the dialog"


def test_full_screen_is_the_page_s_own(page: Page) -> None:
    page.click("#title")
    page.press("f")
    assert wait_until(lambda: page.run("return document.fullscreenElement?.id") == "wall")
    assert not page.find("#tools").is_displayed() and page.shows(RED)
    page.press("f")
    assert wait_until(lambda: page.run("return document.fullscreenElement") is None)


def drop(page: Page, *files: Path, at: str = "main") -> None:
    """Drop files on a part of the page, as a hand does."""
    page.run("const input = document.createElement('input'); input.type = 'file'; input.multiple = true; input.id = 'hand';"
             "document.body.append(input)")  # fmt: skip
    page.find("#hand").send_keys("\n".join(map(str, files)))
    page.run(
        "const hand = document.getElementById('hand'), dataTransfer = new DataTransfer();"
        "for (const file of hand.files) dataTransfer.items.add(file);"
        "hand.remove();"
        "for (const kind of ['dragenter', 'dragover', 'drop'])"
        " document.querySelector(arguments[0])"
        ".dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }))",
        at,
    )


def job_on(page: Page, name: str) -> dict[str, Any]:
    """What the list of jobs shows of one, by the name of its file; nothing of one that is not there."""
    return dict(
        page.run(
            "const item = [...document.querySelectorAll('#jobs li')].find("
            " (one) => one.querySelector('.name').textContent === arguments[0]);"
            "return item ? { state: item.dataset.state, how: item.querySelector('.how').textContent,"
            " seen: item.querySelector('img').naturalWidth, save: item.querySelector('.save')?.href } : {}",
            name,
        )
    )


def test_a_dropped_film_comes_back_painted_with_its_sound(page: Page, theatre: Theatre, talkie: Path, tmp_path: Path) -> None:
    page.click("[data-style=ab-blue]")
    assert page.shows(BLUE)
    drop(page, talkie)
    assert wait_until(lambda: job_on(page, "talkie.mp4").get("state") == "done")
    shown = job_on(page, "talkie.mp4")
    assert shown["how"].startswith("Painted, ") and wait_until(lambda: job_on(page, "talkie.mp4")["seen"] == 96)
    assert page.text("#jobs li .style-name") == "Blue"
    with closing(http.client.HTTPConnection("127.0.0.1", theatre.port, timeout=30)) as connection:
        connection.request("GET", shown["save"].partition(str(theatre.port))[2])
        (tmp_path / "painted.mp4").write_bytes(connection.getresponse().read())
    frames = frames_of(tmp_path / "painted.mp4")
    assert len(frames) == 50 and np.abs(frames[25].mean((0, 1)) - BLUE).max() < 20
    assert "audio" in {track.kind for track in probe(str(tmp_path / "painted.mp4")).tracks}
    page.click("#jobs li [aria-label^=Remove]")
    assert wait_until(lambda: job_on(page, "talkie.mp4") == {})


def test_a_job_outlives_a_reload_and_is_cancelled(page: Page, theatre: Theatre, make_clip: Callable[..., Path]) -> None:
    film = make_clip("long.mp4", "-f", "lavfi", "-i", "testsrc=size=160x120:rate=25:duration=60", "-preset", "ultrafast")
    drop(page, film)
    assert wait_until(lambda: re.match(r"\d+ %, .+ left", job_on(page, "long.mp4").get("how", "")) is not None)
    page.open(theatre.link)
    assert wait_until(lambda: job_on(page, "long.mp4").get("state") == "painting")
    page.click("#jobs li [aria-label='Cancel long.mp4']")
    assert wait_until(lambda: job_on(page, "long.mp4") == {})

    def gone() -> bool:
        folders = [folder for folder, _, names in os.walk(theatre.folder / "data") if any("original" in name for name in names)]
        return not folders  # os.walk passes over what goes away while it looks

    assert wait_until(gone)


def test_another_camera_is_shown_while_the_show_goes_on(page: Page, theatre: Theatre) -> None:
    before = theatre.act("strength", 0)["actions"]
    assert page.shows(LEFT, RIGHT)
    page.click(".tool-camera")
    assert wait_until(lambda: page.run("return document.querySelectorAll('#camera .camera').length") >= 2)
    assert page.find("#camera .camera[aria-pressed=true]").text == "camera.mkv"
    stills = "return [...document.querySelectorAll('#camera img')].every((image) => image.naturalWidth > 100)"
    assert wait_until(lambda: bool(page.run(stills)))
    page.click("#camera [data-camera=pattern]")
    assert wait_until(lambda: not page.find("#camera").is_displayed())
    assert wait_until(lambda: np.abs(page.colours()[0] - LEFT).max() > 40)
    page.click(".tool-camera")
    page.find("#camera-other").send_keys(f"{theatre.folder}/nothing.mkv{Keys.ENTER}")
    assert wait_until(lambda: "No file at" in page.text("#camera-words"))
    page.find("#camera-other").clear()
    page.find("#camera-other").send_keys(f"{theatre.folder}/camera.mkv{Keys.ENTER}")
    assert wait_until(lambda: not page.find("#camera").is_displayed())
    assert page.shows(LEFT, RIGHT) and theatre.act("strength", 0)["actions"] == before
    assert all("400" in words for words in page.complaints()), "the file that is not there, and nothing else"


def test_a_booth_takes_pictures_and_goes_through_the_paintings(stage: Path, pages: Callable[..., Page], tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    saved.mkdir()
    show = Theatre(stage, "--kiosk", "--host", "0.0.0.0", "--snapshots", str(saved), snapshots=False)
    try:
        assert "/kiosk?token=" in show.link
        booth = pages(show.link)
        assert booth.shows(RED) and wait_until(lambda: booth.text("#title") == "Red")
        booth.click("#after")
        assert booth.shows(BLUE) and booth.text("#artist") == "Nobody, 2000"
        booth.click("#take")
        assert wait_until(lambda: booth.text("#count") == "3") and wait_until(lambda: booth.text("#count") == "1")
        assert wait_until(lambda: booth.run("return document.getElementById('photo').naturalWidth") == WIDTH)
        assert wait_until(lambda: booth.run("return document.getElementById('code').naturalWidth") > 50)
        address = str(booth.run("return document.getElementById('photo').src"))
        with closing(http.client.HTTPConnection("127.0.0.1", show.port, timeout=30)) as connection:
            connection.request("GET", address.partition(str(show.port))[2])  # as a phone, without a token
            answer = connection.getresponse()
            assert answer.status == 200 and answer.read(2) == b"\xff\xd8"
        assert wait_until(lambda: bool(list(saved.glob("ab-blue-*.png"))))
        booth.press(Keys.ESCAPE)
        assert wait_until(lambda: not booth.find("#shown").is_displayed())
        booth.run("performance.now = ((now) => () => now.call(performance) + 3600e3)(performance.now)")  # an hour later
        assert wait_until(lambda: booth.text("#title") == "Green")
        assert all("Cross-Origin-Opener-Policy" in words for words in booth.complaints()), "which needs encryption to count"
        assert not booth.driver.find_elements(By.CSS_SELECTOR, "input, a, .tool"), "visitors can do nothing else"
    finally:
        show.close()


def test_what_is_nothing_to_paint_is_said_on_the_page(page: Page, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "fake.mp4").write_text("hello")
    drop(page, tmp_path / "notes.txt")
    assert wait_until(lambda: page.text("#notice") == "Photos and films can be painted here, and nothing else.")
    drop(page, tmp_path / "fake.mp4")
    assert wait_until(lambda: "no photo and no film" in page.text("#notice")) and job_on(page, "fake.mp4") == {}


def test_every_action_is_on_the_page(page: Page) -> None:
    own = dict.fromkeys(("style", "next"), "[data-style]")

    own |= {"help": ".tool-keys", "display": "#figures", "full_screen": ".tool-full_screen"}
    for action in ACTIONS:
        selector = own.get(action.name, f"#set-{action.name}, .tool-{action.name}, [name=set-{action.name}]")
        assert page.driver.find_elements(By.CSS_SELECTOR, selector), action.name


def test_keyboard_alone_is_enough(page: Page) -> None:
    page.run("document.activeElement.blur()")
    reached = []
    for _ in range(80):
        page.press(Keys.TAB)
        reached.append(page.run("const a = document.activeElement; return a.id || a.dataset.style || a.className"))
        if reached[-1] == "ab-blue":
            page.press(Keys.ENTER)
            assert page.shows(BLUE)
            outline = page.run("return getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", "one sees where one is"
    controls = {"set-strength", "set-colours", "set-scale", "set-stability", "set-mix", "set-other", "set-cycle", "set-fade"}
    tools = {"tool tool-snapshot", "tool tool-record", "tool tool-pause", "tool tool-mirror", "tool tool-quit"}
    assert controls | tools | {"a-red", "c-green"} <= set(reached)


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_an_audit_of_accessibility_finds_nothing_serious(theatre: Theatre, pages: Callable[..., Page], scheme: str) -> None:
    axe_module = pytest.importorskip("axe_selenium_python", reason="axe-selenium-python is not installed: no audit")
    page = pages(theatre.link, scheme=scheme)
    axe = axe_module.Axe(page.driver)
    axe.inject()
    for opened in ("", "keys", "ending", "camera", "booth"):
        if opened == "booth":
            page.open(f"{theatre.link}kiosk")
            axe.inject()
            page.run("document.getElementById('shown').hidden = false")
            opened = ""
        if opened:
            page.run("document.getElementById(arguments[0]).showModal()", opened)
        found = axe.run()["violations"]
        serious = [rule for rule in found if rule["impact"] in ("serious", "critical")]
        assert not serious, [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in serious]
        if opened:
            page.run("document.getElementById(arguments[0]).close()", opened)


@pytest.mark.parametrize("width", [360, 414, 768, 1024, 1920])
def test_it_fits_any_width(page: Page, width: int) -> None:
    try:
        page.resize(width, 800)
        assert page.run("return document.documentElement.scrollWidth") <= width
        sideways = page.run(
            "return [...document.querySelectorAll('#panel *, #tools *, #plaque *, #jobs *')].filter((part) => {"
            " const box = part.getBoundingClientRect(); return box.width > 1 && (box.right > innerWidth + 1 || box.left < -1)"
            "}).map((part) => part.id || part.className)"
        )
        assert not sideways
        for selector in ("#picture", "#set-strength", ".tool-record", "[data-style=a-red]"):
            page.run("arguments[0].scrollIntoView()", page.find(selector))
            assert page.find(selector).is_displayed() and page.find(selector).size["width"] > 20
        page.run("scrollTo(0, document.body.scrollHeight)")
        top = page.run("return document.getElementById('picture').getBoundingClientRect().top")
        assert -1 <= top < 400, "the picture stays in sight"
    finally:
        page.resize(1280, 800)


def test_two_pages_show_the_same(page: Page, theatre: Theatre, pages: Callable[..., Page]) -> None:
    other = pages(theatre.link, 400, 800)
    other.click("[data-style=c-green]")
    assert page.shows(GREEN) and wait_until(lambda: page.text("#title") == "Green")
    page.slide("strength", Keys.HOME)
    assert other.shows(LEFT, RIGHT)
    assert wait_until(lambda: other.run("return document.getElementById('set-strength').value") == "0")


def test_the_picture_alone_has_nothing_beside_it(theatre: Theatre, page: Page, pages: Callable[..., Page]) -> None:
    view = pages(f"{theatre.link}view", 400, 300)
    assert view.shows(RED) and not view.driver.find_elements(By.CSS_SELECTOR, "button, input, a")
    assert view.complaints() == []


def test_a_reload_changes_nothing(page: Page, theatre: Theatre) -> None:
    theatre.act("style", "ab-blue")
    page.open(theatre.link)
    assert page.shows(BLUE) and wait_until(lambda: page.text("#title") == "Blue")


def test_a_painting_that_becomes_a_style_elsewhere_is_on_the_page_at_once(page: Page, theatre: Theatre, tmp_path: Path) -> None:
    names = "return [...document.querySelectorAll('[data-style]')].map((item) => item.dataset.style)"
    before = page.run(names)
    assert {"a-red", "ab-blue"} < set(before) and "cat" not in before
    Image.effect_noise((64, 48), 80).save(tmp_path / "cat.png")
    with closing(http.client.HTTPConnection("127.0.0.1", theatre.port, timeout=60)) as connection:
        connection.request("POST", f"/api/styles?name=cat.png&token={TOKEN}", (tmp_path / "cat.png").read_bytes())
        assert connection.getresponse().status == 201
    assert wait_until(lambda: page.run(names) == [*before, "cat"])
    assert wait_until(lambda: page.text("#title") == "cat"), "and painted in"
    page.find("[data-style=ab-blue]").click()
    assert page.shows(BLUE)


def test_a_painting_dropped_on_the_gallery_is_a_style_and_is_painted_in(page: Page, theatre: Theatre, tmp_path: Path) -> None:
    Image.effect_noise((64, 48), 80).save(tmp_path / "dog.png")
    page.complaints()  # those about the tests before
    drop(page, tmp_path / "dog.png", at="#gallery")
    assert wait_until(lambda: page.text("#title") == "dog")
    assert page.find("[data-style=dog]").get_attribute("aria-pressed") == "true"
    assert wait_until(lambda: page.run("return document.querySelector('[data-style=dog] img').naturalWidth") > 0), "its thumbnail"
    assert page.run("return document.querySelectorAll('#jobs li').length") == 0, "and no photo to be painted"
    page.find("[data-style=ab-blue]").click()
    assert page.shows(BLUE) and page.complaints() == []


def test_a_link_with_a_token_opens_it_and_the_token_leaves_the_address(stage: Path, pages: Callable[..., Page]) -> None:
    show = Theatre(stage, "--host", "0.0.0.0")
    try:
        bare = f"http://127.0.0.1:{show.port}/"
        page = pages(f"{bare}?token={TOKEN}")
        assert page.shows(RED) and page.driver.current_url == bare
        page.open(bare)  # as a bookmark
        assert "httpOnly" in str(page.driver.get_cookies()) and TOKEN not in page.run("return document.cookie")
        page.click(".tool-phone")
        assert wait_until(lambda: page.run("return document.getElementById('code').naturalWidth") > 50)
        page.press(Keys.ESCAPE)
        page.click(".tool-quit")
        page.click("#ending button[value='']")
        assert show.process.poll() is None
        page.click(".tool-quit")
        page.click("#ending .danger")
        assert show.process.wait(PATIENCE) == 0
        assert wait_until(lambda: "has ended" in page.text("#absent"))
        with pytest.raises(Exception, match="REFUSED"):
            page.driver.get(bare)
    finally:
        show.close()


def test_a_page_goes_on_when_the_show_is_back(stage: Path, pages: Callable[..., Page]) -> None:
    first = Theatre(stage)
    page = pages(first.link)
    assert page.shows(RED)
    assert first.close() == 0, "asked to end by SIGTERM"
    assert wait_until(lambda: "has ended" in page.text("#absent"))
    second = Theatre(stage, "--port", str(first.port))
    try:
        before = page.drawn()
        assert wait_until(lambda: page.drawn() > before + 5) and not page.find("#absent").is_displayed()
    finally:
        second.close()


def test_what_is_set_on_the_page_is_kept_for_the_next_show(stage: Path) -> None:
    show = Theatre(stage)
    show.act("mirror", True)
    show.act("quit")
    assert show.process.wait(PATIENCE) == 0
    show.close()
    kept = json.loads((stage / "config" / "realtime-nst" / "live.json").read_text())
    assert kept["mirror"] is True
