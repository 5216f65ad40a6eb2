"""What a `shared` call in a loop is made of: its weights, and all else that has to be the same every time it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from spinedsl.ir.scalars import describe
from spinedsl.ops.primitives import PRIMITIVES, Parameter
from spinedsl.ops.program import Call, Event, Listed, Module, Op, Path, flat
from spinedsl.ops.rules import pads, window
from spinedsl.ops.types import Attr, Type, Value
from spinedsl.record import Record, field, replace

# A convolution moves over each map as that needs; its weights stay the same.
_FREE = {"conv": frozenset({"stride", "padding", "dilation"})}


class Running(Record):
    """A primitive in a shared call, under the path that names its parameters there; what it gives is no primitive."""

    primitive: str
    path: Path
    attributes: dict[str, Value]
    parameters: tuple[Parameter, ...]
    reads: tuple[object, ...] = ()  # what goes in, as `_Wires` calls it
    padded: tuple[tuple[int, int], ...] = ()  # rows and columns around a map, where code has them as numbers


def operations_of(call: Op | Call) -> tuple[Running, ...]:
    """The operations of one call in running order, without those of its arguments."""
    if isinstance(call, Call):
        wires = _Wires()
        results = wires.module(call.module, tuple(call.module.maps), ())
        return (*wires.operations, Running("", (), {}, (), results))
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
        if one.padded != other.padded:
            before, now = (f"`padding` of {_show_padding(run.padded)} in `{run.primitive}`" for run in (one, other))
            return Difference(before, now, in_shape=False)
        if one.reads != other.reads:
            if not other.primitive:
                return Difference("another", "one result", in_shape=False)
            return Difference("of another", f"a `{other.primitive}` of one map", in_shape=False)
    return None


def _name(operation: Running | None) -> str:
    return "nothing more" if operation is None or not operation.primitive else f"a `{operation.primitive}`"


def _show(name: str, shape: tuple[int, ...] | None) -> str:
    return f"no `{name}`" if shape is None else f"`{name}` of {'x'.join(map(str, shape))}"


def _show_padding(padded: tuple[tuple[int, int], ...]) -> str:
    return " by ".join(f"{before}+{after}" for before, after in padded)


def _shapes(operations: tuple[Running, ...]) -> Iterator[tuple[str, tuple[int, ...]]]:
    for operation in operations:
        for parameter in operation.parameters:
            yield ".".join((*operation.path, parameter.name)), parameter.shape


class _Wires(Record, frozen=False):
    """The operations of a call, those of what it uses among them, each with what it reads.

    A map that comes in is called by its parameter, whatever the length of a list: in PyTorch the same code takes all of
    it. What an operation gives is called by its number.
    """

    operations: list[Running] = field(default_factory=list)

    def module(self, module: Module, given: Sequence[object], prefix: Path) -> tuple[object, ...]:
        """Write down the operations of a module on what is `given` for its parameters; what it gives."""
        known: list[object] = []
        lists: dict[tuple[int, ...], object] = {}
        for what, type_ in zip(given, module.maps.values(), strict=True):
            if isinstance(type_, Type):
                known.append(what)
                continue
            numbers = tuple(range(len(known), len(known) + len(type_)))
            lists |= {numbers[start:]: ("from", what, start) for start in range(1, len(numbers))} | {numbers: what}
            known += what if isinstance(what, list) else [(what, index) for index in range(len(type_))]
        for event in module.events:
            reads = _reads(event, known, lists)
            if event.module is not None:
                known += self.module(event.module, reads, prefix + event.path)
                continue
            types = [module.types[value] for value in event.opened]
            running = _running(event.at.called, prefix + event.path, event.attributes, types)
            known.append(len(self.operations))
            padded = () if module.open_size else _padded(running.attributes, types[0])
            self.operations.append(replace(running, reads=tuple(reads), padded=padded))
        return tuple(known[value] for value in module.results)


def _padded(attributes: Mapping[str, Value], x: Type) -> tuple[tuple[int, int], ...]:
    """What a window pads in a network of one size, whose maps may be of any size."""
    if "padding" not in attributes:
        return ()
    return tuple(pads(*window(attributes, axis), size) for axis, size in enumerate((x.height, x.width)))


def _reads(event: Event, known: Sequence[object], lists: Mapping[tuple[int, ...], object]) -> list[object]:
    """What an operation reads: a map, a list that came in as a whole, or a list of maps."""
    found: list[object] = []
    for form, value in zip(event.at.inputs, event.inputs, strict=True):
        if isinstance(value, int):
            found.append(known[value])
        elif value in lists and not isinstance(form, Listed):
            found.append(lists[value])
        else:
            found.append([known[number] for number in value])
    return found


def _running(primitive: str, path: Path, attributes: Mapping[str, Attr], types: Sequence[Type]) -> Running:
    values = {name: attr.value for name, attr in attributes.items()}
    return Running(primitive, path, values, PRIMITIVES[primitive].parameters(types, values))
