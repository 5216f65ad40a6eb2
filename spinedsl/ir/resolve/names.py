"""The names of one network: parameters, `let`s, the input and the rows share one table, each name once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Label, one_of
from spinedsl.ir.library import Unit
from spinedsl.ir.networks import with_article
from spinedsl.ir.reserved import another_name, why_reserved
from spinedsl.ir.resolve.expressions import Bound, Expressions, Scope
from spinedsl.ir.trace import Trace
from spinedsl.ops.primitives import Primitive
from spinedsl.record import Record, field
from spinedsl.source import Span
from spinedsl.syntax import tree

if TYPE_CHECKING:
    from spinedsl.ops.tasks import TaskKind

MAX_MEANT = 300  # rows that an unknown name may have meant


class Names(Record, frozen=False):
    """What the rows and settings of a network can name, and what was reported so far."""

    declared: tree.Network
    unit: Unit
    trace: Trace | None = None
    diagnostics: list[Diagnostic] = field(default_factory=list)
    scope: Scope = field(default_factory=Scope)
    places: dict[str, Bound] = field(default_factory=dict)  # every name, with what it is
    rows: list[tree.Row] = field(default_factory=list)
    order: dict[str, int] = field(default_factory=dict)  # of the rows
    meant: set[str] = field(default_factory=set)  # rows that an unknown name may have meant
    guessed: set[str] = field(default_factory=set)  # names that rows may have whose own could not be read

    def __post_init__(self) -> None:
        self.bound = {one.name.text: one.name.span for one in self.declared.parameters}
        self.bound |= {one.name.text: one.name.span for one in self.declared.items if isinstance(one, tree.Binding)}
        self.expressions = Expressions(self.unit, self.diagnostics, in_network=True, bound=self.bound)
        broken = [item for item in self.declared.items if isinstance(item, tree.Broken)]
        meant = self.trace.meant if self.trace is not None else frozenset[str]()
        self.mentioned = frozenset(name for item in broken for name in item.mentions) | meant
        self.nameless = sum(item.nameless for item in broken)

    def may_be_nameless(self, name: str) -> bool:
        """It may be the name of a row whose own could not be read: each such row has one."""
        if name not in self.guessed and len(self.guessed) < self.nameless:
            self.guessed.add(name)
        return name in self.guessed

    def dropped(self, name: str) -> Span | None:
        """Where an edit dropped the row of that name, or the part that it was of."""
        return self.trace.gone(name) if self.trace is not None else None

    def place_of(self, row: tree.Row, words: str) -> list[Label]:
        """Where a row stands, and where an edit put it there."""
        placed = self.trace.placed_with(row.name.text) if self.trace is not None else None
        if placed is None:
            return [Label(row.name.span, words)]
        edit, how = placed
        here = [] if how == "added" else [Label(row.name.span, f"`{row.name.text}` is written here")]
        return [*here, Label(edit, f"{how} here")]

    @property
    def network(self) -> str:
        """Name of the network."""
        return self.declared.name.text

    def check(self, expr: tree.Expr) -> None:
        """An expression of the network: numbers, its parameters and its `let`s."""
        self.at(expr.span).check(expr, self.scope)

    def held(self, expr: tree.Expr) -> None:
        """What a parameter or a `let` is to hold."""
        self.at(expr.span).held(expr, self.scope)

    def argument(self, argument: tree.Argument, callee: Primitive | TaskKind | None) -> None:
        """What is given to a primitive or a task, by name."""
        self.at(argument.span).argument(argument, callee, self.scope)

    def at(self, span: Span) -> Expressions:
        """Checks what stands at a place by what its file can name."""
        if span.source is self.unit.file.source:
            return self.expressions
        return Expressions(self.unit.home(span), self.diagnostics, in_network=True, bound=self.bound)

    def take_value(self, name: tree.Name, how: str, what: str, value: tree.Expr | None) -> None:
        """A parameter or a `let`, which expressions may name."""
        self.take(name, what)
        self.scope.holds(name.text, value)
        self.scope.names[name.text] = (how, name.span)

    def take_row(self, row: tree.Row) -> None:
        """A row, which rows below may name."""
        what = with_article(row.kind)
        if self.take(row.name, what):
            self.order[row.name.text] = len(self.rows)
        if "." not in row.name.text:  # that of a part is refused where it is written
            self.refuse_reserved(row.name, what)
        self.rows.append(row)

    def take_ports(self, item: tree.Maps | tree.Outputs | tree.Part, *, image: bool) -> None:
        """A part, whose rows are there already; the maps that the network takes, and the rows that it gives."""
        if isinstance(item, tree.Part):
            self.take(item.name, "a part")
            self.refuse_reserved(item.name, "a part")
        elif isinstance(item, tree.Maps):
            self.take_maps(item)
        else:
            if image:
                last = item.names[-1].span
                found = say.ENDS_EARLY.at(last, last=last.text, expected="`:`")
                own = "a network that takes an image gives its outputs names of their own, as in"
                self.diagnostics.append(found.with_fix(f"{own} `output {self.free_name(last.text)}: {last.text}`"))
            for name in item.names:  # an output of the same name is a row that no file can name
                given = tree.Name(f".{name.text}", name.span)
                self.order[given.text] = len(self.rows)
                self.rows.append(tree.Row("output", given, tree.Use(name, (), name.span), (), name.span))

    def take_maps(self, maps: tree.Maps) -> None:
        """Maps that come from the network of which this one is a part: rows below may read them."""
        if any(isinstance(item, tree.Input) for item in self.declared.items):
            first = next(item for item in self.declared.items if isinstance(item, tree.Input))
            self.twice("input", maps.span, first.span)
        for clause in maps.clauses:
            if clause.keyword.text != "channels":
                self.unknown_entry(clause.keyword, "an input row", ("channels",))
        if maps.high is not None:
            self.check(maps.high)
        from spinedsl.ir.parts.interface import taken_by  # noqa: PLC0415  most networks take an image

        channels = tuple(clause for clause in maps.clauses if clause.keyword.text == "channels")
        for taken in taken_by(maps):
            level = tree.Clause(tree.Name("level", taken.level.span), taken.level, taken.level.span)
            use = tree.Use(taken.name, (), taken.name.span)
            self.take_row(tree.Row("input", taken.name, use, (level, *channels[:1]), maps.span))

    def take(self, name: tree.Name, what: str) -> bool:
        """Take a name; false if something else has it."""
        if name.text not in self.places:
            self.places[name.text] = (what, name.span)
            return True
        first, place = self.places[name.text]
        found = say.DEFINED_TWICE.at(name.span, name=name.text, what=what)
        found = found.with_others(Label(place, f"{first} has this name"))
        self.diagnostics.append(found.with_fix(f"choose another name, say `{self.free_name(name.text)}`"))
        return False

    def free_name(self, name: str) -> str:
        """A name like this one that nothing has."""
        number = 2
        while f"{name}_{number}" in self.places:
            number += 1
        return f"{name}_{number}"

    def refuse_reserved(self, name: tree.Name, what: str) -> None:
        """A row or input lends its name to a module in every backend."""
        why = why_reserved(name.text)
        if why is not None:
            found = say.NAME_RESERVED.at(name.span, name=name.text, what=what, why=why)
            self.diagnostics.append(found.repaired(other=another_name(name.text)))

    def unknown_entry(self, name: tree.Name, what: str, known: Sequence[str]) -> None:
        """A word that a setting does not have."""
        found = say.UNKNOWN_ENTRY.at(name.span, what=what, name=name.text, known=one_of(known))
        self.diagnostics.append(found.with_rename(name.span, self.unit.nearest(name.text, known)))

    def twice(self, what: str, again: Span, first: Span) -> None:
        """A setting that is made a second time."""
        found = say.SETTING_TWICE.at(again, what=what, where="network", name=self.network)
        self.diagnostics.append(found.with_others(Label(first, "first set here")).repaired())
