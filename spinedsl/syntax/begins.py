"""Say what is wrong with a statement that begins as none does where it stands, and what may have been meant.

In: the statement, and where it stands. Out: a diagnostic. What other languages begin a statement with has a repair:
`for i in range(3)`, `class`, `use std.blocks`, `b0: residual level 3`, and in edits `rename b1 b2`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Edit, nearest, one_of
from spinedsl.source import Source, Span
from spinedsl.syntax.edits import EDIT_STATEMENTS
from spinedsl.syntax.habits import LETTERS, NOTHING
from spinedsl.syntax.machine import Token
from spinedsl.syntax.statements import CHOICES, CLAUSE_TERMINALS, IN_BODIES, NAMED_ROWS, ROWS, Statement, span_of
from spinedsl.syntax.words import may_be_row, parted

TOP = "at the top of a file"
PLACES: Mapping[str, tuple[str, ...]] = {  # with the words that begin a statement there
    TOP: (
        "network", "block_type", "stem_type", "resample_type", "join_type", "output_type", "head_type", "def", "import",
        "spine", "space",
    ),
    "in a network": (
        "input", "defaults", "widths", "rules", "resample", "join", "let", "allow", "stem", "block", "output", "head",
        "task", "part",
    ),
    "in a definition": ("let", "var", "return", "yield", "if", "else", "repeat", "each"),
    "in `with`": EDIT_STATEMENTS,
    "in a space": CHOICES,
}  # fmt: skip
ELSEWHERE = {  # what other languages call it
    "class": "block_type", "module": "block_type", "function": "def", "func": "def", "fn": "def", "model": "network",
    "for": "repeat", "while": "repeat", "elif": "else if", "const": "let", "include": "import",
    "remove": "drop", "delete": "drop", "del": "drop", "rm": "drop", "insert": "add", "append": "add",
    "node": "block", "layer": "block", "out": "output", "mut": "var",
}  # fmt: skip
CHANGES = frozenset({"change", "edit", "modify", "set", "update"})
SIGNS = frozenset({"PLUS", "MINUS", "TIMES", "OVER"})
_RANGE = re.compile(r"for\s+(\w+)\s+in\s+(?:range\s*\((.*)\)|(\d+))", re.DOTALL)
_EACH = re.compile(r"for\s+(\w+)\s+in\s+(\w+)")
_FROM_STD = re.compile(r"from\s+std\s+import\s+(\w+(?:\s*,\s*\w+)*)")
_MODULE = re.compile(r"(?:\w+\s+)?std\s*\.\s*(\w+)")


def not_a_statement(source: Source, statement: Statement, where: str) -> Diagnostic:
    """What is reported about it; `where` is one of `PLACES`."""
    word = span_of(source, statement.tokens[0])
    expected = one_of(PLACES[where], limit=40)
    found = say.NOT_A_STATEMENT.at(word, found=word.text, where=where, expected=expected)
    if statement.is_edit:
        meant = _edit(source, statement.tokens, found)
    else:
        meant = _of_another_language(source, statement.tokens, found) or _elsewhere(source, statement, where, found)
    return meant or _misspelled(statement, PLACES[where], found)


def _misspelled(statement: Statement, words: tuple[str, ...], found: Diagnostic) -> Diagnostic:
    """`blok b0: …`, or the word of another language, as in `float y = …`."""
    word = statement.tokens[0].value
    kinds = [token.type for token in statement.tokens[:2]]
    if (
        "widths" in words
        and kinds == ["NAME", "EQUAL"]
        and not statement.is_edit
        and nearest(word, words) in (None, word)
    ):
        start = Span(found.span.source, found.span.start, found.span.start)
        return found.with_fix(f"a value is named by `let`: `let {word} = …`", Edit(start, "let "))
    meant = word.lower() if word.lower() in words else ELSEWHERE.get(word, "")
    if "return" in words and [token.type for token in statement.tokens[:3]] == ["NAME", "NAME", "EQUAL"]:
        if not meant and _is_bound(found.span, statement.tokens[1].value):
            return found
        meant = meant or "let"
    if not meant and statement.head != "NAME":
        return found
    return found.with_rename(found.span, meant if meant.split(" ")[0] in words else nearest(word, words))


def _is_bound(place: Span, name: str) -> bool:
    """The definition has bound the name above a place, so that it is assigned there."""
    text = place.source.text
    above = text[max(text.rfind("\n}", 0, place.start), 0) : place.start]
    return re.search(rf"\bvar\s+{name}\b", above) is not None


def _elsewhere(source: Source, statement: Statement, where: str, found: Diagnostic) -> Diagnostic | None:
    """What belongs in a network or definition, or the name of one without the word before it."""
    word = statement.tokens[0].value
    if word == "let":
        return found.with_fix("values belong to a network or a definition: put it there, or make it a parameter")
    if where != TOP:
        return None
    if statement.head in IN_BODIES:
        head = "block_type name(x, channels, stride = 1) -> channels {"
        return found.with_fix(f"it belongs in a definition: put it there, or begin one above, as by `{head}`")
    if statement.head in ROWS:
        return found.with_fix("it belongs in a network: put it there, or begin one above by `network Name {`")
    if not statement.body or [token.type for token in statement.tokens[:2]] not in (["NAME"], ["NAME", "LPAR"]):
        return None
    kind = "network" if statement.body[0].head in ROWS else "block_type"
    before = Span(source, found.span.start, found.span.start)
    return found.with_fix(f"as in `{kind} {word}`", Edit(before, f"{kind} "))


def from_import(source: Source, begun: Statement, rest: Statement) -> Diagnostic:
    """`from std import blocks`, which is two statements here: reported once."""
    word = span_of(source, begun.tokens[0])
    found = say.NOT_A_STATEMENT.at(word, found=word.text, where=TOP, expected=one_of(PLACES[TOP]))
    place = span_of(source, begun.tokens[0]).to(span_of(source, rest.tokens[-1]))
    match = _FROM_STD.fullmatch(place.text)
    if match is None:
        return found.with_fix('a file is imported whole: `import std.blocks`, or `import "path/of/file.spine"`')
    lines = [f"import std.{module.strip()}" for module in match[1].split(",")]
    return found.with_fix(f"as in `{lines[0]}`", Edit(place, "\n".join(lines)))


def _of_another_language(source: Source, tokens: Sequence[Token], found: Diagnostic) -> Diagnostic | None:
    """`for i in range(3)`, `for p in features`, `use std.blocks`, `z += x`."""
    whole = span_of(source, tokens[0]).to(span_of(source, tokens[-1]))
    if match := _RANGE.fullmatch(whole.text):
        if "," in (match[2] or ""):
            return found.with_fix(f"`repeat {match[1]} in COUNT` counts from 0, one by one")
        text = f"repeat {match[1]} in {match[2] or match[3]}"
        return found.with_fix(f"as in `{text}`", Edit(whole, text))
    kinds = [token.type for token in tokens[:3]]
    if kinds[:1] == ["NAME"] and kinds[1:2] and kinds[1] in NAMED_ROWS and kinds[2:] == ["COLON"]:
        text = f"{tokens[1].value} {tokens[0].value}"
        place = span_of(source, tokens[0]).to(span_of(source, tokens[1]))
        return found.with_fix(f"the other way round: `{text}`", Edit(place, text))
    if kinds[:2] == ["NAME", "COLON"]:
        text = parted(tokens[0].value) or ""
        if text.split(" ")[0].upper() not in LETTERS:
            text = f"block {tokens[0].value}"
        return found.with_fix(f"say what it is, as in `{text}: …`", Edit(span_of(source, tokens[0]), text))
    if match := _MODULE.fullmatch(whole.text):
        text = f"import std.{match[1]}"
        return found.with_fix(f"as in `{text}`", Edit(whole, text))
    if match := _EACH.fullmatch(whole.text):
        text = f"each {match[1]} in {match[2]}"
        return found.with_fix(f"as in `{text}`", Edit(whole, text))
    if kinds[:1] == ["NAME"] and kinds[1:2] and kinds[1] in SIGNS and kinds[2:] == ["EQUAL"]:
        name, sign = tokens[0].value, tokens[1].value
        place = span_of(source, tokens[1]).to(span_of(source, tokens[2]))
        return found.with_fix(f"write it out: `{name} = {name} {sign} …`", Edit(place, f"= {name} {sign}"))
    return None


def _edit(source: Source, tokens: Sequence[Token], found: Diagnostic) -> Diagnostic | None:
    """In edits: `b1 level 4`, `rename b1 b2`, `b1.level = 4`."""
    first = span_of(source, tokens[0])
    whole = first.to(span_of(source, tokens[-1]))
    kinds = [token.type for token in tokens[:4]]
    second = tokens[1] if len(tokens) > 1 else NOTHING
    if first.text in CHANGES and kinds[1:3] == ["NAME", "EQUAL"]:
        start = Span(source, first.start, span_of(source, second).start)
        return found.with_fix(f"as in `{second.value} = …`", Edit(start, ""))
    if first.text in CHANGES and second.type == "NAME":
        return found.with_fix("say what it is, and what is new, as in `block b1 level 4`", Edit(first, "block"))
    if first.text == "rename":
        return found.with_fix("rows keep their names: `drop` this one, and `add` another")
    if first.text == "replace":
        return found.with_fix("`block b1: TYPE` gives a row another type; `drop` and `add` put another in its place")
    if first.text in ("act", "norm") and second.type == "NAME":
        text = f"defaults {{ {whole.text} }}"
        return found.with_fix(f"as in `{text}`", Edit(whole, text))
    if kinds[:2] == ["NAME", "DOT"] and kinds[3:] == ["EQUAL"]:
        start = first.to(span_of(source, tokens[3]))
        text = f"block {first.text} {tokens[2].value}"
        return found.with_fix(f"as in `{text} …`", Edit(start, text))
    goes_on = second.type in {*CLAUSE_TERMINALS, "COLON"} or second.value == "channels"
    if kinds[:1] == ["NAME"] and goes_on and may_be_row(source, first.text):
        text = f"block {first.text}"
        return found.with_fix(f"say what it is, as in `{text} …`", Edit(first, text))
    return None
