"""Windows that are shifted: padding before a map whose windows do not overlap, so that none is where one expects it.

In: a typed network. Out: each place that says so, once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spinedsl.ir.places import defined_as, place_in
from spinedsl.ops.depends import TRUSTED
from spinedsl.ops.program import Event, Module
from spinedsl.ops.rules import pads, window
from spinedsl.record import Record
from spinedsl.source import Span

if TYPE_CHECKING:
    from spinedsl.ir.typed import TypedNetwork

WINDOWS = ("conv", "max_pool", "average_pool")


class Shifted(Record, eq=False):
    """An operation with `symmetric` padding, along one side: `before` positions are padded for windows of `reach`.

    `definition` is what calls it; one of the prelude is reported where a row uses it.
    """

    place: Span
    operation: str
    definition: str
    trusted: bool
    reach: int
    stride: int
    before: int


def shifted_windows(typed: TypedNetwork) -> Iterator[Shifted]:
    """Windows with `symmetric` padding that do not overlap: their first one begins outside of the map."""
    modules = {id(call.module): (call.module, row.span) for row in typed.rows.values() for call in row.uses}
    done: set[tuple[str, int]] = set()
    pending = [*modules.values()]
    seen = {*modules}
    for module, row in pending:  # which grows
        for event in module.events:
            if event.module is not None:
                if id(event.module) not in seen:
                    seen.add(id(event.module))
                    pending.append((event.module, row))
            elif event.at.called in WINDOWS and (found := _shift(module, event)) is not None:
                trusted = module.loc.file.startswith(TRUSTED)
                place = row if trusted else _place(typed, module, event) or row
                if (place.source.name, place.start) not in done:
                    done.add((place.source.name, place.start))
                    yield Shifted(place, event.at.called, module.definition, trusted, *found)


def _shift(module: Module, event: Event) -> tuple[int, int, int] | None:
    """Reach, stride and padding in front, of the first side whose windows are shifted."""
    if event.attributes["padding"].value != "symmetric" or module.types[event.opened[0]].is_pooled:
        return None
    attributes = {name: attr.value for name, attr in event.attributes.items()}
    for axis in (0, 1):
        kernel, stride, dilation, padding = window(attributes, axis)
        reach, before = (kernel - 1) * dilation + 1, pads(kernel, stride, dilation, padding)[0]
        if before and reach <= stride:
            return reach, stride, before
    return None


def _place(typed: TypedNetwork, module: Module, event: Event) -> Span | None:
    """Where a definition calls the operation."""
    defined = defined_as(typed, module.definition, module.loc)
    called = event.at.called if event.at.role in ("", event.at.called) else event.at.role
    return place_in(defined, called, event.at.loc) if defined is not None else None
