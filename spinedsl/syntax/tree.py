"""The syntax tree: what is written, with the place of every part, and nothing that has to be looked up elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TypeAlias

from spinedsl.brief import PART, Items, brief, counted, short_path
from spinedsl.record import Record, field, names
from spinedsl.source import Source, Span

Scalar: TypeAlias = int | Fraction


class Node(Record, eq=False):
    """A part of the tree. It prints as what is written there, and where."""

    def __brief__(self) -> str:
        span: Span | None = getattr(self, "span", None)
        if span is None:
            return ""
        written = span.source.text[span.start : min(span.end, span.start + 2 * PART)]
        return f"{brief(written)} {span.__brief__()}"


class Name(Node):
    """An identifier at its place. `own` is what it is called in the part of a network that it stands in, if in one."""

    text: str
    span: Span
    own: str = ""


# ---- expressions ----


class Number(Node, eq=False):
    """An exact number: a whole one, or a fraction for a decimal."""

    value: Scalar
    span: Span


class Flag(Node, eq=False):
    """`true` or `false`."""

    value: bool
    span: Span


class Text(Node, eq=False):
    """A string in quotes."""

    value: str
    span: Span


class Ident(Node, eq=False):
    """A name that stands for a value."""

    name: str
    span: Span


class Property(Node, eq=False):
    """`base.name`."""

    base: Expr
    name: Name
    span: Span


class Unary(Node, eq=False):
    """`-x` or `not x`."""

    operator: str
    operand: Expr
    span: Span


class Binary(Node, eq=False):
    """`left operator right`, comparisons and logic included."""

    operator: str
    left: Expr
    right: Expr
    span: Span


class Conditional(Node, eq=False):
    """`value if condition else other`."""

    condition: Expr
    value: Expr
    other: Expr
    span: Span


class ListOf(Node, eq=False):
    """`[a, b]`."""

    items: tuple[Expr, ...]
    span: Span


class ListOfEach(Node, eq=False):
    """`[value each name in items]` or `[value repeat name in count]`; `keyword` tells which."""

    value: Expr
    keyword: str
    name: Name
    items: Expr
    span: Span


class Item(Node, eq=False):
    """`base[index]`."""

    base: Expr
    index: Expr
    span: Span


class Argument(Node, eq=False):
    """One argument of a call: positional, or `name = value`."""

    name: Name | None
    value: Expr
    span: Span


class Call(Node, eq=False):
    """`callee(arguments)`, perhaps `shared`."""

    callee: Name
    arguments: tuple[Argument, ...]
    shared: bool
    span: Span


Expr: TypeAlias = (
    Number | Flag | Text | Ident | Property | Unary | Binary | Conditional | ListOf | ListOfEach | Item | Call
)


# ---- statements of a definition ----


class Binding(Node, eq=False):
    """`let`, `var`, or an assignment to a `var` (keyword `set`)."""

    keyword: str
    name: Name
    value: Expr
    span: Span


class Return(Node, eq=False):
    """`return value`."""

    value: Expr
    span: Span


class Yield(Node, eq=False):
    """`yield value`: one more value of a head."""

    value: Expr
    span: Span


class If(Node, eq=False):
    """A compile-time choice; `else if` is an `If` alone in `other`."""

    condition: Expr
    then: Body
    other: Body
    span: Span


class Repeat(Node, eq=False):
    """`repeat [index in] count { body }`."""

    index: Name | None
    count: Expr
    body: Body
    span: Span


class Each(Node, eq=False):
    """`each item in list { body }`."""

    item: Name
    items: Expr
    body: Body
    span: Span


class Broken(Node, eq=False):
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


class Parameter(Node, eq=False):
    """A parameter with its default, if it has one."""

    name: Name
    default: Expr | None


class Definition(Node, eq=False):
    """A definition of any kind: `kind` is the word that opens it."""

    kind: str
    name: Name
    parameters: tuple[Parameter, ...]
    signature: Expr | None
    body: Body
    span: Span


class Use(Node, eq=False):
    """A type named in a row, with the arguments given there."""

    name: Name
    arguments: tuple[Argument, ...]
    span: Span


class Clause(Node, eq=False):
    """A clause of a row. `value` is an expression, a tuple of names (`from`, `after`, `absorb`) or a use.

    `own` has for each name of `from` the resampling of that input alone, and is empty where none has one.
    """

    keyword: Name
    value: Expr | tuple[Name, ...] | Use
    span: Span
    own: tuple[Use | None, ...] = ()


class Row(Node, eq=False):
    """A `stem`, `block`, `output` or `head` row."""

    kind: str
    name: Name
    use: Use
    clauses: tuple[Clause, ...]
    span: Span


class Part(Node, eq=False):
    """`part name: network clauses`: a network as a part of this one. `shared` is the word, if it says that."""

    name: Name
    use: Use
    clauses: tuple[Clause, ...]
    span: Span
    shared: Name | None = None

    @property
    def kind(self) -> str:
        """What stands where the word of a row stands."""
        return "part"


class Outputs(Node, eq=False):
    """`output a, b: x, y`: outputs that are rows as they are; without `sources`, rows that are outputs themselves."""

    names: tuple[Name, ...]
    sources: tuple[Name, ...] | None
    span: Span


class Maps(Node, eq=False):
    """`input a, b: level low..high clauses`: the feature maps that a network takes as a part of others."""

    names: tuple[Name, ...]
    low: Expr
    high: Expr | None
    clauses: tuple[Clause, ...]
    span: Span


class Task(Node, eq=False):
    """`task name: kind clauses`: what heads mean. `use` names the kind; among edits it is the task of that name."""

    name: Name
    use: Use
    clauses: tuple[Clause, ...]
    span: Span


class Input(Node, eq=False):
    """`input name: channels x height x width`."""

    name: Name
    sizes: tuple[Expr, Expr, Expr]
    span: Span


class DefaultItem(Node, eq=False):
    """One entry of `defaults`: `role primitive(attributes)`, or `primitive(attributes)` with no role."""

    role: Name | None
    use: Use
    span: Span


class Defaults(Node, eq=False):
    """`defaults { … }`."""

    items: tuple[DefaultItem, ...]
    span: Span


class WidthItem(Node, eq=False):
    """`level low[..high]: value`."""

    low: Expr
    high: Expr | None
    value: Expr
    span: Span


class Widths(Node, eq=False):
    """`widths { … }`. Those of an edit stand `over` those of the network, level by level."""

    items: tuple[WidthItem, ...]
    span: Span
    over: Widths | None = None


class RuleItem(Node, eq=False):
    """`name low[..high]`."""

    name: Name
    low: Expr
    high: Expr | None
    span: Span


class Rules(Node, eq=False):
    """`rules { … }`."""

    items: tuple[RuleItem, ...]
    span: Span


class Setting(Node, eq=False):
    """`resample use` or `join use` for the whole network."""

    keyword: str
    use: Use
    span: Span


class Allow(Node, eq=False):
    """`allow CODE "reason"`: a warning that this network has looked at and accepts."""

    code: Name
    reason: str
    span: Span


SettingItem: TypeAlias = Input | Defaults | Widths | Rules | Setting | Binding
NetworkItem: TypeAlias = SettingItem | Allow | Row | Task | Part | Outputs | Maps | Broken


class Frame(Node, eq=False):
    """A network put into another as a part, once: its rows are `prefix.NAME` there. `place` is what puts it in.

    `inputs` tell which row each of its maps is, `outputs` which of its rows is which output, both by the names that the
    network itself gives them. `items` are its settings, its parameters and `let`s called as they are in the network
    written out; `span` is where all of it is written. Its parameters are called after `weights`: all copies that
    share them have one.
    """

    prefix: str
    network: str
    inputs: dict[str, Name]
    outputs: dict[str, str]
    items: tuple[NetworkItem, ...]
    place: Span
    span: Span
    weights: str


class Network(Node, eq=False):
    """A network written out. One that has parts is written out once more, with rows for them, by `ir/parts`.

    `frames` are then those parts, by what stands before the names of their rows, and `given` what each name that is
    read stands for: an output of a part, or all of them. `whole` is the network as it was before that, with what edits
    did to it, and `inside` are the edits that reached into its parts.
    """

    name: Name
    parameters: tuple[Parameter, ...]
    items: tuple[NetworkItem, ...]
    span: Span
    head: Span
    frames: dict[str, Frame] = field(default_factory=dict)
    given: dict[str, tuple[str, ...]] = field(default_factory=dict)
    whole: Network | None = None
    inside: tuple[EditItem, ...] = ()


# ---- edits: what stands in `with { … }` ----


class Place(Node, eq=False):
    """Where a row goes: `word` is `before` or `after`, `row` the row that it goes beside."""

    word: str
    row: Name
    span: Span


class Change(Node, eq=False):
    """`block b7 level 5` or `block b7: residual`: what is given, clauses or the type, replaces that of the row.

    The same for a part, of kind `part`; `shared` goes with its network.
    """

    kind: str
    name: Name
    use: Use | None
    clauses: tuple[Clause, ...]
    span: Span
    shared: Name | None = None


class Drop(Node, eq=False):
    """`drop b11`."""

    name: Name
    span: Span


class Addition(Node, eq=False):
    """`add block x1: …` or `add part n: …`, perhaps with its place."""

    row: Row | Part
    place: Place | None
    span: Span


class Move(Node, eq=False):
    """`move b6 after b7`."""

    name: Name
    place: Place
    span: Span


EditItem: TypeAlias = Change | Drop | Addition | Move | SettingItem | Argument | Allow | Task | Broken


class Instance(Node, eq=False):
    """`network name(parameters) = base(arguments)`; `edits` is None without a `with`.

    `span` ends before that, `extent` after it. `parameters` are those that it has besides the base's.
    """

    name: Name
    parameters: tuple[Parameter, ...]
    base: Name
    arguments: tuple[Argument, ...]
    span: Span
    edits: tuple[EditItem, ...] | None
    extent: Span

    @property
    def given(self) -> tuple[Argument, ...]:
        """What it gives to parameters: in its parentheses, then among its edits."""
        return Items((*self.arguments, *(edit for edit in self.edits or () if isinstance(edit, Argument))))

    def edited_at(self, span: Span) -> bool:
        """A place that is part of this instance's statement."""
        whole = self.extent
        return span.source is whole.source and whole.start <= span.start and span.end <= whole.end


# ---- search spaces: what stands in `space Name of Network { … }` ----


class Among(Node, eq=False):
    """Rows that a choice is about: `b7`, or `b2..b16`, all from one to the other in the order of the network."""

    first: Name
    last: Name | None
    span: Span


class Permute(Node, eq=False):
    """`permute b2..b11`: these blocks stand in any order, in the places that they have together."""

    rows: tuple[Among, ...]
    span: Span


class Parents(Node, eq=False):
    """`parents b2..b11: 2 of last 5`. `window` is None for `of all`."""

    rows: tuple[Among, ...]
    count: Number
    window: Number | None
    span: Span


class LevelShift(Node, eq=False):
    """`level_shift b2..b11: -1..2 within 2..7`. What leads outside of `within` ends at its nearest level."""

    rows: tuple[Among, ...]
    low: Number
    high: Number
    within: tuple[Number, Number] | None
    span: Span


class Types(Node, eq=False):
    """`types b2..b16: bottleneck, residual`."""

    rows: tuple[Among, ...]
    uses: tuple[Use, ...]
    span: Span


class Orphans(Node, eq=False):
    """`orphans absorb else drop`: what becomes of a block that nothing reads; what is tried first stands first."""

    fates: tuple[Name, ...]
    span: Span


class Keep(Node, eq=False):
    """`keep multiply_adds <= 90G`: candidates of which this does not hold are none."""

    figure: Name
    operator: str
    bound: Number
    span: Span


ChoiceItem: TypeAlias = Permute | Parents | LevelShift | Types | Orphans | Keep | Broken


class Space(Node, eq=False):
    """A search space: what may be chosen anew in a network."""

    name: Name
    base: Name
    items: tuple[ChoiceItem, ...]
    span: Span


class Import(Node, eq=False):
    """`import std.blocks` (a tuple of parts) or `import "path"` (a string)."""

    path: tuple[str, ...] | str
    span: Span


class File(Node, eq=False):
    """A parsed file. Broken statements are left out or stand as `Broken`; `broken` tells that there were any."""

    source: Source
    version: int | None
    imports: tuple[Import, ...]
    definitions: tuple[Definition, ...]
    networks: tuple[Network | Instance, ...]
    broken: tuple[Broken, ...] = field(default=())
    sound: bool = True  # nothing was wrong with its form
    spaces: tuple[Space, ...] = ()

    def __brief__(self) -> str:
        held = [counted(len(self.definitions), "definition"), counted(len(self.networks), "network")]
        return f"{short_path(self.source.name)}: {', '.join(held)}"


# ---- walking ----

EXPRESSIONS = frozenset(
    {Number, Flag, Text, Ident, Property, Unary, Binary, Conditional, ListOf, ListOfEach, Item, Call}
)
_APART = ("span", "head", "extent", "frames", "given", "whole", "inside", "source")  # not there to be read
_PARTS: dict[type, tuple[str, ...]] = {
    node: tuple(name for name in names(node) if name not in _APART)
    for node in (
        *EXPRESSIONS, Argument, Binding, Return, Yield, If, Repeat, Each, Parameter, Definition, Use, Clause, Row,
        Task, Part, Outputs, Maps, Input, DefaultItem, Defaults, WidthItem, Widths, RuleItem, Rules, Setting, Network,
        Place, Change, Drop, Addition, Move, Allow, Instance, Among, Permute, Parents, LevelShift, Types, Orphans, Keep,
        Space, Import, File,
    )
}  # fmt: skip


FIELDS = _PARTS  # of a node, what it consists of


def parts(node: object) -> tuple[object, ...]:
    """What a node or a tuple of nodes consists of, in the order of the text; nothing for a name or a value."""
    if isinstance(node, tuple):
        return node
    names = _PARTS.get(type(node))
    return () if names is None else tuple([getattr(node, name) for name in names])


def walk(*nodes: object) -> Iterator[object]:
    """Nodes, or tuples of nodes, with all that stands in them, in the order of the text, without recursion."""
    pending = [*reversed(nodes)]
    while pending:
        part = pending.pop()
        yield part
        if names := _PARTS.get(type(part)):
            pending += [getattr(part, name) for name in reversed(names)]
        elif isinstance(part, tuple):
            pending += reversed(part)


def size(node: object) -> int:
    """How many nodes there are."""
    return sum(type(part) in _PARTS for part in walk(node))


def alike(one: object, other: object) -> bool:
    """Two nodes, or tuples of nodes, say the same, wherever they stand. Without recursion."""
    pending = [(one, other)]
    while pending:
        here, there = pending.pop()
        if type(here) is not type(there):
            return False
        if isinstance(here, Name) and isinstance(there, Name):
            here, there = here.text, there.text
        if not isinstance(here, tuple) and type(here) not in _PARTS:
            if here != there:
                return False
            continue
        inner, others = parts(here), parts(there)
        if len(inner) != len(others):
            return False
        pending += zip(inner, others, strict=True)
    return True


def depth(node: object) -> int:
    """How many nodes stand inside one another at most, counted without recursion."""
    deepest, pending = 0, [(node, 0)]
    while pending:
        part, above = pending.pop()
        here = above + (type(part) in _PARTS)
        deepest = max(deepest, here)
        pending += [(inner, here) for inner in parts(part)]
    return deepest
