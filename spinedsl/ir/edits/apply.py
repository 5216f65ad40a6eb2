"""Apply the edits of one instance to a network, in the order in which they stand.

In: the network, the instance, and the unit of its file. Out: the tree of the edited network, a `Trace`, and what is
wrong with the edits by themselves. What is wrong with the result is found by the stages after this, as in any network.
"""

from __future__ import annotations

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Severity
from spinedsl.ir.edits.draft import Draft
from spinedsl.ir.edits.rows import RowEditor
from spinedsl.ir.edits.settings import KINDS, SettingsEditor
from spinedsl.ir.edits.tasks import TaskEditor
from spinedsl.ir.library import Unit
from spinedsl.ir.networks import Network
from spinedsl.ir.trace import Trace
from spinedsl.record import replace
from spinedsl.syntax import tree


def apply(base: Network, instance: tree.Instance, unit: Unit) -> tuple[tree.Network, Trace, list[Diagnostic]]:
    """The network that an instance's edits make of `base`."""
    draft = Draft(base, instance, unit)
    rows, settings, tasks = RowEditor(draft), SettingsEditor(draft), TaskEditor(draft)
    if not instance.edits:
        label = f"the same as `{instance.base.text}`"
        draft.diagnostics.append(
            say.EDIT_WITHOUT_EFFECT.at(instance.name.span, what="`with` has no edits", label=label)
        )
    for edit in instance.edits or ():
        if isinstance(edit, KINDS):
            settings.edit(edit)
        elif isinstance(edit, tree.Argument):
            settings.give(edit)
        elif isinstance(edit, tree.Allow | tree.Broken):
            draft.items.append(edit)
        elif isinstance(edit, tree.Task):
            tasks.edit(edit)
        elif not (isinstance(edit, tree.Drop) and tasks.drop(edit)):
            rows.edit(edit)
    settings.unread_lets()
    allowed = {item.code.text for item in draft.items if isinstance(item, tree.Allow)}
    reported = [d for d in draft.diagnostics if not (d.severity is Severity.WARNING and d.code.id in allowed)]
    return replace(draft.base, name=instance.name, items=tuple(draft.items)), draft.trace, reported
