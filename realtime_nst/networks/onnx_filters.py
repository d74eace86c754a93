"""The stabilizer and the recolour as ONNX graphs, as `stabilizer.py` and `recolour.py` define them; always float32."""

from typing import Any

import numpy as np

from realtime_nst.networks.onnx_graph import Graph, Value
from realtime_nst.networks.stabilizer import BLOCK, CELL, REACH
from realtime_nst.style.look import LEAST_SHARE, LUMA


def recolour(graph: Graph, layer: Any, photo: Value, painting: Value, settings: Value) -> Value:
    """See `RecolourLayer`."""
    photo, painting = (image.transposed(0, 3, 1, 2).cast("float32") for image in (photo, painting))
    strength, colours = settings.reshaped(1, 2, 1, 1).split([1, 1])
    luma = _luma(graph, painting)
    differences = photo - _luma(graph, photo)
    highest = graph.node("ReduceMax", differences, axes=[1])
    lowest = graph.node("Neg", graph.node("ReduceMin", differences, axes=[1]))
    least = graph.known(np.float32(1e-3))
    above = (graph.known(np.float32(255)) - luma) / graph.node("Max", highest, least)
    room = graph.node("Min", above, luma / graph.node("Max", lowest, least))
    recoloured = luma + _clipped(graph, room, 0.0) * differences
    painting = painting + colours * (recoloured - painting)
    return (photo + strength * (painting - photo)).rounded().transposed(0, 2, 3, 1)


def stabilize(
    graph: Graph, layer: Any, photos: Value, held_photos: Value, held_blocks: Value, thresholds: Value, settings: Value
) -> list[Value]:
    """See `StabilizerLayer`."""
    _, height, width, _ = layer.input[0].shape
    rows, columns, inner = height // CELL, width // CELL, CELL // BLOCK
    stability, fresh = settings.reshaped(1, 2, 1, 1).split([1, 1])

    def mean_of_four(x: Value) -> Value:
        return graph.node("ReduceMean", x, axes=[1], keepdims=0)

    sums = mean_of_four(photos.reshaped(-1, BLOCK, width * 3).cast("float32"))  # each row is the mean of four
    blocks = mean_of_four(sums.reshaped(-1, BLOCK, 3)).reshaped(1, height // BLOCK, width // BLOCK, 3)
    difference = blocks - held_blocks
    change = graph.node("ReduceMax", graph.node("Abs", difference), axes=[3], keepdims=0)
    change = change.reshaped(1, 1, height // BLOCK, width // BLOCK)
    change = graph.node("MaxPool", change, kernel_shape=[inner, inner], strides=[inner, inner])
    change = graph.node("MaxPool", change, kernel_shape=[2 * REACH + 1] * 2, pads=[REACH] * 4)
    share = (change - stability) / graph.node("Max", stability, graph.known(np.float32(1e-3)))
    share = graph.node("AveragePool", _clipped(graph, share, LEAST_SHARE), kernel_shape=[3, 3], pads=[1] * 4)
    share = graph.node("Max", share, fresh).reshaped(1, rows, 1, columns, 1)

    held_blocks, difference = (x.reshaped(1, rows, inner, columns, 3 * inner) for x in (held_blocks, difference))
    held_blocks = (held_blocks + share * difference).reshaped(1, height // BLOCK, width // BLOCK, 3)
    new, old = (x.reshaped(1, rows, CELL, columns, 3 * CELL).cast("float32") for x in (photos, held_photos))
    held = old + share * (new - old) + thresholds.reshaped(1, 1, CELL, columns, 3 * CELL)
    return [held_blocks, held.cast("uint8").reshaped(1, height, width, 3)]


def _luma(graph: Graph, image: Value) -> Value:
    return graph.node("Conv", image, graph.known(np.array(LUMA, np.float32).reshape(1, 3, 1, 1)))


def _clipped(graph: Graph, x: Value, lowest: float) -> Value:
    return graph.node("Clip", x, graph.known(np.float32(lowest)), graph.known(np.float32(1)))
