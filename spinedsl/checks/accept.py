"""How a lint is accepted: the words and the edit that every lint offers beside its own repair."""

from __future__ import annotations

from spinedsl.diagnostics import Edit
from spinedsl.ir.typed import TypedNetwork
from spinedsl.source import Span


def accept(typed: TypedNetwork, repair: str, code: str) -> tuple[str, Edit]:
    """The text of a fix, and the `allow` row at the beginning of the network."""
    first = typed.network.declared.items[0].span
    row = f'allow {code} "the reason"'
    line = first.source.line_text(first.line)
    indent = line[: len(line) - len(line.lstrip())]
    place = Span(first.source, first.start, first.start)
    return f"{repair}, or accept it: `{row}`", Edit(place, f"{row}\n{indent}")
