"""The page that needs no program behind it: what it paints against the engine, what it weighs, and whom it asks for anything."""

import base64
import functools
import http.server
import importlib.util
import io
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from realtime_nst.engines.backend import Backend
from realtime_nst.engines.encoder import PictureEncoder
from realtime_nst.engines.engine import build_engine
from realtime_nst.engines.runner import runner_for
from realtime_nst.errors import ExportError
from realtime_nst.style.book import StyleBook, find_styles
from realtime_nst.style.encoder import PAINTING_SIZE, read_encoder
from tests.conftest import PATIENCE, wait_until
from tests.readback import psnr

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
if CHROMIUM is None or DRIVER is None:
    pytest.skip("chromium or chromedriver is not installed: no browser", allow_module_level=True)
webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: no browser")
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

ROOT = Path(__file__).parents[1]
PHOTO = ROOT / "samples" / "palace.jpg"
WIDTH, HEIGHT = 240, 160
MOST, MOST_KEPT, MOST_OF_NETWORK, MOST_OF_ENCODER = 12.5e6, 16e6, 1.5e6, 4e6
"""Bytes."""
LEAST = 40.0
SOFTWARE_GPU = (
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
    "--enable-features=Vulkan",
    "--ignore-gpu-blocklist",
)
"""Flags with which Chromium has WebGPU on a processor."""
ISOLATED = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
"""With which a host allows threads."""

specification = importlib.util.spec_from_file_location("build", ROOT / "docs" / "web" / "build.py")
assert specification is not None and specification.loader is not None
build = importlib.util.module_from_spec(specification)
specification.loader.exec_module(build)


@pytest.fixture(autouse=True)
def nothing_left_behind() -> None:
    """One host and one browser outlive many tests."""


@pytest.fixture(scope="module")
def shipped() -> StyleBook:
    return find_styles([ROOT / "weights"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, shipped: StyleBook) -> Path:
    folder = tmp_path_factory.mktemp("web")
    try:
        package = build.fetch_runtime(folder)
    except ExportError as error:
        pytest.skip(str(error))
    build.build(folder / "site", shipped.values(), package)
    package.unlink()
    return folder / "site"


class Host:
    """A static host: whatever is in a folder, and nothing else.

    Args:
        folder: What it gives.
        headers: What it says beside.
    """

    def __init__(self, folder: Path, headers: dict[str, str]) -> None:
        asked = self.asked = list[str]()

        class Handler(http.server.SimpleHTTPRequestHandler):
            def end_headers(self) -> None:
                for name, value in headers.items():
                    self.send_header(name, value)
                super().end_headers()

            def log_request(self, *arguments: object) -> None:
                asked.append(self.path.removeprefix("/"))

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture(scope="module")
def hosts(site: Path) -> Iterator[Callable[..., Host]]:
    made: list[Host] = []

    def make(**headers: str) -> Host:
        made.append(Host(site, headers))
        return made[-1]

    yield make
    for host in made:
        host.close()


class Visit:
    """The page in a browser whose camera is a moving test picture."""

    def __init__(self, log: Path, *flags: str) -> None:
        options = webdriver.ChromeOptions()
        for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", f"--log-net-log={log}", *flags):
            options.add_argument(flag)
        for flag in ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"):
            options.add_argument(flag)
        options.binary_location = CHROMIUM
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.log = log
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
        self.driver.set_script_timeout(10 * PATIENCE)
        self.resize(1280, 800)

    def open(self, address: str) -> None:
        """Load the page, and wait until it has painted its own photo."""
        self.driver.get(address)
        self.wait(lambda: self.drawn > 0)

    def close(self) -> None:
        if self.driver.service.is_connectable():
            self.driver.quit()

    def wait(self, condition: Callable[[], Any]) -> None:
        assert wait_until(condition, 5 * PATIENCE, pause=0.05), (self.find("#absent").text, self.complaints())

    def resize(self, width: int, height: int) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def prefer(self, scheme: str) -> None:
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def find(self, selector: str) -> Any:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def press(self, keys: str) -> None:
        ActionChains(self.driver).send_keys(keys).perform()

    def set(self, name: str, value: object) -> None:
        """Move a slider."""
        script = "const at = document.getElementById(arguments[0]); at.value = arguments[1]; at.dispatchEvent(new Event('input'))"
        self.run(script, f"set-{name}", value)

    @property
    def drawn(self) -> int:
        return int(self.run("return document.getElementById('picture').dataset.drawn ?? 0"))

    @property
    def picture(self) -> np.ndarray:
        """Every pixel that is shown."""
        address = self.run("return document.getElementById('picture').toDataURL('image/png')")
        with Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))) as picture:
            return np.asarray(picture.convert("RGB"))

    def paints(self, expected: np.ndarray) -> None:
        """Wait until a picture is shown."""

        def near() -> bool:
            shown = self.picture
            return shown.shape == expected.shape and psnr(shown, expected) >= LEAST

        self.wait(near)

    def complaints(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]


@pytest.fixture(scope="module")
def host(hosts: Callable[..., Host]) -> Host:
    return hosts()


@pytest.fixture(scope="module")
def only(host: Host, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    visit = Visit(tmp_path_factory.mktemp("browser") / "requests.json", "--disable-gpu")
    visit.open(host.address)
    yield visit
    visit.close()


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "photo.png"
    with Image.open(PHOTO) as whole:
        whole.resize((WIDTH, HEIGHT)).save(path)
    return path


@pytest.fixture
def visit(only: Visit, photo: Path) -> Visit:
    """The page with a small photo in the first style, and nothing set."""
    if only.run("return document.getElementById('picture').dataset.source") == "camera":
        only.find(".tool-camera").click()
    only.find("#photo").send_keys(str(photo))
    for name, value in (("strength", 1), ("texture", 1), ("mix", 0), ("scale", 5)):
        only.set(name, value)
    only.run("document.activeElement.blur()")
    only.press("1")
    only.wait(lambda: only.run("return document.getElementById('picture').width") == WIDTH)
    return only


@pytest.fixture(scope="module")
def painted(photo: Path) -> Callable[..., np.ndarray]:
    """The engine's picture of the small photo, by a style vector."""
    with Image.open(photo) as file:
        pixels = np.asarray(file.convert("RGB"))
    engine = build_engine(
        find_styles([ROOT / "weights"])["wave"].body, WIDTH, HEIGHT, runner_for(Backend("openvino", "float32", gpu=False))
    )

    def paint(vector: np.ndarray, strength: float = 1.0) -> np.ndarray:
        return np.asarray(pixels + strength * (engine(pixels, vector).astype(np.float32) - pixels))

    return paint


def test_a_visit_with_a_painting_costs_12_5_mb_at_most_and_a_host_keeps_16(site: Path) -> None:
    """A browser fetches one of the two runtimes, and the style encoder only when a painting is dropped."""
    sizes = {path.relative_to(site).as_posix(): path.stat().st_size for path in site.rglob("*") if path.is_file()}
    network = sizes["network.onnx"] + sizes["styles.json"]
    webgpu = {name for name in sizes if "asyncify" in name or "webgpu" in name}
    webassembly = {name for name in sizes if name.startswith("runtime/")} - webgpu
    assert len(webgpu) == len(webassembly) == 3
    for kind, other in (("WebGPU", webassembly), ("WebAssembly", webgpu)):
        visit = sum(sizes.values()) - sum(sizes[name] for name in other)
        print(f"{kind}: {(visit - sizes['encoder.onnx']) / 1e6:.2f} MB, with the style encoder {visit / 1e6:.2f} MB")
        assert visit <= MOST, sizes
    assert network <= MOST_OF_NETWORK and sizes["encoder.onnx"] <= MOST_OF_ENCODER and sum(sizes.values()) <= MOST_KEPT
    assert {"LICENSE", "index.html", "photo.jpg", "thumbnails/wave.jpg"} <= set(sizes)
    assert not [name for name in sizes if name.endswith((".py", ".pyc"))]


def test_a_photo_is_painted_as_the_engine_paints_it_in_any_style_and_mix(
    visit: Visit, shipped: StyleBook, painted: Callable[..., np.ndarray]
) -> None:
    first = shipped.values()[0]
    visit.paints(painted(first.vector))
    visit.find("[data-style=wave]").click()
    visit.paints(painted(shipped["wave"].vector))
    assert psnr(painted(shipped["wave"].vector), painted(first.vector)) < LEAST / 2, "one sees a switch"
    assert visit.find("#title").text == shipped["wave"].metadata["title"]
    visit.run("const at = document.getElementById('set-other'); at.value = 'kiss'; at.dispatchEvent(new Event('change'))")
    visit.set("mix", 0.5)
    visit.paints(painted(shipped.mix("wave:0.5,kiss:0.5").vector))
    visit.set("strength", 0.25)
    visit.paints(painted(shipped.mix("wave:0.5,kiss:0.5").vector, 0.25))
    assert visit.complaints() == []


def test_texture_and_mirror_are_the_engines_too(visit: Visit, shipped: StyleBook, painted: Callable[..., np.ndarray]) -> None:
    style = shipped.values()[0]
    visit.set("texture", 0)
    plain = painted(style.body.architecture.textured(style.vector, 0.0))
    visit.paints(plain)
    assert psnr(plain, painted(style.vector)) < LEAST
    visit.set("strength", 0)
    visit.press("m")
    visit.paints(painted(style.vector, 0.0)[:, ::-1])
    visit.press("m")


def test_a_dropped_painting_becomes_a_style(
    visit: Visit, host: Host, shipped: StyleBook, painted: Callable[..., np.ndarray], tmp_path: Path
) -> None:
    painting = tmp_path / "my tiles.png"
    tiles = np.random.default_rng(1).integers(0, 256, (12, 16, 3), np.uint8)
    Image.fromarray(tiles).resize((512, PAINTING_SIZE), Image.Resampling.NEAREST).save(painting)
    assert "encoder.onnx" not in host.asked, "it is fetched for the first painting"
    visit.run(
        "const data = Uint8Array.from(atob(arguments[0]), (letter) => letter.charCodeAt(0)), dataTransfer = new DataTransfer();"
        "dataTransfer.items.add(new File([data], arguments[1], { type: 'image/png' }));"
        "for (const kind of ['dragenter', 'dragover', 'drop'])"
        " document.getElementById('gallery').dispatchEvent("
        "  new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }))",
        base64.b64encode(painting.read_bytes()).decode(),
        painting.name,
    )
    visit.wait(lambda: visit.find("#title").text == "my tiles")
    body = shipped["wave"].body
    encoder = read_encoder(body)
    assert encoder is not None
    with Image.open(painting) as file:
        find = PictureEncoder(lambda: runner_for(Backend("openvino", "float32", gpu=False)))
        vector = find(encoder, np.asarray(file))
    visit.paints(painted(vector))
    assert min(psnr(painted(vector), painted(style.vector)) for style in shipped.values()) < LEAST / 2
    visit.wait(lambda: "painted" in visit.find("[data-style='my tiles.png']").get_attribute("class"))
    assert "encoder.onnx" in host.asked and visit.complaints() == []


def test_what_is_no_picture_is_told(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "words.png").write_text("no picture")
    visit.find("#painting").send_keys(str(tmp_path / "words.png"))
    visit.wait(lambda: "words.png is no picture that this browser reads" in visit.find("#notice").text)
    Image.new("RGB", (20, 90)).save(tmp_path / "small.png")
    visit.find("#painting").send_keys(str(tmp_path / "small.png"))
    visit.wait(lambda: "small.png: It has 20 " in visit.find("#notice").text)


def test_the_camera_is_painted_and_moves(visit: Visit, capsys: pytest.CaptureFixture[str]) -> None:
    visit.find(".tool-camera").click()
    visit.wait(lambda: visit.run("return document.getElementById('picture').dataset.source") == "camera")
    assert visit.find(".tool-camera").get_attribute("aria-pressed") == "true"
    visit.set("scale", 5)
    visit.wait(lambda: visit.picture.shape == (480, 640, 3))
    before, drawn = visit.picture, visit.drawn
    visit.wait(lambda: visit.drawn >= drawn + 3)
    assert np.abs(visit.picture.astype(float) - before).max() > 30, "it moves"
    started = visit.run("return performance.now()")
    drawn = visit.drawn
    visit.wait(lambda: visit.drawn >= drawn + 5)
    seconds = (visit.run("return performance.now()") - started) / 1000
    with capsys.disabled():
        print(f"\n{(visit.drawn - drawn) / seconds:.1f} frames/s of 640x480 in the browser. {visit.find('#engine').text}")
    visit.run("document.activeElement.blur()")
    visit.press(Keys.SPACE)
    visit.wait(lambda: visit.find("#notice").text == "Paused")
    held = visit.drawn
    visit.wait(lambda: visit.drawn > held)  # once more, as it is set
    visit.press(Keys.SPACE)
    visit.wait(lambda: visit.drawn > held + 3)
    visit.find(".tool-camera").click()
    visit.wait(lambda: visit.picture.shape == (HEIGHT, WIDTH, 3))


def test_keyboard_alone_is_enough(visit: Visit, shipped: StyleBook) -> None:
    visit.press("3")
    visit.wait(lambda: visit.find("#title").text == shipped.values()[2].metadata["title"])
    visit.press("-")
    visit.wait(lambda: visit.find("#set-strength").get_attribute("aria-valuetext") == "75 %")
    reached = []
    for _ in range(len(shipped) + 30):
        visit.press(Keys.TAB)
        reached.append(visit.run("const a = document.activeElement; return a.id || a.dataset.style || a.className"))
    controls = {"set-strength", "set-texture", "set-scale", "set-mix", "set-other", "add-painting", "about-open", "kiss"}
    tools = {f"tool tool-{name}" for name in ("camera", "photo", "mirror", "pause", "snapshot", "full_screen", "keys")}
    assert controls | tools <= set(reached)


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_an_audit_of_accessibility_finds_nothing_serious(visit: Visit, scheme: str) -> None:
    axe_module = pytest.importorskip("axe_selenium_python", reason="axe-selenium-python is not installed: no audit")
    visit.prefer(scheme)
    axe = axe_module.Axe(visit.driver)
    axe.inject()
    for opened in ("", "keys", "about"):
        if opened:
            visit.run("document.getElementById(arguments[0]).showModal()", opened)
        serious = [rule for rule in axe.run()["violations"] if rule["impact"] in ("serious", "critical")]
        assert not serious, [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in serious]
        if opened:
            visit.run("document.getElementById(arguments[0]).close()", opened)


@pytest.mark.parametrize("width", [360, 768, 1920])
def test_it_fits_any_width(visit: Visit, width: int) -> None:
    try:
        visit.resize(width, 800)
        assert visit.run("return document.documentElement.scrollWidth") <= width
        for selector in ("#picture", "#set-strength", ".tool-camera", "#add-painting", "[data-style=wave]"):
            visit.run("arguments[0].scrollIntoView()", visit.find(selector))
            assert visit.find(selector).is_displayed() and visit.find(selector).size["width"] > 20
    finally:
        visit.resize(1280, 800)


def test_threads_are_used_where_the_host_allows_them(
    hosts: Callable[..., Host], visit: Visit, photo: Path, shipped: StyleBook, painted: Callable[..., np.ndarray]
) -> None:
    assert "one thread" in visit.find("#engine").text
    first = visit.driver.current_window_handle
    visit.driver.switch_to.new_window("tab")
    try:
        visit.open(hosts(**ISOLATED).address)
        assert visit.run("return crossOriginIsolated") and "WebAssembly, " in visit.find("#engine").text
        assert visit.run("return navigator.hardwareConcurrency") == 1 or "threads" in visit.find("#engine").text
        visit.find("#photo").send_keys(str(photo))
        visit.paints(painted(shipped["wave"].vector))
    finally:
        visit.driver.close()
        visit.driver.switch_to.window(first)


def test_webgpu_paints_the_same(
    site: Path, photo: Path, tmp_path: Path, shipped: StyleBook, painted: Callable[..., np.ndarray]
) -> None:
    small = tmp_path / "site"
    shutil.copytree(site, small, copy_function=os.link)
    (small / "photo.jpg").unlink()
    shutil.copy(photo, small / "photo.jpg")
    host, visit = Host(small, {}), Visit(tmp_path / "requests.json", *SOFTWARE_GPU)
    try:
        visit.driver.get(host.address)
        if not visit.run("return navigator.gpu?.requestAdapter().then(Boolean)"):
            pytest.skip("this browser has no WebGPU, not even in software")
        visit.open(host.address)
        assert "WebGPU" in visit.find("#engine").text
        visit.paints(painted(shipped["wave"].vector))
    finally:
        visit.close()
        host.close()


def test_the_page_asks_nothing_of_another_host(only: Visit, host: Host) -> None:
    only.close()  # which ends its log
    asked = [event["params"] for event in json.loads(only.log.read_text())["events"] if "url" in event.get("params", {})]
    of_the_page = {event["url"] for event in asked if str(event.get("initiator")).startswith("http://127.0.0.1")}
    assert {f"{host.address}/{name}" for name in ("network.onnx", "styles.json", "runtime/ort.wasm.min.mjs")} <= of_the_page
    assert not [address for address in of_the_page if not address.startswith("http://127.0.0.1")]
    assert not [name for name in host.asked if "asyncify" in name], "of two runtimes one is fetched"


def test_a_build_that_cannot_be_done_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["build.py", str(tmp_path / "site")])
    monkeypatch.setattr(build.shutil, "which", lambda name: None)
    assert build.main() == 1
    assert "comes by npm, which is not installed" in capsys.readouterr().err
    with pytest.raises(ExportError, match="exists"):
        build.build(tmp_path, [], tmp_path)
    assert not list(tmp_path.iterdir())
