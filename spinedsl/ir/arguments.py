"""What is reported about arguments wherever they are bound, and the edit that takes one away.

In: the arguments of a call, a row or an instance, and the one that is wrong. Out: an edit, or a diagnostic with it.
"""

from __future__ import annotations

from collections.abc import Sequence

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Edit, Label
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


def taken_away(parts: Sequence[tree.Argument] | Sequence[tree.DefaultItem], part: object) -> Edit:
    """One part of a list less, and the comma that goes with it."""
    at = next(at for at, other in enumerate(parts) if other is part)
    span = parts[at].span
    before = Span(span.source, parts[at - 1].span.end, span.start) if at else None
    after = Span(span.source, span.end, parts[at + 1].span.start) if at + 1 < len(parts) else None
    if before is not None and before.text.strip() == ",":
        return Edit(before.to(span), "")
    if after is not None and after.text.strip() == ",":
        return Edit(span.to(after), "")
    return Edit(span, "")
