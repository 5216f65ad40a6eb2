"""Write `__init__` from a `Plan`: the submodules, under the names of the parameters' paths.

In: a plan. Out: the lines after `super().__init__()`. A submodule stands where the statement that uses it stands,
inside the same choices and loops.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Sequence
from functools import partial
from typing import cast

from spinedsl.backends.torch.body import (
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
from spinedsl.backends.torch.children import Group, Part
from spinedsl.backends.torch.expressions import opposite
from spinedsl.backends.torch.initial import read_by
from spinedsl.backends.torch.layout import Bracket, Choice, Deferred, Doc, For, Line, Statement, call, entry, named
from spinedsl.backends.torch.names import attribute
from spinedsl.backends.torch.operators import OPERATORS
from spinedsl.backends.torch.place import Place
from spinedsl.backends.torch.plan import Plan
from spinedsl.backends.torch.scope import Argument
from spinedsl.ops.reserved import MODULE_ATTRIBUTES
from spinedsl.ops.types import Expr, Value
from spinedsl.record import replace


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

    def write(self) -> list[Statement]:
        """The statements of the constructor's body."""
        return self.body(self.plan.body)

    def body(self, body: BodyAt) -> list[Statement]:
        """The drafts of some statements."""
        made: list[Statement] = []
        for statement in body:
            if isinstance(statement, ScalarAt):
                made.append(Deferred(partial(self._let, statement.binder)))
            elif isinstance(statement, BindAt | ReturnAt | YieldAt):
                for group in self.plan.groups(statement.value, self.loop):
                    made += [] if group.shared else self._group(group, self.container)
            elif isinstance(statement, IfAt):
                made += self._choice(statement)
            else:
                made += self._loop(statement)
        return made

    def _let(self, binder: int) -> Line | None:
        """A compile-time `let` as a local variable, if a line reads it."""
        local = self.scope.locals.get(binder)
        used = local is not None and local.used
        return Line(f"{local.name} = ", self.scope.init_text(local.expr)) if local is not None and used else None

    # ---- choices and loops ----

    def _choice(self, choice: IfAt) -> list[Statement]:
        condition, then, other = self.plan.arms(choice)
        first, second = self.body(then), self.body(other)
        if not _holds_lines(first) and not _holds_lines(second):
            return []
        if not _holds_lines(first):
            return [Choice(self.scope.init_text(opposite(condition)), tuple(second))]
        if first == second:
            return first
        return [Choice(self.scope.init_text(condition), tuple(first), tuple(second) if _holds_lines(second) else ())]

    def _loop(self, loop: LoopAt) -> list[Statement]:
        if not loop.body:
            return []
        made: list[Statement] = []
        if loop.each or self.loop is None:
            made += self._shared(loop.body, loop, self.container)
        if loop not in self.plan.containers:
            return made
        index = self.scope.loops[loop.binder]
        outside = self.loop, self.container
        self.loop, self.container = loop, self.plan.containers[loop]
        self.around.add(loop.binder)
        inner = self.body(loop.body)
        self.around.remove(loop.binder)
        if not self.plan.is_sequence(loop):
            inner.insert(0, self._holder(loop, shared=False))
        inner.append(_add_module(outside[1], loop.path, index, self.container))
        self.loop, self.container = outside
        count = self.scope.in_init(loop.count, "repeats" if loop.items is None else "count")
        return [*made, For(f"for {index} in range({count})", tuple(inner)), *self._numbers(loop, self.container, count)]

    def _shared(self, body: BodyAt, loop: LoopAt, container: str) -> list[Statement]:
        """What an `each`, or an outermost `repeat`, shares in some statements of `loop`: made before it, beside it."""
        outside, self.shares = self.shares, True
        found = list(self._shared_in(body, loop))
        members: dict[object, dict[tuple[str, ...], Part]] = {}
        for tests, item in found:
            if isinstance(item, Group):  # the arms of a choice may hold the same parts, or others of one group
                of_group = members.setdefault((tests, item.prefix or item.members[0].path), {})
                for part in item.members:
                    of_group.setdefault(part.path, part)
        made: list[Statement] = []
        for tests, item in found:
            drafts: list[Statement] = []
            if isinstance(item, LoopAt):
                drafts += self._shared_apart(item, container)
            elif held := members.pop((tests, item.prefix or item.members[0].path), None):
                drafts += self._group(replace(item, members=tuple(held.values())), container)
            for test in reversed(tests):
                drafts = [Choice(test, tuple(drafts))] if drafts else []
            made = _joined(made, drafts)
        self.shares = outside
        return made

    def _shared_in(self, body: BodyAt, loop: LoopAt) -> Iterator[tuple[tuple[str, ...], Group | LoopAt]]:
        """What is shared in some statements, and the `repeat`s of an `each` whose iterations are kept apart.

        Each with the tests that say for which of the iterations around it is there, whatever an `each` or `repeat`
        that shares it is at: those that ever take the arm of a choice.
        """
        for statement in body:
            if isinstance(statement, BindAt | YieldAt):
                yield from (((), group) for group in self.plan.groups(statement.value, loop) if group.shared)
            elif isinstance(statement, IfAt):
                for arm, outcome in ((statement.then, True), (statement.other, False)):
                    inner = list(self._shared_in(arm, loop))
                    ever = self._ever(statement.condition, outcome)
                    if inner and ever.constant is None:
                        test = self.scope.in_init(ever, "has_shared")
                        inner = [((test, *tests), item) for tests, item in inner]
                    yield from inner if ever.constant is not False else ()
            elif isinstance(statement, LoopAt) and not statement.each and not statement.shared_path:
                yield from self._shared_in(statement.body, statement)
            elif isinstance(statement, LoopAt) and statement in self.plan.shared_containers:
                yield (), statement

    def _ever(self, condition: Scalar, outcome: bool) -> Scalar:
        """Whether a condition has an outcome at all, in each of the iterations around."""
        outcomes: dict[Use, set[Value]] = {}
        for use, value in condition.values.items():
            outcomes.setdefault(use.only(self.around), set()).add(value)
        exprs = condition.exprs if outcome else tuple(map(opposite, condition.exprs))
        return Scalar({use: outcome in found for use, found in outcomes.items()}, exprs)

    def _shared_apart(self, loop: LoopAt, container: str) -> list[Statement]:
        """What a `repeat` inside an `each` shares over that, for each of its own iterations."""
        index, own = self.scope.loops[loop.binder], self.plan.shared_containers[loop]
        most: dict[Use, Value] = {}  # as often as for the map that it runs for most often
        for use, value in loop.count.values.items():
            around = use.only(self.around)
            most[around] = max(cast(int, value), cast(int, most.get(around, 0)))
        count = self.scope.in_init(Scalar(most, loop.count.exprs), "repeats")
        self.around.add(loop.binder)
        made = self._shared(loop.body, loop, own)
        self.around.remove(loop.binder)
        add = _add_module(container, loop.shared_path, index, own)
        body = (self._holder(loop, shared=True), *made, add)
        return [For(f"for {index} in range({count})", body), *self._numbers(loop, container, count)]

    def _holder(self, loop: LoopAt, *, shared: bool) -> Line:
        """What holds the submodules of one iteration."""
        own = (self.plan.shared_containers if shared else self.plan.containers)[loop]
        return Line("", f"{own} = {'Looped' if (loop, shared) in self.plan.looped else 'nn.Module'}()")

    def _numbers(self, loop: LoopAt, container: str, count: str) -> list[Statement]:
        """Which submodules are iterations, where a loop in `forward` goes over them."""
        if loop not in self.plan.numbers:
            return []
        path = loop.shared_path if loop in self.plan.shared_containers else loop.path
        given = f'{container}._numbered("{attribute(path)}", {count})'
        return [Line(f"{container}.{self.plan.numbers[loop]} = ", given)]

    # ---- submodules ----

    def _group(self, group: Group, container: str) -> list[Statement]:
        holder = ".".join([container, *([attribute(group.name)] if group.name else [])])
        made: list[Statement] = []
        if group.chain:
            made.append(Line(f"{holder} = ", self._sequence(group.chain)))
        elif group.name:
            items = tuple(entry(attribute(part.path[-1]), self._module(part)) for part in group.members)
            made.append(Line(f"{holder} = ", call("nn.ModuleDict", Bracket("{", items, "}"))))
        else:
            places = ((f"{holder}.{attribute(part.path[-1])} = ", part) for part in group.members)
            made += [Line(place, self._module(part)) for place, part in places]
        for part in group.members:
            place = f"{holder}.{attribute(part.path[-1])}"
            made += [Line(f"{place}.{name} = ", value) for name, value in self._departures(part)]
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


def _holds_lines(drafts: Sequence[Statement]) -> bool:
    """Something other than local variables is written."""
    return any(not isinstance(draft, Deferred) for draft in drafts)


def _joined(made: list[Statement], more: list[Statement]) -> list[Statement]:
    """Drafts with more behind them; a choice by the same test as the last one goes on with that."""
    last, first = made[-1] if made else None, more[0] if more else None
    if not (isinstance(last, Choice) and isinstance(first, Choice)):
        return [*made, *more]
    if last.test == first.test and not (last.other or first.other):
        return [*made[:-1], replace(last, then=last.then + first.then), *more[1:]]
    return [*made, *more]


def _add_module(container: str, path: str, index: str, module: str) -> Line:
    """The submodule of one iteration, under the number of that."""
    return Line("", f'{container}.add_module(f"{attribute(path)}{{{index}}}", {module})')
