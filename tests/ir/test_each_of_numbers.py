"""`each k in [1, 3]`: a loop over numbers, as over feature maps."""

from __future__ import annotations

import pytest

import spinedsl
from spinedsl.ops.graph import flatten
from spinedsl.ops.text import to_text
from spinedsl.source import Source
from tests.witnesses import assert_witnesses_agree

NET = """spine 1
block_type mixed(x, channels, rates = [1, 2, 3], stride = 1) -> channels {
    var maps = [conv(x, channels, kernel = 1, stride = stride)]
    BODY
    return conv(concat(maps), channels, kernel = 1)
}
stem_type entry(image, channels) -> channels {
    return conv(image, channels, kernel = 4, stride = 4)
}
head_type scores(maps, channels) {
    each m in maps { each k in [1, 2] { yield conv(m, channels * k, kernel = 1) } }
}
network Net {
    input image: 3 x 32 x 48
    stem s: entry channels 8
    block a: mixed                 level 3  after s  channels 8  repeat 2
    block b: mixed(rates = [3])    level 4  after a  channels 12
    block c: mixed(rates = [2, 1]) level 4  after b  channels 12
    output P4: c
    head h: scores from P4 channels 4
}
"""
EACH = "each rate in rates { maps = maps + [conv(maps[0], channels, kernel = 3, dilation = rate)] }"
COUNTED = "repeat rate in len(rates) { maps = maps + [conv(maps[0], channels, kernel = 3, dilation = rates[rate])] }"
BODIES = {
    "attributes": EACH,
    "arithmetic": "each i in [2, 0.5] { maps = [conv(maps[0] * i + 1 / i, channels, kernel = 3)] }",
    "in each other": "each k in [1, 3] { each j in rates { maps = maps + [conv(last(maps), j, kernel = k)] } }",
    "shared": "each k in rates { maps = maps + [shared conv(last(maps), channels, kernel = 3) * k] }",
    "shared in a repeat": "repeat i in 2 {\n"
    " each k in [i + 1, 2] { maps = [shared conv(maps[0], channels, kernel = 1) * k] }\n}",
    "maps or numbers": "repeat i in 2 {\n"
    " each p in maps if i == 1 else [1, 2] { maps = [conv(maps[0] * p, channels, kernel = 1)] }\n}",
}  # fmt: skip


@pytest.mark.parametrize("body", BODIES)
def test_engines_agree(body: str) -> None:
    program = spinedsl.program(Source.from_text(NET.replace("BODY", BODIES[body])))
    assert_witnesses_agree(program, [(1, 32, 48), (2, 16, 32)])


def test_it_is_a_repeat_that_looks_its_numbers_up() -> None:
    each, counted = (spinedsl.program(Source.from_text(NET.replace("BODY", body))) for body in (EACH, COUNTED))
    names = [flatten(program).parameters for program in (each, counted)]
    assert [name.replace("rate", "rep") for name in names[0]] == list(names[1])
    assert [one.shape for one in names[0].values()] == [one.shape for one in names[1].values()]
    assert "a.rep0.rate2.conv.weight" in names[0]
    assert to_text(each).count("dilation=3") == to_text(counted).count("dilation=3") == 3


def test_iterations_have_one_set_of_shared_weights() -> None:
    weights = flatten(spinedsl.program(Source.from_text(NET.replace("BODY", BODIES["shared"])))).parameters
    assert sorted(name for name in weights if name.startswith("a.rep0.")) == [
        "a.rep0.conv.weight",
        "a.rep0.conv_2.weight",
        "a.rep0.conv_3.weight",
    ]


def test_a_head_names_what_it_yields_by_the_position() -> None:
    program = spinedsl.program(Source.from_text(NET.replace("BODY", EACH)))
    assert [name for name in flatten(program).outputs if name.startswith("h")] == ["h_P4_0", "h_P4_1"]
