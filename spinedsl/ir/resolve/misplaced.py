"""An unknown value whose place says what was meant: it stands below, or in `-- a comment`, or is one of `level P3`.

In: what is reported about the name, and all values of the network or definition. Out: the same with help, or nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from spinedsl.diagnostics import Diagnostic, Edit, Fix, Label
from spinedsl.source import Span
from spinedsl.syntax import tree

COMMENTS = "a comment begins with `#`"
_LEVEL = re.compile(r"[A-Za-z]_?(\d+)")  # P3, L3


def misplaced(found: Diagnostic, expr: tree.Ident, bound: Mapping[str, Span]) -> Diagnostic | None:
    """What is reported about a name, with what to do about it. `bound` is where each value gets its name."""
    name, source, start = expr.name, expr.span.source, expr.span.start
    place = bound.get(name)
    if place is not None and place.source is source and place.start > start:
        found = found.with_others(Label(place, f"`{name}` is bound here"))
        return found.with_fix(f"`{name}` stands below: put it above")
    before = source.text[:start].rstrip(" ")
    if before.endswith("--"):
        sign = Edit(Span(source, len(before) - 2, len(before)), "#")
        return found.with_fix(COMMENTS, sign, instead=Fix(COMMENTS))
    if before.endswith("level") and (number := _LEVEL.fullmatch(name)) is not None:
        return found.with_fix(f"a level is a number: `level {number[1]}`", Edit(expr.span, number[1]))
    return None
