"""Lay the expansions of one definition on each other: what stands at each place of its text, over all of its uses.

In: the `Module`s of a definition. Out: one tree of the same shape, in which every value is known for every use. All
expansions come from the same statements, so they align statement by statement: an `if` holds the arm that a use took, a
loop the iterations that it ran. Where two do not align (a parameter that says which activation to apply, a feature map
chosen by a condition), `Misaligned` is raised, and the uses become two classes. Where two iterations of a loop do not,
the statement becomes a choice between iterations.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias, TypeVar, cast

from spinedsl.ops import program
from spinedsl.ops.program import (
    Bind,
    BindScalar,
    Body,
    Call,
    Each,
    If,
    Many,
    Module,
    Op,
    Operand,
    Ref,
    Repeat,
    Return,
    Yield,
    input_types,
)
from spinedsl.ops.types import Attr, Expr, Literal, Name, Operation, Type, Value
from spinedsl.record import Record, replace


class Use(NamedTuple):
    """One run of a statement: in which module, and in which iteration of each loop around, by the loop's number."""

    module: int
    iterations: tuple[tuple[int, int], ...] = ()

    def inside(self, loop: int, iteration: int) -> Use:
        """The same, one loop further in."""
        return Use(self.module, (*self.iterations, (loop, iteration)))

    def only(self, loops: Container[int]) -> Use:
        """The same, as it is known outside of all loops but these."""
        return Use(self.module, tuple(pair for pair in self.iterations if pair[0] in loops))

    def at(self, loop: int) -> int | None:
        """The iteration of a loop around."""
        return next((iteration for other, iteration in self.iterations if other == loop), None)


T = TypeVar("T")
Cases: TypeAlias = Sequence[tuple[Use, T]]


class Misaligned(Exception):
    """Two expansions that one class cannot be."""


class Scalar(Record, eq=False):
    """A compile-time value at one place: what it is in each use, and the expressions that say so."""

    values: Mapping[Use, Value]
    exprs: tuple[Expr, ...] = ()

    @property
    def constant(self) -> Value | None:
        """The value, if it is the same in every use."""
        first, *others = self.values.values()
        return first if all(type(value) is type(first) and value == first for value in others) else None


class RefAt(Record, eq=False):
    """A feature map by its name."""

    name: str
    channels: Scalar


class ManyAt(Record, eq=False):
    """A list of feature maps: by its name, or written out."""

    name: str
    items: tuple[OperandAt, ...]


class OpAt(Record, eq=False):
    """A primitive applied."""

    primitive: str
    role: str
    inputs: tuple[OperandAt, ...]
    attributes: Mapping[str, Scalar]
    path: tuple[str, ...]
    shared: bool
    channels: Scalar
    types: Mapping[Use, tuple[Type, ...]]  # of what goes in
    any_size: bool = False  # as of the network: see `program.Op`


class CallAt(Record, eq=False):
    """A definition used: the module in each use, and how its compile-time arguments are written."""

    modules: Mapping[Use, Module]
    maps: Mapping[str, OperandAt]
    exprs: Mapping[str, tuple[Expr, ...]]
    path: tuple[str, ...]
    shared: bool
    channels: Scalar


class BindAt(Record, eq=False):
    """A feature map, or a list of them, takes a name."""

    name: str
    value: OperandAt


class ScalarAt(Record, eq=False):
    """A compile-time value takes a name, once and for all (`let`) or not."""

    fixed: bool
    name: str
    binder: int
    value: Scalar


class IfAt(Record, eq=False):
    """A choice, with what each arm holds in the uses that take it."""

    condition: Scalar
    then: BodyAt
    other: BodyAt


class LoopAt(Record, eq=False):
    """A `repeat` (`items` None), or an `each` over `items`, whose `item` names the one of the iteration."""

    count: Scalar
    index: str
    binder: int
    items: ManyAt | None
    item: str
    path: str
    body: BodyAt
    shared_path: str = ""  # of a `repeat` in an `each`: see `program.Repeat`


class ReturnAt(Record, eq=False):
    """What the definition gives."""

    value: OperandAt


class YieldAt(Record, eq=False):
    """One more value of a head."""

    value: OperandAt


OperandAt: TypeAlias = RefAt | ManyAt | OpAt | CallAt
StatementAt: TypeAlias = BindAt | ScalarAt | IfAt | LoopAt | ReturnAt | YieldAt
BodyAt: TypeAlias = tuple[StatementAt, ...]


def merge(modules: Sequence[Module], alike: Callable[[Module], object]) -> BodyAt:
    """The bodies of `modules` as one. `alike` tells which class the module of a call is. Raises `Misaligned`."""
    _one(tuple((formal.name, formal.kind) for formal in module.formals) for module in modules)
    body = _body([(Use(number), module.body) for number, module in enumerate(modules)], alike)
    _shared_everywhere(body)
    return _lists_named(body, {formal.name for formal in modules[0].formals} | _named(body))


def _demand(aligned: bool, what: str) -> None:
    if not aligned:
        raise Misaligned(what)


def _one(values: Iterator[T]) -> T:
    first = next(values)
    if any(value != first for value in values):  # what they are is only put into words for those that differ
        raise Misaligned(f"{first}")
    return first


def _scalar(cases: Cases[Attr]) -> Scalar:
    return Scalar({use: attr.value for use, attr in cases}, tuple(dict.fromkeys(attr.expr for _, attr in cases)))


# ---- statements ----


def _body(cases: Cases[Body], alike: Callable[[Module], object]) -> BodyAt:
    made: list[StatementAt] = []
    while cases := [(use, body) for use, body in cases if body]:
        statement = _statement([(use, body[0]) for use, body in cases], alike)
        rest = [(use, body[1:]) for use, body in cases]
        going = [(use, body) for use, body in rest if body]
        if isinstance(statement, IfAt) and 0 < len(going) < len(rest):
            made += _continued((statement,), _body(going, alike), {use for use, _ in going})
            break
        made.append(statement)
        cases = going
    return tuple(made)


def _continued(body: BodyAt, tail: BodyAt, going: set[Use]) -> BodyAt:
    """`tail` after `body`, for the uses that go on: where an arm of a choice returned, it belongs to the other one."""
    last = body[-1] if body else None
    if not isinstance(last, IfAt) or set(last.condition.values) <= going:
        return body + tail
    if _one(bool(last.condition.values[use]) for use in last.condition.values if use in going):
        return (*body[:-1], replace(last, then=_continued(last.then, tail, going)))
    return (*body[:-1], replace(last, other=_continued(last.other, tail, going)))


def _statement(cases: Cases[program.Statement], alike: Callable[[Module], object]) -> StatementAt:
    """A statement in all of its uses: a choice where iterations of one module, which has one class, do not align."""
    try:
        return _together(cases, alike)
    except Misaligned:
        own: dict[int, list[tuple[Use, program.Statement]]] = {}
        for use, statement in cases:
            own.setdefault(use.module, []).append((use, statement))
        if all(len(_alike(iterations, alike)) == 1 for iterations in own.values()):
            raise
    *groups, last = _alike(cases, alike)
    choice = _together(last, alike)
    after = [use for use, _ in last]
    for group in reversed(groups):
        uses = [use for use, _ in group]
        condition = Scalar(dict.fromkeys(uses, True) | dict.fromkeys(after, False), _iteration(uses, after))
        choice = IfAt(condition, (_together(group, alike),), (choice,))
        after += uses
    return choice


def _together(cases: Cases[program.Statement], alike: Callable[[Module], object]) -> StatementAt:
    kind = _one(type(statement) for _, statement in cases)
    return _STATEMENTS[kind](cases, alike)


def _alike(
    cases: Cases[program.Statement], alike: Callable[[Module], object]
) -> list[list[tuple[Use, program.Statement]]]:
    """The cases in groups that align. Each is held against the first of a group: what aligns with it, aligns."""
    groups: list[list[tuple[Use, program.Statement]]] = []
    for case in cases:
        for group in groups:
            try:
                _together([group[0], case], alike)
            except Misaligned:
                continue
            group.append(case)
            break
        else:
            groups.append([case])
    return groups


def _iteration(uses: Sequence[Use], others: Sequence[Use]) -> tuple[Expr, ...]:
    """`i == 0`, `i < 2`: what tells some uses from the others, if that is the iteration of a loop around."""
    found: list[Expr] = []
    for loop, _ in uses[0].iterations:
        index = Name("", loop)
        numbers, rest = {_at(use, loop) for use in uses}, {_at(use, loop) for use in others}
        if len(numbers) == 1 and not numbers & rest:
            found.append(Operation("==", (index, Literal(min(numbers)))))
        elif max(numbers) < min(rest):
            found.append(Operation("<", (index, Literal(min(rest)))))
        elif min(numbers) > max(rest):
            found.append(Operation(">=", (index, Literal(min(numbers)))))
    return tuple(found)


def _at(use: Use, loop: int) -> int:
    iteration = use.at(loop)
    assert iteration is not None
    return iteration


def _bind(cases: Cases[Bind], alike: Callable[[Module], object]) -> BindAt:
    name = _one(bind.name for _, bind in cases)
    return BindAt(name, _operand([(use, bind.value) for use, bind in cases], alike))


def _bind_scalar(cases: Cases[BindScalar], alike: Callable[[Module], object]) -> ScalarAt:
    name = _one(bind.name for _, bind in cases)
    first = cases[0][1]
    return ScalarAt(first.keyword == "let", name, first.binder, _scalar([(use, bind.value) for use, bind in cases]))


def _if(cases: Cases[If], alike: Callable[[Module], object]) -> IfAt:
    return IfAt(
        _scalar([(use, choice.condition) for use, choice in cases]),
        _body([(use, choice.then) for use, choice in cases if choice.taken], alike),
        _body([(use, choice.other) for use, choice in cases if not choice.taken], alike),
    )


def _repeat(cases: Cases[Repeat], alike: Callable[[Module], object]) -> LoopAt:
    first = cases[0][1]
    bodies = [(use.inside(first.binder, i), body) for use, loop in cases for i, body in enumerate(loop.iterations)]
    count = _scalar([(use, loop.count) for use, loop in cases])
    return LoopAt(count, first.index, first.binder, None, "", first.path, _body(bodies, alike), first.shared_path)


def _each(cases: Cases[Each], alike: Callable[[Module], object]) -> LoopAt:
    first = cases[0][1]
    bodies = [(use.inside(first.binder, i), body) for use, loop in cases for i, body in enumerate(loop.iterations)]
    count = Scalar({use: len(loop.iterations) for use, loop in cases})
    items = cast(ManyAt, _operand([(use, loop.items) for use, loop in cases], alike))
    return LoopAt(count, "", first.binder, items, first.item, first.path, _body(bodies, alike))


def _return(cases: Cases[Return], alike: Callable[[Module], object]) -> ReturnAt:
    return ReturnAt(_operand([(use, statement.value) for use, statement in cases], alike))


def _yield(cases: Cases[Yield], alike: Callable[[Module], object]) -> YieldAt:
    return YieldAt(_operand([(use, statement.value) for use, statement in cases], alike))


# A table from a type to what takes cases of that type: more than annotations can say.
_STATEMENTS: Mapping[type, Callable[..., StatementAt]] = {
    Bind: _bind,
    BindScalar: _bind_scalar,
    If: _if,
    Repeat: _repeat,
    Each: _each,
    Return: _return,
    Yield: _yield,
}


# ---- operands ----


def _operand(cases: Cases[Operand], alike: Callable[[Module], object]) -> OperandAt:
    kind = _one(type(operand) for _, operand in cases)
    return _OPERANDS[kind](cases, alike)


def _channels(cases: Cases[Ref] | Cases[Op] | Cases[Call]) -> Scalar:
    exprs = tuple(dict.fromkeys(operand.channels for _, operand in cases))
    return Scalar({use: operand.type.channels for use, operand in cases}, exprs)


def _ref(cases: Cases[Ref], alike: Callable[[Module], object]) -> RefAt:
    return RefAt(_one(ref.name for _, ref in cases), _channels(cases))


def _many(cases: Cases[Many], alike: Callable[[Module], object]) -> ManyAt:
    name = _one(many.name for _, many in cases)
    if name:
        return ManyAt(name, ())
    count = _one(len(many.items) for _, many in cases)
    return ManyAt("", tuple(_operand([(use, many.items[i]) for use, many in cases], alike) for i in range(count)))


def _op(cases: Cases[Op], alike: Callable[[Module], object]) -> OpAt:
    count = _one(len(op.inputs) for _, op in cases)
    first = cases[0][1]
    types = {use: input_types(op) for use, op in cases}
    if first.primitive == "reshape":
        # What lays channels out, and what puts them back, is written otherwise.
        _one(len(types[use][0].axes) for use, _ in cases)
    for name, attribute in first.attributes.items():
        if isinstance(attribute.value, tuple):
            _one(_how_many(op.attributes[name].value) for _, op in cases)
    return OpAt(
        primitive=_one(op.primitive for _, op in cases),
        role=first.role,
        inputs=tuple(_operand([(use, op.inputs[i]) for use, op in cases], alike) for i in range(count)),
        attributes={name: _scalar([(use, op.attributes[name]) for use, op in cases]) for name in first.attributes},
        path=_one(op.path for _, op in cases),
        shared=first.shared,
        channels=_channels(cases),
        any_size=first.any_size,
        types=types,
    )


def _how_many(value: Value) -> int:
    return len(value) if isinstance(value, tuple) else 1


def _call(cases: Cases[Call], alike: Callable[[Module], object]) -> CallAt:
    _one(alike(call.module) for _, call in cases)
    first = cases[0][1]
    written = {
        name: dict.fromkeys(c.scalars[name].expr for _, c in cases if name in c.scalars) for name in first.scalars
    }
    return CallAt(
        modules={use: call.module for use, call in cases},
        maps={name: _operand([(use, call.maps[name]) for use, call in cases], alike) for name in first.maps},
        exprs={name: tuple(exprs) for name, exprs in written.items()},
        path=_one(call.path for _, call in cases),
        shared=first.shared,
        channels=_channels(cases),
    )


_OPERANDS: Mapping[type, Callable[..., OperandAt]] = {Ref: _ref, Many: _many, Op: _op, Call: _call}


# ---- outside of loops ----


def settled(scalar: Scalar) -> bool:
    """No iteration of a loop has another value than the first."""
    by_module: dict[int, dict[Use, Value]] = {}
    for use, value in scalar.values.items():
        by_module.setdefault(use.module, {})[use] = value
    return all(Scalar(values).constant is not None for values in by_module.values())


def hoisted(part: OpAt | CallAt, kept: Container[int]) -> OpAt | CallAt:
    """What is constructed outside of all loops but `kept`: with the values that it has in the first iterations.

    Nothing that is bound in the loops can be read there, and no value of it is known by an iteration.
    """
    if isinstance(part, CallAt):
        maps = {name: _outside(value, kept) for name, value in part.maps.items()}
        return replace(part, modules=_first(part.modules, kept), maps=maps, channels=_moved(part.channels, kept))
    return replace(
        part,
        inputs=tuple(_outside(value, kept) for value in part.inputs),
        attributes={name: _moved(scalar, kept) for name, scalar in part.attributes.items()},
        channels=_moved(part.channels, kept),
        types=_first(part.types, kept),
    )


def _outside(value: OperandAt, kept: Container[int]) -> OperandAt:
    """An operand of what is hoisted: of it, only the channels matter."""
    return value if isinstance(value, ManyAt) else replace(value, channels=_moved(value.channels, kept))


def _moved(scalar: Scalar, kept: Container[int]) -> Scalar:
    return Scalar(_first(scalar.values, kept), scalar.exprs)


def _first(values: Mapping[Use, T], kept: Container[int]) -> dict[Use, T]:
    found: dict[Use, T] = {}
    for use, value in values.items():
        found.setdefault(use.only(kept), value)
    return found


# ---- walking ----


def parts(value: OperandAt) -> Iterator[OpAt | CallAt]:
    """Every operation and call in an operand, inner ones first."""
    if isinstance(value, ManyAt):
        inner: tuple[OperandAt, ...] = value.items
    elif isinstance(value, OpAt):
        inner = value.inputs
    elif isinstance(value, CallAt):
        inner = tuple(value.maps.values())
    else:
        return
    for operand in inner:
        yield from parts(operand)
    if not isinstance(value, ManyAt):
        yield value


def computes(value: OperandAt) -> bool:
    """It holds an operation, and is no mere name for what was computed before."""
    return next(parts(value), None) is not None


def values(body: BodyAt) -> Iterator[OperandAt]:
    """Every operand that a statement binds, returns or loops over, inner statements included."""
    for statement in body:
        if isinstance(statement, BindAt | ReturnAt | YieldAt):
            yield statement.value
        elif isinstance(statement, IfAt):
            yield from values(statement.then)
            yield from values(statement.other)
        elif isinstance(statement, LoopAt):
            if statement.items is not None:
                yield statement.items
            yield from values(statement.body)


def scalars_in(body: BodyAt) -> Iterator[ScalarAt]:
    """The compile-time `let`s, in the order of the text."""
    for statement in body:
        if isinstance(statement, ScalarAt):
            yield statement
        elif isinstance(statement, IfAt):
            yield from scalars_in(statement.then + statement.other)
        elif isinstance(statement, LoopAt):
            yield from scalars_in(statement.body)


def loops_in(body: BodyAt, depth: int = 0) -> Iterator[tuple[LoopAt, int]]:
    """Every loop that runs at all, with the number of loops around it."""
    for statement in body:
        if isinstance(statement, LoopAt) and statement.body:
            yield statement, depth
            yield from loops_in(statement.body, depth + 1)
        elif isinstance(statement, IfAt):
            yield from loops_in(statement.then + statement.other, depth)


def _named(body: BodyAt) -> set[str]:
    """Every name that a statement gives."""
    names: set[str] = set()
    for statement in body:
        if isinstance(statement, BindAt | ScalarAt):
            names.add(statement.name)
        elif isinstance(statement, IfAt):
            names |= _named(statement.then + statement.other)
        elif isinstance(statement, LoopAt):
            names |= {statement.index, statement.item} | _named(statement.body)
    return names


def _lists_named(body: BodyAt, taken: set[str]) -> BodyAt:
    """A list that is made in the head of a loop is made before it, by a name that is not `taken`, and read there."""
    made: list[StatementAt] = []
    for statement in body:
        if isinstance(statement, IfAt):
            then, other = (_lists_named(arm, taken) for arm in (statement.then, statement.other))
            made.append(replace(statement, then=then, other=other))
        elif isinstance(statement, LoopAt):
            items = statement.items
            if items is not None and any(True for _ in parts(items)):
                name = f"{statement.item}s"
                while name in taken:
                    name += "_"
                taken.add(name)
                made.append(BindAt(name, items))
                items = ManyAt(name, ())
            made.append(replace(statement, items=items, body=_lists_named(statement.body, taken)))
        else:
            made.append(statement)
    return tuple(made)


def _shared_everywhere(body: BodyAt) -> None:
    """What a loop's iterations share is made before the loop, so every use that gets there must have it."""
    for statement in body:
        if isinstance(statement, LoopAt):
            arriving = {use.module for use in statement.count.values}
            for value in values(statement.body):
                for part in parts(value):
                    _demand(not part.shared or {use.module for use in part.channels.values} == arriving, "shared")
        elif isinstance(statement, IfAt):
            _shared_everywhere(statement.then)
            _shared_everywhere(statement.other)
