"""Try repairs before they are proposed: what would meet another error about the same place is not proposed.

In: the diagnostics of a text, and a way to check it again. Out: the same without repairs that do not repair. Whether a
guess is right shows in the whole text alone: `did you mean …?` finds a name that exists, and that may be of no use.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from spinedsl.diagnostics.model import Diagnostic, Edit, Fix, Severity
from spinedsl.record import Record, replace
from spinedsl.source import Source, Span

MOST_TRIED = 12  # repairs of a text that are tried, from its beginning
MOST_READ = 24_000  # characters that are read for all of them together
FORM = "E01"
OF_ROWS = ("E03", "E0404")  # what is reported about a row as a whole
UNCLOSED = "E0104"
# What only shows once a statement can be read, and is about other places: rows that do not read it, other files.
SHOWS_LATER = frozenset({"E0305"})
OF_FILES = frozenset({"E0205", "E0206", "E0207"})

Again = Callable[[Source], Sequence[Diagnostic] | None]
Said = Counter[tuple[str, str]]


def proven(source: Source, found: Sequence[Diagnostic], again: Again) -> tuple[Diagnostic, ...]:
    """The diagnostics without repairs of `source` that do not repair it.

    `again` checks a text, and gives None when enough has been done: what is not tried stays.
    """
    trials = _Trials(source, again, counted(found), min(MOST_TRIED, MOST_READ // max(len(source.text), 1)))
    return tuple(trials.proven(diagnostic) if diagnostic.fixes else diagnostic for diagnostic in found)


def without_edits(diagnostic: Diagnostic) -> Diagnostic:
    """The same without repairs by edits, which were not tried."""
    fixes: list[Fix] = []
    for one in diagnostic.fixes:
        fix: Fix | None = one
        while fix is not None and fix.edits:
            fix = fix.instead
        fixes += [fix] if fix is not None else []
    return replace(diagnostic, fixes=tuple(fixes))


class _Trials(Record, frozen=False):
    """Repairs of one text, tried in turn. `left` is how many more may be."""

    source: Source
    again: Again
    before: Said
    left: int

    def proven(self, diagnostic: Diagnostic) -> Diagnostic:
        fixes = [self.first_that_holds(diagnostic, fix) for fix in diagnostic.fixes]
        return replace(diagnostic, fixes=tuple(fix for fix in fixes if fix is not None))

    def first_that_holds(self, diagnostic: Diagnostic, fix: Fix | None) -> Fix | None:
        """A repair, or the first of those that are there instead of it."""
        while fix is not None and not self.holds(diagnostic, fix):
            fix = fix.instead
        return replace(fix, instead=None) if fix is not None else None

    def holds(self, diagnostic: Diagnostic, fix: Fix) -> bool:
        if self.left <= 0 or not is_edit_of(fix, self.source):
            return True
        self.left -= 1
        repaired = apply(self.source, fix.edits)
        if (after := self.again(repaired)) is None:
            self.left = 0
            return True
        return not leads_on(diagnostic, fix, self.before, repaired, after)


def is_edit_of(fix: Fix, source: Source) -> bool:
    """The repair is made by edits, all of them in one text."""
    return bool(fix.edits) and all(edit.span.source is source for edit in fix.edits)


def apply(source: Source, edits: Sequence[Edit]) -> Source:
    """The text after edits, which do not overlap."""
    text = source.text
    for edit in sorted(edits, key=lambda edit: edit.span[1:], reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return Source(source.name, text, source.origin, source.archive, source.line_end)


def counted(found: Sequence[Diagnostic]) -> Said:
    """What is reported, and how often."""
    return Counter((diagnostic.code.id, diagnostic.message) for diagnostic in found)


def leads_on(
    diagnostic: Diagnostic, fix: Fix, before: Said, repaired: Source, after: Sequence[Diagnostic]
) -> list[Diagnostic]:
    """What is still reported after a repair of what it repairs, and new errors about the same place.

    `before` is all that was reported about the text as it was, `after` all that is reported about the repaired one.
    """
    key = (diagnostic.code.id, diagnostic.message)
    left = [other for other in after if (other.code.id, other.message) == key]
    if len(left) >= before[key]:
        return left
    place = _Place(diagnostic, fix, repaired)
    new = counted(after) - before
    return [
        other
        for other in after
        if other.severity is Severity.ERROR and new[other.code.id, other.message] and place.has(other)
    ]


class _Place:
    """Where a text was repaired: the lines of a repair and of what it repairs, or just the names that it changed."""

    def __init__(self, diagnostic: Diagnostic, fix: Fix, repaired: Source) -> None:
        self.source = repaired
        self.edited = list(_edited(fix.edits))
        self.of_form = diagnostic.code.id.startswith(FORM)
        self.shows_later = SHOWS_LATER | (OF_FILES if diagnostic.code.id == UNCLOSED else frozenset())
        of_names = all(edit.text.isidentifier() and edit.span.text.isidentifier() for edit in fix.edits)
        names = [name for edit in fix.edits for name in (edit.span.text, edit.text)]
        self.names = names if of_names and not self.of_form else []
        places = list(self.edited)
        spans = [
            diagnostic.span,
            *(label.span for label in diagnostic.others if not self.names),
        ]  # as the use of a type
        here = [span for span in spans if span.source is fix.edits[0].span.source]
        places += [(_moved(span.start, fix.edits), _moved(span.end, fix.edits)) for span in here]
        self.lines = {line for start, end in places for line in self.lines_of(start, end)}

    def has(self, other: Diagnostic) -> bool:
        """Another error is about this place. In a row with two mistakes the second does not speak against a name."""
        if self.of_form and other.code.id in self.shows_later:
            return False
        spans = [other.span, *([other.inside] if other.inside is not None else [])]
        if self.names and not other.code.id.startswith(OF_ROWS):
            if any(self.is_edited(span) for span in [*spans, *(label.span for label in other.others)]):
                return True
            if not any(f"`{name}`" in other.message for name in self.names):
                return False
        return any(span.source is self.source and not self.lines.isdisjoint(self.lines_of(*span[1:])) for span in spans)

    def is_edited(self, span: Span) -> bool:
        return span.source is self.source and any(span.start < end and start < span.end for start, end in self.edited)

    def lines_of(self, start: int, end: int) -> range:
        start = min(start, len(self.source.text))
        first = self.source.position(start)[0]
        return range(first, max(self.source.position(max(min(end, len(self.source.text)) - 1, start))[0], first) + 1)


def _edited(edits: Sequence[Edit]) -> Iterator[tuple[int, int]]:
    """Where the texts of edits stand after all of them."""
    longer = 0
    for edit in sorted(edits, key=lambda edit: edit.span[1:]):
        start = edit.span.start + longer
        yield start, start + len(edit.text)
        longer += len(edit.text) - (edit.span.end - edit.span.start)


def _moved(offset: int, edits: Sequence[Edit]) -> int:
    """Where a character stands after edits."""
    before = [edit for edit in edits if edit.span.end <= offset]
    return offset + sum(len(edit.text) - (edit.span.end - edit.span.start) for edit in before)
