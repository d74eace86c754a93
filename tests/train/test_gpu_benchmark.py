"""The measurement of a GPU, rehearsed on whatever is here: all of it runs, and wrong pictures do not pass."""

import json
from pathlib import Path
from typing import Any

import keras
import pytest

from benchmarks import gpu

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(keras.config.backend() != "jax", reason="it measures JAX"),
]


def test_a_rehearsal_measures_every_size_and_checks_every_style(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "gpu.json"
    assert gpu.main(["--rehearse", "--precision", "bfloat16", "--json", str(file)]) == 0
    report: dict[str, Any] = json.loads(file.read_text())
    assert [row["size"] for row in report["rows"]] == ["64x48", "96x64"]
    assert all(row[way] > 0 for row in report["rows"] for way in ("alone_ms", "in_turns_ms", "overlapped_ms", "limit_ms"))
    assert len(report["decibels"]) >= 19 and min(found["bfloat16"] for found in report["decibels"].values()) > 40
    said = capsys.readouterr().out
    assert "| 96x64 | bfloat16 |" in said and "| `wave` |" in said


def test_a_style_that_comes_out_wrong_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    figures = {"alone_ms": 1.0, "in_turns_ms": 1.0, "overlapped_ms": 1.0, "limit_ms": 0.5, "compile_s": 1.0}
    monkeypatch.setattr(gpu, "measure", lambda *given: {"size": "64x48", "precision": "float16", **figures})
    monkeypatch.setattr(gpu, "check", lambda *given: {"wave": {"float16": 12.0}, "kiss": {"float16": 50.0}})
    assert gpu.main(["--rehearse", "--precision", "float16"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "Wrong: wave in float16."
