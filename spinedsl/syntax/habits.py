"""What people write out of habit, from Python, PyTorch, YAML or C, and how this language says it.

In: the tokens of a statement, and where the parser stopped. Out: a repair, if a habit is recognised. Each habit is a
function of the place, and the first of `HABITS` that knows it is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from spinedsl.diagnostics import Edit, Fix
from spinedsl.source import Source, Span
from spinedsl.syntax.machine import END, Token
from spinedsl.syntax.statements import (
    BRACED_ROWS,
    BRACKETS,
    CLAUSE_TERMINALS,
    PART,
    ROW_KINDS,
    TASK,
    Statement,
    span_of,
)
from spinedsl.syntax.words import parted

NOTHING = Token("", "", 0, 0)
LISTS = ("FROM", "AFTER", "ABSORB")  # clauses that take several names
PACKAGES = frozenset({"F", "functional", "jnp", "keras", "layers", "nn", "np", "ops", "self", "tf", "torch"})
LETTERS = {"STEM": "s", "BLOCK": "b", "OUTPUT": "P", "HEAD": "h"}  # what names of rows begin with
TYPES = {"STEM": "resnet_stem", "BLOCK": "residual", "OUTPUT": "endpoint", "HEAD": "classifier"}  # as examples
FIRST = {TASK: ("kind", "classification"), PART: ("network", "Cell")}  # the same of rows that have no type
SCALARS = frozenset({"bool", "float", "int", "str"})  # types of Python
MOST_DIGITS = 6


class Place:
    """The token at which a statement stops making sense, and those around it."""

    def __init__(self, source: Source, statement: Statement, position: int, accepts: Collection[str]) -> None:
        self.source, self.tokens, self.position, self.accepts = source, statement.tokens, position, accepts
        self.in_edit = statement.is_edit

    def token(self, offset: int = 0) -> Token:
        """The token so many places further on; one of no kind where the statement has none there."""
        index = self.position + offset
        return self.tokens[index] if 0 <= index < len(self.tokens) else NOTHING

    def kinds(self, first: int, last: int) -> list[str]:
        """The terminals from one offset to another."""
        return [self.token(offset).type for offset in range(first, last + 1)]

    def span(self, first: int = 0, last: int | None = None) -> Span:
        """From the token at one offset to that at another."""
        start = span_of(self.source, self.token(first))
        return start if last is None else start.to(span_of(self.source, self.token(last)))

    def joined(self, first: int, last: int) -> bool:
        """Nothing stands between the tokens, not even a blank."""
        around = range(first, last)
        return all(self.span(offset).end == self.span(offset + 1).start for offset in around)

    @property
    def head(self) -> str:
        """The terminal with which the statement begins."""
        return self.tokens[0].type

    @property
    def clause(self) -> str:
        """The last clause word before this place."""
        before = (token.type for token in reversed(self.tokens[: self.position]) if token.type in CLAUSE_TERMINALS)
        return next(before, "")

    def closer(self, offset: int) -> int | None:
        """The offset of the bracket that closes the one at `offset`."""
        opener, depth = self.token(offset).type, 0
        for index in range(self.position + offset, len(self.tokens)):
            kind = self.tokens[index].type
            depth += (kind == opener) - (kind == BRACKETS[opener])
            if not depth:
                return index - self.position
        return None


Habit = Callable[[Place], Fix | None]


def habit_of(source: Source, statement: Statement, position: int, accepts: Collection[str]) -> Fix | None:
    """The repair of a statement that stops making sense at a token, if it is a habit from elsewhere."""
    place = Place(source, statement, position, accepts)
    return next((fix for habit in HABITS if (fix := habit(place)) is not None), None)


# ---- signs ----


def result_with_a_name(at: Place) -> Fix | None:
    """`yield scores = conv(x, 80, kernel = 1)`, `return y = norm(x)`."""
    if at.position != 2 or at.head not in ("RETURN", "YIELD") or at.kinds(-1, 0) != ["NAME", "EQUAL"]:
        return None
    word, name, last = at.token(-2).value, at.token(-1).value, at.span(len(at.tokens) - 1 - at.position)
    before = at.source.text[: at.span(-2).start].rpartition("\n")[2]
    margin = before[: len(before) - len(before.lstrip())]
    below = Edit(Span(at.source, last.end, last.end), f"\n{margin}{word} {name}")
    return Fix(f"a `let` names a value: `let {name} = …`, then `{word} {name}`", (Edit(at.span(-2), "let"), below))


def sign_after_a_clause_word(at: Place) -> Fix | None:
    """`level: 2`, `channels = 64`, `act = relu`."""
    before = at.token(-1)
    takes_value = before.type in CLAUSE_TERMINALS or (before.value == "channels" and at.head in ROW_KINDS)
    named = at.head == "DEFAULTS" and before.type == "NAME" and "NAME" in at.accepts
    if at.token().type not in ("EQUAL", "COLON") or not (takes_value or named) or {"EQUAL", "COLON"} & {*at.accepts}:
        return None
    sign = Span(at.source, at.span(-1).end, at.span(1).start if at.token(1) is not NOTHING else at.span().end)
    return Fix(f"`{before.value}` takes its value without `{at.token().value}`", (Edit(sign, " "),))


def other_sign(at: Place) -> Fix | None:
    """`level 2 = 64` in `widths`, `conv(padding: same)`, `if a = b`, `keep parameters = 5M`."""
    written = at.token().type
    if written == "EQUAL" and "COLON" in at.accepts:
        return Fix("write `:` instead", (Edit(at.span(), ":"),))
    if written == "COLON" and "EQUAL" in at.accepts:
        named = at.token(1).value
        if at.kinds(1, 1) == ["NAME"] and at.head not in LETTERS and (named in SCALARS or named[:1].isupper()):
            return Fix("parameters have no types: take it away", (Edit(at.span(0, 1), ""),))
        return Fix("write `=` instead", (Edit(at.span(), " ="),))
    if written == "EQUAL" and "COMPARE" in at.accepts:
        if at.head == "NAME" and at.tokens[0].value == "keep":
            return Fix("a bound is at most, or at least, a number", (Edit(at.span(), "<="),))
        return Fix("`==` compares", (Edit(at.span(), "=="),))
    return None


def quotes(at: Place) -> Fix | None:
    """`act "relu"`."""
    word = at.token().value[1:-1]
    if at.token().type != "STRING" or "NAME" not in at.accepts or not word.isidentifier():
        return None
    return Fix(f"without quotes: `{word}`", (Edit(at.span(), word),))


def comma_between_clauses(at: Place) -> Fix | None:
    """`block b0: residual, level 2, after s`."""
    if at.head not in ROW_KINDS or at.kinds(-1, 1) == ["NUMBER", "COMMA", "NUMBER"]:
        return None
    if at.token().type == "COMMA" and END in at.accepts:
        return Fix("clauses follow each other without commas", (Edit(at.span(), ""),))
    if at.token().type in CLAUSE_TERMINALS and at.token(-1).type == "COMMA":
        return Fix("clauses follow each other without commas", (Edit(at.span(-1), ""),))
    return None


def resampled_as_it_is(at: Place) -> Fix | None:
    """`after b0 resample spinenet, s`, where only inputs by `from` are resampled."""
    words = [n for n, token in enumerate(at.tokens[: at.position]) if token.type in CLAUSE_TERMINALS]
    kinds = [at.tokens[n].type for n in words[-2:]]
    if at.head not in ROW_KINDS or at.kinds(0, 1) != ["COMMA", "NAME"] or kinds[1:] != ["RESAMPLE"]:
        return None
    if kinds[0] == "ABSORB":
        return Fix("an absorbed map is added as it is: resample it in a block, and absorb that")
    keyword = at.span(words[-2] - at.position)
    return Fix("inputs are resampled that come by `from`", (Edit(keyword, "from"),)) if kinds[0] == "AFTER" else None


def sign_between_names(at: Place) -> Fix | None:
    """`from b0 + b1`, `from b0 and b1`."""
    if at.token().type not in ("PLUS", "AND") or at.clause not in LISTS or at.kinds(-1, 1)[::2] != ["NAME", "NAME"]:
        return None
    return Fix("names are separated by `,`", (Edit(at.span(), ","),))


def no_type(at: Place) -> Fix | None:
    """`block b0: level 4`, `stem s: channels 64`, `part n: from b3`."""
    if at.token(-1).type != "COLON" or not (at.token().type in CLAUSE_TERMINALS or at.token().value == "channels"):
        return None
    added = at.tokens[0].value == "add"
    start = at.tokens[added]
    what, example = FIRST.get(start.value, ("type", TYPES.get(start.type, "")))
    if not example:
        return None
    if at.in_edit and not added:
        return Fix(f"without `:` a row keeps its {what}", (Edit(at.span(-1), ""),))
    clause = "from" if start.value in FIRST else at.token().value
    return Fix(f"its {what} comes first, as in `{start.value} {at.token(-2).value}: {example} {clause} …`")


def no_braces(at: Place) -> Fix | None:
    """`widths level 2: 64`, `widths level 2: 64 }`, `widths (level 2: 64)`."""
    if at.position != 1 or at.head not in BRACED_ROWS:
        return None
    first, last = at.token().type, at.tokens[-1].type
    entries = at.span(0, len(at.tokens) - 2)
    inner = entries.text
    if first not in ("NAME", "LEVEL"):
        inner = inner[len(at.token().value) :].lstrip()
    if last == "RBRACE" or (first in BRACKETS and last in BRACKETS.values()):
        inner = inner[:-1].rstrip()
    return Fix("its entries stand in braces", (Edit(entries, f"{{ {inner} }}"),))


def no_level(at: Place) -> Fix | None:
    """`widths { 2: 64 }`."""
    if at.token().type != "NUMBER" or "LEVEL" not in at.accepts or at.head != "WIDTHS":
        return None
    return Fix("an entry says `level`", (Edit(Span(at.source, at.span().start, at.span().start), "level "),))


# ---- names ----


def brackets_around_names(at: Place) -> Fix | None:
    """`from [b0, b1]`, `after (s)`."""
    if at.token().type not in BRACKETS or at.token(-1).type not in LISTS:
        return None
    closer = at.closer(0)
    edits = () if closer is None else (Edit(at.span(0, closer), at.span(0, closer).text[1:-1].strip()),)
    return Fix("names stand without brackets", edits)


def hyphen_in_a_name(at: Place) -> Fix | None:
    """`block b-0: …`."""
    parts = at.kinds(-1, 1)
    if parts[:2] != ["NAME", "MINUS"] or parts[2] not in ("NAME", "NUMBER") or not at.joined(-1, 1):
        return None
    if not {"COLON", "COMMA", "EQUAL"} & {*at.accepts}:
        return None
    return Fix("names have `_`, and no `-`", (Edit(at.span(), "_"),))


def number_as_a_name(at: Place) -> Fix | None:
    """`block 0: …`, `from 0, 1`."""
    names_a_row = at.position == 1 or at.clause in LISTS
    if at.token().type != "NUMBER" or "NAME" not in at.accepts or at.head not in LETTERS or not names_a_row:
        return None
    letter = LETTERS[at.head] if at.position == 1 else "b"
    edits = (Edit(at.span(), f"{letter}{at.token().value}"),) if at.token().value.isdigit() else ()
    return Fix(f"names begin with a letter: `{letter}{at.token().value}`", edits)


def no_name(at: Place) -> Fix | None:
    """`after channels 64`, in which `channels` was read as the name of a row."""
    if at.token(-1).value != "channels" or at.token(-2).type not in LISTS:
        return None
    return Fix(f"`{at.token(-2).value}` needs the name of a row, as in `{at.token(-2).value} b0`")


def blank_missing(at: Place) -> Fix | None:
    """`block b1: residual level4 afterb0`: no clause has such a word."""
    if at.head not in ROW_KINDS:
        return None
    for offset in (-2, -1):
        text = parted(at.token(offset).value)
        if text is not None and at.token(offset - 1).type not in {*LISTS, "COMMA", "COLON", at.head}:
            return Fix(f"with a blank between: `{text}`", (Edit(at.span(offset), text),))
    return None


def several_levels(at: Place) -> Fix | None:
    """`block b0: residual level 2..3`."""
    if at.token().value != ".." or at.head not in ROW_KINDS or at.clause != "LEVEL":
        return None
    return Fix("a row has one level: say one, and write a row for each")


# ---- expressions ----


def method(at: Place) -> Fix | None:
    """`y.relu()`, `nn.relu(y)`."""
    if at.token().type != "LPAR" or at.kinds(-2, -1) != ["DOT", "NAME"]:
        return None
    name, base = at.token(-1).value, at.token(-3)
    chained = at.token(-4).type == "DOT"
    if base.type == "NAME" and base.value in PACKAGES and not chained:
        return Fix(f"operations stand alone: `{name}(…)`", (Edit(at.span(-3, -2), ""),))
    words = f"what it is applied to is an argument: `{name}(x)`"
    if base.type != "NAME" or chained:
        return Fix(words)
    more = "" if at.token(1).type == "RPAR" else ", "
    return Fix(words, (Edit(at.span(-3, 0), f"{name}({base.value}{more}"),))


def power(at: Place) -> Fix | None:
    """`2 ** 4`, `x ** 2`, `2^4`."""
    first = 0 if at.token().value == "^" else -1
    if first and (at.kinds(-1, 0) != ["TIMES", "TIMES"] or not at.joined(-1, 0)):
        return None
    base, exponent = at.token(first - 1).value, at.token(1).value
    words = "write `power(x, 2)`"
    goes_on = at.token(2).type in ("DOT", "LPAR", "LSQB", "BAD") or at.kinds(2, 3) == ["TIMES", "TIMES"]
    alone = at.token(first - 2).type not in ("DOT", "TIMES", "OVER", "BAD") and not goes_on
    if not alone or {at.token(first - 1).type, at.token(1).type} - {"NAME", "NUMBER"}:
        return Fix(words)
    if base.isdigit() and exponent.isdigit() and len(base) + len(exponent) <= 4:
        value = str(int(base) ** int(exponent))
        if len(value) <= MOST_DIGITS:
            return Fix(f"it is {value}; of names, `power(x, 2)`", (Edit(at.span(first - 1, 1), value),))
    text = f"power({base}, {exponent})"
    return Fix(f"write `{text}`", (Edit(at.span(first - 1, 1), text),))


def slashes(at: Place) -> Fix | None:
    """`a // b`, `// a comment`, `/* a comment */`."""
    if at.token(-1).type != "OVER" or at.token().type not in ("OVER", "TIMES") or not at.joined(-1, 0):
        return None
    if at.token().type == "TIMES":
        return Fix("a comment begins with `#` and ends with its line")
    return Fix("whole parts are `floor(a / b)`; a comment begins with `#`")


def dashes(at: Place) -> Fix | None:
    """`-- a comment`."""
    for first in range(-at.position, 1):
        if at.kinds(first, first + 1) == ["MINUS", "MINUS"] and at.joined(first, first + 1):
            return Fix("a comment begins with `#`", (Edit(at.span(first, first + 1), "#"),))
    return None


def several_values(at: Place) -> Fix | None:
    """`kernel = (3, 3)`."""
    if at.token().type != "COMMA" or "RPAR" not in at.accepts or at.kinds(-2, -1) != ["LPAR", "NUMBER"]:
        return None
    closer = at.closer(-2)
    inside = at.kinds(-1, closer - 1) if closer is not None else []
    values = {at.token(offset).value for offset in range(-1, closer or 0, 2)}
    same = closer is not None and len(values) == 1 and set(inside[::2]) == {"NUMBER"} and set(inside[1::2]) == {"COMMA"}
    edits = (Edit(at.span(-2, closer), at.token(-1).value),) if same else ()
    return Fix("one number stands for both height and width", edits)


def nameless_function(at: Place) -> Fix | None:
    """`let f = lambda t: relu(t)`."""
    if at.token(-1).value != "lambda":
        return None
    return Fix("every function has a name: write a `def` of its own, as in `def f(x) -> x.channels { return relu(x) }`")


def shared_elsewhere(at: Place) -> Fix | None:
    """`block b: shared residual`, `part n: Cell from b repeat 3 shared`, `part shared n: Cell`."""
    if at.token().type != "SHARED":
        return None
    away = Edit(at.span(), "")
    if at.head in LETTERS:
        return Fix("a row has weights of its own; copies of a part may share theirs", (away,))
    first = 1 if at.tokens[0].value == "add" else 0
    of_name = at.position == first + 1  # part shared n : Cell
    network = next(iter(at.tokens[first + 3 + of_name :]), NOTHING)  # part n : Cell
    if at.tokens[first].value != PART or network.type != "NAME":
        return None
    start = span_of(at.source, network).start
    if of_name:
        away = Edit(Span(at.source, at.span().start, span_of(at.source, at.tokens[first + 2]).start), "")
    before = Edit(Span(at.source, start, start), "shared ")
    return Fix(f"it stands before the network: `shared {network.value}`", (before, away))


# ---- imports ----


def renamed_import(at: Place) -> Fix | None:
    """`import std.blocks as blocks`, `import std.*`."""
    if at.head != "IMPORT":
        return None
    if at.token().value == "as":
        rest = len(at.tokens) - 1 - at.position
        return Fix("what it brings keeps its names", (Edit(at.span(0, rest), ""),))
    if at.token().type == "TIMES":
        return Fix("import one module by its name, as in `import std.blocks`")
    return None


HABITS: tuple[Habit, ...] = (
    result_with_a_name,
    sign_after_a_clause_word,
    other_sign,
    quotes,
    resampled_as_it_is,
    comma_between_clauses,
    sign_between_names,
    no_type,
    no_braces,
    no_level,
    brackets_around_names,
    hyphen_in_a_name,
    blank_missing,
    no_name,
    number_as_a_name,
    several_levels,
    method,
    power,
    slashes,
    dashes,
    several_values,
    nameless_function,
    shared_elsewhere,
    renamed_import,
)
