"""The tree that a class is printed from, run over the numbers of each use: it gives that use's operations, in order.

No PyTorch is needed: a wrong order, a wrong name or a number of another use is found in the tree itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest

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
    Use,
    YieldAt,
)
from spinedsl.backends.torch.classes import classes_of
from spinedsl.backends.torch.initial import Rules
from spinedsl.backends.torch.plan import Class
from spinedsl.backends.torch.written import written
from spinedsl.ops.program import Module, Program, Values
from spinedsl.source import Source
from spinedsl.testing import nested
from spinedsl.testing.laws import program_of
from tests.backends.torch.texts import TEXTS
from tests.laws.test_nested import FIXED, network


class Printed:
    """One use, run by the tree of its class."""

    def __init__(self, module: Module, number: int) -> None:
        self.module = module
        self.known: dict[str, Values] = {}
        self.next = 0  # the number of the next value
        for name, type_ in module.maps.items():
            count = len(type_) if isinstance(type_, tuple) else 1
            numbers = tuple(range(self.next, self.next + count))
            self.known[name] = numbers if isinstance(type_, tuple) else self.next
            self.next += count
        self.results: list[Values] = []
        self.start = Use(number)

    def run(self, body: BodyAt, use: Use) -> None:
        for statement in body:
            if isinstance(statement, BindAt):
                self.known[statement.name] = self.value(statement.value, use)
            elif isinstance(statement, ReturnAt | YieldAt):
                self.results.append(self.value(statement.value, use))
            elif isinstance(statement, IfAt):
                self.run(statement.then if statement.condition.values[use] else statement.other, use)
            elif isinstance(statement, LoopAt):
                self.loop(statement, use)

    def loop(self, loop: LoopAt, use: Use) -> None:
        items = self.value(loop.items, use) if loop.items is not None else None
        count = cast(int, loop.count.values[use])
        assert items is None or (isinstance(items, tuple) and len(items) == count)
        for number in range(count):
            if isinstance(items, tuple):
                self.known[loop.item] = items[number]
            self.run(loop.body, use.inside(loop.binder, number))

    def value(self, operand: OperandAt, use: Use) -> Values:
        if isinstance(operand, RefAt):
            found = self.known[operand.name]
            return found if operand.index is None else cast("tuple[int, ...]", found)[operand.index]
        if isinstance(operand, ManyAt):
            if operand.name:
                return cast("tuple[int, ...]", self.known[operand.name])[operand.start :]
            items = [self.value(item, use) for item in operand.items]
            opened = cast("tuple[int, ...]", items.pop(0)) if operand.opens else ()
            return (*opened, *cast("list[int]", items))
        inputs = operand.inputs if isinstance(operand, OpAt) else tuple(operand.maps.values())
        numbers = tuple(self.value(part, use) for part in inputs)
        event = self.module.events[self.next - self.module.given]
        assert event.inputs == numbers
        assert operand.path == event.path[len(event.path) - len(operand.path) :]
        assert operand.channels.values[use] == self.module.types[self.next].channels
        if isinstance(operand, CallAt):
            assert operand.modules[use] is event.module
        else:
            assert operand.primitive == event.at.called
            said = {name: scalar.values[use] for name, scalar in operand.attributes.items()}
            assert said == {name: attr.value for name, attr in event.attributes.items()}
            assert operand.types[use] == tuple(self.module.types[given] for given in event.opened)
        self.next += 1
        return self.next - 1


def trees(program: Program) -> Iterator[tuple[Class, BodyAt]]:
    """The classes of a program, each with its tree."""
    classes = classes_of(program, Rules.of(program), set())
    made = {id(module): found for found in classes for module in found.modules}
    return ((found, written(found.modules, lambda module: made[id(module)])) for found in classes)


def gives_its_events(program: Program) -> int:
    """Every use of every class, which the answer counts."""
    uses = 0
    for found, body in trees(program):
        for number, module in enumerate(found.modules):
            printed = Printed(module, number)
            printed.run(body, printed.start)
            assert printed.next == len(module.types)
            assert tuple(printed.results) == module.results
            uses += 1
    return uses


@pytest.mark.parametrize("name", TEXTS)
def test_programs(name: str) -> None:
    assert gives_its_events(TEXTS[name]())


def test_networks_of_loops_in_loops() -> None:
    uses = [gives_its_events(program_of(Source.from_text(network(number)), nested.NAME)) for number in range(FIXED)]
    assert min(uses) >= 3


def test_what_no_use_takes_is_left_out() -> None:
    """Some use or iteration decides each choice of the tree otherwise than another."""
    for number in range(FIXED):
        for _, body in trees(program_of(Source.from_text(network(number)), nested.NAME)):
            pending = [body]
            while pending:
                for statement in pending.pop():
                    if isinstance(statement, IfAt):
                        assert set(statement.condition.values.values()) == {True, False}
                        pending += [statement.then, statement.other]
                    elif isinstance(statement, LoopAt):
                        pending.append(statement.body)
