"""`rules { inputs … }` of a part: its own, else those of the network around it. By itself, a part need not say them."""

from __future__ import annotations

import pytest

from tests.ir.built import program, said

HEAD = "spine 1\n" + "".join(f"import std.{name}\n" for name in "blocks resample stems".split())


def net(*, part: str = "", around: str = "", use: str = "part n: Cell from b2, b3, b4") -> str:
    """A part with a block of three inputs, and a network that uses it."""
    return f"""{HEAD}
network Cell {{
    input x2, x3, x4: level 2..4
    {f"rules {{ {part} }}" if part else ""}
    block y: residual level 3 from x2, x3, x4
    output y
}}
network Net {{
    input image: 3 x 64 x 64
    defaults {{ act relu, norm batch_norm }}
    widths {{ level 2..4: 16 }}
    {f"rules {{ {around} }}" if around else ""}
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 32
    block b2: residual level 2 after s
    block b3: residual level 3 after b2
    block b4: residual level 4 after b3
    {use}
    output P3: {"n.y" if use else "b3"}
    output P4: b4
}}
"""


@pytest.mark.parametrize(
    ("part", "around"),
    [("", "inputs 1..3"), ("inputs 3", ""), ("outputs any", "inputs 1..3"), ("inputs 1..3", "channels multiple(8)")],
)
def test_the_network_around_says_what_a_part_does_not(part: str, around: str) -> None:
    text = net(part=part, around=around)
    assert not said(text)
    assert "n.y" in [row.name for row in program(text, "Net").rows]


@pytest.mark.parametrize(("part", "around"), [("", ""), ("outputs any", ""), ("inputs 2", "inputs 1..3")])
def test_more_than_either_allows_is_reported_once(part: str, around: str) -> None:
    assert said(net(part=part, around=around)) == ["E0301"]


def test_a_part_that_nobody_uses_is_no_mistake() -> None:
    assert "E0301" not in said(net(use=""))
