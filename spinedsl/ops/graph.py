"""Flatten: from a `Program` to a `Graph`, one list of primitive operations over numbered values.

Every parameter has its full canonical name here, such as `b5.from_b2.reduce.conv.weight`. The ONNX backend, the
interpreter and the costs read this form.
"""

from __future__ import annotations

from spinedsl.brief import counted, cut
from spinedsl.ops.primitives import PRIMITIVES, Parameter
from spinedsl.ops.program import (
    Bind,
    Body,
    Call,
    Each,
    If,
    Many,
    Op,
    Operand,
    Path,
    Program,
    Ref,
    Repeat,
    Return,
    Row,
    Yield,
    look_up,
)
from spinedsl.ops.types import Loc, Type, Value
from spinedsl.record import Record, field


class Node(Record, eq=False):
    """One primitive operation. `inputs` and `result` number values; `parameters` maps last parts to full names."""

    primitive: str
    inputs: tuple[int, ...]
    attributes: dict[str, Value]
    parameters: dict[str, str]
    result: int
    name: str  # the path that names its parameters, dotted
    row: str
    loc: Loc

    def __brief__(self) -> str:
        inputs = ", ".join(f"%{value}" for value in self.inputs[:3]) + ", …" * (len(self.inputs) > 3)
        return f"{cut(self.name, 50)}: %{self.result} = {self.primitive}({inputs})"


class Graph(Record, eq=False):
    """A program without structure. Value 0 is the input; `types` and `names` are indexed by value."""

    program: Program
    nodes: tuple[Node, ...]
    types: tuple[Type, ...]
    parameters: dict[str, Parameter]
    rows: dict[str, int]  # the value that each row gives; of a head that yields, each by its own name
    outputs: dict[str, int]  # fine to coarse, then those of heads

    @property
    def input_type(self) -> Type:
        """Type of the input."""
        return self.types[0]

    def __brief__(self) -> str:
        held = f"{counted(len(self.nodes), 'operation')}, {counted(len(self.parameters), 'tensor')}"
        return f"of {cut(self.program.name, 40)}: {held}, {counted(len(self.outputs), 'output')}"


def flatten(program: Program) -> Graph:
    """The program as one list of operations, in running order. It is made once; nobody may change it."""
    if "graph" not in program.kept:
        program.kept["graph"] = _flattened(program)
    graph: Graph = program.kept["graph"]
    return graph


def _flattened(program: Program) -> Graph:
    flat = _Flat([program.input_type])
    values = {program.input_name: 0}
    for row in program.rows:
        values |= zip(row.values, flat.row(row, values), strict=True)
    rows = {name: values[name] for row in program.rows for name in row.values}
    outputs = {name: values[name] for name in program.outputs}
    return Graph(program, tuple(flat.nodes), tuple(flat.types), flat.parameters, rows, outputs)


def of_head(call: Call) -> tuple[tuple[Node, ...], tuple[Type, ...], tuple[int, ...]]:
    """A head by itself: its operations, the types of all values, and the values that it gives.

    The first values are the feature maps that it takes.
    """
    (features,) = call.maps.values()
    assert isinstance(features, Many)
    types = [item.type for item in features.items if not isinstance(item, Many)]
    flat = _Flat(types)
    given = flat.head(call, tuple(range(len(types))))
    return tuple(flat.nodes), tuple(flat.types), tuple(given)


Named = dict[str, "int | tuple[int, ...]"]


class _Flat(Record, frozen=False):
    types: list[Type]
    nodes: list[Node] = field(default_factory=list)
    parameters: dict[str, Parameter] = field(default_factory=dict)
    current: str = ""
    yielded: list[int] = field(default_factory=list)  # by the head at hand

    def row(self, row: Row, values: dict[str, int]) -> list[int]:
        """What the row gives: one value, or all that a head yields."""
        self.current = row.name
        if row.kind == "head":
            return self.head(row.calls[0], tuple(values[connection.source] for connection in row.inputs))
        arrived: list[int] = []
        for connection in row.inputs:
            value = values[connection.source]
            if connection.resample is not None:
                value = self.module(connection.resample, self.only_map(connection.resample, value), ())
            arrived.append(value)
        arrived += [values[name] for name in row.absorbed]
        if row.join is not None:
            result = self.module(row.join, self.only_map(row.join, tuple(arrived)), ())
        else:
            (result,) = arrived
        for call in row.calls:
            result = self.module(call, self.only_map(call, result), ())
        return [result]

    def head(self, call: Call, features: tuple[int, ...]) -> list[int]:
        """All that a head yields, else the one value that it returns."""
        self.yielded = []
        returned = self.body(call.module.body, self.only_map(call, features), call.path, call.path)
        return self.yielded if returned is None else [returned]

    @staticmethod
    def only_map(call: Call, value: int | tuple[int, ...]) -> Named:
        (name,) = call.maps
        return {name: value}

    def module(self, call: Call, maps: Named, prefix: Path) -> int:
        """Run a module's statements with `maps` as arguments; its parameters are named under `prefix` and its path."""
        result = self.body(call.module.body, dict(maps), prefix + call.path, prefix + call.path)
        assert result is not None
        return result

    def body(self, body: Body, named: Named, prefix: Path, outer: Path) -> int | None:
        """Run statements; `prefix` names parameters of this iteration, `outer` those that are shared here."""
        for statement in body:
            if isinstance(statement, Bind):
                named[statement.name] = self.operand(statement.value, named, prefix, outer)
            elif isinstance(statement, Return):
                return self.one(statement.value, named, prefix, outer)
            elif isinstance(statement, Yield):
                self.yielded.append(self.one(statement.value, named, prefix, outer))
            elif isinstance(statement, If):
                result = self.body(statement.then if statement.taken else statement.other, named, prefix, outer)
                if result is not None:
                    return result
            elif isinstance(statement, Repeat):
                for index, iteration in enumerate(statement.iterations):
                    shared = (*outer, f"{statement.shared_path}{index}") if statement.shared_path else outer
                    self.body(iteration, named, (*prefix, f"{statement.path}{index}"), shared)
            elif isinstance(statement, Each):
                items = self.operand(statement.items, named, prefix, outer)
                assert isinstance(items, tuple)
                for index, (iteration, item) in enumerate(zip(statement.iterations, items, strict=True)):
                    named[statement.item] = item
                    self.body(iteration, named, (*prefix, f"{statement.path}{index}"), prefix)
        return None

    def one(self, operand: Operand, named: Named, prefix: Path, outer: Path) -> int:
        value = self.operand(operand, named, prefix, outer)
        assert isinstance(value, int)
        return value

    def operand(self, operand: Operand, named: Named, prefix: Path, outer: Path) -> int | tuple[int, ...]:
        if isinstance(operand, Ref):
            return look_up(operand.name, named)
        if isinstance(operand, Many):
            if operand.name:
                return look_up(operand.name, named)
            return tuple(self.one(item, named, prefix, outer) for item in operand.items)
        home = outer if operand.shared else prefix
        if isinstance(operand, Call):
            maps = {name: self.operand(value, named, prefix, outer) for name, value in operand.maps.items()}
            return self.module(operand, maps, home)
        inputs: list[int] = []
        for part in operand.inputs:
            value = self.operand(part, named, prefix, outer)
            inputs += value if isinstance(value, tuple) else (value,)
        if PRIMITIVES[operand.primitive].sized:
            inputs.append(0)
        if operand.primitive == "add" and len(inputs) != 2:
            return self.total(operand, inputs, home + operand.path)
        return self.apply(operand, tuple(inputs), home + operand.path, operand.type)

    def total(self, op: Op, inputs: list[int], path: Path) -> int:
        """A sum over a list, from left to right."""
        result = inputs[0]
        for value in inputs[1:]:
            type_ = PRIMITIVES[op.primitive].shape([self.types[result], self.types[value]], {})
            assert isinstance(type_, Type)
            result = self.apply(op, (result, value), path, type_)
        return result

    def apply(self, op: Op, inputs: tuple[int, ...], path: Path, type_: Type) -> int:
        attributes = {name: attr.value for name, attr in op.attributes.items()}
        name = ".".join(path)
        full: dict[str, str] = {}
        for parameter in PRIMITIVES[op.primitive].parameters([self.types[i] for i in inputs], attributes):
            full[parameter.name] = f"{name}.{parameter.name}"
            self.parameters[full[parameter.name]] = parameter
        self.types.append(type_)
        result = len(self.types) - 1
        self.nodes.append(Node(op.primitive, inputs, attributes, full, result, name, self.current, op.loc))
        return result
