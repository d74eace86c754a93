"""`Graph`: an ONNX graph as it grows, written in NumPy's manner; numbers that are known are computed at once.

It knows no network: `onnx_layers.py` says what each layer becomes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 17, 8
"""The oldest that have everything: what reads newer ones reads these, too."""
SMALL = 1024
"""Numbers of an array that is not worth a look whether half precision holds it."""
MOST_PARTS = 7
"""Parts of one Split. ONNX Runtime gives each a storage buffer on WebGPU, which promises 8 of them, one for what is cut."""
TYPES = {"uint8": TensorProto.UINT8, "float16": TensorProto.FLOAT16, "float32": TensorProto.FLOAT, "int64": TensorProto.INT64}
OPERATORS = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide}


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor of a graph: what a node gives, or an array that is known.

    Args:
        graph: Its graph.
        name: Its name there.
        dtype: The type of its numbers.
        array: Its numbers, where they are known.
    """

    graph: "Graph"
    name: str
    dtype: str
    array: np.ndarray | None = None

    def __add__(self, other: "Value | float") -> "Value":
        return self._with("Add", other)

    def __sub__(self, other: "Value | float") -> "Value":
        return self._with("Sub", other)

    def __mul__(self, other: "Value | float") -> "Value":
        return self._with("Mul", other)

    def __truediv__(self, other: "Value | float") -> "Value":
        return self._with("Div", other)

    def _with(self, kind: str, other: "Value | float") -> "Value":
        right = other if isinstance(other, Value) else self.graph.known(np.float32(other))
        if self.array is not None and right.array is not None:
            return self.graph.known(OPERATORS[kind](self.array, right.array))
        return self.graph.node(kind, self, right)

    def cast(self, dtype: str) -> "Value":
        """The same in another type; towards zero."""
        if self.array is not None:
            return self.graph.known(self.array.astype(dtype))
        return self if self.dtype == dtype else replace(self.graph.node("Cast", self, to=TYPES[dtype]), dtype=dtype)

    def rounded(self) -> "Value":
        """Half up, as pixels; what is below 0 or above 255 must be gone by then."""
        return (self + 0.5).cast("uint8")

    def transposed(self, *axes: int) -> "Value":
        """With its axes in another order."""
        if self.array is not None:
            return self.graph.known(np.ascontiguousarray(self.array.transpose(axes)))
        return self.graph.node("Transpose", self, perm=axes)

    def reshaped(self, *shape: int) -> "Value":
        """In another shape."""
        if self.array is not None:
            return self.graph.known(self.array.reshape(shape))
        return self.graph.node("Reshape", self, self.graph.known(np.array(shape, np.int64)))

    def split(self, sizes: Sequence[int]) -> list["Value"]:
        """Its parts along the second axis."""
        if self.array is not None:
            return [self.graph.known(part) for part in np.split(self.array, np.cumsum(sizes)[:-1], axis=1)]
        if len(sizes) == 1:
            return [self]
        if len(sizes) > MOST_PARTS:
            groups = [sizes[at : at + MOST_PARTS] for at in range(0, len(sizes), MOST_PARTS)]
            wholes = self.split([sum(group) for group in groups])
            return [part for whole, group in zip(wholes, groups, strict=True) for part in whole.split(group)]
        return self.graph.nodes("Split", self, self.graph.known(np.array(sizes, np.int64)), count=len(sizes), axis=1)

    def padded(self, widths: tuple[tuple[int, int], tuple[int, int]], mode: str) -> "Value":
        """Continued by so many rows before and after, and columns, "reflect" or "edge"; channels come first."""
        (above, below), (left, right) = widths
        return self.graph.node("Pad", self, self.graph.known(np.array([0, 0, above, left, 0, 0, below, right])), mode=mode)


class Graph:
    """An ONNX graph, written node by node.

    Args:
        half: Whether what is of the type `working` is float16; else float32.
    """

    def __init__(self, half: bool = False) -> None:
        self.working = "float16" if half else "float32"
        self.scope = ""
        """What the next nodes belong to: the beginning of their names."""
        self._nodes: list[Any] = []
        self._numbers: list[Any] = []
        self._names: dict[str, str] = {}
        self._made: dict[str, list[str]] = {}
        self._inputs: list[Any] = []

    def input(self, name: str, dtype: str, shape: Sequence[int | str]) -> Value:
        """Add an input; sides that are open have a name instead of a length."""
        self._inputs.append(helper.make_tensor_value_info(name, TYPES[dtype], shape))
        return Value(self, name, dtype)

    def known(self, array: np.ndarray | np.floating) -> Value:
        """Numbers; they are part of the graph only where a node takes them."""
        array = np.asarray(array)
        return Value(self, "", array.dtype.name, array)

    def stored(self, array: np.ndarray) -> Value:
        """Numbers that stay in the graph as they are, and are not computed with before: those of a type with few bytes."""
        return Value(self, self._stored(array), array.dtype.name)

    def node(self, kind: str, *inputs: Value, **attributes: Any) -> Value:
        """Add a node with one output, of the first input's type."""
        return self.nodes(kind, *inputs, count=1, **attributes)[0]

    def nodes(self, kind: str, *inputs: Value, count: int, **attributes: Any) -> list[Value]:
        """Add a node with several outputs, of the first input's type; what the graph has already is taken from there."""
        names = [value.name if value.array is None else self._stored(value.array) for value in inputs]
        key = f"{kind}{names}{count}{attributes}"
        if key not in self._made:
            name = f"{self.scope}.{len(self._nodes)}"  # the node says its kind itself; a long graph is half names
            self._made[key] = [f"{name}.{index}" if index else name for index in range(count)]
            self._nodes.append(helper.make_node(kind, names, self._made[key], name, **attributes))
        return [Value(self, output, inputs[0].dtype) for output in self._made[key]]

    def model(self, outputs: Mapping[str, tuple[Value, str, Sequence[int | str]]], facts: Mapping[str, str]) -> bytes:
        """The finished model, checked.

        Args:
            outputs: By name: value, type and shape.
            facts: What it says of itself.

        Raises:
            onnx.checker.ValidationError: It is no valid graph.
        """
        self.scope = "output"
        for name, (value, *_) in outputs.items():
            self._nodes.append(helper.make_node("Identity", [value.name], [name], f"output.{name}"))
        described = [helper.make_tensor_value_info(name, TYPES[dtype], shape) for name, (_, dtype, shape) in outputs.items()]
        graph = helper.make_graph(self._nodes, "realtime-nst", self._inputs, described, self._numbers)
        model = helper.make_model(
            graph, producer_name="realtime-nst", opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
        )
        helper.set_model_props(model, dict(facts))
        onnx.checker.check_model(model, full_check=True)
        return bytes(model.SerializeToString())

    def _stored(self, array: np.ndarray) -> str:
        """The name of numbers in the graph; the same ones are stored once, and as float16 where that holds them exactly."""
        key = f"{array.dtype}{array.shape}{hash(array.tobytes())}"
        if key not in self._names:
            name = self._names[key] = f"numbers{len(self._numbers)}"
            with np.errstate(over="ignore"):
                half = array.astype(np.float16) if array.dtype == np.float32 and array.size > SMALL else None
            if half is not None and np.array_equal(half, array):
                array, self._names[key] = half, f"{name}.whole"
                self._nodes.append(helper.make_node("Cast", [name], [self._names[key]], self._names[key], to=TYPES["float32"]))
            self._numbers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return self._names[key]
