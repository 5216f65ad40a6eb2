"""A `def` that `act` or `norm` stands for, called of what another such call gives."""

from __future__ import annotations

import pytest

from spinedsl.driver import analyse
from spinedsl.source import Source
from spinedsl.testing.laws import agreed

FILE = """spine 1
import std.stems

def leaky(x) { return max(x, x * 0.1) }
def scaled(x) { return batch_norm(x) * 0.5 }
BODY
network NET {
    input image: 3 x 64 x 64
    defaults { act ACT, norm NORM }
    stem s: resnet_stem channels 8
    block a: cell level 2 after s channels 8
    output P2: a
}
"""
CELL = "block_type cell(x, channels) -> channels { return act(norm(conv(act(norm(x)), channels, kernel = 3))) }"


def source(body: str = CELL, net: str = "Net", act: str = "leaky", norm: str = "scaled") -> Source:
    return Source.from_text(FILE.replace("BODY", body).replace("NET", net).replace("ACT", act).replace("NORM", norm))


@pytest.mark.parametrize(("net", "act"), [("Net", "leaky"), ("Net(leaks = leaky)", "leaks")], ids=["named", "given"])
def test_a_role_may_take_what_it_gave(net: str, act: str) -> None:
    agreed(source(net=net, act=act), "Net")


@pytest.mark.parametrize(
    "body", ["def circle(x) { return max(x, act(x)) }", "def circle(x, y = act(x)) { return max(x, y) }"]
)
def test_a_circle_is_still_one(body: str) -> None:
    (found,) = analyse(source(f"{body}\n{CELL}", act="circle")).diagnostics
    assert found.code.id == "E0204"
    assert found.message == "`circle` calls itself, by way of `act`"
