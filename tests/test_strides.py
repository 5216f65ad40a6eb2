"""Strides that are another along the height than along the width: `stride = [2, 1]`."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import spinedsl
from spinedsl.agreement import agree
from spinedsl.agreement.witnesses import module_of
from spinedsl.analysis import costs_of, receptive_fields
from spinedsl.backends.onnx import emit_model
from spinedsl.ops.graph import flatten
from spinedsl.ops.initial import seeded
from spinedsl.source import Source
from tests.analysis.fields import by_autograd
from tests.witnesses import assert_witnesses_agree

TYPES = """spine 1
import std.stems
block_type turns(x, channels, stride = 1) -> channels {
    let y = max_pool(x, kernel = [2, 1], stride = [stride, 1], padding = 0)
    let z = average_pool(conv(y, channels, kernel = 3) + 1, kernel = 3, stride = [1, stride])
    return act(norm(conv(z, channels, kernel = [1, 3])))
}
block_type flatter(x, channels, stride = 1) -> channels {
    return act(norm(conv(x, channels, kernel = 3, stride = [stride, 1])))
}
block_type plain(x, channels, stride = 1) -> channels {
    return act(norm(conv(x, channels, kernel = 3, stride = stride)))
}
"""
DIVIDES = """network Net {
    input image: 3 x 64 x 96
    defaults { act relu, norm batch_norm }
    widths { level 2..4: 8 }
    stem s: resnet_stem channels 8
    block a: turns level 3 after s
    block b: turns level 4 after a
    output P: a
    output Q: b
}
"""
FIXED = """network Net {
    input image: 3 x 37 x 52
    defaults { act relu, norm batch_norm }
    rules { sizes fixed }
    widths { level 2..5: 8 }
    stem s: resnet_stem channels 8
    block a: flatter level 3 after s
    block b: flatter level 4 after a repeat 2
    block c: plain(stride = [1, 4]) level 4 after b
    output P: a
    output Q: c
}
"""


def program(text: str) -> spinedsl.Program:
    return spinedsl.program(Source.from_text(TYPES + text, "net.spine"))


@pytest.mark.parametrize("text", [DIVIDES, FIXED], ids=["divides", "fixed"])
def test_engines_agree(text: str) -> None:
    assert agree(program(text)).agrees


@pytest.mark.parametrize("size", [(38, 52), (37, 51), (64, 32), (41, 100)])
def test_they_agree_at_every_one_size(size: tuple[int, int]) -> None:
    made = spinedsl.program(Source.from_text(TYPES + FIXED), size=size)
    assert_witnesses_agree(made, [(1, *size), (2, *size)])


def test_one_model_takes_all_sizes_that_divide() -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    made = program(DIVIDES)
    weights = seeded(flatten(made).parameters, 0)
    model = emit_model(made, weights, dynamic=frozenset({"batch", "height", "width"}))
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    module = module_of(made, weights, np.float32)
    for batch, height, width in ((1, 32, 64), (2, 64, 32)):
        image = np.random.default_rng(0).standard_normal((batch, 3, height, width), np.float32)
        got = dict(zip([one.name for one in session.get_outputs()], session.run(None, {"image": image}), strict=True))
        with torch.no_grad():
            expected = module(torch.from_numpy(image))
        for name, wanted in expected.items():
            assert got[name].shape == tuple(wanted.shape)


def test_a_map_between_levels_says_both_strides() -> None:
    graph = flatten(program(DIVIDES))
    pooled = next(graph.types[node.result] for node in graph.nodes if node.name == "a.y.max_pool")
    assert (pooled.level, pooled.stride, pooled.strides, pooled.size) == (None, (8, 4), (8, 4), "8x24")
    assert str(pooled) == "8x8x24 (stride 8x4)"


def test_a_row_stands_at_the_level_of_the_larger() -> None:
    made = program(FIXED)
    (a, b, c) = (made.row(name).type for name in "abc")
    assert (a.level, a.strides, a.size) == (3, (8, 4), "5x13")
    assert (b.level, b.strides, b.size) == (4, (16, 4), "3x13")
    assert (c.level, c.strides, c.stride, c.size) == (4, (16, 16), 0, "3x4")


def test_their_costs_are_those_that_pytorch_counts() -> None:
    for text, size in ((DIVIDES, (64, 96)), (FIXED, (37, 52))):
        made = program(text)
        graph = flatten(made)
        module = module_of(made, seeded(graph.parameters, 0), np.float32)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            module(torch.zeros(1, 3, *size))
        assert counter.get_total_flops() == 2 * costs_of(graph.nodes, graph).multiply_adds


def test_their_receptive_field_is_the_wider_of_both_sides() -> None:
    def made(height: int, width: int) -> spinedsl.Program:
        return program(DIVIDES.replace("64 x 96", f"{height} x {width}"))

    assert by_autograd(made, 768, rows=("a",))["a"] == receptive_fields(flatten(made(64, 96)))["a"]


REFUSED = [
    ("row", DIVIDES.replace("turns level 4", "flatter level 4"), "E0405", "both sides equal"),
    ("any", DIVIDES.replace("    defaults", "    rules { sizes any }\n    defaults"), "E0501", "one for both sides"),
    ("no", FIXED.replace("[1, 4]", "[0, 4]"), "E0503", "two that can be"),
]


@pytest.mark.parametrize(("text", "code", "fix"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_is_refused(text: str, code: str, fix: str) -> None:
    found = spinedsl.check(Source.from_text(TYPES + text))
    assert [one.code.id for one in found.diagnostics] == [code]
    assert fix in str(found)


INSIDE = [
    ("stride = [stride, 1], padding = 0", "stride = [3, 1]", "E0501", "another power of two for each side"),
    ("    let z", "    let w = upsample(y, levels = 1)\n    let z", "E0501", "stride 8x4 has no level"),
    ("kernel = 3) + 1", "kernel = 3) + x", "E0501", "both sides equal"),
    ("kernel = 3) + 1", "kernel = 3) * y.level", "E0507", "a map of stride 8x4 has no level"),
    ("kernel = 3, stride = [1, stride])", "kernel = 3, stride = [1, 2], padding = 0)", "E0506", "padding = same"),
]


@pytest.mark.parametrize(("old", "new", "code", "words"), INSIDE)
def test_what_is_refused_inside_a_definition(old: str, new: str, code: str, words: str) -> None:
    assert old in TYPES
    found = spinedsl.check(Source.from_text(TYPES.replace(old, new) + DIVIDES))
    assert [one.code.id for one in found.diagnostics] == [code]
    assert words in str(found)


def test_boxes_need_maps_of_one_stride() -> None:
    head = """    head far: fcos(classes = 2, depth = 1, groups = 4) from P channels 8
    task find: detection(classes = 2) classes far.scores boxes far.boxes quality far.centreness
}
"""
    text = TYPES.replace("spine 1\n", "spine 1\nimport std.heads\n") + FIXED.removesuffix("}\n") + head
    found = spinedsl.check(Source.from_text(text))
    assert {one.code.id for one in found.diagnostics} == {"E0513"}
    assert "stride 8x4" in str(found)
