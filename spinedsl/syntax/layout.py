"""Cut the tokens of a file into statements, so that each is parsed alone and one broken row never hides the next.

In: the tokens of `grammar/spine.lark` in order. Out: a tree of `Statement`s, and diagnostics for brackets that do not
match. The rule is the one the grammar file states: a statement ends with its line, unless the line cannot end there or
the next one goes on with a clause word or an operator. Words that only ever open a statement open one wherever they
follow something complete, so even an unclosed bracket costs one row, not the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from lark import Token

from spinedsl.diagnostics import Diagnostic, Edit, Label
from spinedsl.diagnostics import catalogue as say
from spinedsl.source import Source, Span

DEFINITION_KINDS = frozenset(
    {"BLOCK_TYPE", "STEM_TYPE", "RESAMPLE_TYPE", "JOIN_TYPE", "OUTPUT_TYPE", "HEAD_TYPE", "DEF"}
)
TOP_LEVEL = DEFINITION_KINDS | {"SPINE", "IMPORT", "NETWORK"}
NETWORK_ITEMS = frozenset({"INPUT", "DEFAULTS", "WIDTHS", "RULES", "ALLOW", "STEM", "BLOCK", "OUTPUT", "HEAD"})
ALWAYS_OPENS = TOP_LEVEL | NETWORK_ITEMS | {"LET", "VAR", "RETURN", "YIELD", "EACH"}
BRACED_ROWS = frozenset({"DEFAULTS", "WIDTHS", "RULES"})
BLOCK_OPENERS = DEFINITION_KINDS | {"NETWORK", "IF", "ELSE", "REPEAT", "EACH"}
CAN_END = frozenset({"NAME", "NUMBER", "STRING", "RPAR", "RSQB", "RBRACE", "TRUE", "FALSE", "BAD"})
BRACKETS = {"LPAR": "RPAR", "LSQB": "RSQB"}


@dataclass(eq=False)
class Statement:
    """The tokens of one statement, and the statements between its braces if it has any."""

    tokens: list[Token]
    body: list[Statement] | None = None
    opener: Token | None = None
    closer: Token | None = None
    reported: bool = False  # something was said of it already: it is not parsed, and nothing more is said

    @property
    def head(self) -> str:
        """Terminal of the first token."""
        return self.tokens[0].type


def span_of(source: Source, token: Token) -> Span:
    """Place of a token."""
    start = token.start_pos or 0
    return Span(source, start, start + len(token))


def lay_out(source: Source, tokens: Sequence[Token]) -> tuple[list[Statement], list[Diagnostic]]:
    """The statements of a file and what is wrong with its brackets."""
    layout = _Layout(source, tokens)
    layout.run()
    return layout.top, layout.diagnostics


@dataclass
class _Layout:
    source: Source
    tokens: Sequence[Token]
    top: list[Statement] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    open_bodies: list[Statement] = field(default_factory=list)
    current: Statement | None = None
    brackets: list[Token] = field(default_factory=list)
    in_braced_row: Token | None = None

    def run(self) -> None:
        previous: Token | None = None
        for index, token in enumerate(self.tokens):
            if token.type == "RBRACE":
                self.close_brace(token)
            elif token.type == "LBRACE" and self.current is not None and self.opens_body():
                self.open_body(token)
            else:
                if self.starts_statement(index, token, previous):
                    self.start(token)
                elif self.current is None:
                    self.start(token)
                else:
                    self.current.tokens.append(token)
                self.track_brackets(token)
            previous = token
        self.finish()
        while self.open_bodies:
            self.unclosed(self.open_bodies.pop())

    # ---- where a statement starts ----

    def starts_statement(self, index: int, token: Token, previous: Token | None) -> bool:
        if previous is None or self.current is None:
            return True
        can_end = previous.type in CAN_END
        new_line = (token.line or 0) > (previous.line or 0)
        if token.type in ALWAYS_OPENS:
            return new_line or (can_end and self.current.head != "IMPORT")
        if not (new_line and can_end) or self.brackets or self.in_braced_row is not None:
            return False
        if not self.open_bodies:
            return True
        if self.open_bodies[0].head == "NETWORK":
            return token.type in ("RESAMPLE", "JOIN") or (token.type == "NAME" and self.looks_like_row(index))
        return token.type in ("NAME", "IF", "REPEAT", "ELSE")

    def looks_like_row(self, index: int) -> bool:
        """A line that opens with an unknown word, as in `blok b3: …` or `width { … }`, is a row of its own."""
        following = [token.type for token in self.tokens[index + 1 : index + 3]]
        return following[:1] in (["LBRACE"], ["EQUAL"]) or following == ["NAME", "COLON"]

    def start(self, token: Token) -> None:
        self.finish()
        if token.type in TOP_LEVEL:
            while self.open_bodies:
                self.unclosed(self.open_bodies.pop())
        self.current = Statement([token])
        self.adopt(self.current)

    def adopt(self, statement: Statement) -> None:
        if not self.open_bodies and statement.head not in TOP_LEVEL and self.top and self.missing_brace(self.top[-1]):
            opener = self.top[-1]
            opener.body = []
            if not opener.reported:
                end = span_of(self.source, opener.tokens[-1]).end
                self.diagnostics.append(
                    say.MISSING_BRACE.at(Span(self.source, end - 1, end), what=opener.tokens[0].value).with_fix(
                        "open it with `{`", Edit(Span(self.source, end, end), " {")
                    )
                )
                opener.reported = True
            self.open_bodies.append(opener)
        body = self.open_bodies[-1].body if self.open_bodies else self.top
        assert body is not None
        body.append(statement)

    @staticmethod
    def missing_brace(statement: Statement) -> bool:
        """A network or definition whose `{` was forgotten: it has no body and is no instance."""
        if statement.body is not None or statement.head not in DEFINITION_KINDS | {"NETWORK"}:
            return False
        return statement.head != "NETWORK" or all(token.type != "EQUAL" for token in statement.tokens[:3])

    def finish(self) -> None:
        """The current statement ends here: brackets that are still open are its mistake."""
        statement = self.current
        if statement is not None:
            unclosed = self.in_braced_row or (self.brackets[-1] if self.brackets else None)
            if unclosed is not None and not statement.reported:
                self.say_unclosed(unclosed)
                statement.reported = True
        self.current, self.in_braced_row = None, None
        self.brackets.clear()

    # ---- brackets ----

    def track_brackets(self, token: Token) -> None:
        assert self.current is not None
        if token.type in BRACKETS:
            self.brackets.append(token)
        elif token.type in BRACKETS.values():
            if self.brackets and BRACKETS[self.brackets[-1].type] == token.type:
                self.brackets.pop()
            elif not self.current.reported:
                self.say_unopened(token)
                self.current.reported = True
        elif token.type == "LBRACE" and self.current.head in BRACED_ROWS and self.in_braced_row is None:
            self.in_braced_row = token

    def opens_body(self) -> bool:
        assert self.current is not None
        return self.current.head not in BRACED_ROWS

    def open_body(self, token: Token) -> None:
        statement = self.current
        assert statement is not None
        self.finish()
        statement.body, statement.opener = [], token
        self.open_bodies.append(statement)

    def close_brace(self, token: Token) -> None:
        if self.in_braced_row is not None and self.current is not None:
            self.current.tokens.append(token)
            self.in_braced_row = None
            self.finish()
            return
        self.finish()
        if self.open_bodies:
            self.open_bodies.pop().closer = token
        else:
            self.say_unopened(token)

    def unclosed(self, statement: Statement) -> None:
        if statement.opener is not None:
            self.say_unclosed(statement.opener, statement)

    def say_unclosed(self, token: Token, statement: Statement | None = None) -> None:
        diagnostic = say.UNCLOSED.at(span_of(self.source, token), bracket=token.value)
        if statement is not None:
            diagnostic = diagnostic.with_others(Label(span_of(self.source, statement.tokens[0]), "of what begins here"))
        self.diagnostics.append(diagnostic)

    def say_unopened(self, token: Token) -> None:
        span = span_of(self.source, token)
        self.diagnostics.append(
            say.UNOPENED.at(span, bracket=token.value).with_fix(f"take away this `{token.value}`", Edit(span, ""))
        )
