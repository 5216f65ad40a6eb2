"""Say what is wrong with a statement that could not be read: where it stops making sense, what was expected, a repair.

In: a statement and where the parser stopped. Out: a diagnostic. Mistakes that people make again and again have words of
their own: a keyword as a name, a missing comma or colon, `=` after a clause word, sizes written without blanks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Edit, Fix, nearest, one_of
from spinedsl.source import Source, Span
from spinedsl.syntax import characters
from spinedsl.syntax.digits import ALONE, number_of_elsewhere, touches_number
from spinedsl.syntax.habits import Place, habit_of, power
from spinedsl.syntax.machine import END, Token, Unexpected
from spinedsl.syntax.statements import (
    BRACKETS,
    CHOICES,
    CLOSERS,
    GOES_ON,
    NETWORK_ITEMS,
    ROW_KINDS,
    SPACE,
    TOP_LEVEL,
    Statement,
    span_of,
)
from spinedsl.syntax.words import EXAMPLES, PUNCTUATION, WORDS, in_words, may_be_row

CLAUSE_WORDS = ("level", "from", "after", "channels", "repeat", "absorb", "resample", "join")
EDITED = ROW_KINDS | {"NAME"}
ENTRIES = {"LBRACE": "entries", "LPAR": "arguments", "LSQB": "values"}  # what stands in braces and brackets
BEGINS_ENTRY = frozenset({"NAME", "NUMBER", "LEVEL", "TRUE", "FALSE"})
INSTEAD = {"'": '"', "&": " and ", "|": " or ", "!": " not ", "\u00a0": " ", "\u3000": " "}
_SIZES = re.compile(r"\(?\b\d+(?:\s*[xX*,]\s*\d+){2,}\)?")


class Misreadings:
    """Says misreadings of one file; a keyword used as a name is reported once, however often it is used."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.keywords: dict[str, list[Span]] = {}  # used as names, with every place

    def unexpected(self, statement: Statement, error: Unexpected) -> Diagnostic | None:
        """What was expected where the tokens stopped making sense; None for what `keywords_as_names` says."""
        tokens = statement.tokens
        error = at_type(tokens, error)
        if (comma := self.missing_comma(tokens, error.position)) is not None:
            return comma
        if statement.head != "INPUT" and statement.tokens[0].value not in CHOICES:
            number = number_of_elsewhere(self.source, tokens, error.position)
            if number is not None:
                found = say.UNEXPECTED.at(number[0], found=number[0].text, expected="a number")
                return found.with_fix(number[1].text, *number[1].edits, instead=Fix(number[1].text))
        if error.position == len(tokens):
            return self.ends_early(statement, error)
        token = tokens[error.position]
        span = span_of(self.source, token)
        if (separated := self.comma_between_entries(tokens, error)) is not None:
            found = say.UNEXPECTED.at(span, found=token.value, expected=in_words(error.accepts))
            return found.with_fix(separated.text, *separated.edits, instead=Fix(separated.text))
        habit = habit_of(self.source, statement, error.position, error.accepts)
        of_input = statement.head == "INPUT" and not self.has_sizes(token, error)
        if habit is not None and not of_input:
            found = say.UNEXPECTED.at(span, found=token.value, expected=in_words(error.accepts))
            return found.with_fix(habit.text, *habit.edits)
        if is_keyword_as_name(statement, token, error):
            self.keywords.setdefault(token.value, []).append(span)
            return None
        if of_input:
            return self.input_form(statement, span)
        found = say.UNEXPECTED.at(span, found=token.value, expected=in_words(error.accepts))
        return self.with_missing(found, statement, error)

    def ends_early(self, statement: Statement, error: Unexpected) -> Diagnostic:
        """The statement lacks its end."""
        last = span_of(self.source, statement.tokens[-1])
        place = Span(self.source, last.end - 1, last.end)
        if statement.head == "INPUT":
            return self.input_form(statement, place)
        if self.begins_clause(statement, error) and last.text not in CLAUSE_WORDS:
            found = say.UNEXPECTED.at(last, found=last.text, expected=f"the end of the line, {one_of(CLAUSE_WORDS)}")
            near = nearest(last.text, CLAUSE_WORDS)
            return found.with_fix("take it away", Edit(last, "")) if near is None else found.with_rename(last, near)
        found = say.ENDS_EARLY.at(place, last=last.text, expected=in_words(error.accepts))
        return self.with_missing(found, statement, error)

    @staticmethod
    def begins_clause(statement: Statement, error: Unexpected) -> bool:
        """A row ends with a name that a value would make a clause of."""
        is_row = statement.head in ROW_KINDS and not statement.is_edit
        return is_row and statement.tokens[-1].type == "NAME" and "NUMBER" in error.accepts

    def with_missing(self, found: Diagnostic, statement: Statement, error: Unexpected) -> Diagnostic:
        """With the one sign that can stand there, if it is one, or an example of such a statement."""
        signs = [terminal for terminal in error.accepts if terminal in PUNCTUATION]
        if len(error.accepts) == 1 and signs:
            sign = PUNCTUATION[signs[0]]
            end = span_of(self.source, statement.tokens[error.position - 1]).end
            text = f" {sign}" if sign == "=" else sign
            return found.with_fix(f"write `{sign}` here", Edit(Span(self.source, end, end), text))
        kind = "edit" if statement.is_edit and statement.head in EDITED else statement.head
        word = statement.tokens[0].value
        if word in (*CHOICES, SPACE) and statement.head == "NAME" and not statement.is_edit:
            return found.with_fix(f"as in `{EXAMPLES[word]}`")
        example = EXAMPLES.get(statement.tokens[0].value.upper() if statement.is_task else kind)
        return found if example is None else found.with_notes(f"as in `{example}`")

    def missing_comma(self, tokens: list[Token], position: int) -> Diagnostic | None:
        """`from b0 b1`: the second name was read as the word of a clause."""
        start = position - 1
        if start < 2 or tokens[start].type != "NAME" or tokens[start - 1].type != "NAME":
            return None
        if tokens[start - 2].type not in ("FROM", "ABSORB", "COMMA") or tokens[start].value in GOES_ON:
            return None
        span = span_of(self.source, tokens[start])
        found = say.UNEXPECTED.at(span, found=span.text, expected="`,` before another name, or a clause")
        near = nearest(tokens[start].value, CLAUSE_WORDS)
        if near is not None:
            return found.with_rename(span, near)
        if tokens[start - 1].value == "none" or not may_be_row(self.source, span.text):
            return found
        end = span_of(self.source, tokens[start - 1]).end
        return found.with_fix("names are separated by `,`", Edit(Span(self.source, end, end), ","))

    def comma_between_entries(self, tokens: list[Token], error: Unexpected) -> Fix | None:
        """`{ act relu norm batch_norm }`, `(expansion = 2 kernel = 3)`, `[1 7]`."""
        if "COMMA" not in error.accepts or tokens[error.position].type not in BEGINS_ENTRY:
            return None
        openers: list[int] = []
        for index, token in enumerate(tokens[: error.position]):
            if token.type in ENTRIES:
                openers.append(index)
            elif token.type in ("RBRACE", *BRACKETS.values()) and openers:
                openers.pop()
        if not openers:
            return None
        of_head = openers[-1] == 2 and tokens[0].type in TOP_LEVEL  # def f(a, b)
        what = "parameters" if of_head else ENTRIES[tokens[openers[-1]].type]
        ends = [tokens[error.position - 1], *self.line_ends(tokens, error.position)]
        places = [span_of(self.source, token).end for token in ends]
        return Fix(f"{what} are separated by `,`", tuple(Edit(Span(self.source, end, end), ",") for end in places))

    @staticmethod
    def line_ends(tokens: list[Token], position: int) -> Iterator[Token]:
        """The last tokens of the entries behind a position that end with their line, and without a comma."""
        depth = 0
        for token, following in pairwise(tokens[position:]):
            depth += (token.type in ENTRIES) - (token.type in CLOSERS)
            if not depth and following.line > token.line and following.type in BEGINS_ENTRY and token.type != "COMMA":
                yield token

    def keywords_as_names(self) -> Iterator[Diagnostic]:
        """Every keyword that was used as a name, reported at the first of its uses."""
        for word, places in self.keywords.items():
            found = say.KEYWORD_AS_NAME.at(places[0], word=word)
            edits = [Edit(place, f"{word}_") for place in places]
            yield found.repaired(*edits, word=word)

    @staticmethod
    def has_sizes(token: Token, error: Unexpected) -> bool:
        """An input has its three sizes, and what stands behind them is no fourth."""
        return END in error.accepts and token.value.lower() not in ("x", "*", ",")

    def input_form(self, statement: Statement, place: Span) -> Diagnostic:
        """The sizes of an input, as people write them elsewhere."""
        span = span_of(self.source, statement.tokens[0]).to(span_of(self.source, statement.tokens[-1]))
        sizes = _SIZES.search(span.text)
        if sizes is None:
            return say.INPUT_FORM.at(place, got="this").with_fix(f"as in `{EXAMPLES['INPUT']}`")
        place = Span(self.source, span.start + sizes.start(), span.start + sizes.end())
        found = say.INPUT_FORM.at(place, got=f"`{place.text}`")
        numbers = re.findall(r"\d+", place.text)
        text = " x ".join(numbers[-3:])
        if len(numbers) > 4:
            return found.with_fix(f"as in `{EXAMPLES['INPUT']}`")
        words = "with blanks around each `x`" if len(numbers) == 3 else "for one image, whatever the batch"
        return found.with_fix(f"{words}: `{text}`", Edit(place, text))

    # ---- brackets and characters ----

    def unclosed(self, token: Token, statement: Statement, stopped: Unexpected) -> Diagnostic:
        """A bracket within a statement that nothing closes; where it could be, if the parser knows."""
        found = say.UNCLOSED.at(span_of(self.source, token), bracket=token.value)
        closer = {**BRACKETS, "LBRACE": "RBRACE"}[token.type]
        text = PUNCTUATION[closer]
        if closer not in stopped.accepts:
            return found.with_fix(f"close it with `{text}`")
        before = span_of(self.source, statement.tokens[stopped.position - 1])
        words = f"close it with `{text}` after `{before.text}`"
        edit = Edit(Span(self.source, before.end, before.end), text)
        return found.with_fix(words, edit, instead=Fix(f"close it with `{text}`"))

    def bad(self, token: Token, statement: Statement) -> Diagnostic | None:
        """A character that begins nothing; None if it was reported when the characters were looked at."""
        span = span_of(self.source, token)
        if token.value == '"':
            line_end = self.source.text.find("\n", span.start)
            end = len(self.source.text) if line_end < 0 else line_end
            found = say.UNCLOSED.at(span, bracket='"')
            words = 'close it with `"` on its line'
            return found.with_fix(words, Edit(Span(self.source, end, end), '"'), instead=Fix(words))
        if characters.is_reported(token.value):
            return None
        found = say.BAD_CHARACTER.at(span, character=characters.show(token.value))
        if token.value == "^" and (fix := power(Place(self.source, statement, statement.tokens.index(token), ()))):
            return found.with_fix(fix.text, *fix.edits)
        if (instead := INSTEAD.get(token.value)) is not None:
            words = f"did you mean `{instead.strip()}`?" if instead.strip() else "write a plain blank"
            return found.with_fix(words, Edit(span, instead))
        if token.value.isalpha():
            found = found.with_notes("names are ASCII letters, digits and `_`")
            word = characters.word_at(self.source, span.start)
            plain = characters.in_ascii(word.text)
            if plain is None:
                return found.with_fix("write a name of those")
            return found.with_fix(f"write `{plain}`", Edit(word, plain), instead=Fix("write a name of those"))
        if token.value != ";" and touches_number(self.source.text, span.start, span.end):
            return found.with_fix(ALONE)
        return found.with_fix("take it away", Edit(span, ""))


def at_type(tokens: list[Token], error: Unexpected) -> Unexpected:
    """The same; of `stem s: channels 64` at `channels`, which was read as the type, and its value as a clause."""
    at = 4 if tokens[0].value == "add" else 3
    begins, colon = [token.type for token in tokens[at - 3 : at : 2]] if error.position > at else ("", "")
    missing = begins in ROW_KINDS and colon == "COLON" and tokens[at].value == "channels"
    return Unexpected(at, frozenset({"NAME"})) if missing else error


def is_keyword_as_name(statement: Statement, token: Token, error: Unexpected) -> bool:
    """A name was expected and a keyword came; in a row it may be the next clause, where a value is missing."""
    if (
        statement.tokens[0].value in CHOICES
        or "NAME" not in error.accepts
        or END in error.accepts
        or token.type in WORDS
        or not token.value.isidentifier()
    ):
        return False
    return "NUMBER" not in error.accepts or statement.head not in NETWORK_ITEMS
