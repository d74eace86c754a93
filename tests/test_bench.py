"""The command that measures: its table, its file and its picture."""

import argparse
import json
import re
import subprocess
import sys
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from realtime_nst.benchmark.bench import COLUMNS, WATCH, Row, measure, table
from realtime_nst.benchmark.chart import COLOURS, draw_chart
from realtime_nst.cli.main import main
from realtime_nst.engines.backend import Backend
from realtime_nst.engines.interface import StabilizedPhoto
from realtime_nst.errors import SinkError
from realtime_nst.inputs.sources import PatternSource
from realtime_nst.live.settings import Settings, settings_file, write_settings
from realtime_nst.painting.stylizer import Stylizer
from realtime_nst.style.book import StyleBook
from realtime_nst.style.field import HOME, Offset


def run(weights: Path, *words: object) -> int:
    """`realtime-nst bench ...` on narrow styles."""
    flags = ["--size", "64x48", "--frames", "20", "--precision", "float32", "--weights", str(weights)]
    return main(["bench", *flags, *map(str, words)])


def test_every_figure_is_in_the_table_the_file_and_the_chart(
    tmp_path: Path, weights: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sources: list[PatternSource] = []

    def note(*arguments: Any, **named: Any) -> PatternSource:
        sources.append(PatternSource(*arguments, **named))
        return sources[-1]

    monkeypatch.setattr("realtime_nst.benchmark.bench.PatternSource", note)
    write_settings(Settings(style="a style that is gone", strength=0.0))
    remembered = settings_file().read_text()
    figures, chart = tmp_path / "bench.json", tmp_path / "bench.png"
    assert run(weights, "--json", figures, "--chart", chart) == 0
    assert [source.fps for source in sources if source.live] == [30.0], "frame age is that of a usual camera"
    assert settings_file().read_text() == remembered, "a user's show is neither measured nor changed"
    said = capsys.readouterr()
    head, row = said.out.splitlines()
    assert all(name in head for name in COLUMNS.values())
    assert row.split()[:2] == ["64x48", "float32"]
    assert re.search(r"G multiplications/s, [\d.]+ GB/s of memory", said.err)
    report = json.loads(figures.read_text())
    assert report["version"] and report["measured"] and re.match(r"\d+ x .", report["processor"])
    assert report["machine"][0]["engine"].startswith("openvino, float32") and report["machine"][0]["bytes"] > 1e8
    (facts,) = report["rows"]
    for name in ("network_ms", "many_ms", "loop_ms", "least_ms", "age_ms", "first_start_s", "second_start_s"):
        assert facts[name] > 0, name
    assert abs(facts["hold_ms"]) < facts["network_ms"], "a difference of two medians"
    assert facts["switch_ms"] >= 0 and facts["hold_spread_ms"] >= 0 <= facts["switch_spread_ms"]
    assert facts["loop_share"] > 0 and facts["least_share"] == facts["least_ms"] / min(facts["network_ms"], facts["many_ms"])
    assert facts["memory_mb"] is None or 50 < facts["memory_mb"] < 2000
    with Image.open(chart) as picture:
        assert picture.width == 1000
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["bench.json", "bench.png"]


@pytest.mark.parametrize(
    ("slower", "holding", "switch", "hold", "cells"),
    [
        ([3.0], 2.0, (3.0, 0.0), (2.0, 0.0), ("3.0±0.0", "2.0±0.0")),
        ([-4.0], -1.0, (0.0, 4.0), (0.0, 1.0), ("0.0±4.0", "0.0±1.0")),
        ([-1.0, 0.0, 1.0, 6.0], 0.0, (0.5, 1.0), (0.0, 0.0), ("0.5±1.0", "0.0±0.0")),
    ],
)
def test_what_is_a_difference_is_no_less_than_nothing_and_has_its_spread(
    slower: list[float],
    holding: float,
    switch: tuple[float, float],
    hold: tuple[float, float],
    cells: tuple[str, str],
    book: StyleBook,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An engine by a clock of its own: so much slower or faster with other styles, and with what is held."""
    now, before = 0.0, np.zeros(0)
    extra = cycle(slower)

    def paint(image: np.ndarray, vector: np.ndarray, offset: Offset = HOME) -> np.ndarray:
        nonlocal now, before
        now += (10.0 + (0.0 if np.array_equal(vector, before) else next(extra))) / 1000
        before = vector
        return image

    def keep(photo: np.ndarray, stability: float, before: StabilizedPhoto | None) -> StabilizedPhoto:
        nonlocal now
        now += holding / 1000
        return StabilizedPhoto(np.zeros(1, np.float32), photo[None], 0)

    stylizer = Stylizer(lambda body, width, height: paint, stabilizer=lambda width, height: keep)  # type: ignore[arg-type, return-value]
    monkeypatch.setattr("realtime_nst.benchmark.bench.time", SimpleNamespace(perf_counter=lambda: now))
    monkeypatch.setattr("realtime_nst.painting.serving.load_stylizer", lambda backend: stylizer)
    monkeypatch.setattr("realtime_nst.benchmark.bench.starts", lambda *what: (2.0, 1.0, 100.0))
    monkeypatch.setattr("realtime_nst.benchmark.bench.LIVE_FRAMES", 5)
    backend = Backend("openvino", "float32", gpu=False)
    row = measure(book["wave"], book["scream"], backend, 64, 48, argparse.Namespace(frames=5), 1.0)
    assert (row.switch_ms, row.hold_ms) == pytest.approx((switch[0], hold[0]), abs=1e-6)
    assert (row.switch_spread_ms, row.hold_spread_ms) == pytest.approx((switch[1], hold[1]), abs=1e-6)
    words = table([row]).splitlines()[1].split()
    assert set(cells) <= set(words) and len(words) == len(COLUMNS)


@pytest.mark.parametrize(("load", "told"), [((0.2, 9.0, 9.0), None), ((1.8, 0.0, 0.0), "load 1.8"), (OSError("no"), None)])
def test_busy_machine_is_told_beside_its_figures(
    load: tuple[float, ...] | OSError,
    told: str | None,
    tmp_path: Path,
    weights: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def getloadavg() -> tuple[float, ...]:
        if isinstance(load, OSError):
            raise load
        return load

    monkeypatch.setattr("os.getloadavg", getloadavg, raising=False)
    row = Row("64x48", "float32", *([1.0] * 12))
    monkeypatch.setattr("realtime_nst.cli.bench.measure", lambda *arguments: row)
    assert run(weights, "--json", tmp_path / "bench.json") == 0
    last = capsys.readouterr().err.splitlines()[-1]
    assert (told in last and "Measure again" in last) if told else "busy" not in last
    assert json.loads((tmp_path / "bench.json").read_text())["load"] == (None if isinstance(load, OSError) else load[0])


@pytest.mark.parametrize(("alone", "reported"), [(1.2, False), (1.4, True)])
def test_cores_that_share_no_cache_are_reported(
    alone: float, reported: bool, weights: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = replace(Row("64x48", "float32", *([1.0] * 12)), network_ms=alone)
    monkeypatch.setattr("realtime_nst.cli.bench.measure", lambda *arguments: row)
    assert run(weights) == 0
    assert ("64x48 float32: a frame on all cores takes 1.4 times as long" in capsys.readouterr().err) == reported


def test_nothing_is_measured_before_the_outputs_are_known_to_be_free(
    tmp_path: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bench.json").write_text("mine")
    assert run(weights, "--json", tmp_path / "bench.json") == 1
    said = capsys.readouterr()
    assert "bench.json' exists. Add --overwrite" in said.err and said.err.count("\n") == 1
    assert (tmp_path / "bench.json").read_text() == "mine"


def test_memory_is_that_of_the_program_and_not_of_the_one_that_starts_it() -> None:
    much = bytearray(b"x" * 300_000_000)
    ended = subprocess.run([sys.executable, "-I", "-S", "-c", WATCH, sys.executable, "-c", "pass"], capture_output=True)
    seconds, memory = json.loads(ended.stdout)
    assert len(much) and seconds > 0 and (memory is None or memory < 100)


def test_program_that_fails_is_known_by_its_code_and_words() -> None:
    fails = [sys.executable, "-c", "raise SystemExit('no such thing')"]
    ended = subprocess.run([sys.executable, "-I", "-S", "-c", WATCH, *fails], capture_output=True)
    assert ended.returncode == 1 and ended.stderr == b"no such thing\n"


def test_every_precision_is_checked_before_one_is_measured(weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(weights, "--precision", "float32", "float16") == 1
    said = capsys.readouterr()
    assert "OpenVINO computes in float32 or bfloat16" in said.err and "Measuring" not in said.err


def test_longer_times_are_longer_bars(tmp_path: Path) -> None:
    draw_chart(tmp_path / "chart.png", [("small", 10.0, 20.0, 5.0), ("large", 40.0, 50.0, 20.0)])
    with Image.open(tmp_path / "chart.png") as picture:
        pixels = np.asarray(picture.convert("RGB"))[90:]
    lengths = {}
    for name, colour in COLOURS.items():
        rows = (pixels == colour).all(axis=2).sum(axis=1)
        blocks = [rows[rows > 0].min(), rows.max()]
        lengths[name] = blocks
    assert np.isclose(lengths["network alone"][1] / lengths["network alone"][0], 4.0, rtol=0.05)
    assert np.isclose(lengths["whole loop"][1] / lengths["limit of the machine"][1], 2.5, rtol=0.05)


def test_chart_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"chart\.png' was not written"):
        draw_chart(tmp_path / "gone" / "chart.png", [("small", 10.0, 20.0, 5.0)])


def test_figures_and_chart_of_one_name_are_refused(tmp_path: Path, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(weights, "--json", tmp_path / "both.png", "--chart", tmp_path / "folder" / ".." / "both.png") == 1
    assert "--json and --chart both name" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
