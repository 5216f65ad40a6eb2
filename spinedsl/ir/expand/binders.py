"""Which statement gives each name of a definition its meaning, by the text alone.

Two loops may bind one name, each for itself, so a name alone does not tell. In: a definition. Out: a number for each
`let`, `var`, `repeat` and `each`, in the order of the text, and for each place where a name is read, that of its
binder; a parameter has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count

from spinedsl.syntax import tree

Binders = Mapping[int, int]  # by identity of a statement, or of the `Ident` that reads a name


def binders_of(definition: tree.Definition) -> Binders:
    """The number of every statement that binds a name, and of what each `Ident` reads. Parameters are left out."""
    found: dict[int, int] = {}
    _body(definition.body, {}, found, count(1))
    return found


def _body(body: tree.Body, outside: Mapping[str, int], found: dict[int, int], numbers: Iterator[int]) -> None:
    """One scope: what it binds ends with it."""
    known = dict(outside)
    for statement in body:
        if isinstance(statement, tree.Binding):
            _names(statement.value, known, found)
            name = statement.name.text
            if statement.keyword == "set":
                found[id(statement)] = known.get(name, 0)
            else:
                known[name] = found[id(statement)] = next(numbers)
        elif isinstance(statement, tree.Return | tree.Yield):
            _names(statement.value, known, found)
        elif isinstance(statement, tree.If):
            _names(statement.condition, known, found)
            _body(statement.then, known, found, numbers)
            _body(statement.other, known, found, numbers)
        elif isinstance(statement, tree.Repeat):
            _names(statement.count, known, found)
            number = found[id(statement)] = next(numbers)
            index = {statement.index.text: number} if statement.index is not None else {}
            _body(statement.body, {**known, **index}, found, numbers)
        elif isinstance(statement, tree.Each):
            _names(statement.items, known, found)
            number = found[id(statement)] = next(numbers)
            _body(statement.body, {**known, statement.item.text: number}, found, numbers)


def _names(expr: object, known: Mapping[str, int], found: dict[int, int]) -> None:
    """Every name in an expression that a statement binds."""
    pending = [expr]
    while pending:
        part = pending.pop()
        if isinstance(part, tree.Ident) and part.name in known:
            found[id(part)] = known[part.name]
        elif isinstance(part, tuple):
            pending += part
        elif isinstance(part, tree.Node):
            pending += tree.parts(part)
