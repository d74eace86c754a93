"""A screen that is not there is told; keys have one name each. No screen is needed here; real windows are in test_window.py."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from realtime_nst.live.window import key_name

pytest.importorskip("cv2", exc_type=ImportError, reason="OpenCV does not load here")


@pytest.mark.skipif(sys.platform != "linux", reason="only X11 is asked")
@pytest.mark.parametrize(
    ("screen", "words"),
    [
        ({}, "DISPLAY is not set"),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "OpenCV's windows need X11, which is Xwayland on Wayland"),
        ({"DISPLAY": ":7077"}, "nothing answers at DISPLAY=:7077"),
    ],
)
def test_a_window_without_a_screen_is_one_line_and_no_crash(weights: Path, screen: dict[str, str], words: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    command = [sys.executable, "-m", "realtime_nst", "webcam", "--camera", "pattern", "--size", "64x48"]
    command += ["--weights", str(weights)]
    done = subprocess.run(command, env={**environment, **screen}, capture_output=True, text=True, timeout=120)
    said = done.stderr.strip().splitlines()
    assert done.returncode == 1 and len(said) == 1, (done.returncode, done.stderr)
    assert said[0].startswith("realtime-nst: There is no display for a window (") and words in said[0]
    assert said[0].endswith("Use --no-window, and -o FILE to record.")


def test_keys_have_the_names_of_the_table_and_arrows_have_none() -> None:
    for code, name in {ord("q"): "q", ord("Q"): "q", 27: "esc", 32: "space", ord("="): "+", 0x100000 | ord("q"): "q"}.items():
        assert key_name(code) == name, hex(code)
    left, up, home, end, insert, shift, windows_left = 0xFF51, 0xFF52, 0xFF50, 0xFF57, 0xFF63, 0xFFE1, 0x25 << 16
    for code in (-1, 0, left, up, home, end, insert, shift, windows_left):
        assert key_name(code) is None, hex(code)
