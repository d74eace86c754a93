"""Keras models as ONNX graphs: what each layer becomes.

Channels come first inside, and every normalization is one InstanceNormalization. In half precision the same is rounded
as by Keras' policies: convolutions and sums are float16, statistics, pixels and everything of the filters float32.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from realtime_nst.networks.convolutions import Blur2D, ReflectionPadding2D, SubpixelColours, UpsampledConv2D, channels_first
from realtime_nst.networks.encoder import CONTRAST, EPSILON, LIMIT, Correction, Spread, Standardized, Statistics, StyleFeatures
from realtime_nst.networks.field import PLAIN_AROUND, PLAIN_UNTIL, FieldConv2D, Masked, Plainness
from realtime_nst.networks.onnx_filters import recolour, stabilize
from realtime_nst.networks.onnx_graph import Graph, Value
from realtime_nst.networks.recolour import RecolourLayer
from realtime_nst.networks.stabilizer import StabilizerLayer
from realtime_nst.networks.transform import (
    NORM_EPSILON,
    OUTPUT_GAIN,
    OUTPUT_MID,
    ConditionalInstanceNormalization,
    FromPixels,
    SplitStyleVector,
    ToPixels,
)
from realtime_nst.style.architecture import PATCH
from realtime_nst.style.encoder import TRIES

AROUND = ((1, 1), (1, 1))
LONGEST = 2**31


def to_onnx(
    model: keras.Model,
    outputs: Sequence[str],
    *,
    known: Mapping[str, np.ndarray] | None = None,
    half: bool = False,
    facts: Mapping[str, str] | None = None,
) -> bytes:
    """Write a model of this project, for pictures one at a time, as an ONNX file's bytes.

    Args:
        model: A transform network, of one size or of any; or a style encoder, a stabilizer or a recolour. Of one with float
            images, pixels are float32 in `[0, 1]`.
        outputs: Names of its outputs, in their order.
        known: Inputs that become part of the graph, by name, with their numbers `(1, ...)`.
        half: Whether it computes in float16 where Keras' policy would.
        facts: What the file says of itself.

    Returns:
        A graph of opset 17 with the model's inputs, by their names, that `onnx.checker` has found valid.
    """
    graph, values, known = Graph(half), dict[int, Value](), known or {}

    def described(name: str, tensor: Any) -> tuple[str, list[int | str]]:
        of = f"{name}_" if name.startswith("field") else ""  # pictures that come and go are of one size
        open_sides = f"{of}height", f"{of}width"
        return tensor.dtype, [1, *(side or open_sides[axis] for axis, side in enumerate(tensor.shape[1:]))]

    for name, tensor in model.input.items():
        array = known.get(name)
        values[id(tensor)] = graph.input(name, *described(name, tensor)) if array is None else graph.known(array)
    _write(graph, model, values)
    results = zip(outputs, keras.tree.flatten(model.output), strict=True)
    return graph.model({name: (values[id(tensor)], *described(name, tensor)) for name, tensor in results}, facts or {})


def _write(graph: Graph, model: keras.Model, values: dict[int, Value]) -> list[Value]:
    """Add what a model computes to a graph: from the values of its inputs, by their tensors, to those of its outputs."""
    for layer in model.layers:
        if type(layer) is layers.InputLayer:
            continue
        graph.scope = layer.name
        given = [values[id(tensor)] for tensor in keras.tree.flatten(layer.input)]
        became = WRITERS[type(layer)](graph, layer, *given)
        for tensor, value in zip(keras.tree.flatten(layer.output), became if isinstance(became, list) else [became], strict=True):
            values[id(tensor)] = value
    return [values[id(tensor)] for tensor in keras.tree.flatten(model.output)]


def _nested(graph: Graph, model: keras.Model, *given: Value) -> Value:
    """The one output of a model that is part of a layer."""
    inputs, scope = keras.tree.flatten(model.input), graph.scope
    (value,) = _write(graph, model, {id(tensor): value for tensor, value in zip(inputs, given, strict=True)})
    graph.scope = scope
    return value


def _from_pixels(graph: Graph, layer: Any, images: Value) -> Value:
    highest = 255.0 if layer.input.dtype == "uint8" else 1.0
    return (images.transposed(0, 3, 1, 2).cast("float32") / (highest / 2) - 1.0).cast(graph.working)


def _to_pixels(graph: Graph, layer: Any, x: Value, scale: Value, shift: Value) -> Value:
    x = graph.node("DepthToSpace", x.cast("float32"), blocksize=2)  # (1, 3, H, W)
    step = 1.0 if layer.uint8 else 1 / 255
    x = x * (scale * (OUTPUT_GAIN * step)) + (shift * (OUTPUT_GAIN * step) + OUTPUT_MID * step)
    x = graph.node("Clip", x, graph.known(np.float32(0)), graph.known(np.float32(255 * step)))
    return (x.rounded() if layer.uint8 else x).transposed(0, 2, 3, 1)


def _split(graph: Graph, layer: Any, vectors: Value) -> list[Value]:
    return vectors.reshaped(1, sum(layer.sizes), 1, 1).split(layer.sizes)


def _norm(graph: Graph, layer: Any, x: Value, scale: Value, shift: Value) -> Value:
    x = x.cast("float32")
    channels = layer.input[1].shape[1]
    if scale.array is None or shift.array is None:
        ones, zeros = graph.known(np.ones(channels, np.float32)), graph.known(np.zeros(channels, np.float32))
        x = graph.node("InstanceNormalization", x, ones, zeros, epsilon=NORM_EPSILON) * scale + shift
    else:
        x = graph.node("InstanceNormalization", x, scale.reshaped(channels), shift.reshaped(channels), epsilon=NORM_EPSILON)
    return x.cast(graph.working)


def _conv(graph: Graph, x: Value, kernel: Any, stride: int = 1, bias: Any = None, **options: Any) -> Value:
    """A convolution with a kernel of Keras' `(rows, columns, C_in, C_out)`."""
    weights = [graph.known(numbers(kernel)).transposed(3, 2, 0, 1)] + ([] if bias is None else [graph.known(numbers(bias))])
    return graph.node("Conv", x, *(weight.cast(graph.working) for weight in weights), strides=[stride, stride], **options)


def _plain_conv(graph: Graph, layer: Any, x: Value) -> Value:
    around = {"auto_pad": "SAME_UPPER"} if layer.padding == "same" else {}
    return _activated(graph, layer, _conv(graph, x, layer.kernel, layer.strides[0], layer.bias, **around))


def _dense(graph: Graph, layer: Any, x: Value) -> Value:
    kernel, bias = (graph.known(numbers(variable)) for variable in (layer.kernel, layer.bias))
    return _activated(graph, layer, graph.node("Gemm", x, kernel, bias))


def _activated(graph: Graph, layer: Any, x: Value) -> Value:
    match layer.activation.__name__:
        case "gelu":
            return x * (graph.node("Erf", x / 2**0.5) + 1.0) * 0.5
    return x


def _statistics(graph: Graph, layer: Any, x: Value) -> Value:
    mean, squares = (graph.node("ReduceMean", y, axes=[2, 3], keepdims=0) for y in (x, x * x))
    variance = graph.node("Max", squares - mean * mean, graph.known(np.float32(0)))
    return graph.node("Concat", mean, graph.node("Log", variance + EPSILON) / 2.0, axis=1)


def _standardized(graph: Graph, layer: Any, x: Value) -> Value:
    return (x - graph.known(numbers(layer.middle))) / graph.known(numbers(layer.deviation))


def _spread(graph: Graph, layer: Any, x: Value) -> Value:
    return x * graph.known(numbers(layer.reach)) + graph.known(numbers(layer.base))


def _corrected(graph: Graph, layer: Any, kept: Value, hidden: Value, vectors: Value) -> Value:
    network = layer.trial.network
    given = {name: graph.known(array) for name, array in layer.trial.given.items()}
    scene = graph.stored(layer.trial.given["images"].astype(np.uint8))  # a quarter of the bytes
    given["images"] = scene.cast("float32") / 255.0  # as of any network with float ends
    for _ in range(TRIES):
        painted = _nested(graph, network, *({**given, "vectors": vectors}[name] for name in sorted(network.input)))
        seen = _nested(graph, layer.features.model, painted.transposed(0, 3, 1, 2) * 2.0 - 1.0)
        x = graph.node("Concat", graph.node("Tanh", (kept - seen) * (CONTRAST / LIMIT)) * LIMIT, hidden, axis=1)
        for step in layer.steps:
            x = _dense(graph, step, x)
        vectors = vectors + x * graph.known(numbers(layer.spread.reach))
    return vectors


def _upsampled(graph: Graph, layer: Any, x: Value) -> Value:
    weights = graph.known(numbers(layer.taps())).transposed(3, 2, 0, 1).cast(graph.working)  # (C_in, C_out, 4, 4)
    # By one pixel, continuing with the border and mirroring with it are the same.
    return graph.node("ConvTranspose", x.padded(AROUND, "edge"), weights, strides=[2, 2], pads=[3, 3, 3, 3])


def _blur(graph: Graph, layer: Any, x: Value) -> Value:
    channels = layer.output.shape[1 if channels_first() else -1]
    return _conv(graph, x.padded(AROUND, "reflect"), layer.taps(1).repeat(channels, axis=3), group=channels)


def _plainness(graph: Graph, layer: Any, x: Value) -> Value:
    mean = np.full((PATCH, PATCH, 3, 1), 127.5 / PLAIN_UNTIL / (3 * PATCH**2), np.float32)
    grey = _conv(graph, x, mean, PATCH).padded(((0, 1), (0, 1)), "edge")
    steps = np.array([[[[-1, -1]], [[0, 1]]], [[[1, 0]], [[0, 0]]]], np.float32)  # to the place below, and to the right
    changes = graph.node("Abs", _conv(graph, grey, steps))
    change = _conv(graph, changes, np.ones((1, 1, 2, 1), np.float32))
    for axis in (2, 3):
        change = _mirrored(graph, change, axis, PLAIN_AROUND // 2)
    for window in ([PLAIN_AROUND, 1], [1, PLAIN_AROUND]):
        change = graph.node("AveragePool", change, kernel_shape=window)
    return graph.node("Exp", graph.node("Neg", change))


def _mirrored(graph: Graph, x: Value, axis: int, width: int) -> Value:
    """Continued at both ends of an axis, mirrored with the border."""

    def backwards(first: int, end: int) -> Value:
        return graph.node("Slice", x, *(graph.known(np.array([number], np.int64)) for number in (first, end, axis, -1)))

    return graph.node("Concat", backwards(width - 1, -LONGEST), x, backwards(-1, -1 - width), axis=axis)


def _masked(graph: Graph, layer: Any, field: Value, plain: Value) -> Value:
    return (field.transposed(0, 3, 1, 2) * plain.cast("float32")).cast(graph.working)


def _field(graph: Graph, layer: Any, field: Value, gains: Value) -> Value:
    return _conv(graph, field.padded(AROUND, "reflect"), layer.kernel) * gains.cast(graph.working)


def numbers(tensor: Any) -> np.ndarray:
    """A tensor's or variable's numbers."""
    return np.asarray(ops.convert_to_numpy(tensor))


WRITERS: dict[type, Callable[..., Value | list[Value]]] = {
    FromPixels: _from_pixels,
    ToPixels: _to_pixels,
    SplitStyleVector: _split,
    ConditionalInstanceNormalization: _norm,
    ReflectionPadding2D: lambda graph, layer, x: x.padded(((layer.width, layer.width),) * 2, "reflect"),
    layers.Conv2D: _plain_conv,
    layers.Add: lambda graph, layer, x, y: x + y,
    layers.LeakyReLU: lambda graph, layer, x: graph.node("LeakyRelu", x, alpha=layer.negative_slope),
    layers.ReLU: lambda graph, layer, x: graph.node("Relu", x),
    layers.AveragePooling2D: lambda graph, layer, x: graph.node(
        "AveragePool", x, kernel_shape=layer.pool_size, strides=layer.strides
    ),
    UpsampledConv2D: _upsampled,
    SubpixelColours: lambda graph, layer, x: _conv(graph, x.padded(AROUND, "reflect"), layer.taps()),
    Blur2D: _blur,
    Plainness: _plainness,
    Masked: _masked,
    FieldConv2D: _field,
    Statistics: _statistics,
    layers.Concatenate: lambda graph, layer, *parts: graph.node("Concat", *parts, axis=1),
    StyleFeatures: lambda graph, layer, x: _nested(graph, layer.model, x),
    Standardized: _standardized,
    Spread: _spread,
    Correction: _corrected,
    layers.Dense: _dense,
    RecolourLayer: recolour,
    StabilizerLayer: stabilize,
}
"""By layer: from graph, layer and inputs to outputs."""
