"""What a network is does not depend on what else a file holds, though networks share what they expand.

Each of some networks that differ in one thing stands beside each other one: before it, and behind it. What it comes to
is what it comes to alone, line for line: its operations, its divisor, the axes that something reads, and its mistakes.
"""

from __future__ import annotations

from functools import cache
from itertools import permutations
from typing import Any, TypeAlias

import pytest

from spinedsl import checks, driver
from spinedsl.lower import lower
from spinedsl.ops.text import to_text
from spinedsl.source import Source

DEFINITIONS = """\
spine 1
stem_type enter(image, channels) -> channels { return norm(conv(image, channels, kernel = 3, stride = 2)) }
block_type deep(x, channels) -> channels {
    let low = conv(conv(x, channels, kernel = 3, stride = 2), channels, kernel = 3, stride = 2)
    return act(norm(conv(x, channels, kernel = 1))) + upsample(low, levels = 2)
}
block_type high(x, channels) -> channels { return conv(x, channels, kernel = 1) * (1 / x.height) }
block_type wide(x, channels) -> channels { return conv(x, channels, kernel = 1) * (1 / x.width) }
block_type flagged(x, channels, k) -> channels {
    var y = conv(x, channels, kernel = 1)
    if k == 1 { y = act(y) }
    return y
}
block_type padded(x, channels) -> channels {
    return upsample(conv(x, channels, kernel = 2, stride = 2, padding = 0), levels = 1)
}
block_type held(x, channels, inner) -> channels { return inner(conv(x, channels, kernel = 1)) }
"""
PLAIN = {"size": "32 x 32", "rules": "", "norm": "batch_norm", "act": "relu", "block": "deep", "more": "", "repeat": ""}
# What makes each network another one than the plain one.
VARIANTS: dict[str, dict[str, str]] = {
    "plain": {},
    "plain twice": {"repeat": " repeat 2"},
    "larger": {"size": "64 x 48"},
    "any size": {"rules": "rules { sizes any }"},
    "one size": {"rules": "rules { sizes fixed }"},
    "any odd size": {"rules": "rules { sizes any }", "size": "35 x 37"},
    "momentum": {"norm": "batch_norm(momentum = 0.5)"},
    "epsilon": {"norm": "batch_norm(epsilon = 0.5)"},
    "groups": {"norm": "group_norm(groups = 2)"},
    "swish": {"act": "swish"},
    "attribute": {"more": ", conv(bias = true)"},
    "high": {"block": "high"},
    "high twice": {"block": "high", "repeat": " repeat 2"},
    "higher": {"block": "high", "size": "64 x 32"},
    "wide": {"block": "wide"},
    "wide twice": {"block": "wide", "repeat": " repeat 2"},
    "one": {"block": "flagged(k = 1)"},
    "two": {"block": "flagged(k = 2)"},
    "true": {"block": "flagged(k = true)"},
    "a quotient": {"block": "flagged(k = 1 / 2)"},
    "padded": {"block": "padded"},
    "padded, any size": {"block": "padded", "rules": "rules { sizes any }"},
    "held relu": {"block": "held(inner = relu)"},
    "held swish": {"block": "held(inner = swish)"},
}

Found: TypeAlias = tuple[dict[str, Any], set[tuple[str, str]]]  # of networks by name, and mistakes: code and message


def network(variant: str) -> str:
    said = {**PLAIN, **VARIANTS[variant]}
    name = f"N{[*VARIANTS].index(variant)}"
    return (
        f"network {name} {{\n    input image: 3 x {said['size']}\n    {said['rules']}\n"
        f"    defaults {{ act {said['act']}, norm {said['norm']}{said['more']} }}\n    stem s: enter channels 4\n"
        f"    block b: {said['block']} level 1 after s channels 4{said['repeat']}\n    output P1: b\n}}\n"
    )


def found(text: str) -> Found:
    """Of each network that is sound, what it came to; and all that is reported."""
    outcome = driver.analyse(Source.from_text(text, "net.spine"))
    checked = outcome.value.checked if outcome.value is not None else {}
    programs = {name: lower(one) for name, one in checked.items()}
    told = {name: (to_text(p), p.divisor, {**p.static_axes}) for name, p in programs.items()}
    return told, {(one.code.id, one.message) for one in outcome.diagnostics if one.code is not checks.UNUSED_NAME}


@cache
def alone(variant: str, *, first: bool) -> Found:
    """The network by itself, on the lines where it is beside another one."""
    text = network(variant)
    blank = "\n" * text.count("\n")
    return found(DEFINITIONS + (text + blank if first else blank + text))


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_network_beside_another_is_what_it_is_alone(variant: str) -> None:
    for other in VARIANTS:
        if other != variant:
            both = found(DEFINITIONS + network(other) + network(variant))
            (before, said_before), (after, said_after) = alone(other, first=True), alone(variant, first=False)
            assert both == ({**before, **after}, said_before | said_after), other


def test_each_of_these_networks_is_another_one() -> None:
    kinds = {variant: found(DEFINITIONS + network(variant)) for variant in VARIANTS}
    for one, other in permutations(kinds, 2):
        first, second = ((sorted(map(str, told.values())), said) for told, said in (kinds[one], kinds[other]))
        assert first != second, (one, other)
    assert {variant for variant, (_, said) in kinds.items() if said} == {"true", "padded, any size"}
