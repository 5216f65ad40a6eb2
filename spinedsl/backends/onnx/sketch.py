"""What a row of the operator table writes on: the nodes of a model in the making, and the shape of every value.

In: operators applied to names. Out: `NodeProto`s, and a shape for each name. `Sketch` belongs to the whole model,
`Step` to one operation of the program, which may take several operators of ONNX.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TypeAlias, cast

from onnx import AttributeProto, NodeProto, StringStringEntryProto, TensorProto

from spinedsl.ops.naming import Names
from spinedsl.ops.primitives import Attributes
from spinedsl.record import Record, field

Dimension: TypeAlias = int | str  # a name such as `16*h` where the size is open; none where nothing else has it
Shape: TypeAlias = tuple[Dimension, ...]
Argument: TypeAlias = int | float | str | Sequence[int]
Scalar: TypeAlias = int | float


class Tensor(Record):
    """Element type and shape of a value."""

    shape: Shape
    element: int = TensorProto.FLOAT


class Sketch(Record, frozen=False):
    """The model so far. `values` and `labels` are the names of values and of nodes: ONNX keeps them apart."""

    values: Names
    labels: Names = field(default_factory=lambda: Names(()))
    nodes: list[NodeProto] = field(default_factory=list)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    any_size: bool = False  # sizes are rounded up, so that what SAME pads depends on them
    constants: dict[tuple[object, ...], str] = field(default_factory=dict)

    def add(
        self,
        operator: str,
        inputs: Sequence[str],
        result: str,
        tensor: Tensor,
        label: str,
        *,
        metadata: Mapping[str, str],
        **arguments: Argument,
    ) -> None:
        """Append a node that makes the value `result`."""
        self.tensors[result] = tensor
        self.nodes.append(
            NodeProto(
                op_type=operator,
                name=self.labels.fresh(label),
                input=inputs,
                output=[result],
                attribute=[_attribute(name, value) for name, value in arguments.items()],
                metadata_props=[StringStringEntryProto(key=key, value=value) for key, value in metadata.items()],
            )
        )

    def constant(self, *numbers: Scalar, rank: int) -> str:
        """The name of a constant of rank 0 or 1, float32 or int64. Equal ones are made once.

        They are `Constant` nodes: the initialisers of the model are the parameters of the network and nothing else.
        """
        key = (type(numbers[0]), rank, *numbers)
        if key not in self.constants:
            whole = isinstance(numbers[0], int)
            element = TensorProto.INT64 if whole else TensorProto.FLOAT
            shape = (len(numbers),) if rank else ()
            content = struct.pack(f"<{len(numbers)}{'q' if whole else 'f'}", *numbers)
            name = self.values.fresh(f"constant.{_spelled(numbers)}")
            node = NodeProto(op_type="Constant", name=self.labels.fresh(name), output=[name])
            held = TensorProto(data_type=element, dims=shape, raw_data=content)
            node.attribute.append(AttributeProto(name="value", type=AttributeProto.TENSOR, t=held))
            self.nodes.append(node)
            self.tensors[name] = Tensor(shape, element)
            self.constants[key] = name
        return self.constants[key]


class Step(Record):
    """One operation of the program: what goes in, by name, and what is to come out."""

    sketch: Sketch
    inputs: Sequence[str]
    given: Sequence[Shape]  # the shape of each input
    attributes: Attributes
    parameters: Mapping[str, str]  # the last part of a parameter's name to all of it
    result: str
    shape: Shape
    input_shapes: Sequence[Shape]
    path: str
    metadata: Mapping[str, str]

    def last(self, operator: str, *inputs: str, **arguments: Argument) -> None:
        """The operator that makes the result; it carries the name of the operation."""
        tensor = Tensor(self.shape)
        self.sketch.add(operator, inputs, self.result, tensor, self.path, metadata=self.metadata, **arguments)

    def part(self, name: str, operator: str, *inputs: str, tensor: Tensor | None = None, **arguments: Argument) -> str:
        """An operator on the way; its value, shaped as the result unless `tensor` says otherwise, is `PATH.name`."""
        label = f"{self.path}.{name}"
        value = self.sketch.values.fresh(label)
        tensor = tensor or Tensor(self.shape)
        self.sketch.add(operator, inputs, value, tensor, label, metadata=self.metadata, **arguments)
        return value

    def number(self, value: float | Fraction) -> str:
        """A float32 constant of rank 0."""
        return self.sketch.constant(float(value), rank=0)

    def count(self, name: str) -> int:
        """An attribute that is a whole number."""
        return cast(int, self.attributes[name])

    def whole(self, value: int) -> str:
        """An int64 constant of rank 0."""
        return self.sketch.constant(value, rank=0)

    def numbers(self, *values: Scalar) -> str:
        """A constant of rank 1: int64 for whole numbers, float32 for others."""
        return self.sketch.constant(*values, rank=1)


def _spelled(numbers: Sequence[Scalar]) -> str:
    """Numbers as part of a name; of a long list the first, and how many there are."""
    spelled = [f"{number:.9g}" for number in numbers]
    if len(spelled) <= 4:
        return "x".join(spelled)
    return f"{spelled[0]}.times.{len(spelled)}" if len(set(spelled)) == 1 else f"{spelled[0]}.to.{spelled[-1]}"


def product(dimensions: Sequence[Dimension]) -> Dimension:
    """The number of positions of a map, as a number or a name: 4 by `2*h` by `2*w` is `16*h*w`."""
    number, names = 1, []
    for dimension in dimensions:
        factor, _, name = ("1", "", dimension) if isinstance(dimension, str) else (str(dimension), "", "")
        if "+" in name or "-" in name:
            name = f"({name})"
        elif "*" in name:
            factor, _, name = name.partition("*")
        number *= int(factor)
        names += [name] if name else []
    return multiple(number, "*".join(names)) if names else number


def multiple(number: int, name: str) -> str:
    """`16*h`, or `h` for once."""
    return name if number == 1 else f"{number}*{name}"


def sum_of(name: str, extra: int) -> str:
    """`16*h+2`, or `16*h` for nothing."""
    return f"{name}{extra:+}" if extra else name


def _attribute(name: str, value: Argument) -> AttributeProto:
    if isinstance(value, str):
        return AttributeProto(name=name, type=AttributeProto.STRING, s=value.encode())
    if isinstance(value, int):
        return AttributeProto(name=name, type=AttributeProto.INT, i=value)
    if isinstance(value, float):
        return AttributeProto(name=name, type=AttributeProto.FLOAT, f=value)
    return AttributeProto(name=name, type=AttributeProto.INTS, ints=value)
