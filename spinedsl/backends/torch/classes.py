"""Write one definition as a class, or as a function where nothing has to be constructed.

In: a definition's `Module`s, merged, and the classes of the definitions that it calls. Out: lines of Python. `forward` is
written first: what it reads decides what `__init__` stores, and what neither reads is no argument.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from spinedsl.backends.torch.children import Group, Grouping, Part
from spinedsl.backends.torch.expressions import PRODUCT, opposite
from spinedsl.backends.torch.initial import Rules, read_by
from spinedsl.backends.torch.layout import STEP, Bracket, Doc, call, entry, flat, lines, named
from spinedsl.backends.torch.merge import (
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
    StatementAt,
    parts,
    values,
)
from spinedsl.backends.torch.names import attribute, python_name
from spinedsl.backends.torch.operators import OPERATORS, Code, Place
from spinedsl.backends.torch.scope import Argument, Local, Loop, Scope
from spinedsl.ops.program import Module
from spinedsl.ops.types import Expr, Literal, Name, Value


@dataclass(eq=False)
class Class:
    """A definition in generated code. `inputs` are the feature maps that it reads, by parameter."""

    name: str
    modules: Sequence[Module]
    body: BodyAt
    inputs: tuple[str, ...]
    starred: bool  # takes its list of feature maps as `*inputs`
    is_function: bool
    arguments: Sequence[Argument] = ()
    text: list[str] = field(default_factory=list)

    def number(self, module: Module) -> int:
        """Which use of the definition a module is."""
        return next(number for number, own in enumerate(self.modules) if own is module)

    def apply(self, callee: str, maps: Sequence[Doc]) -> Bracket:
        """`callee` called on feature maps."""
        if not self.starred:
            return call(callee, *maps)
        (only,) = maps
        if isinstance(only, Bracket) and only.opening == "[":
            return call(callee, *only.items)
        return call(callee, f"*{flat(only)}")

    def construct(self, write: Callable[[Argument], Doc | None]) -> Bracket:
        """An instance, with each argument as `write` says it; None leaves it to its default."""
        items: list[Doc] = []
        for argument in self.arguments:
            text = write(argument)
            if text is not None:
                items.append(text if argument.positional else named(argument.name, text))
        return call(self.name, *items)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the writer of a class may refer to: names of the module, classes written before, rules of `reset`."""

    taken: frozenset[str]
    class_of: Callable[[Module], Class]
    rules: Rules


class Writer:
    """Writes one class."""

    def __init__(self, modules: Sequence[Module], body: BodyAt, around: Surroundings) -> None:
        self.modules, self.body, self.around = modules, body, around
        self.grouping = Grouping(self.live_maps)
        self.uses = self._count_uses()
        self.inputs = tuple(name for name in modules[0].maps if self.uses[name])
        lists = [name for name in self.inputs if isinstance(modules[0].maps[name], tuple)]
        self.starred = len(self.inputs) == 1 and bool(lists)
        self.loops: dict[LoopAt, Loop] = {}
        self.containers: dict[LoopAt, str] = {}
        self.flags: dict[IfAt, str] = {}
        self.trains = False
        children = [part.path[0] for value in values(body) for part in parts(value) if self.grouping.owns(part)]
        self.scope = Scope(modules, {*around.taken, *children, "training"})
        self._name_loops(body)
        self.names: dict[str, str] = {}
        for name in self.inputs:
            self.local(name)

    # ---- what is known before writing ----

    def live_maps(self, part: CallAt) -> tuple[OperandAt, ...] | None:
        """The operands that a called class reads; None where it is a function."""
        callee = self.callee(part)
        return None if callee.is_function else tuple(part.maps[name] for name in callee.inputs)

    def callee(self, part: CallAt) -> Class:
        """The class of a call."""
        return self.around.class_of(next(iter(part.modules.values())))

    def _count_uses(self) -> Counter[str]:
        """How often each name is read, by statements whose own result is read."""
        dead: set[str] = set()
        while True:
            found: Counter[str] = Counter()
            bound = set(self._read(self.body, dead, found))
            unread = {name for name in bound if not found[name]}
            if unread <= dead:
                return found
            dead |= unread

    def _read(self, body: BodyAt, dead: set[str], found: Counter[str]) -> Iterable[str]:
        for statement in body:
            if isinstance(statement, BindAt):
                yield statement.name
                if statement.name not in dead:
                    self._read_operand(statement.value, found)
            elif isinstance(statement, ReturnAt):
                self._read_operand(statement.value, found)
            elif isinstance(statement, IfAt):
                yield from self._read(statement.then, dead, found)
                yield from self._read(statement.other, dead, found)
            elif isinstance(statement, LoopAt):
                yield from self._read(statement.body, dead, found)
                if statement.items is not None and statement.body:
                    self._read_operand(statement.items, found)

    def _read_operand(self, value: OperandAt, found: Counter[str]) -> None:
        inner: Iterable[OperandAt] = ()
        if isinstance(value, RefAt) or (isinstance(value, ManyAt) and value.name):
            found[value.name] += 1
        elif isinstance(value, ManyAt):
            inner = value.items
        elif isinstance(value, OpAt):
            inner = value.inputs
        else:
            inner = [value.maps[name] for name in self.callee(value).inputs]
        for operand in inner:
            self._read_operand(operand, found)

    def _name_loops(self, body: BodyAt) -> None:
        for statement in body:
            if isinstance(statement, IfAt):
                self._name_loops(statement.then)
                self._name_loops(statement.other)
            elif isinstance(statement, LoopAt) and statement.body:
                self.loops[statement] = Loop(statement, self.scope.fresh(statement.index or "i"))
                if any(self.grouping.owns(part) and not part.shared for part in _all_parts(statement.body)):
                    self.containers[statement] = self.scope.fresh(statement.path.rstrip("_"))
                self._name_loops(statement.body)
        # Loops that are not inside one another may share a name; the names are only kept from everything else.

    def local(self, name: str) -> str:
        """A feature map's name in `forward`."""
        if name not in self.names:
            loops = {loop.name for loop in self.loops.values()} | set(self.containers.values())
            self.names[name] = python_name(name, self.around.taken | loops | set(self.names.values()))
        return self.names[name]

    # ---- the whole ----

    def write(self, name: str, function_name: str, described: Callable[[int], list[str]]) -> Class:
        """The class under its name, or the function under its own. `described` gives the docstring."""
        forward = self.forward(self.body, 2 * STEP)
        is_function = not (self.scope.arguments or self.trains or any(map(self.grouping.owns, _all_parts(self.body))))
        made = Class(function_name if is_function else name, self.modules, self.body, self.inputs, self.starred, is_function)
        if is_function:
            head = lines(0, "def ", call(made.name, *self._parameters()), " -> Tensor:")
            made.text = [*head, *described(STEP), *self.forward(self.body, STEP)]
            return made
        body = _without_unused(self.init(self.body, 2 * STEP, "self"))
        made.arguments = self.scope.signature()
        stored = [f"self.{argument.name} = {argument.name}" for argument in made.arguments if argument.stored]
        made.text = [f"class {made.name}(nn.Module):", *described(STEP), ""]
        if made.arguments or body:
            signature = call("def __init__", "self", *map(_parameter, made.arguments))
            made.text += lines(STEP, "", signature, " -> None:")
            made.text += [" " * 2 * STEP + line for line in ("super().__init__()", *stored)]
            made.text += [*body, ""]
        made.text += lines(STEP, "", call("def forward", "self", *self._parameters()), " -> Tensor:")
        made.text += forward
        return made

    def _parameters(self) -> list[Doc]:
        if self.starred:
            return [f"*{self.local(self.inputs[0])}: Tensor"]
        return [
            f"{self.local(name)}: {'Sequence[Tensor]' if isinstance(self.modules[0].maps[name], tuple) else 'Tensor'}"
            for name in self.inputs
        ]

    # ---- forward ----

    def forward(self, body: BodyAt, indent: int, container: str = "self") -> list[str]:
        """The statements of `forward`."""
        made: list[str] = []
        for statement in self._tidy(body):
            if isinstance(statement, ScalarAt):
                self.scope.lets[statement.name] = statement
            elif isinstance(statement, BindAt):
                value = self.operand(statement.value, container, loop_body=body)
                made += lines(indent, f"{self.local(statement.name)} = ", value.doc)
            elif isinstance(statement, ReturnAt):
                made += lines(indent, "return ", self.operand(statement.value, container, loop_body=body).doc)
            elif isinstance(statement, IfAt):
                made += self._forward_if(statement, indent, container)
            else:
                made += self._forward_loop(statement, indent, container)
        return made

    def _tidy(self, body: BodyAt) -> list[StatementAt]:
        """Statements whose result is read. `let a = f(x)`, `b = a` becomes `b = f(x)` where nothing else reads `a`."""
        made: list[StatementAt] = []
        for statement in body:
            if isinstance(statement, BindAt) and not self.uses[statement.name]:
                continue
            before = made[-1] if made else None
            if (
                isinstance(before, BindAt)
                and isinstance(statement, BindAt | ReturnAt)
                and isinstance(statement.value, RefAt)
                and statement.value.name == before.name
                and self.uses[before.name] == 1
            ):
                made.pop()
                value = before.value
                statement = BindAt(statement.name, value) if isinstance(statement, BindAt) else ReturnAt(value)
            made.append(statement)
        return made

    def _forward_if(self, statement: IfAt, indent: int, container: str) -> list[str]:
        outcome = statement.condition.constant
        if outcome is not None:
            return self.forward(statement.then if outcome else statement.other, indent, container)
        condition, then, other = self._arms(statement)
        first = self.forward(then, indent + STEP, container)
        second = self.forward(other, indent + STEP, container)
        if not first and not second:
            return []
        if _returns(other) and not _returns(then):
            condition, first, second, then = opposite(condition), second, first, other
        test = self._test(statement, condition, first or second)
        if not first:
            return [f"{' ' * indent}if {self.scope.forward_text(opposite(test))}:", *second]
        made = [f"{' ' * indent}if {self.scope.forward_text(test)}:", *first]
        if second and _returns(then):
            return [*made, *(line[STEP:] for line in second)]
        return [*made, f"{' ' * indent}else:", *second] if second else made

    def _arms(self, statement: IfAt) -> tuple[Expr, BodyAt, BodyAt]:
        """The condition and the arms, turned so that the first arm is the one with submodules."""
        first_child = self._first_child(statement.then) or self._first_child(statement.other)
        condition = self.scope.resolve(statement.condition, f"has_{first_child}" if first_child else "condition")
        if not self._first_child(statement.then) and self._first_child(statement.other):
            return opposite(condition), statement.other, statement.then
        return condition, statement.then, statement.other

    def _first_child(self, body: BodyAt) -> str:
        return next((part.path[0] for part in _all_parts(body) if self.grouping.owns(part)), "")
