"""Flatten: from a `Program` to a `Graph`, one list of primitive operations over numbered values.

Every parameter has its full canonical name here, such as `b5.from_b2.reduce.conv.weight`. The ONNX backend, the
interpreter and the costs read this form.
"""

from __future__ import annotations

from collections.abc import Sequence

from spinedsl.brief import counted, cut
from spinedsl.ops.primitives import PRIMITIVES, Parameter
from spinedsl.ops.program import Applied, Call, Event, Module, Path, Program, Row, Values
from spinedsl.ops.types import Loc, Type, Value
from spinedsl.record import Record, field


class Node(Record, eq=False):
    """One primitive operation. `inputs` and `result` number values; `parameters` maps last parts to full names."""

    primitive: str
    inputs: tuple[int, ...]
    attributes: dict[str, Value]
    parameters: dict[str, str]
    result: int
    name: str  # where it stands, dotted: the path that names its parameters, unless its row has those of another one
    row: str
    loc: Loc

    @property
    def home(self) -> str:
        """What its parameters are called after: the place of its module. That is its name, if they are its own."""
        last, full = next(iter(self.parameters.items()), ("", ""))
        return full.removesuffix(f".{last}") if full.endswith(f".{last}") else self.name

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
    types = [*call.module.types[: call.module.given]]
    flat = _Flat(types)
    given = flat.call(call, tuple(range(len(types))))
    return tuple(flat.nodes), tuple(flat.types), tuple(given)


def of_module(module: Module) -> tuple[tuple[Node, ...], tuple[Type, ...], dict[str, Parameter]]:
    """A module by itself: its operations, the types of all values, and its parameters."""
    flat = _Flat([*module.types[: module.given]])
    flat.module(module, range(module.given), ())
    return tuple(flat.nodes), tuple(flat.types), flat.parameters


def trains(event: Event, types: Sequence[Type]) -> bool:
    """An event of a module has parameters; `types` are those of the module's values."""
    if event.module is not None:
        return bool(of_module(event.module)[2])
    attributes = {name: attr.value for name, attr in event.attributes.items()}
    return bool(PRIMITIVES[event.at.called].parameters([types[value] for value in event.opened], attributes))


class _Flat(Record, frozen=False):
    types: list[Type]
    nodes: list[Node] = field(default_factory=list)
    parameters: dict[str, Parameter] = field(default_factory=dict)
    current: str = ""
    lent: str = ""  # the row whose parameters the current one has, if not its own

    def row(self, row: Row, values: dict[str, int]) -> list[int]:
        """What the row gives: one value, or all that a head yields."""
        self.current = row.name
        if row.kind == "head":
            return self.call(row.calls[0], tuple([values[connection.source] for connection in row.inputs]))
        arrived: list[int] = []
        for connection in row.inputs:
            value = values[connection.source]
            arrived += [value] if connection.resample is None else self.call(connection.resample, value)
        arrived += [values[name] for name in row.absorbed]
        result = arrived if row.join is None else self.call(row.join, tuple(arrived))
        for call in row.calls:
            result = self.call(call, tuple(result))
        return result

    def call(self, call: Call, given: Values) -> list[int]:
        """A module on what a row gives it."""
        self.lent = call.path[0] if self.current and call.path[0] != self.current else ""
        return self.module(call.module, given if isinstance(given, tuple) else (given,), call.path)

    def module(self, module: Module, given: Sequence[int], prefix: Path) -> list[int]:
        """Run a module's events on the values `given`; its parameters are named under `prefix`. What it gives."""
        known = [*given]
        for event, type_ in zip(module.events, module.types[module.given :], strict=True):
            inputs, path = [known[value] for value in event.opened], prefix + event.path
            if event.module is not None:
                known += self.module(event.module, inputs, path)
            else:
                known.append(self.primitive(event, inputs, path, type_))
        return [known[value] for value in module.results]

    def primitive(self, event: Event, inputs: list[int], path: Path, type_: Type) -> int:
        row = PRIMITIVES[event.at.called]
        if row.sized:
            inputs.append(0)
        attributes = {name: attr.value for name, attr in event.attributes.items()}
        if event.at.called != "add" or len(inputs) == 2:
            return self.apply(event.at, inputs, attributes, path, type_)
        result = inputs[0]
        for value in inputs[1:]:  # a sum over a list, from left to right
            part = row.shape([self.types[result], self.types[value]], {})
            assert isinstance(part, Type)
            result = self.apply(event.at, [result, value], attributes, path, part)
        return result

    def apply(self, at: Applied, inputs: list[int], attributes: dict[str, Value], path: Path, type_: Type) -> int:
        name = ".".join(path)
        full: dict[str, str] = {}
        for parameter in PRIMITIVES[at.called].parameters([self.types[i] for i in inputs], attributes):
            full[parameter.name] = f"{name}.{parameter.name}"
            self.parameters[full[parameter.name]] = parameter
        if self.lent:
            name = self.current + name.removeprefix(self.lent)
        self.types.append(type_)
        result = len(self.types) - 1
        self.nodes.append(Node(at.called, tuple(inputs), attributes, full, result, name, self.current, at.loc))
        return result
