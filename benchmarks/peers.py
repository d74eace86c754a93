"""The same frames through Johnson's network in other engines, and through this project: `python -m benchmarks.peers`.

Johnson's network (32-64-128 channels, five residual blocks, 1.68 million weights) is what most real-time style
transfer programs run. It is built four times from the same random weights, the answers are compared, and then
every engine paints every frame in turn, because a machine's speed drifts. From uint8 frame to uint8 frame.

Needs `pip install -e '.[peers]'`.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

Engine = Callable[[np.ndarray], np.ndarray]
"""uint8 `(height, width, 3)` to the same."""

LAYERS = [("conv1", 9, 3, 32, 1), ("conv2", 3, 32, 64, 2), ("conv3", 3, 64, 128, 2)]
LAYERS += [(f"block{index}{half}", 3, 128, 128, 1) for index in range(1, 6) for half in "ab"]
LAYERS += [("up1", 3, 128, 64, 1), ("up2", 3, 64, 32, 1), ("conv4", 9, 32, 3, 1)]
"""Name, kernel, channels in and out, stride. Before `up1` and `up2` the features are upsampled by two."""


def random_weights() -> dict[str, np.ndarray]:
    """Kernels `(k, k, in, out)`, and a scale and a shift for each instance normalization."""
    rng = np.random.default_rng(1)
    weights = {}
    for name, size, channels_in, channels_out, _ in LAYERS:
        deviation = (2.0 / (size * size * channels_in)) ** 0.5
        weights[f"{name}/kernel"] = rng.normal(0, deviation, (size, size, channels_in, channels_out)).astype(np.float32)
        weights[f"{name}/scale"] = rng.uniform(0.5, 1.5, channels_out).astype(np.float32)
        weights[f"{name}/shift"] = rng.normal(0, 0.2, channels_out).astype(np.float32)
    return weights


def johnson(x: Any, conv: Callable[[Any, str], Any], norm: Callable[[Any, str], Any], relu: Any, upsample: Any) -> Any:
    """The network, on any engine's operations (Johnson et al. 2016, supplementary material)."""
    for name in ("conv1", "conv2", "conv3"):
        x = relu(norm(conv(x, name), name))
    for index in range(1, 6):
        y = relu(norm(conv(x, f"block{index}a"), f"block{index}a"))
        x = x + norm(conv(y, f"block{index}b"), f"block{index}b")
    for name in ("up1", "up2"):
        x = relu(norm(conv(upsample(x), name), name))
    return conv(x, "conv4")


def torch_module(weights: dict[str, np.ndarray]) -> Any:
    """PyTorch: float image `(1, 3, H, W)` in `[0, 1]` to the same."""
    import torch
    from torch import nn

    functional = nn.functional

    strides = {name: stride for name, *_, stride in LAYERS}

    class Johnson(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for name, array in weights.items():
                tensor = torch.from_numpy(array if array.ndim == 1 else array.transpose(3, 2, 0, 1).copy())
                self.register_parameter(name.replace("/", "_"), nn.Parameter(tensor, requires_grad=False))

        def forward(self, x: Any) -> Any:
            def conv(x: Any, name: str) -> Any:
                kernel = getattr(self, f"{name}_kernel")
                margin = kernel.shape[-1] // 2
                return functional.conv2d(functional.pad(x, [margin] * 4, mode="reflect"), kernel, stride=strides[name])

            def norm(x: Any, name: str) -> Any:
                return functional.instance_norm(x, weight=getattr(self, f"{name}_scale"), bias=getattr(self, f"{name}_shift"))

            return torch.sigmoid(johnson(x, conv, norm, functional.relu, partial(functional.interpolate, scale_factor=2)))

    return Johnson().eval()


def torch_engine(module: Any, half: bool) -> Engine:
    """PyTorch, channels last, in float32 or bfloat16."""
    import torch

    module = module.to(memory_format=torch.channels_last)

    def paint(image: np.ndarray) -> np.ndarray:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
            x = torch.from_numpy(image).permute(2, 0, 1)[None].float().div(255).contiguous(memory_format=torch.channels_last)
            return (module(x).float()[0].permute(1, 2, 0) * 255).byte().contiguous().numpy()

    return paint


def onnx_file(module: Any, folder: Path, width: int, height: int) -> Path:
    """The network as an ONNX file, for the engines that read those."""
    import torch

    path = folder / "johnson.onnx"
    torch.onnx.export(module, (torch.zeros(1, 3, height, width),), str(path), dynamo=False, opset_version=17)
    return path


def to_planes(image: np.ndarray) -> np.ndarray:
    """uint8 `(H, W, 3)` to float32 `(1, 3, H, W)` in `[0, 1]`."""
    return np.ascontiguousarray(image.transpose(2, 0, 1)[None], dtype=np.float32) / 255


def to_image(planes: np.ndarray) -> np.ndarray:
    """The inverse of `to_planes`."""
    return np.ascontiguousarray((planes[0] * 255).astype(np.uint8).transpose(1, 2, 0))


def onnxruntime_engine(path: Path) -> Engine:
    """ONNX Runtime, float32."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda image: to_image(session.run(None, {name: to_planes(image)})[0])


def opencv_engine(path: Path) -> Engine:
    """OpenCV DNN, float32."""
    import cv2

    network = cv2.dnn.readNetFromONNX(str(path))

    def paint(image: np.ndarray) -> np.ndarray:
        network.setInput(to_planes(image))
        return to_image(network.forward())

    return paint


def tensorflow_engine(weights: dict[str, np.ndarray]) -> Engine:
    """TensorFlow's graph, float32."""
    import tensorflow as tf

    strides = {name: stride for name, *_, stride in LAYERS}
    constants = {name: tf.constant(array) for name, array in weights.items()}

    def conv(x: Any, name: str) -> Any:
        kernel = constants[f"{name}/kernel"]
        margin = kernel.shape[0] // 2
        x = tf.pad(x, [[0, 0], [margin, margin], [margin, margin], [0, 0]], "REFLECT")
        return tf.nn.conv2d(x, kernel, strides[name], "VALID")

    def norm(x: Any, name: str) -> Any:
        mean, variance = tf.nn.moments(x, (1, 2), keepdims=True)
        return tf.nn.batch_normalization(x, mean, variance, constants[f"{name}/shift"], constants[f"{name}/scale"], 1e-5)

    def upsample(x: Any) -> Any:
        return tf.image.resize(x, (2 * tf.shape(x)[1], 2 * tf.shape(x)[2]), method="nearest")

    @tf.function
    def call(image: Any) -> Any:
        x = tf.cast(image[None], tf.float32) / 255
        x = tf.sigmoid(johnson(x, conv, norm, tf.nn.relu, upsample))
        return tf.cast(x[0] * 255, tf.uint8)

    return lambda image: call(tf.constant(image)).numpy()


def our_engine(weights: Path | None, width: int, height: int) -> tuple[str, Engine]:
    """This project, as `realtime-nst` runs it."""
    from realtime_nst.engines.backend import choose_backend
    from realtime_nst.painting.serving import load_stylizer
    from realtime_nst.style.book import find_styles, style_folders

    backend = choose_backend("openvino")
    style = next(iter(find_styles(style_folders(weights)).values()))
    stylizer = load_stylizer(backend)
    stylizer.prepare([style.body], width, height)
    return f"realtime-nst, {backend.precision}", lambda image: stylizer.paint(image, style)


def build_engines(width: int, height: int, styles: Path | None) -> tuple[dict[str, Engine], dict[str, Engine]]:
    """The peers, which must agree with one another, and this project."""
    name, engine = our_engine(styles, width, height)  # first: TensorFlow would choose itself as Keras' backend
    weights = random_weights()
    module = torch_module(weights)
    peers = {"PyTorch, float32": torch_engine(module, half=False), "PyTorch, bfloat16": torch_engine(module, half=True)}
    with tempfile.TemporaryDirectory() as folder:
        path = onnx_file(module, Path(folder), width, height)
        peers["ONNX Runtime, float32"] = onnxruntime_engine(path)
        peers["OpenCV DNN, float32"] = opencv_engine(path)
    peers["TensorFlow, float32"] = tensorflow_engine(weights)
    return peers, {name: engine}


def disagreement(peers: dict[str, Engine], image: np.ndarray) -> dict[str, float]:
    """Mean difference of each engine's picture from the first one's, in steps of 255."""
    pictures = {name: engine(image).astype(float) for name, engine in peers.items()}
    first = next(iter(pictures.values()))
    return {name: float(np.abs(picture - first).mean()) for name, picture in pictures.items()}


def measure(engines: dict[str, Engine], frames: list[np.ndarray], rounds: int) -> dict[str, float]:
    """Median milliseconds a frame, the engines in turns."""
    seconds: dict[str, list[float]] = {name: [] for name in engines}
    for round_number in range(rounds + 1):
        for name, engine in engines.items():
            started = time.perf_counter()
            engine(frames[round_number % len(frames)])
            if round_number:  # the first round warms up
                seconds[name].append(time.perf_counter() - started)
    return {name: 1000 * median(times) for name, times in seconds.items()}


def main() -> int:
    """Print a table, and write it as JSON where wanted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="640x480", metavar="WxH", help="frame size (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=15, metavar="N", help="frames for each engine (default: %(default)s)")
    parser.add_argument("--weights", type=Path, metavar="DIR", help="a folder of styles for realtime-nst")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    options = parser.parse_args()
    from realtime_nst.frames import parse_size
    from realtime_nst.inputs.sources import PatternSource

    width, height = parse_size(options.size)
    pattern = PatternSource(width, height)
    frames = [pattern.image(index) for index in range(4)]
    peers, ours = build_engines(width, height, options.weights)
    apart = disagreement(peers, frames[0])
    wrong = {name: difference for name, difference in apart.items() if difference > 3.0}
    if wrong:
        print(f"These engines do not paint what the first one paints: {wrong}", file=sys.stderr)
        return 1
    times = measure({**peers, **ours}, frames, options.rounds)
    best = times[next(iter(ours))]
    print(f"{width}x{height}, medians of {options.rounds} frames, {os.cpu_count()} processors")
    for name, milliseconds in sorted(times.items(), key=lambda item: -item[1]):
        print(f"{name:24s} {milliseconds:8.1f} ms  {1000 / milliseconds:7.1f} frames/s  {milliseconds / best:6.1f} x")
    if options.json is not None:
        options.json.write_text(json.dumps({"size": options.size, "milliseconds": times, "differences": apart}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
