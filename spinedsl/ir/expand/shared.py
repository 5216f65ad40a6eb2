"""What a `shared` call in a loop is made of: its weights, and all else that has to be the same every time it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from spinedsl.ir.scalars import describe
from spinedsl.ops.primitives import PRIMITIVES, Parameter
from spinedsl.ops.program import Call, Module, Op, Path, flat
from spinedsl.ops.types import Attr, Type, Value
from spinedsl.record import Record

# A convolution moves over each map as that needs; its weights stay the same.
_FREE = {"conv": frozenset({"stride", "padding", "dilation"})}


class Running(Record):
    """A primitive in a shared call, under the path that names its parameters there."""

    primitive: str
    path: Path
    attributes: dict[str, Value]
    parameters: tuple[Parameter, ...]


def operations_of(call: Op | Call) -> tuple[Running, ...]:
    """The operations of one call in running order, without those of its arguments."""
    if isinstance(call, Call):
        return tuple(_of_module(call.module, ()))
    whole = _running(call.primitive, (), call.attributes, [part.type for part in flat(call.inputs)])
    free = _FREE.get(call.primitive, frozenset())
    kept = {name: value for name, value in whole.attributes.items() if name not in free}
    return (Running(whole.primitive, (), kept, whole.parameters),)


class Difference(Record):
    """What two runs of a call differ in, in words; `in_shape`: in the shape of a weight."""

    first: str
    second: str
    in_shape: bool


def difference(first: tuple[Running, ...], second: tuple[Running, ...]) -> Difference | None:
    """Where two runs of a call differ; None if they do not. Shapes of weights come first: they explain the rest."""
    shapes = [dict(_shapes(operations)) for operations in (first, second)]
    for name in {**shapes[0], **shapes[1]}:
        if shapes[0].get(name) != shapes[1].get(name):
            return Difference(_show(name, shapes[0].get(name)), _show(name, shapes[1].get(name)), in_shape=True)
    for one, other in zip_longest(first, second):
        if one is None or other is None or one.primitive != other.primitive:
            return Difference(_name(one), _name(other), in_shape=False)
        for name in {**one.attributes, **other.attributes}:
            values = one.attributes.get(name), other.attributes.get(name)
            if values[0] != values[1]:
                inside = f" in `{one.primitive}`" if one.path else ""
                before, now = (f"`{name} = {describe(value).strip('`')}`{inside}" for value in values)
                return Difference(before, now, in_shape=False)
    return None


def _name(operation: Running | None) -> str:
    return "nothing more" if operation is None else f"a `{operation.primitive}`"


def _show(name: str, shape: tuple[int, ...] | None) -> str:
    return f"no `{name}`" if shape is None else f"`{name}` of {'x'.join(map(str, shape))}"


def _shapes(operations: tuple[Running, ...]) -> Iterator[tuple[str, tuple[int, ...]]]:
    for operation in operations:
        for parameter in operation.parameters:
            yield ".".join((*operation.path, parameter.name)), parameter.shape


def _of_module(module: Module, prefix: Path) -> Iterator[Running]:
    for event in module.events:
        if event.module is not None:
            yield from _of_module(event.module, prefix + event.path)
        else:
            types = [module.types[value] for value in event.opened]
            yield _running(event.at.called, prefix + event.path, event.attributes, types)


def _running(primitive: str, path: Path, attributes: Mapping[str, Attr], types: Sequence[Type]) -> Running:
    values = {name: attr.value for name, attr in attributes.items()}
    return Running(primitive, path, values, PRIMITIVES[primitive].parameters(types, values))
