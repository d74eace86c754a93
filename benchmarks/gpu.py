"""How fast a GPU paints, and whether it paints rightly, on JAX: `python -m benchmarks.gpu` (minutes; any machine rehearses it).

For each precision and size: the network alone on pictures that are there; with one upload and one download of bytes for each
frame, one after the other, as in a show; and with these overlapped, as in a film. The limit is the GPU's own roofline, its
rates measured in the same run. Then every style in half precision against float32. `--json` keeps all of it; the tables are
those for docs/speed.md.
"""

import argparse
import json
import sys
import time
from collections import deque
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from realtime_nst.benchmark.roofline import Machine, best, count_costs, least_seconds
from realtime_nst.engines.backend import Backend, reaches_gpu
from realtime_nst.engines.device_runner import LEAST_LIKENESS, likeness
from realtime_nst.engines.engine import WholeEngine
from realtime_nst.engines.jax_runner import JaxRunner
from realtime_nst.frames import parse_size
from realtime_nst.inputs.sources import PatternSource
from realtime_nst.style.book import StyleBook, find_styles

ROOT = Path(__file__).parents[1]
SIZES = ("1280x720", "1920x1080", "3840x2160")
PICTURES, AHEAD = 4, 3
MATRIX_SIDE, COPIED = 8192, 1024**3
"""Rows of the matrices, and bytes, by which the machine's rates are measured; a rehearsal takes fewer."""
CHECKED = 512
"""Pixels of the longer side of the photo in which every style is checked."""


def main(arguments: list[str]) -> int:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--size", type=parse_size, nargs="+", default=[parse_size(size) for size in SIZES], metavar="WxH")
    parser.add_argument("--precision", nargs="+", default=["float16", "bfloat16"])
    parser.add_argument("--frames", type=int, default=200, help="of each turn (default: %(default)s)")
    parser.add_argument("--rehearse", action="store_true", help="tiny pictures and few of them: see that all of it runs")
    parser.add_argument("--json", type=Path, help="write all figures")
    options = parser.parse_args(arguments)
    if options.rehearse:
        options.size, options.frames = [(64, 48), (96, 64)], 4
    import jax

    gpu = reaches_gpu("jax")
    book = find_styles([ROOT / "weights"])
    report: dict[str, Any] = {"device": str(jax.devices()[0].device_kind), "rows": [], "decibels": {}}
    print(f"{report['device']}, JAX {jax.__version__}\n")
    print("| frame | precision | network alone | one after the other | overlapped | of the limit | first frame |")
    print("|---|---|---|---|---|---|---|")
    for precision in options.precision:
        machine = measured_machine(precision, options.rehearse)
        for width, height in options.size:
            row = measure(book, Backend("jax", precision, gpu), width, height, options.frames, machine)
            report["rows"].append(row)
            print(
                f"| {row['size']} | {precision} | {1000 / row['alone_ms']:.0f} frames/s | {1000 / row['in_turns_ms']:.0f} "
                f"| {1000 / row['overlapped_ms']:.0f} | {row['limit_ms'] / row['alone_ms']:.0%} | {row['compile_s']:.1f} s |",
                flush=True,
            )
    found = report["decibels"] = check(book, options.precision, gpu)
    print("\n| style | " + " | ".join(options.precision) + " |\n|---|" + "---|" * len(options.precision))
    for name, decibels in found.items():
        print(f"| `{name}` | " + " | ".join(f"{decibels[precision]:.0f} dB" for precision in options.precision) + " |")
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=1), "utf-8")
    wrong = [f"{name} in {one}" for name, decibels in found.items() for one in decibels if decibels[one] < LEAST_LIKENESS]
    print(f"\nWrong: {', '.join(wrong)}." if wrong else "\nAll styles are right.")
    return 1 if wrong else 0


def measure(book: StyleBook, backend: Backend, width: int, height: int, frames: int, machine: Machine) -> dict[str, Any]:
    """Milliseconds a frame in each way, and what the machine allows."""
    import jax

    style = next(iter(book.values()))
    engine = WholeEngine(style.body, width, height, JaxRunner(backend))
    pattern = PatternSource(width, height, fps=None)
    pictures = [pattern.image(index) for index in range(PICTURES)]
    there = [jax.device_put(picture) for picture in pictures]
    started = time.perf_counter()
    engine(there[0], style.vector)
    compiled = time.perf_counter() - started

    def alone() -> None:
        for _, picture in zip(range(frames), cycle(there)):
            painting = engine.on_device(picture, style.vector)
        jax.block_until_ready(painting)

    def in_turns() -> None:
        for _, picture in zip(range(frames), cycle(pictures)):
            engine(jax.device_put(picture), style.vector)

    def overlapped() -> None:
        for painting in downloaded(
            engine.on_device(jax.device_put(picture), style.vector) for _, picture in zip(range(frames), cycle(pictures))
        ):
            assert painting.shape == (1, height, width, 3)

    times = {
        name: 1000 * best(way) / frames for name, way in (("alone", alone), ("in_turns", in_turns), ("overlapped", overlapped))
    }
    limit = least_seconds(count_costs(style.body.architecture, width, height, backend.precision), machine)
    facts = {f"{name}_ms": taken for name, taken in times.items()}
    return {"size": f"{width}x{height}", "precision": backend.precision, "limit_ms": 1000 * limit, "compile_s": compiled, **facts}


def downloaded(paintings: Iterator[Any]) -> Iterator[np.ndarray]:
    """Pictures as they come back, while the next ones are painted already."""
    waiting: deque[Any] = deque()
    for painting in paintings:
        painting.copy_to_host_async()
        waiting.append(painting)
        if len(waiting) == AHEAD:
            yield np.asarray(waiting.popleft())
    while waiting:
        yield np.asarray(waiting.popleft())


def measured_machine(precision: str, rehearse: bool) -> Machine:
    """The GPU's rates: of a product of matrices in a precision, and of a copy."""
    import jax
    from jax import numpy as jnp

    side, size = (256, 2**20) if rehearse else (MATRIX_SIDE, COPIED)
    matrix = jnp.ones((side, side), precision)
    numbers = jnp.ones(size // 4, jnp.float32)
    product, copy = jax.jit(lambda x: x @ x), jax.jit(lambda x: x + 1)
    multiplying = best(lambda: jax.block_until_ready(product(matrix)))
    copying = best(lambda: jax.block_until_ready(copy(numbers)))
    return Machine(side**3 / multiplying, 2 * size / copying)


def check(book: StyleBook, precisions: list[str], gpu: bool) -> dict[str, dict[str, float]]:
    """Decibels between each style in half precision and in float32, by style and precision."""
    with Image.open(ROOT / "samples" / "palace.jpg") as file:
        file.thumbnail((CHECKED, CHECKED))
        photo = np.asarray(file.convert("RGB"))
    photo = np.ascontiguousarray(photo[: photo.shape[0] // 8 * 8, : photo.shape[1] // 8 * 8])
    height, width = photo.shape[:2]
    body = next(iter(book.values())).body
    paint = {one: WholeEngine(body, width, height, JaxRunner(Backend("jax", one, gpu))) for one in ("float32", *precisions)}
    exact = {style.name: paint["float32"](photo, style.vector) for style in book.values()}
    return {
        style.name: {one: likeness(paint[one](photo, style.vector), exact[style.name]) for one in precisions}
        for style in book.values()
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
