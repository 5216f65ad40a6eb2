"""What stands in a network while it is edited: rows and parts by name, and outputs that are listed together.

In: a `Draft`. Out: where something stands among its items, or what is wrong with its name.
"""

from __future__ import annotations

from typing import TypeAlias

from spinedsl import checks as say
from spinedsl.diagnostics import Label, nearest, one_of
from spinedsl.ir.edits.draft import Draft
from spinedsl.record import Record, replace
from spinedsl.syntax import tree
from spinedsl.syntax.statements import PART

DROPPED = "row or task"  # what can be dropped
RowEdit = tree.Change | tree.Addition | tree.Drop | tree.Move
PLACED = (tree.Row, tree.Part)  # what an edit may name
Placed: TypeAlias = "tree.Row | tree.Part"


class Standing(Record, frozen=False):
    """Finds the rows and parts of a draft."""

    draft: Draft

    def __post_init__(self) -> None:
        reached = [name_of(edit) for edit in self.draft.network.declared.inside if isinstance(edit, RowEdit)]
        self.inside = {name for name in reached if "." not in name}  # rows that were put beside those of parts
        parts = (*self.draft.items, *(self.draft.instance.edits or ()))
        self.mentioned = {name for part in parts if isinstance(part, tree.Broken) for name in part.mentions}

    def index(self, name: str) -> int | None:
        """Where a row or a part stands among the items of the network."""
        rows = enumerate(self.draft.items)
        return next((at for at, item in rows if isinstance(item, PLACED) and item.name.text == name), None)

    def placed(self, at: int) -> Placed:
        """The row or part that stands there."""
        found = self.draft.items[at]
        assert isinstance(found, PLACED)
        return found

    def output_of_several(self, name: str) -> int | None:
        """Where `output P3, P4: n` stands, if the name is one of these."""
        for at, item in enumerate(self.draft.items):
            if isinstance(item, tree.Outputs) and item.sources is not None and name in [one.text for one in item.names]:
                return at
        return None

    def apart(self, name: str) -> int | None:
        """Take an output out of `output P3, P4: n`, where the others keep their maps; where that stands."""
        at = self.output_of_several(name)
        if at is not None:
            item = self.draft.items[at]
            assert isinstance(item, tree.Outputs)
            names = tuple(tree.Name("", one.span, name) if one.text == name else one for one in item.names)
            self.draft.items[at] = replace(item, names=names)
        return at

    def find(self, name: tree.Name, kind: str = "row") -> int | None:
        """The same, or None with what is wrong reported."""
        at = self.index(name.text)
        if at is not None or not self.mentioned.isdisjoint((name.text, name.text.partition(".")[0])):
            return at
        tasks = {item.name.text: item for item in self.draft.items if isinstance(item, tree.Task)}
        if name.text in tasks:
            found = say.WRONG_KIND.at(name.span, name=name.text, got="a task", expected="a row")
            found = found.with_others(Label(tasks[name.text].name.span, "a task here"))
            fix = f"a task has no place among the rows; to change it, say it anew: `task {name.text}: …`"
            self.draft.diagnostics.append(found.with_fix(fix))
            return None
        if (gone := self.draft.trace.gone(name.text)) is not None:
            found = say.EDIT_OF_DROPPED.at(name.span, name=name.text)
            found = found.with_others(Label(gone, "dropped here"))
            self.draft.diagnostics.append(found.with_fix("take one of the two edits away"))
            return None
        known = [item.name.text for item in self.draft.items if isinstance(item, PLACED)]
        if kind == PART:
            known = [item.name.text for item in self.draft.items if isinstance(item, tree.Part)]
        known += tasks if kind == DROPPED else ()
        where = f"in network `{self.draft.instance.base.text}`"
        found = say.UNKNOWN_NAME.at(name.span, kind=kind, name=name.text, where=where)
        found = found.with_others(Label(self.draft.base.name.span, f"`{self.draft.base.name.text}` is edited"))
        near = nearest(name.text, known)
        self.draft.trace.meant |= {near} if near is not None else {*known}
        if near is None and known:
            found = found.with_notes(
                f"its {PART if kind == PART else 'row'}s are {one_of(known, conjunction='and', limit=40)}"
            )
            found = found.with_fix(
                "edit one of those, or `add` a row of that name"
                if "." not in name.text or kind != PART
                else f"edit the network that `{name.text.partition('.')[0]}` is of, and put that in its place"
            )
        self.draft.diagnostics.append(found.with_rename(name.span, near))
        return None

    def beside(self, name: tree.Name, *, part: bool) -> int | None:
        """Where the row or part stands that another goes beside; a part stands beside what is no row of a part."""
        if not part:
            return self.find(name)
        several = self.output_of_several(name.text)
        if several is not None:
            return several
        owner = name.text.partition(".")[0]
        at = self.index(owner)
        if ("." in name.text and at is not None) or name.text in self.inside:
            found = say.WRONG_KIND.at(name.span, name=name.text, got="a row of a part", expected="a row or a part")
            fix = f"put it beside the part: `{owner}`" if at is not None and "." in name.text else "name another row"
            self.draft.diagnostics.append(found.with_fix(fix))
            return None
        return self.find(name)


def name_of(edit: RowEdit) -> str:
    """The row or part that an edit is about."""
    return edit.row.name.text if isinstance(edit, tree.Addition) else edit.name.text
