"""`python -m tests.train.small_refine`: the process that refines a style beside a show, on small networks and photos."""

import sys
from dataclasses import replace

import pytest

from realtime_nst.train import refine
from realtime_nst.train.recipes import PREDICTED_STEPS
from tests.train.small import RECIPE, make_small

if __name__ == "__main__":
    lines, sys.stdout = sys.stdout.buffer, sys.stderr
    make_small(pytest.MonkeyPatch())
    refine.predicted_recipe = lambda architecture: replace(RECIPE, steps=PREDICTED_STEPS)
    refine.EVERY = 2
    sys.exit(refine.converse(sys.stdin.buffer, lines))
