"""The text of a definition as programs keep it: statements with both arms, each numbered, and what each name means.

Two loops may bind one name, each for itself, so a name alone does not tell. In: a definition and the paths of its
parameters. Out: an `ops.Definition`; the site of each statement; and for each place where a name is read, the site of
what binds it. A parameter has none, and the item of an `each` `ITEM`: it may be a number, of no name in a program.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from spinedsl.ir.library import Defined
from spinedsl.ir.naming import Paths
from spinedsl.ops.program import Body, Definition, Each, If, Let, Repeat, Return, Statement, Yield
from spinedsl.ops.types import Loc
from spinedsl.source import Span
from spinedsl.syntax import tree

_Statement: TypeAlias = tree.Binding | tree.Return | tree.Yield | tree.If | tree.Repeat | tree.Each
ITEM = -1
Sites: TypeAlias = Mapping[int, int]  # by identity of a statement; of the `Ident` that reads a name, that of its binder


def body_of(defined: Defined, paths: Paths) -> tuple[Definition, Sites]:
    """The definition, and where everything stands in it."""
    reader = _Reader(paths)
    definition = defined.definition
    body = reader.body(definition.body, {})
    return Definition(defined.name, defined.kind, body, _loc(definition.name.span)), reader.sites


def _loc(span: Span) -> Loc:
    return Loc(span.source.name, span.line)


class _Reader:
    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self.sites: dict[int, int] = {}
        self.last = 0

    def body(self, body: tree.Body, outside: Mapping[str, int]) -> Body:
        """One scope: what it binds ends with it."""
        known = dict(outside)
        return tuple(self.statement(part, known) for part in body if not isinstance(part, tree.Broken))

    def statement(self, statement: _Statement, known: dict[str, int]) -> Statement:
        """One statement, which may bind one more name."""
        self.last = site = self.sites[id(statement)] = self.last + 1
        loc = _loc(statement.span)
        if isinstance(statement, tree.Binding):
            self.names(statement.value, known)
            name = statement.name.text
            if statement.keyword != "set":
                known[name] = site
            binder = known.get(name, 0)
            return Let(site, statement.keyword, name, binder, loc)
        if isinstance(statement, tree.Return | tree.Yield):
            self.names(statement.value, known)
            return Return(site, loc) if isinstance(statement, tree.Return) else Yield(site, loc)
        if isinstance(statement, tree.If):
            self.names(statement.condition, known)
            then, other = self.body(statement.then, known), self.body(statement.other, known)
            return If(site, then, other, frozenset(_returns(then + other)), loc)
        if isinstance(statement, tree.Repeat):
            self.names(statement.count, known)
            index = statement.index.text if statement.index is not None else ""
            path, *shared = self.paths.get(id(statement), ("rep",))
            return Repeat(site, index, path, self.body(statement.body, {**known, index: site}), loc, *shared)
        self.names(statement.items, known)
        item = statement.item.text
        (path,) = self.paths.get(id(statement), (item,))
        return Each(site, item, path, self.body(statement.body, {**known, item: ITEM}), loc)

    def names(self, expr: tree.Expr, known: Mapping[str, int]) -> None:
        """Every name in an expression that a statement binds."""
        pending: list[object] = [expr]
        while pending:
            part = pending.pop()
            if isinstance(part, tree.Ident) and part.name in known:
                self.sites[id(part)] = known[part.name]
            elif isinstance(part, tuple):
                pending += part
            elif isinstance(part, tree.Node):
                pending += tree.parts(part)


def _returns(body: Body) -> set[int]:
    found: set[int] = set()
    for statement in body:
        if isinstance(statement, Return):
            found.add(statement.site)
        elif isinstance(statement, If):
            found |= statement.returns
    return found
