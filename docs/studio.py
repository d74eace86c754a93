"""Make `studio.jpg`, the picture of the page in docs/control.md: a real one, in a real browser.

It needs Chromium with its driver, and selenium: `python docs/studio.py`.
"""

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By

HERE = Path(__file__).parent
CAMERA, STYLE = HERE.parent / "samples" / "clip.mp4", "starry-night"
WIDTH, HEIGHT = 1280, 800
QUALITY = 85
SECONDS_TO_SETTLE = 8.0


def main() -> int:
    """Start the studio and a browser, wait for the thumbnails, and save what the browser shows."""
    with tempfile.TemporaryDirectory() as home:
        show = [sys.executable, "-m", "realtime_nst", "studio", "--camera", str(CAMERA), "--style", STYLE]
        environment = {**os.environ, "XDG_CONFIG_HOME": home, "XDG_DATA_HOME": home}
        application = subprocess.Popen(
            [*show, "--no-open", "--port", "0", "--snapshots", home], env=environment, stderr=subprocess.PIPE, text=True
        )
        try:
            link = next(found[0] for line in application.stderr or () if (found := re.search(r"http://\S+", line)))
            picture = photographed(link)
        finally:
            application.terminate()
            application.communicate()
    picture.save(HERE / "studio.jpg", quality=QUALITY)
    return 0


def photographed(link: str) -> Image.Image:
    """The page behind a link, once every style has its thumbnail."""
    options = webdriver.ChromeOptions()
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(flag)
    options.binary_location = shutil.which("chromium") or ""
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        media = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        driver.get(link)
        time.sleep(SECONDS_TO_SETTLE)
        if driver.find_elements(By.CSS_SELECTOR, ".style:not(.painted)"):
            raise SystemExit("A style has no thumbnail yet: the machine is too busy.")
        return Image.open(io.BytesIO(driver.get_screenshot_as_png())).convert("RGB")
    finally:
        driver.quit()


if __name__ == "__main__":
    sys.exit(main())
