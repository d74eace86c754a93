"""Six more steps of a small run, in a process of its own: `python -m tests.train.small_again ORIGIN OUTPUT`.

With `PORT I/N` behind, it is one of several processes that do them together. Prints the losses as JSON, and fails if several
devices are there and do not share the batch.
"""

import json
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import keras
import pytest

from realtime_nst.style.book import find_styles
from realtime_nst.train import model
from realtime_nst.train.loop import Progress
from realtime_nst.train.processes import joined, own_folder
from realtime_nst.train.trainer import train
from tests.train.small import RECIPE, make_job, make_small


def main(origin: Path, output: Path, port: str = "", process: str = "") -> None:
    """Grow a body out of the one in `origin/whole`."""
    with ExitStack() as stack:
        if port:
            number, count = map(int, process.split("/"))
            stack.enter_context(joined(f"127.0.0.1:{port}", (number, count)))
            output = stack.enter_context(own_folder(output))
        grow(origin, output)


def grow(origin: Path, output: Path) -> None:
    patch = pytest.MonkeyPatch()
    make_small(patch)
    patch.setattr(model, "has_bfloat16", lambda: False)  # its rounding is coarser than what is compared here
    book = find_styles([origin / "whole"])
    (body,) = book.bodies
    start = {style.name: style.vector for style in book.values()}
    job = replace(make_job(origin), output=output, body=body, frozen=False, start=start, recipe=replace(RECIPE, seed=5))
    reports: list[Progress] = []
    train(job, report=reports.append)
    shared = keras.distribution.distribution()
    if len(keras.distribution.list_devices()) > 1 and keras.config.backend() == "jax" and shared is None:
        raise SystemExit("the devices were not used")
    print(json.dumps([progress.losses["loss"] for progress in reports]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
