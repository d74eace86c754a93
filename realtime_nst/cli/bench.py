"""The command `bench`: how fast it is on this machine, and how far from the fastest possible. It prints."""

import argparse
import json
import os
import platform
import time
from dataclasses import asdict
from pathlib import Path

from realtime_nst import __version__
from realtime_nst.benchmark.bench import ROUNDS, SCATTERED, measure, table
from realtime_nst.benchmark.chart import draw_chart
from realtime_nst.benchmark.roofline import count_costs, least_seconds, measure_machine
from realtime_nst.cli.console import find_all_styles, say
from realtime_nst.engines.backend import choose_backend
from realtime_nst.errors import SinkError
from realtime_nst.frames import padded_length
from realtime_nst.media.photos import check_photo_name
from realtime_nst.media.results import check_output, written_whole

BUSY = 0.5
"""Processes that run on average before the measurement, from which on its figures are not to be trusted."""


def bench(options: argparse.Namespace) -> int:
    """Measure every size and precision; print a table, write JSON and a chart where wanted."""
    if options.json is not None and options.chart is not None and options.json.resolve() == options.chart.resolve():
        raise SinkError(f"--json and --chart both name '{options.chart}'. Give each a file of its own.")
    if options.chart is not None:
        check_photo_name(options.chart)
    for path in (options.json, options.chart):
        if path is not None:
            check_output(path, overwrite=options.overwrite)
    styles = list(find_all_styles(options).values())
    style = styles[0]
    other = next((candidate for candidate in styles[1:] if candidate.body.sha256 == style.body.sha256), style)
    sizes = list(dict.fromkeys(options.size))
    backends = [choose_backend(options.backend, precision, options.device) for precision in dict.fromkeys(options.precision)]
    rows, engines = [], []
    load = load_before()
    for backend in backends:
        machine = measure_machine(backend)
        engines.append({"engine": str(backend), **asdict(machine)})
        say(f"{backend}: {machine.multiplications / 1e9:.0f} G multiplications/s, {machine.bytes / 1e9:.1f} GB/s of memory.")
        for width, height in sizes:
            say(f"Measuring {width}x{height} ...")
            costs = count_costs(style.body.architecture, padded_length(width), padded_length(height), backend.precision)
            least = 1000 * least_seconds(costs, machine)
            rows.append(measure(style, other, backend, width, height, options, least))
    print(table(rows))
    for row in rows:
        if row.network_ms > SCATTERED * row.many_ms:
            times = row.network_ms / row.many_ms
            say(
                f"{row.size} {row.precision}: a frame on all cores takes {times:.1f} times as long as one of several "
                "at once. The cores share no cache, or other programs use them: a show is slower by that, a film is not."
            )
    if load is not None and load > BUSY:  # at the end, beside the figures that it is about
        say(f"The machine was busy just before (load {load:.1f}): these figures may be too slow. Measure again when it rests.")
    facts = {
        "version": __version__,
        "measured": time.strftime("%Y-%m-%d"),
        "processor": processor(),
        "load": load,
        "machine": engines,
        "rounds": ROUNDS,
        "frames": options.frames,
        "rows": [asdict(row) for row in rows],
    }
    if options.json is not None:
        with written_whole(options.json) as draft:
            draft.write_text(json.dumps(facts, indent=1), "utf-8")
    if options.chart is not None:
        draw_chart(options.chart, [(f"{row.size} {row.precision}", row.network_ms, row.loop_ms, row.least_ms) for row in rows])
    return 0


def processor() -> str:
    """What the system calls the processor, and how many of its cores there are."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{os.cpu_count()} x {names[0] if names else platform.processor()}"


def load_before() -> float | None:
    """How many processes ran on average in the minute before; `None` where the system does not tell."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):  # Windows, and systems that forbid it
        return None
