"""A small change of a valid file is one mistake, and mostly one error: what only follows from it is not said.

Not a law: some changes are two mistakes (a row that is gone is missed by each row that reads it), so the share counts.
"""

from __future__ import annotations

import re
from collections import Counter
from random import Random

from spinedsl import driver
from spinedsl.diagnostics import Severity
from spinedsl.source import Source
from spinedsl.syntax.machine import Token
from spinedsl.syntax.parse import tokens_of
from tests.texts import ROOT, text_of

FILES = ("tutorial/1_first_network.spine", "tutorial/2_scales.spine", "tutorial/5_own_block.spine", "permuted.spine")
CHANGES = {
    "left out": lambda word: "",
    "written twice": lambda word: f"{word} {word}",
    "a large number": lambda word: " 9999 ",
    "another name": lambda word: " zzz ",
    "in quotes": lambda word: f'"{word.strip(chr(34))}"',
    "a letter less": lambda word: word[:-1] or word * 2,
    "capitals": str.swapcase,
}
EACH = 40  # of each change in each file
MOST = 0.02  # of the changes may be said twice or more


def errors(text: str) -> list[str]:
    """The codes of what is wrong."""
    found = driver.analyse(Source.from_text(text)).diagnostics
    return [diagnostic.code.id for diagnostic in found if diagnostic.severity is Severity.ERROR]


def is_row_name(text: str, token: Token) -> bool:
    """It names a row, a definition or a value: others may read it, and each would miss it."""
    return bool(
        re.search(r"\b(stem|block|output|head|\w+_type|def|network|let|var|import std\.)\s*$", text[: token.start_pos])
    )


def test_a_change_of_one_word_is_one_error() -> None:
    draw, said, several = Random(0), 0, Counter[str]()
    for file in FILES:
        text = text_of(ROOT / "examples" / file)
        assert errors(text) == []
        words = [token for token in tokens_of(Source.from_text(text)) if token.value and not is_row_name(text, token)]
        for how, change in CHANGES.items():
            for token in draw.choices(words, k=EACH):
                end = token.start_pos + len(token.value)
                codes = errors(text[: token.start_pos] + change(token.value) + text[end:])
                said += bool(codes)
                several[f"{how}: {' '.join(codes[:3])}"] += len(codes) > 1
    assert said > 400
    assert several.total() <= MOST * said, several.most_common(12)
