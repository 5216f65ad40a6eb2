"""A number of a network made a parameter or a `let` of it: the same network, and what is given for it counts.

In: a checked file and a network that is written in it. Out: files with an instance of that network, and what has to be
true of it. A law is made of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from spinedsl import driver
from spinedsl.record import Record
from spinedsl.source import Source, Span
from spinedsl.syntax import tree

NAME, OWN, INSTANCE = "given__", "own__", "Given__"
MOST = 3  # numbers of one network that are tried


class Opened(Record):
    """A file whose network takes a number from outside, with instances of it that give another.

    `as_parameter`, `as_edit` and `passed_on` are ways to give the same: the last one by a parameter of the instance, in
    another way for each number. `as_argument` gives a `let`, which takes nothing.
    """

    number: Span
    as_parameter: Source
    as_argument: Source
    as_edit: Source
    passed_on: Source


def opened(analysis: driver.Analysis, name: str) -> Iterator[Opened]:
    """Some numbers of a network, each opened."""
    source, network = analysis.source, analysis.networks[name]
    declared = network.declared
    if network.instance is not None or declared.span.source is not source or not declared.items:
        return
    own = declared.span  # rows of its parts stand elsewhere
    numbers = [
        node
        for node in _numbers(declared.items)
        if node.value == int(node.value) and own.start <= node.span.start < own.end and node.span.source is own.source
    ]
    for number in numbers[:: max(len(numbers) // MOST, 1)][:MOST]:
        old, new = number.span.text, str(int(number.value) + 1)
        last = declared.parameters[-1] if declared.parameters else None
        place = declared.name.span.end if last is None else (last.default or last.name).span.end
        parameter = f"({NAME} = {old})" if last is None else f", {NAME} = {old}"
        first = declared.items[0].span.start
        taken = [(number.span, NAME)]
        with_parameter = _replaced(source, [(Span(source, place, place), parameter), *taken])
        with_let = _replaced(source, [(Span(source, first, first), f"let {NAME} = {old}\n    "), *taken])
        ways = (
            f"({OWN} = {new}) = {name}({NAME} = {OWN})",
            f"({NAME} = {new}) = {name}({NAME} = {NAME})",
            f"({OWN} = {old}, {NAME} = {OWN} + 1) = {name}",
            f"({OWN} = {new}) = {name} with {{ {NAME} = {OWN} }}",
        )

        def made(text: str, instance: str) -> Source:
            return Source.from_text(f"{text.rstrip()}\n\nnetwork {INSTANCE}{instance}\n", source.name, source.origin)

        yield Opened(
            number.span,
            as_parameter=made(with_parameter, f" = {name}({NAME} = {new})"),
            as_argument=made(with_let, f" = {name}({NAME} = {new})"),
            as_edit=made(with_let, f" = {name} with {{ let {NAME} = {new} }}"),
            passed_on=made(with_parameter, ways[number.span.start % len(ways)]),
        )


def _numbers(items: tuple[tree.NetworkItem, ...]) -> Iterator[tree.Number]:
    """The numbers that stand in a network, in order."""
    pending: list[object] = [*reversed(items)]
    while pending:
        node = pending.pop()
        if isinstance(node, tree.Number):
            yield node
        pending += reversed(tree.parts(node))


def _replaced(source: Source, changes: list[tuple[Span, str]]) -> str:
    text = source.text
    for span, new in sorted(changes, key=lambda change: -change[0].start):
        text = text[: span.start] + new + text[span.end :]
    return text
