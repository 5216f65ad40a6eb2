"""Show, for what is wrong with an edited network, both places: the edit, and the row as it is written.

In: diagnostics of a network. Out: the same; those of an edited network point at its edits too. What is wrong with the
network that was edited, too, is left to that network: `in_order` drops what shows inside another's place.
"""

from __future__ import annotations

from collections.abc import Iterable

from spinedsl.diagnostics import Diagnostic, Edit, Label
from spinedsl.diagnostics import catalogue as say
from spinedsl.ir.networks import Network
from spinedsl.record import replace
from spinedsl.source import Span
from spinedsl.syntax import tree


def blame(network: Network, diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The diagnostics of a network, each with the edit that it comes from."""
    instance = network.instance
    if instance is None or instance.edits is None:
        return tuple(diagnostics)
    return tuple(_own_repairs(instance, _blame(network, instance, diagnostic)) for diagnostic in diagnostics)


def _own_repairs(instance: tree.Instance, said: Diagnostic) -> Diagnostic:
    """A repair of an edited network is never made in the network that it is made of: there it stays in words."""
    here = [all(instance.edited_at(edit.span) for edit in fix.edits) for fix in said.fixes]
    fixes = (fix if ours else replace(fix, edits=()) for fix, ours in zip(said.fixes, here, strict=True))
    return replace(said, fixes=tuple(fixes))


def _blame(network: Network, instance: tree.Instance, said: Diagnostic) -> Diagnostic:
    trace = network.trace
    assert trace is not None
    if said.span == instance.name.span:
        return replace(said, inside=said.inside or trace.root)
    if instance.edited_at(said.span):
        return _with_row(network, instance, said)
    if any(instance.edited_at(label.span) for label in said.others):
        return said
    edit = trace.unread.get(said.span.text) if said.code is say.UNUSED_BLOCK else None
    if edit is not None and instance.edited_at(edit):
        return _unread(said, edit)
    place = _likely(network, instance, said)
    where = f"in network `{instance.name.text}`, "
    return said.seen_from(place or instance.name.span, where + ("after this edit" if place else "edited here"))


def _likely(network: Network, instance: tree.Instance, said: Diagnostic) -> Span | None:
    """The edit of the row in which a mistake shows, or the only edit that there is."""
    edits = instance.edits or ()
    for edit in reversed(edits):
        written = network.trace.written.get(edit.name.text) if network.trace and isinstance(edit, tree.Change) else None
        if written is not None and written.source is said.span.source and written.line == said.span.line:
            return edit.span
    return edits[0].span if len(edits) == 1 else None


def _unread(said: Diagnostic, edit: Span) -> Diagnostic:
    """A row as it was, that nothing reads after an edit: the edit is what to look at."""
    drop = f"drop {said.span.text}"
    line = Edit(Span(edit.source, edit.end, edit.end), "\n" + " " * (edit.column - 1) + drop)
    found = replace(said, fixes=()).seen_from(edit, "nothing reads it after this edit")
    return found.with_fix(f"drop it too: `{drop}`", line).with_fix("or read it in a block below")


def _with_row(network: Network, instance: tree.Instance, said: Diagnostic) -> Diagnostic:
    """A mistake in an edit of a row, with the place where that row is written."""
    trace = network.trace
    assert trace is not None
    for edit in instance.edits or ():
        if isinstance(edit, tree.Change) and edit.span.start <= said.span.start < edit.span.end:
            written = trace.written.get(edit.name.text)
            shown = {label.span for label in said.others}
            if written is not None and written not in shown:
                return said.with_others(Label(written, f"`{edit.name.text}` is written here"))
    return said
