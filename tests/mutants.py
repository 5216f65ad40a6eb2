"""Machine-made mistakes: valid files with one small change each, as a slip of the hand makes it.

In: a source, a kind of slip and a random number generator. Out: the text after the slip. Most are refused, some are
valid, and for none of them does anybody know what was meant: a repair that is proposed has to repair it all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from spinedsl.source import Source
from spinedsl.syntax.machine import Token
from spinedsl.syntax.parse import tokens_of
from tests.texts import ROOT

LONGEST = 6000  # characters of a file that is changed
FILES = tuple(
    path
    for folder in ("examples", "examples/tutorial", "tests/definitions", "tests/syntax/strays")
    for path in sorted((ROOT / folder).glob("*.spine"))
    if path.stat().st_size < LONGEST
)
NUMBERS = ("0", "1", "2", "3", "5", "7", "100", "-1", "0.5", "9999", "1000000")

Slip = Callable[[str, list[Token], int, Random], str]


def _put(text: str, token: Token, new: str) -> str:
    return text[: token.start_pos] + new + text[token.start_pos + len(token.value) :]


def _other(tokens: list[Token], at: int, kind: str, random: Random) -> Token:
    """The token, or one of a kind near it."""
    return next((token for token in [*tokens[at:], *tokens] if token.type == kind), tokens[at])


def deleted(text: str, tokens: list[Token], at: int, random: Random) -> str:
    return _put(text, tokens[at], "")


def twice(text: str, tokens: list[Token], at: int, random: Random) -> str:
    return _put(text, tokens[at], f"{tokens[at].value} {random.choice(tokens).value}")


def number(text: str, tokens: list[Token], at: int, random: Random) -> str:
    return _put(text, _other(tokens, at, "NUMBER", random), random.choice(NUMBERS))


def misspelt(text: str, tokens: list[Token], at: int, random: Random) -> str:
    token = _other(tokens, at, "NAME", random) if not tokens[at].value[0].isalpha() else tokens[at]
    word = token.value
    i = random.randrange(len(word))
    ways = (word[:i] + word[i + 1 :], word[:i] + random.choice("abcxyz_") + word[i:], word.capitalize(), word.upper())
    return _put(text, token, random.choice([*ways, word[:i] + word[i + 1 : i + 2] + word[i : i + 1] + word[i + 2 :]]))


def other_name(text: str, tokens: list[Token], at: int, random: Random) -> str:
    names = sorted({token.value for token in tokens if token.type == "NAME"})
    return _put(text, _other(tokens, at, "NAME", random), random.choice(names))


def swapped(text: str, tokens: list[Token], at: int, random: Random) -> str:
    one, other = tokens[min(at, len(tokens) - 2) :][:2]
    return _put(_put(text, other, one.value), one, other.value)


def _of_lines(text: str, tokens: list[Token], at: int) -> tuple[list[str], int]:
    return text.splitlines(keepends=True), tokens[at].line - 1


def row_twice(text: str, tokens: list[Token], at: int, random: Random) -> str:
    lines, line = _of_lines(text, tokens, at)
    return "".join([*lines[: line + 1], *lines[line:]])


def row_gone(text: str, tokens: list[Token], at: int, random: Random) -> str:
    lines, line = _of_lines(text, tokens, at)
    return "".join([*lines[:line], *lines[line + 1 :]])


def rows_swapped(text: str, tokens: list[Token], at: int, random: Random) -> str:
    lines, line = _of_lines(text, tokens, at)
    other = min(line + random.randrange(1, 4), len(lines) - 1)
    lines[line], lines[other] = lines[other], lines[line]
    return "".join(lines)


SLIPS: dict[str, Slip] = {
    "a token gone": deleted,
    "a token too many": twice,
    "another number": number,
    "a name misspelt": misspelt,
    "the name of another thing": other_name,
    "two tokens swapped": swapped,
    "a line twice": row_twice,
    "a line gone": row_gone,
    "two lines swapped": rows_swapped,
}


def mutant(source: Source, slip: Slip, random: Random) -> Source:
    """A source after a slip somewhere in it."""
    tokens = tokens_of(source)
    text = slip(source.text, tokens, random.randrange(len(tokens)), random)
    return Source.from_text(text, source.name, source.origin)
