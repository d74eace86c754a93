"""Running what takes steps: its progress bar, and what Ctrl-C does."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from realtime_nst.pipeline.interrupt import on_interrupt

if TYPE_CHECKING:
    from .loop import Progress


def run_with_bar(run: Callable[..., list[Path]], name: str, workshop: Path) -> bool:
    """Run what takes steps, with a progress bar, until it ends or Ctrl-C stops it.

    Args:
        run: Takes `report` and `stop`, and returns the files written, none if it was stopped.
        name: What the bar is called.
        workshop: Where it keeps its state.

    Returns:
        Whether it came to its end.
    """
    stopping: list[bool] = []
    reached = ""
    bar: tqdm[None] | None = None

    def report(progress: "Progress") -> None:
        nonlocal bar, reached
        if bar is None:
            print(f"Checkpoints and a preview picture go to '{workshop}'. Ctrl-C saves and stops.", file=sys.stderr)
            bar = tqdm(total=progress.steps, initial=progress.step - 1, unit="step", desc=name, dynamic_ncols=True)
        losses = {key: f"{value:.3f}" for key, value in progress.losses.items()}
        bar.set_postfix({**losses, "waiting": f"{progress.waiting:.0%}"}, refresh=False)
        bar.total = progress.steps
        bar.update(progress.step - bar.n)  # less than nothing where the run went back
        reached = f" after step {progress.step} of {progress.steps}"

    try:
        with on_interrupt(lambda: stopping.append(True)):
            written = run(report=report, stop=lambda: bool(stopping))
    finally:
        if bar is not None:
            bar.close()
    for path in written:
        print(f"Wrote '{path}'.", file=sys.stderr)
    if not written:
        print(f"Stopped{reached} and saved in '{workshop}'. The same command goes on from there.", file=sys.stderr)
    return bool(written)


def run_beside(run: Callable[..., list[Path]]) -> None:
    """Run what another process shows and writes, until it ends or Ctrl-C stops all."""
    stopping: list[bool] = []
    print("The first process shows how far it is, and writes the files.", file=sys.stderr)
    with on_interrupt(lambda: stopping.append(True)):
        run(stop=lambda: bool(stopping))
