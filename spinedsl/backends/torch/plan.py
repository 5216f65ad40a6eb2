"""What is known of a class before a line of it is written.

In: a definition's `Module`s, merged, and what stands before it in the file. Out: a `Plan`: the feature maps that are
read, the loops and the submodules with their names, and the `Scope` that numbers are written in. `forward` and
`construct` write from it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias, cast

from spinedsl.backends.torch.body import (
    BindAt,
    BodyAt,
    CallAt,
    IfAt,
    LoopAt,
    ManyAt,
    OpAt,
    OperandAt,
    RefAt,
    ReturnAt,
    Scalar,
    ScalarAt,
    YieldAt,
    computes,
    parts,
    parts_in,
    value_of,
    walk,
)
from spinedsl.backends.torch.children import Group, Grouping, Part
from spinedsl.backends.torch.expressions import opposite
from spinedsl.backends.torch.initial import Rules
from spinedsl.backends.torch.layout import Bracket, Doc, call, named
from spinedsl.backends.torch.names import python_name
from spinedsl.backends.torch.scope import Argument, Scope
from spinedsl.backends.torch.windows import unsettled
from spinedsl.ops.program import Module
from spinedsl.ops.types import Expr
from spinedsl.record import Record, field, replace

Holder: TypeAlias = "tuple[LoopAt | None, bool]"  # the iterations of a loop, or what those share; None: the class


class Class(Record, frozen=False, eq=False):
    """A definition as it is in generated code. `inputs` are the feature maps that it reads, by parameter."""

    name: str
    modules: Sequence[Module]
    inputs: tuple[str, ...]
    is_function: bool
    sizes: str = ""  # the parameter that takes the sizes of the levels, if it needs them
    arguments: Sequence[Argument] = ()
    text: list[str] = field(default_factory=list)

    def number(self, module: Module) -> int:
        """Which use of the definition a module is."""
        return next(number for number, own in enumerate(self.modules) if own is module)

    def apply(self, callee: str, maps: Sequence[Doc], sizes: str) -> Bracket:
        """`callee` called on feature maps. `sizes` holds the caller's sizes of the levels, should they be needed."""
        return call(callee, *maps, *([sizes] if self.sizes else []))

    def construct(self, write: Callable[[Argument], str | None]) -> Bracket:
        """An instance, with each argument as `write` says it; None leaves it to its default."""
        texts = [(argument, write(argument)) for argument in self.arguments]
        items = [
            text if argument.positional else named(argument.name, text) for argument, text in texts if text is not None
        ]
        return call(self.name, *items)


class Surroundings(Record):
    """What a class may refer to: the names of the module, the classes before it, and the rules of `reset`."""

    taken: frozenset[str]
    class_of: Callable[[Module], Class]
    rules: Rules
    sized: bool  # it needs the sizes of the levels
    computed: frozenset[str]  # feature maps that a caller computes in the call itself: they are taken even if not read


class Plan:
    """One class to be written."""

    def __init__(self, modules: Sequence[Module], body: BodyAt, around: Surroundings) -> None:
        self.modules, self.body, self.around = modules, body, around
        self.walked = list(walk(body))
        moved = unsettled(part for part, _ in parts_in(body))
        self.grouping = Grouping(self.live_maps, lambda part: bool(self.callee(part).sizes), moved)
        self.uses = self._count_uses()
        self.inputs = tuple(name for name in modules[0].maps if self.uses[name] or name in around.computed)
        self.children = [part for part, _ in self.owned(body)]
        taken = {*around.taken, *(part.path[0] for part in self.children)}
        lets = [statement for statement, _ in self.walked if isinstance(statement, ScalarAt)]
        self.scope = Scope(modules, taken, _by_binder(lets), moved, {let.name: place for place, let in enumerate(lets)})
        self.loop_names: dict[tuple[str, str, int], str] = {}
        self.containers: dict[LoopAt, str] = {}
        self.shared_containers: dict[LoopAt, str] = {}
        for loop, around_it in self.walked:
            if isinstance(loop, LoopAt) and loop.body:
                self._name_loop(loop, len(around_it))
        self.grouped: dict[OperandAt, list[Group]] = {}
        self._agree_on_chains()
        self.names: dict[str, str] = {}
        self.numbers: dict[LoopAt, str] = {}  # of loops over submodules: the attribute with the numbers of those
        self.looped: set[Holder] = set()  # what holds the submodules of such loops
        self.passed: dict[tuple[CallAt, str], Scalar] = {}
        for name in self.inputs:
            self.local(name)
        self.bound = {bind.name for bind in self.binds()}
        taken = {*around.taken, *self.names.values(), *self.loop_names.values(), *self.bound}
        self.results = python_name("results", taken)
        self.sizes = python_name("sizes", {*taken, self.results}) if around.sized else ""

    # ---- calls ----

    def callee(self, part: CallAt) -> Class:
        """The class of a call."""
        return self.around.class_of(next(iter(part.modules.values())))

    def live_maps(self, part: CallAt) -> tuple[OperandAt, ...] | None:
        """The operands that a called class reads; None where it is a function."""
        callee = self.callee(part)
        return None if callee.is_function else tuple(part.maps[name] for name in callee.inputs)

    # ---- which results are read ----

    def _count_uses(self) -> Counter[str]:
        """How often each name is read, by operations and by names whose own value is read."""
        dead: set[str] = set()
        computed = {bind.name for bind in self.binds() if computes(bind.value)}
        while True:
            read = Counter(name for value in self._live_values(dead) for name in self._names_in(value))
            unread = {bind.name for bind in self.binds() if not read[bind.name]} - computed
            if unread <= dead:
                return read
            dead |= unread

    def _live_values(self, dead: set[str]) -> Iterator[OperandAt]:
        for statement, _ in self.walked:
            idle = isinstance(statement, LoopAt) and not statement.body
            value = None if idle or (isinstance(statement, BindAt) and statement.name in dead) else value_of(statement)
            if value is not None:
                yield value

    def binds(self) -> Iterator[BindAt]:
        """Every statement that gives feature maps a name."""
        return (statement for statement, _ in self.walked if isinstance(statement, BindAt))

    def _names_in(self, value: OperandAt) -> Iterator[str]:
        inner: Sequence[OperandAt] = ()
        if isinstance(value, RefAt):
            yield value.name
        elif isinstance(value, ManyAt):
            yield from [value.name] if value.name else ()
            inner = value.items
        elif isinstance(value, OpAt):
            inner = value.inputs
        else:
            inner = [value.maps[name] for name in self.callee(value).inputs]
        for operand in inner:
            yield from self._names_in(operand)

    # ---- names ----

    def _name_loop(self, loop: LoopAt, depth: int) -> None:
        """Loops that stand one after another may have the same name for their index."""
        self.scope.loops[loop.binder] = self._once("index", loop.index or "ijk"[min(depth, 2)], depth)
        if self.has_own(loop.body):
            self.containers[loop] = self._once("own", "own" if loop.each else loop.path.rstrip("_"), depth)
            most = max(cast(int, count) for count in loop.count.values.values())
            self.scope.taken |= {f"{loop.path}{iteration}" for iteration in range(most)}
        if self.has_shared(loop):
            self.shared_containers[loop] = self._once("shared", "shared", depth)
            most = max(cast(int, count) for count in loop.count.values.values())
            self.scope.taken |= {f"{loop.shared_path}{iteration}" for iteration in range(most)}

    def has_own(self, body: BodyAt) -> bool:
        """An iteration with this body has submodules of its own; what an `each` in it shares belongs to it too."""
        return any(not part.shared or _in_each(around) for part, around in self.owned(body))

    def has_shared(self, loop: LoopAt) -> bool:
        """Something in a `repeat` is shared over the `each` around it."""
        parts = self.owned(loop.body)
        return bool(loop.shared_path) and any(part.shared and not _in_each(around) for part, around in parts)

    def _once(self, role: str, word: str, depth: int) -> str:
        """A variable of loops. It has one role: an index that is called like a container is another variable."""
        key = role, word, depth
        if key not in self.loop_names:
            self.loop_names[key] = self.scope.fresh(word)
        return self.loop_names[key]

    def local(self, name: str) -> str:
        """A name of feature maps in `forward`."""
        if name not in self.names:
            loops = self.loop_names.values()
            self.names[name] = python_name(name, {*self.around.taken, *loops, *self.names.values()})
        return self.names[name]

    def own_local(self, word: str) -> str:
        """A name in `forward` for what has none in the file."""
        name = python_name(word, {*self.around.taken, *self.loop_names.values(), *self.names.values(), *self.bound})
        self.names[f"{name}'"] = name
        return name

    # ---- submodules ----

    def owned(self, body: BodyAt) -> Iterator[tuple[Part, tuple[LoopAt, ...]]]:
        """The submodules of some statements, with the loops around each."""
        return ((part, around) for part, around in parts_in(body) if self.grouping.owns(part))

    def groups(self, value: OperandAt, loop: LoopAt | None) -> list[Group]:
        """The submodules of an operand that a statement of `loop` binds or returns."""
        if value not in self.grouped:
            own = {*parts(value)}
            whole = loop is not None and all(part in own for part, _ in self.owned(loop.body))
            direct = loop is not None and any(
                isinstance(statement, BindAt) and statement.value is value for statement in loop.body
            )
            self.grouped[value] = self.grouping.groups(value, looped=loop is not None, whole=whole and direct)
        return self.grouped[value]

    def _agree_on_chains(self) -> None:
        """What iterations share is made once, so it is no chain where their statements differ: those may be others."""
        found: dict[tuple[str, ...], list[OperandAt]] = {}
        for statement, around in self.walked:
            if isinstance(statement, BindAt | ReturnAt | YieldAt):
                for group in self.groups(statement.value, around[-1] if around else None):
                    if group.shared and group.prefix:
                        found.setdefault(group.prefix, []).append(statement.value)
        for prefix, shared in found.items():
            for value in shared if len(shared) > 1 else ():
                self.grouped[value] = [
                    replace(group, chain=()) if group.shared and group.prefix == prefix else group
                    for group in self.grouped[value]
                ]

    def is_sequence(self, loop: LoopAt) -> bool:
        """An iteration of the loop is one chain of modules."""
        direct = [statement.value for statement in loop.body if isinstance(statement, BindAt)]
        return any(not group.prefix and group.chain for value in direct for group in self.groups(value, loop))

    def numbers_of(self, loop: LoopAt) -> str:
        """The attribute that tells a loop in `forward` which submodules are its iterations."""
        if loop not in self.numbers:
            path = loop.shared_path if loop in self.shared_containers else loop.path
            self.numbers[loop] = self.scope.fresh(f"{path.rstrip('_')}_numbers")
        return self.numbers[loop]

    # ---- choices ----

    def arms(self, choice: IfAt) -> tuple[Expr, BodyAt, BodyAt]:
        """The condition and the arms, turned so that submodules stand in the first arm."""
        child = self._first_child(choice)
        condition = self.scope.resolve(choice.condition, f"has_{child.path[0]}" if child else "condition")
        if child is not None and not any(self.owned(choice.then)):
            return opposite(condition), choice.other, choice.then
        return condition, choice.then, choice.other

    def _first_child(self, choice: IfAt) -> Part | None:
        return next((part for part, _ in self.owned(choice.then + choice.other)), None)


def _by_binder(lets: Sequence[ScalarAt]) -> dict[int, ScalarAt]:
    """Each `let` by its number. One that stands in the arms of a choice between iterations has all their values."""
    found: dict[int, ScalarAt] = {}
    for let in lets:
        if (before := found.get(let.binder)) is not None:
            exprs = tuple(dict.fromkeys((*before.value.exprs, *let.value.exprs)))
            let = replace(let, value=Scalar({**before.value.values, **let.value.values}, exprs))  # noqa: PLW2901
        found[let.binder] = let
    return found


def _in_each(around: tuple[LoopAt, ...]) -> bool:
    return any(loop.each for loop in around)
