"""Widths that are rounded: `rules { channels multiple(8) }`, and what lanes that do nothing cost."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import spinedsl
from spinedsl import driver
from spinedsl.backends.torch.emit import emit_module
from spinedsl.compare import Tier, compare, side
from spinedsl.compare.words import to_text
from spinedsl.ir.elaborate.rounding import rounded
from spinedsl.ops.graph import flatten
from spinedsl.ops.program import Program
from spinedsl.source import Source
from tests.ir.built import program, said, with_block

EXAMPLES = Path(__file__).parents[2] / "examples"
HEAD = "spine 1\n" + "".join(f"import std.{name}\n" for name in "blocks heads numbers outputs resample stems".split())


def net(widths: str = "41", *, rules: str = "", channels: str = "", more: str = "", output: str = "b2") -> str:
    """Three blocks of widths that may be rounded."""
    return f"""{HEAD}
network Net(by = 8, width = 0.65) {{
    input image: 3 x 64 x 64
    defaults {{ act relu, norm batch_norm }}
    widths {{ level 2..3: {widths} }}
    {f"rules {{ {rules} }}" if rules else ""}
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 32
    block b0: residual level 2 after s
    block b1: bottleneck level 2 from s, b0 {channels}
    block b2: residual level 3 from b0, b1
    {more}
    output P3: {output}
}}
"""


def operations(made: Program) -> list[tuple[object, ...]]:
    """What the network computes, operation by operation."""
    graph = flatten(made)
    nodes = [(node.name, node.primitive, node.inputs, node.attributes, node.parameters) for node in graph.nodes]
    return [*nodes, *((str(type_),) for type_ in graph.types), *graph.parameters.items()]


def channels(made: Program) -> dict[str, int]:
    return {row.name: row.type.channels for row in made.rows}


def test_a_rule_rounds_as_make_divisible_does() -> None:
    """The same graph as where every width is written out by the function of the prelude."""
    for by in (5, 8, 16):
        for width in ("64 * width", "7 / 2", "150", "by * 3"):
            ruled = program(net(width, rules=f"channels multiple({by})", channels="channels 100 * width"))
            text = net(
                f"make_divisible({width}, by = {by})", channels=f"channels make_divisible(100 * width, by = {by})"
            )
            written = program(text.replace("channels 32", f"channels make_divisible(32, by = {by})"))
            assert operations(ruled) == operations(written), (by, width)
            assert all(row.type.channels % by == 0 for row in ruled.rows), (by, width)


@given(st.fractions(min_value=Fraction(1, 8), max_value=5000), st.integers(2, 64))
def test_what_a_width_becomes(width: Fraction, by: int) -> None:
    found = Fraction(rounded(width, by))
    most: Fraction = max(Fraction(by), Fraction(9, 10) * width)
    assert found % by == 0
    assert found >= most
    assert found < width + by
    assert rounded(found, by) == found
    assert rounded(width, 1) == width


def test_some_widths() -> None:
    found = [rounded(Fraction(64 * 65, 100) * k, by) for by in (8, 16) for k in (1, 2, 4)]
    assert found == [40, 80, 168, 48, 80, 160]
    assert [rounded(width, 8) for width in (0, -3, 1, 12, 20, 33)] == [0, -3, 8, 16, 24, 32]


def test_stems_and_blocks_are_rounded_and_outputs_and_heads_say_what_they_mean() -> None:
    more = "output P2: endpoint from b1 channels 21"
    found = program(
        net(
            "41",
            rules="channels multiple(8)",
            more=more,
            output="endpoint from b2 channels 19\n    head logits: classifier(classes = 10) from P3",
        )
    )
    assert channels(found) == {"s": 32, "b0": 40, "b1": 160, "b2": 40, "P2": 21, "P3": 19, "logits": 10}
    assert channels(program(net("41"))) == {"s": 32, "b0": 41, "b1": 164, "b2": 41, "P3": 41}


def test_what_is_said_in_parentheses_stays() -> None:
    text = net("41", rules="channels multiple(8)").replace("b2: residual level", "b2: residual(channels = 41) level")
    assert channels(program(text))["b2"] == 41


@pytest.mark.parametrize("read", ["from s, b0", "from b0 resample spinenet", "after b0"])
@pytest.mark.parametrize("fed", ["after s", "from s"])
def test_what_is_said_in_parentheses_is_what_rows_read(fed: str, read: str) -> None:
    """A resampling asks for the `channels` of its source, and of the row that it is for."""
    text = """block b0: residual level 0 {fed} channels 3
    block c: residual level 1 {read} channels 4"""
    rows = text.format(fed=fed, read=read)
    settings = "resample spinenet\n    join activated_sum\n    "
    imports = "import std.blocks\nimport std.resample\n"
    by_clause = with_block(imports, settings + rows).replace("output C0: b", "output C1: c")
    given = by_clause.replace("residual level 0", "residual(channels = 3) level 0", 1).replace(" channels 3\n", "\n")
    assert "(channels = 3)" in given
    assert operations(program(given)) == operations(program(by_clause))


@pytest.mark.parametrize("rules", ["channels official", "channels multiple(1)", "channels multiple(by = 1)"])
def test_official_is_what_holds_without_a_rule(rules: str) -> None:
    assert operations(program(net("64 * width", rules=rules))) == operations(program(net("64 * width")))


def test_the_multiple_may_be_a_parameter() -> None:
    family = net("64 * width", rules="inputs 1..2, channels multiple(by)") + "network Wide = Net(by = 16)\n"
    assert channels(program(family))["b0"] == 40
    assert channels(program(family, "Wide"))["b0"] == 48
    named = net("64 * width", rules="channels rounding").replace("by = 8", "rounding = official")
    assert channels(program(named))["b0"] == 41


def test_edits_set_the_rule_and_take_it_back() -> None:
    family = net("64 * width", rules="inputs 1..2")
    family += "network Round = Net with { rules { channels multiple(8) } }\n"
    family += "network Back = Round with { rules { channels official } }\n"
    assert [channels(program(family, name))["b0"] for name in ("Net", "Round", "Back")] == [41, 40, 41]
    idle = net("40") + "network Round = Net with { rules { channels multiple(8) } }\n"
    assert said(idle) == ["W0703"]


def test_the_difference_says_the_rule() -> None:
    source = net("64 * width") + "network Round = Net with { rules { channels multiple(8) } }\n"
    found = compare(*(side(Source.from_text(source, "net.spine"), network=name) for name in ("Net", "Round")))
    assert found.tier is Tier.INTERFACE
    assert "+ rules channels  added  multiple(8)" in to_text(found)


PARTS = """
network Cell(width) {
    input p: level 2 channels width
    RULES
    widths { level 2: width }
    block c: residual level 2 after p
    output c
}
"""


@pytest.mark.parametrize(
    ("own", "made"), [("", 40), ("rules { inputs 1..3 }", 40), ("rules { channels official }", 41)]
)
def test_parts_round_as_the_network_around_them_unless_they_say_so(own: str, made: int) -> None:
    cell = PARTS.replace("RULES", own).replace(
        " channels width", "" if own.endswith("official }") else " channels width"
    )
    text = net(
        "41", rules="channels multiple(8)", more="part n: Cell(width = 41) from b0", output="b2\n    output C2: n.c"
    )
    found = program(text + cell)
    assert channels(found)["n.c"] == made


def test_generated_code_has_the_numbers_that_were_rounded() -> None:
    """Not the expression of the file, which gives another number."""
    plain = program(net("64 * width", channels="channels 100 * by"))
    ruled = program(net("64 * width", rules="channels multiple(48)", channels="channels 100 * by"))
    assert [one.row("b1").calls[0].scalars["channels"].value for one in (plain, ruled)] == [800, 816]
    assert b"100 * by" in emit_module(plain)
    assert b"100 * by" not in emit_module(ruled)


def test_a_mistake_in_the_rule_leaves_widths_unknown_and_nothing_else_is_reported() -> None:
    clash = "block b3: residual level 2 from b0 channels 41 absorb b1"
    for rules in ("channels 8", "channels relu", "channels multiple(0)", "chanels multiple(8)", "channels multiple()"):
        text = net("64", rules=rules, more=clash, output="b2\n    output C2: b3")
        assert len(said(text)) == 1, rules
    broken = net(
        "41", more="rules { channels multiple(8) ? }\n    block b3: residual level 2 from b1 channels 40 absorb b0",
        output="b2\n    output C2: b3",
    )  # fmt: skip
    assert {code[:3] for code in said(broken)} == {"E01"}


def test_what_lanes_that_do_nothing_cost() -> None:
    """By hand: a 3x3 convolution from 12 to 20 channels, in blocks of 8, and a depthwise one of 12."""
    text = """spine 1
stem_type enter(x, channels) -> channels { return conv(x, channels, kernel = 1, stride = 4) }
block_type both(x, channels, stride = 1) -> channels {
    let y = conv(x, x.channels, kernel = 3, groups = x.channels)
    return conv(y, channels, kernel = 3)
}
network Net {
    input image: 3 x 64 x 64
    stem s: enter channels 12
    block b: both level 2 after s channels 20
    output C2: b
}
"""
    typed = driver.analyse(Source.from_text(text)).value.checked["Net"].typed  # type: ignore[union-attr]
    found = typed.lanes(8)
    assert found.asked == 256 * (3 * 12 + 12 * 9 + 12 * 20 * 9)
    assert found.computed == 256 * (3 * 16 + 16 * 9 + 16 * 24 * 9)
    assert {width: one.convolutions for width, one in found.odd.items()} == {12: 3, 20: 1}
    assert found.odd[20].added == 256 * 12 * 4 * 9
    assert typed.lanes(4).computed == found.asked


def test_the_lint_of_a_network_speaks_of_widths_inside_of_blocks() -> None:
    file = EXAMPLES / "spinenet.spine"
    found = [one for one in spinedsl.check(file, warn=["W0707"]).diagnostics if one.code.id == "W0707"]
    assert [one.message for one in found] == [
        "the convolutions of `SpineNet49S` compute 10% more than they are asked for"
    ]
    more = spinedsl.check(file, warn=["W0707"], settings={"W0707": {"multiple": 16, "percent": 20}})
    assert [one.message for one in more.diagnostics if one.code.id == "W0707"] == [
        "the convolutions of `SpineNet49S` compute 21% more than they are asked for"
    ]
