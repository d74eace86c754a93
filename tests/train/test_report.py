"""Figures as a table, as JSON, as a sheet, and against an earlier report."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime_nst.errors import SinkError, TrainingError
from realtime_nst.files import draft_of
from realtime_nst.train.report import INPUT, against, check_comparable, contact_sheet, read_report, table, write_json

pytestmark = pytest.mark.once

FIGURES: dict[str, dict[str, Any]] = {
    INPUT: {"content": 0.0, "style": None, "noise_gain": 1.0, "sharpness": 1.0, "warping_error": None},
    "starry-night": {"content": 0.37302, "style": 0.02636, "noise_gain": 0.554, "sharpness": 1.234, "half_precision": 55.44},
}


def report_of(noise: float, sharp: float, photos: tuple[str, ...] = ("a.jpg",), name: str = "wave") -> dict[str, Any]:
    """A report on one style."""
    row = {"noise_gain": noise, "sharpness": sharp, "warping_error": 0.1 * noise}
    return {"measured_on": {"photos": list(photos), "size": 256}, "styles": {INPUT: {"sharpness": 1.0}, name: row}}


def test_table_is_aligned_and_leaves_out_what_nobody_measured() -> None:
    lines = table(FIGURES).splitlines()
    assert [line.split() for line in lines] == [
        ["style", "content", "style", "noise", "sharpness", "half", "dB"],
        [INPUT, "0.0000", "-", "1.00", "1.00", "-"],
        ["starry-night", "0.3730", "0.0264", "0.55", "1.23", "55.4"],
    ]
    assert len({len(line) for line in lines}) == 1


def test_report_comes_back_as_it_was_written(tmp_path: Path) -> None:
    report = report_of(0.5, 1.2)
    write_json(tmp_path / "a.json", report)
    assert read_report(tmp_path / "a.json") == report
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_report_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    draft_of(tmp_path / "a.json").mkdir()
    (tmp_path / "a.json").write_text("old")
    with pytest.raises(SinkError, match=r"a\.json' was not written"):
        write_json(tmp_path / "a.json", report_of(1, 1))
    assert (tmp_path / "a.json").read_text() == "old"


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "{}", '{"styles": {"a": {}}}', '{"styles": {}}', '{"styles": 3}'])
def test_file_that_is_no_report_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(TrainingError, match=r"a\.json' is not a report of `realtime-nst evaluate --json`. Give one"):
        read_report(tmp_path / "a.json")


def test_missing_report_is_told(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"The report '.*gone\.json' cannot be read: No such file"):
        read_report(tmp_path / "gone.json")


def test_changes_are_told_by_style() -> None:
    assert against(report_of(0.8, 1.0), report_of(0.4, 0.95)) == ["wave: warping -50%, noise -50%, sharpness -5%"]
    assert against(report_of(0.4, 1.0), report_of(0.5, 1.08)) == ["wave: warping +25%, noise +25%, sharpness +8%"]


def test_losses_are_compared_and_a_figure_of_nothing_too() -> None:
    before, after = report_of(0.8, 1.0), report_of(0.0, 1.0)
    before["styles"]["wave"] |= {"content": 2.0, "style": 0.1, "warping_error": 0.0}
    after["styles"]["wave"] |= {"content": 1.5, "style": 0.11, "warping_error": 0.05}
    (line,) = against(before, after)
    assert line == "wave: content -25%, style +10%, warping 0 to 0.05, noise -100%, sharpness +0%"
    after["styles"]["wave"] |= {"warping_error": 0.0, "painting_size": 300}
    assert against(before, after) == ["wave: content -25%, warping +0%, noise -100%, sharpness +0%"]
    after["styles"]["wave"] |= {"warping_error": None}
    assert against(before, after) == ["wave: content -25%, noise -100%, sharpness +0%"]


@pytest.mark.parametrize("sharp", [0.85, 1.15])
def test_stillness_by_blur_is_not_called_an_improvement(sharp: float) -> None:
    (line,) = against(report_of(0.8, 1.0), report_of(0.4, sharp))
    assert line.endswith("(too different in sharpness to compare in stillness)")


def test_reports_on_other_photos_or_styles_do_not_compare() -> None:
    with pytest.raises(TrainingError, match=r"differ in what they were measured on \(photos\). Measure both with the same flags"):
        check_comparable(report_of(1, 1), report_of(1, 1, photos=("b.jpg",))["measured_on"], ["wave"])
    with pytest.raises(TrainingError, match=r"The earlier report has other styles: \(photos\), kiss. Measure one of them"):
        check_comparable(report_of(1, 1, name="kiss"), report_of(1, 1)["measured_on"], ["wave"])
    check_comparable(report_of(1, 1), report_of(1, 1)["measured_on"], ["kiss", "wave"])


def test_json_has_no_infinity(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"a": float("inf")})
    assert not list(tmp_path.iterdir())
    assert json.loads(json.dumps(report_of(1, 1)))


def test_sheet_has_a_row_for_each_name_and_a_column_for_each_picture() -> None:
    rows = {
        name: [np.full((40, 50, 3), level + 10.6 * column) for column in range(3)]
        for name, level in (("a", 0), ("b", 100), ("c", 300))
    }
    sheet = contact_sheet(rows)
    assert sheet.dtype == np.uint8 and sheet.shape == (3 * 46 + 6, 150 + 3 * 56, 3)
    for row, level in enumerate((0, 100, 300)):
        for column in range(3):
            middle = sheet[6 + 46 * row + 20, 150 + 56 * column + 25]
            assert (middle == min(255, round(level + 10.6 * column))).all()
    assert (sheet[:, :150] == 0).any(), "the names are written"
