"""The tree that a class is printed from: what stands at each place of a definition's text, over all of its uses.

Statements and expressions are those of the text; every value is known for every use. `written` makes it.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import NamedTuple, TypeAlias, TypeVar

from spinedsl.ops.program import Module
from spinedsl.ops.types import Expr, Type, Value
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
    """A feature map by its name, or the item `index` of a list."""

    name: str
    index: int | None
    channels: Scalar


class ManyAt(Record, eq=False):
    """A list of feature maps: by its name, from an item on; or written out, without a name.

    One that is written out and `opens` begins with all of its first item, which is a list by its name.
    """

    name: str
    items: tuple[OperandAt, ...] = ()
    start: int = 0
    opens: bool = False


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
    open_size: bool = False  # as of the program


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
    """A `repeat`, or an `each` over `items`, whose `item` names the one of the iteration; without, it is of numbers."""

    count: Scalar
    index: str
    binder: int
    items: ManyAt | None
    item: str
    path: str
    body: BodyAt
    shared_path: str = ""  # of a `repeat` in an `each`: see `program.Repeat`
    each: bool = False


class ReturnAt(Record, eq=False):
    """What the definition gives."""

    value: OperandAt


class YieldAt(Record, eq=False):
    """One more value of a head."""

    value: OperandAt


OperandAt: TypeAlias = RefAt | ManyAt | OpAt | CallAt
StatementAt: TypeAlias = BindAt | ScalarAt | IfAt | LoopAt | ReturnAt | YieldAt
BodyAt: TypeAlias = tuple[StatementAt, ...]


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


def walk(body: BodyAt, around: tuple[LoopAt, ...] = ()) -> Iterator[tuple[StatementAt, tuple[LoopAt, ...]]]:
    """Every statement with the loops around it, outermost first; instead of a choice, what stands in its arms."""
    for statement in body:
        if isinstance(statement, IfAt):
            yield from walk(statement.then + statement.other, around)
        else:
            yield statement, around
        if isinstance(statement, LoopAt):
            yield from walk(statement.body, (*around, statement))


def value_of(statement: StatementAt) -> OperandAt | None:
    """The feature maps that a statement binds, gives or loops over."""
    if isinstance(statement, LoopAt):
        return statement.items
    return None if isinstance(statement, ScalarAt | IfAt) else statement.value


def parts_in(body: BodyAt) -> Iterator[tuple[OpAt | CallAt, tuple[LoopAt, ...]]]:
    """Every operation and call of some statements, with the loops around it."""
    for statement, around in walk(body):
        value = value_of(statement)
        if value is not None:
            yield from ((part, around) for part in parts(value))
