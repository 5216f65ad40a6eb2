"""Nodes of ONNX written as expressions: what is put before and behind the graph of a network.

In: `Value`s and Python's operators. Out: `NodeProto`s, whose names nothing else in the graph has. Constants are nodes,
so that the initialisers of a model stay the parameters of its network. Every operator is one that opset 13 has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from onnx import GraphProto, NodeProto, helper, numpy_helper

from spinedsl.record import Record


class Value(Record, eq=False):
    """A tensor of the graph in the making: its name, the type of its elements, and where its nodes go."""

    nodes: Nodes
    name: str
    kind: np.dtype[Any]

    def _with(self, operator: str, other: Operand, kind: DTypeLike | None = None) -> Value:
        value = self.nodes.value(other, self.kind)
        return self.nodes.apply(operator, self, value, kind=self.kind if kind is None else kind)

    def __add__(self, other: Operand) -> Value:
        return self._with("Add", other)

    def __sub__(self, other: Operand) -> Value:
        return self._with("Sub", other)

    def __mul__(self, other: Operand) -> Value:
        return self._with("Mul", other)

    def __truediv__(self, other: Operand) -> Value:
        return self._with("Div", other)

    def __mod__(self, other: Operand) -> Value:
        return self._with("Mod", other)

    def equals(self, other: Operand) -> Value:
        """Where the two are the same."""
        return self._with("Equal", other, bool)

    def __lt__(self, other: Operand) -> Value:
        return self._with("Less", other, bool)

    def __le__(self, other: Operand) -> Value:
        return self._with("LessOrEqual", other, bool)

    def __gt__(self, other: Operand) -> Value:
        return self._with("Greater", other, bool)

    def __ge__(self, other: Operand) -> Value:
        return self._with("GreaterOrEqual", other, bool)

    def __and__(self, other: Value) -> Value:
        return self._with("And", other)

    def at_least(self, other: Operand) -> Value:
        """The larger of the two."""
        return self._with("Max", other)

    def at_most(self, other: Operand) -> Value:
        """The smaller of the two."""
        return self._with("Min", other)

    def floor(self) -> Value:
        """Rounded down."""
        return self.nodes.apply("Floor", self)

    def abs(self) -> Value:
        """Without its sign."""
        return self.nodes.apply("Abs", self)

    def sin(self) -> Value:
        """The sine."""
        return self.nodes.apply("Sin", self)

    def exp(self) -> Value:
        """Its exponential."""
        return self.nodes.apply("Exp", self)

    def sigmoid(self) -> Value:
        """The logistic function of it."""
        return self.nodes.apply("Sigmoid", self)

    def cast(self, kind: DTypeLike) -> Value:
        """As another type; fractions lose what stands behind the point."""
        if self.kind == kind:
            return self
        return self.nodes.apply("Cast", self, kind=kind, to=int(helper.np_dtype_to_tensor_dtype(np.dtype(kind))))

    def axes(self, *positions: int) -> Value:
        """With further axes of length 1."""
        return self.nodes.apply("Unsqueeze", self, self.nodes.whole(positions))

    def moved(self, *order: int) -> Value:
        """With its axes in another order."""
        return self.nodes.apply("Transpose", self, perm=order)

    def shaped(self, *sizes: int) -> Value:
        """In another shape; 0 is the size that an axis has, -1 what is left."""
        return self.nodes.apply("Reshape", self, self.nodes.whole(sizes))

    def between(self, start: int, end: int, axis: int) -> Value:
        """A part of it along an axis."""
        return self.nodes.apply("Slice", self, *(self.nodes.whole([one]) for one in (start, end, axis)))


Operand = Value | int | float
Several = tuple[Value, ...]


class Nodes:
    """The nodes of one part of a model. `taken` are the names that the graph has already."""

    def __init__(self, part: str, taken: Iterable[str], opset: int) -> None:
        self.part, self.opset = part, opset
        self.made: list[NodeProto] = []
        self._taken = set(taken)
        self._constants: dict[tuple[str, tuple[int, ...], bytes], Value] = {}

    def fresh(self, name: str) -> str:
        """The name, or one like it, that nothing has yet."""
        found, number = name, 2
        while found in self._taken:
            found, number = f"{name}.{number}", number + 1
        self._taken.add(found)
        return found

    def apply(self, operator: str, *inputs: Value, kind: DTypeLike | None = None, **attributes: Any) -> Value:
        """An operator, whose result has the type of its first input unless another is named."""
        result = self.fresh(f"{self.part}.{operator.lower()}")
        self.made.append(helper.make_node(operator, [v.name for v in inputs], [result], name=result, **attributes))
        return Value(self, result, np.dtype(kind if kind is not None else inputs[0].kind))

    def name(self, value: Value, name: str) -> None:
        """Give the value of a node, which no other reads, another name."""
        node = next(node for node in reversed(self.made) if value.name in node.output)
        node.output[list(node.output).index(value.name)] = name

    def value(self, of: Operand, kind: DTypeLike) -> Value:
        """A number as a value of that type; a value as it is."""
        return of if isinstance(of, Value) else self.constant(np.array(of, dtype=kind))

    def constant(self, array: Any) -> Value:
        """A constant; equal ones are made once."""
        array = np.asarray(array)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            result = self.fresh(f"{self.part}.constant")
            node = helper.make_node("Constant", [], [result], name=result, value=numpy_helper.from_array(array))
            self.made.append(node)
            self._constants[key] = Value(self, result, array.dtype)
        return self._constants[key]

    def whole(self, numbers: Sequence[int]) -> Value:
        """Axes or sizes: a constant of rank 1."""
        return self.constant(np.array(numbers, dtype=np.int64))

    def size(self, of: Value, axis: int) -> Value:
        """The length of an axis, when the model runs: int64, of rank 0."""
        shape = self.apply("Shape", of, kind=np.int64)
        return self.apply("Gather", shape, self.constant(np.array(axis, dtype=np.int64)), axis=0)

    def sizes(self, of: Value, start: int, end: int) -> Value:
        """The lengths of axes from one up to before another, when the model runs: int64, of rank 1."""
        if self.opset >= 15:
            return self.apply("Shape", of, kind=np.int64, start=start, end=end)
        return self.apply("Shape", of, kind=np.int64).between(start, end, 0)

    def count(self, end: Value) -> Value:
        """0, 1, 2 … up to before `end`, in its type."""
        start, step = (self.constant(np.array(number, dtype=end.kind)) for number in (0, 1))
        return self.apply("Range", start, end, step)

    def where(self, condition: Value, this: Operand, other: Operand, kind: DTypeLike | None = None) -> Value:
        """The one where the condition holds, else the other; of two numbers `kind` is the type."""
        kind = next((one.kind for one in (this, other) if isinstance(one, Value)), kind)
        assert kind is not None
        return self.apply("Where", condition, self.value(this, kind), self.value(other, kind), kind=kind)

    def joined(self, *parts: Value, axis: int) -> Value:
        """Values one after another along an axis."""
        return self.apply("Concat", *parts, axis=axis)

    def largest(self, of: Value, count: Value, axis: int) -> tuple[Value, Value]:
        """The `count` (rank 1) largest along an axis, the first of equals, and their positions."""
        best, at = (self.fresh(f"{self.part}.{name}") for name in ("best", "at"))
        self.made.append(helper.make_node("TopK", [of.name, count.name], [best, at], name=best, axis=axis))
        return Value(self, best, of.kind), Value(self, at, np.dtype(np.int64))

    def parts(self, of: Value, lengths: Value, count: int, axis: int) -> list[Value]:
        """So many parts of it along an axis, of these lengths (rank 1)."""
        names = [self.fresh(f"{self.part}.part") for _ in range(count)]
        self.made.append(helper.make_node("Split", [of.name, lengths.name], names, name=names[0], axis=axis))
        return [Value(self, name, of.kind) for name in names]

    def padded(self, of: Value, widths: Sequence[int], by: float) -> Value:
        """With so many more before each axis, and then so many behind each, that are all a number."""
        return self.apply("Pad", of, self.whole(widths), self.value(by, of.kind))

    def running(self, of: Value) -> Value:
        """The sums of its numbers up to each, of rank 1."""
        return self.apply("CumSum", of, self.constant(np.array(0, np.int64)))

    def positions(self, of: Value) -> Value:
        """Where it is not 0, of rank 1: int64."""
        return self.apply("NonZero", of, kind=np.int64).shaped(-1)

    def choice(self, condition: Value, this: Callable[[], Several], other: Callable[[], Several]) -> Several:
        """The values that one of two makes, of the same types; the other's nodes are not computed.

        Args:
            condition: of rank 0; `this` is what is made where it holds.
            this: makes nodes, which may read what was made before.
            other: likewise.
        """
        then, otherwise = self._branch(this), self._branch(other)
        results = [Value(self, self.fresh(f"{self.part}.either"), one.kind) for one in then[1]]
        names = [one.name for one in results]
        branches = {"then_branch": then[0], "else_branch": otherwise[0]}
        self.made.append(helper.make_node("If", [condition.name], names, name=names[0], **branches))
        return tuple(results)

    def _branch(self, body: Callable[[], Several]) -> tuple[GraphProto, Several]:
        """The nodes that a body makes, as a graph of its own, and what that gives."""
        outside = self.made, self._constants
        self.made, self._constants = [], dict(self._constants)
        values = tuple(self.apply("Identity", value) for value in body())
        given = [
            helper.make_tensor_value_info(value.name, helper.np_dtype_to_tensor_dtype(value.kind), None)
            for value in values
        ]
        graph = helper.make_graph(self.made, values[0].name, [], given)
        self.made, self._constants = outside
        return graph, values

    def total(self, of: Value, axis: int) -> Value:
        """The sum over an axis, which is kept with length 1."""
        return self.apply("ReduceSum", of, self.whole([axis]), keepdims=1)

    def length(self, of: Value, axis: int) -> Value:
        """The Euclidean length along an axis, which is kept with length 1."""
        if self.opset >= 18:
            return self.apply("ReduceL2", of, self.whole([axis]), keepdims=1)
        return self.apply("ReduceL2", of, axes=[axis], keepdims=1)

    def product(self, first: Value, second: Value, first_zero: Value, second_zero: Value) -> Value:
        """The product of `uint8` matrices, of which some number stands for 0: int32, exact."""
        return self.apply("MatMulInteger", first, second, first_zero, second_zero, kind=np.int32)
