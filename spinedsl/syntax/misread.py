"""Say what is wrong with a statement that could not be read: where it stopped making sense, what was expected, a repair.

In: a statement and where the parser stopped. Out: a diagnostic. Mistakes that people make again and again have words of
their own: a keyword as a name, a missing comma or colon, `=` after a clause word, sizes written without blanks.
"""

from __future__ import annotations

import re

from spinedsl.diagnostics import Diagnostic, Edit, nearest
from spinedsl.diagnostics import catalogue as say
from spinedsl.source import Source, Span
from spinedsl.syntax import characters
from spinedsl.syntax.layout import BRACKETS, GOES_ON, NETWORK_ITEMS, Statement, span_of
from spinedsl.syntax.machine import END, Token, Unexpected
from spinedsl.syntax.words import EXAMPLES, PUNCTUATION, WORDS, in_words

CLAUSE_WORDS = ("level", "from", "after", "repeat", "absorb", "channels", "resample", "join")
CLAUSE_TERMINALS = frozenset({"LEVEL", "FROM", "AFTER", "REPEAT", "ABSORB", "RESAMPLE", "JOIN"})
_SIZES = re.compile(r"\b(\d+)\s*[xX*]\s*(\d+)\s*[xX*]\s*(\d+)")


class Misreadings:
    """Says misreadings of one file; a keyword used as a name is said once, however often it is used."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.keywords: set[str] = set()

    def unexpected(self, statement: Statement, error: Unexpected) -> Diagnostic | None:
        """What was expected where the tokens stopped making sense; None if it was said before."""
        tokens = statement.tokens
        if (comma := self.missing_comma(tokens, error.position)) is not None:
            return comma
        if error.position == len(tokens):
            return self.ends_early(statement, error)
        token = tokens[error.position]
        if self.is_keyword_as_name(token, error):
            return self.keyword_as_name(token)
        span = span_of(self.source, token)
        found = say.UNEXPECTED.at(span, found=token.value, expected=in_words(error.accepts))
        before = tokens[error.position - 1] if error.position else None
        if token.type == "EQUAL" and before is not None and before.type in CLAUSE_TERMINALS:
            return found.with_fix(f"`{before.value}` takes its value without `=`", Edit(span, ""))
        if statement.head == "INPUT":
            return self.input_form(statement, found)
        if token.type == "NAME" and statement.head in NETWORK_ITEMS and END in error.accepts:
            near = nearest(token.value, CLAUSE_WORDS)
            if near is not None:
                return found.with_rename(span, near)
        return self.with_missing(found, statement, error)

    def ends_early(self, statement: Statement, error: Unexpected) -> Diagnostic:
        """The statement lacks its end."""
        last = span_of(self.source, statement.tokens[-1])
        place = Span(self.source, last.end - 1, last.end)
        found = say.ENDS_EARLY.at(place, last=last.text, expected=in_words(error.accepts))
        if statement.head == "INPUT":
            return self.input_form(statement, found)
        return self.with_missing(found, statement, error)

    def with_missing(self, found: Diagnostic, statement: Statement, error: Unexpected) -> Diagnostic:
        """With the one sign that can stand there, if it is one, or an example of such a statement."""
        signs = [terminal for terminal in error.accepts if terminal in PUNCTUATION]
        if len(error.accepts) == 1 and signs:
            sign = PUNCTUATION[signs[0]]
            before = statement.tokens[error.position - 1]
            end = before.start_pos + len(before.value)
            text = f" {sign}" if sign == "=" else sign
            return found.with_fix(f"write `{sign}` here", Edit(Span(self.source, end, end), text))
        example = EXAMPLES.get("edit" if statement.is_edit else statement.head)
        return found if example is None else found.with_notes(f"as in `{example}`")

    def missing_comma(self, tokens: list[Token], position: int) -> Diagnostic | None:
        """`from b0 b1`: the second name was read as the word of a clause."""
        start = position - 1
        if start < 2 or tokens[start].type != "NAME" or tokens[start - 1].type != "NAME":
            return None
        if tokens[start - 2].type not in ("FROM", "ABSORB", "COMMA") or tokens[start].value in GOES_ON:
            return None
        span = span_of(self.source, tokens[start])
        near = nearest(tokens[start].value, CLAUSE_WORDS)
        found = say.UNEXPECTED.at(span, found=span.text, expected="`,` before another name, or a clause")
        if near is not None:
            return found.with_rename(span, near)
        end = span_of(self.source, tokens[start - 1]).end
        return found.with_fix("names are separated by `,`", Edit(Span(self.source, end, end), ","))

    def is_keyword_as_name(self, token: Token, error: Unexpected) -> bool:
        """A name was expected, and nothing else that a value begins with, and a keyword came."""
        expected = "NAME" in error.accepts and "NUMBER" not in error.accepts and END not in error.accepts
        return expected and token.type not in WORDS and token.value.isidentifier()

    def keyword_as_name(self, token: Token) -> Diagnostic | None:
        """Said at the first of its uses."""
        if token.value in self.keywords:
            return None
        self.keywords.add(token.value)
        span = span_of(self.source, token)
        found = say.KEYWORD_AS_NAME.at(span, word=token.value)
        return found.with_fix(f"choose another name, say `{token.value}_`", Edit(span, f"{token.value}_"))

    def input_form(self, statement: Statement, found: Diagnostic) -> Diagnostic:
        """The sizes of an input, as people write them elsewhere."""
        span = span_of(self.source, statement.tokens[0]).to(span_of(self.source, statement.tokens[-1]))
        sizes = _SIZES.search(span.text)
        if sizes is None:
            return found.with_notes(f"channels, height and width, as in `{EXAMPLES['INPUT']}`")
        place = Span(self.source, span.start + sizes.start(), span.start + sizes.end())
        text = " x ".join(sizes.groups())
        return found.with_fix(f"with blanks around each `x`: `{text}`", Edit(place, text))

    # ---- brackets and characters ----

    def unclosed(self, token: Token, statement: Statement, stopped: Unexpected | None) -> Diagnostic:
        """A bracket within a statement that nothing closes; where it could be, if the parser knows."""
        found = say.UNCLOSED.at(span_of(self.source, token), bracket=token.value)
        closer = {**BRACKETS, "LBRACE": "RBRACE"}[token.type]
        if stopped is None or closer not in stopped.accepts:
            return found
        before = span_of(self.source, statement.tokens[stopped.position - 1])
        text = PUNCTUATION[closer]
        words = f"close it with `{text}` after `{before.text}`"
        return found.with_fix(words, Edit(Span(self.source, before.end, before.end), text))

    def bad(self, token: Token) -> Diagnostic | None:
        """A character that begins nothing; None if it was said when the characters were looked at."""
        span = span_of(self.source, token)
        if token.value == '"':
            line_end = self.source.text.find("\n", span.start)
            end = len(self.source.text) if line_end < 0 else line_end
            rest = Span(self.source, span.start, end)
            found = say.UNCLOSED.at(span, bracket='"')
            return found.with_fix('close it with `"` on its line', Edit(Span(self.source, rest.end, rest.end), '"'))
        if characters.is_reported(token.value):
            return None
        found = say.BAD_CHARACTER.at(span, character=characters.show(token.value))
        instead = _INSTEAD.get(token.value)
        if instead is not None and instead.strip():
            return found.with_fix(f"did you mean `{instead.strip()}`?", Edit(span, instead))
        if instead is not None:
            return found.with_fix("take it away", Edit(span, instead))
        return found.with_fix("take it away", Edit(span, ""))


_INSTEAD = {"'": '"', ";": "", "&": " and ", "|": " or ", "!": " not ", "\u00a0": " ", "\u3000": " "}
