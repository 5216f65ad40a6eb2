"""What is said of arguments wherever they are bound, and the edit that takes one away.

In: the arguments of a call, a row or an instance, and the one that is wrong. Out: an edit, or a diagnostic with it.
"""

from __future__ import annotations

from collections.abc import Sequence

from spinedsl.diagnostics import Diagnostic, Edit, Label
from spinedsl.diagnostics import catalogue as say
from spinedsl.source import Span
from spinedsl.syntax import tree


def argument_twice(
    callee: tree.Name, arguments: Sequence[tree.Argument], argument: tree.Argument, first: Span, name: str = ""
) -> Diagnostic:
    """What is given twice, by name or in order; `name` tells what an argument in order is for."""
    place = argument.name if argument.name is not None else argument
    name = argument.name.text if argument.name is not None else name
    found = say.ARGUMENT_TWICE.at(place.span, callee=callee.text, name=name)
    found = found.with_others(Label(first, "first given here"))
    return found.with_fix("take one of them away", taken_away(arguments, argument))


def taken_away(arguments: Sequence[tree.Argument], argument: tree.Argument) -> Edit:
    """One argument less, and the comma that goes with it."""
    at, source = arguments.index(argument), argument.span.source
    before = Span(source, arguments[at - 1].span.end, argument.span.start) if at else None
    after = Span(source, argument.span.end, arguments[at + 1].span.start) if at + 1 < len(arguments) else None
    if before is not None and before.text.strip() == ",":
        return Edit(before.to(argument.span), "")
    if after is not None and after.text.strip() == ",":
        return Edit(argument.span.to(after), "")
    return Edit(argument.span, "")
