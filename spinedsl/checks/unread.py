"""Lint: a feature map that a definition computes and that reaches nothing which the definition gives.

It is computed all the same, and its weights are there, as in PyTorch; no gradient ever reaches them.
"""

from __future__ import annotations

from collections.abc import Iterator

from spinedsl.checks.accept import accept
from spinedsl.diagnostics import Diagnostic, Label
from spinedsl.diagnostics import catalogue as say
from spinedsl.ir.typed import TypedNetwork, TypedRow
from spinedsl.ops.program import (
    Bind,
    BindScalar,
    Body,
    Call,
    Each,
    If,
    Module,
    Op,
    Operand,
    Ref,
    Return,
    Yield,
    operands,
)
from spinedsl.ops.types import Loc
from spinedsl.source import Span
from spinedsl.syntax import tree


def unread(typed: TypedNetwork) -> Iterator[Diagnostic]:
    """Operations whose result nothing reads: in no use of their definition, or in some of them."""
    finder = Finder(typed)
    read = Finder(typed, notes=True).read if finder.unread else set()
    done: set[int] = set()
    for module, value, row in finder.unread:
        name = _name(value)
        place = _place(typed, module, name, value.loc)
        if place is None or id(place) in done:
            continue
        done.add(id(place))
        found = say.UNREAD_VALUE.at(place, name=name, definition=module.definition)
        repair = "take it away, or let what is returned read it"
        if (value.loc, name) in read:
            found = found.with_others(Label(row.span, f"nothing reads it in this use of `{module.definition}`"))
            repair = "compute it only where it is read, below the `if`"
        yield found.with_fix(*accept(typed, repair, "W0704"))


def _name(value: Bind | Op | Call) -> str:
    """What the text calls it: the name that it takes, or the operation."""
    if isinstance(value, Bind):
        return value.name
    return value.role if isinstance(value, Op) else value.module.definition


def _place(typed: TypedNetwork, module: Module, name: str, loc: Loc) -> Span | None:
    """Where the value is bound or computed, in the file that defines it."""
    unit = typed.network.unit
    for other in (unit, *unit.all_imports()):
        defined = other.definitions.get(module.definition)
        if defined is not None and defined.definition.name.span.source.name == loc.file:
            pending: list[object] = [defined.definition.body]
            while pending:
                node = pending.pop()
                if isinstance(node, tree.Binding | tree.Call):
                    named = node.name if isinstance(node, tree.Binding) else node.callee
                    if named.text == name and named.span.line == loc.line:
                        return named.span
                pending += reversed(tree.parts(node))
    return None


class Finder:
    """Walks every expansion once, backward: whatever runs later has said by then what it reads.

    In each, `live` are the names that are read further down, and `in_vain` those that only the unread read.
    The prelude's definitions are left out: the tests look at those.
    """

    def __init__(self, typed: TypedNetwork, *, notes: bool = False, trusted: str = "std/") -> None:
        self.notes, self.trusted = notes, trusted
        self.found: list[Bind | Op | Call] = []  # in the expansion at hand
        self.needs: dict[int, set[str]] = {}  # by expansion: the parameters that its result depends on
        self.unread: list[tuple[Module, Bind | Op | Call, TypedRow]] = []  # with the first row that uses the expansion
        self.read: set[tuple[Loc, str]] = set()  # what is read somewhere, if that is to be noted
        for self.at in typed.rows.values():
            for call in (*(connection.resample for connection in self.at.inputs), self.at.join, *self.at.calls):
                if call is not None and id(call.module) not in self.needs:
                    self.module(call.module)

    def module(self, module: Module) -> set[str]:
        """The parameters that the result of one expansion depends on."""
        if module.loc.file.startswith(self.trusted):
            return self.needs.setdefault(id(module), {*module.maps})
        live: set[str] = set()
        outside, self.found = self.found, []
        self.body(module.body, live, set())
        self.unread += ((module, value, self.at) for value in self.found)
        self.found = outside
        self.needs[id(module)] = live
        return live

    def body(self, body: Body, live: set[str], in_vain: set[str]) -> None:
        """Statements in reverse."""
        for statement in reversed(body):
            if isinstance(statement, Bind):
                self.bind(statement, live, in_vain)
            elif isinstance(statement, Return | Yield):
                self.reads(statement.value, live)
            elif isinstance(statement, If):
                self.body(statement.then if statement.taken else statement.other, live, in_vain)
            elif not isinstance(statement, BindScalar):
                for iteration in reversed(statement.iterations):
                    self.body(iteration, live, in_vain)
                if isinstance(statement, Each):
                    self.reads(statement.items, live)

    def bind(self, bind: Bind, live: set[str], in_vain: set[str]) -> None:
        """What is bound counts as read only if its name is; what only the unread read follows from that."""
        if bind.name in live:
            live.discard(bind.name)
            in_vain.discard(bind.name)
            if self.notes:
                self.read.add((bind.loc, bind.name))
            self.reads(bind.value, live)
            return
        if bind.name not in in_vain and next(operands(bind.value), None) is not None:
            self.found.append(bind)
        in_vain.discard(bind.name)
        said = len(self.found)
        self.reads(bind.value, in_vain)
        del self.found[said:]  # what stands in it follows

    def reads(self, value: Operand, names: set[str]) -> None:
        """Add the names that a value depends on."""
        if isinstance(value, Ref):
            name = value.name
            names.add(name if name[-1] != "]" else name.partition("[")[0])
        elif isinstance(value, Op):
            for operand in value.inputs:
                self.reads(operand, names)
        elif isinstance(value, Call):
            needed = self.needs.get(id(value.module))
            if needed is None:
                needed = self.module(value.module)
            for name, operand in value.maps.items():
                if name in needed:
                    self.reads(operand, names)
                else:
                    self.found += list(operands(operand))[-1:]
        else:
            names.update([value.name] if value.name else ())
            for operand in value.items:
                self.reads(operand, names)
