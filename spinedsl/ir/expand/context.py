"""What all expansions of one network share: its `defaults`, what was reported and expanded before, and the limits."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TypeAlias

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Label, Rule
from spinedsl.ir.expand.values import Held
from spinedsl.ir.library import Defined
from spinedsl.ir.networks import Network
from spinedsl.ir.scalars import Poison, key_of
from spinedsl.ops.primitives import ALIASES, PRIMITIVES, Primitive
from spinedsl.ops.program import Module
from spinedsl.ops.types import Attr, Literal, Loc, Type, Value
from spinedsl.record import Record, field
from spinedsl.source import Span

MAX_WORK = 50_000  # steps of expansion in a file; one more for every character beyond the first 64 K
SMALL_FILE = 65_536
MAX_STACK = 600  # Python's frames for definitions inside one another, well below its limit of 1,000
MAX_REMEMBERED = 512

Choice: TypeAlias = tuple[Primitive, Mapping[str, Value]]
Role: TypeAlias = tuple[Defined, Mapping[str, Value | Held]]  # a `def` that a role stands for, with what it is given
Prepared: TypeAlias = tuple[Primitive, dict[str, Attr | None], dict[str, Attr] | None]


class Work:
    """How much all networks of a file may expand to, so that a small file cannot keep the compiler busy for long."""

    def __init__(self, characters: int = 0) -> None:
        self.reported = False
        self.left = self.total = MAX_WORK + max(characters - SMALL_FILE, 0)


class Expanded(Record, eq=False):
    """An expansion with what it taught: its highest level, the axes it read, and the mistakes found in it."""

    module: Module | Poison
    deepest: int
    static_axes: Mapping[str, Loc]
    reports: tuple[Diagnostic, ...]


class Context(Record, frozen=False, eq=False):
    """One network at work. `uses` are the uses of definitions that led to the present place, outermost first.

    Each has its place, the definition's name, and the setting of the network that names it for a row, if one does.
    """

    network: Network
    work: Work
    roles: Mapping[str, Choice] = field(default_factory=dict)
    attributes: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    defined: Mapping[str, Role] = field(default_factory=dict)  # the roles that a `def` fills
    diagnostics: list[Diagnostic] = field(default_factory=list)
    static_axes: dict[str, Loc] = field(default_factory=dict)
    uses: list[tuple[Span, str, Span | None]] = field(default_factory=list)
    at_work: dict[tuple[Defined, ...], list[Held]] = field(default_factory=dict)  # see `given.enter`
    stack: int = 0
    deepest: int = 0  # highest level that any feature map reaches
    filling: set[str] = field(default_factory=set)  # the roles whose `def` is being expanded
    held_roles: set[str] = field(default_factory=set)  # those whose `def` a parameter of the network holds
    silent: bool = False  # nothing is reported: a signature is asked for what it promises
    any_size: bool = False  # sizes are rounded up, level by level
    one_size: bool = False  # there is one size, and maps need not have that of their levels
    sizes_known: bool = True
    input: Type | None = None  # of the network; None while nothing is known of it

    def __post_init__(self) -> None:
        self._reported: set[object] = set()
        self._inside: list[dict[object, Diagnostic]] = []
        self._memo: dict[int, dict[object, Expanded]] = {}
        self._failed: dict[object, Expanded] = {}
        self._prepared: dict[str, Prepared] = {}
        self._key: object = None
        self._sizes: object = None

    @cached_property
    def in_silence(self) -> Context:
        """Where something is asked for and nothing is reported; no size and no default is known there."""
        return Context(self.network, self.work, silent=True)

    # ---- sizes and defaults ----

    def set_sizes(self, any_size: bool, whole: Type | None, *, known: bool = True, fixed: Loc | None = None) -> None:
        """What the size of the network's input may be, and what it is; nothing is expanded before.

        Where a mistake leaves that unknown, nothing is reported that holds of one kind of network alone. `fixed` is
        where the file says that there is one size: then maps may have other sizes than their levels.
        """
        self.any_size, self.input, self.sizes_known, self.one_size = any_size, whole, known, fixed is not None
        self.static_axes = {"height": fixed, "width": fixed} if fixed is not None else {}
        self._sizes = (any_size, known, whole, self.one_size)

    def set_defaults(
        self,
        roles: Mapping[str, Choice],
        attributes: Mapping[str, Mapping[str, Value]],
        defined: Mapping[str, Role],
    ) -> None:
        """What `defaults` say for what is expanded from now on."""
        self.roles, self.attributes, self.defined = roles, attributes, defined
        chosen = tuple((role, primitive.name, _items(values)) for role, (primitive, values) in roles.items())
        own = tuple((role, id(found), _items(values)) for role, (found, values) in defined.items())
        self._key = (own, chosen, tuple((name, _items(values)) for name, values in attributes.items()))
        for known in (self._memo, self._failed, self._prepared):
            known.clear()

    def prepared(self, name: str) -> Prepared | None:
        """The primitive that `name` or a role stands for, and its attributes preset: None where a call has to say it.

        Then all of them once more, if a call need not say any.
        """
        found = self._prepared.get(name)
        if found is None:
            choice = self.roles.get(name) or self._primitive(name)
            if choice is None:
                return None
            preset = _preset(*choice)
            complete = {name: attr for name, attr in preset.items() if attr is not None}
            found = self._prepared[name] = (choice[0], preset, complete if len(complete) == len(preset) else None)
        return found

    def _primitive(self, name: str) -> Choice | None:
        primitive = PRIMITIVES.get(ALIASES.get(name, name))
        return None if primitive is None else (primitive, self.attributes.get(primitive.name, {}))

    # ---- what was expanded before ----

    def recall(self, defined: Defined, key: object, at_fault: object) -> Expanded | None:
        """An equal expansion of before. Its mistakes are reported again, at the present use.

        One that failed is kept by `at_fault`: mistakes are reported where what is given was named.
        """
        found = self._remembered(defined).get(key)
        if found is None and self._failed:
            found = self._failed.get((id(defined), at_fault))
        if found is not None:
            self.deepest = max(self.deepest, found.deepest)
            for axis, loc in found.static_axes.items():
                self.static_axes.setdefault(axis, loc)
            for diagnostic in found.reports:
                self.report(diagnostic)
        return found

    def remember(self, defined: Defined, key: object, expanded: Expanded) -> None:
        """Keep an expansion: a faultless one with its definition, for other networks with the same defaults."""
        if isinstance(expanded.module, Poison):
            self._failed[id(defined), key] = expanded
            return
        memo = self._remembered(defined)
        if len(memo) >= MAX_REMEMBERED:
            memo.clear()
        memo[key] = expanded

    def _remembered(self, defined: Defined) -> dict[object, Expanded]:
        memo = self._memo.get(id(defined))
        if memo is None:
            key = self._key, self._sizes
            if len(defined.expansions) >= MAX_REMEMBERED and key not in defined.expansions:
                defined.expansions.clear()
            memo = self._memo[id(defined)] = defined.expansions.setdefault(key, {})
        return memo

    # ---- what is reported ----

    def listen(self) -> dict[object, Diagnostic]:
        """Begin to collect what is reported, each thing once, for the expansion that begins."""
        self._inside.append({})
        return self._inside[-1]

    def heard(self) -> None:
        """End what `listen` began."""
        self._inside.pop()

    def report(self, diagnostic: Diagnostic, once: str = "") -> None:
        """Say it with the uses and the instance that led here, once for each place (or for each `once`).

        A mistake in a definition of the same file is reported where it stands, whoever uses it; one in a definition of
        another file is reported at the use, which is where something can be done about it.
        """
        if self.silent:
            return
        for reports in self._inside:
            reports.setdefault((diagnostic.code.id, diagnostic.span), diagnostic)
        key: tuple[object, ...] = (diagnostic.code.id, once or diagnostic.span)
        if self.uses:
            outermost, name, setting = self.uses[0]
            used = f"in this use of `{name}`" if setting is None else f"`{name}` fails here"
            if diagnostic.span.source is not outermost.source:
                key = key if once else (*key, setting or outermost)
                diagnostic = diagnostic.seen_from(outermost, used)
            else:
                diagnostic = diagnostic.with_others(Label(outermost, used))
        if key in self._reported:
            return
        self._reported.add(key)
        self.diagnostics.append(self.network.seen(diagnostic))

    def mark(self) -> tuple[set[object], int]:
        """What was reported so far."""
        return set(self._reported), len(self.diagnostics)

    def take_back(self, mark: tuple[set[object], int], rule: Rule) -> bool:
        """Take back what was reported since, if it is of `rule` alone: false where there is nothing to take back."""
        reported, before = mark
        found = self.diagnostics[before:]
        if not found or any(diagnostic.code is not rule for diagnostic in found):
            return False
        del self.diagnostics[before:]
        self._reported.intersection_update(reported)
        return True

    def taken(self) -> list[Diagnostic]:
        """What was reported so far; reported again if it happens again."""
        found = [*self.diagnostics]
        self.diagnostics.clear()
        self._reported.clear()
        return found

    def has_room(self, defined: Defined) -> bool:
        """Python can go as deep as a definition needs; otherwise it is reported that calls stand too deep."""
        if self.stack + defined.frames <= MAX_STACK:
            return True
        what = "functions" if defined.kind == "fn" else "definitions"
        place = defined.definition.name.span
        deep = say.TOO_DEEP.at(place, what="this chain of calls", limit=f"{what} call each other too deep")
        self.report(deep.with_fix("put the bodies of some of them where they are called"))
        return False

    def spend(self, place: Span, steps: int = 1) -> bool:
        """A few more steps: false once a file expands to more than it may."""
        self.work.left -= steps
        if self.work.left >= 0:
            return True
        limit = f"{self.work.total:,}"
        if self.work.reported or self.silent:  # what is asked for in silence is expanded again, and reported then
            return False
        self.work.reported = True
        found = say.TOO_MANY.at(place, what="steps of expansion", limit=limit, got="more")
        self.report(found.with_fix("repeat less often, or split the file"), once="work")
        return False


def _items(values: Mapping[str, Value | Held]) -> tuple[object, ...]:
    return tuple((name, key_of(one.defined if isinstance(one, Held) else one)) for name, one in values.items())


def _preset(primitive: Primitive, given: Mapping[str, Value]) -> dict[str, Attr | None]:
    preset: dict[str, Attr | None] = {}
    for attribute in primitive.attributes:
        if attribute.name in given or not attribute.required:
            value = given.get(attribute.name, attribute.default)
            preset[attribute.name] = Attr(value, Literal(value))
        else:
            preset[attribute.name] = None
    return preset
