"""Spacing: tokens as text, on one line, or on several where they are too long for one.

A part of a statement is written as it stands in the whole: what is a clause, a call or a value in brackets is told by
what stands before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from spinedsl.syntax.machine import Token
from spinedsl.syntax.statements import BRACKETS, ROW_KINDS

WIDTH = 110
INDENT = "    "
CLOSERS = (*BRACKETS.values(), "RBRACE")
OPENERS = (*BRACKETS, "LBRACE")
ENDS_A_VALUE = frozenset({"NAME", "NUMBER", "STRING", "RPAR", "RSQB", "TRUE", "FALSE"})
LOOPS = ("EACH", "REPEAT")
TIGHT_BEFORE = frozenset({"COMMA", "RPAR", "RSQB", "COLON", "DOT", "__ANON_1"})
TIGHT_AFTER = frozenset({"LPAR", "LSQB", "DOT", "__ANON_1"})


def spaced(tokens: Sequence[Token], start: int = 0, end: int | None = None) -> str:
    """Tokens from `start` to `end` on one line, blanks where they take one, no comma before a bracket that closes."""
    end = len(tokens) if end is None else end
    out = ""
    for index in range(start, end):
        token = tokens[index]
        if token.type == "COMMA" and index + 1 < end and tokens[index + 1].type in CLOSERS:
            continue
        if index > start and _takes_blank(tokens, index):
            out += " "
        out += token.value
    return out


def _takes_blank(tokens: Sequence[Token], index: int) -> bool:
    """A blank stands before the token at `index`."""
    before, token = tokens[index - 1], tokens[index]
    if before.type == "LBRACE" or token.type == "RBRACE":
        return True
    if token.type in TIGHT_BEFORE or before.type in TIGHT_AFTER or _is_unary(tokens, index - 1):
        return False
    if token.type == "LPAR":
        return _is_group(tokens, index)
    return not _is_index(tokens, index) and not _is_unit(tokens, index)


def _is_unary(tokens: Sequence[Token], index: int) -> bool:
    """The minus at `index` belongs to what follows it: no value ends before it."""
    return tokens[index].type == "MINUS" and not _value_ends(tokens, index)


def _is_unit(tokens: Sequence[Token], index: int) -> bool:
    """The `G` of `keep multiply_adds <= 90G`."""
    return index == 4 and tokens[0].value == "keep" and [token.type for token in tokens[2:4]] == ["COMPARE", "NUMBER"]


def _is_group(tokens: Sequence[Token], index: int) -> bool:
    """The bracket at `index` holds one value, as in `(a + b) * c`, and no arguments."""
    of_name = index > 0 and tokens[index - 1].type == "NAME"
    return tokens[index].type == "LPAR" and (not of_name or _is_word(tokens, index - 1))


def _is_index(tokens: Sequence[Token], index: int) -> bool:
    """The bracket at `index` holds the number of an item, as in `maps[0]`."""
    return tokens[index].type == "LSQB" and _value_ends(tokens, index) and not _is_word(tokens, index - 1)


def _is_word(tokens: Sequence[Token], index: int) -> bool:
    """In a row: the name at `index` is the word of a clause, and no value, or the `x` between two sizes of an input."""
    if not begins_clause(tokens, index) or _is_word(tokens, index - 1):
        return False
    return tokens[0].type in ROW_KINDS or any(token.type == "COLON" for token in tokens[:index])


def begins_clause(tokens: Sequence[Token], index: int) -> bool:
    """In a row: the name at `index` begins a clause, such as `channels`, since a value has just ended."""
    return tokens[index].type == "NAME" and _value_ends(tokens, index)


def _value_ends(tokens: Sequence[Token], index: int) -> bool:
    """A value ends before the token at `index`."""
    is_property = index > 1 and tokens[index - 2].type == "DOT"  # `x.level - 1`
    return index > 0 and (tokens[index - 1].type in ENDS_A_VALUE or is_property)


# ---- on several lines ----


def broken_up(tokens: Sequence[Token], depth: int) -> list[tuple[int, str]]:
    """A line that is too long, with the items of a pair of its brackets on lines of their own; empty if none can be so.

    A comma stands behind each item, but behind none of one value in brackets or of a list that a loop makes.
    """
    opener = _opened(tokens, depth)
    if opener is None:
        return []
    nested, closer, starts, loops = 0, opener, [opener + 1], False
    for closer in range(opener, len(tokens)):
        kind = tokens[closer].type
        nested += (kind in OPENERS) - (kind in CLOSERS)
        if nested == 0:
            break
        if nested == 1 and kind == "COMMA":
            starts.append(closer + 1)
        loops = loops or (nested == 1 and kind in LOOPS)
    if starts[-1] < closer:
        starts.append(closer + 1)  # the last item has no comma
    comma = "" if loops or _is_group(tokens, opener) else ","
    lines = [(0, spaced(tokens, 0, opener + 1))]
    lines += [(1, spaced(tokens, start, after - 1) + comma) for start, after in pairwise(starts)]
    return [*lines, (0, spaced(tokens, closer))]


def _opened(tokens: Sequence[Token], depth: int) -> int | None:
    """The bracket whose items get lines of their own: the first that holds some, and is no index.

    Of an instance with parameters it is that of its arguments, if what stands before them fits.
    """
    base = _arguments_of_instance(tokens)
    if base is not None and len(INDENT) * depth + len(spaced(tokens, 0, base + 1)) <= WIDTH:
        return base
    openers = (index for index, token in enumerate(tokens) if token.type in OPENERS and not _is_index(tokens, index))
    return next((index for index in openers if tokens[index + 1].type not in CLOSERS), None)


def _arguments_of_instance(tokens: Sequence[Token]) -> int | None:
    """Where the arguments open of `network A(p = 1) = B(…)`, if there are some."""
    nested = 0
    for index, token in enumerate(tokens):
        nested += (token.type in BRACKETS) - (token.type in BRACKETS.values())
        if tokens[0].type == "NETWORK" and nested == 0 and token.type == "EQUAL":
            return index + 2 if [other.type for other in tokens[index + 2 : index + 3]] == ["LPAR"] else None
    return None
