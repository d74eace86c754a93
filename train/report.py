"""Figures of styles as a table, as JSON, as a contact sheet, and set against those of an earlier report."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from realtime_nst.errors import TrainingError
from realtime_nst.media.results import written_whole

INPUT = "(photos)"
"""The row of the photos themselves, as if a style changed nothing."""

COLUMNS = {
    "content": "content",
    "style": "style",
    "style_ratio": "style/opt",
    "content_ratio": "content/opt",
    "warping_error": "warping",
    "noise_gain": "noise",
    "flicker": "flicker",
    "sharpness": "sharpness",
    "plain": "plain",
    "shift": "shift",
    "half_precision": "half dB",
}
"""Figures in the order of the table, and its heads."""

COMPARED = ("content", "style", "plain", "warping_error", "noise_gain", "flicker", "shift")
OF_THE_PAINTING = ("style", "plain")
SAME_SHARPNESS = 0.1
TWO_DIGITS = ("content_ratio", "noise_gain", "flicker", "sharpness", "plain", "shift")
GAP, LABEL_WIDTH, LABEL_SIZE = 6, 150, 18


def table(figures: Mapping[str, Mapping[str, Any]]) -> str:
    """Aligned columns, a row per style; what nobody measured has no column, and what is unknown is a dash."""
    shown = [name for name in COLUMNS if any(row.get(name) is not None for row in figures.values())]
    rows = [["style", *(COLUMNS[name] for name in shown)]]
    rows += [[style, *(cell(name, row.get(name)) for name in shown)] for style, row in figures.items()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        numbers = (text.rjust(width) for text, width in zip(row[1:], widths[1:]))
        lines.append("  ".join([row[0].ljust(widths[0]), *numbers]))
    return "\n".join(lines)


def cell(name: str, value: float | None) -> str:
    """A figure with as many digits as mean something."""
    if value is None:
        return "-"
    digits = {"half_precision": 1, "style_ratio": 1}.get(name, 2 if name in TWO_DIGITS else 4)
    return f"{value:.{digits}f}"


def check_comparable(before: Mapping[str, Any], measured_on: Mapping[str, Any], styles: Iterable[str]) -> None:
    """Make sure that an earlier report says something about what is to be measured now.

    Args:
        before: The earlier report, as `read_report` gives it.
        measured_on: Photos and frames, as a report has them.
        styles: Names.

    Raises:
        TrainingError: It was measured on other photos and frames, or has none of these styles.
    """
    if before["measured_on"] != measured_on:
        different = [name for name, value in measured_on.items() if before["measured_on"].get(name) != value]
        raise TrainingError(
            f"The two reports differ in what they were measured on ({', '.join(different) or 'more was measured before'}). "
            "Measure both with the same flags."
        )
    if not set(styles) & set(before["styles"]):
        raise TrainingError(f"The earlier report has other styles: {', '.join(before['styles'])}. Measure one of them.")


def against(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What changed since an earlier report, a line per style that both have.

    Style losses compare only against paintings of the same size.

    Args:
        before: The earlier report, as `read_report` gives it.
        after: The new one, which compares (`check_comparable`).
    """
    lines = []
    for name, new in after["styles"].items():
        old = before["styles"].get(name)
        if name == INPUT or not old:
            continue
        same_painting = old.get("painting_size") == new.get("painting_size")
        sharper = new["sharpness"] / old["sharpness"] - 1.0
        changes = [
            f"{COLUMNS[key]} {change(old[key], new[key])}"
            for key in COMPARED
            if None not in (old.get(key), new.get(key)) and (key not in OF_THE_PAINTING or same_painting)
        ]
        verdict = "" if abs(sharper) <= SAME_SHARPNESS else " (too different in sharpness to compare in stillness)"
        lines.append(f"{name}: {', '.join([*changes, f'sharpness {sharper:+.0%}'])}{verdict}")
    return lines


def change(old: float, new: float) -> str:
    """The change of a figure as a share of the old one, or both where the old one is 0."""
    if old:
        return f"{new / old - 1.0:+.0%}"
    return f"0 to {new:.4g}" if new else "+0%"


def read_report(path: Path) -> dict[str, Any]:
    """A report that `write_json` wrote.

    Raises:
        TrainingError: It is missing, or something else.
    """
    try:
        report = json.loads(path.read_text("utf-8"))
        rows = [row for row in report["styles"].values() if float(row["sharpness"]) > 0]
        if len(rows) == len(report["styles"]) and isinstance(report["measured_on"], dict):
            return dict(report)
    except OSError as error:
        raise TrainingError(f"The report '{path}' cannot be read: {error.strerror}. Give a file of `--json`.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrainingError(f"'{path}' is not a report of `realtime-nst evaluate --json`. Give one.") from error
    raise TrainingError(f"'{path}' is not a report of `realtime-nst evaluate --json`. Give one.")


def write_json(path: Path, report: Mapping[str, Any]) -> None:
    """Write a report as a whole or not at all.

    Raises:
        SinkError: The disk does not allow it.
    """
    with written_whole(path) as draft:
        draft.write_text(json.dumps(report, indent=2, allow_nan=False) + "\n", "utf-8")


def contact_sheet(rows: Mapping[str, Sequence[np.ndarray]]) -> np.ndarray:
    """Pictures side by side, a row for each name, the name to the left.

    Args:
        rows: Pictures `(H, W, 3)` in `[0, 255]` by name, all of one size and as many in each row.

    Returns:
        uint8 `(height, width, 3)`.
    """
    height, width = next(iter(rows.values()))[0].shape[:2]
    most = max(len(pictures) for pictures in rows.values())
    sheet = Image.new("RGB", (LABEL_WIDTH + most * (width + GAP), len(rows) * (height + GAP) + GAP), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(LABEL_SIZE)
    for row, (name, pictures) in enumerate(rows.items()):
        top = GAP + row * (height + GAP)
        draw.text((GAP, top + (height - LABEL_SIZE) // 2), name, fill="black", font=font)
        for column, picture in enumerate(pictures):
            shown = np.rint(picture).clip(0, 255).astype(np.uint8)
            sheet.paste(Image.fromarray(shown), (LABEL_WIDTH + column * (width + GAP), top))
    return np.asarray(sheet)
