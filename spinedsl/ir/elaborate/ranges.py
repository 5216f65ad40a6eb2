"""The levels of `input p3, p4: level 3..4`: one for each name.

In: the settings of a network, and the row. Out: whether they fit; where they do not, it is reported.
"""

from __future__ import annotations

from spinedsl import checks as say
from spinedsl.brief import counted
from spinedsl.diagnostics import Edit
from spinedsl.ir.elaborate.settings import MAX_LEVEL, Settings
from spinedsl.syntax import tree


def has_levels(settings: Settings, maps: tree.Maps) -> bool:
    """A range has as many levels as the row has names; one level stands for all of them."""
    if maps.high is None:
        return True
    low, high = settings.level(maps.low), settings.level(maps.high)
    if low is None or high is None:
        return False
    names, span = len(maps.names), maps.low.span.to(maps.high.span)
    if high - low + 1 == names:
        return True
    if high < low:
        found = say.EMPTY_RANGE.at(span, low=low, high=high)
    else:
        got = f"{counted(names, 'name')} and {counted(high - low + 1, 'level')}"
        found = say.NAMES_AND_MAPS.at(span, got=got)
    first = maps.low if low <= high or names == 1 else maps.high
    levels = _from(first, low if first is maps.low else high, names)
    edits = (Edit(span, levels),) if levels else ()
    settings.report(found.with_fix(f"did you mean `{levels}`?" if levels else "give each name a level", *edits))
    return False


def _from(first: tree.Expr, level: int, names: int) -> str:
    """As many levels as there are names, or nothing where they cannot be written as a range from the first one."""
    text = first.span.text
    if names == 1 or level + names - 1 > MAX_LEVEL:
        return text if names == 1 else ""
    if text.isdigit():
        return f"{text}..{level + names - 1}"
    return f"{text}..{text} + {names - 1}" if text.isidentifier() else ""
