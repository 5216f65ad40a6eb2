"""Lint: a feature map that a definition computes and that reaches nothing which the definition gives.

It is computed all the same, and its weights are there, as in PyTorch; no gradient ever reaches them.
"""

from __future__ import annotations

from collections.abc import Iterator

from spinedsl.checks.accept import accept
from spinedsl.diagnostics import Diagnostic, Label
from spinedsl.diagnostics import catalogue as say
from spinedsl.ir.resolve.definitions import statements_in
from spinedsl.ir.typed import TypedNetwork, TypedRow
from spinedsl.ops.program import Bind, Body, Each, If, Many, Module, Op, Operand, Ref, Repeat, Return, Yield, operands
from spinedsl.ops.types import Loc
from spinedsl.record import Record, field
from spinedsl.syntax import tree


class _Place(Record, frozen=False, eq=False):
    """A `let`, `var` or assignment in one definition: how often what it binds is read, and where not."""

    definition: str
    name: str
    loc: Loc
    read: int = 0
    unread: int = 0
    rows: dict[str, TypedRow] = field(default_factory=dict)  # in which it is not read


def unread(typed: TypedNetwork) -> Iterator[Diagnostic]:
    """Operations whose result nothing reads: in no use of their definition, or in some of them."""
    finder = _Finder()
    for row in typed.rows.values():
        finder.row(row)
    for place in finder.places.values():
        if not place.unread:
            continue
        binding = _binding(typed, place)
        if binding is None:
            continue
        first = next(iter(place.rows.values()))
        found = say.UNREAD_VALUE.at(binding.name.span, name=place.name, definition=place.definition)
        if place.read:
            found = found.with_others(Label(first.span, f"nothing reads it in this use of `{place.definition}`"))
            repair = "compute it only where it is read, below the `if`"
        else:
            repair = "take it away, or let what is returned read it"
        yield found.with_fix(*accept(typed, repair, "W0704"))


def _binding(typed: TypedNetwork, place: _Place) -> tree.Binding | None:
    """Where the value is bound, in the file that defines it."""
    unit = typed.network.unit
    for other in (unit, *unit.all_imports()):
        defined = other.definitions.get(place.definition)
        if defined is None or defined.definition.name.span.source.name != place.loc.file:
            continue
        bindings = (part for part in statements_in(defined.definition.body) if isinstance(part, tree.Binding))
        here = (binding for binding in bindings if binding.span.line == place.loc.line)
        return next((binding for binding in here if binding.name.text == place.name), None)
    return None


class _Reads(Record, frozen=False, eq=False):
    """Names that are read further down: by what reaches a result, and by what does not."""

    live: set[str] = field(default_factory=set)
    in_vain: set[str] = field(default_factory=set)


class _Finder(Record, frozen=False, eq=False):
    """Walks every expansion once, backward: whatever runs later has said by then what it reads."""

    places: dict[tuple[str, int, str], _Place] = field(default_factory=dict)
    known: dict[int, set[str]] = field(default_factory=dict)  # by expansion: the parameters that its result depends on

    def row(self, row: TypedRow) -> None:
        """All that the row uses."""
        resampled = [connection.resample for connection in row.inputs]
        for call in (*resampled, row.join, *row.calls):
            if call is not None:
                self.depends_on(call.module, row)

    def depends_on(self, module: Module, row: TypedRow) -> set[str]:
        """The parameters that the result of one expansion depends on."""
        if id(module) not in self.known:
            reads = _Reads()
            self.body(module, module.body, reads, row)
            self.known[id(module)] = reads.live
        return self.known[id(module)]

    def body(self, module: Module, body: Body, reads: _Reads, row: TypedRow) -> None:
        """Statements in reverse, with what is read further down."""
        for statement in reversed(body):
            if isinstance(statement, Bind):
                self.bind(module, statement, reads, row)
            elif isinstance(statement, Return | Yield):
                self.read(statement.value, reads.live, row)
            elif isinstance(statement, If):
                self.body(module, statement.then if statement.taken else statement.other, reads, row)
            elif isinstance(statement, Repeat | Each):
                for iteration in reversed(statement.iterations):
                    self.body(module, iteration, reads, row)
                if isinstance(statement, Each):
                    self.read(statement.items, reads.live, row)

    def bind(self, module: Module, statement: Bind, reads: _Reads, row: TypedRow) -> None:
        """What is bound counts as read only if its name is; what only the unread read follows from that."""
        is_read, follows = statement.name in reads.live, statement.name in reads.in_vain
        reads.live.discard(statement.name)
        reads.in_vain.discard(statement.name)
        if next(operands(statement.value), None) is not None:
            key = (statement.loc.file, statement.loc.line, statement.name)
            place = self.places.setdefault(key, _Place(module.definition, statement.name, statement.loc))
            place.read += is_read
            if not is_read and not follows:
                place.unread += 1
                place.rows.setdefault(row.name, row)
        self.read(statement.value, reads.live if is_read else reads.in_vain, row)

    def read(self, value: Operand, names: set[str], row: TypedRow) -> None:
        """Add the names that a value depends on."""
        pending: list[Operand] = [value]
        while pending:
            part = pending.pop()
            if isinstance(part, Ref):
                names.add(part.name.split("[", 1)[0])
            elif isinstance(part, Many):
                names.update([part.name] if part.name else ())
                pending += part.items
            elif isinstance(part, Op):
                pending += part.inputs
            else:
                needed = self.depends_on(part.module, row)
                pending += [given for name, given in part.maps.items() if name in needed]
