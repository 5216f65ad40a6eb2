"""Weights that are told apart by their order or their layout: for rows that stand in any order, and any multiplier."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import permutations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import spinedsl
from spinedsl.ops.graph import Graph, flatten
from spinedsl.source import Source
from spinedsl.weights import Weights, convert

OUTPUTS = {
    "P2": "output P2: endpoint from b0 channels 8",
    "P3": "output P3: endpoint from b1 channels 8",
    "P4": "output P4: endpoint from b2 channels 8",
}
NET = """\
spine 1
import std.blocks
import std.stems
import std.resample
import std.outputs

network Net {{
    input image: 3 x 64 x 64
    defaults {{ act relu, norm batch_norm, conv(padding = same) }}
    widths {{ level 2..4: 8 }}
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 8
    block b0: residual level 2 after s
    block b1: residual level 3 after b0
    block b2: residual level 4 after b1
    {}
}}
"""


@cache
def graph_of(order: tuple[str, ...]) -> Graph:
    text = NET.format("\n    ".join(OUTPUTS[name] for name in order))
    return flatten(spinedsl.program(Source.from_text(text, "net.spine")))


def dump(graph: Graph) -> Mapping[str, NDArray[np.float32]]:
    """The network as tensorflow/models builds and names it, with the number of the layer in each tensor.

    Written down by hand: the stem, the blocks, each with its projection first, then the endpoints from the finest up.
    """
    found: dict[str, NDArray[np.float32]] = {}

    def layer(scope: str, number: int, mark: int, shape: tuple[int, ...]) -> None:
        end = f"_{number}" if number else ""
        found[f"{scope}conv2d{end}/kernel:0"] = np.full(shape, mark, np.float32)
        for leaf in ("gamma", "beta", "moving_mean", "moving_variance"):
            found[f"{scope}batch_normalization{end}/{leaf}:0"] = np.full(shape[-1], mark, np.float32)

    layer("", 0, 100, (7, 7, 3, 8))
    for block in range(3):
        scope = f"residual_block{f'_{block}' if block else ''}/"
        kernels = ([1] if block else []) + [3, 3]  # a block of stride 2 has a projection
        for number, kernel in enumerate(kernels):
            layer(scope, number, 10 * block + number, (kernel, kernel, 8, 8))
    for level in (2, 3, 4):
        layer("", level - 1, 100 + level, (1, 1, 8, 8))
    return found


@pytest.mark.parametrize("order", [*permutations(OUTPUTS)])
def test_endpoints_are_paired_by_their_level(order: tuple[str, ...]) -> None:
    """Whatever order the rows of the outputs stand in."""
    graph = graph_of(order)
    outcome = convert(graph, Weights("dump.npz", dump(graph)))
    assert outcome.value is not None, outcome.diagnostics
    marks = {name: float(array.flat[0]) for name, array in outcome.value.tensors.items()}
    for name in OUTPUTS:
        expected = 100.0 + int(name[1])
        assert {mark for tensor, mark in marks.items() if tensor.startswith(f"{name}.")} == {expected}
    assert {mark for tensor, mark in marks.items() if tensor.startswith("s.")} == {100.0}


WIDE = """\
spine 1
import std.stems
import std.outputs

block_type residual(x, channels, stride = 1) -> channels {{
    return norm(conv(x, channels, kernel = 3, groups = x.channels, stride = stride))
}}

network Net {{
    input image: 3 x 16 x 16
    defaults {{ act relu, norm batch_norm, conv(padding = same) }}
    widths {{ level 2: {} }}
    stem s: resnet_stem channels 4
    block b: residual level 2 after s
    output C2: b
}}
"""


@pytest.mark.parametrize("multiplier", [1, 2, 3])
def test_depthwise_kernels_of_any_multiplier(multiplier: int) -> None:
    """Output `c * multiplier + m` of TensorFlow's is input `c` by kernel `[:, :, c, m]`: taken sum by sum."""
    graph = flatten(spinedsl.program(Source.from_text(WIDE.format(4 * multiplier), "net.spine")))
    kernel = np.random.default_rng(0).standard_normal((3, 3, 4, multiplier)).astype(np.float32)
    norm = {leaf: np.ones(4 * multiplier, np.float32) for leaf in ("gamma", "beta", "moving_mean", "moving_variance")}
    tensors = {
        "conv2d/kernel:0": np.ones((7, 7, 3, 4), np.float32),
        **{f"batch_normalization/{leaf}:0": array[:4] for leaf, array in norm.items()},
        "residual_block/depthwise_conv2d/depthwise_kernel:0": kernel,
        **{f"residual_block/batch_normalization/{leaf}:0": array for leaf, array in norm.items()},
    }
    outcome = convert(graph, Weights("dump.npz", tensors))
    assert outcome.value is not None, outcome.diagnostics
    ours = outcome.value.tensors["b.conv.weight"]
    image = np.random.default_rng(1).standard_normal((1, 4, 5, 5)).astype(np.float32)
    got = torch.conv2d(torch.from_numpy(image), torch.from_numpy(ours), groups=4).numpy()[0]
    for c in range(4):
        for m in range(multiplier):
            expected = [
                [(image[0, c, y : y + 3, x : x + 3] * kernel[:, :, c, m]).sum() for x in range(3)] for y in range(3)
            ]
            assert np.allclose(got[c * multiplier + m], expected, atol=1e-5)
