"""Keys and what they do; the overlay and docs/live.md say the same."""

import re
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from realtime_nst.live.controls import Controls
from realtime_nst.live.keys import KEYS
from realtime_nst.live.kinds import step
from realtime_nst.live.overlay import draw_overlay, figure_lines, help_lines
from realtime_nst.live.settings import Settings
from realtime_nst.pipeline.stats import Stats
from realtime_nst.style.book import StyleBook

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


TOGGLES = {
    "space": "paused",
    "h": "show_help",
    "i": "show_display",
    "m": "mirror",
    "v": "follow_camera",
    "f": "full_screen",
    "c": "colours",
    "r": "recording",
    "a": "cycling",
}


@pytest.mark.parametrize("key", TOGGLES)
def test_toggles_go_on_and_off(controls: Controls, key: str) -> None:
    first = key == "v"
    assert getattr(controls, TOGGLES[key]) is first
    controls.press(key)
    assert getattr(controls, TOGGLES[key]) is not first
    controls.press(key)
    assert getattr(controls, TOGGLES[key]) is first


def test_snapshot_and_quit_are_requests(controls: Controls) -> None:
    controls.press("s")
    assert controls.snapshots_wanted == 1
    controls.press("esc")
    assert controls.quit


@pytest.mark.parametrize(
    ("less", "more", "field", "values"),
    [
        ("-", "+", "strength", [0.0, 0.25, 0.5, 0.75, 1.0]),
        ("g", "t", "texture", [0.0, 0.25, 0.5, 0.75, 1.0]),
        (",", ".", "scale", [0.375, 0.5, 0.625, 0.75, 0.875, 1.0]),
        ("j", "k", "stability", [0, 8, 16, 32]),
    ],
)
def test_steps_go_down_to_the_first_and_up_to_the_last(
    controls: Controls, less: str, more: str, field: str, values: list[float]
) -> None:
    for _ in values:
        controls.press(less)
    seen = [getattr(controls, field)]
    for _ in values:
        controls.press(more)
        seen.append(getattr(controls, field))
    assert seen == [*values, values[-1]]


def test_a_value_between_two_steps_goes_to_the_next(book: StyleBook) -> None:
    assert (step((0, 8, 16), 10, True), step((0, 8, 16), 10, False)) == (16, 8)
    controls = Controls(list(book.values()), settings=Settings(strength=0.6))
    controls.press("-")
    assert controls.strength == 0.5


def test_balance_mixes_with_the_style_before_and_a_choice_ends_the_mix(controls: Controls) -> None:
    mosaic, scream, _ = controls.styles
    controls.press("2")
    assert controls.target is scream
    for share in (0.25, 0.5, 0.75):
        controls.press("b")
        expected = (1 - share) * scream.vector + share * mosaic.vector
        assert np.allclose(controls.target.vector, expected, atol=1e-6)
        assert controls.target.name == f"scream:{1 - share:g},mosaic:{share:g}"
    controls.press("b")
    assert controls.target is scream
    controls.press("b")
    controls.press("3")
    assert controls.target.name == "wave" and controls.balance == 0


def test_a_mix_of_mixes_has_a_name_that_can_be_read_and_is_remembered(book: StyleBook) -> None:
    controls = Controls(list(book.values()), book.mix("wave:0.6,scream:0.4"))
    for key in "nb":  # from mosaic a quarter back to the mix
        controls.press(key)
    assert controls.target.name == "mosaic:0.75,wave:0.15,scream:0.1"
    for mix in (controls.target, book.mix(controls.settings.style)):
        expected = 0.75 * book["mosaic"].vector + 0.15 * book["wave"].vector + 0.1 * book["scream"].vector
        assert np.allclose(mix.vector, expected, atol=1e-6)
    controls.press("n")
    assert controls.settings.style == "scream"


def test_styles_change_by_themselves_when_their_time_is_over(book: StyleBook) -> None:
    now = 100.0
    controls = Controls(list(book.values()), settings=Settings(cycle=10.0), clock=lambda: now)
    controls.press("a")
    seen = []
    for now in (105.0, 109.0, 111.0, 120.0, 122.0, 132.0):  # noqa: B007 (the clock reads it)
        controls.tick()
        seen.append(controls.style.name)
    assert seen == ["mosaic", "mosaic", "scream", "scream", "wave", "mosaic"]
    controls.press("space")
    now = 200.0
    controls.tick()
    assert controls.style.name == "mosaic", "a pause holds the style, too"
    controls.press("space")
    controls.press("2")
    controls.tick()
    assert controls.style.name in ("scream", "wave")
    now = 205.0
    controls.press("2")
    now = 211.0
    controls.tick()
    assert controls.style.name == "scream", "a chosen style gets its whole time"


def test_wipe_goes_round(controls: Controls) -> None:
    seen = []
    for _ in range(4):
        seen.append(controls.wipe)
        controls.press("w")
    assert seen == ["", "half", "moving", ""]


def test_fade_key_cuts_and_fades_again(controls: Controls) -> None:
    controls.press("d")
    assert controls.fade == 0
    controls.press("d")
    assert controls.fade == 1


def test_unknown_keys_change_nothing(controls: Controls) -> None:
    before = controls.changes
    for key in (None, "no such key", "0", "é", "\x00", "shift"):
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
    text = "\n".join(help_lines(controls))
    for key in KEYS:
        assert key.help in text
    for style in controls.styles:
        assert style.name in text


def test_docs_have_the_same_keys() -> None:
    rows = re.findall(r"^\| (`.+?`) \| (.+?) \|$", (ROOT / "docs" / "live.md").read_text("utf-8"), re.MULTILINE)
    table = {meaning: re.findall(r"`([^`]+)`", names) for names, meaning in rows}
    for key in KEYS:
        expected = key.label.split("-") if len(key.names) > 2 else list(key.names)
        assert table.get(key.help) == expected, f"docs/live.md's row for '{key.help}'"


def test_overlay_leaves_the_picture_alone_when_there_is_nothing_to_say(controls: Controls) -> None:
    image = np.full((120, 160, 3), 90, np.uint8)
    assert draw_overlay(image, controls, Stats()) is image


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_help_is_readable_on_any_picture_and_the_frame_stays_clean(controls: Controls, shade: int) -> None:
    image = np.full((480, 640, 3), shade, np.uint8)
    controls.press("h")
    drawn = draw_overlay(image, controls, Stats())
    assert image.min() == image.max() == shade
    panel = drawn[12:400, 12:200]
    text, ground = panel.max(), np.median(panel)
    assert text == 255 and ground < 100, "light text on a dark ground"


@pytest.mark.parametrize("more", [0, 6])
@pytest.mark.parametrize("height", [240, 480, 1080])
def test_all_keys_fit_into_the_picture(controls: Controls, monkeypatch: pytest.MonkeyPatch, height: int, more: int) -> None:
    monkeypatch.setattr("realtime_nst.live.overlay.KEYS", (*KEYS, *KEYS[-more:][:more]))
    controls.press("h")
    controls.press("i")
    drawn = draw_overlay(np.full((height, height * 4 // 3, 3), 200, np.uint8), controls, Stats(), "engine", "size")
    dark = np.flatnonzero((drawn[:, height // 4] < 100).any(-1))
    assert dark.min() > 0 and dark.max() < height - 1, "the panel ends inside"


def test_figures_name_style_speed_age_size_and_engine(controls: Controls) -> None:
    text = "\n".join(figure_lines(controls, Stats(), "openvino, bfloat16", "640x480"))
    for words in ("mosaic", "frames/s", "ms old", "dropped", "640x480", "openvino"):
        assert words in text


def test_words_stay_for_two_seconds(book: StyleBook) -> None:
    now = 1.0
    controls = Controls(list(book.values()), clock=lambda: now)
    controls.say("hello")
    now = 2.9
    assert controls.notice == "hello"
    now = 3.1
    assert controls.notice == ""


def test_what_is_set_is_what_the_next_show_starts_with(book: StyleBook) -> None:
    controls = Controls(list(book.values()))
    for key in "2-ck,midawwb":
        controls.press(key)
    again = Controls(list(book.values()), book.mix(controls.settings.style), controls.settings)
    assert again.settings == controls.settings != Controls(list(book.values())).settings


def test_only_what_keys_set_is_chosen_and_not_what_time_changes(book: StyleBook) -> None:
    now = 0.0
    start = Settings(strength=0.5, cycle=10.0, fade=0.0, mirror=True)
    controls = Controls(list(book.values()), book["wave"], start, clock=lambda: now)
    controls.press("a")
    now = 11.0
    controls.tick()
    assert controls.style.name == "mosaic" and controls.chosen == {"cycling": True}
    controls.press("1")
    assert controls.chosen == {"cycling": True, "style": "mosaic"}, "a style that is there already can be chosen, too"
    now = 22.0
    controls.tick()
    assert controls.style.name == "scream" and controls.chosen["style"] == "mosaic"
    controls.press("a")
    assert controls.chosen == {"cycling": False, "style": "scream"}, "and one that shall stay"
    for key in ("9", "f", "h", "s", "space", "no such key", None):
        controls.press(key)
    assert controls.chosen == {"cycling": False, "style": "scream"}
    controls.press("m")
    controls.press("m")
    assert controls.chosen["mirror"] is True, "back to where a flag or the last show had it"


def test_every_key_of_a_setting_has_it_remembered(book: StyleBook) -> None:
    controls = Controls(list(book.values()), settings=Settings(strength=0.5, texture=0.5, scale=0.75, stability=16))
    for key in KEYS:
        if key.action not in ("quit", "pause"):
            controls.press(key.names[-1])
    assert controls.chosen.keys() == asdict(Settings()).keys()
    assert controls.settings == Settings(strength=0.5, texture=0.5, scale=0.75, stability=16).with_flags(controls.chosen)


@pytest.mark.parametrize("size", [(8, 8), (17, 33), (64, 48), (2160, 3840)])
def test_overlay_fits_any_frame(controls: Controls, size: tuple[int, int]) -> None:
    controls.press("h")
    controls.say("something")
    image = np.zeros((*size, 3), np.uint8)
    assert draw_overlay(image, controls, Stats()).shape == image.shape


def test_controls_need_a_style() -> None:
    with pytest.raises(ValueError, match="at least one was expected"):
        Controls([])
