"""What a network of other numbers would cost: `python -m benchmarks.shapes inner=32 inner=32,fine_inner=32 ...`.

Each argument changes the shipped network's `Architecture` by names of its fields. Weights are random, because time does not
depend on them. All take turns on the same frame, because a machine's speed drifts.
"""

import argparse
import os
import sys
import time
from dataclasses import replace
from statistics import median

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from tqdm import tqdm

from realtime_nst.benchmark.roofline import count_costs
from realtime_nst.cli.arguments import size
from realtime_nst.engines.backend import Backend, activate
from realtime_nst.engines.openvino_runner import ROUNDING, OpenVINOProgram, compile_network, options_of
from realtime_nst.style.architecture import Architecture
from realtime_nst.style.field import fields_of


def architecture_of(text: str) -> Architecture:
    """The shipped architecture with other numbers, from `name=number,...`."""
    changes = dict(pair.split("=") for pair in text.split(","))
    return replace(Architecture(), **{name: int(number) for name, number in changes.items()})


def measure(architectures: list[Architecture], width: int, height: int, rounds: int, backend: Backend) -> list[float]:
    """Median milliseconds of each network, in turns."""
    activate(backend)
    from realtime_nst.networks.transform import build_transform_network

    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    programs = []
    for architecture in tqdm(architectures, desc="compiling"):
        network = build_transform_network(architecture, width=width, height=height)
        compiled = compile_network(network, options_of(backend.precision))
        vector = rng.normal(1.0, 0.2, architecture.vector_size).astype(np.float32)
        given = {"images": frame[None], "vectors": vector[None], **fields_of(architecture.field, width, height)}
        programs.append((OpenVINOProgram(compiled), given))
    seconds: list[list[float]] = [[] for _ in programs]
    for _ in tqdm(range(rounds), desc="measuring"):
        for (program, inputs), times in zip(programs, seconds):
            started = time.perf_counter()
            program(inputs)
            times.append(time.perf_counter() - started)
    return [1e3 * median(times[len(times) // 5 :]) for times in seconds]  # without the first ones, which warm up


def main() -> int:
    """Measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shapes", nargs="+", metavar="NAME=NUMBER[,...]")
    parser.add_argument("--size", type=size, default=(1280, 720), metavar="WxH", help="default: 1280x720")
    parser.add_argument("--rounds", type=int, default=40, help="(default: %(default)s)")
    parser.add_argument("--precision", choices=tuple(ROUNDING), default="bfloat16", help="(default: %(default)s)")
    options = parser.parse_args()
    width, height = options.size
    backend = Backend("openvino", options.precision, gpu=False)
    architectures = [Architecture(), *map(architecture_of, options.shapes)]
    times = measure(architectures, width, height, options.rounds, backend)
    print(f"{'network':44}{'G multiplications':>18}{'ms':>8}{'share':>8}")
    for name, architecture, milliseconds in zip(["as shipped", *options.shapes], architectures, times):
        costs = count_costs(architecture, width, height, options.precision)
        billions = sum(cost.multiplications for cost in costs) / 1e9
        print(f"{name:44}{billions:18.2f}{milliseconds:8.1f}{milliseconds / times[0]:8.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
