"""Apply the edits of one instance to a network, in the order in which they stand.

In: the network, the instance, and the unit of its file. Out: the tree of the edited network, a `Trace`, and what is
wrong with the edits by themselves. What is wrong with the result is found by the stages after this, as in any network.

A network with parts is edited as it was before these were written out. Then they are, and the edits that reach into
parts are made: first those of the networks that this one is made of, of rows that are still there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Severity
from spinedsl.ir.edits.draft import Draft
from spinedsl.ir.edits.rows import RowEditor
from spinedsl.ir.edits.settings import KINDS, SettingsEditor
from spinedsl.ir.edits.standing import RowEdit, name_of
from spinedsl.ir.edits.tasks import TaskEditor
from spinedsl.ir.library import Unit
from spinedsl.ir.networks import Network
from spinedsl.ir.trace import Trace
from spinedsl.record import replace
from spinedsl.syntax import tree

WrittenOut: TypeAlias = Callable[[tree.Network, Trace], tree.Network]  # a network with rows for its parts


def apply(
    base: Network, instance: tree.Instance, unit: Unit, written: WrittenOut
) -> tuple[tree.Network, Trace, list[Diagnostic]]:
    """The network that an instance's edits make of `base`."""
    draft = Draft(base, instance, unit)
    rows, settings, tasks = RowEditor(draft), SettingsEditor(draft), TaskEditor(draft)
    if not instance.edits:
        label = f"the same as `{instance.base.text}`"
        draft.diagnostics.append(
            say.EDIT_WITHOUT_EFFECT.at(instance.name.span, what="`with` has no edits", label=label)
        )
    reaching: list[RowEdit] = []  # into parts
    for edit in instance.edits or ():
        if isinstance(edit, KINDS):
            settings.edit(edit)
        elif isinstance(edit, tree.Argument):
            settings.give(edit)
        elif isinstance(edit, tree.Allow | tree.Broken):
            draft.items.append(edit)
        elif isinstance(edit, tree.Task):
            tasks.edit(edit)
        elif isinstance(edit, tree.Drop) and tasks.drop(edit):
            continue
        elif rows.reaches_inside(edit):
            reaching.append(edit)
        else:
            rows.edit(edit)
    settings.unread_lets()
    declared = replace(draft.base, name=instance.name, items=tuple(draft.items))
    if any(isinstance(item, tree.Part | tree.Outputs) for item in draft.items):
        made = written(declared, draft.trace)
        draft.items = list(made.items)
        before = [one for one in base.declared.inside if not _is_of(one, draft.renewed)]
        _repeated(draft, before)
        declared = replace(made, whole=declared, inside=(*before, *reaching))
    for edit in reaching:
        rows.edit(edit)
    allowed = {item.code.text for item in draft.items if isinstance(item, tree.Allow)}
    reported = [d for d in draft.diagnostics if not (d.severity is Severity.WARNING and d.code.id in allowed)]
    return replace(declared, items=tuple(draft.items)), draft.trace, reported


def _is_of(edit: tree.EditItem, parts: set[str]) -> bool:
    """The edit is about a row of one of these parts."""
    return isinstance(edit, RowEdit) and "." in name_of(edit) and name_of(edit).partition(".")[0] in parts


def _repeated(draft: Draft, edits: Sequence[tree.EditItem]) -> None:
    """Make the edits of earlier networks again, of what is still there; what is wrong with them was reported there."""
    reported, meant = draft.diagnostics, {*draft.trace.meant}
    draft.diagnostics = []
    rows = RowEditor(draft)
    for edit in edits:
        if isinstance(edit, RowEdit) and rows.fits(edit):
            rows.edit(edit)
    draft.diagnostics, draft.trace.meant = reported, meant
