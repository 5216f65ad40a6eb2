"""What a row of the operator table writes on: the nodes of a model in the making, and the shape of every value.

In: operators applied to names. Out: `NodeProto`s, and a shape for each name. `Sketch` belongs to the whole model,
`Step` to one operation of the program, which may take several operators of ONNX.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TypeAlias, cast

from onnx import AttributeProto, NodeProto, StringStringEntryProto, TensorProto

from spinedsl.backends.onnx.target import HALF_MOST, Target
from spinedsl.ops.naming import Names
from spinedsl.ops.primitives import Attributes
from spinedsl.ops.types import SINGLE_MOST
from spinedsl.record import Record, field

Dimension: TypeAlias = int | str  # a name such as `16*h` where the size is open; none where nothing else has it
Shape: TypeAlias = tuple[Dimension, ...]
Argument: TypeAlias = int | float | str | Sequence[int]
Scalar: TypeAlias = int | float


class Tensor(Record):
    """Element type and shape of a value. Without a type it has that of the model's maps, float32 or float16."""

    shape: Shape
    element: int | None = None


class Sketch(Record, frozen=False):
    """The model so far. `values` and `labels` are the names of values and of nodes: ONNX keeps them apart."""

    values: Names
    labels: Names = field(default_factory=lambda: Names(()))
    nodes: list[NodeProto] = field(default_factory=list)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    any_size: bool = False  # sizes are rounded up, so that what SAME pads depends on them
    target: Target = field(default_factory=Target)
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

    def constant(self, *numbers: Scalar, rank: int, single: bool = False) -> str:
        """The name of a constant of rank 0 or 1: int64, or as the model's maps; with `single` float32 in any model.

        Equal ones are made once. They are `Constant` nodes: the initialisers of the model are the parameters of the
        network and nothing else.
        """
        whole = isinstance(numbers[0], int)
        half = self.target.half and not whole and not single
        key = (type(numbers[0]), rank, half, *numbers)
        if key not in self.constants:
            element = TensorProto.INT64 if whole else TensorProto.FLOAT16 if half else TensorProto.FLOAT
            shape = (len(numbers),) if rank else ()
            if not whole:
                numbers = tuple(_held(number, HALF_MOST if half else SINGLE_MOST) for number in numbers)
            content = struct.pack(f"<{len(numbers)}{'q' if whole else 'e' if half else 'f'}", *numbers)
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
        """A constant of rank 0, of the type of the model's maps."""
        return self.sketch.constant(float(value), rank=0)

    def above_zero(self, value: float | Fraction) -> str:
        """The same of a number that must not become 0, however few digits the model's type has."""
        return self.number(max(float(value), self.sketch.target.least))

    def count(self, name: str) -> int:
        """An attribute that is a whole number."""
        return cast(int, self.attributes[name])

    def whole(self, value: int) -> str:
        """An int64 constant of rank 0."""
        return self.sketch.constant(value, rank=0)

    def numbers(self, *values: Scalar) -> str:
        """A constant of rank 1: int64 for whole numbers, the type of the model's maps for others."""
        return self.sketch.constant(*values, rank=1)

    def singles(self, *values: float) -> str:
        """A constant of rank 1 that is float32 in every model, such as the scales of a Resize."""
        return self.sketch.constant(*values, rank=1, single=True)

    def single(self, value: float) -> str:
        """A constant of rank 0 that is float32 in every model."""
        return self.sketch.constant(value, rank=0, single=True)

    # ---- what older opsets lack ----

    @property
    def opset(self) -> int:
        """The operators that there are."""
        return self.sketch.target.opset

    def shape_of(self, name: str, x: str, start: int, end: int | None = None) -> str:
        """A part of the shape of `x`: its axes from `start` to before `end`, as a value `PATH.name`."""
        given = dict(zip(self.inputs, self.input_shapes, strict=True))
        rank = len(given[x] if x in given else self.sketch.tensors[x].shape)
        axes = range(rank)[start:end]
        tensor = Tensor((len(axes),), TensorProto.INT64)
        if self.opset >= 15:
            window = {"start": start} if end is None else {"start": start, "end": end}
            return self.part(name, "Shape", x, tensor=tensor, **window)
        whole = self.part(f"{name}.whole", "Shape", x, tensor=Tensor((rank,), TensorProto.INT64))
        return self.part(name, "Slice", whole, self.numbers(axes[0]), self.numbers(axes[-1] + 1), tensor=tensor)

    def reduced(self, name: str, operator: str, x: str, axes: int | Sequence[int], tensor: Tensor) -> str:
        """A reduction over one axis or several, which are kept with length 1."""
        over = [axes] if isinstance(axes, int) else list(axes)
        if self.opset >= 18:
            return self.part(name, operator, x, self.numbers(*over), tensor=tensor)
        return self.part(name, operator, x, tensor=tensor, axes=over)


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


def _held(number: float, most: float) -> float:
    """The number as a type can hold it: beyond its largest that is infinity."""
    return number if abs(number) <= most else math.copysign(math.inf, number)


def _attribute(name: str, value: Argument) -> AttributeProto:
    if isinstance(value, str):
        return AttributeProto(name=name, type=AttributeProto.STRING, s=value.encode())
    if isinstance(value, int):
        return AttributeProto(name=name, type=AttributeProto.INT, i=value)
    if isinstance(value, float):
        return AttributeProto(name=name, type=AttributeProto.FLOAT, f=value)
    return AttributeProto(name=name, type=AttributeProto.INTS, ints=value)
