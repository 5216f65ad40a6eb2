"""The weights that a call needs: what `shared` calls in a loop have to agree on."""

from __future__ import annotations

from collections.abc import Iterator

from spinedsl.ops.primitives import PRIMITIVES
from spinedsl.ops.program import Bind, Body, Call, Each, If, Many, Module, Op, Operand, Path, Repeat, Return

Weights = dict[str, tuple[int, ...]]  # shapes by name


def weights_of(call: Op | Call) -> Weights:
    """The weights of one call, without those of its arguments."""
    if isinstance(call, Op):
        return dict(_of_op(call, ()))
    return dict(_of_module(call.module, ()))


def difference(first: Weights, second: Weights) -> tuple[str, str] | None:
    """Where two of them differ, in words; None if they do not."""
    if first == second:
        return None
    name = next(name for name in {**first, **second} if first.get(name) != second.get(name))
    return _show(name, first.get(name)), _show(name, second.get(name))


def _show(name: str, shape: tuple[int, ...] | None) -> str:
    return f"no `{name}`" if shape is None else f"`{name}` of {'x'.join(map(str, shape))}"


def _of_module(module: Module, prefix: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield from _of_body(module.body, prefix)


def _of_body(body: Body, prefix: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    for statement in body:
        if isinstance(statement, Bind | Return):
            yield from _of_operand(statement.value, prefix)
        elif isinstance(statement, If):
            yield from _of_body(statement.then if statement.taken else statement.other, prefix)
        elif isinstance(statement, Repeat | Each):
            for index, iteration in enumerate(statement.iterations):
                yield from _of_body(iteration, (*prefix, f"{statement.path}{index}"))


def _of_operand(operand: Operand, prefix: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    if isinstance(operand, Many):
        for item in operand.items:
            yield from _of_operand(item, prefix)
    elif isinstance(operand, Op):
        for part in operand.inputs:
            yield from _of_operand(part, prefix)
        yield from _of_op(operand, prefix + operand.path)
    elif isinstance(operand, Call):
        for part in operand.maps.values():
            yield from _of_operand(part, prefix)
        yield from _of_module(operand.module, prefix + operand.path)


def _of_op(op: Op, path: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    types = [part.type for part in op.inputs if not isinstance(part, Many)]
    values = {name: attr.value for name, attr in op.attributes.items()}
    for parameter in PRIMITIVES[op.primitive].parameters(types, values) if types or not op.inputs else ():
        yield ".".join((*path, parameter.name)), parameter.shape
