"""A repair keeps what somebody wrote: one that makes a text clean takes no number and no word of it away.

Over a valid text into which one token is put, or out of which one is taken. A stray that was put in may go again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

import pytest

from spinedsl import driver
from spinedsl.diagnostics import Severity
from spinedsl.diagnostics.repairs import apply, is_edit_of
from spinedsl.source import Source
from spinedsl.syntax.machine import Token
from spinedsl.syntax.parse import tokens_of
from tests.syntax.strays import base

TEXT = """\
spine 1
import std.stems
import std.blocks
import std.resample
network N(width = 2) {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm(epsilon = 1e-3), conv(padding = same) }
    widths { level 2..3: 32, level 4: max(32, width) }
    rules { inputs 1..3, sizes any }
    resample spinenet(alpha = 0.5)
    join activated_sum
    stem s: resnet_stem channels 16
    block b3: convnext(expansion = 2, rate = 0) level 3 after s
    block b4: residual level 4 from s, b3
    output P4: b4
}
"""
# No name that exists: of two names in the place of one, either may be the stray.
PUT = (",", ":", "=", ";", "@", "7", "2.5", "level", "hello", "3 4", "hello 2")
SOME, FEW = 12, 160  # one token of so many is changed, of the text above and of the one that has every kind of row


def texts(first: int) -> Iterator[tuple[Source, list[Token]]]:
    """Texts, each with the tokens at which it is changed."""
    short = Source.from_text(TEXT)
    yield short, tokens_of(short)[first::SOME]
    long = base()
    yield long, tokens_of(long)[FEW // 2 + first :: FEW]


def words(text: str) -> list[str]:
    """The numbers, names and keywords of a text."""
    return [token.value for token in tokens_of(Source.from_text(text)) if token.value[0].isalnum()]


def stands_in(few: Sequence[str], many: Sequence[str]) -> bool:
    """All of them, in their order."""
    left = iter(many)
    return all(word in left for word in few)


def lost(source: Source, changed: str, kept: str) -> list[str]:
    """The repairs of a changed text that make it clean, and take a word of `kept` away."""
    text = Source.from_text(changed, source.name, source.origin)
    fixes = [fix for found in driver.analyse(text).diagnostics for fix in found.fixes if is_edit_of(fix, text)]
    done = [(fix, apply(text, fix.edits)) for fix in fixes]
    done = [(fix, after) for fix, after in done if not stands_in(words(kept), words(after.text))]
    return [
        f"{changed.splitlines()[fix.edits[0].span.line - 1].strip()}: {fix.text}"
        for fix, after in done
        if all(found.severity is not Severity.ERROR for found in driver.analyse(after).diagnostics)
    ]


@pytest.mark.parametrize("first", range(0, SOME, 3))
def test_where_a_token_is_missing(first: int) -> None:
    wrong = []
    for source, tokens in texts(first):
        for token in tokens:
            changed = f"{source.text[: token.start_pos]} {source.text[token.start_pos + len(token.value) :]}"
            wrong += lost(source, changed, changed)
    assert wrong == []


@pytest.mark.parametrize("first", range(0, SOME, 3))
def test_where_a_token_is_too_many(first: int) -> None:
    random, wrong = Random(f"kept {first}"), []
    for source, tokens in texts(first):
        for token in tokens:
            start, put = token.start_pos, random.choice(PUT)
            wrong += lost(source, f"{source.text[:start]} {put} {source.text[start:]}", source.text)
    assert wrong == []


REPAIRED = {  # by what a part of the text is replaced, and what is made of it: nothing where nobody knows
    ("channels 16", "channels 2^5"): "channels 32",
    ("channels 16", "channels 2 ^ 5"): "channels 32",
    ("channels 16", "channels width ^ 2"): "channels power(width, 2)",
    ("channels 16", "channels 2 ^ 2 ^ 2"): "",
    ("channels 16", "channels 12_8"): "channels 128",
    ("channels 16", "channels 1_024 repeat 1"): "channels 1024 repeat 1",
    ("channels 16", "channels 0x20"): "channels 32",
    ("channels 16", "channels 0b1_0"): "",
    ("channels 16", "channels 16."): "channels 16",
    ("channels 16", "channels 16;"): "channels 16",
    ("channels 16", "channels=16"): "channels 16",
    ("alpha = 0.5", "alpha = .5"): "alpha = 0.5",
    ("channels 16", "channels 1K"): "",
    ("channels 16", "channels 16px"): "",
    ("channels 16", "channels 1$6"): "",
    ("channels 16", "channels 1'6"): "",
    ("channels 16", "channels 2\N{SUPERSCRIPT TWO}"): "",
    ("channels 16", "channels 2 5"): "",
    ("channels 16", "channels 2, 5"): "",
    ("channels 16", "channels 2,5"): "",
    ("level 2..3: 32", "level 2..3: 32k"): "",
    ("relu, norm", "relu norm"): "relu, norm",
    ("1e-3), conv", "1e-3) conv"): "1e-3), conv",
    ("relu, norm batch_norm(epsilon = 1e-3), conv", "relu norm batch_norm conv"): "",
    ("{ act relu, norm batch_norm(epsilon = 1e-3), conv(padding = same) }",
     "{\nact relu\nnorm batch_norm\nconv(padding = same)\n}"):
     "{\nact relu,\nnorm batch_norm,\nconv(padding = same)\n}",
    ("3: 32, level", "3: 32 level"): "3: 32, level",
    ("(32, width)", "(32 width)"): "(32, width)",
    ("1..3, sizes", "1..3 sizes"): "1..3, sizes",
    ("2, rate", "2 rate"): "2, rate",
    ("rate = 0", "rate = 0 rate = 1"): "",
    ("s, b3", "s b3"): "s, b3",
}  # fmt: skip


@pytest.mark.parametrize(("old", "new"), REPAIRED)
def test_what_is_made_of_it(old: str, new: str) -> None:
    source = Source.from_text(TEXT.replace(old, new, 1))
    found = driver.analyse(source).diagnostics
    made = [apply(source, fix.edits).text for one in found for fix in one.fixes if fix.edits]
    wanted = REPAIRED[old, new]
    assert len(found) == 1
    assert made == ([TEXT.replace(old, wanted, 1)] if wanted else [])


def test_the_text_is_valid() -> None:
    assert [found.code.id for found in driver.analyse(Source.from_text(TEXT)).diagnostics] == []
