"""Which feature maps a definition computes in vain: they reach nothing that the definition gives.

They are computed all the same, and their weights are there, as in PyTorch; no gradient ever reaches them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spinedsl.ir.dead import losing_modules
from spinedsl.ir.places import defined_as, place_in
from spinedsl.ops.depends import Depends
from spinedsl.record import Record
from spinedsl.source import Span

if TYPE_CHECKING:
    from spinedsl.ir.typed import TypedNetwork


class UnreadValue(Record, eq=False):
    """A value that nothing reads, or of which only the size is; `unread_in`, the row, where other uses read it."""

    place: Span
    name: str
    definition: str
    size_alone: bool
    unread_in: Span | None


def unread_values(typed: TypedNetwork) -> Iterator[UnreadValue]:
    """Operations whose result nothing reads: in no use of their definition, or in some of them.

    Where a definition thereby loses an input of a row, that is an error, and this follows from it.
    """
    losing = losing_modules(typed) if typed.depends.unread else ()
    unread = [found for found in typed.depends.unread if id(found.module) not in losing]
    read = typed.asked(Depends(notes=True)).read if unread else set()
    done: set[int] = set()
    for found in unread:
        name, module = found.name, found.module
        defined = defined_as(typed, module.definition, module.loc)
        place = place_in(defined, name, found.loc) if defined is not None else None
        if place is None or id(place) in done:
            continue
        done.add(id(place))
        row = typed.rows[found.asked_by].span if (found.loc, name) in read else None
        yield UnreadValue(place, name, module.definition, found.size_alone, row)
