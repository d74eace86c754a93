"""What is remembered from one show to the next, and what a damaged memory does: nothing."""

import json
from dataclasses import asdict

import pytest

from realtime_nst.cli import build_parser
from realtime_nst.settings import Settings, forget_settings, read_settings, settings_file, write_settings

CHANGED = Settings("scream", 0.5, True, 16, 0.75, 0.0, 5.0, True, True)


def test_what_was_written_is_read() -> None:
    assert read_settings() == Settings()
    write_settings(CHANGED)
    assert read_settings() == CHANGED


def test_reset_forgets() -> None:
    write_settings(CHANGED)
    forget_settings()
    forget_settings()
    assert read_settings() == Settings()


def test_a_flag_wins_over_the_memory_and_only_where_it_is_given() -> None:
    given = build_parser().parse_args(["webcam", "--strength", "0.25", "--no-keep-colours"])
    mixed = CHANGED.with_flags(vars(given))
    assert (mixed.strength, mixed.colours) == (0.25, False)
    assert (mixed.style, mixed.stability, mixed.mirror) == ("scream", 16, True)


def test_every_setting_is_a_flag() -> None:
    given = vars(build_parser().parse_args(["webcam"]))
    assert set(asdict(Settings())) <= set(given)
    assert all(given[name] is None for name in asdict(Settings())), "a flag that is not given changes nothing"


@pytest.mark.parametrize("text", ["", "{", "[1]", '"x"', "[" * 100_000, "\x00"])
def test_a_damaged_file_is_as_good_as_none(text: str) -> None:
    write_settings(CHANGED)
    settings_file().write_text(text)
    assert read_settings() == Settings()


@pytest.mark.parametrize(
    "wrong",
    [
        {"strength": 7},
        {"strength": "x"},
        {"colours": 1},
        {"stability": -1},
        {"scale": 0.01},
        {"fade": None},
        {"style": 3},
        {"x": 1},
    ],
)
def test_what_is_wrong_or_unknown_is_left_out(wrong: dict[str, object]) -> None:
    write_settings(CHANGED)
    settings_file().write_text(json.dumps({**asdict(CHANGED), **wrong}))
    found = asdict(read_settings())
    for name, value in asdict(CHANGED).items():
        assert found[name] == (asdict(Settings())[name] if name in wrong else value)


def test_a_folder_that_cannot_be_written_costs_only_the_memory(caplog: pytest.LogCaptureFixture) -> None:
    settings_file().parent.parent.mkdir(parents=True, exist_ok=True)
    settings_file().parent.write_text("no folder")
    write_settings(CHANGED)
    assert "were not kept" in caplog.text
    assert read_settings() == Settings()
