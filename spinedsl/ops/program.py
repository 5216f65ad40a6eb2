"""A program: a network after every compile-time decision, still in the shape in which it was written.

Each use of a definition is a `Module`: statements over named feature maps, with the arms that were taken and the
iterations that were run. `Op` applies a primitive, `Call` another module. Nothing has to be evaluated any more: running
the statements in order is running the network. `graph.flatten` does just that; the PyTorch backend keeps the shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

from spinedsl.brief import Items, Table, counted, cut, listed, short_path
from spinedsl.diagnostics import nearest
from spinedsl.ops.types import Attr, Expr, Literal, Loc, Type, Value
from spinedsl.record import Record, field

Path: TypeAlias = tuple[str, ...]


class Ref(Record):
    """A feature map bound to a name before, or an item of a list that was: `features[0]`."""

    name: str
    type: Type
    channels: Expr  # in the names of the definition that it stands in


class Many(Record):
    """A list of feature maps: a parameter that holds a list, the rest of one (`features[1:]`), or one written out."""

    name: str  # empty for one written out
    items: tuple[Operand, ...]


class Op(Record, eq=False):
    """A primitive applied. `path` names its parameters within the module; `role` is how the file called it."""

    primitive: str
    role: str
    inputs: tuple[Operand, ...]
    attributes: dict[str, Attr]
    path: Path
    shared: bool
    type: Type
    channels: Expr
    loc: Loc
    any_size: bool = False  # as of its network: what SAME pads then depends on the size

    def __brief__(self) -> str:
        return f"{self.primitive} of {counted(len(self.inputs), 'operand')}: {self.type}, {self.loc}"


class Call(Record, eq=False):
    """A module used. `maps` are its feature-map arguments by parameter name; `scalars` its compile-time ones."""

    module: Module
    maps: dict[str, Operand]
    scalars: Mapping[str, Attr]
    path: Path
    shared: bool
    type: Type
    channels: Expr
    loc: Loc

    def __brief__(self) -> str:
        return f"{cut(self.module.definition, 40)}: {self.type}, {self.loc}"


Operand: TypeAlias = Ref | Op | Call | Many


class Bind(Record, eq=False):
    """A feature map takes a name. `keyword` is `let`, `var` or `set`."""

    keyword: str
    name: str
    value: Operand
    loc: Loc


class BindScalar(Record, eq=False):
    """A compile-time value takes a name. `binder` numbers the `let` or `var`: see `Name`."""

    keyword: str
    name: str
    value: Attr
    loc: Loc
    binder: int


class If(Record, eq=False):
    """A choice that has been made: `taken` is the arm, `then` or `other` holds its statements, the other is empty."""

    condition: Attr
    then: Body
    other: Body
    has_other: bool
    loc: Loc

    @property
    def taken(self) -> bool:
        """The condition held."""
        return bool(self.condition.value)


class Repeat(Record, eq=False):
    """A repetition that has been counted: one body for each iteration. `path` precedes the iteration's number.

    Inside an `each`, what is shared over its maps still differs between iterations: `shared_path` precedes the number
    there. It is empty where the iterations share it too. `binder` numbers it among what binds names: see `Name`.
    """

    count: Attr
    index: str
    binder: int
    path: str
    iterations: tuple[Body, ...]
    loc: Loc
    shared_path: str = ""


class Each(Record, eq=False):
    """One body for each feature map of a list. `binder` numbers it among what binds names: see `Name`."""

    item: str
    binder: int
    items: Many
    path: str
    iterations: tuple[Body, ...]
    loc: Loc


class Return(Record, eq=False):
    """What the module gives."""

    value: Operand
    loc: Loc


class Yield(Record, eq=False):
    """One more value of a head."""

    value: Operand
    loc: Loc


Statement: TypeAlias = Bind | BindScalar | If | Repeat | Each | Return | Yield
Body: TypeAlias = tuple[Statement, ...]


class Formal(Record):
    """A parameter of a definition: feature map (`map`), list of them (`maps`), another block (`block`), or `scalar`."""

    name: str
    kind: str
    default: Attr | None


class Module(Record, eq=False):
    """A definition expanded for given arguments. Equal arguments share one module."""

    definition: str
    kind: str
    formals: tuple[Formal, ...]
    maps: dict[str, Type | tuple[Type, ...]]  # the feature maps that come in, by parameter
    scalars: dict[str, Attr]  # compile-time values by parameter name; of a block, by `parameter.property`
    body: Body
    type: Type
    loc: Loc
    yields: tuple[Yielded, ...] = ()  # of a head that yields; `type` is then that of the first

    def __brief__(self) -> str:
        return f"{self.kind} {cut(self.definition, 40)}: {counted(len(self.body), 'statement')}, {self.type}"

    @cached_property
    def literals(self) -> dict[str, Attr]:
        """What a row, which has no names for them, says of the compile-time values: only the values."""
        return Table({name: Attr(attr.value, Literal(attr.value)) for name, attr in self.scalars.items()})


class Yielded(Record):
    """One value that a head yields. `name` follows the head's: texts, and numbers of the feature maps it came from."""

    name: tuple[str | int, ...]
    type: Type


class Connection(Record, eq=False):
    """One input of a row: the row it comes from, and the module that resamples it, if any."""

    source: str
    resample: Call | None

    def __brief__(self) -> str:
        by = f" by {cut(self.resample.module.definition, 40)}" if self.resample is not None else ""
        return f"from {cut(self.source, 40)}{by}"


class Row(Record, eq=False):
    """A row of the network. Its inputs are resampled, joined with the absorbed maps, and go through `calls` in order.

    `repeated` tells whether the row says `repeat`: then its calls are named rep0, rep1, …. A plain output has no calls.
    A head's one call takes all inputs as a list; `parts` are the values that it yields, by the names of the outputs
    that they are, and are empty where the row itself is its one value.
    """

    kind: str
    name: str
    type_name: str
    level: int | None  # None for a head
    inputs: tuple[Connection, ...]
    absorbed: tuple[str, ...]
    join: Call | None
    calls: tuple[Call, ...]
    repeated: bool
    type: Type
    loc: Loc
    parts: tuple[tuple[str, Type], ...] = ()

    def __brief__(self) -> str:
        head = f"{self.kind} {cut(self.name, 30)}" + (f": {cut(self.type_name, 30)}" if self.type_name else "")
        given = counted(len(self.parts), "output") if self.parts else str(self.type)
        sources = listed((connection.source for connection in self.inputs), len(self.inputs), 2)
        return " ".join([head, *([f"from {sources}"] if sources else []), "->", given])

    @property
    def values(self) -> dict[str, Type]:
        """What the row gives, by name: itself, or the values that a head yields."""
        return Table(self.parts) if self.parts else {self.name: self.type}


class Task(Record, eq=False):
    """What heads of the network mean: a kind of `ops.tasks.TASKS`, with its arguments.

    `heads` has the head that each clause of the kind names, and `outputs` the network's outputs that this head gives.
    """

    name: str
    kind: str
    arguments: Mapping[str, Value]
    heads: Mapping[str, str]
    outputs: Mapping[str, tuple[str, ...]]
    loc: Loc

    def __brief__(self) -> str:
        read = ", ".join(f"{clause} {head}" for clause, head in self.heads.items())
        return f"{cut(self.name, 30)}: {cut(self.kind, 30)} {cut(read, 60)}"


class SourceText(Record):
    """A file that the network was made from. Messages call it `name`; what is compiled `label`, without local paths."""

    name: str
    text: str
    label: str

    def __brief__(self) -> str:
        return f"{short_path(self.name)}: {counted(len(self.text), 'character')}"


class Program(Record, eq=False):
    """A network that can run. `divisor` divides height and width of every legal input; rows stand in running order.

    In one of any size the maps of a level have the size of the input, divided by 2^level and rounded up.
    """

    name: str
    input_name: str
    input_type: Type
    rows: tuple[Row, ...]
    outputs: tuple[str, ...]  # output rows, fine to coarse, then what the heads give, in the order of the file
    divisor: int
    static_axes: dict[str, Loc]  # `height` or `width`, where a definition reads it
    sources: tuple[SourceText, ...]
    loc: Loc
    any_size: bool = False  # the divisor is 1
    dropped: tuple[str, ...] = ()  # rows of the network that its chosen outputs do not need
    constants: Mapping[str, Attr] = field(default_factory=dict)  # its own whole numbers by name, which rows speak of
    tasks: tuple[Task, ...] = ()  # what its heads mean, as far as it says, in the order of the file
    dropped_tasks: tuple[str, ...] = ()  # of heads that its chosen outputs leave out

    def tasks_of(self, head: str) -> tuple[Task, ...]:
        """The tasks that a head has a part in, by its name."""
        return Items(task for task in self.tasks if head in task.heads.values())

    def __brief__(self) -> str:
        made = f"{cut(self.name, 30)}: {counted(len(self.rows), 'row')}"
        image = f"{cut(self.input_name, 15)} {'x'.join(map(str, self.input_type.shape))}"
        return f"{made}, {image} -> {listed(self.outputs, len(self.outputs), 5 if len(self.outputs) < 6 else 3)}"

    @cached_property
    def kept(self) -> dict[str, Any]:
        """What is made of it once for all who want it, by name. It is no field: a changed program begins anew."""
        return {}

    @cached_property
    def by_name(self) -> dict[str, Row]:
        """Its rows."""
        return Table({row.name: row for row in self.rows})

    def row(self, name: str) -> Row:
        """The row of that name.

        Raises:
            LookupError: there is none.
        """
        if name in self.by_name:
            return self.by_name[name]
        near = nearest(str(name), self.by_name)
        hint = f": did you mean `{near}`?" if near else ""
        raise LookupError(f"network `{cut(self.name, 40)}` has no row `{cut(str(name), 40)}`{hint}")

    @property
    def pyramid(self) -> tuple[Row, ...]:
        """The output rows, fine to coarse: feature maps, with a level each."""
        by_name = {row.name: row for row in self.rows if row.kind != "head"}
        return Items(by_name[name] for name in self.outputs if name in by_name)

    @property
    def heads(self) -> tuple[Row, ...]:
        """The heads, in the order of the file."""
        return Items(row for row in self.rows if row.kind == "head")


_ITEM = re.compile(r"(.*)\[([0-9]+)(:?)\]")


def item_of(name: str) -> tuple[str, int, bool] | None:
    """A list's name, a position in it and whether all from there on is meant: of `ps[0]` or `ps[1:]`, else None."""
    found = _ITEM.fullmatch(name)
    return (found[1], int(found[2]), bool(found[3])) if found else None


T = TypeVar("T")


def look_up(name: str, named: Mapping[str, T | tuple[T, ...]]) -> T | tuple[T, ...]:
    """What a `Ref` or a `Many` names: something bound, or a part of a list that is.

    Raises:
        KeyError: there is no such thing.
    """
    if name in named or (part := item_of(name)) is None:
        return named[name]
    items = named[part[0]]
    if not isinstance(items, tuple) or part[1] >= len(items) + part[2]:
        raise KeyError(name)
    return items[part[1] :] if part[2] else items[part[1]]


def calls_of(row: Row) -> Iterator[Call]:
    """Every module that a row uses, in running order."""
    for connection in row.inputs:
        if connection.resample is not None:
            yield connection.resample
    if row.join is not None:
        yield row.join
    yield from row.calls


def input_types(op: Op) -> tuple[Type, ...]:
    """The types of all that an operation takes, lists opened."""
    return tuple(type_ for operand in op.inputs for type_ in _types(operand))


def _types(operand: Operand) -> Iterator[Type]:
    if isinstance(operand, Many):
        for item in operand.items:
            yield from _types(item)
    else:
        yield operand.type


def operands(value: Operand) -> Iterator[Op | Call]:
    """Every `Op` and `Call` in an operand, inner ones first."""
    if isinstance(value, Many):
        for item in value.items:
            yield from operands(item)
    elif isinstance(value, Op):
        for part in value.inputs:
            yield from operands(part)
        yield value
    elif isinstance(value, Call):
        for part in value.maps.values():
            yield from operands(part)
        yield value
