"""Show, for what is wrong in a part, the row that puts it in; and what is wrong in one network once, whoever uses it.

In: diagnostics of networks with parts. Out: the same; a place in the text of a part shows the part's row too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from spinedsl.diagnostics import Diagnostic, Label
from spinedsl.ir.networks import Network
from spinedsl.source import Span
from spinedsl.syntax import tree


def shown(network: Network, diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The diagnostics of a network, each with the part in which it shows."""
    return tuple(_shown(network, diagnostic) for diagnostic in diagnostics)


def _shown(network: Network, found: Diagnostic) -> Diagnostic:
    frame = _around(network, found.span)
    if frame is None or any(_inside(label.span, frame.place) for label in found.others):
        return found
    if found.span.source is not frame.place.source:
        return found.seen_from(frame.place, f"in this part, `{frame.network}`")
    return found.with_others(Label(frame.place, "in this part"))


def _around(network: Network, span: Span) -> tree.Frame | None:
    return next((frame for frame in network.declared.frames.values() if _inside(span, frame.span)), None)


def _inside(span: Span, other: Span) -> bool:
    return span.source is other.source and other.start <= span.start and span.end <= other.end


def once(networks: Iterable[Network], diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
    """The same; of what stands in a network that is a part of others, each mistake once, as it is there by itself."""
    texts = [network.declared.span for network in networks if network.is_part and network.instance is None]
    first: dict[tuple[str, Span], Diagnostic] = {}
    for found in diagnostics:
        if any(_inside(found.span, text) for text in texts):
            key = found.code.id, found.span
            if key not in first or len(found.others) < len(first[key].others):
                first[key] = found
    kept = {id(found) for found in first.values()}
    return [found for found in diagnostics if id(found) in kept or (found.code.id, found.span) not in first]
