"""Lint: a feature map that a definition computes and that reaches nothing which the definition gives.

It is computed all the same, and its weights are there, as in PyTorch; no gradient ever reaches them.
"""

from __future__ import annotations

from collections.abc import Iterator

from spinedsl.checks.accept import accept
from spinedsl.checks.dead_input import losing_modules
from spinedsl.checks.places import defined_as, place_in
from spinedsl.diagnostics import Diagnostic, Label
from spinedsl.diagnostics import catalogue as say
from spinedsl.ir.typed import TypedNetwork
from spinedsl.ops.depends import Depends
from spinedsl.ops.program import Bind, Call, Op


def unread(typed: TypedNetwork) -> Iterator[Diagnostic]:
    """Operations whose result nothing reads: in no use of their definition, or in some of them.

    Where a definition thereby loses an input of a row, that is an error, and this follows from it.
    """
    said = losing_modules(typed) if typed.depends.unread else ()
    unread = [found for found in typed.depends.unread if id(found.module) not in said]
    read = typed.asked(Depends(notes=True)).read if unread else set()
    done: set[int] = set()
    for found in unread:
        name, module = _name(found.value), found.module
        defined = defined_as(typed, module.definition, module.loc)
        place = place_in(defined, name, found.value.loc) if defined is not None else None
        if place is None or id(place) in done:
            continue
        done.add(id(place))
        how = "but none of its channels is read" if found.size_alone else "and nothing reads it"
        told = say.UNREAD_VALUE.at(place, name=name, definition=module.definition, how=how)
        repair = "take it away, or let what is returned read it"
        if (found.value.loc, name) in read:
            label = f"nothing reads it in this use of `{module.definition}`"
            told = told.with_others(Label(typed.rows[found.asked_by].span, label))
            repair = "compute it only where it is read, below the `if`"
        yield told.with_fix(*accept(typed, repair, "W0704"))


def _name(value: Bind | Op | Call) -> str:
    """What the text calls it: the name that it takes, or the operation."""
    if isinstance(value, Bind):
        return value.name
    return value.role if isinstance(value, Op) else value.module.definition
