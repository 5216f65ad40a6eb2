"""A program: a network after every compile-time decision, still in the shape in which it was written.

A `Definition` is the text of a definition, once: statements with both arms, each with a number, its site. A `Module`
is one use of it: the `Event`s, which are the operations in running order over numbered values, and what each statement
was in each iteration of the loops around it. Nothing has to be evaluated any more: running the events is running the
network. `graph.flatten` does just that; the PyTorch backend prints the text and looks the numbers up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeAlias

from spinedsl.brief import Items, Table, counted, cut, listed, short_path
from spinedsl.diagnostics import nearest
from spinedsl.ops.types import Attr, Expr, Literal, Loc, Type, Value
from spinedsl.record import Record, field

Path: TypeAlias = tuple[str, ...]
Iteration: TypeAlias = tuple[int, ...]  # of each loop around, outermost first
Values: TypeAlias = "int | tuple[int, ...]"  # a value by its number; a list of them


# ---- what an expression gives, before it runs ----


class Ref(Record):
    """A feature map bound to a name before, or an item of a list that was. `value` is its number in the module."""

    name: str
    type: Type
    channels: Expr  # in the names of the definition that it stands in
    index: int | None = None
    value: int = 0


class Many(Record):
    """A list of feature maps: by its name, without the items before `start`; or written out, without a name.

    One that another list was appended to is its `parts`, of which the first is a list; `items` are those of all.
    """

    name: str
    items: tuple[Operand, ...]
    start: int = 0
    parts: tuple[Operand, ...] = ()


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


# ---- the text of a definition ----


class Let(Record, eq=False):
    """A name is bound. `keyword` is `let`, `var` or `set`; `binder` is the site of the `let` or `var`: see `Name`."""

    site: int
    keyword: str
    name: str
    binder: int
    loc: Loc


class If(Record, eq=False):
    """A choice. `returns` are the sites of the `return`s in its arms."""

    site: int
    then: Body
    other: Body
    returns: frozenset[int]
    loc: Loc


class Repeat(Record, eq=False):
    """A repetition. `path` precedes the iteration's number in the names of parameters.

    Inside an `each`, what is shared over its maps still differs between iterations: `shared_path` precedes the number
    there. It is empty where the iterations share it too.
    """

    site: int
    index: str
    path: str
    body: Body
    loc: Loc
    shared_path: str = ""


class Each(Record, eq=False):
    """A body for each feature map of a list, or for each number, which then stands in the program for itself."""

    site: int
    item: str
    path: str
    body: Body
    loc: Loc


class Return(Record, eq=False):
    """What the definition gives."""

    site: int
    loc: Loc


class Yield(Record, eq=False):
    """One more value of a head."""

    site: int
    loc: Loc


Statement: TypeAlias = Let | If | Repeat | Each | Return | Yield
Body: TypeAlias = tuple[Statement, ...]


def statements(body: Body) -> Iterator[Statement]:
    """Every statement of a body, those inside others after them."""
    for statement in body:
        yield statement
        if isinstance(statement, If):
            yield from statements(statement.then + statement.other)
        elif isinstance(statement, Repeat | Each):
            yield from statements(statement.body)


class Named(Record, eq=False):
    """A name in an expression: of a feature map or a list, of the item `index` of one, or of all from there on."""

    name: str
    index: int | None = None
    rest: bool = False


class Listed(Record, eq=False):
    """A list in an expression, written out; one that `opens` has the items of its first, which is a list."""

    items: tuple[Form, ...]
    opens: bool = False


class Applied(Record, eq=False):
    """A call in an expression, of a primitive or a definition by its name. `path` names its parameters there."""

    called: str
    role: str  # how the file called it
    inputs: tuple[Form, ...]
    path: Path
    shared: bool
    loc: Loc

    def __brief__(self) -> str:
        return f"{self.called}: {self.loc}"


Form: TypeAlias = Named | Listed | Applied  # of an expression, once for all that are alike: so `is` tells


def forms(form: Form) -> Iterator[Form]:
    """A form and all that it is made of, inner ones first."""
    for part in form.items if isinstance(form, Listed) else form.inputs if isinstance(form, Applied) else ():
        yield from forms(part)
    yield form


class Definition(Record, eq=False):
    """The text of a definition, and the forms that its expressions had in some use."""

    name: str
    kind: str
    body: Body
    loc: Loc
    forms: dict[object, Form] = field(default_factory=dict, repr=False)

    def __brief__(self) -> str:
        return f"{self.kind} {cut(self.name, 40)}: {counted(len(self.body), 'statement')}, {self.loc}"


# ---- one use of it ----


class Event(Record, eq=False):
    """An operation that runs: a primitive, or another module. `inputs` hold a number, or a list's, for each argument.

    `path` names its parameters in the module, iterations included. `attributes` are those of the primitive, or what the
    call says for the module's compile-time parameters.
    """

    at: Applied
    module: Module | None
    inputs: tuple[Values, ...]
    attributes: Mapping[str, Attr]
    path: Path

    def __brief__(self) -> str:
        return f"{self.at.called} of {counted(len(self.inputs), 'operand')}, {self.at.loc}"

    @property
    def opened(self) -> tuple[int, ...]:
        """The numbers of all that it takes, lists opened."""
        return tuple([n for value in self.inputs for n in (value if isinstance(value, tuple) else (value,))])


class Made(Record, eq=False):
    """What a statement's expression gave in one iteration. Its own events gave the values from `first` to `end`."""

    form: Form
    value: Values
    first: int
    end: int


class Formal(Record):
    """A parameter of a definition: feature map (`map`), list of them (`maps`), another block (`block`), or `scalar`."""

    name: str
    kind: str
    default: Attr | None


class Module(Record, eq=False):
    """A definition expanded for given arguments. Equal arguments share one module.

    Its values are numbered: first the feature maps that come in, lists opened, then what each event gives. `ran` has
    each statement that ran, by its site and iteration and in running order, with what its expression was: a number, a
    condition, a count, or feature maps.
    """

    written: Definition
    formals: tuple[Formal, ...]
    maps: dict[str, Type | tuple[Type, ...]]  # the feature maps that come in, by parameter
    scalars: dict[str, Attr]  # compile-time values by parameter name; of a block, by `parameter.property`
    types: tuple[Type, ...]  # of each value
    channels: tuple[Expr, ...]  # of each value, in the names of the definition
    events: tuple[Event, ...]
    ran: dict[tuple[int, Iteration], Attr | Made]
    results: tuple[int, ...]  # the value that it returns, or those that a head yields
    open_size: bool = False  # as of its program
    yields: tuple[Yielded, ...] = ()  # of a head that yields

    def __brief__(self) -> str:
        return f"{self.kind} {cut(self.definition, 40)}: {counted(len(self.events), 'operation')}, {self.type}"

    @property
    def definition(self) -> str:
        """The name of the definition."""
        return self.written.name

    @property
    def kind(self) -> str:
        """The keyword of the definition."""
        return self.written.kind

    @property
    def loc(self) -> Loc:
        """Where the definition stands."""
        return self.written.loc

    @property
    def type(self) -> Type:
        """What it gives; of a head that yields, the first."""
        return self.types[self.results[0]]

    @property
    def given(self) -> int:
        """How many values come in: so the number of what the first event gives."""
        return len(self.types) - len(self.events)

    @cached_property
    def literals(self) -> dict[str, Attr]:
        """What a row, which has no names for them, says of the compile-time values: only the values."""
        return Table({name: Attr(attr.value, Literal(attr.value)) for name, attr in self.scalars.items()})


class Yielded(Record):
    """One value that a head yields. `name` follows the head's: texts, and numbers of the feature maps it came from."""

    name: tuple[str | int, ...]
    type: Type


def yielded_as(yields: Sequence[Yielded]) -> tuple[str, ...]:
    """The names under which a head yields several things, each once; none where all have one name."""
    firsts = [yielded.name[0] for yielded in yields if yielded.name]
    return tuple(dict.fromkeys(name for name in firsts if isinstance(name, str) and not name.isdecimal()))


def numbers_of(yields: Sequence[Yielded], part: str) -> tuple[int, ...]:
    """Which of the values that a head yields have that name."""
    return tuple(number for number, yielded in enumerate(yields) if yielded.name[:1] == (part,))


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
    def sources(self) -> tuple[str, ...]:
        """The names of what the row reads: its inputs, then what it absorbs."""
        return (*(connection.source for connection in self.inputs), *self.absorbed)

    @property
    def values(self) -> dict[str, Type]:
        """What the row gives, by name: itself, or the values that a head yields."""
        return Table(self.parts) if self.parts else {self.name: self.type}


class Task(Record, eq=False):
    """What heads of the network mean: a kind of `ops.tasks.TASKS`, with its arguments.

    `heads` has the head that each clause of the kind names, `parts` the name under which that head yields what is
    meant, where the clause says one, and `outputs` the network's outputs that are meant.
    """

    name: str
    kind: str
    arguments: Mapping[str, Value]
    heads: Mapping[str, str]
    outputs: Mapping[str, tuple[str, ...]]
    loc: Loc
    parts: Mapping[str, str] = field(default_factory=dict)

    @property
    def named(self) -> dict[str, str]:
        """What each clause names, as a file has it: `scores`, or `fcos.scores`."""
        return {clause: ".".join([head, *self.part(clause)]) for clause, head in self.heads.items()}

    def part(self, clause: str) -> tuple[str, ...]:
        """The name that a clause says after that of the head, if it does."""
        return (self.parts[clause],) if clause in self.parts else ()

    def __brief__(self) -> str:
        read = ", ".join(f"{clause} {named}" for clause, named in self.named.items())
        return f"{cut(self.name, 30)}: {cut(self.kind, 30)} {cut(read, 60)}"


class SourceText(Record):
    """A file that the network was made from. Messages call it `name`; what is compiled `label`, without local paths."""

    name: str
    text: str
    label: str

    def __brief__(self) -> str:
        return f"{short_path(self.name)}: {counted(len(self.text), 'character')}"


class Part(Record, eq=False):
    """A network that was put into this one, once: its rows have names that begin with its own and a dot.

    `inputs` tell which row each of its maps is, `outputs` which of its rows is which output, both by the names that the
    network itself gives them; `loc` is where it is written. Its parameters are called after `weights`: all copies that
    share them have one.
    """

    network: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    loc: Loc
    weights: str

    def __brief__(self) -> str:
        return f"{cut(self.network, 30)} of {counted(len(self.inputs), 'map')}"


class Program(Record, eq=False):
    """A network that can run. `divisor` divides height and width of every legal input; rows stand in running order.

    In one of any size the maps of a level have the size of the input, divided by 2^level and rounded up. In one of
    `one_size`, where both axes are static as well, they may have another size: see `Type.extra`.
    """

    name: str
    input_name: str
    input_type: Type
    rows: tuple[Row, ...]
    outputs: tuple[str, ...]  # output rows, fine to coarse, then what the heads give, in the order of the file
    divisor: int
    static_axes: dict[str, Loc]  # `height` or `width`, where a definition reads it, or the rules say that it is fixed
    sources: tuple[SourceText, ...]
    loc: Loc
    any_size: bool = False  # the divisor is 1
    dropped: tuple[str, ...] = ()  # rows whose weights its chosen outputs do not need
    constants: Mapping[str, Attr] = field(default_factory=dict)  # its own whole numbers by name, which rows speak of
    tasks: tuple[Task, ...] = ()  # what its heads mean, as far as it says, in the order of the file
    dropped_tasks: tuple[Task, ...] = ()  # that read what its chosen outputs leave out
    parts: Mapping[str, Part] = field(default_factory=dict)  # by name, each after those that it is in
    one_size: bool = False  # `sizes fixed`

    @property
    def open_size(self) -> bool:
        """The sizes of maps, and so what SAME pads, are not known before it runs."""
        return self.any_size and not self.one_size

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

    def weights_of(self, name: str) -> str:
        """What the parameters of a row or a part are called after: its own name, unless it is of a copy that shares."""
        if name in self.parts:
            return self.parts[name].weights
        around, _, own = name.rpartition(".")
        return f"{self.parts[around].weights}.{own}" if around in self.parts else name

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


def calls_of(row: Row) -> Iterator[Call]:
    """Every module that a row uses, in running order."""
    for connection in row.inputs:
        if connection.resample is not None:
            yield connection.resample
    if row.join is not None:
        yield row.join
    yield from row.calls


def flat(inputs: tuple[Operand, ...]) -> list[Ref | Op | Call]:
    """Feature maps one by one, lists opened."""
    maps: list[Ref | Op | Call] = []
    for value in inputs:
        if isinstance(value, Many):
            maps += flat(value.items)
        else:
            maps.append(value)
    return maps
