"""Speed as ratios of what one run measures, on the shipped styles: minutes, and wants a machine that does little else."""

import json
from pathlib import Path
from typing import Any

import pytest

from realtime_nst.cli import main

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def row(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The figures of 1280x720, in the precision that suits the machine."""
    file: Path = tmp_path_factory.mktemp("bench") / "bench.json"
    assert main(["bench", "--size", "1280x720", "--json", str(file)]) == 0
    (figures,) = json.loads(file.read_text())["rows"]
    return dict(figures)


def test_network_is_near_the_limit_of_the_machine(row: dict[str, Any]) -> None:
    assert row["least_share"] > 0.5


def test_decoding_and_handing_on_cost_little_beside_the_network(row: dict[str, Any]) -> None:
    assert row["loop_share"] > 0.85


def test_switch_costs_less_than_a_tenth_of_a_frame(row: dict[str, Any]) -> None:
    assert row["switch_ms"] < 0.1 * row["network_ms"]


def test_second_start_is_faster_and_memory_is_bounded(row: dict[str, Any]) -> None:
    assert row["second_start_s"] < 0.6 * row["first_start_s"]
    assert row["memory_mb"] is None or row["memory_mb"] < 500
