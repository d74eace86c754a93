"""Keys and what they do; the overlay and README say the same."""

import re
from pathlib import Path

import numpy as np
import pytest

from realtime_nst.controls import KEYS, Controls
from realtime_nst.overlay import draw_overlay, help_lines
from realtime_nst.stats import Stats
from realtime_nst.stylebook import StyleBook

ROOT = Path(__file__).parents[1]


@pytest.fixture
def controls(book: StyleBook) -> Controls:
    """Three styles: mosaic, scream, wave."""
    return Controls(list(book.values()))


def test_number_keys_choose_and_numbers_without_a_style_do_nothing(controls: Controls) -> None:
    controls.press("3")
    assert controls.style.name == "wave"
    controls.press("9")
    assert controls.style.name == "wave"


def test_next_and_previous_go_round(controls: Controls) -> None:
    names = []
    for _ in range(4):
        names.append(controls.style.name)
        controls.press("n")
    assert names == ["mosaic", "scream", "wave", "mosaic"]
    controls.press("p")
    controls.press("p")
    assert controls.style.name == "wave"


def test_from_a_mix_next_is_the_first_and_previous_the_last(book: StyleBook) -> None:
    mix = book.mix("wave:0.5,scream:0.5")
    controls = Controls(list(book.values()), mix)
    assert controls.style is mix and controls.position == -1
    controls.press("n")
    assert controls.style.name == "mosaic"
    controls = Controls(list(book.values()), mix)
    controls.press("p")
    assert controls.style.name == "wave"


def test_toggles_and_requests(controls: Controls) -> None:
    for key, field in (("space", "paused"), ("h", "show_help"), ("m", "mirror")):
        controls.press(key)
        assert getattr(controls, field) is True
        controls.press(key)
        assert getattr(controls, field) is False
    controls.press("s")
    assert controls.snapshots_wanted == 1
    controls.press("esc")
    assert controls.quit


def test_unknown_keys_change_nothing(controls: Controls) -> None:
    before = controls.changes
    for key in (None, "x", "0", "é", "\x00"):
        controls.press(key)
    assert controls.changes == before and not controls.quit


def test_every_row_of_the_table_does_something(book: StyleBook) -> None:
    for key in KEYS:
        for name in key.names:
            controls = Controls(list(book.values()), book["wave"])
            controls.press(name)
            assert controls.changes > 0, f"'{name}' does nothing"


def test_no_key_has_two_meanings() -> None:
    names = [name for key in KEYS for name in key.names]
    assert len(names) == len(set(names))


def test_help_shows_every_key_and_every_style(controls: Controls) -> None:
    text = "\n".join(help_lines(controls, Stats()))
    for key in KEYS:
        assert key.help in text
    for style in controls.styles:
        assert style.name in text


def test_readme_has_the_same_keys() -> None:
    rows = re.findall(r"^\| (`.+?`) \| (.+?) \|$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    table = {meaning: re.findall(r"`([^`]+)`", names) for names, meaning in rows}
    for key in KEYS:
        expected = [key.names[0], key.names[-1]] if len(key.names) > 2 else list(key.names)
        assert table.get(key.help) == expected, f"README's row for '{key.help}'"


def test_overlay_leaves_the_picture_alone_when_there_is_nothing_to_say(controls: Controls) -> None:
    image = np.full((120, 160, 3), 90, np.uint8)
    assert draw_overlay(image, controls, Stats()) is image


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_help_is_readable_on_any_picture_and_the_frame_stays_clean(controls: Controls, shade: int) -> None:
    image = np.full((480, 640, 3), shade, np.uint8)
    controls.press("h")
    drawn = draw_overlay(image, controls, Stats())
    assert image.min() == image.max() == shade
    panel = drawn[10:400, 10:200]
    text, ground = panel.max(), np.median(panel)
    assert text == 255 and ground < 100, "light text on a dark ground"


@pytest.mark.parametrize("size", [(8, 8), (17, 33), (64, 48), (2160, 3840)])
def test_overlay_fits_any_frame(controls: Controls, size: tuple[int, int]) -> None:
    controls.press("h")
    controls.say("something")
    image = np.zeros((*size, 3), np.uint8)
    assert draw_overlay(image, controls, Stats()).shape == image.shape


def test_controls_need_a_style() -> None:
    with pytest.raises(ValueError, match="at least one was expected"):
        Controls([])
