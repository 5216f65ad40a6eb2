"""Edits of rows and parts: clauses and types replaced, rows dropped, added and moved.

In: a `Draft` and one edit after another. Out: the draft's items and trace after them; rows that are not there, clauses
edited twice and edits that change nothing are reported.
"""

from __future__ import annotations

from collections.abc import Iterable

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Edit, Label
from spinedsl.ir.edits.draft import is_none
from spinedsl.ir.edits.standing import DROPPED, PLACED, Placed, RowEdit, Standing, name_of
from spinedsl.ir.networks import with_article
from spinedsl.record import field, replace
from spinedsl.source import Span
from spinedsl.syntax import tree

READS = ("from", "after", "absorb")
FEEDS = ("from", "after")  # either says what feeds a row, so that one replaces the other
ABOVE = {  # the kinds of rows below which a row without a place goes
    "stem": ("stem",),
    "block": ("stem", "block", "part"),
    "part": ("stem", "block", "part"),
    "output": ("stem", "block", "part", "output"),
    "head": ("stem", "block", "part", "output", "head"),
}


class RowEditor(Standing, frozen=False):
    """Edits the rows of a draft."""

    done: dict[tuple[str, str], Span] = field(default_factory=dict)  # by row and what of it: edited here

    def edit(self, edit: RowEdit) -> None:
        """Make one edit."""
        if isinstance(edit, tree.Change):
            self.change(edit)
        elif isinstance(edit, tree.Addition):
            self.add(edit)
        elif isinstance(edit, tree.Drop):
            self.drop(edit)
        else:
            self.move(edit)

    # ---- edits that reach into parts ----

    def reaches_inside(self, edit: RowEdit) -> bool:
        """It is about a row that is there only once the parts are written out, or beside one that is."""
        name = name_of(edit)
        listed = self.output_of_several(name) is not None
        if listed and (isinstance(edit, tree.Drop) or (isinstance(edit, tree.Change) and edit.use is not None)):
            return False
        if self.moves_part(edit):
            return False
        beside = edit.place.row.text if isinstance(edit, tree.Addition | tree.Move) and edit.place is not None else ""
        if not isinstance(edit, tree.Addition) and (listed or "." in name or name in self.inside):
            return True
        if "." in beside or beside in self.inside or (beside and self.output_of_several(beside) is not None):
            self.inside.add(name)
            return True
        return "." in name

    def moves_part(self, edit: RowEdit) -> bool:
        """It gives a part its place."""
        if isinstance(edit, tree.Addition):
            return isinstance(edit.row, tree.Part)
        at = self.index(name_of(edit)) if isinstance(edit, tree.Move) else None
        return at is not None and isinstance(self.draft.items[at], tree.Part)

    def fits(self, edit: RowEdit) -> bool:
        """An edit that was made of another network can be made here."""
        place = edit.place if isinstance(edit, tree.Addition | tree.Move) else None
        if place is not None and self.index(place.row.text) is None:
            return False
        at = self.index(name_of(edit))
        if at is None or isinstance(edit, tree.Addition):
            return (at is None) == isinstance(edit, tree.Addition)
        return not isinstance(edit, tree.Change) or self.placed(at).kind == edit.kind

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
        if self.change_of_several(edit):
            return
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
        row = self.placed(at)
        if row.kind != edit.kind:
            word = Span(edit.span.source, edit.span.start, edit.span.start + len(edit.kind))
            got, expected = with_article(row.kind), with_article(edit.kind)
            found = say.WRONG_KIND.at(word, name=row.name.text, got=got, expected=expected)
            found = found.with_others(Label(row.name.span, f"{got} here"))
            self.draft.diagnostics.append(found.with_rename(word, row.kind))
            return
        changed = self.made_another(row, edit) if isinstance(row, tree.Part) else self.retyped(row, edit)
        clauses = self.replaced(row, edit)
        self.note_unread(row, clauses, edit.span)
        self.draft.trace.written.setdefault(edit.name.text, row.name.span)
        self.draft.items[at] = replace(changed, name=edit.name, clauses=clauses, span=edit.span)

    def change_of_several(self, edit: tree.Change) -> bool:
        """`output P3: b3` of an output that stands in `output P3, P4: n`: a row of its own from now on."""
        if edit.kind != "output" or edit.use is None or self.index(edit.name.text) is not None:
            return False
        at = self.apart(edit.name.text)
        if at is None:
            return False
        items, several = self.draft.items, self.draft.items[at]
        assert isinstance(several, tree.Outputs)
        names = [one.own or one.text for one in several.names]
        above = names[: names.index(edit.name.text)]
        at += 1
        while at < len(items) and isinstance(row := items[at], tree.Row) and row.name.text in above:
            at += 1
        self.draft.trace.written.setdefault(edit.name.text, several.span)
        self.done[edit.name.text, "the type"] = edit.use.span
        items.insert(at, tree.Row(edit.kind, edit.name, edit.use, edit.clauses, edit.span))
        return True

    def retyped(self, row: tree.Row, edit: tree.Change) -> tree.Row:
        """The row with its type after the edit."""
        if edit.use is None or not self.once(row.name.text, "the type", edit.use.span):
            return row
        if self.draft.same(row.use, edit.use):
            self.draft.nothing(edit.use.span, f"`{row.name.text}` has this type already", "the same", row.use.span)
        return replace(row, use=edit.use)

    def made_another(self, part: tree.Part, edit: tree.Change) -> tree.Part:
        """The part with its network after the edit."""
        if edit.use is None or not self.once(part.name.text, "the network", edit.use.span):
            return part
        if self.draft.same_network(part.use, edit.use) and (part.shared is None) == (edit.shared is None):
            self.draft.nothing(edit.use.span, f"`{part.name.text}` is this already", "the same", part.use.span)
        return replace(part, use=edit.use, shared=edit.shared)

    def replaced(self, row: Placed, edit: tree.Change) -> tuple[tree.Clause, ...]:
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

    def take_away(self, row: Placed, kept: list[tree.Clause], clause: tree.Clause, place: Span) -> None:
        """`absorb none`: the row has the clause no more. `reported` is all that says so."""
        word = clause.keyword.text
        if any(old.keyword.text == word for old in kept):
            kept[:] = [old for old in kept if old.keyword.text != word]
            return
        found = say.NO_SUCH_CLAUSE.at(clause.span, row=f"{row.kind} `{row.name.text}`", name=word)
        found = found.with_others(Label(row.name.span, f"`{row.name.text}` has no `{word}`"))
        self.draft.diagnostics.append(found.repaired(Edit(place, "")))

    def drop(self, edit: tree.Drop) -> None:
        """Take a row or a part away."""
        name = edit.name.text
        if self.index(name) is None and (at := self.apart(name)) is not None:
            self.draft.trace.dropped[name] = edit.span
            several = self.draft.items[at]
            assert isinstance(several, tree.Outputs)
            self.draft.trace.unread |= {one.text: edit.span for one in several.sources or ()}
            return
        has_tasks = any(isinstance(item, tree.Task) for item in self.draft.items)
        at = self.find(edit.name, DROPPED if has_tasks else "row")
        if at is None:
            return
        row = self.placed(at)
        if wasted := [place for (edited, _), place in self.done.items() if edited == name]:
            found = say.EDIT_WITHOUT_EFFECT.at(wasted[0], what=f"`{name}` is edited, then dropped", label="edited here")
            self.draft.diagnostics.append(
                found.with_others(Label(edit.span, "dropped here")).with_fix("take one of them away")
            )
        self.note_unread(row, (), edit.span)
        self.draft.trace.dropped[name] = edit.span
        self.draft.renewed |= {name} if isinstance(row, tree.Part) else set()
        for table in (self.draft.trace.placed, self.draft.trace.written):
            table.pop(name, None)
        del self.draft.items[at]

    def add(self, edit: tree.Addition) -> None:
        """Put a row in, where it says or at the end of its kind."""
        row = edit.row
        if (there := self.index(row.name.text)) is not None:
            self.add_again(row, self.placed(there))
            return
        at = self.end_of(row.kind)
        if edit.place is not None:
            beside = self.beside(edit.place.row, part=isinstance(row, tree.Part))
            if beside is not None:
                at = beside + (edit.place.word == "after")
        elif (both := self.meant_as_place(row)) is not None:
            self.draft.diagnostics.append(both)
            row = replace(row, clauses=tuple(clause for clause in row.clauses if clause.keyword.text != "after"))
        self.draft.trace.dropped.pop(row.name.text, None)
        self.draft.trace.placed[row.name.text] = (edit.span, "added")
        self.done[row.name.text, "the row"] = edit.span
        self.draft.items.insert(at, row)

    def add_again(self, row: Placed, there: Placed) -> None:
        """A name that a row or a part has: nothing is added."""
        found = say.DEFINED_TWICE.at(row.name.span, name=row.name.text, what=f"the {row.kind} that is added")
        what = "part" if isinstance(there, tree.Part) else "row"
        found = found.with_others(Label(there.name.span, f"a {what} has this name"))
        taken = {item.name.text for item in self.draft.items if isinstance(item, PLACED)}
        free = next(name for n in range(2, len(taken) + 3) if (name := f"{row.name.text}_{n}") not in taken)
        self.draft.diagnostics.append(
            found.with_fix(f"choose another name, say `{free}`, or edit the {what} that is there")
        )

    def end_of(self, kind: str) -> int:
        """Where a row without a place goes: below the last row of its kind, or of a kind that it may read."""
        rows = [
            (at, "output" if isinstance(item, tree.Outputs) else item.kind)
            for at, item in enumerate(self.draft.items)
            if isinstance(item, (*PLACED, tree.Outputs))
        ]
        places = [at for at, other in rows if other in ABOVE[kind]]
        if places:
            return places[-1] + 1
        return rows[0][0] if rows else len(self.draft.items)

    @staticmethod
    def meant_as_place(row: Placed) -> Diagnostic | None:
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
        at, beside = self.find(edit.name), self.beside(edit.place.row, part=self.moves_part(edit))
        if at is None or beside is None or not self.once(edit.name.text, "the place", edit.span):
            self.draft.trace.meant |= {edit.name.text, edit.place.row.text}
            return
        row = self.placed(at)
        before = [item for item in self.draft.items if isinstance(item, PLACED)]
        if at != beside:
            target = self.draft.items[beside]
            del self.draft.items[at]
            self.draft.items.insert(self.draft.items.index(target) + (edit.place.word == "after"), row)
        if before == [item for item in self.draft.items if isinstance(item, PLACED)]:
            itself = at == beside
            what = f"`{edit.name.text}` stands there already"
            self.draft.nothing(edit.span, what, "itself" if itself else "where it stands")
            return
        self.draft.trace.placed[edit.name.text] = (edit.span, "moved")

    def note_unread(self, row: Placed, clauses: tuple[tree.Clause, ...], edit: Span) -> None:
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
