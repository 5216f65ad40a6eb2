"""Compare: from two sides to their difference."""

from __future__ import annotations

from spinedsl.compare.model import Difference
from spinedsl.compare.parts import part_changes
from spinedsl.compare.rows import partners, row_changes
from spinedsl.compare.settings import definition_changes, setting_changes
from spinedsl.compare.side import Side
from spinedsl.compare.tasks import task_changes, task_reasons
from spinedsl.compare.tensors import fit
from spinedsl.compare.tiers import notes, reasons


def compare(old: Side, new: Side) -> Difference:
    """Everything that changed from the old network to the new one, and what it breaks."""
    found = partners(old, new)
    tensors = fit(old, new, found)
    why = (*reasons(old, new, tensors, found), *task_reasons(old, new))
    return Difference(
        old,
        new,
        (
            *setting_changes(old, new),
            *definition_changes(old, new),
            *part_changes(old, new),
            *row_changes(old, new, found),
            *task_changes(old, new),
        ),
        tuple(sorted(why, key=lambda reason: -reason.tier)),
        tensors,
        tuple(notes(old, new)),
    )
