"""Heads: what their outputs are called, where they stand, which weights they share, and what they leave alone."""

from __future__ import annotations

from typing import Any, cast

import onnx
import pytest
import torch

import spinedsl
from spinedsl.backends import onnx as onnx_backend
from spinedsl.backends.torch import build
from spinedsl.ops.graph import flatten
from spinedsl.ops.initial import seeded
from spinedsl.ops.program import Program
from spinedsl.ops.text import to_text
from spinedsl.ops.verify import Invalid, verify
from spinedsl.record import replace
from spinedsl.source import Source

TEXT = """
spine 1
import std.blocks
import std.heads
import std.outputs
import std.stems
{definitions}
network Net {{
    input image: 3 x 64 x 64
    defaults {{ act relu, norm batch_norm }}
    stem s: resnet_stem channels 8
    block b3: residual level 3 after s channels 8
    block b4: residual level 4 after b3 channels 8
    output P4: endpoint from b4 channels 8
    output P3: endpoint from b3 channels 8
{heads}
}}
"""


def program(heads: str, definitions: str = "") -> Program:
    made = spinedsl.program(Source.from_text(TEXT.format(heads=heads, definitions=definitions)))
    verify(made)
    return made


TOWERS = """
head_type towers(features, channels) {
    each p in features {
        let scores = shared conv(p, channels, kernel = 1)
        let boxes = shared conv(p, 4, kernel = 1)
        yield scores
        yield boxes
    }
}
"""


def test_outputs_follow_the_pyramid_in_the_order_of_the_heads() -> None:
    made = program(
        "head two: towers from b4, P3 channels 5\nhead one: classifier(classes = 7) from P3, P4", definitions=TOWERS
    )
    names = ("P3", "P4", "two_scores_b4", "two_boxes_b4", "two_scores_P3", "two_boxes_P3", "one")
    assert made.outputs == names
    outputs = build(made).eval()(torch.zeros(1, 3, 64, 64))
    assert tuple(outputs) == names
    assert outputs["one"].shape == (1, 7)
    model = onnx.load_from_string(onnx_backend.emit_model(made, seeded(flatten(made).parameters, 0)))
    assert tuple(output.name for output in model.graph.output) == names
    module = cast(Any, build(made))
    assert module.out_channels == 8
    assert [info["module"] for info in module.feature_info] == ["P3", "P4"]
    assert "head two: towers from b4, P3  -> two_scores_b4 5x4x4 (level 4), two_boxes_b4" in to_text(made)
    assert "head one: classifier from P3, P4  -> 7 (vector)" in to_text(made)


def test_towers_share_convolutions_and_not_norms() -> None:
    made = program("head t: retina_tower(outputs = 3, depth = 2) from P3, P4 channels 6")
    own = [name.removeprefix("t.") for name in flatten(made).parameters if name.startswith("t.")]
    assert [name for name in own if name.endswith("weight")] == [
        "rep0.conv.weight", "p0.rep0.norm.weight", "rep1.conv.weight", "p0.rep1.norm.weight", "predict.conv.weight",
        "p1.rep0.norm.weight", "p1.rep1.norm.weight",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fed", "body", "names"),
    [
        ("P3", "repeat i in 2 { yield conv(first(features), 2, kernel = 1) }", ("h_0", "h_1")),
        ("P3, P4", "each p in rest(features) { yield p * global_average_pool(first(features)) }", ("h_P4",)),
        ("P3", "each p in [relu(first(features))] { yield p }", ("h_0",)),
        ("P4", "yield last(features)", ("h",)),
        ("P3", "let a = first(features)  yield a  yield relu(a)", ("h_a", "h")),
        (
            "P3, P4",
            "each p in features { if p.level == 3 { yield p } else { let q = relu(p)  yield q } }",
            ("h_p_P3", "h_q_P4"),
        ),
    ],
)
def test_names_of_what_is_yielded(fed: str, body: str, names: tuple[str, ...]) -> None:
    made = program(f"head h: gives from {fed}", f"head_type gives(features) {{ {body} }}".replace("  ", "\n"))
    assert made.outputs == ("P3", "P4", *names)


def test_a_flattened_map_fixes_the_size() -> None:
    dense = "head_type dense(features, classes) { return linear(flatten(last(features)), classes) }"
    made = program("head d: dense(classes = 2) from P4", dense)
    assert set(made.static_axes) == {"height", "width"}
    assert flatten(made).parameters["d.linear.weight"].shape == (2, 8 * 4 * 4)
    assert not program("head c: classifier(classes = 2) from P4").static_axes


def test_a_network_may_have_heads_alone() -> None:
    text = TEXT.format(heads="head c: classifier(classes = 2) from b4", definitions="")
    text = "\n".join(line for line in text.split("\n") if "output P" not in line)
    made = spinedsl.program(Source.from_text(text))
    assert made.outputs == ("c",)
    assert tuple(build(made).eval()(torch.zeros(1, 3, 64, 64))) == ("c",)


def test_dropout_acts_in_training_only() -> None:
    drop = "head_type drop(features) { return dropout(flatten(global_average_pool(first(features))), rate = 0.5) }"
    module = build(program("head d: drop from P3", drop))
    pixels = torch.randn(64, 3, 64, 64)
    assert (module.train()(pixels)["d"] == 0).float().mean() > 0.4
    quiet = module.eval()(pixels)
    assert torch.equal(quiet["d"], quiet["P3"].mean((2, 3)))


def test_the_verifier_holds_a_head_to_what_it_records() -> None:
    made = program("head t: retina_tower(outputs = 3, depth = 1) from P3, P4 channels 6")
    head = made.row("t")
    rows = [replace(head, parts=head.parts[:1]), replace(head, inputs=head.inputs[:1]), replace(head, calls=())]
    for broken in rows:
        with pytest.raises(Invalid):
            verify(replace(made, rows=(*made.rows[:-1], broken)))


@pytest.mark.parametrize(
    "head",
    [
        "retina_tower(outputs = 3, depth = 2) from P3, P4 channels 6",
        "separable_tower(outputs = 3, depth = 2) from P3, P4 channels 6",
        "classifier(classes = 7) from P3, P4",
    ],
)
@torch.no_grad()
def test_strict_export_with_other_sizes(head: str) -> None:
    module = build(program(f"head h: {head}")).eval()
    sizes = {2: 16 * torch.export.Dim("h", max=8), 3: 16 * torch.export.Dim("w", max=8)}
    exported = torch.export.export(module, (torch.randn(1, 3, 64, 96),), dynamic_shapes=(sizes,), strict=True).module()
    other = torch.randn(1, 3, 32, 48)
    for name, value in module(other).items():
        torch.testing.assert_close(exported(other)[name], value)
