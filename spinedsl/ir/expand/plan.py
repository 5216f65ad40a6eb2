"""What the text of a definition alone tells its expansions: found when it is first used, and kept for all others."""

from __future__ import annotations

from collections.abc import Mapping

from spinedsl.ir.expand.body import Sites, body_of
from spinedsl.ir.expand.notation import notation
from spinedsl.ir.library import Defined
from spinedsl.ir.naming import Paths, name_parts
from spinedsl.ops.program import Definition, Formal
from spinedsl.ops.types import Attr
from spinedsl.record import Record
from spinedsl.syntax import tree

SHORT = 16  # nodes of a statement that make one step


class Plan(Record, eq=False):
    """The names of a definition's parameters, and what it costs to expand it."""

    paths: Paths  # see `naming`
    alone: frozenset[int]  # calls by the name of a parameter that are all of their `let`
    written: Definition  # its text, as programs keep it
    sites: Sites  # where its statements stand there, and what binds each name
    weights: Mapping[int, int]  # steps that a statement takes, by its identity, if many
    scalars: Mapping[str, Formal]  # its parameters as compile-time values, if their defaults name nothing


def plan_of(defined: Defined) -> Plan:
    """The plan of a definition that is sound."""
    plan: Plan | None = defined.plan
    if plan is None:
        body = defined.definition.body
        paths, alone = name_parts(defined.definition, defined.unit)
        plan = defined.plan = Plan(paths, alone, *body_of(defined, paths), _weights(body), _scalars(defined))
    return plan


def _scalars(defined: Defined) -> dict[str, Formal]:
    """The parameters without a default, or with a number or a flag."""
    scalars: dict[str, Formal] = {}
    for name, parameter in defined.parameters.items():
        default = parameter.default
        if default is None:
            scalars[name] = Formal(name, "scalar", None)
        elif isinstance(default, tree.Number | tree.Flag):
            scalars[name] = Formal(name, "scalar", Attr(default.value, notation(default, (), {})))
    return scalars


def _weights(body: tree.Body) -> dict[int, int]:
    """The steps that statements take whose own expressions are long."""
    weights: dict[int, int] = {}
    pending = list(body)
    while pending:
        statement = pending.pop()
        if isinstance(statement, tree.If):
            pending += [*statement.then, *statement.other]
        elif isinstance(statement, tree.Repeat | tree.Each):
            pending += statement.body
        own: tuple[object, ...] = tree.parts(statement)
        if isinstance(statement, tree.If | tree.Repeat | tree.Each):
            own = own[:2]
        size = tree.size(tuple(part for part in own if not isinstance(part, tuple)))
        if size > SHORT:
            weights[id(statement)] = size // SHORT
    return weights
