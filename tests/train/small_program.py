"""The whole command line with training made small: `python -m tests.train.small_program FREE GATE WORDS ...`.

Each process takes so many steps, and more once the file GATE exists; which steps it took is in GATE.steps.
"""

import sys
import time
from pathlib import Path
from typing import Any

import pytest

from realtime_nst.cli.main import main
from realtime_nst.train import command, evaluate, evaluate_command, loop, model, objective
from tests.train.small import RECIPE, make_small, small_loss_network

WORKER = """
import sys
from realtime_nst.jobs import errand
errand.PROGRAM = (sys.executable, "-m", "tests.train.small_program", *sys.argv[1:3])
from realtime_nst.cli.main import main
sys.exit(main(sys.argv[3:]))
"""
"""A worker whose commands are given so."""
CLIENT = """
import sys
from realtime_nst.train import share
share.TOGETHER = 1
from tests.train.small_program import main_of
sys.exit(main_of(int(sys.argv[1]), sys.argv[2], sys.argv[3:]))
"""


def main_of(free: int, gate: str, words: list[str]) -> int:
    """The command line, with a narrow network and two convolutions in the place of VGG19."""
    patch = pytest.MonkeyPatch()
    make_small(patch)
    patch.setattr(objective, "build_loss_network", small_loss_network)
    patch.setattr(model, "has_bfloat16", lambda: False)
    for name in ("vector_recipe", "predicted_recipe"):
        patch.setattr(command, name, lambda architecture: RECIPE)
    for module in (evaluate, evaluate_command):
        patch.setattr(module, "REFERENCE_RECIPE", RECIPE)
    for module in (command, evaluate_command):
        patch.setattr(module, "style_folders", lambda first=None: [first])
    take_step, name = loop.take_step, words[words.index("--name") + 1] if "--name" in words else ""

    def take(learner: Any, recipe: Any, step: int, *rest: Any) -> Any:
        nonlocal free
        free -= 1
        while free < 0 and not Path(gate).exists():
            Path(f"{gate}.reached").touch()
            time.sleep(0.01)
        with Path(f"{gate}.steps").open("a") as file:
            file.write(f"{name} {step}\n")
        return take_step(learner, recipe, step, *rest)

    patch.setattr(loop, "take_step", take)
    return main(words)


if __name__ == "__main__":
    sys.exit(main_of(int(sys.argv[1]), sys.argv[2], sys.argv[3:]))
