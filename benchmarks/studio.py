"""What a page costs the show, and how old its picture is: `python -m benchmarks.studio` (Linux; a browser where Chromium is).

The camera burns the time into each frame, as black and white squares that survive painting at half strength, so that whoever
gets a picture reads from it when it was captured. One show is measured in turns: with nobody, with clients that take
pictures as a page does but draw nothing, and with a real page. So the ratios hold on a busy machine, too.
"""

import argparse
import asyncio
import base64
import io
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
from PIL import Image

from realtime_nst.cli import webcam
from realtime_nst.cli.main import main as realtime_nst
from realtime_nst.frames import Frame
from realtime_nst.inputs.sources import PATTERN_FPS, PatternSource

WIDTH, HEIGHT = 640, 480
BITS, SQUARE = 16, 40
"""A time is milliseconds of the system's clock, without what is too large for so many bits."""
PAINTING = Path(__file__).parents[1] / "samples" / "coffee.jpg"
CAMERAS = (PATTERN_FPS, 30.0)
"""Frames a second: of the test pattern, which ask all of two cores, and of a usual camera, which do not."""
ANY_ADDRESS = re.compile(r"http://\S+")


class ClockSource(PatternSource):
    """The test pattern with the time of each frame in its upper rows."""

    def __iter__(self) -> Iterator[Frame]:
        for frame in super().__iter__():
            burn(frame.image, frame.captured_at)
            yield frame


def burn(image: np.ndarray, moment: float) -> None:
    """Write a time into a picture: each bit as a square, and above it its opposite."""
    value = int(1000 * moment) % (1 << BITS)
    bits = np.array([value >> place & 1 for place in range(BITS)], np.uint8) * 255
    row = np.repeat(bits, SQUARE)[None, :, None]
    image[:SQUARE] = 255 - row
    image[SQUARE : 2 * SQUARE] = row


def age_of(data: bytes, now: float) -> float | None:
    """Milliseconds since a picture was captured; `None` where its squares cannot be read."""
    grey = np.asarray(Image.open(io.BytesIO(data)).convert("L"), float)
    squares = grey[: 2 * SQUARE].reshape(2, SQUARE, BITS, SQUARE)[:, 8:-8, :, 8:-8].mean((1, 3))
    difference = squares[1] - squares[0]
    if abs(difference).min() < 15:
        return None
    value = sum(1 << place for place in range(BITS) if difference[place] > 0)
    return float((int(1000 * now) - value) % (1 << BITS))


def age_on(browser: Any) -> float | None:
    """Milliseconds since the picture was captured that a page shows."""
    script = "const at = Date.now(); return [at, document.getElementById('picture').toDataURL('image/png')]"
    at, address = browser.execute_script(script)
    return age_of(base64.b64decode(address.partition(",")[2]), at / 1000 + time.monotonic() - time.time())


class Show:
    """A show in a process of its own, which paints for nobody, too, so that its speed can be told.

    Args:
        home: Where it keeps what it remembers.
        studio: Whether it is the studio, as a user starts it.
        fps: Frames a second that its camera gives, where it is not the studio.
    """

    def __init__(self, home: str, *, studio: bool = False, fps: float = PATTERN_FPS) -> None:
        flags = (
            ["studio", "--no-open", "--port", "0"] if studio else ["webcam", "--no-window", "--http", "0", "--frames", "9999999"]
        )
        flags += ["--camera", "pattern", "--style", "wave"] + ([] if studio else ["--strength", "0.5"])
        command = ["-m", "realtime_nst"] if studio else ["-m", "benchmarks.studio", "--show", str(fps)]
        environment = {**os.environ, "XDG_CONFIG_HOME": home, "XDG_DATA_HOME": home}
        self.process = subprocess.Popen(
            [sys.executable, *command, *flags, "--snapshots", home], env=environment, stderr=subprocess.PIPE, text=True
        )
        lines = self.process.stderr or ()
        self.link = next(found[0] for line in lines if (found := ANY_ADDRESS.search(line)))

    @property
    def processor_seconds(self) -> float:
        """Time that it has had of all processors, which tells what it costs on a busy machine, too."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        self.process.terminate()
        self.process.communicate()


async def figures(session: aiohttp.ClientSession, link: str) -> dict[str, Any]:
    """How the show runs."""
    async with session.get(f"{link}api/state") as answer:
        found: dict[str, Any] = (await answer.json())["figures"]
        return found


@asynccontextmanager
async def reading(session: aiohttp.ClientSession, link: str, ages: list[float], count: list[int]) -> AsyncIterator[None]:
    """Take pictures as a page does, and read the time in every tenth."""

    async def read() -> None:
        async with session.ws_connect(f"{link}api/socket") as socket:
            await socket.send_json({"ask": "frame"})
            async for message in socket:
                if message.type != aiohttp.WSMsgType.BINARY:
                    continue
                now = time.monotonic()
                await socket.send_json({"ask": "frame"})
                count[0] += 1
                if count[0] % 10 == 0 and (age := age_of(message.data, now)) is not None:
                    ages.append(age)

    task = asyncio.create_task(read())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def measure(show: Show, seconds: float, rounds: int, browser: Any) -> None:
    """Print frame rates and ages of one show, in turns."""
    link = show.link
    rates: dict[str, list[float]] = {"nobody": [], "a client": [], "three clients": []} | ({"a page": []} if browser else {})
    costs: dict[str, list[float]] = {who: [] for who in rates}
    ages: list[float] = []
    show_ages: list[float] = []
    page_ages: list[float] = []
    count = [0]
    async with aiohttp.ClientSession() as session:
        while not (await figures(session, link))["frames"]:
            await asyncio.sleep(0.1)
        for _ in range(rounds):
            for who, found in rates.items():
                if browser:
                    await asyncio.to_thread(browser.get, link if who == "a page" else "about:blank")
                clients = [reading(session, link, ages, count) for _ in range({"a client": 1, "three clients": 3}.get(who, 0))]
                for client in clients:
                    await client.__aenter__()
                await asyncio.sleep(1.5)
                before, began, spent = (await figures(session, link))["frames"], time.monotonic(), show.processor_seconds
                await asyncio.sleep(seconds)
                after = await figures(session, link)
                frames = after["frames"] - before
                found.append(frames / (time.monotonic() - began))
                costs[who].append(1000 * (show.processor_seconds - spent) / max(frames, 1))
                show_ages.append(after["age_ms"])
                if who == "a page":
                    page_ages += [age for _ in range(5) if (age := await asyncio.to_thread(age_on, browser)) is not None]
                for client in clients:
                    await client.__aexit__(None, None, None)
    alone = rates["nobody"]
    for who, found in rates.items():
        share = statistics.median(one / other for one, other in zip(found, alone))
        cost = statistics.median(costs[who])
        rate = statistics.median(found)
        print(f"seen by {who:<14} {rate:6.1f} frames/s ({share:4.0%})  {cost:6.1f} ms of a processor for each frame")
    print(f"age of the show's frames       {statistics.median(show_ages):6.0f} ms (as in a window)")
    if ages:
        print(f"age of a client's pictures     {statistics.median(ages):6.0f} ms, read from {len(ages)} of them")
    if page_ages:
        print(
            f"age of a page's picture        {statistics.median(page_ages):6.0f} ms, read from its canvas {len(page_ages)} times"
        )


async def first_pictures(link: str) -> None:
    """Wait for two different pictures."""
    seen: set[bytes] = set()
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{link}api/socket") as socket:
        await socket.send_json({"ask": "frame"})
        async for message in socket:
            if message.type == aiohttp.WSMsgType.BINARY:
                seen.add(message.data)
                if len(seen) == 2:
                    return
                await socket.send_json({"ask": "frame"})


def start(home: str, browser: Any) -> None:
    """Print how long it takes from the command to a picture that moves."""
    began = time.monotonic()
    show = Show(home, studio=True)
    try:
        listening = time.monotonic() - began
        if browser:
            browser.get(show.link)
            while int(browser.execute_script("return document.getElementById('picture')?.dataset.drawn ?? 0")) < 2:
                time.sleep(0.01)
        else:
            asyncio.run(first_pictures(show.link))
        where = "in a browser" if browser else "at a client"
        print(f"a moving picture {where} after {time.monotonic() - began:.1f} s ({listening:.1f} s to the link)")
        if browser:
            print(f"a painting dropped on the page is painted in after {dropped(browser, PAINTING):.1f} s")
    finally:
        show.close()


def dropped(browser: Any, painting: Path) -> float:
    """Seconds from a painting that is dropped on the page until the show paints in it."""
    browser.execute_script("document.body.append(Object.assign(document.createElement('input'), { type: 'file', id: 'hand' }))")
    browser.find_element("id", "hand").send_keys(str(painting))
    began = time.monotonic()
    browser.execute_script(
        "const hand = document.getElementById('hand'), dataTransfer = new DataTransfer();"
        "dataTransfer.items.add(hand.files[0]); hand.remove();"
        "const event = new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true });"
        "document.getElementById('gallery').dispatchEvent(event)"
    )
    while browser.execute_script("return document.getElementById('title').textContent") != painting.stem:
        time.sleep(0.01)
    return time.monotonic() - began


def open_browser() -> Any:
    """Chromium, if it is here with its driver; else `None`."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        return None
    try:
        from selenium import webdriver
    except ModuleNotFoundError:
        return None
    options = webdriver.ChromeOptions()
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(flag)
    options.binary_location = chromium
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))


def main(arguments: list[str]) -> int:
    """Measure."""
    if arguments[:1] == ["--show"]:
        webcam.open_source = lambda camera, size=None, fps=None: ClockSource(WIDTH, HEIGHT, float(arguments[1]))
        return realtime_nst(arguments[2:])
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studio", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=6.0, help="of each turn (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each kind (default: %(default)s)")
    parser.add_argument("--no-browser", action="store_true", help="measure without a real page")
    options = parser.parse_args(arguments)
    browser = None if options.no_browser else open_browser()
    try:
        with tempfile.TemporaryDirectory() as home:
            for _ in range(2):  # the first compiles the network for the machine
                start(home, browser)
            for fps in CAMERAS:
                print(f"a camera of {fps:.0f} frames/s:")
                show = Show(home, fps=fps)
                try:
                    asyncio.run(measure(show, options.seconds, options.rounds, browser))
                finally:
                    show.close()
    finally:
        if browser:
            browser.quit()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
