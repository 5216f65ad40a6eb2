"""Random texts that are nearly files: pieces of files taken out, put in, doubled and moved.

A mutation is decoded from small numbers, whatever draws them: Hypothesis, so that what fails shrinks, or `random`, with
much less work.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeAlias

from hypothesis import strategies as st

from spinedsl.prelude import modules, text_of
from spinedsl.testing.networks import networks
from spinedsl.testing.space import STANDARD, Space

PIECES = (
    *"(){}[],:=+-*/<>.#\"'\\\n\t \0\r;@",
    "->", "..", "==", " x ", "\n\n", "}\n}\n", "{\n", "1e999", "0", "-1", "2.5", "1" * 40, "b0", "self", "__init__",
    "spine 1", "import", "network", "block_type", "def", "fn", "input", "defaults", "widths", "rules", "stem", "block",
    "output", "level", "from", "after", "repeat", "absorb", "resample", "join", "let", "var", "return", "if", "else",
    "each", "in", "shared", "and", "or", "not", "true", "false", "allow", "with", "none", "channels", "conv", "norm",
    "\ufeff", "\u202e", "\u200b", "\u00a0", "\u0430", "\U0001f600", "\ud800",
)  # fmt: skip


# What is done, from where on, to how many characters; and which piece is put in, or where to these move.
Mutation: TypeAlias = tuple[int, int, int, int]
HIGHEST: Mutation = (3, 0xFFFF, 30, 0xFFFF)
MOST = 4  # mutations of a text


def mutate(text: str, mutations: Sequence[Mutation]) -> str:
    """A text after mutations of any numbers, one after the other."""
    for kind, place, count, other in mutations:
        start = place % (len(text) + 1)
        end = min(start + count, len(text))
        if kind == 0:
            text = text[:start] + text[end:]
        elif kind == 1:
            text = text[:start] + PIECES[other % len(PIECES)] + text[start:]
        elif kind == 2:
            text = text[:end] + text[start:end] + text[end:]
        else:
            rest = text[:start] + text[end:]
            to = other % (len(rest) + 1)
            text = rest[:to] + text[start:end] + rest[to:]
    return text


def mutated(text: str, draw: Random) -> str:
    """A text after one to four random mutations."""
    count = draw.randrange(MOST) + 1
    return mutate(text, [tuple(draw.randrange(most + 1) for most in HIGHEST) for _ in range(count)])  # type: ignore[misc]


def _prelude() -> list[str]:
    return [text_of(module) for module in modules()]


def texts(seeds: Sequence[str] = (), space: Space = STANDARD) -> st.SearchStrategy[str]:
    """One of the texts `seeds` after one to four mutations, by which it need not stay a file.

    Without seeds it is a network of a space, or a file of the prelude.
    """
    seed = st.sampled_from(seeds) if seeds else networks(space) | st.sampled_from(_prelude())
    mutation = st.tuples(*(st.integers(0, most) for most in HIGHEST))
    return st.builds(mutate, seed, st.lists(mutation, min_size=1, max_size=MOST))
