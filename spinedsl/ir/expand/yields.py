"""How what a head yields is named: by the name after `yield`, where there are several, and by the loops around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from spinedsl.ops.program import Formal, Operand, Ref
from spinedsl.syntax import tree


def labelled(definition: tree.Definition) -> bool:
    """The head yields things of several names."""
    return len({_yielded_as(statement) for statement in _yields_in(definition.body)}) > 1


def label(statement: tree.Yield, several: bool) -> tuple[str, ...]:
    """What is yielded, where it is a name and the head yields `several` things."""
    own = _yielded_as(statement)
    return (own,) if own and several else ()


def feature(item: Operand, number: int, formals: Sequence[Formal]) -> str | int:
    """Which of the head's features an item of a list is; if it is none, its number in the list as text."""
    if isinstance(item, Ref) and item.index is not None and formals and item.name == formals[0].name:
        return item.index
    return str(number)


def shown(name: Sequence[str | int]) -> str:
    """A name before it is known which head and which rows it is for."""
    return "_".join(["HEAD", *(part if isinstance(part, str) else "ROW" for part in name)])


def _yielded_as(statement: tree.Yield) -> str:
    """The name that is yielded, if it is one."""
    return statement.value.name if isinstance(statement.value, tree.Ident) else ""


def _yields_in(body: tree.Body) -> Iterator[tree.Yield]:
    """Every `yield` of a definition."""
    for statement in body:
        if isinstance(statement, tree.Yield):
            yield statement
        elif isinstance(statement, tree.If):
            yield from _yields_in(statement.then + statement.other)
        elif isinstance(statement, tree.Repeat | tree.Each):
            yield from _yields_in(statement.body)
