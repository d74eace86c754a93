"""Where the network's time goes, layer by layer, by OpenVINO's own counters: `python -m benchmarks.layers`.

Counting takes time itself, so the sum is a little more than a frame takes; what counts are the shares.
"""

import argparse
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from realtime_nst.engines.backend import activate, choose_backend
from realtime_nst.engines.openvino_runner import compile_network, options_of
from realtime_nst.frames import parse_size
from realtime_nst.inputs.sources import PatternSource
from realtime_nst.style.book import find_styles
from realtime_nst.style.field import HOME, fields_of

FRAMES = 30


def main(arguments: list[str]) -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.layers", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--size", type=parse_size, default=(1280, 720), metavar="WxH", help="default: 1280x720")
    parser.add_argument("--precision", default="auto", help="default: the fastest")
    parser.add_argument("--least", type=float, default=0.01, help="share below which layers are added up (default: %(default)s)")
    options = parser.parse_args(arguments)
    width, height = options.size
    backend = choose_backend("openvino", options.precision, "cpu")
    activate(backend)
    from realtime_nst.networks.transform import build_transform_network, set_kernels

    style = next(iter(find_styles([Path(__file__).parents[1] / "weights"]).values()))
    network = build_transform_network(style.body.architecture, width=width, height=height)
    set_kernels(network, style.body.weights())
    compiled = compile_network(network, options_of(backend.precision) | {"PERF_COUNT": "YES"})
    fields = fields_of(style.body.architecture.field, width, height, HOME)
    picture = PatternSource(width, height, fps=None).image(0)
    layers = measured_layers(compiled, {"images": picture[None], "vectors": style.vector[None], **fields})
    total = sum(layer.ms for layer in layers)
    print(f"{backend}, {width}x{height}: {total:.1f} ms a frame in all layers")
    print("| operation | kernel | result | ms | share |\n|---|---|---|---|---|")
    shown = [layer for layer in layers if layer.ms >= options.least * total]
    for layer in sorted(shown, key=lambda layer: -layer.ms):
        print(f"| {layer.kind} | {layer.kernel} | {layer.shape} | {layer.ms:.2f} | {layer.ms / total:.0%} |")
    rest = total - sum(layer.ms for layer in shown)
    print(f"| {len(layers) - len(shown)} others | | | {rest:.2f} | {rest / total:.0%} |")
    return 0


class Layer(NamedTuple):
    """One operation as OpenVINO runs it: what, by which kernel, the shape of its result, milliseconds a frame."""

    kind: str
    kernel: str
    shape: str
    ms: float


def measured_layers(compiled: Any, inputs: dict[str, np.ndarray]) -> list[Layer]:
    """Every operation that takes time, on average over some frames."""
    request = compiled.create_infer_request()
    for _ in range(FRAMES):
        request.infer(inputs)
    found = []
    for operation in compiled.get_runtime_model().get_ops():
        facts = operation.get_rt_info()
        taken = facts["execTimeMcs"].astype(str)
        if taken.isdigit() and int(taken):
            shape = "x".join(map(str, list(operation.get_output_shape(0))[1:]))
            found.append(Layer(facts["layerType"].astype(str), facts["primitiveType"].astype(str), shape, int(taken) / 1000))
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
