"""Characters that have no place in a `.spine` file, found before it is cut into tokens.

NUL and other control characters, the bidirectional controls that reorder the displayed text, and letters that
only look like ASCII ones: each is named by its code point, with the letter that was probably meant.
"""

from __future__ import annotations

import re
from itertools import islice

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Edit
from spinedsl.diagnostics.plain import HIDDEN, hidden
from spinedsl.source import Source, Span

BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
MAX_REPORTED = 200
MAX_WORD = 100  # letters before and behind one that are looked at
_WORD = r"\w"
_SPELT = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "\u0131": "i"}
# Letters of other scripts that are drawn as ASCII ones in most fonts (a selection of Unicode's confusables).
_LOOKS_LIKE = dict(
    zip(
        "аеорсухіјѕԁһԛԝАВЕКМНОРСТХІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧοιν×−–—‘’“”＝（）｛｝，：",  # noqa: RUF001
        "aeopcyxijsdhqwABEKMHOPCTXIJSABEZHIKMNOPTYXoivx---''\"\"=(){},:",
        strict=True,
    )
)


def inspect(source: Source) -> tuple[list[Diagnostic], str]:
    """What is wrong with the characters, and the text with every offender outside comments kept for the lexer.

    Hidden characters are refused everywhere, in comments too: a comment is where a bidirectional control does its
    harm. Other characters beyond ASCII are fine in comments and strings.
    """
    text = source.text
    diagnostics: list[Diagnostic] = []
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return diagnostics, text
    runs = re.finditer(f"([{HIDDEN}])\\1*", text)  # many of one kind are one mistake
    for match in islice(runs, MAX_REPORTED):
        span = source.span(match.start(), match.end())
        rule = say.BIDI_CONTROL if match[0][0] in BIDI else say.CONTROL_CHARACTER
        diagnostics.append(rule.at(span, character=show(match[0][0])).repaired(Edit(span, "")))
    for match in re.finditer(f"[{''.join(_LOOKS_LIKE)}]", text):
        if len(diagnostics) > 2 * MAX_REPORTED:
            break
        if _in_comment_or_text(source, match.start()):
            continue
        looks_like = _LOOKS_LIKE[match[0]]
        span = source.span(match.start(), match.end())
        diagnostics.append(
            say.LOOKALIKE.at(span, character=show(match[0]), like=looks_like).repaired(
                Edit(span, looks_like), like=looks_like
            )
        )
    return diagnostics, hidden().sub(" ", text)


def is_reported(character: str) -> bool:
    """`inspect` has reported all there is about this character."""
    return character in _LOOKS_LIKE


def show(character: str) -> str:
    """A character by code point and name, since it may not be visible."""
    if character.isascii() and character.isprintable():
        return f"`{character}`"
    import unicodedata  # noqa: PLC0415  most files are ASCII

    name = unicodedata.name(character, "control character")
    return f"U+{ord(character):04X} ({name.lower()})"


def word_at(source: Source, offset: int) -> Span:
    """The word of which a letter is a part, with letters of any script."""
    start, end = offset, offset + 1
    while start > max(offset - MAX_WORD, 0) and re.fullmatch(_WORD, source.text[start - 1]):
        start -= 1
    while end < min(offset + MAX_WORD, len(source.text)) and re.fullmatch(_WORD, source.text[end]):
        end += 1
    return source.span(start, end)


def in_ascii(word: str) -> str | None:
    """A word as it is written with ASCII letters alone; None if its letters are of another script."""
    import unicodedata  # noqa: PLC0415  most files are ASCII

    parts = unicodedata.normalize("NFKD", "".join(_SPELT.get(letter, letter) for letter in word))
    plain = "".join(letter for letter in parts if not unicodedata.combining(letter))
    return plain if plain.isascii() and plain.isidentifier() else None


def _in_comment_or_text(source: Source, offset: int) -> bool:
    line, column = source.position(offset)
    before = source.line_text(line)[: column - 1]
    return "#" in before or before.count('"') % 2 == 1
