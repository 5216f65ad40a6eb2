"""Random networks have every operation: a new one is met by the laws, by `spine fuzz` and by the soak."""

from __future__ import annotations

import spinedsl
from spinedsl.ops.graph import flatten
from spinedsl.ops.primitives import PRIMITIVES
from spinedsl.source import Source
from spinedsl.testing.definitions import STEPS, decode

NETWORK = """\
spine 1
import std.stems

network Steps {{
    input image: 3 x 64 x 32
    {rules}
    defaults {{ act relu, norm batch_norm }}
    widths {{ level 2..3: 8 }}
    stem s: resnet_stem channels 8
{rows}
    output P: last
}}

{definitions}"""
# What no step of a block has, and where it is instead.
ELSEWHERE = {
    "flatten": "heads",
    "linear": "heads",
    "pixel_unshuffle": "nowhere: a network of any size refuses it; `tests/test_operations.py`",
}


def operations(rules: str) -> set[str]:
    """Those of a network that has every step at two levels."""
    rows, before = [], "after s"
    for level in (2, 3):
        for number in range(len(STEPS)):
            rows.append(f"    block b{level}_{number}: drawn{number} level {level} {before}")
            before = f"after b{level}_{number}"
    rows.append(f"    block last: drawn0 level 3 {before}")
    definitions = "\n".join(decode(f"drawn{number}", [0, number]) for number in range(len(STEPS)))
    text = NETWORK.format(rules=rules, rows="\n".join(rows), definitions=definitions)
    program = spinedsl.program(Source.from_text(text, "steps.spine"))
    return {node.primitive for node in flatten(program).nodes}


def test_every_operation_stands_in_random_networks() -> None:
    found = operations("") | operations("rules { sizes any }")
    assert found.isdisjoint(ELSEWHERE)
    assert found | {*ELSEWHERE} == set(PRIMITIVES), "a line of STEPS in testing/definitions.py"
