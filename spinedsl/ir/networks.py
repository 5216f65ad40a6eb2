"""A network before any value is known: its settings, and its rows with every clause sorted and every name found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from spinedsl.brief import counted, cut
from spinedsl.diagnostics import Diagnostic, Label
from spinedsl.ir.library import Defined, Unit
from spinedsl.ir.trace import Trace
from spinedsl.record import Record, field
from spinedsl.syntax import tree

if TYPE_CHECKING:
    from spinedsl.ops.tasks import TaskKind

CLAUSES: Mapping[str, tuple[str, ...]] = {
    "stem": ("level", "after", "channels", "repeat"),
    "block": ("level", "from", "after", "channels", "repeat", "absorb", "resample", "join"),
    "output": ("from", "channels"),
    "head": ("from", "channels"),
    "input": ("level", "channels"),  # a map that a network takes as a part of others
}
RULES = ("inputs", "sizes", "outputs", "channels")
MULTIPLE = "multiple"  # `rules { channels multiple(8) }`

TypedUse = tuple[tree.Use, Defined]


def with_article(kind: str) -> str:
    """`an output`, `a block`."""
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def is_misread(row: tree.Row) -> bool:
    """A clause of the row is not known: what seems to be missing may be meant by it."""
    return any(clause.keyword.text not in CLAUSES[row.kind] for clause in row.clauses)


def is_multiple(value: tree.Expr) -> bool:
    """It is what `channels` of `rules` may be: `multiple(8)`."""
    return isinstance(value, tree.Call) and value.callee.text == MULTIPLE


def layers(widths: tree.Widths | None) -> list[tree.Widths]:
    """The widths of a network, and of each edit of them over those before."""
    found: list[tree.Widths] = []
    while widths is not None:
        found.append(widths)
        widths = widths.over
    return found[::-1]


class RowDecl(Record, eq=False):
    """A row with its clauses by name. `defined` is None for a plain output, or where the type is not known."""

    row: tree.Row
    clauses: Mapping[str, tree.Clause]
    defined: Defined | None
    sources: tuple[tree.Name, ...]  # rows fed in, in order
    direct: bool  # `after`, an output, a head or a stem: no resampling and no join
    absorbed: tuple[tree.Name, ...]
    resample: TypedUse | None
    join: TypedUse | None
    sound: bool  # false: a mistake was reported about it, so that nothing that follows from it is
    maps: int = 1  # of a block: more than one where its type takes its inputs one by one
    own: tuple[TypedUse | None, ...] = ()  # for each source, what resamples it alone; empty where nothing does

    def __brief__(self) -> str:
        return f"{self.row.kind} {cut(self.name, 30)}: {cut(self.row.use.name.text, 30)}"

    @property
    def name(self) -> str:
        """Name of the row."""
        return self.row.name.text

    @property
    def misread(self) -> bool:
        """A clause of the row is not known: what seems to be missing may be meant by it."""
        return is_misread(self.row)

    def value_of(self, clause: str) -> tree.Expr | None:
        """The expression of a clause such as `level`."""
        found = self.clauses.get(clause)
        if found is None or isinstance(found.value, tuple | tree.Use):
            return None
        return found.value


class TaskDecl(Record, eq=False):
    """A task with its heads by clause. `kind` and heads that are not known, after a mistake, are left out.

    `parts` has the name under which a head yields what is meant, where a clause says one: `scores` of `fcos.scores`.
    """

    task: tree.Task
    kind: TaskKind | None
    heads: Mapping[str, tree.Name]
    sound: bool  # false: a mistake was reported about it, so that nothing that follows from it is
    parts: Mapping[str, tree.Name] = field(default_factory=dict)

    def __brief__(self) -> str:
        return f"{cut(self.name, 30)}: {cut(self.task.use.name.text, 30)}"

    @property
    def name(self) -> str:
        """Name of the task."""
        return self.task.name.text


class Network(Record, eq=False):
    """A network with its names bound. `arguments`, by the parameter's name, are those of an instance.

    `unit` is of the file that names the network. What an instance takes over from another file is bound there.
    """

    name: str
    declared: tree.Network
    unit: Unit
    input: tree.Input | None
    defaults: tree.Defaults | None
    widths: tree.Widths | None
    rules: tree.Rules | None
    lets: tuple[tree.Binding, ...]
    allowed: tuple[tree.Allow, ...]
    rows: tuple[RowDecl, ...]
    mentioned: frozenset[str]
    arguments: Mapping[str, tree.Expr]
    instance: tree.Instance | None = None
    trace: Trace | None = None  # of an edited network
    base: Network | None = None  # what an instance is made of
    tasks: tuple[TaskDecl, ...] = ()
    joining: Mapping[str, TypedUse | None] = field(default_factory=dict)  # its `resample` and `join`
    varies: bool = False  # what it is given decides how many rows its parts have

    @property
    def parts(self) -> tuple[tree.Part, ...]:
        """The parts that it puts in, but for those of its parts."""
        return tuple(item for item in self.declared.items if isinstance(item, tree.Part))

    @cached_property
    def is_part(self) -> bool:
        """It takes feature maps: it is a part of other networks, and nothing by itself."""
        return tree.Maps in map(type, self.declared.items)

    def __brief__(self) -> str:
        of = f" made of {cut(self.base.name, 30)}" if self.base is not None else ""
        return f"{cut(self.name, 30)}{of}: {counted(len(self.rows), 'row')}"

    @property
    def sound_text(self) -> bool:
        """Every statement of the network could be read."""
        return not self.broken

    @property
    def broken(self) -> list[tree.Broken]:
        """Statements of the network that could not be read."""
        return [item for item in self.declared.items if isinstance(item, tree.Broken)]

    def may_edit(self, names: Iterable[str]) -> bool:
        """An edit that could not be read may be about one of these rows."""
        unknown = any(item.nameless for item in self.broken) or not self.mentioned.isdisjoint(names)
        return self.trace is not None and unknown

    def may_mean(self, rule: str, *values: str) -> bool:
        """A rule may stand in a statement that could not be read, or under a name that no rule has."""
        unknown = any(item.name.text not in RULES for item in (self.rules.items if self.rules else ()))
        return unknown or any(word.startswith((rule, *values)) for item in self.broken for word in item.mentions)

    def seen(self, diagnostic: Diagnostic) -> Diagnostic:
        """The same, reported where something can be done about it: an instance's arguments may be the cause."""
        instance = self.instance
        if instance is None or not instance.arguments or instance.edited_at(diagnostic.span):
            return diagnostic
        if self.by_itself:
            place = instance.base.span.to(instance.span)
            return diagnostic.seen_from(place, f"with these arguments, in network `{instance.name.text}`")
        return diagnostic.with_others(Label(instance.name.span, f"in network `{instance.name.text}`"))

    @property
    def by_itself(self) -> bool:
        """Every parameter has a default: the network is one without being given arguments."""
        return all(parameter.default is not None for parameter in self.declared.parameters)
