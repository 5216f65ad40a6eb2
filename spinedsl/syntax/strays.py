"""Second reading of a file that could not be read: strays are found by reading it without them, repairs by making them.

In: the tokens of a file, and what the first reading reported about it. Out: the tokens without strays, what is reported
about those, and which repairs do not repair. A word is a stray if the file can be read without it and not with it. What
stops a statement from making sense often stands before the place where that shows: `let` in a line of its own shows at
the `{` of a `repeat` below. Without its strays every row is there, so that what else is wrong with the file is reported
too.

A part of the file is read again for each guess, so guesses are few and counted: what is left is reported as it was.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Edit
from spinedsl.record import Record, field, replace
from spinedsl.source import Source, Span
from spinedsl.syntax import tree
from spinedsl.syntax.machine import Token
from spinedsl.syntax.statements import (
    ALWAYS_OPENS,
    BRACED_ROWS,
    BRACKETS,
    CLAUSE_TERMINALS,
    CLOSERS,
    GOES_ON,
    INNER_OPENERS,
    OPENS_EDIT,
    TOP_LEVEL,
    opens_space,
    span_of,
)

MOST_TOKENS = 40_000  # that are read for all guesses of a file
ROOM = 4  # guesses that there has to be room for
MOST_LOOKED = 40  # mistakes of a file that are looked at
MOST_WORDS = 3  # of a stray
NEAR = 4  # tokens before the place where a mistake shows
MOST_INSIDE = 200  # tokens before one that are looked at for the bracket in which it stands
FAR = 60  # tokens before it that begin or end a line
AROUND = 8  # tokens that a guess may reach into the next definition or network
OPENERS = ALWAYS_OPENS | INNER_OPENERS | {"RESAMPLE", "JOIN"}
PLAIN = frozenset({"NAME", "NUMBER", "STRING", "BAD"})  # what a stray of several words is made of
LOOSE = PLAIN | {
    *("COMMA", "COLON", "EQUAL", "DOT", "COMPARE", "PLUS", "MINUS", "TIMES", "OVER", "LPAR", "RPAR", "LSQB", "RSQB"),
    *("LBRACE", "RBRACE", "__ANON_0", "__ANON_1"),
}  # what may be a stray wherever it stands: keywords have to stand out
SEPARATES = frozenset({"COMMA", "COLON", "EQUAL", "LPAR", "RPAR", "LSQB", "RSQB", "LBRACE", "RBRACE"})
BEFORE_NAMES = frozenset({"LET", "VAR", "NETWORK", "RETURN", "YIELD"})  # openers that a name follows
BINDS = frozenset({"EQUAL", "COLON", "LPAR"})  # what follows a name that means something
CLAUSES = frozenset(
    {"level", "from", "after", "right after", "before", "channels", "repeat", "absorb", "resample", "join"}
)

Key = tuple[str, int, int]
Read = tuple[tree.File, list[Diagnostic]]
Reading = Callable[[Source, Sequence[Token]], Read]
Cutting = Callable[[str], list[Token]]


def read_again(
    source: Source, tokens: list[Token], read: Reading, cut: Cutting, once: Read, most: int | None = None
) -> Read:
    """The second reading of a file: its tree without strays, and all that is reported about its form.

    `read` makes a tree of tokens, `cut` makes tokens of a text, `once` is what the first reading gave; `most` tokens
    are read for guesses.
    """
    reader = _Reader(source, tokens, read, cut, once[0], MOST_TOKENS if most is None else most)
    reported = reader.run(once[1])
    left = (found for found in reported if _key(found) not in reader.replaced)
    return reader.file, [*reader.strays, *(reader.without_unfit(found) for found in left)]


class _Reader(Record, frozen=False):
    source: Source
    tokens: list[Token]
    read: Reading
    cut: Cutting
    file: tree.File  # without the strays found so far
    left: int = MOST_TOKENS
    strays: list[Diagnostic] = field(default_factory=list)
    unfit: set[Key] = field(default_factory=set)  # whose repair does not repair
    replaced: set[Key] = field(default_factory=set)  # which are reported otherwise among `strays`
    uses: Counter[str] = field(default_factory=Counter)  # of names

    def run(self, reported: list[Diagnostic]) -> list[Diagnostic]:
        """Look at each mistake in turn. Returns those that are left when the strays are gone."""
        looked: set[Key] = set()
        self.uses = Counter(token.value for token in self.tokens if token.type == "NAME")
        while len(looked) < MOST_LOOKED and self.left > 0:
            pending = (found for found in reported if _key(found) not in looked)
            found = min(pending, key=lambda found: found.span.start, default=None)
            if found is None:
                break
            looked.add(_key(found))
            if (reported_without := self.look(found)) is not None:
                reported = reported_without
        return reported

    def look(self, found: Diagnostic) -> list[Diagnostic] | None:
        """Look at one mistake: what is reported without its stray, or None if no stray explains it better."""
        starts = [token.start_pos for token in self.tokens]
        at = max(bisect_right(starts, found.span.start) - 1, 0)
        low, high = self.region(at)
        if high - low >= self.left // ROOM:
            self.left //= 2  # looking for the ends of the next one takes time too
            return None
        part = self.tokens[low:high]
        before = self.cost(self.source, part)[0]
        if not self.is_plainly_stray(found, at) and self.is_repaired(found, part, before):
            return None
        stray, cost = self.best(low, high, at, before, found)
        edited = any(fix.edits for fix in found.fixes)
        if stray is None:
            if edited and not self.is_repaired(found, part, before):
                self.unfit.add(_key(found))
            return None
        place = span_of(self.source, self.tokens[stray.start]).to(span_of(self.source, self.tokens[stray.stop - 1]))
        only = before - cost == 1
        if only and self.may_lack(found, stray, at):
            if edited:
                self.unfit.add(_key(found))
            return None
        there = stray.start <= at < stray.stop
        self.strays.append(self.stray(found if only and there else None, place, stray))
        if (only and (there or not self.stands_out(stray))) or len(self.tokens) > self.left:
            self.replaced.add(_key(found))  # it may as well stand for a word that the statement needs
            return None
        del self.tokens[stray.start : stray.stop]
        self.left -= len(self.tokens)
        self.file, reported = self.read(self.source, self.tokens)
        return reported

    def may_lack(self, found: Diagnostic, stray: slice, at: int) -> bool:
        """The statement may as well lack what would follow: that is what the first reading reported, and it is kept."""
        if found.code is say.ENDS_EARLY and stray.start <= at < stray.stop:
            return True
        if self.leads(stray):
            return False
        if any(not fix.edits for fix in found.fixes):
            return True
        if self.tokens[at].type in CLAUSE_TERMINALS and self.tokens[stray.start].value not in CLAUSES:
            return False
        return stray.stop == at and not self.begins_line(at) and not self.stands_out(stray)

    def is_plainly_stray(self, found: Diagnostic, at: int) -> bool:
        """Whatever else would repair it: a character that means nothing, or a token that stands out."""
        if _is_deletion(found) or self.is_line(slice(at, at + 1)):
            return True
        start = at
        while not self.begins_line(start):
            start -= 1
        if start and self.tokens[start - 1].type in OPENERS and self.is_line(slice(start - 1, start)):
            return True
        return self.tokens[start].type != "NAME" and self.leads(slice(start, start + 1))

    def stands_out(self, run: slice) -> bool:
        """A line of its own, or before what begins a statement."""
        return self.is_line(run) or self.leads(run)

    def is_line(self, run: slice) -> bool:
        """Nothing else stands on its line."""
        return self.begins_line(run.start) and self.ends_line(run.stop)

    def leads(self, run: slice) -> bool:
        """Where a statement may begin, and on the same line one does right behind it."""
        begins = self.begins_line(run.start) or self.tokens[run.start - 1].type == "RBRACE"
        if not begins or self.ends_line(run.stop) or not self.opens(run.stop):
            return False
        return self.tokens[run.stop].type != "NAME" or self.tokens[run.start].type not in BEFORE_NAMES

    def opens(self, index: int) -> bool:
        """A statement may begin at a token."""
        token, *following = self.tokens[index : index + 2]
        if token.type == "NAME":
            return token.value in OPENS_EDIT or any(other.type == "EQUAL" for other in following)
        return token.type in OPENERS

    def stray(self, found: Diagnostic | None, place: Span, run: slice) -> Diagnostic:
        """What is reported about a stray: in the words of the first reading, if it stopped there."""
        if found is None:
            found = say.UNEXPECTED.at(place, found=place.text, expected="nothing here")
        if (
            found.fixes
            and found.fixes[0].edits
            and all(not edit.text and _overlap(edit.span, place) for edit in found.fixes[0].edits)
        ):
            return found
        found = replace(found, fixes=())
        if not self.is_expendable(run):
            return found
        return found.with_fix("take it away", Edit(self.with_blanks(place), ""))

    def is_expendable(self, run: slice) -> bool:
        """Nobody misses it: it stands there twice, or is no number, and no name that stands elsewhere too."""
        tokens = self.tokens[run]
        around = [self.tokens[index].value for index in (run.start - 1, run.stop) if 0 <= index < len(self.tokens)]
        if len(tokens) == 1 and tokens[0].value in around:
            return True
        meant = self.is_known(tokens) or any(token.type == "NUMBER" for token in tokens)
        return not meant and not (len(tokens) > 1 and self.in_brackets(run.start))

    def is_known(self, run: Sequence[Token]) -> bool:
        """A name of it stands elsewhere too."""
        return any(token.type == "NAME" and self.uses[token.value] > 1 for token in run)

    def in_brackets(self, index: int) -> bool:
        """A token stands in brackets, or in the braces of a setting."""
        depth = 0
        for at in range(index - 1, max(index - MOST_INSIDE, 0), -1):
            kind = self.tokens[at].type
            depth += (kind in CLOSERS) - (kind in BRACKETS)
            if depth < 0 or (kind == "LBRACE" and self.tokens[at - 1].type in BRACED_ROWS):
                return True
            if kind in ALWAYS_OPENS or kind in ("LBRACE", "RBRACE"):
                return False
        return False

    def with_blanks(self, place: Span) -> Span:
        """A place with the blanks that are too many without it: its line, or those before or behind it."""
        text = self.source.text
        start, end = place.start, place.end
        while text[start - 1 : start] in (" ", "\t"):
            start -= 1
        while text[end : end + 1] in (" ", "\t"):
            end += 1
        begins, ends = start == 0 or text[start - 1] == "\n", end == len(text) or text[end] == "\n"
        if begins and ends:
            return Span(self.source, start, min(end + 1, len(text)))
        return Span(self.source, place.start, end) if begins else Span(self.source, start, place.end)

    # ---- guesses ----

    def region(self, at: int) -> tuple[int, int]:
        """The definitions and networks around a token, as indices of tokens; no further than there is room for."""
        low, high = max(at - AROUND, 0), min(at + AROUND, len(self.tokens))
        first, last = low - self.left // ROOM, high + self.left // ROOM
        while low > max(first, 0) and not self.opens_top(low):
            low -= 1
        while high < min(last, len(self.tokens)) and not self.opens_top(high):
            high += 1
        return low, high

    def opens_top(self, index: int) -> bool:
        token = self.tokens[index]
        opens = token.type in TOP_LEVEL or opens_space(self.tokens, index)
        return opens and token.line > self.tokens[index - 1].line

    def cost(self, source: Source, tokens: Sequence[Token]) -> tuple[int, set[Key]]:
        """How many mistakes are reported about tokens, and which; a clause that no row has, or has twice, is one."""
        self.left -= len(tokens)
        file, reported = self.read(source, tokens)
        return len(reported) + sum(_odd_clauses(row) for row in _rows(file)), {_key(found) for found in reported}

    def is_repaired(self, found: Diagnostic, part: Sequence[Token], before: int) -> bool:
        """A repair of the first reading does repair. Of letters that are none there may be several in a word."""
        start, end = part[0].start_pos, part[-1].start_pos + len(part[-1].value)
        for fix in found.fixes:
            if not fix.edits:
                continue
            done = [Edit(stray.span, "") for stray in self.strays]
            edits = sorted([*fix.edits, *done], key=lambda edit: edit.span.start, reverse=True)
            text = self.source.text
            for edit in edits:
                if start <= edit.span.start <= end:
                    text = text[: edit.span.start] + edit.text + text[edit.span.end :]
            changed = Source(self.source.name, text[start : end + len(text) - len(self.source.text)])
            if self.cost(changed, self.cut(changed.text))[0] < before + (found.code is say.BAD_CHARACTER):
                return True
        return False

    def best(self, low: int, high: int, at: int, before: int, found: Diagnostic) -> tuple[slice | None, int]:
        """The run of tokens without which the least is wrong, and `found` is not reported; and how much that is."""
        best, least = None, before
        for run in self.runs(low, high, at):
            if self.left <= 0 or not least:
                break
            if found.code is say.ENDS_EARLY and run.start > at:
                continue  # what follows is no reason to end
            cost, reported = self.cost(self.source, [*self.tokens[low : run.start], *self.tokens[run.stop : high]])
            if cost < least and _key(found) not in reported:
                best, least = run, cost
        return best, least

    def runs(self, low: int, high: int, at: int) -> list[slice]:
        """Runs of tokens that may be a stray, the likeliest first."""
        found: list[tuple[int, int, bool, int, slice]] = []
        for start in range(max(low, at - FAR), min(high, at + AROUND)):
            for stop in range(start + 1, min(start + MOST_WORDS, high) + 1):
                run = self.tokens[start:stop]
                if run[-1].line > run[0].line or (stop - start > 1 and any(token.type not in PLAIN for token in run)):
                    break
                if self.is_of_number(start, stop) or (run[0].value in GOES_ON and len(run) > 1):
                    continue  # what somebody wrote as a number or a setting, and would miss
                if any(opens_space(self.tokens, index) for index in range(max(start - 3, low), stop)):
                    break  # without a word of its head nothing in a space would be read, so that less seems wrong
                edge = self.begins_line(start) or self.ends_line(stop)
                if not (edge or start - 1 <= at < stop or (stop == start + 1 and at - NEAR <= start <= at)):
                    continue
                likely = self.likely(start, stop, at)
                braced = stop < high and self.tokens[stop].type == "LBRACE"
                if run[0].type in LOOSE or likely == 0 or self.ends_line(stop) or braced:
                    known = self.is_known(run)
                    found.append((stop - start, likely, known, abs(at - start), slice(start, stop)))
        return [run for *_, run in sorted(found, key=lambda item: item[:4])]

    def likely(self, start: int, stop: int, at: int) -> int:
        """How likely a run is a stray, 0 being best: what stands out, the place itself, a word that is nowhere else."""
        run = self.tokens[start:stop]
        known = self.is_known(run)
        if self.stands_out(slice(start, stop)) and (start <= at < stop or not known):
            return 0
        if stop < len(self.tokens) and self.tokens[stop].type in BINDS:
            return 5
        if start <= at < stop:
            return 1
        if not known and all(token.type in ("BAD", "NAME") for token in run):
            return 2
        return 3 if self.begins_line(start) or self.ends_line(stop) else 4

    def is_of_number(self, start: int, stop: int) -> bool:
        """A run touches a number, as in `32k`, or stands between two."""
        around = [self.tokens[index] for index in (start - 1, stop) if 0 <= index < len(self.tokens)]
        if len(around) == 2 and all(
            token.type == "NUMBER" and token.line == self.tokens[start].line for token in around
        ):
            return True
        for index in (start, stop):
            if not 0 < index < len(self.tokens):
                continue
            before, after = self.tokens[index - 1 : index + 1]
            kinds = {before.type, after.type}
            joined = before.start_pos + len(before.value) == after.start_pos
            separated = kinds & SEPARATES or ";" in (before.value, after.value)
            if "NUMBER" in kinds and joined and not separated:
                return True
        return False

    def begins_line(self, index: int) -> bool:
        return not index or self.tokens[index].line > self.tokens[index - 1].line

    def ends_line(self, index: int) -> bool:
        return index == len(self.tokens) or self.begins_line(index)

    def without_unfit(self, found: Diagnostic) -> Diagnostic:
        """The same without repairs that do not repair."""
        if _key(found) not in self.unfit:
            return found
        return replace(found, fixes=tuple(replace(fix, edits=()) for fix in found.fixes))


def _key(found: Diagnostic) -> Key:
    return found.code.id, found.span.start, found.span.end


def _is_deletion(found: Diagnostic) -> bool:
    """A character that means nothing, and is to be taken away."""
    edits = [edit for fix in found.fixes for edit in fix.edits]
    return found.code is say.BAD_CHARACTER and bool(edits) and not any(edit.text for edit in edits)


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def _rows(file: tree.File) -> Iterator[tree.Row | tree.Change]:
    """All rows, and edits of rows."""
    for network in file.networks:
        items: Sequence[object] = network.items if isinstance(network, tree.Network) else network.edits or ()
        for item in items:
            row = item.row if isinstance(item, tree.Addition) else item
            if isinstance(row, tree.Row | tree.Change):
                yield row


def _odd_clauses(row: tree.Row | tree.Change) -> int:
    """Clauses that no row has, and those that are given again."""
    words = [clause.keyword.text for clause in row.clauses]
    lists = [clause.value for clause in row.clauses if isinstance(clause.value, tuple)]
    misread = sum(name.text in GOES_ON for names in lists for name in names)  # `from b0, channels 8`
    return sum(word not in CLAUSES for word in words) + len(words) - len(set(words)) + misread
