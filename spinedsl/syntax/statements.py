"""Cut the tokens of a file into statements, so that each is parsed alone and one broken row never hides the next.

In: the tokens of `grammar/spine.lark` in order. Out: a tree of `Statement`s, and diagnostics for brackets that do not
match. The rule is the one the grammar file states: a statement ends with its line, unless the line cannot end there or
the next one goes on with a clause word or an operator. Words that only ever open a statement open one wherever they
follow something complete, so even an unclosed bracket costs one row, not the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from operator import attrgetter

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Edit, Fix
from spinedsl.record import Record, field
from spinedsl.source import Source, Span
from spinedsl.syntax.machine import Token

DEFINITION_KINDS = frozenset(
    {"BLOCK_TYPE", "STEM_TYPE", "RESAMPLE_TYPE", "JOIN_TYPE", "OUTPUT_TYPE", "HEAD_TYPE", "DEF"}
)
TOP_LEVEL = DEFINITION_KINDS | {"SPINE", "IMPORT", "NETWORK"}
NETWORK_ITEMS = frozenset({"INPUT", "DEFAULTS", "WIDTHS", "RULES", "ALLOW", "STEM", "BLOCK", "OUTPUT", "HEAD"})
ALWAYS_OPENS = TOP_LEVEL | NETWORK_ITEMS | {"LET", "VAR", "RETURN", "YIELD", "EACH"}
BRACED_ROWS = frozenset({"DEFAULTS", "WIDTHS", "RULES"})
CAN_END = frozenset({"NAME", "NUMBER", "STRING", "RPAR", "RSQB", "RBRACE", "TRUE", "FALSE", "BAD"})
NETWORK_STATEMENTS = NETWORK_ITEMS | {"RESAMPLE", "JOIN", "LET"}
ROWS = NETWORK_STATEMENTS - {"LET"}  # what stands in networks only
IN_BODIES = frozenset({"LET", "VAR", "RETURN", "YIELD", "IF", "EACH"})  # what stands in definitions, or nearly so
ROW_KINDS = frozenset({"STEM", "BLOCK", "OUTPUT", "HEAD"})
NAMED_ROWS = ROW_KINDS | {"INPUT"}
EDIT_WORDS = ("add", "drop", "move")
TASK = "task"  # begins a task, and is a name everywhere else
PART = "part"  # begins a part, and is a name everywhere else
SOFT_ROWS = (TASK, PART)
OPENS_EDIT = (*EDIT_WORDS, *SOFT_ROWS)
CHOICES = ("permute", "parents", "level_shift", "types", "orphans", "keep")  # what stands in a search space
CHOICE_GOES_ON = ("of", "last", "all", "within")  # names that go on with a choice on the next line
FUNCTION = "fn"  # begins a function of numbers at the top of a file, and is a name everywhere else
SPACE = "space"  # begins a search space at the top of a file, and is a name everywhere else
ADDS_NAME = (*EDIT_WORDS, "before")  # what the name of a row follows in edits
CLAUSE_TERMINALS = frozenset({"LEVEL", "FROM", "AFTER", "REPEAT", "ABSORB", "RESAMPLE", "JOIN"})
NEEDS_MORE = CLAUSE_TERMINALS | {"EQUAL"}  # what an edit cannot end with
DANGLING = frozenset(  # what no statement can end with
    {"PLUS", "MINUS", "TIMES", "OVER", "COMPARE", "AND", "OR", "NOT", "IN", "IF", "ELSE", "DOT", "COMMA", "EQUAL"}
)
GOES_ON = frozenset({"channels", "before", "right"})  # names that go on with an edit on the next line
BRACKETS = {"LPAR": "RPAR", "LSQB": "RSQB"}
MAX_UNCLOSED = 3
CLOSERS = frozenset(BRACKETS.values())
TRACKED = CLOSERS | {*BRACKETS, "LBRACE"}
INNER_OPENERS = frozenset({"IF", "ELSE", "REPEAT", "EACH"})
BODY_ITEMS = frozenset({"LET", "VAR", "RETURN", "NAME", *INNER_OPENERS})


class Statement(Record, frozen=False, eq=False):
    """The tokens of one statement, and the statements between its braces if it has any."""

    tokens: list[Token]
    body: list[Statement] | None = None
    opener: Token | None = None
    closer: Token | None = None
    unclosed: Token | None = None  # a bracket among the tokens that nothing closes
    is_edit: bool = False
    reported: bool = False  # something was reported about it already: it is not parsed, and nothing more is reported
    stopped: int | None = None  # where a row's tokens stopped making sense, if a name was expected there

    @property
    def head(self) -> str:
        """Terminal of the first token."""
        return self.tokens[0].type

    @property
    def is_task(self) -> bool:
        """`task NAME: …` or `part NAME: …`, or what looks like one; `task = 2` gives a parameter its value."""
        return self.tokens[0].value in SOFT_ROWS and [token.type for token in self.tokens[1:2]] != ["EQUAL"]

    @property
    def is_space(self) -> bool:
        """`space Name of Network`, or what looks like one."""
        return self.tokens[0].value == SPACE and [token.type for token in self.tokens[1:2]] in ([], ["NAME"])

    @property
    def makes_instance(self) -> bool:
        """`network A = B`, with or without edits."""
        if self.head != "NETWORK":
            return False
        depth = 0
        for token in self.tokens:
            depth += (token.type == "LPAR") - (token.type == "RPAR")
            if token.type == "EQUAL" and depth == 0:
                return True
        return False

    @property
    def has_edits(self) -> bool:
        """`network A = B with`: what stands between its braces are edits."""
        return self.tokens[-1].type == "WITH" and self.head == "NETWORK"


def span_of(source: Source, token: Token) -> Span:
    """Place of a token."""
    return Span(source, token.start_pos, token.start_pos + len(token.value))


def last_of(source: Source, statement: Statement) -> Span:
    """Place of the last token of a statement, or of the last statement between its braces."""
    last = statement
    while last.body and last.closer is None:
        last = last.body[-1]
    if last.closer is not None:
        return span_of(source, last.closer)
    return span_of(source, last.opener if last.body is not None and last.opener is not None else last.tokens[-1])


def opens_space(tokens: Sequence[Token], index: int) -> bool:
    """`space Name of Network`: nothing else has four names, so it opens a space below whatever is unclosed."""
    names = tokens[index : index + 4]
    return names[0].value == SPACE and [name.type for name in names] == ["NAME"] * 4 and names[2].value == "of"


def cut(source: Source, tokens: Sequence[Token]) -> tuple[list[Statement], list[Diagnostic]]:
    """The statements of a file and what is wrong with its brackets."""
    cutter = _Cutter(source, with_functions(tokens))
    cutter.run()
    return cutter.top, cutter.diagnostics


def with_functions(tokens: Sequence[Token]) -> Sequence[Token]:
    """The tokens with a DEF for each `fn` that begins a function: `fn NAME (`, at the beginning of a line."""
    words = [*map(attrgetter("value"), tokens)]
    if FUNCTION not in words:
        return tokens
    found = list(tokens)
    for index, token in enumerate(tokens):
        if token.value != FUNCTION or [one.type for one in tokens[index : index + 3]] != ["NAME", "NAME", "LPAR"]:
            continue
        if index == 0 or tokens[index - 1].line < token.line:
            found[index] = Token("DEF", token.value, token.start_pos, token.line)
    return found


class _Cutter(Record, frozen=False):
    source: Source
    tokens: Sequence[Token]
    top: list[Statement] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    open_bodies: list[Statement] = field(default_factory=list)
    current: Statement | None = None
    brackets: list[Token] = field(default_factory=list)
    braced_row: Token | None = None  # the open brace of `defaults`, `widths` or `rules`
    index: int = 0  # of the token at hand

    def run(self) -> None:
        """Put every token into its statement, and match the braces."""
        previous: Token | None = None
        for index, token in enumerate(self.tokens):
            kind, self.index = token.type, index
            if kind == "RBRACE":
                self.close_brace(token)
            elif kind in CLOSERS and not self.brackets and self.stands_for_brace(index):
                self.say_other_closer(token)
                self.close_brace(Token("RBRACE", token.value, token.start_pos, token.line))
            elif kind == "LBRACE" and previous is not None and previous.type == "LBRACE" and not self.brackets:
                self.say_unopened(token, "the one before it is enough")
            elif kind == "LBRACE" and self.current is not None and self.current.head not in BRACED_ROWS:
                self.open_body(token)
            else:
                if self.current is None or self.starts_statement(index, token, previous):
                    self.start(token)
                else:
                    self.current.tokens.append(token)
                if kind in TRACKED:
                    self.track_brackets(token)
            previous = token
        self.finish()
        self.close_all()

    # ---- where a statement starts ----

    def starts_statement(self, index: int, token: Token, previous: Token | None) -> bool:
        """Whether a token begins a statement, by its line, what it is, and what came before."""
        if previous is None or self.current is None:
            return True
        new_line = token.line > previous.line
        if token.type == "WITH" or self.current.has_edits:
            return token.type != "WITH"
        if self.current.head == "IMPORT" and new_line:
            return token.type in TOP_LEVEL or (previous.type not in ("IMPORT", "DOT") and token.type != "DOT")
        in_edits = bool(self.open_bodies) and self.open_bodies[0].has_edits
        if not (new_line or in_edits or token.type in ALWAYS_OPENS):
            return False
        if in_edits and not new_line and token.type in ROW_KINDS and len(self.current.tokens) == 1:
            return self.current.head != "NAME"  # `add block …`
        if in_edits and self.adds_row(index, previous):
            return True
        if token.type in NAMED_ROWS and not new_line and [one.type for one in self.current.tokens] == ["NAME"]:
            return False  # `image input: …`
        if token.type == "EACH" and self.makes_list(index, new_line=new_line):
            return False
        soft = new_line and (opens_space(self.tokens, index) or self.opens_choice(index, previous))
        if soft or token.type in ALWAYS_OPENS:
            return new_line or (self.can_end(index - 1) and self.current.head != "IMPORT")
        if new_line and not self.brackets and self.braced_row is None and self.must_start(index, previous, in_edits):
            return True
        if not (new_line and self.can_end(index - 1)) or self.brackets or self.braced_row is not None:
            return False
        if not self.open_bodies:
            return True
        return self.starts_inside(index, token, in_edits)

    def starts_inside(self, index: int, token: Token, in_edits: bool) -> bool:
        """A token at the beginning of a line begins a statement in the body that is open."""
        if in_edits:
            names_edit = token.type == "NAME" and not self.goes_on(index)
            return token.type in ("RESAMPLE", "JOIN") or names_edit
        if self.open_bodies[0].is_space:
            return token.type in ("NAME", "BAD") and token.value not in CHOICE_GOES_ON
        if self.open_bodies[0].head == "NETWORK":
            return token.type in ("RESAMPLE", "JOIN") or (token.type == "NAME" and self.looks_like_row(index))
        return token.type in ("NAME", "IF", "REPEAT", "ELSE", "BAD")

    def makes_list(self, index: int, *, new_line: bool) -> bool:
        """The `each` of `[value each k in list]`: on a line of its own, if a `]` follows before any brace."""
        if not self.brackets or self.brackets[-1].type != "LSQB":
            return False
        return not new_line or index in self.before_closers

    @cached_property
    def before_closers(self) -> frozenset[int]:
        """Every `each` that a `]` follows before any brace; looked up once, since a list may have many."""
        found: set[int] = set()
        closed = False
        for index in reversed(range(len(self.tokens))):
            kind = self.tokens[index].type
            if kind in ("RSQB", "LBRACE"):
                closed = kind == "RSQB"
            elif kind == "EACH" and closed:
                found.add(index)
        return frozenset(found)

    def opens_choice(self, index: int, previous: Token) -> bool:
        """`keep multiply_adds …` in a search space, even below a row that breaks off."""
        if not (self.open_bodies and self.open_bodies[0].is_space) or previous.type == "COMMA":
            return False
        kinds = [token.type for token in self.tokens[index + 1 : index + 2]]
        return self.tokens[index].value in CHOICES and kinds in (["NAME"], ["ABSORB"])

    def can_end(self, index: int) -> bool:
        """A statement may be complete after a token. `level` begins a clause, but in `x.level` it is a name."""
        kind = self.tokens[index].type
        return kind in CAN_END or (kind == "LEVEL" and self.tokens[index - 1].type == "DOT")

    def adds_row(self, index: int, previous: Token) -> bool:
        """`add block …`, where `add` is no name."""
        token, *following = self.tokens[index : index + 2]
        if token.value != "add" or not following or following[0].type not in ROW_KINDS:
            return False
        named = previous.type in ("FROM", "AFTER", "ABSORB", "COMMA", *ROW_KINDS) or previous.value in ADDS_NAME
        return following[0].line == token.line and not named

    def must_start(self, index: int, previous: Token, in_edits: bool) -> bool:
        """A line that could only be a statement is one, even below a line that breaks off, as by an operator."""
        token = self.tokens[index]
        if in_edits and previous.type in NEEDS_MORE | DANGLING | {"LET"} and self.opens_edit(index):
            return previous.type != "LET" or not self.gives_value(index)
        if previous.type not in DANGLING | CLAUSE_TERMINALS or not self.open_bodies:
            return False
        if in_edits or self.open_bodies[0].head == "NETWORK":
            return token.type in ("RESAMPLE", "JOIN") or (token.type == "NAME" and self.names_row(index))
        if token.type == "NAME":
            return self.gives_value(index)
        assert self.current is not None
        return token.type in ("IF", "REPEAT", "ELSE") and [one.type for one in self.current.tokens] != ["ELSE"]

    def names_row(self, index: int) -> bool:
        """`blok b3: …`: nothing else has two names and a colon."""
        return [token.type for token in self.tokens[index : index + 3]] == ["NAME", "NAME", "COLON"]

    def opens_edit(self, index: int) -> bool:
        """`drop b11`, `move b6 …`, `add block …` or `width = 2`: an edit of its own, even below one that breaks off."""
        token, *following = self.tokens[index : index + 2]
        if token.value in OPENS_EDIT and following and following[0].type in ROW_KINDS | {"NAME"}:
            return True
        return token.type == "NAME" and self.gives_value(index)

    def goes_on(self, index: int) -> bool:
        """A name at the beginning of a line goes on with the edit above: by a clause that is no keyword."""
        assert self.current is not None
        if self.gives_value(index):
            return False
        if self.current.is_task:
            return not (self.opens_edit(index) or self.names_row(index))
        return self.tokens[index].value in GOES_ON

    def gives_value(self, index: int) -> bool:
        """`channels = 64`: the name at `index` is a parameter, whatever else it may be."""
        return [token.type for token in self.tokens[index + 1 : index + 2]] == ["EQUAL"]

    def looks_like_row(self, index: int) -> bool:
        """A line that opens with an unknown word, as in `blok b3: …`, `b3: …` or `width { … }`, is a row of its own."""
        following = [token.type for token in self.tokens[index + 1 : index + 3]]
        if self.tokens[index].value == PART and following == ["SHARED", "NAME"]:
            return True
        named = following[:1] and following[0] in {"NAME", *NAMED_ROWS}
        if following[1:] == ["COLON"] or (named and self.tokens[index].value in SOFT_ROWS):
            return bool(named)
        return following[:1] in (["LBRACE"], ["EQUAL"], ["COLON"])

    def start(self, token: Token) -> None:
        """Begin a statement, where the one before it has ended."""
        if self.current is not None and self.current.head in INNER_OPENERS and token.type not in TOP_LEVEL:
            self.open_without_brace(self.current)
        self.finish()
        if token.type in TOP_LEVEL or opens_space(self.tokens, self.index):
            self.close_all()
        self.current = Statement([token])
        self.adopt(self.current)

    def adopt(self, statement: Statement) -> None:
        """Put a statement into the innermost open body, or at the top of the file."""
        opens = statement.head in TOP_LEVEL or opens_space(self.tokens, self.index)
        if not self.open_bodies and not opens and self.top:
            before = self.top[-1]
            if missing_brace(before):
                self.open_without_brace(before)
            elif self.ended_early(before, statement):
                self.reopen(before)
        body = self.open_bodies[-1].body if self.open_bodies else self.top
        assert body is not None
        body.append(statement)

    def ended_early(self, closed: Statement, statement: Statement) -> bool:
        """The statement belongs into what was closed just before. A `let` does if one more `}` follows."""
        belongs = closed.closer is not None and belongs_in(statement, closed)
        if statement.head == "NAME":
            return belongs and (self.opens_edit(self.index) if closed.has_edits else self.gives_value(self.index))
        if closed.head in DEFINITION_KINDS and closed.body and closed.body[-1].head == "RETURN":
            return False  # it was complete: a definition of its own begins here
        if statement.head == "INPUT" and any(part.head == "INPUT" for part in closed.body or []):
            return False  # a network of its own begins here
        if not belongs or statement.head != "LET":
            return belongs
        depth = 0
        for token in self.tokens[self.index :]:
            if token.type in TOP_LEVEL:
                return False
            depth += (token.type == "LBRACE") - (token.type == "RBRACE")
            if depth < 0:
                return True
        return False

    def open_without_brace(self, opener: Statement) -> None:
        """The `{` was forgotten: what follows is the body all the same."""
        opener.body = []
        self.open_bodies.append(opener)
        if opener.reported:
            return
        last = span_of(self.source, opener.tokens[-1])
        found = say.MISSING_BRACE.at(Span(self.source, last.end - 1, last.end), what=opener.tokens[0].value)
        self.diagnostics.append(found.repaired(Edit(Span(self.source, last.end, last.end), " {")))
        opener.reported = True

    def reopen(self, closed: Statement) -> None:
        """A `}` too many ended a body early: what follows still belongs to it."""
        assert closed.closer is not None
        last = closed.body[-1] if closed.body else closed
        beside = last.tokens[-1].line == closed.closer.line or self.indent(closed.closer) >= self.indent(last.tokens[0])
        if last.head in BRACED_ROWS and beside and not holds_brace(last):
            last.tokens.append(closed.closer)  # `widths level 2: 64 }`: it is that row's, whose `{` is missing
        else:
            self.say_unopened(closed.closer, f"this ends the `{closed.tokens[0].value}`, but more of it follows")
        closed.closer = None
        self.open_bodies.append(closed)

    def finish(self) -> None:
        """The current statement ends here: a bracket that is still open is its mistake."""
        if self.current is not None:
            self.current.unclosed = self.braced_row or (self.brackets[-1] if self.brackets else None)
        self.current, self.braced_row = None, None
        self.brackets.clear()

    # ---- brackets ----

    def track_brackets(self, token: Token) -> None:
        assert self.current is not None
        if token.type in BRACKETS:
            self.brackets.append(token)
        elif token.type == "LBRACE":
            if self.braced_row is None:
                self.braced_row = token
        elif self.brackets and BRACKETS[self.brackets[-1].type] == token.type:
            self.brackets.pop()
        elif not self.current.reported:
            self.say_unopened(token, "no open bracket matches this one")
            self.current.reported = True

    def open_body(self, token: Token) -> None:
        statement = self.current
        assert statement is not None
        self.finish()
        statement.body, statement.opener = [], token
        self.open_bodies.append(statement)

    def close_brace(self, token: Token) -> None:
        if self.braced_row is not None and self.current is not None:
            self.current.tokens.append(token)
            self.braced_row = None
            self.finish()
            return
        self.finish()
        if self.open_bodies:
            self.open_bodies.pop().closer = token
        elif (
            not self.top or self.top[-1].head not in NETWORK_STATEMENTS | BODY_ITEMS
        ):  # else a head is missing: reported
            self.say_unopened(token, "no open bracket matches this one")

    def stands_for_brace(self, index: int) -> bool:
        """A `)` or `]` where only a brace is open, and no `}` follows that could be its own."""
        token, *following = self.tokens[index : index + 2]
        before = self.tokens[index - 1] if index else token
        opener = self.current if self.braced_row is not None else self.open_bodies[-1] if self.open_bodies else None
        if opener is None or any(other.line == token.line for other in following):
            return False
        if any(other.type == "RBRACE" and self.indent(other) >= self.indent(opener.tokens[0]) for other in following):
            return False
        under_it = before.line < token.line and self.indent(token) <= self.indent(opener.tokens[0])
        return self.braced_row is not None or under_it

    def say_other_closer(self, token: Token) -> None:
        """What closes is no `}`."""
        opener = self.braced_row or self.open_bodies[-1].opener
        opened = f" in line {opener.line}" if opener is not None and opener.line < token.line else ""
        span = span_of(self.source, token)
        found = say.UNOPENED.at(span, bracket=token.value, why=f"what is open is the `{{`{opened}")
        self.diagnostics.append(found.with_fix("close it with `}`", Edit(span, "}")))

    def close_all(self) -> None:
        """Whatever is still open is never closed. Only the outermost are reported: the others may well follow."""
        for depth, statement in enumerate(self.open_bodies):
            if depth < MAX_UNCLOSED:
                self.unclosed(statement)
            statement.reported = statement.reported or statement.head != "NETWORK"
        self.open_bodies.clear()

    def unclosed(self, statement: Statement) -> None:
        """A body without its `}`. What stands in a definition after that is nobody's mistake, so it is not read."""
        if statement.opener is None:
            return
        culprit = self.likely_unclosed(statement)
        assert culprit.opener is not None
        found = say.UNCLOSED.at(span_of(self.source, culprit.opener), bracket=culprit.opener.value)
        if culprit is statement:
            end = last_of(self.source, statement).end
            edits = (Edit(Span(self.source, end, end), "\n}"),) if statement.body else ()
            found = found.with_fix("close it with `}`", *edits, instead=Fix("close it with `}` where it ends"))
        else:
            place = span_of(self.source, statement.tokens[0])
            found = found.with_notes(f"so the lines are indented; if they mislead, it is that of line {place.line}")
            found = found.with_fix(f"close this `{culprit.tokens[0].value}` with `}}`")
        self.diagnostics.append(found)

    def likely_unclosed(self, statement: Statement) -> Statement:
        """Of the bodies inside, the first whose `}` stands under the beginning of another: its own is missing."""
        pending = [statement]
        while pending:
            part = pending.pop()
            inner = [other for other in part.body or [] if other.body is not None and other.opener is not None]
            for other in inner:
                if other.closer is None or other.closer.line == other.tokens[0].line:
                    continue
                if self.indent(other.closer) < self.indent(other.tokens[0]):
                    return other
            pending += reversed(inner)
        return statement

    def indent(self, token: Token) -> int:
        line, _ = self.source.position(token.start_pos)
        text = self.source.line_text(line)
        return len(text) - len(text.lstrip())

    def say_unopened(self, token: Token, why: str) -> None:
        span = span_of(self.source, token)
        found = say.UNOPENED.at(span, bracket=token.value, why=why)
        self.diagnostics.append(found.with_fix(f"take away this `{token.value}`", Edit(span, "")))


def missing_brace(statement: Statement) -> bool:
    """A network or definition whose `{` was forgotten: it has no body and is no instance without edits."""
    if statement.is_space:
        return statement.body is None
    if statement.body is not None or statement.head not in DEFINITION_KINDS | {"NETWORK"}:
        return False
    return statement.has_edits or not statement.makes_instance


def holds_brace(statement: Statement) -> bool:
    """A brace opens among its own tokens."""
    return any(token.type == "LBRACE" for token in statement.tokens)


def belongs_in(statement: Statement, closed: Statement) -> bool:
    """At the top of a file the statement is nothing, but it could stand in what was closed just before."""
    if closed.is_space:
        return statement.tokens[0].value in CHOICES
    if closed.has_edits:
        return statement.head in NETWORK_STATEMENTS | {"NAME"}
    if closed.head == "NETWORK":
        return statement.head in NETWORK_STATEMENTS
    return closed.head in DEFINITION_KINDS and statement.head in BODY_ITEMS
