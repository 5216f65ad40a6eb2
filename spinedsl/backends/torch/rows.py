"""Write rows, those of a network or of a part of it: what each is made of, and what it computes.

In: rows, the classes of their definitions, and the copies of parts among them. Out: lines of `__init__` and `forward`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TypeAlias

from spinedsl.backends.torch.expressions import literal
from spinedsl.backends.torch.layout import WIDTH, Bracket, Doc, call, flat, lines, named, unpacked
from spinedsl.backends.torch.names import attribute, member, python_name
from spinedsl.backends.torch.plan import Class
from spinedsl.ops.program import Call, Program, Row, calls_of
from spinedsl.ops.types import Expr, Value
from spinedsl.record import Record, field

FEW = 3  # from this many equal modules on, a row says how many there are
MARGIN = 8


class Given(Record):
    """An argument of a constructor: its text, or None where it is left to its default."""

    name: str
    text: str | None
    default: str
    positional: bool = False

    @property
    def doc(self) -> Doc | None:
        """As it stands in a call."""
        return self.text if self.text is None or self.positional else named(self.name, self.text)


class Instance(Record):
    """An instance of a class."""

    name: str
    given: tuple[Given, ...]

    @property
    def doc(self) -> Bracket:
        """As it is constructed."""
        return call(self.name, *(doc for given in self.given if (doc := given.doc) is not None))


class Submodule(Record):
    """What stands at a place of a module: an instance, several that `holder` holds, or nothing of its own."""

    place: str
    level: int | None
    made: tuple[Instance, ...]
    holder: str = ""

    def lines(self) -> list[str]:
        """The lines that construct it, with its level."""
        found = lines(MARGIN, f"self.{self.place} = ", self._doc())
        if self.level is None:
            return found
        comment = f"# level {self.level}"
        together = f"{found[0]}  {comment}"
        return [together] if len(found) == 1 and len(together) <= WIDTH else [f"        {comment}", *found]

    def _doc(self) -> Doc:
        docs = [one.doc for one in self.made]
        if self.holder == "nn.ModuleDict":
            if len({flat(doc) for doc in docs}) == 1 and len(docs) >= FEW:
                return f'nn.ModuleDict({{f"rep{{i}}": {flat(docs[0])} for i in range({len(docs)})}})'
            return Bracket(
                "nn.ModuleDict({", tuple(Bracket(f'"rep{i}": {d.opening}', d.items) for i, d in enumerate(docs)), "})"
            )
        if self.holder:
            return call(self.holder, *_counted(docs))
        return docs[0] if docs else call("nn.Module")


class PartClass(Record, frozen=False, eq=False):
    """The class of copies of a part that are wired alike; `sizes`: it needs the sizes of the levels."""

    name: str
    sizes: bool
    text: list[str] = field(default_factory=list)


class Copy(Record, frozen=False, eq=False):
    """A part, as one instance of its class; `inputs` and `outputs` are rows. What shares `weights` is one instance."""

    prefix: str
    weights: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    of: PartClass
    given: tuple[Given, ...] = ()

    @property
    def instance(self) -> Instance:
        """How it is constructed."""
        return Instance(self.of.name, self.given)


class Chain(Record, eq=False):
    """Copies of one class one after another, each of which takes what the one before gives."""

    prefix: str
    copies: tuple[Copy, ...]

    @property
    def is_one(self) -> bool:
        """All of them are one instance."""
        return self.copies[0].weights == self.copies[1].weights

    @property
    def weights(self) -> str:
        """What their parameters are called after."""
        first = self.copies[0].weights
        return first if self.is_one else first.rpartition(".")[0]


Item: TypeAlias = "Row | Copy | Chain"


class Around(Record, eq=False):
    """What rows may refer to: the classes of modules, and copies and chains by what their rows' names begin with."""

    program: Program
    classes: Mapping[int, Class]
    taken: frozenset[str]
    copies: Mapping[str, Copy]
    chains: Mapping[str, Chain]
    called: Mapping[str, str]  # what a chain gives, after the chain instead of its last copy


class Rows:
    """Rows whose names begin with `prefix`, which reads `locals` by name. Their parameters' names begin with `home`."""

    def __init__(self, around: Around, rows: Sequence[Row], prefix: str = "", home: str = "") -> None:
        self.around, self.rows, self.prefix, self.home = around, rows, prefix, home
        self.locals: dict[str, str] = {}
        self.sizes = ""

    def class_of(self, part: Call) -> Class:
        return self.around.classes[id(part.module)]

    def name_locals(self, names: Mapping[str, str]) -> None:
        """A variable for each value; `names` say what it is to be called, if it does not go through a chain."""
        taken = {*self.around.taken, *self.locals.values()}
        for name, usual in names.items():
            chained = self.around.called.get(name, "").removeprefix(self.prefix)
            self.locals[name] = python_name(chained.replace(".", "_") or usual, taken)
            taken.add(self.locals[name])
        self.sizes = python_name("sizes", taken) if self.needs_sizes else ""

    @property
    def needs_sizes(self) -> bool:
        """Something needs the sizes of the levels."""
        classes = self.around.classes
        return any(classes[id(part.module)].sizes for row in self.rows for part in calls_of(row)) if classes else False

    def own(self, name: str) -> str:
        """The place of a submodule, by the beginning of its parameters' names."""
        return member(name.removeprefix(self.home))

    def place(self, item: Item) -> str:
        """The place of the submodule of a row, a copy or a chain."""
        if isinstance(item, Row):
            return self.own(self.around.program.weights_of(item.name))
        return self.own(item.weights)

    def items(self) -> Iterator[Item]:
        """The rows, in which those of a copy or chain are one."""
        done: set[str] = set()
        for row in self.rows:
            found = self._holder_of(row)
            if found is None:
                yield row
            elif found.prefix not in done:
                done.add(found.prefix)
                yield found

    def _holder_of(self, row: Row) -> Copy | Chain | None:
        names = row.name.removeprefix(self.prefix).split(".")
        for end in range(1, len(names)):
            prefix = self.prefix + ".".join(names[:end])
            found = self.around.chains.get(prefix) or self.around.copies.get(prefix)
            if found is not None:
                return found
        return None

    # ---- __init__ ----

    def number(self, value: Value, expr: Expr) -> str:  # noqa: ARG002  what is in a class has no names of a network
        """A number of a call, which the file says by an expression."""
        return literal(value)

    def submodules(self) -> Iterator[Submodule]:
        """Each row's own module, with what resamples and joins its inputs attached to it."""
        held: set[str] = set()
        for item in self.items():
            place = self.place(item)
            if place in held:
                continue  # a copy that shares it was there before
            yield from self._around(place, held)
            held.add(place)
            if isinstance(item, Chain) and not item.is_one:
                yield Submodule(place, None, tuple(copy.instance for copy in item.copies), "nn.ModuleDict")
            elif isinstance(item, Row):
                yield from self._row_made(item, place)
            else:
                copy = item if isinstance(item, Copy) else item.copies[0]
                yield Submodule(place, None, (copy.instance,))

    def _row_made(self, row: Row, place: str) -> Iterator[Submodule]:
        parts = [part for part in calls_of(row) if not self.class_of(part).is_function]
        own = [part for part in parts if any(part is call for call in row.calls)]
        attached = [part for part in parts if not any(part is call for call in row.calls)]
        made = tuple(self.construct(part) for part in own)
        if row.repeated and own:
            holder = "RepeatedAtSizes" if self.class_of(own[0]).sizes else "Repeated"
            yield Submodule(place, row.level, made, holder)
        elif own:
            yield Submodule(place, row.level, made[:1])
        elif attached:
            yield Submodule(place, row.level, ())
        for part in attached:
            yield Submodule(f"{place}.{attribute(part.path[-1])}", None, (self.construct(part),))

    def _around(self, place: str, held: set[str]) -> Iterator[Submodule]:
        """The submodules around a place, once each."""
        names = place.split(".")
        for end in range(1, len(names)):
            holder = ".".join(names[:end])
            if holder not in held:
                held.add(holder)
                yield Submodule(holder, None, ())

    def construct(self, part: Call) -> Instance:
        """An instance of the class that a call uses."""
        found = self.class_of(part)
        number = found.number(part.module)
        given = []
        for argument in found.arguments:
            value, text = argument.values[number], None
            if value is not None and value != argument.default:
                known = part.scalars.get(argument.key)
                text = literal(value) if known is None else self.number(value, known.expr)
            default = "None" if argument.default is None else literal(argument.default)
            given.append(Given(argument.name, text, default, argument.positional))
        return Instance(found.name, tuple(given))

    # ---- forward ----

    def statement(self, item: Item) -> list[str]:
        """The line of a row, or of all rows of a part."""
        if isinstance(item, Row):
            return lines(MARGIN, f"{self.locals[item.name]} = ", self.value(item))
        sizes = [self.sizes] if self.sizes and isinstance(item, Copy) and item.of.sizes else []
        if isinstance(item, Copy):
            taken = [self.locals[name] for name in item.inputs]
            return _several(MARGIN, self._outputs(item), call(f"self.{self.place(item)}", *taken, *sizes))
        first, last = item.copies[0], item.copies[-1]
        names = self._outputs(last)
        part = python_name("part", {*self.around.taken, *self.locals.values()})
        sizes = [self.sizes] if first.of.sizes else []
        place = f"self.{self.place(item)}"
        over = f"for _ in range({len(item.copies)}):" if item.is_one else f"for {part} in {place}.values():"
        return [
            *_several(MARGIN, names, ", ".join(self.locals[name] for name in first.inputs)),
            f"        {over}",
            *_several(MARGIN + 4, names, call(place if item.is_one else part, *names, *sizes)),
        ]

    def _outputs(self, copy: Copy) -> list[str]:
        return [self.locals[name] for name in copy.outputs]

    def value(self, row: Row) -> Doc:
        """What a row computes."""
        values: list[Doc] = [self._input(connection.source, connection.resample) for connection in row.inputs]
        values += [self.locals[name] for name in row.absorbed]
        if row.join is not None:
            values = [self.apply(row.join, Bracket("[", tuple(values), "]"))]
        if row.repeated and not self.class_of(row.calls[0]).is_function:
            sized = bool(self.class_of(row.calls[0]).sizes)
            return call(f"self.{self.place(row)}", *values, *([self.sizes] if sized else []))
        for part in row.calls:
            values = [self.apply(part, *values)]
        return values[0]

    def _input(self, name: str, part: Call | None) -> Doc:
        value = self.locals[name]
        return value if part is None else self.apply(part, value)

    def apply(self, part: Call, *values: Doc) -> Doc:
        """A call of a definition."""
        found = self.class_of(part)
        place = ".".join(map(member, part.path)).removeprefix(self.home)
        callee = found.name if found.is_function else f"self.{place}"
        taken = [value for name, value in zip(part.module.maps, values, strict=True) if name in found.inputs]
        return found.apply(callee, taken, self.sizes)


def _several(indent: int, names: Sequence[str], doc: Doc) -> list[str]:
    """What is computed, under one name or several."""
    return unpacked(indent, names, doc) if len(names) > 1 else lines(indent, f"{names[0]} = ", doc)


def _counted(docs: Sequence[Bracket]) -> Iterator[Doc]:
    for _, found in groupby(docs, key=flat):
        equal = list(found)
        if len(equal) < FEW:
            yield from equal
        else:
            yield f"*({flat(equal[0])} for _ in range({len(equal)}))"
