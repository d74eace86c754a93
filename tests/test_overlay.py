"""What is written over the picture: all of it can be read, at any width, paused or not."""

from dataclasses import replace

import numpy as np
import pytest

from realtime_nst.frames import Frame
from realtime_nst.live.controls import Controls
from realtime_nst.live.keys import KEYS
from realtime_nst.live.overlay import TAB, age_in_words, draw_overlay, figure_lines, help_lines, wrapped
from realtime_nst.pipeline.stats import Stats
from realtime_nst.style.book import StyleBook

LONG = (
    "camera 0 (HD Pro Webcam C920) is black: open its shutter, or allow it in the system's settings",
    "camera 0 (Integrated Camera: A Very Long Name That Some Maker Likes) is gone: plug it in, it goes on by itself",
    "saved '/home/somebody/pictures/" + 12 * "deep/" + "wave-20261125-193000.png'",
)


def controls_of(book: StyleBook, count: int = 3) -> Controls:
    """Controls with so many styles."""
    return Controls([replace(book["wave"], name=f"style-{number}") for number in range(1, count + 1)])


def test_words_are_broken_between_words_and_long_ones_anywhere() -> None:
    assert wrapped("one two three", 7) == ["one two", "three"]
    assert wrapped("one two three", 13) == ["one two three"]
    assert wrapped("1 wave   2 scream", 12) == ["1 wave   2", "scream"]
    assert wrapped("at /a/long/path.png", 8) == ["at", "/a/long/", "path.png"]
    assert wrapped("", 5) == [""] and wrapped("ab", 0.5) == ["a", "b"]


@pytest.mark.parametrize("words", LONG)
@pytest.mark.parametrize("size", [(320, 240), (640, 480), (1280, 720)])
def test_long_words_are_not_cut_off(book: StyleBook, size: tuple[int, int], words: str) -> None:
    controls = controls_of(book)
    controls.say(words)
    drawn = draw_overlay(np.full((size[1], size[0], 3), 90, np.uint8), controls, Stats())
    written = (drawn > 200).all(-1)
    assert written.any() and not written[:, -4:].any() and not written[:4].any() and not written[-2:].any()
    letters = round(max(12, size[1] // 30) * 1.2)
    rows = np.flatnonzero(np.diff(written.any(1).astype(int)) == 1)
    assert len(rows) * (size[0] - 3 * letters) > 0.3 * letters * len(words), "in as many lines as it needs"


def test_words_show_while_paused(book: StyleBook) -> None:
    controls = controls_of(book)
    controls.press("space")
    image = np.full((240, 320, 3), 90, np.uint8)
    paused = draw_overlay(image, controls, Stats())
    controls.say("saved 'wave.png'")
    told = draw_overlay(image, controls, Stats())
    assert (paused != image).any() and (told != paused).any()
    assert np.array_equal(told[-20:] > 200, paused[-20:] > 200), "'paused' stays below"


def test_the_dot_of_a_recording_is_a_ring_while_nothing_is_recorded(book: StyleBook) -> None:
    controls = controls_of(book)
    image = np.full((240, 320, 3), 90, np.uint8)

    def reds() -> int:
        drawn = draw_overlay(image, controls, Stats()).astype(int)
        return int((drawn[:120, 160:, 0] - drawn[:120, 160:, 1] > 150).sum())

    assert reds() == 0
    controls.press("r")
    dot = reds()
    controls.press("space")
    assert dot > 60 and 10 < reds() < 0.7 * dot


def test_help_names_all_styles_and_numbers_ten_of_them(book: StyleBook) -> None:
    def names(count: int) -> list[str]:
        rows = [line.split(TAB)[2:] for line in help_lines(controls_of(book, count))]
        assert len(rows) == len(KEYS)
        return [name for column in zip(*rows) for name in column if name]

    assert names(3) == ["1 style-1", "2 style-2", "3 style-3"]
    assert names(16)[:9] == [f"{number} style-{number}" for number in range(1, 10)]
    assert names(16)[9:] == ["0 style-10", *(f"style-{number}" for number in range(11, 17))]
    assert len(names(50)) == 50 and names(50)[-1] == "style-50", "in as many columns as it takes"


@pytest.mark.parametrize("size", [(320, 240), (640, 480), (480, 640), (1080, 1920), (1920, 1080)])
@pytest.mark.parametrize("count", [3, 16, 26])
def test_help_with_many_styles_fits_into_the_picture(book: StyleBook, size: tuple[int, int], count: int) -> None:
    controls = controls_of(book, count)
    controls.press("h")
    controls.press("i")
    drawn = draw_overlay(np.full((size[1], size[0], 3), 150, np.uint8), controls, Stats(), "engine", "size")
    written = (drawn > 200).all(-1)
    assert written.any() and not written[-2:].any() and not written[:, -2:].any()


def test_figures_are_those_of_the_last_second() -> None:
    now = 100.0
    stats = Stats(clock=lambda: now)

    class Shown:
        target, strength = type("Style", (), {"name": "wave"}), 1.0

    def figures() -> str:
        return figure_lines(Shown(), stats, "", "")[1]  # type: ignore[arg-type]

    for age in (0.5, 0.04):
        for _ in range(60):
            now += 1 / 30
            stats.count(Frame(np.zeros((1, 1, 3), np.uint8), 0, now - age))
    assert figures() == "30 frames/s   40 ms old   0 dropped"
    now += 3
    assert figures() == "0 frames/s   3 s old   0 dropped"
    assert (age_in_words(1234.5), age_in_words(59_700)) == ("1234 ms old", "60 s old")
