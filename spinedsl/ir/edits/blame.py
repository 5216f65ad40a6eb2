"""Show, for what is wrong with an edited network, both places: the edit, and the row as it is written.

In: diagnostics of a network. Out: the same; those of an edited network point at its edits too. What is wrong with the
network that was edited, too, is left to that network: `in_order` drops what shows inside another's place.
"""

from __future__ import annotations

from collections.abc import Iterable

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Edit, Fix, Label
from spinedsl.ir.edits.settings import word_of
from spinedsl.ir.networks import Network
from spinedsl.record import replace
from spinedsl.source import Span
from spinedsl.syntax import tree


def blame(network: Network, diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The diagnostics of a network, each with the edit that it comes from."""
    instance = network.instance
    if instance is None or instance.edits is None:
        return tuple(diagnostics)
    return tuple(_own_repairs(network, instance, _blame(network, instance, diagnostic)) for diagnostic in diagnostics)


def _own_repairs(network: Network, instance: tree.Instance, diagnostic: Diagnostic) -> Diagnostic:
    """A repair of an edited network is made in its edits or among its file's imports: elsewhere it stays in words."""
    fixes = (
        fix
        if all(_ours(network.unit.file, instance, edit.span) for edit in fix.edits)
        else _in_edits(network, instance, fix)
        for fix in diagnostic.fixes
    )
    return replace(diagnostic, fixes=tuple(fixes))


def _in_edits(network: Network, instance: tree.Instance, fix: Fix) -> Fix:
    """To take away a clause of a row as it was: `channels none` in the edit of that row, where there is one."""
    (first, *rest) = fix.edits
    if not first.text and not rest:
        edits = {edit.name.text: edit.span for edit in instance.edits or () if isinstance(edit, tree.Change)}
        for row in network.rows:
            for clause in row.clauses.values():
                if clause.span == first.span and (edit := edits.get(row.name)) is not None:
                    text = f"{clause.keyword.text} none"
                    line = Edit(Span(edit.source, edit.end, edit.end), f" {text}")
                    return Fix(f"say `{text}` in the edit: it takes the clause away", (line,))
    return replace(fix, edits=())


def _ours(file: tree.File, instance: tree.Instance, place: Span) -> bool:
    """A place of the instance, or of its file outside every definition and network."""
    if instance.edited_at(place) or place.source is not file.source:
        return instance.edited_at(place)
    taken = [part.span for part in file.definitions]
    taken += [other.extent if isinstance(other, tree.Instance) else other.span for other in file.networks]
    return not any(span.start < place.end and place.start < span.end for span in taken)


def _blame(network: Network, instance: tree.Instance, diagnostic: Diagnostic) -> Diagnostic:
    """A mistake of an edited network at the edit that causes it, where one can be told, else at the instance."""
    trace = network.trace
    assert trace is not None
    if diagnostic.span == instance.name.span:
        return replace(diagnostic, inside=diagnostic.inside or trace.root)
    if instance.edited_at(diagnostic.span):
        return _with_row(network, instance, diagnostic)
    if edited := [label for label in diagnostic.others if instance.edited_at(label.span)]:
        return diagnostic if diagnostic.span.source is instance.span.source else _turned(diagnostic, edited[0])
    edit = trace.unread.get(diagnostic.span.text) if diagnostic.code is say.UNUSED_BLOCK else None
    if edit is not None and instance.edited_at(edit):
        return _unread(diagnostic, edit)
    place = _likely(network, instance, diagnostic)
    where = f"in network `{instance.name.text}`, "
    return diagnostic.seen_from(place or instance.name.span, where + ("after this edit" if place else "edited here"))


def _turned(diagnostic: Diagnostic, edit: Label) -> Diagnostic:
    """What shows in a row of another file, reported at the edit: the other file is right as it stands."""
    others = tuple(label for label in diagnostic.others if label is not edit)
    return replace(diagnostic, others=others).seen_from(edit.span, edit.text)


def _likely(network: Network, instance: tree.Instance, diagnostic: Diagnostic) -> Span | None:
    """The edit of the row in which a mistake shows, or the only edit that there is."""
    edits = instance.edits or ()
    for edit in reversed(edits):
        _, written = _written(network, edit)
        if written is not None and written.source is diagnostic.span.source and written.line == diagnostic.span.line:
            return edit.span
    return edits[0].span if len(edits) == 1 else None


def _unread(diagnostic: Diagnostic, edit: Span) -> Diagnostic:
    """A row as it was, that nothing reads after an edit: the edit is what to look at."""
    drop = f"drop {diagnostic.span.text}"
    line = Edit(Span(edit.source, edit.end, edit.end), "\n" + " " * (edit.column - 1) + drop)
    found = replace(diagnostic, fixes=()).seen_from(edit, "nothing reads it after this edit")
    return found.with_fix(f"drop it too: `{drop}`", line).with_fix("or read it in a block below")


def _with_row(network: Network, instance: tree.Instance, diagnostic: Diagnostic) -> Diagnostic:
    """A mistake in an edit of a row or setting, with the place where that is written."""
    for edit in instance.edits or ():
        if edit.span.start <= diagnostic.span.start < edit.span.end:
            word, written = _written(network, edit)
            shown = {label.span for label in diagnostic.others}
            if written is not None and written not in shown:
                return diagnostic.with_others(Label(written, f"`{word}` is written here"))
    return diagnostic


def _written(network: Network, edit: tree.EditItem) -> tuple[str, Span | None]:
    """What an edit changes, by its name or word, and where that is written."""
    word = edit.name.text if isinstance(edit, tree.Change | tree.Task) else word_of(edit)
    return word or "", network.trace.written.get(word) if network.trace is not None and word is not None else None
