"""The syntax tree: what is written, with the place of every part, and nothing that has to be looked up elsewhere."""

from __future__ import annotations

from fractions import Fraction
from typing import TypeAlias

from spinedsl.record import Record, field, names
from spinedsl.source import Source, Span

Scalar: TypeAlias = int | Fraction


class Name(Record):
    """An identifier at its place."""

    text: str
    span: Span


# ---- expressions ----


class Number(Record, eq=False):
    """An exact number: a whole one, or a fraction for a decimal."""

    value: Scalar
    span: Span


class Flag(Record, eq=False):
    """`true` or `false`."""

    value: bool
    span: Span


class Text(Record, eq=False):
    """A string in quotes."""

    value: str
    span: Span


class Ident(Record, eq=False):
    """A name that stands for a value."""

    name: str
    span: Span


class Property(Record, eq=False):
    """`base.name`."""

    base: Expr
    name: Name
    span: Span


class Unary(Record, eq=False):
    """`-x` or `not x`."""

    operator: str
    operand: Expr
    span: Span


class Binary(Record, eq=False):
    """`left operator right`, comparisons and logic included."""

    operator: str
    left: Expr
    right: Expr
    span: Span


class Conditional(Record, eq=False):
    """`value if condition else other`."""

    condition: Expr
    value: Expr
    other: Expr
    span: Span


class ListOf(Record, eq=False):
    """`[a, b]`."""

    items: tuple[Expr, ...]
    span: Span


class Argument(Record, eq=False):
    """One argument of a call: positional, or `name = value`."""

    name: Name | None
    value: Expr
    span: Span


class Call(Record, eq=False):
    """`callee(arguments)`, perhaps `shared`."""

    callee: Name
    arguments: tuple[Argument, ...]
    shared: bool
    span: Span


Expr: TypeAlias = Number | Flag | Text | Ident | Property | Unary | Binary | Conditional | ListOf | Call


# ---- statements of a definition ----


class Binding(Record, eq=False):
    """`let`, `var`, or an assignment to a `var` (keyword `set`)."""

    keyword: str
    name: Name
    value: Expr
    span: Span


class Return(Record, eq=False):
    """`return value`."""

    value: Expr
    span: Span


class Yield(Record, eq=False):
    """`yield value`: one more value of a head."""

    value: Expr
    span: Span


class If(Record, eq=False):
    """A compile-time choice; `else if` is an `If` alone in `other`."""

    condition: Expr
    then: Body
    other: Body
    span: Span


class Repeat(Record, eq=False):
    """`repeat [index in] count { body }`."""

    index: Name | None
    count: Expr
    body: Body
    span: Span


class Each(Record, eq=False):
    """`each item in list { body }`."""

    item: Name
    items: Expr
    body: Body
    span: Span


class Broken(Record, eq=False):
    """A statement that could not be read: the names that it would have bound, and those that it mentions.

    `nameless`: a row whose own name could not be read. `unread`: one that reads rows whose names could not be.
    """

    binds: tuple[str, ...]
    mentions: frozenset[str]
    span: Span
    nameless: bool = False
    unread: bool = False


Statement: TypeAlias = Binding | Return | Yield | If | Repeat | Each | Broken
Body: TypeAlias = tuple[Statement, ...]


# ---- definitions and networks ----


class Parameter(Record, eq=False):
    """A parameter with its default, if it has one."""

    name: Name
    default: Expr | None


class Definition(Record, eq=False):
    """A definition of any kind: `kind` is the keyword that opens it."""

    kind: str
    name: Name
    parameters: tuple[Parameter, ...]
    signature: Expr | None
    body: Body
    span: Span


class Use(Record, eq=False):
    """A type named in a row, with the arguments given there."""

    name: Name
    arguments: tuple[Argument, ...]
    span: Span


class Clause(Record, eq=False):
    """A clause of a row. `value` is an expression, a tuple of names (`from`, `after`, `absorb`) or a use."""

    keyword: Name
    value: Expr | tuple[Name, ...] | Use
    span: Span


class Row(Record, eq=False):
    """A `stem`, `block`, `output` or `head` row."""

    kind: str
    name: Name
    use: Use
    clauses: tuple[Clause, ...]
    span: Span


class Input(Record, eq=False):
    """`input name: channels x height x width`."""

    name: Name
    sizes: tuple[Expr, Expr, Expr]
    span: Span


class DefaultItem(Record, eq=False):
    """One entry of `defaults`: `role primitive(attributes)`, or `primitive(attributes)` with no role."""

    role: Name | None
    use: Use
    span: Span


class Defaults(Record, eq=False):
    """`defaults { … }`."""

    items: tuple[DefaultItem, ...]
    span: Span


class WidthItem(Record, eq=False):
    """`level low[..high]: value`."""

    low: Expr
    high: Expr | None
    value: Expr
    span: Span


class Widths(Record, eq=False):
    """`widths { … }`. Those of an edit stand `over` those of the network, level by level."""

    items: tuple[WidthItem, ...]
    span: Span
    over: Widths | None = None


class RuleItem(Record, eq=False):
    """`name low[..high]`."""

    name: Name
    low: Expr
    high: Expr | None
    span: Span


class Rules(Record, eq=False):
    """`rules { … }`."""

    items: tuple[RuleItem, ...]
    span: Span


class Setting(Record, eq=False):
    """`resample use` or `join use` for the whole network."""

    keyword: str
    use: Use
    span: Span


class Allow(Record, eq=False):
    """`allow CODE "reason"`: a warning that this network has looked at and accepts."""

    code: Name
    reason: str
    span: Span


SettingItem: TypeAlias = Input | Defaults | Widths | Rules | Setting | Binding
NetworkItem: TypeAlias = SettingItem | Allow | Row | Broken


class Network(Record, eq=False):
    """A network written out."""

    name: Name
    parameters: tuple[Parameter, ...]
    items: tuple[NetworkItem, ...]
    span: Span
    head: Span


# ---- edits: what stands in `with { … }` ----


class Place(Record, eq=False):
    """Where a row goes: `word` is `before` or `after`, `row` the row that it goes beside."""

    word: str
    row: Name
    span: Span


class Change(Record, eq=False):
    """`block b7 level 5` or `block b7: residual`: what is said, clauses or the type, replaces what the row says."""

    kind: str
    name: Name
    use: Use | None
    clauses: tuple[Clause, ...]
    span: Span


class Drop(Record, eq=False):
    """`drop b11`."""

    name: Name
    span: Span


class Addition(Record, eq=False):
    """`add block x1: …`, perhaps with its place."""

    row: Row
    place: Place | None
    span: Span


class Move(Record, eq=False):
    """`move b6 after b7`."""

    name: Name
    place: Place
    span: Span


EditItem: TypeAlias = Change | Drop | Addition | Move | SettingItem | Argument | Allow | Broken


class Instance(Record, eq=False):
    """`network name = base(arguments)`; `edits` is None without a `with`. `span` ends before it, `extent` after it."""

    name: Name
    base: Name
    arguments: tuple[Argument, ...]
    span: Span
    edits: tuple[EditItem, ...] | None
    extent: Span

    @property
    def given(self) -> tuple[Argument, ...]:
        """What it gives to parameters: in its parentheses, then among its edits."""
        return (*self.arguments, *(edit for edit in self.edits or () if isinstance(edit, Argument)))

    def edited_at(self, span: Span) -> bool:
        """A place that is part of this instance's statement."""
        whole = self.extent
        return span.source is whole.source and whole.start <= span.start and span.end <= whole.end


class Import(Record, eq=False):
    """`import std.blocks` (a tuple of parts) or `import "path"` (a string)."""

    path: tuple[str, ...] | str
    span: Span


class File(Record, eq=False):
    """A parsed file. Broken statements are left out or stand as `Broken`; `broken` tells that there were any."""

    source: Source
    version: int | None
    imports: tuple[Import, ...]
    definitions: tuple[Definition, ...]
    networks: tuple[Network | Instance, ...]
    broken: tuple[Broken, ...] = field(default=())
    sound: bool = True  # nothing was wrong with its form


# ---- walking ----

EXPRESSIONS = frozenset({Number, Flag, Text, Ident, Property, Unary, Binary, Conditional, ListOf, Call})
_PARTS: dict[type, tuple[str, ...]] = {
    node: tuple(name for name in names(node) if name not in ("span", "head", "extent"))
    for node in (
        *EXPRESSIONS, Argument, Binding, Return, Yield, If, Repeat, Each, Parameter, Definition, Use, Clause, Row,
        Input, DefaultItem, Defaults, WidthItem, Widths, RuleItem, Rules, Setting, Network, Place, Change, Drop,
        Addition, Move, Instance,
    )
}  # fmt: skip


def parts(node: object) -> tuple[object, ...]:
    """What a node or a tuple of nodes consists of, in the order of the text; nothing for a name or a value."""
    if type(node) is tuple:
        return node
    return tuple(getattr(node, name) for name in _PARTS.get(type(node), ()))


def size(node: object) -> int:
    """How many nodes there are, counted without recursion."""
    count, pending = 0, [node]
    while pending:
        part = pending.pop()
        count += type(part) in _PARTS
        pending += parts(part)
    return count


def alike(one: object, other: object) -> bool:
    """Two nodes, or tuples of nodes, say the same, wherever they stand."""
    if type(one) is not type(other):
        return False
    if isinstance(one, Name) and isinstance(other, Name):
        return one.text == other.text
    if type(one) is not tuple and type(one) not in _PARTS:
        return one == other
    here, there = parts(one), parts(other)
    return len(here) == len(there) and all(alike(a, b) for a, b in zip(here, there, strict=True))


def depth(node: object) -> int:
    """How many nodes stand inside one another at most, counted without recursion."""
    deepest, pending = 0, [(node, 0)]
    while pending:
        part, above = pending.pop()
        here = above + (type(part) in _PARTS)
        deepest = max(deepest, here)
        pending += [(inner, here) for inner in parts(part)]
    return deepest
