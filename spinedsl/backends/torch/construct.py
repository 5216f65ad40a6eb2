"""Write `__init__` from a `Plan`: the submodules, under the names of the parameters' paths.

In: a plan. Out: the lines after `super().__init__()`. A submodule stands where the statement that uses it stands,
inside the same choices and loops.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterator
from typing import TypeAlias

from spinedsl.backends.torch.children import Group, Part
from spinedsl.backends.torch.expressions import opposite
from spinedsl.backends.torch.initial import read_by
from spinedsl.backends.torch.layout import STEP, Bracket, Doc, call, entry, lines, named, otherwise
from spinedsl.backends.torch.merge import (
    BindAt,
    BodyAt,
    CallAt,
    IfAt,
    LoopAt,
    OpAt,
    ReturnAt,
    Scalar,
    ScalarAt,
    Use,
    YieldAt,
    hoisted,
)
from spinedsl.backends.torch.names import attribute
from spinedsl.backends.torch.operators import OPERATORS
from spinedsl.backends.torch.place import Place
from spinedsl.backends.torch.plan import Plan
from spinedsl.backends.torch.scope import Argument
from spinedsl.ops.reserved import MODULE_ATTRIBUTES
from spinedsl.ops.types import Expr, Value
from spinedsl.record import Record


class Let(Record):
    """Where a compile-time `let` stands. It becomes a local variable if a later line reads it."""

    indent: int
    at: ScalarAt


Line: TypeAlias = str | Let


class Construct:
    """Writes the submodules of one plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.scope = plan.scope
        self.loop: LoopAt | None = None
        self.container = "self"
        self.around: set[int] = set()  # the loops being written
        self.shares = False  # what is being written is shared: it stands outside of all other loops
        self.hoisted: dict[tuple[Part, frozenset[int]], Part] = {}

    def write(self) -> list[str]:
        """The lines of the constructor's body."""
        written: list[str] = []
        for line in reversed(self.body(self.plan.body, 2 * STEP)):
            if isinstance(line, str):
                written.append(line)
            elif (local := self.scope.locals.get(line.at.binder)) is not None and local.used:
                written.append(f"{' ' * line.indent}{local.name} = {self.scope.init_text(local.expr)}")
        return written[::-1]

    def body(self, body: BodyAt, indent: int) -> list[Line]:
        """The lines of some statements."""
        made: list[Line] = []
        for statement in body:
            if isinstance(statement, ScalarAt):
                made.append(Let(indent, statement))
            elif isinstance(statement, BindAt | ReturnAt | YieldAt):
                for group in self.plan.groups(statement.value, self.loop):
                    made += [] if group.shared else self._group(group, self.container, indent)
            elif isinstance(statement, IfAt):
                made += self._choice(statement, indent)
            else:
                made += self._loop(statement, indent)
        return made

    # ---- choices and loops ----

    def _choice(self, choice: IfAt, indent: int) -> list[Line]:
        outcome = choice.condition.constant
        if outcome is not None:
            return self.body(choice.then if outcome else choice.other, indent)
        condition, then, other = self.plan.arms(choice)
        flag = self.plan.flags.get(choice, "")
        first, second = self.body(then, indent + STEP), self.body(other, indent + STEP)
        margin = " " * indent
        kept: list[Line] = [f"{margin}self.{flag} = {self.scope.init_text(condition)}"] if flag else []
        if not _lines(first) and not _lines(second):
            return kept
        test = f"self.{flag}" if flag else self.scope.init_text(condition)
        if not _lines(first):
            negative = f"not self.{flag}" if flag else self.scope.init_text(opposite(condition))
            return [*kept, f"{margin}if {negative}:", *second]
        made = [*kept, f"{margin}if {test}:", *first]
        return [*made, *_otherwise(indent, second)] if _lines(second) else made

    def _loop(self, loop: LoopAt, indent: int) -> list[Line]:
        if not loop.body:
            return []
        made: list[Line] = []
        if loop.items is not None or self.loop is None:
            made += self._shared(loop.body, loop, self.container, indent)
        if loop not in self.plan.containers:
            return made
        index, margin = self.scope.loops[loop.binder], " " * (indent + STEP)
        outside = self.loop, self.container
        self.loop, self.container = loop, self.plan.containers[loop]
        self.around.add(loop.binder)
        inner = self.body(loop.body, indent + STEP)
        self.around.remove(loop.binder)
        holder: list[Line] = [] if self.plan.is_sequence(loop) else [f"{margin}{self.container} = nn.Module()"]
        add = f'{margin}{outside[1]}.add_module(f"{attribute(loop.path)}{{{index}}}", {self.container})'
        self.loop, self.container = outside
        count = self.scope.in_init(loop.count, "repeats" if loop.items is None else "count")
        return [*made, f"{' ' * indent}for {index} in range({count}):", *holder, *inner, add]

    def _shared(self, body: BodyAt, loop: LoopAt, container: str, indent: int, *, apart: bool = False) -> list[str]:
        """What an `each`, or an outermost `repeat`, shares in some statements of `loop`: made before it, beside it.

        Where iterations are kept `apart`, each has what it ever uses.
        """
        made: list[str] = []
        outside, self.shares = self.shares, True
        for statement in body:
            if isinstance(statement, BindAt | YieldAt):
                for group in self.plan.groups(statement.value, loop):
                    made += self._group(group, container, indent) if group.shared else []
            elif isinstance(statement, IfAt) and apart:
                made += self._shared_if(statement, loop, container, indent)
            elif isinstance(statement, IfAt):
                made += self._shared(statement.then + statement.other, loop, container, indent)
            elif isinstance(statement, LoopAt) and statement.items is None and not statement.shared_path:
                made += self._shared(statement.body, statement, container, indent, apart=apart)
            elif isinstance(statement, LoopAt) and statement in self.plan.shared_containers:
                made += self._shared_apart(statement, container, indent)
        self.shares = outside
        return made

    def _shared_apart(self, loop: LoopAt, container: str, indent: int) -> list[str]:
        """What a `repeat` inside an `each` shares over that, for each of its own iterations."""
        index, own = self.scope.loops[loop.binder], self.plan.shared_containers[loop]
        margin = " " * (indent + STEP)
        self.around.add(loop.binder)
        made = self._shared(loop.body, loop, own, indent + STEP, apart=True)
        self.around.remove(loop.binder)
        add = f'{margin}{container}.add_module(f"{attribute(loop.shared_path)}{{{index}}}", {own})'
        count = self.scope.in_init(loop.count, "repeats")
        head = f"{' ' * indent}for {index} in range({count}):"
        return [head, f"{margin}{own} = nn.Module()", *made, add]

    def _shared_if(self, choice: IfAt, loop: LoopAt, container: str, indent: int) -> list[str]:
        """What the arms of a choice share, for the iterations that ever take them, whatever map an `each` is at."""
        made: list[str] = []
        outcomes: dict[Use, set[Value]] = {}
        for use, value in choice.condition.values.items():
            outcomes.setdefault(use.only(self.around), set()).add(value)
        for arm, outcome in ((choice.then, True), (choice.other, False)):
            exprs = choice.condition.exprs if outcome else tuple(map(opposite, choice.condition.exprs))
            ever = Scalar({use: outcome in found for use, found in outcomes.items()}, exprs)
            if ever.constant:
                made += self._shared(arm, loop, container, indent, apart=True)
            elif inner := self._shared(arm, loop, container, indent + STEP, apart=True):
                made += [f"{' ' * indent}if {self.scope.in_init(ever, 'has_shared')}:", *inner]
        return made

    # ---- submodules ----

    def _group(self, group: Group, container: str, indent: int) -> list[str]:
        holder = ".".join([container, *([attribute(group.name)] if group.name else [])])
        if group.chain:
            made = lines(indent, f"{holder} = ", self._sequence(group.chain))
        elif group.name:
            items = tuple(entry(attribute(part.path[-1]), self._module(part)) for part in group.members)
            made = lines(indent, f"{holder} = ", call("nn.ModuleDict", Bracket("{", items, "}")))
        else:
            made = [
                line
                for part in group.members
                for line in lines(indent, f"{holder}.{attribute(part.path[-1])} = ", self._module(part))
            ]
        for part in group.members:
            place = f"{holder}.{attribute(part.path[-1])}"
            made += [f"{' ' * indent}{place}.{name} = {value}" for name, value in self._departures(part)]
        return made

    def _sequence(self, chain: tuple[Part, ...]) -> Bracket:
        items: list[Doc] = []
        taken = {*MODULE_ATTRIBUTES, *(part.path[-1] for part in chain if self.plan.grouping.owns(part))}
        for part in chain:
            padding, module = self._modules(part)
            if padding:
                items.append(named(_key("pad", taken), padding))
            owned = self.plan.grouping.owns(part)
            items.append(named(attribute(part.path[-1]) if owned else _key(part.path[-1], taken), module))
        return call("chain", *items)

    def _module(self, part: Part) -> Doc:
        """The constructor of one submodule."""
        return self._modules(part)[1]

    def _modules(self, part: Part) -> tuple[Doc, Doc]:
        """Constructors: of the padding that goes before it in a sequence, or nothing, and of the submodule."""
        part = self._here(part)
        if isinstance(part, CallAt):
            return "", self._instance(part)
        make = OPERATORS[part.primitive].module
        assert make is not None
        return make(Place(part, self.scope, forward=False))

    def _here(self, part: Part) -> Part:
        """The part as it is where it is constructed: what loops share, outside of them."""
        if not self.shares:
            return part
        key = part, frozenset(self.around)
        if key not in self.hoisted:
            self.hoisted[key] = hoisted(part, self.around)
        return self.hoisted[key]

    def _instance(self, part: CallAt) -> Doc:
        callee = self.plan.callee(part)

        def write(argument: Argument) -> str | None:
            given = {use: argument.values[callee.number(module)] for use, module in part.modules.items()}
            known: dict[Use, Value] = {}
            for use, value in given.items():
                chosen = argument.default if value is None else value
                assert chosen is not None
                known[use] = chosen
            if argument.default is not None and all(value == argument.default for value in known.values()):
                return None
            key = (part, argument.key)
            scalar = self.plan.passed.setdefault(key, Scalar(known, _exprs(part, argument.key)))
            return self.scope.in_init(scalar, argument.name)

        return callee.construct(write)

    def _departures(self, part: Part) -> Iterator[tuple[str, str]]:
        """How the part's tensors start, where the rules of `reset` do not say so."""
        part = self._here(part)
        if not isinstance(part, OpAt):
            return
        read = {
            name for name in part.attributes if any(name in read_by(part.primitive, at) for at in _attributes(part))
        }
        for rule in self.plan.around.rules.mixed(part.primitive):
            if rule.name in read and part.attributes[rule.name].constant != rule.usual:
                yield rule.name, self.scope.in_init(part.attributes[rule.name], rule.name)


def _key(name: str, taken: set[str]) -> str:
    """A key for what has no parameters, and so no canonical name."""
    while name in taken or keyword.iskeyword(name):
        name += "_"
    taken.add(name)
    return attribute(name)


def _attributes(op: OpAt) -> Iterator[dict[str, Value]]:
    """The attributes of an operation in each use."""
    for use in op.channels.values:
        yield {name: scalar.values[use] for name, scalar in op.attributes.items()}


def _exprs(part: CallAt, key: str) -> tuple[Expr, ...]:
    """How the caller says what comes in under a key: an argument it wrote, or the channels of a feature map."""
    base, _, property_ = key.partition(".")
    operand = part.maps.get(base)
    if property_ == "channels" and operand is not None and hasattr(operand, "channels"):
        return tuple(operand.channels.exprs)
    return part.exprs.get(key, ())


def _otherwise(indent: int, second: list[Line]) -> list[Line]:
    if any(isinstance(line, Let) for line in second):
        return [f"{' ' * indent}else:", *second]
    return list[Line](otherwise(indent, [line for line in second if isinstance(line, str)]))


def _lines(made: list[Line]) -> bool:
    """Something other than a local variable is written."""
    return any(isinstance(line, str) for line in made)
