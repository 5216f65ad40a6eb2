"""Closed-form costs against what torch itself counts; memory and receptive fields against what was worked by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

import spinedsl
from spinedsl.agreement import counted
from spinedsl.analysis import costs, costs_by_row, peak_activation_bytes, receptive_fields
from spinedsl.ops.graph import flatten
from spinedsl.source import Source
from tests.generate import NETWORKS

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize(("file", "network"), NETWORKS.items())
def test_examples_cost_what_torch_counts(file: str, network: str) -> None:
    program = spinedsl.program(EXAMPLES / file, network=network)
    closed = costs(flatten(program))
    assert (closed.parameters, closed.multiply_adds) == counted(program)


SMALL = """
import std.stems
block_type conv3(x, channels, stride = 1) -> channels { return conv(x, channels, kernel = 3, stride = stride) }
network Net {
    input image: 1 x 8 x 8
    defaults { act relu, norm batch_norm }
    stem s: plain channels 2
    block a: conv3 level 1 after s channels 4
    block b: conv3 level 2 after a channels 4
    block c: up level 1 after a channels 4
    output B: b
    output C: c
}
stem_type plain(x, channels) -> channels { return conv(x, channels, kernel = 1) }
block_type up(x, channels) -> channels {
    let coarse = conv(x, channels, kernel = 3, stride = 2)
    return conv(upsample(coarse, levels = 1), channels, kernel = 3)
}
"""


def test_a_dilated_kernel_reaches_as_far_as_its_last_number() -> None:
    text = SMALL.replace("kernel = 3, stride = stride)", "kernel = 3, stride = stride, dilation = 2)")
    fields = receptive_fields(flatten(spinedsl.program(Source.from_text(text))))
    assert (fields["a"], fields["b"]) == (5, 5 + 2 * 4)


def test_small_network_by_hand() -> None:
    graph = flatten(spinedsl.program(Source.from_text(SMALL)))
    rows = costs_by_row(graph)
    assert rows["s"].multiply_adds == 8 * 8 * 2
    assert rows["a"].multiply_adds == 4 * 4 * 4 * 2 * 9
    assert rows["a"].parameters == 4 * 2 * 9
    assert sum(cost.multiply_adds for cost in rows.values()) == costs(graph).multiply_adds
    # 1: image and s: 64 + 128 floats; 2: s and a: 128 + 64; later maps are smaller.
    assert peak_activation_bytes(graph) == 4 * (64 + 128)
    # a: 3; b: 3 + 2 * 2; c: the same, and its last 3x3 stands at level 1 again: + 2 * 2.
    fields = receptive_fields(graph)
    assert (fields["s"], fields["a"], fields["b"], fields["c"]) == (1, 3, 7, 11)
