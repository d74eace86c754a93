"""What a frame costs at least: multiplications and bytes counted from the network's layers, against the machine.

The roofline of Williams et al.: a layer takes at least as long as its multiplications at the rate of the matrix
units, and at least as long as its bytes at the rate of the memory. The rates are measured, not looked up.
"""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from realtime_nst.engines.backend import Backend, openvino_core
from realtime_nst.style.architecture import Architecture

BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
MATRIX_SIDE = 2048
MEMORY_BYTES = 64 * 1024**2
MOST_COPIES = 16
"""Threads that copy at once, each its own array: enough to keep any memory busy."""
ROUNDS = 5


@dataclass(frozen=True)
class Cost:
    """Of one layer and one frame.

    Args:
        name: The layer.
        multiplications: Of its convolution, with the addition to each.
        bytes: Read and written at least: features in and out once, weights once, and for a normalized layer its
            features read again for their statistics.
    """

    name: str
    multiplications: int
    bytes: int


@dataclass(frozen=True)
class Machine:
    """What the processor can do, measured: multiplications (with additions) per second, bytes per second."""

    multiplications: float
    bytes: float


def count_costs(architecture: Architecture, width: int, height: int, precision: str) -> list[Cost]:
    """The cost of every layer, for a frame of a size.

    Args:
        architecture: The network.
        width: Width of the frame in pixels, a multiple of 8.
        height: Height of the frame in pixels, a multiple of 8.
        precision: Of the features: "float32", "bfloat16" or "float16".
    """
    size = BYTES[precision]
    area = width * height
    scale_in = {"patches": 1, "down": 4, "quarter": 8, "half": 4, "colours": 2}
    scale_out = {"down": 8, "quarter": 4, "half": 2, "colours": 2}
    taking = {f"{name}_field": part for name, (part, _) in architecture.field_channels.items()}
    scale_in, scale_out = scale_in | taking, scale_out | taking
    costs = []
    for key, (side, _, channels_in, channels_out) in architecture.kernel_shapes.items():
        name = key.removesuffix("/kernel")
        default = 8 if name.startswith("block") else 4
        into, out = area // scale_in.get(name, default) ** 2, area // scale_out.get(name, default) ** 2
        # Upsampling and convolution in one: each output sees 2x2 of the features below, not 3x3 of upsampled ones.
        taps = 4 if name in ("quarter", "half") else side**2
        features = into * channels_in + out * channels_out
        again = 0 if name in ("patches", "colours", *taking) else out * channels_out
        weights = side**2 * channels_in * channels_out
        costs.append(Cost(name, out * taps * channels_in * channels_out, size * (features + again + weights)))
    places = area // 16
    if architecture.blurred:
        costs.append(Cost("down_blur", 9 * places * architecture.quarter, 2 * size * places * architecture.quarter))
    if architecture.field:
        # How plain the frame is: means of 4x4 pixels, and of 9x9 of these, rows before columns; then the field times that.
        values = (places + places // 4) * architecture.field
        costs.append(Cost("field where it is plain", 3 * area + 2 * 9 * places + values, size * 3 * area + (4 + size) * values))
    costs.append(Cost("frame in and out", 0, 2 * 3 * area))
    return costs


def least_seconds(costs: list[Cost], machine: Machine) -> float:
    """The least time for a frame: for every layer the longer of calculating and fetching."""
    return sum(max(cost.multiplications / machine.multiplications, cost.bytes / machine.bytes) for cost in costs)


def measure_machine(backend: Backend) -> Machine:
    """Measure matrix and memory rates with what serves: the best of a few rounds.

    On anything but OpenVINO the matrix rate is NumPy's in float32, which is a lower bound.
    """
    multiply = _openvino_product(backend.precision) if backend.name == "openvino" else _numpy_product()
    source = [np.ones(MEMORY_BYTES, np.uint8) for _ in range(min(os.cpu_count() or 1, MOST_COPIES))]
    target = [np.empty_like(array) for array in source]
    with ThreadPoolExecutor(len(source)) as pool:
        copying = best(lambda: list(pool.map(np.copyto, target, source)))
    return Machine(MATRIX_SIDE**3 / best(multiply), 2 * MEMORY_BYTES * len(source) / copying)


def best(work: Callable[[], object]) -> float:
    """Seconds of the best of a few rounds, after a first one."""
    work()
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def _openvino_product(precision: str) -> Callable[[], object]:
    import openvino
    from openvino import opset13 as op

    numbers = np.random.default_rng(0).normal(size=(MATRIX_SIDE, MATRIX_SIDE)).astype(np.float32)
    left = op.parameter([MATRIX_SIDE, MATRIX_SIDE], np.float32)
    model = openvino.Model([op.matmul(left, op.constant(numbers), False, False)], [left])
    rounding = {"float32": "f32", "bfloat16": "bf16"}[precision]
    request = openvino_core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": rounding}).create_infer_request()
    request.get_input_tensor(0).data[...] = numbers
    work: Callable[[], object] = partial(request.infer, share_outputs=True)
    return work


def _numpy_product() -> Callable[[], object]:
    numbers = np.random.default_rng(0).normal(size=(MATRIX_SIDE, MATRIX_SIDE)).astype(np.float32)
    return lambda: numbers @ numbers
