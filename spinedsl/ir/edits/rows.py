"""Edits of rows: clauses and types replaced, rows dropped, added and moved.

In: a `Draft` and one edit after another. Out: the draft's items and trace after them; rows that are not there, clauses
edited twice and edits that change nothing are reported.
"""

from __future__ import annotations

from collections.abc import Iterable

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Edit, Label, nearest, one_of
from spinedsl.ir.edits.draft import Draft, is_none
from spinedsl.ir.networks import with_article
from spinedsl.record import Record, field, replace
from spinedsl.source import Span
from spinedsl.syntax import tree

DROPPED = "row or task"  # what can be dropped
READS = ("from", "after", "absorb")
FEEDS = ("from", "after")  # either says what feeds a row, so that one replaces the other
ABOVE = {  # the kinds of rows below which a row without a place goes
    "stem": ("stem",),
    "block": ("stem", "block"),
    "output": ("stem", "block", "output"),
    "head": ("stem", "block", "output", "head"),
}


class RowEditor(Record, frozen=False):
    """Edits the rows of a draft."""

    draft: Draft
    done: dict[tuple[str, str], Span] = field(default_factory=dict)  # by row and what of it: edited here

    def __post_init__(self) -> None:
        parts = (*self.draft.items, *(self.draft.instance.edits or ()))
        self.mentioned = {name for part in parts if isinstance(part, tree.Broken) for name in part.mentions}

    def edit(self, edit: tree.Change | tree.Addition | tree.Drop | tree.Move) -> None:
        """Make one edit."""
        if isinstance(edit, tree.Change):
            self.change(edit)
        elif isinstance(edit, tree.Addition):
            self.add(edit)
        elif isinstance(edit, tree.Drop):
            self.drop(edit)
        else:
            self.move(edit)

    # ---- finding rows ----

    def index(self, name: str) -> int | None:
        """Where a row stands among the items of the network."""
        rows = enumerate(self.draft.items)
        return next((at for at, item in rows if isinstance(item, tree.Row) and item.name.text == name), None)

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
        if name.text in self.draft.trace.dropped:
            found = say.EDIT_OF_DROPPED.at(name.span, name=name.text)
            found = found.with_others(Label(self.draft.trace.dropped[name.text], "dropped here"))
            self.draft.diagnostics.append(found.with_fix("take one of the two edits away"))
            return None
        known = [item.name.text for item in self.draft.items if isinstance(item, tree.Row)]
        known += tasks if kind == DROPPED else ()
        where = f"in network `{self.draft.instance.base.text}`"
        found = say.UNKNOWN_NAME.at(name.span, kind=kind, name=name.text, where=where)
        found = found.with_others(Label(self.draft.base.name.span, f"`{self.draft.base.name.text}` is edited"))
        near = nearest(name.text, known)
        self.draft.trace.meant |= {near} if near is not None else {*known}
        if near is None and known:
            found = found.with_notes(f"its rows are {one_of(known, conjunction='and', limit=40)}")
            found = found.with_fix("edit one of those, or `add` a row of that name")
        self.draft.diagnostics.append(found.with_rename(name.span, near))
        return None

    def once(self, row: str, what: str, place: Span) -> bool:
        """Note that `what` of a row is edited; false, and reported, if it was before."""
        first = self.done.setdefault((row, what), place)
        if first is place:
            return True
        found = say.EDITED_TWICE.at(place, what=what, name=row)
        self.draft.diagnostics.append(found.with_others(Label(first, "first edited here")).repaired())
        return False

    # ---- the edits ----

    def change(self, edit: tree.Change) -> None:
        """Replace clauses, and the type if one is given."""
        unknown = len(self.draft.diagnostics)
        at = self.find(edit.name, edit.kind)
        if at is None:
            self.draft.trace.meant |= read_by(edit.clauses)
            if edit.use is not None and edit.clauses and len(self.draft.diagnostics) > unknown:
                start = Span(edit.span.source, edit.span.start, edit.span.start)
                self.draft.diagnostics[-1] = self.draft.diagnostics[-1].with_fix(
                    "did you mean a new row?", Edit(start, "add ")
                )
            return
        row = self.draft.items[at]
        assert isinstance(row, tree.Row)
        if row.kind != edit.kind:
            word = Span(edit.span.source, edit.span.start, edit.span.start + len(edit.kind))
            got, expected = with_article(row.kind), with_article(edit.kind)
            found = say.WRONG_KIND.at(word, name=row.name.text, got=got, expected=expected)
            found = found.with_others(Label(row.name.span, f"{got} here"))
            self.draft.diagnostics.append(found.with_rename(word, row.kind))
            return
        use = self.retyped(row, edit)
        clauses = self.replaced(row, edit)
        self.note_unread(row, clauses, edit.span)
        self.draft.trace.written.setdefault(edit.name.text, row.name.span)
        self.draft.items[at] = tree.Row(row.kind, edit.name, use, clauses, edit.span)

    def retyped(self, row: tree.Row, edit: tree.Change) -> tree.Use:
        """The row's type after the edit."""
        if edit.use is None or not self.once(row.name.text, "the type", edit.use.span):
            return row.use
        if self.draft.same(row.use, edit.use):
            self.draft.nothing(edit.use.span, f"`{row.name.text}` has this type already", "the same", row.use.span)
        return edit.use

    def replaced(self, row: tree.Row, edit: tree.Change) -> tuple[tree.Clause, ...]:
        """The row's clauses after the edit, in their order; new ones last."""
        kept: list[tree.Clause] = list(row.clauses)
        fresh: list[tree.Clause] = []
        here: dict[str, tree.Clause] = {}
        torn = {clause.keyword.text for clause in edit.clauses} >= set(FEEDS)  # given for the row: one of the two
        for clause in edit.clauses:
            word = clause.keyword.text
            if word in here:
                found = say.CLAUSE_TWICE.at(clause.span, name=word)
                found = found.with_others(Label(here[word].span, "first given here"))
                self.draft.diagnostics.append(found.repaired(Edit(clause.span, "")))
                continue
            second = torn and word in FEEDS and not here.keys().isdisjoint(FEEDS)
            here[word] = clause
            if second:
                fresh.append(clause)
                continue
            if not self.once(row.name.text, "the input" if word in FEEDS else f"`{word}`", clause.span):
                continue
            if is_none(clause):
                alone = edit.use is None and len(edit.clauses) == 1
                self.take_away(row, kept, clause, edit.span if alone else clause.span)
                continue
            same = [old for old in kept if old.keyword.text == word or (old.keyword.text in FEEDS and word in FEEDS)]
            if not torn and any(old.keyword.text == word and self.draft.same(old.value, clause.value) for old in same):
                what = f"`{word}` of `{row.name.text}` is {clause.span.text[len(word) :].strip()} already"
                self.draft.nothing(clause.span, what, "the same", same[0].span)
            place = min((kept.index(old) for old in same), default=None)
            kept = [old for old in kept if old not in same]
            if place is None:
                fresh.append(clause)
            else:
                kept.insert(place, clause)
        return (*kept, *fresh)

    def take_away(self, row: tree.Row, kept: list[tree.Clause], clause: tree.Clause, place: Span) -> None:
        """`absorb none`: the row has the clause no more. `reported` is all that says so."""
        word = clause.keyword.text
        if any(old.keyword.text == word for old in kept):
            kept[:] = [old for old in kept if old.keyword.text != word]
            return
        found = say.NO_SUCH_CLAUSE.at(clause.span, row=f"{row.kind} `{row.name.text}`", name=word)
        found = found.with_others(Label(row.name.span, f"`{row.name.text}` has no `{word}`"))
        self.draft.diagnostics.append(found.repaired(Edit(place, "")))

    def drop(self, edit: tree.Drop) -> None:
        """Take a row away."""
        name = edit.name.text
        has_tasks = any(isinstance(item, tree.Task) for item in self.draft.items)
        at = self.find(edit.name, DROPPED if has_tasks else "row")
        if at is None:
            return
        row = self.draft.items[at]
        assert isinstance(row, tree.Row)
        if wasted := [place for (edited, _), place in self.done.items() if edited == name]:
            found = say.EDIT_WITHOUT_EFFECT.at(wasted[0], what=f"`{name}` is edited, then dropped", label="edited here")
            self.draft.diagnostics.append(
                found.with_others(Label(edit.span, "dropped here")).with_fix("take one of them away")
            )
        self.note_unread(row, (), edit.span)
        self.draft.trace.dropped[name] = edit.span
        for table in (self.draft.trace.placed, self.draft.trace.written):
            table.pop(name, None)
        del self.draft.items[at]

    def add(self, edit: tree.Addition) -> None:
        """Put a row in, where it says or at the end of its kind."""
        row = edit.row
        if (there := self.index(row.name.text)) is not None:
            self.add_again(row, self.draft.items[there])
            return
        at = self.end_of(row.kind)
        if edit.place is not None:
            beside = self.find(edit.place.row)
            if beside is not None:
                at = beside + (edit.place.word == "after")
        elif (both := self.meant_as_place(row)) is not None:
            self.draft.diagnostics.append(both)
            row = replace(row, clauses=tuple(clause for clause in row.clauses if clause.keyword.text != "after"))
        self.draft.trace.dropped.pop(row.name.text, None)
        self.draft.trace.placed[row.name.text] = (edit.span, "added")
        self.done[row.name.text, "the row"] = edit.span
        self.draft.items.insert(at, row)

    def add_again(self, row: tree.Row, there: tree.NetworkItem) -> None:
        """A name that a row has: nothing is added."""
        assert isinstance(there, tree.Row)
        found = say.DEFINED_TWICE.at(row.name.span, name=row.name.text, what=f"the {row.kind} that is added")
        found = found.with_others(Label(there.name.span, "a row has this name"))
        taken = {item.name.text for item in self.draft.items if isinstance(item, tree.Row)}
        free = next(name for n in range(2, len(taken) + 3) if (name := f"{row.name.text}_{n}") not in taken)
        self.draft.diagnostics.append(
            found.with_fix(f"choose another name, say `{free}`, or edit the row that is there")
        )

    def end_of(self, kind: str) -> int:
        """Where a row without a place goes: below the last row of its kind, or of a kind that it may read."""
        rows = [(at, item.kind) for at, item in enumerate(self.draft.items) if isinstance(item, tree.Row)]
        places = [at for at, other in rows if other in ABOVE[kind]]
        if places:
            return places[-1] + 1
        return rows[0][0] if rows else len(self.draft.items)

    @staticmethod
    def meant_as_place(row: tree.Row) -> Diagnostic | None:
        """`from b3 after b7`: what feeds the row is given, so `after` seems to be its place."""
        words = [clause.keyword.text for clause in row.clauses]
        if "from" not in words or "after" not in words:
            return None
        after = row.clauses[words.index("after")]
        found = say.FROM_AND_AFTER.at(after.span).with_others(
            Label(row.clauses[words.index("from")].span, "and `from` here")
        )
        keyword = after.keyword.span
        return found.with_fix("to say where the row goes, write `right after`", Edit(keyword, "right after"))

    def move(self, edit: tree.Move) -> None:
        """Put a row elsewhere."""
        at, beside = self.find(edit.name), self.find(edit.place.row)
        if at is None or beside is None or not self.once(edit.name.text, "the place", edit.span):
            self.draft.trace.meant |= {edit.name.text, edit.place.row.text}
            return
        row = self.draft.items[at]
        before = [item for item in self.draft.items if isinstance(item, tree.Row)]
        if at != beside:
            target = self.draft.items[beside]
            del self.draft.items[at]
            self.draft.items.insert(self.draft.items.index(target) + (edit.place.word == "after"), row)
        if before == [item for item in self.draft.items if isinstance(item, tree.Row)]:
            itself = at == beside
            what = f"`{edit.name.text}` stands there already"
            self.draft.nothing(edit.span, what, "itself" if itself else "where it stands")
            return
        self.draft.trace.placed[edit.name.text] = (edit.span, "moved")

    def note_unread(self, row: tree.Row, clauses: tuple[tree.Clause, ...], edit: Span) -> None:
        """Remember which rows are read less than before."""
        after = read_by(clauses)
        for name in read_by(row.clauses) - after:
            self.draft.trace.unread[name] = edit
        if row.kind == "output" and not row.clauses:
            self.draft.trace.unread[row.use.name.text] = edit


def read_by(clauses: Iterable[tree.Clause]) -> set[str]:
    """The rows that clauses name."""
    return {
        name.text
        for clause in clauses
        if clause.keyword.text in READS and isinstance(clause.value, tuple)
        for name in clause.value
    }
