"""What is remembered from one show to the next, and what a damaged memory does: nothing."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from realtime_nst.cli.main import build_parser
from realtime_nst.cli.webcam import given_settings
from realtime_nst.live.settings import Settings, forget_settings, read_settings, settings_file, write_settings

CHANGED = Settings("scream", 0.5, True, 0.25, False, 16, 0.75, 0.0, 5.0, True, True, True, "half")


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


def test_cycle_alone_keeps_the_seconds_and_wipe_is_off_half_or_moving(capsys: pytest.CaptureFixture[str]) -> None:
    def given(*flags: str) -> Settings:
        return CHANGED.with_flags(given_settings(build_parser().parse_args(["webcam", *flags])))

    assert given() == CHANGED
    assert (given("--cycle").cycle, given("--cycle").cycling) == (5.0, True)
    assert (given("--cycle", "7").cycle, given("--cycle", "7").cycling) == (7.0, True)
    assert (given("--no-cycle").cycle, given("--no-cycle").cycling) == (5.0, False)
    assert [given("--wipe", wipe).wipe for wipe in ("off", "half", "moving")] == ["", "half", "moving"]
    with pytest.raises(SystemExit):
        given("--wipe", "across")
    assert "'across' is none of off, half, moving" in capsys.readouterr().err


def test_another_folder_is_the_environments_to_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_settings(CHANGED)
    monkeypatch.setenv("REALTIME_NST_SETTINGS", str(tmp_path / "show"))
    assert read_settings() == Settings()
    write_settings(Settings(strength=0.25))
    assert settings_file().parent == tmp_path / "show"
    monkeypatch.delenv("REALTIME_NST_SETTINGS")
    assert read_settings() == CHANGED


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
        {"texture": 1.25},
        {"follow_camera": 0},
        {"stability": -1},
        {"scale": 0.01},
        {"fade": None},
        {"style": 3},
        {"wipe": "across"},
        {"cycling": 1},
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
