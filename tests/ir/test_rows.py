"""Rows: levels, widths, strides, resampling, absorbing, rules; and networks made of networks."""

from __future__ import annotations

import pytest

from spinedsl import driver
from spinedsl.ir.typed import InputSize
from spinedsl.lower import lower
from spinedsl.source import Source
from tests.ir.built import graph, program, said, with_block

HEAD = """
import std.blocks
import std.stems
import std.resample
import std.outputs
"""


def network(rows: str, *, parameters: str = "", settings: str = "", size: str = "128 x 128") -> str:
    return f"""{HEAD}
network Net{parameters} {{
    input image: 3 x {size}
    defaults {{ act relu, norm batch_norm, conv(padding = same), max_pool(padding = same) }}
    {settings or "widths { level 2: 16, level 3..5: 32 }"}
    resample spinenet(alpha = 0.5)
    join activated_sum
    stem s: resnet_stem channels 8
    {rows}
}}
"""


def test_after_takes_the_difference_of_levels_as_its_stride() -> None:
    made = program(network("block b: residual level 4 after s repeat 2\n    output C4: b"))
    first, second = made.row("b").calls
    assert first.scalars["stride"].value == 4
    assert second.scalars["stride"].value == 1
    assert made.row("b").type.size == "8x8"


PLAIN = """block_type plain(x, channels, stride) -> channels {
    return conv(x, channels, kernel = 3, stride = stride)
}
"""


@pytest.mark.parametrize("fed", ["after s", "from s", "from s, a", "from s, a repeat 3"])
def test_a_stride_without_a_default_is_1_where_the_level_stays(fed: str) -> None:
    rows = f"block a: plain level 3 after s\n    block b: plain level 2 {fed}\n    output C2: b\n    output C3: a"
    made = program(PLAIN + network(rows, settings="widths { level 2..3: 8 }"))
    assert [call.scalars["stride"].value for call in made.row("b").calls] == [1] * len(made.row("b").calls)
    assert made.row("a").calls[0].scalars["stride"].value == 2


def test_after_resamples_nothing_and_from_everything() -> None:
    direct = program(network("block b: residual level 2 after s\n    output C2: b")).row("b")
    joined = program(network("block b: residual level 2 from s\n    output C2: b")).row("b")
    assert direct.inputs[0].resample is None
    assert direct.join is None
    assert joined.inputs[0].resample is not None
    assert joined.join is not None


def test_a_difference_of_channels_is_projected() -> None:
    parameters = graph(network("block b: residual level 2 after s\n    output C2: b")).parameters
    assert "b.shortcut.conv.weight" in parameters
    same = graph(network("block b: residual level 2 channels 8 after s\n    output C2: b")).parameters
    assert "b.shortcut.conv.weight" not in same


def test_a_type_may_change_the_level_by_itself() -> None:
    halve = "block_type halve(x, channels) -> channels { return conv(x, channels, kernel = 3, stride = 2) }\n"
    double = (
        "block_type widen(x, channels) -> channels { return upsample(conv(x, channels, kernel = 1), levels = 1) }\n"
    )
    rows = "block b: halve level 3 after s\n    block c: widen level 2 after b\n    output C2: c"
    assert program(halve + double + network(rows)).row("c").level == 2


def test_a_row_has_the_width_of_its_level_unless_it_says_its_own() -> None:
    rows = "block b: residual level 3 after s\n    block c: residual level 3 channels 5 after b\n    output C3: c"
    made = program(network(rows))
    assert (made.row("b").type.channels, made.row("c").type.channels) == (32, 5)


@pytest.mark.parametrize(("width", "channels"), [("0.65", 41), ("1.3", 83), ("1 / 3", 21), ("1", 64)])
def test_widths_are_floored(width: str, channels: int) -> None:
    text = network(
        "block b: residual level 2 after s\n    output C2: b",
        parameters=f"(width = {width})", settings="widths { level 2: 64 * width }",
    )  # fmt: skip
    assert program(text).row("b").type.channels == channels


def test_the_signature_tells_what_resampling_has_to_reach() -> None:
    rows = "block b: bottleneck level 3 from s\n    output C3: b"
    resample = program(network(rows)).row("b").inputs[0].resample
    assert resample is not None
    assert resample.type.channels == 32 * 4
    assert resample.scalars["target.channels"].value == 32
    assert resample.scalars["target.in_channels"].value == 128


@pytest.mark.parametrize(
    ("parameter", "given", "arrives"),
    [
        ("", "", 24),  # as the type's `->` gives
        (", in_channels = channels", "", 8),
        (", in_channels = channels / 2", "", 4),
        (", in_channels = channels", "in_channels = 5", 5),
        # A plain number or flag, or none, is a parameter like any other.
        (", in_channels = 2", "", 24),
        (", in_channels = 2", "in_channels = 5", 24),
        (", in_channels = true", "", 24),
        (", in_channels", "in_channels = 5", 24),
    ],
)
def test_a_type_asks_its_inputs_for_channels_by_a_default_that_is_worked_out(
    parameter: str, given: str, arrives: int
) -> None:
    own = f"block_type cell(x, channels{parameter}) -> channels * 3 {{ return conv(x, channels * 3, kernel = 1) }}\n"
    rows = f"block b: cell({given}) level 3 from s channels 8\n    output C3: b"
    resample = program(own + network(rows)).row("b").inputs[0].resample
    assert resample is not None
    assert (resample.type.channels, resample.scalars["target.in_channels"].value) == (arrives, arrives)


def test_absorbed_maps_are_added_in_the_join() -> None:
    rows = """block a: residual level 2 channels 8 after s
    block b: residual level 2 channels 8 from s absorb a
    output C2: b"""
    row = program(network(rows)).row("b")
    assert row.absorbed == ("a",)
    assert row.join is not None
    assert len(row.join.module.maps["inputs"]) == 2  # type: ignore[arg-type]


def test_a_row_may_have_its_own_resample_and_join() -> None:
    own = """
resample_type nearest(x, source, target) -> target.in_channels {
    var y = conv(x, target.in_channels, kernel = 1)
    if target.level < x.level { y = upsample(y, levels = x.level - target.level) }
    return y
}
join_type beside(inputs) { return concat(inputs) }
block_type fuse(x, channels) -> channels { return conv(x, channels, kernel = 1) }
"""
    rows = """block a: residual level 3 after s
    block b: fuse level 2 from s, a resample nearest join beside
    output C2: b"""
    row = program(own + network(rows)).row("b")
    assert row.join is not None
    assert row.join.module.definition == "beside"
    assert row.join.type.channels == 32
    assert [connection.resample.module.definition for connection in row.inputs if connection.resample] == [
        "nearest"
    ] * 2


def test_rules_say_how_many_inputs_a_block_has() -> None:
    rows = """block a: residual level 2 after s
    block b: residual level 2 after a
    block c: residual level 2 from s, a, b
    output C2: c"""
    assert said(network(rows)) == ["E0301"]
    assert said(network(rows, settings="rules { inputs 1..3 }\n    widths { level 2: 8 }")) == []


def test_a_lint_is_allowed_with_a_reason() -> None:
    rows = "block b: residual level 4 after s\n    output C2: s\n    output C4: b"
    assert said(network(rows)) == ["W0701"]
    assert said(network('allow W0701 "two are enough"\n    ' + rows)) == []


def test_the_size_may_come_from_outside() -> None:
    source = Source.from_text(network("block b: residual level 3 after s\n    output C3: b"))
    outcome = driver.analyse(source, InputSize(64, 256))
    assert outcome.value is not None
    assert lower(outcome.value.checked["Net"]).row("b").type.size == "8x32"
    (said_,) = driver.analyse(source, InputSize(64, 100)).diagnostics
    assert said_.code.id == "E0402"


def test_the_divisor_is_that_of_the_highest_level_that_a_map_reaches() -> None:
    """Inside a definition too, though no row says that level."""
    deep = """
    block_type mine(x, channels) -> channels {
        let low = conv(x, channels, kernel = 3, stride = 8)
        return upsample(low, levels = 3)
    }
    """
    assert program(with_block(deep)).divisor == 8
    assert (
        program(with_block(deep.replace("stride = 8", "stride = 4").replace("= 3)\n    }", "= 2)\n    }"))).divisor == 4
    )


def test_the_divisor_is_that_of_the_highest_level() -> None:
    assert program(network("block b: residual level 5 after s\n    output C5: b")).divisor == 32
    stem = "stem_type deep(image, channels) -> channels { return conv(image, channels, kernel = 3, stride = 16) }\n"
    alone = "network N { input i: 3 x 64 x 64\n stem s: deep channels 4\n output C4: s }"
    assert program(stem + alone, "N").divisor == 16
    assert said(stem + alone.replace("64 x 64", "64 x 72")) == ["E0402"]


# ---- instances ----

BASE = network("block b: residual level 2 after s\n    output C2: b", parameters="(width = 1.0, size = 128)",
               settings="widths { level 2: 64 * width }", size="size x size")  # fmt: skip


def channels(text: str, name: str) -> int:
    return program(text, name).row("b").type.channels


def test_instances_give_arguments_by_name_or_in_order() -> None:
    text = BASE + "network A = Net(width = 2)\nnetwork B = Net(0.5, 64)\nnetwork C = Net()\nnetwork D = Net\n"
    assert [channels(text, name) for name in "ABCD"] == [128, 32, 64, 64]
    assert program(text, "B").input_type.height == 64


def test_instances_of_instances_keep_what_they_do_not_say() -> None:
    text = "network C = B(size = 256)\n" + BASE + "network B = Net(width = 2)\n"
    assert channels(text, "C") == 128
    assert program(text, "C").input_type.height == 256


def test_a_network_may_leave_a_parameter_to_its_instances() -> None:
    text = BASE.replace("width = 1.0", "width") + "network A = Net(width = 2)\n"
    outcome = driver.analyse(Source.from_text(text))
    assert outcome.ok
    assert outcome.value is not None
    assert outcome.value.checked.keys() == {"A"}


def test_what_is_wrong_with_a_network_is_said_once_for_all_its_instances() -> None:
    text = BASE.replace("after s", "after t") + "network A = Net(width = 2)\nnetwork B = Net(width = 3)\n"
    assert said(text) == ["E0201"]
    groups = BASE.replace("norm batch_norm", "norm group_norm(groups = 7)")
    assert said(groups + "network A = Net(width = 2)\nnetwork B = Net(width = 3)\n") == ["E0501"]


def test_what_is_wrong_with_an_instance_is_said_there() -> None:
    text = BASE + "network A = Net(size = 102)\nnetwork B = Net(width = 0.001)\nnetwork C = Net(size = 101)\n"
    outcome = driver.analyse(Source.from_text(text))
    lines = [diagnostic.span.text for diagnostic in outcome.diagnostics]
    assert [diagnostic.code.id for diagnostic in outcome.diagnostics] == ["E0402", "E0403", "E0402"]
    assert lines == ["Net(size = 102)", "Net(width = 0.001)", "Net(size = 101)"]
