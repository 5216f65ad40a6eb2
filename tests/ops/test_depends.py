"""What the result of a definition depends on, for bodies whose answer can be told by hand."""

from __future__ import annotations

import pytest

from spinedsl import driver
from spinedsl.ir.elaborate import elaborate
from spinedsl.ops import depends
from spinedsl.ops.channels import ALL
from spinedsl.ops.depends import Depends
from spinedsl.ops.program import Module
from spinedsl.source import Source

TEXT = """spine 1
import std.stems
join_type joined(maps) {{ {join} }}
{definitions}
block_type body(x, channels) {{
    {body}
}}
resample_type keep(x, source, target) -> 8 {{ return conv(x, 8, kernel = 1) }}
network Net {{
    input image: 3 x 64 x 64
    defaults {{ act relu, norm batch_norm }}
    resample keep
    join joined
    stem s: resnet_stem channels 8
    block b: body level 2 after s channels 8
    block c: plain_ level 2 from s, b channels 8
    output P: c
}}
block_type plain_(x, channels) -> channels {{ return conv(x, channels, kernel = 1) }}
"""
FRONT, BACK = 0b1111, 0b11110000  # of eight channels
BODIES: dict[str, tuple[str, int, int | None]] = {
    "a slice": ("return slice(x, 4, start = 4)", ALL, BACK),
    "a slice of a slice": ("return slice(slice(x, 4, start = 4), 2, start = 1)", ALL, 0b1100000),
    "a part of a concat": ("return concat(relu(slice(x, 4)), slice(x, 4, start = 4))", FRONT, FRONT),
    "all of a concat": ("return concat(slice(x, 4), slice(x, 4, start = 4))", ALL, 0b11111111),
    "two readers": ("let y = slice(x, 1)\n return y + slice(x, 1, start = 7)", ALL, 0b10000001),
    "two readers of a name": ("let y = x + 1\n return slice(y, 1) + slice(y, 1, start = 7)", ALL, 0b10000001),
    "a convolution": ("return slice(conv(x, 8, kernel = 3), 1)", ALL, ALL),
    "groups": ("return slice(conv(x, 8, kernel = 3, groups = 2), 1)", ALL, FRONT),
    "the size alone": ("return resize(slice(x, 4), like = relu(x))", ALL, FRONT),
    "a factor of 0": ("return slice(x, 4) + slice(x, 4, start = 4) * 0", ALL, FRONT),
    "a value taken again": ("var y = slice(x, 4)\n y = slice(x, 4, start = 4)\n return y", ALL, BACK),
    "a loop": ("var y = x\n repeat 2 { y = slice(y, y.channels - 2) }\n return y", ALL, FRONT),
    "a loop over maps": (
        "var y = slice(x, 1)\n each p in [slice(x, 1, start = 1), slice(x, 1, start = 2)] { y = y + p }\n return y",
        ALL,
        0b111,
    ),
    "a loop over maps made of what it changes": (
        "var y = slice(x, 1)\n each p in [slice(x, 1, start = 1), y] { y = slice(x, 1, start = 2) + p }\n return y",
        ALL,
        0b101,
    ),
    "a list": ("let ys = [slice(x, 4), slice(x, 4, start = 4)]\n return last(ys)", ALL, BACK),
    "an arm": ("if channels > 99 { return slice(x, 4) } else { return slice(x, 4, start = 4) }", ALL, BACK),
    "a helper, twice": ("return concat(half_(x), half_(slice(x, 4, start = 4)))", FRONT, 0b110011),
    "a helper of which one map counts": ("return pick_(slice(x, 4), slice(x, 4, start = 4))", ALL, FRONT),
    "a shuffle": ("return slice(reshape(transpose(reshape(x, 2, 4)), 8), 2)", ALL, 0b10001),
    "by way of a vector": (
        "let y = global_average_pool(x)\n return x * 0 + reshape(linear(slice(flatten(y), 3), 8), 8, like = y)",
        ALL,
        0b111,
    ),
}  # fmt: skip
HELPERS = """
def half_(x) { return slice(x, 2) }
def pick_(x, y) { return x + resize(y, like = x) * 0 }
"""


def module_of(body: str, join: str = "return sum(maps)") -> tuple[Module, Module]:
    """The module of a body, and that of a join."""
    text = TEXT.format(body=body, join=join, definitions=HELPERS)
    analysis = driver.analyse(Source.from_text(text))
    networks = analysis.value.networks if analysis.value is not None else {}
    assert networks, analysis.diagnostics
    rows = elaborate(networks["Net"]).value
    assert rows is not None
    (call,) = rows.rows["b"].calls
    joined = rows.rows["c"].join
    assert joined is not None
    return call.module, joined.module


@pytest.mark.parametrize("name", BODIES)
def test_the_channels_of_a_map(name: str) -> None:
    body, wanted, expected = BODIES[name]
    read = Depends().needs(module_of(body)[0], wanted)
    assert read == {0: expected}


@pytest.mark.parametrize(
    ("join", "expected"),
    [
        ("return sum(maps)", {0: ALL, 1: ALL}),
        ("return first(maps)", {0: ALL}),
        ("return last(maps)", {1: ALL}),
        ("return resize(first(maps), like = last(maps))", {0: ALL, 1: 0}),
        ("return concat(rest(maps)) + slice(first(maps), 1)", {0: 1, 1: ALL}),
    ],
)
def test_the_maps_of_a_list(join: str, expected: dict[int, int]) -> None:
    assert Depends().needs(module_of("return relu(x)", join)[1]) == expected


def test_nothing_depends_on_anything_where_nothing_is_wanted() -> None:
    assert Depends().needs(module_of("return relu(x)")[0], 0) == {}


def test_beyond_the_budget_every_channel_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two uses of a helper with other channels each, so deep that the answers would double with every level."""
    deep = "\n".join(
        f"def deeper{n}_(x) {{ return deeper{n - 1}_(slice(x, x.channels)) + deeper{n - 1}_(x) }}" for n in range(1, 9)
    )
    body, definitions = "return slice(deeper8_(x), 1)", f"{HELPERS}\ndef deeper0_(x) {{ return slice(x, 8) }}\n{deep}"
    monkeypatch.setattr("tests.ops.test_depends.HELPERS", definitions)
    module = module_of(body)[0]
    assert Depends().needs(module) == {0: 1}
    monkeypatch.setattr(depends, "BUDGET", 100)
    assert Depends().needs(module) == {0: ALL}
