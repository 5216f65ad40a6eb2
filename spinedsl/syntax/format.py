"""Format: one canonical form of a file. Keeps every comment and every group of lines; aligns runs of rows.

In: a `Source` without mistakes of form. Out: its text, formatted. The tokens are printed in the order in which they
stand, so the tree of the result is the tree of the source, which is looked at before anything is given back; formatting
what was formatted changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from spinedsl.diagnostics import Outcome, Severity
from spinedsl.record import Record, field
from spinedsl.source import Source, Span
from spinedsl.syntax import tree
from spinedsl.syntax.machine import Token
from spinedsl.syntax.parse import parse, tokens_of
from spinedsl.syntax.spacing import CLOSERS, INDENT, OPENERS, WIDTH, begins_clause, broken_up, spaced
from spinedsl.syntax.statements import BRACKETS, ROW_KINDS, SOFT_ROWS, TASK, Statement, cut

# The columns of a row, in the order in which they stand where a row keeps to it.
COLUMNS = ("LEVEL", "FROM", "channels", "REPEAT", "rest", "place")
CLAUSE_STARTS = {
    "LEVEL": "LEVEL",
    "FROM": "FROM",
    "AFTER": "FROM",
    "REPEAT": "REPEAT",
    "RESAMPLE": "rest",
    "JOIN": "rest",
    "ABSORB": "rest",
}
_COMMENT = re.compile(r"#[^\n]*")


def format_source(source: Source) -> Outcome[str]:
    """The canonical text of a file; of one with mistakes of form, only what they are."""
    parsed = parse(source)
    errors = tuple(one for one in parsed.diagnostics if one.severity is Severity.ERROR)
    if errors:
        return Outcome(None, errors)
    tokens = tokens_of(source)
    statements, _ = cut(source, tokens)
    printer = _Printer(_comments(source, tokens))
    printer.body(statements, 0)
    printer.comments_before(len(source.text) + 1, 0)
    text = printer.text()
    if text != source.text:
        after = parse(Source.from_text(text, source.name, source.origin))
        if not after.ok or not tree.alike(parsed.value, after.value):
            raise AssertionError("the formatted text is another file")
    return Outcome(text)


class Comment(Record, frozen=False):
    """A comment; `after` is the end of the token before it on its line, -1 where it has the line to itself."""

    start: int
    line: int
    text: str
    after: int


class Line(Record, frozen=False):
    """A line to print: its cells get aligned with those of the lines of its run."""

    depth: int
    cells: list[tuple[str, str]]  # column and text
    run: str = ""  # rows of one kind that follow each other are a run
    comment: str = ""
    first: int = 0  # lines of the source that it came from
    last: int = 0


def _comments(source: Source, tokens: Sequence[Token]) -> list[Comment]:
    """Every comment: they are all that stands between tokens besides blanks."""
    found: list[Comment] = []
    position = 0
    last_line = 0
    for token in [*tokens, None]:
        end = len(source.text) if token is None else token.start_pos or 0
        for match in _COMMENT.finditer(source.text, position, end):
            line = source.position(match.start())[0]
            found.append(Comment(match.start(), line, match[0].rstrip(), position if line == last_line else -1))
        if token is not None:
            position = end + len(token)
            last_line = token.line or 0
    return found


class _Printer(Record, frozen=False):
    comments: list[Comment]
    lines: list[Line] = field(default_factory=list)
    in_edits: bool = False

    # ---- statements ----

    def body(self, statements: Sequence[Statement], depth: int) -> None:
        for statement in statements:
            self.statement(statement, depth)

    def statement(self, statement: Statement, depth: int) -> None:
        """Write a statement: its head, and its body between braces, one level deeper."""
        first = statement.tokens[0]
        self.comments_before(first.start_pos or 0, depth)
        head = self.head(statement, depth)
        if statement.body is None:
            return
        head.cells[-1] = (head.cells[-1][0], head.cells[-1][1] + " {")
        opener, closer = statement.opener, statement.closer
        assert opener is not None
        assert closer is not None
        if self.stays_on_line(statement, head, closer):
            return
        self.trailing(head, opener)
        self.in_edits = statement.has_edits
        self.body(statement.body, depth + 1)
        self.in_edits = False
        self.comments_before(closer.start_pos or 0, depth + 1)
        line = Line(depth, [("", "}")], first=closer.line or 0, last=closer.line or 0)
        self.lines.append(line)
        self.trailing(line, closer)

    def stays_on_line(self, statement: Statement, head: Line, closer: Token) -> bool:
        """A body of one simple statement that is written on one line stays there, if it fits."""
        (only, *more) = statement.body or [statement]
        if more or only is statement or only.body is not None or statement.tokens[0].line != closer.line:
            return False
        if head.cells[0][1].startswith((")", "]", "}")) and statement.head != "ELSE":
            return False  # the head takes several lines
        joined = f"{head.cells[-1][1]} {spaced(only.tokens)} }}"
        if len(INDENT) * head.depth + len(joined) > WIDTH:
            return False
        head.cells[-1] = (head.cells[-1][0], joined)
        self.trailing(head, closer)
        return True

    def head(self, statement: Statement, depth: int) -> Line:
        """Start the line of a statement, or go on with the `}` before an `else`."""
        tokens = statement.tokens
        if (
            statement.head == "ELSE"
            and self.lines
            and self.lines[-1].cells[-1][1].endswith("}")
            and not self.lines[-1].comment
        ):
            joined = self.lines[-1]
            joined.cells = [("", joined.cells[-1][1] + " " + spaced(tokens))]
            joined.last = tokens[-1].line or 0
            return joined
        inner = [comment for comment in self.comments if comment.start < (tokens[-1].start_pos or 0)]
        if inner:
            return self.as_written(statement, depth)
        last = tokens[-1].line or 0
        changes = self.in_edits and statement.head in ROW_KINDS  # a clause or two: columns would stand far apart
        run = "" if changes else run_of(tokens)
        line = Line(
            depth, cells_of(tokens) if run else [("", spaced(tokens))], run, first=tokens[0].line or 0, last=last
        )
        width = len(INDENT) * depth + len("  ".join(text for _, text in line.cells))
        if width > WIDTH and (opened := broken_up(tokens, depth)):
            self.lines += [Line(depth + extra, [("", text)], first=line.first, last=last) for extra, text in opened]
            line = self.lines[-1]
        else:
            self.lines.append(line)
        if statement.body is None:
            self.trailing(line, tokens[-1])
        return line

    def as_written(self, statement: Statement, depth: int) -> Line:
        """A statement with comments inside: its line ends stay where they are, so that each comment keeps its place."""
        tokens = statement.tokens
        line = Line(depth, [])
        start = nested = 0
        for end in range(1, len(tokens) + 1):
            first, last = tokens[start], tokens[end - 1]
            is_last = end == len(tokens)
            if not is_last and (tokens[end].line or 0) <= (last.line or 0):
                continue
            self.comments_before(first.start_pos or 0, depth + 1)
            extra = 0 if start == 0 or (first.type in CLOSERS and nested <= 1) else 1
            text = spaced(tokens, start, end)
            line = Line(depth + extra, [("", text)], first=first.line or 0, last=last.line or 0)
            self.lines.append(line)
            nested += sum((part.type in OPENERS) - (part.type in CLOSERS) for part in tokens[start:end])
            if not is_last or statement.body is None:
                self.trailing(line, last)
            start = end
        return line

    # ---- comments ----

    def comments_before(self, offset: int, depth: int) -> None:
        """Comments that stand above what begins at `offset`, each on a line of its own."""
        while self.comments and self.comments[0].start < offset:
            comment = self.comments.pop(0)
            self.lines.append(Line(depth, [("", comment.text)], first=comment.line, last=comment.line))

    def trailing(self, line: Line, last: Token) -> None:
        """A comment at the end of the line whose last token this is."""
        line.last = max(line.last, last.line or 0)
        if self.comments and self.comments[0].after == (last.start_pos or 0) + len(last):
            line.comment = self.comments.pop(0).text

    # ---- text ----

    def text(self) -> str:
        """All lines: aligned in runs, at most one empty line between two, none at the edges of braces."""
        out: list[str] = []
        previous: Line | None = None
        for run in _runs(self.lines):
            for line, text in zip(run, _aligned(run), strict=True):
                opens = previous is not None and previous.cells[-1][1].endswith("{")
                closes = line.cells[0][1].startswith("}")
                if previous is not None and line.first > previous.last + 1 and not opens and not closes:
                    out.append("")
                out.append(text)
                previous = line
        return "\n".join(out) + ("\n" if out else "")


def _runs(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Rows of one kind that follow each other without an empty line."""
    run: list[Line] = []
    for line in lines:
        if run and not (line.run and line.run == run[-1].run and line.first <= run[-1].last + 1):
            yield run
            run = []
        run.append(line)
    if run:
        yield run


def _aligned(run: Sequence[Line]) -> list[str]:
    """A run of rows with their columns aligned."""
    gap = "  " if len(run) > 1 else " "
    order = list(dict.fromkeys(column for line in run for column, _ in line.cells if column != "free"))
    order.sort(key=("name", "type", *COLUMNS, "").index)
    widths = {
        column: max(len(text) for line in run for other, text in line.cells if other == column) for column in order
    }
    texts: list[str] = []
    for line in run:
        cells = dict(line.cells)
        if "free" in cells or len(run) == 1:
            text = gap.join(text for _, text in line.cells)
        else:
            text = gap.join(cells.get(column, "").ljust(widths[column]) for column in order).rstrip()
            text = _single_after_name(text, widths["name"])
        texts.append((INDENT * line.depth + text).rstrip())
    longest = max((len(text) for text, line in zip(texts, run, strict=True) if line.comment), default=0)
    return [
        f"{text.ljust(longest)}  {line.comment}" if line.comment else text
        for text, line in zip(texts, run, strict=True)
    ]


def _single_after_name(text: str, width: int) -> str:
    """The type stands one blank after the longest name."""
    return text[:width] + text[width + 1 :]


def run_of(tokens: Sequence[Token]) -> str:
    """What a row aligns with: rows of its kind, or rows of its kind that edits add."""
    if tokens[0].type in ROW_KINDS:
        return tokens[0].type if [token.type for token in tokens[2:3]] == ["COLON"] else ""
    if _is_task(tokens):
        return tokens[0].value
    adds = len(tokens) > 1 and tokens[0].value == "add" and (tokens[1].type in ROW_KINDS or _is_task(tokens[1:]))
    return f"add {tokens[1].value}" if adds else ""


def _is_task(tokens: Sequence[Token]) -> bool:
    """`task NAME: …` or `part NAME: …`, where the word is no name."""
    return tokens[0].value in SOFT_ROWS and [token.type for token in tokens[1:3]] == ["NAME", "COLON"]


def cells_of(tokens: Sequence[Token]) -> list[tuple[str, str]]:
    """A row cut into its name, its type and its clauses; one that an edit adds also has its place."""
    if placed := _placed(tokens):
        cells = cells_of(tokens[:-placed])
        place = spaced(tokens, len(tokens) - placed)
        return [("free", spaced(tokens))] if cells[0][0] == "free" else [*cells, ("place", place)]
    task = _is_task(tokens)
    starts = [0, 3 if tokens[0].type in ROW_KINDS or task else 4]
    depth = 0
    for index, token in enumerate(tokens):
        of_clause = task and index - 1 in starts[2:]  # the value of a clause that begins with a name
        begins = token.type in CLAUSE_STARTS or (begins_clause(tokens, index) and not of_clause)
        begins = begins and not _of_connection(tokens, index)
        if index > starts[1] and depth == 0 and begins:
            starts.append(index)
        depth += (token.type in BRACKETS) - (token.type in BRACKETS.values())
    named = "rest" if tokens[0].value == TASK and task else "channels"  # a clause that is no keyword
    columns = ["name", "type", *(CLAUSE_STARTS.get(tokens[start].type, named) for start in starts[2:])]
    texts = [spaced(tokens, start, end) for start, end in pairwise([*starts, len(tokens)])]
    if "rest" in columns:
        first = columns.index("rest")
        if set(columns[first:]) != {"rest"}:
            return [("free", spaced(tokens))]
        columns, texts = columns[: first + 1], [*texts[:first], "  ".join(texts[first:])]
    positions = [COLUMNS.index(column) for column in columns[2:]]
    if positions != sorted(set(positions)):
        return [("free", spaced(tokens))]
    return list(zip(columns, texts, strict=True))


def _placed(tokens: Sequence[Token]) -> int:
    """How many tokens at the end of an added row say where it goes: those of `before b7` or `right after b7`."""
    if tokens[0].type in ROW_KINDS or _is_task(tokens):
        return 0
    if tokens[-2].value == "before":
        return 2
    return 3 if tokens[-2].type == "AFTER" and tokens[-3].value == "right" else 0


def _of_connection(tokens: Sequence[Token], index: int) -> bool:
    """A `resample` of one input: a comma and the next input follow its type and what that is given."""
    if tokens[index].type != "RESAMPLE":
        return False
    depth = 0
    for token in tokens[index + 2 :]:
        if depth == 0 and token.type != "LPAR":
            return token.type == "COMMA"
        depth += (token.type in BRACKETS) - (token.type in BRACKETS.values())
    return False


def text_of(span: Span) -> str:
    """The text of a place with its blanks as they are set here."""
    return spaced(tokens_of(Source("", span.text)))
