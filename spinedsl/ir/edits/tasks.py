"""Edits of tasks: `task NAME: …` adds a task or replaces the one of that name, `drop NAME` takes it away.

In: a `Draft` and one edit after another. Out: the draft's items and trace after them. A task has no place among the
rows, so none is moved.
"""

from __future__ import annotations

from spinedsl import checks as say
from spinedsl.diagnostics import Label
from spinedsl.ir.edits.draft import Draft
from spinedsl.record import Record, field
from spinedsl.source import Span
from spinedsl.syntax import tree


class TaskEditor(Record, frozen=False):
    """Edits the tasks of a draft, each once."""

    draft: Draft
    done: dict[str, Span] = field(default_factory=dict)  # by name: given here

    def index(self, name: str) -> int | None:
        """Where a task stands among the items of the network."""
        tasks = enumerate(self.draft.items)
        return next((at for at, item in tasks if isinstance(item, tree.Task) and item.name.text == name), None)

    def edit(self, edit: tree.Task) -> None:
        """Put a task in, in the place of the one of that name if there is one."""
        name = edit.name.text
        first = self.done.setdefault(name, edit.span)
        if first is not edit.span:
            found = say.EDITED_TWICE.at(edit.span, what="the declaration", name=name)
            found = found.with_others(Label(first, "first edited here"))
            self.draft.diagnostics.append(found.with_fix("take one of them away"))
            return
        self.draft.trace.dropped.pop(name, None)
        at = self.index(name)
        if at is None:
            self.draft.items.append(edit)
            return
        old = self.draft.items[at]
        assert isinstance(old, tree.Task)
        if tree.alike(old.use, edit.use) and tree.alike(old.clauses, edit.clauses):
            self.draft.nothing(edit.span, f"task `{name}` says this already", "the same", old.span)
        self.draft.trace.written.setdefault(name, old.name.span)
        self.draft.items[at] = edit

    def drop(self, edit: tree.Drop) -> bool:
        """Take a task away; false if there is none of that name."""
        name = edit.name.text
        at = self.index(name)
        if at is None:
            return False
        if name in self.done:
            found = say.EDIT_WITHOUT_EFFECT.at(
                self.done[name], what=f"`{name}` is edited, then dropped", label="edited here"
            )
            found = found.with_others(Label(edit.span, "dropped here"))
            self.draft.diagnostics.append(found.with_fix("take one of them away"))
        self.draft.trace.dropped[name] = edit.span
        self.draft.trace.written.pop(name, None)
        del self.draft.items[at]
        return True
