"""Diagnostics by file and place, each once: what the compiler returns, and the order in which they are read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spinedsl.diagnostics.model import Diagnostic


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """By file and place, each reported once: instances of one network repeat what they share."""
    found = list(diagnostics)
    places = {(d.code.id, d.span) for d in found}
    seen: dict[tuple[str, str, int, int, str], Diagnostic] = {}
    for diagnostic in found:
        span = diagnostic.span
        if diagnostic.inside is not None and (diagnostic.code.id, diagnostic.inside) in places:
            continue
        key = (span.source.place, diagnostic.code.id, span.start, span.end, diagnostic.message)
        seen.setdefault(key, diagnostic)
    return tuple(sorted(seen.values(), key=lambda d: (d.span.source.name, d.span.start, d.span.end, d.code.id)))
