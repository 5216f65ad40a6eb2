"""Whole files: helpers, a definition of each kind, and a network whose rows use them all.

In: numbers. Out: the text of a file with one network, `Net`, which is valid whatever the numbers are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from hypothesis import strategies as st

from spinedsl.record import Record
from spinedsl.testing.nested.kinds import OPTIONS, WRITERS, Numbers, helper
from spinedsl.testing.nested.numbers import DEFINITIONS
from spinedsl.testing.nested.scope import Draw, Helper

NAME = "Net"
HELPERS, BLOCK_TYPES = 2, 2
PARTS = HELPERS + BLOCK_TYPES + 5 + 1  # the last are the numbers of the rows
SHORTEST, LONGEST = 64, 240  # numbers of a part
CHANNELS = (8, 4, 12)
LEVELS = (1, 2, 3)
SIZES = ((32, 48), (32, 32), (16, 40))
ANY_SIZES = ((33, 47), (45, 32), (37, 37))
DEFAULTS = (
    "act relu, norm batch_norm(momentum = 0.9, epsilon = 1e-3)",
    "act swish, norm batch_norm, conv(padding = symmetric)",
    "act gelu, norm layer_norm",
    "act relu6, norm identity, max_pool(padding = symmetric)",
)
GIVEN = {
    "times": ("2", "0", "1"),
    "ratio": ("1.5", "0.25"),
    "deep": ("false", "true"),
    "inner": ("gelu", "hard_swish", "gated", "blended"),
}

Parts: TypeAlias = Sequence[Numbers]


class Made(Record):
    """A row that others may read."""

    name: str
    level: int
    channels: int


def to_text(parts: Parts) -> str:
    """The file of any numbers; a part that lacks is empty."""
    taken = iter([*parts, *[()] * (PARTS - len(parts))])
    helpers: list[Helper] = []
    texts: list[str] = []
    for n in range(HELPERS):
        text, known = helper(f"helped{n}", next(taken), helpers)
        helpers.append(known)
        texts.append(text)
    kinds = [("stem", "entered"), ("resample", "crossing"), ("join", "joined"), ("output", "ended"), ("head", "topped")]
    for kind, name in [*(("block", f"made{n}") for n in range(BLOCK_TYPES)), *kinds]:
        texts.append(WRITERS[kind](name, next(taken), helpers))
    return "\n".join(["spine 1\n", DEFINITIONS, *texts, network(Draw(next(taken)), texts)])


def network(draw: Draw, texts: Sequence[str]) -> str:
    """The network: each block reads the one above it, perhaps another, so that each reaches an output."""
    any_size = draw.once_in(3)
    high, wide = draw.pick(ANY_SIZES if any_size else SIZES)
    stem = Made("s", 1, draw.pick(CHANNELS))
    rows = [f"stem s: entered{_given(draw, texts, 'entered')} channels {stem.channels}"]
    made = [stem]
    absorbed: set[str] = set()
    for n in range(1 + draw.below(4)):
        block, row = _block(draw, texts, made, n, absorbed)
        made.append(block)
        rows.append(row)
    last = {block.level: block for block in made[1:]}
    kind = draw.below(3)
    for level, block in sorted(last.items()):
        use = f"ended{_given(draw, texts, 'ended')} from {block.name} channels {draw.pick(CHANNELS)}"
        rows.append(f"output O{level}: {use if kind else block.name}")
    if draw.below(2):
        outputs = ", ".join(f"O{level}" for level in sorted(last, reverse=draw.once_in(2)))
        rows.append(f"head H: topped{_given(draw, texts, 'topped')} from {outputs} channels {draw.pick(CHANNELS)}")
    rules = [*(["sizes any"] if any_size else []), *(["channels multiple(6)"] if draw.once_in(4) else [])]
    lines = [
        f"input image: 3 x {high} x {wide}",
        f"defaults {{ {draw.pick(DEFAULTS)} }}",
        *([f"rules {{ {', '.join(rules)} }}"] if rules else []),
        f"resample crossing{_given(draw, texts, 'crossing')}",
        f"join joined{_given(draw, texts, 'joined')}",
        *rows,
    ]
    return "\n".join([f"network {NAME} {{", *(f"    {line}" for line in lines), "}\n"])


def _given(draw: Draw, texts: Sequence[str], name: str) -> str:
    """Arguments for some of the options of a definition, and for all that have no default."""
    text = next(text for text in texts if f"_type {name}(" in text)
    header = text.partition("{")[0]
    optional = {key: f" {key} = " in header for key in OPTIONS if f" {key}" in header}
    chosen = [f"{key} = {draw.pick(GIVEN[key])}" for key, may in optional.items() if not may or draw.below(2)]
    return f"({', '.join(chosen)})" if chosen else ""


def _block(draw: Draw, texts: Sequence[str], made: Sequence[Made], n: int, absorbed: set[str]) -> tuple[Made, str]:
    """A block that reads the row above it: directly, where its level is as high, or joined with another."""
    above, name = made[-1], f"b{n}"
    block = Made(name, draw.pick(LEVELS), draw.pick(CHANNELS))
    use = f"made{draw.below(BLOCK_TYPES)}"
    use = f"block {name}: {use}{_given(draw, texts, use)} level {block.level}"
    tail = f" channels {block.channels}" + (f" repeat {1 + draw.below(2)}" if draw.once_in(3) else "")
    if block.level >= above.level and draw.below(2):
        return block, f"{use} after {above.name}{tail}"
    others = [other for other in made[:-1] if other.name not in absorbed]
    sources = [above.name, *([draw.pick(others).name] if others and draw.below(2) else [])]
    fits = [
        one.name
        for one in made[1:]
        if (one.level, one.channels) == (block.level, block.channels) and one.name not in (*sources, *absorbed)
    ]
    if fits and draw.below(2):
        absorbed.add(fits[0])
        tail += f" absorb {fits[0]}"
    return block, f"{use} from {', '.join(sources)}{tail}"


def parts() -> st.SearchStrategy[list[bytes]]:
    """Numbers for a file, part by part; small ones are simple."""
    return st.lists(st.binary(min_size=SHORTEST, max_size=LONGEST), min_size=PARTS, max_size=PARTS)


def files() -> st.SearchStrategy[str]:
    """Texts of files with one valid network, `Net`, whose definitions have loops and choices inside each other.

    Names are few, so that the same ones are bound again and again, as other things. They need nothing imported.
    """
    return st.builds(to_text, parts())
