"""Format: one canonical form of a file. Keeps every comment and every group of lines; aligns runs of rows.

In: a `Source` without mistakes of form. Out: its text, formatted. The tokens are printed in the order in which they
stand, so the tree of the result is the tree of the source; formatting what was formatted changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from spinedsl.diagnostics import Outcome, Severity
from spinedsl.record import Record, field
from spinedsl.source import Source, Span
from spinedsl.syntax.machine import Token
from spinedsl.syntax.parse import parse, tokens_of
from spinedsl.syntax.statements import BRACKETS, SOFT_ROWS, TASK, Statement, cut

WIDTH = 110
INDENT = "    "
CLOSERS = (*BRACKETS.values(), "RBRACE")
ROWS = frozenset({"STEM", "BLOCK", "OUTPUT", "HEAD"})
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
ENDS_A_VALUE = frozenset({"NAME", "NUMBER", "STRING", "RPAR", "RSQB", "TRUE", "FALSE"})
TIGHT_BEFORE = frozenset({"COMMA", "RPAR", "RSQB", "COLON", "DOT", "__ANON_1"})
TIGHT_AFTER = frozenset({"LPAR", "LSQB", "DOT", "__ANON_1"})
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
    return Outcome(printer.text())


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
        changes = self.in_edits and statement.head in ROWS  # a clause or two: columns would stand far apart
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
        group: list[Token] = []
        line = Line(depth, [])
        nested = 0
        for token in [*statement.tokens, None]:
            if group and (token is None or (token.line or 0) > (group[-1].line or 0)):
                self.comments_before(group[0].start_pos or 0, depth + 1)
                closes = group[0].type in ("RPAR", "RSQB", "RBRACE")
                extra = 0 if line.cells == [] or (closes and nested <= 1) else 1
                line = Line(depth + extra, [("", spaced(group))], first=group[0].line or 0, last=group[-1].line or 0)
                self.lines.append(line)
                nested += sum((part.type in (*BRACKETS, "LBRACE")) - (part.type in CLOSERS) for part in group)
                if token is not None or statement.body is None:
                    self.trailing(line, group[-1])
                group = []
            if token is not None:
                group.append(token)
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
    if tokens[0].type in ROWS:
        return tokens[0].type if [token.type for token in tokens[2:3]] == ["COLON"] else ""
    if _is_task(tokens):
        return tokens[0].value
    adds = len(tokens) > 1 and tokens[0].value == "add" and (tokens[1].type in ROWS or _is_task(tokens[1:]))
    return f"add {tokens[1].value}" if adds else ""


def _is_task(tokens: Sequence[Token]) -> bool:
    """`task NAME: …` or `part NAME: …`, where the word is no name."""
    return tokens[0].value in SOFT_ROWS and [token.type for token in tokens[1:3]] == ["NAME", "COLON"]


def cells_of(tokens: Sequence[Token]) -> list[tuple[str, str]]:
    """A row cut into its name, its type and its clauses; one that an edit adds also has its place."""
    if placed := _placed(tokens):
        cells = cells_of(tokens[:-placed])
        return [("free", spaced(tokens))] if cells[0][0] == "free" else [*cells, ("place", spaced(tokens[-placed:]))]
    task = _is_task(tokens)
    starts = [0, 3 if tokens[0].type in ROWS or task else 4]
    depth = 0
    for index, token in enumerate(tokens):
        of_clause = task and index - 1 in starts[2:]  # the value of a clause that begins with a name
        begins = token.type in CLAUSE_STARTS or (_is_channels(tokens, index) and not of_clause)
        begins = begins and not _of_connection(tokens, index)
        if index > starts[1] and depth == 0 and begins:
            starts.append(index)
        depth += (token.type in BRACKETS) - (token.type in BRACKETS.values())
    parts = [tokens[start:end] for start, end in zip(starts, [*starts[1:], len(tokens)], strict=True)]
    named = "rest" if tokens[0].value == TASK and task else "channels"  # a clause that is no keyword
    columns = ["name", "type", *(CLAUSE_STARTS.get(part[0].type, named) for part in parts[2:])]
    texts = [spaced(part) for part in parts]
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
    if tokens[0].type in ROWS or _is_task(tokens):
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


def _is_channels(tokens: Sequence[Token], index: int) -> bool:
    """The name `channels` begins a clause where a value has just ended."""
    return tokens[index].type == "NAME" and tokens[index - 1].type in ("NAME", "NUMBER", "RPAR", "RSQB")


def spaced(tokens: Sequence[Token]) -> str:
    """Tokens on one line, one blank between those that take one, and no comma before a bracket that closes."""
    out = ""
    for index, token in enumerate(tokens):
        if token.type == "COMMA" and tokens[index + 1 : index + 2] and tokens[index + 1].type in CLOSERS:
            continue
        blank = index and not _is_unary(tokens, index - 1) and _blank_between(tokens[index - 1], token)
        blank = blank and not _is_unit(tokens, index)
        if blank or (index and tokens[index - 1].type == "NAME" and _is_group(tokens, index)):
            out += " "
        out += token.value
    return out


def text_of(span: Span) -> str:
    """The text of a place with its blanks as they are set here."""
    return spaced(tokens_of(Source("", span.text)))


def _is_times(tokens: Sequence[Token], index: int) -> bool:
    """The `x` at `index` stands between two sizes of an input, as in `3 x (32 + 32) x 64`."""
    return tokens[index].value == "x" and tokens[0].type == "INPUT" and tokens[index - 1].type in ENDS_A_VALUE


def _is_unary(tokens: Sequence[Token], index: int) -> bool:
    """The minus at `index` belongs to what follows it: no value ends before it."""
    if tokens[index].type != "MINUS":
        return False
    if index == 0:
        return True
    is_property = index > 1 and tokens[index - 2].type == "DOT"  # `x.level - 1`
    return tokens[index - 1].type not in ENDS_A_VALUE and not is_property


def _is_unit(tokens: Sequence[Token], index: int) -> bool:
    """The `G` of `keep multiply_adds <= 90G`."""
    return index == 4 and tokens[0].value == "keep" and [token.type for token in tokens[2:4]] == ["COMPARE", "NUMBER"]


def _blank_between(before: Token, token: Token) -> bool:
    if before.type == "LBRACE" or token.type == "RBRACE":
        return True
    if token.type in TIGHT_BEFORE or before.type in TIGHT_AFTER:
        return False
    if token.type == "LSQB":
        return before.type not in ("NAME", "RSQB", "RPAR")  # `l[0]`
    return token.type != "LPAR" or before.type != "NAME"


def _is_group(tokens: Sequence[Token], index: int) -> bool:
    """The bracket at `index` holds one value, as in `(a + b) * c`, and neither arguments nor items of a list."""
    if tokens[index].type != "LPAR":
        return False
    if index == 0 or tokens[index - 1].type != "NAME" or _is_times(tokens, index - 1):
        return True
    return tokens[index - 1].value == "channels" and (index == 1 or _is_channels(tokens, index - 1))


def _arguments_of_instance(tokens: Sequence[Token]) -> int | None:
    """Where the arguments of `network A(p = 1) = B(…)` open, if there are some."""
    nested = 0
    for index, token in enumerate(tokens):
        nested += (token.type in BRACKETS) - (token.type in BRACKETS.values())
        if tokens[0].type == "NETWORK" and nested == 0 and token.type == "EQUAL":
            return index + 2 if [other.type for other in tokens[index + 2 : index + 3]] == ["LPAR"] else None
    return None


def broken_up(tokens: Sequence[Token], depth: int) -> list[tuple[int, str]]:
    """A line that is too long, with the items of its outermost brackets on lines of their own; empty if it has none.

    Of an instance with parameters those are the brackets of its arguments, if what stands before them fits.
    """
    openers = [i for i, token in enumerate(tokens) if token.type in ("LPAR", "LBRACE", "LSQB")]
    if not openers:
        return []
    opener = openers[0]
    base = _arguments_of_instance(tokens)
    if base is not None and len(INDENT) * depth + len(spaced(tokens[: base + 1])) <= WIDTH:
        opener = base
    nested, items, start, closer = 0, [], opener + 1, None
    for index in range(opener, len(tokens)):
        kind = tokens[index].type
        nested += (kind in (*BRACKETS, "LBRACE")) - (kind in CLOSERS)
        if nested == 0:
            closer = index
            break
        if nested == 1 and kind == "COMMA":
            items.append(tokens[start:index])
            start = index + 1
    if closer is None:
        return []
    if start < closer:
        items.append(tokens[start:closer])
    comma = "" if _is_group(tokens, opener) else ","
    lines = [(0, spaced(tokens[: opener + 1]))]
    lines += [(1, spaced(item) + comma) for item in items]
    lines.append((0, spaced(tokens[closer:])))
    return lines
