"""How a warning about a network is accepted: what each of them offers beside its own repair."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spinedsl.diagnostics import Diagnostic, Edit
from spinedsl.source import Span

if TYPE_CHECKING:
    from spinedsl.ir.typed import TypedNetwork


def accept(network: TypedNetwork, found: Diagnostic, repair: str = "") -> Diagnostic:
    """The same with its rule's repair or another one, or with an `allow` row at the beginning of the network."""
    first = network.network.declared.items[0].span
    row = f'allow {found.code.id} "the reason"'
    line = first.source.line_text(first.line)
    indent = line[: len(line) - len(line.lstrip())]
    place = Span(first.source, first.start, first.start)
    return found.with_fix(f"{repair or found.code.fix}, or accept it: `{row}`", Edit(place, f"{row}\n{indent}"))
