"""Which forms a file has: how its loops stand, what they bind and change, what is called and shared in them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product
from typing import TypeAlias, TypeVar

from spinedsl.source import Source
from spinedsl.syntax import tree
from spinedsl.syntax.parse import parse

Loops: TypeAlias = tuple[str, ...]  # around a place, the outermost first
T = TypeVar("T")

GIVEN = ("gated", "blended")
LISTS = ("sum", "first", "last", "len", "rest")
WANTED = (
    *(f"{one} beside {other}, of one name" for one in ("Repeat", "Each") for other in ("Repeat", "Each")),
    *(f"a choice in {count} loops" for count in (1, 2, 3)),
    *(f"a helper of {count} maps" for count in (1, 2, 3)),
    *(f"shared in {' in '.join(loops)}" for count in (1, 2) for loops in product(("Repeat", "Each"), repeat=count)),
    *(f"{name} in a loop" for name in LISTS),
    "a let in a loop made of another",
    "a var that a loop changes",
    "a count that is computed",
    "a loop that does not run",
    "a list in a loop's head",
    "the rest of a list in a loop's head",
    "a return in a choice",
    "a return in a choice after a loop",
    "a helper in a loop",
    "a helper in a loop with numbers by name",
    "a helper that calls a helper",
    "a list that grows",
    "a definition in a choice",
    "a definition given to a helper",
    "a definition that is shared",
    *("an item of a list", "a list that one expression makes", "a function", "a remainder"),
)


def forms(text: str) -> Iterator[str]:
    """The forms of a file, each as often as it stands there."""
    file = parse(Source.from_text(text)).value
    assert file is not None
    helpers = {d.name.text for d in file.definitions if d.kind == "def"}
    for definition in file.definitions:
        for body, inside in bodies(definition.body, ()):
            yield from of_names(body, inside)
            for statement in body:
                yield from of_statement(statement, inside, body)
            if inside:
                yield from of_numbers(body)
            for call in parts_of(tuple(s for s in body if isinstance(s, tree.Binding | tree.Return)), tree.Call):
                yield from of_call(call, inside, helpers)
        yield from of_given(definition)
        if definition.name.text in helpers:
            yield f"a helper of {sum(p.name.text in ('a', 'b', 'c', 'maps') for p in definition.parameters)} maps"
            if any(call.callee.text in helpers for call in parts_of(definition.body, tree.Call)):
                yield "a helper that calls a helper"


def of_given(definition: tree.Definition) -> Iterator[str]:
    """Definitions by their name alone, and what is called by the name of a parameter."""
    own = {parameter.name.text for parameter in definition.parameters}
    for choice in parts_of(definition.body, tree.Conditional):
        if any(isinstance(arm, tree.Ident) and arm.name in GIVEN for arm in (choice.value, choice.other)):
            yield "a definition in a choice"
    for call in parts_of(definition.body, tree.Call):
        if any(isinstance(one.value, tree.Ident) and one.value.name in GIVEN for one in call.arguments):
            yield "a definition given to a helper"
        if call.shared and call.callee.text in own:
            yield "a definition that is shared"


def bodies(body: tree.Body, inside: Loops) -> Iterator[tuple[tree.Body, Loops]]:
    """Every body, with the loops around it."""
    yield body, inside
    for statement in body:
        if isinstance(statement, tree.If):
            yield from bodies(statement.then, inside)
            yield from bodies(statement.other, inside)
        elif isinstance(statement, tree.Repeat | tree.Each):
            yield from bodies(statement.body, (*inside, type(statement).__name__))


def parts_of(node: object, kind: type[T]) -> Iterator[T]:
    """Every node of a kind in another, those of inner statements included."""
    pending = [node]
    while pending:
        part = pending.pop()
        if isinstance(part, kind):
            yield part
        pending += tree.parts(part)


def bound_in(body: tree.Body) -> set[str]:
    """What the statements of a loop bind themselves."""
    return {s.name.text for s in body if isinstance(s, tree.Binding) and s.keyword != "set"}


def of_names(body: tree.Body, inside: Loops) -> Iterator[str]:
    """What the statements of a body have to do with each other."""
    for one, other in pairwise(s for s in body if isinstance(s, tree.Repeat | tree.Each)):
        if bound_in(one.body) & bound_in(other.body):
            yield f"{type(one).__name__} beside {type(other).__name__}, of one name"
    names: set[str] = set()
    for statement in body if inside else ():
        if isinstance(statement, tree.Binding):
            if statement.keyword == "let" and names & {part.name for part in parts_of(statement.value, tree.Ident)}:
                yield "a let in a loop made of another"
            if statement.keyword == "set":
                yield "a var that a loop changes"
            names.add(statement.name.text)


def of_statement(statement: tree.Statement, inside: Loops, body: tree.Body) -> Iterator[str]:
    """What a choice or a loop is like."""
    if isinstance(statement, tree.Repeat):
        if not isinstance(statement.count, tree.Number):
            yield "a count that is computed"
        elif statement.count.value == 0:
            yield "a loop that does not run"
    elif isinstance(statement, tree.Each):
        if isinstance(statement.items, tree.ListOf):
            yield "a list in a loop's head"
        elif isinstance(statement.items, tree.Call):
            yield "the rest of a list in a loop's head"
    elif isinstance(statement, tree.If):
        if inside:
            yield f"a choice in {len(inside)} loops"
        if any(isinstance(inner, tree.Return) for inner in statement.then):
            after = any(isinstance(other, tree.Repeat | tree.Each) for other in body)
            yield "a return in a choice" + (" after a loop" if after else "")


def of_numbers(body: tree.Body) -> Iterator[str]:
    """What the values of a loop's body are made of."""
    named = {tree.Item: "an item of a list", tree.ListOfEach: "a list that one expression makes"}
    for statement in body:
        for part in parts_of(statement, tree.Node):
            if type(part) in named:
                yield named[type(part)]
            elif isinstance(part, tree.Binary) and part.operator == "%":
                yield "a remainder"
            elif isinstance(part, tree.Binary) and isinstance(part.right, tree.ListOf) and part.operator == "+":
                yield "two lists" if isinstance(part.left, tree.ListOf) else "a list that grows"
            elif isinstance(part, tree.Call) and part.callee.text == "bent":
                yield "a function"


def of_call(call: tree.Call, inside: Loops, helpers: set[str]) -> Iterator[str]:
    """What is called, and where."""
    name = call.callee.text
    if call.shared:
        yield f"shared in {' in '.join(reversed(inside))}"
    if inside and name in helpers:
        yield "a helper in a loop"
        if any(argument.name is not None for argument in call.arguments):
            yield "a helper in a loop with numbers by name"
    if inside and name in LISTS:
        yield f"{name} in a loop"
