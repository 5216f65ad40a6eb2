"""Operations that move numbers: what they make of sizes, and which of them fix the size of the input."""

from __future__ import annotations

import pytest

import spinedsl
from spinedsl.ops.graph import flatten
from spinedsl.ops.program import Program
from spinedsl.source import Source

NETWORK = """
spine 1
stem_type enter(image, channels) -> channels {{ return conv(image, channels, kernel = 4, stride = 4) }}
block_type mine(x, channels) -> channels {{ {body} }}
network Net {{
    input image: 3 x 64 x 96
    stem s: enter channels 8
    block b: mine level 2 after s channels 8
    output P: b
}}
"""


def program(body: str) -> Program:
    return spinedsl.program(Source.from_text(NETWORK.format(body=body), "net.spine"))


def types(body: str) -> list[str]:
    """Types of what the block makes, in running order."""
    graph = flatten(program(body))
    return [str(graph.types[node.result]) for node in graph.nodes if node.row == "b"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "return crop(pad(x, top = 1, left = 2), bottom = 1, right = 2)",
            ["8x17x26 (level 2 +1x+2)", "8x16x24 (level 2)"],
        ),
        ("return pad(crop(x, top = 3), bottom = 3)", ["8x13x24 (level 2 -3x+0)", "8x16x24 (level 2)"]),
        (
            "return conv(pad(x, 1, 1, 1, 1), 8, kernel = 3, padding = 0)",
            ["8x18x26 (level 2 +2x+2)", "8x16x24 (level 2)"],
        ),
        (
            "return upsample(max_pool(pad(x, bottom = 1, right = 1), kernel = 3, stride = 2, padding = 0), levels = 1)",
            ["8x17x25 (level 2 +1x+1)", "8x8x12 (level 3)", "8x16x24 (level 2)"],
        ),
        (
            "return pad(upsample(crop(max_pool(x, kernel = 2, stride = 2), top = 1), levels = 1), top = 2)",
            ["8x8x12 (level 3)", "8x7x12 (level 3 -1x+0)", "8x14x24 (level 2 -2x+0)", "8x16x24 (level 2)"],
        ),
        (
            "return reshape(transpose(reshape(x, 2, 4)), 8)",
            ["2x4x16x24 (level 2)", "4x2x16x24 (level 2)", "8x16x24 (level 2)"],
        ),
        (
            "return x * reshape(linear(flatten(global_average_pool(x)), 8), 8, like = global_average_pool(x))",
            ["8x1x1 (pooled)", "8 (vector)", "8 (vector)", "8x1x1 (pooled)", "8x1x1 (pooled)", "8x16x24 (level 2)"],
        ),
        ("return x + constant(1, 2, 3, 4, 5, 6, 7, 8)", ["8x1x1 (pooled)", "8x16x24 (level 2)"]),
        ("return x + parameter(1, like = x)", ["1x16x24 (level 2)", "8x16x24 (level 2)"]),
    ],
)
def test_sizes(body: str, expected: list[str]) -> None:
    assert types(body) == expected


@pytest.mark.parametrize(
    ("body", "fixed"),
    [
        ("return reshape(transpose(reshape(x, 2, 4)), 8)", False),
        ("return crop(pad(x, top = 1), bottom = 1)", False),
        ("return x * reshape(flatten(global_average_pool(x)), 8, like = global_average_pool(x))", False),
        ("return reshape(flatten(x), 8, like = x)", True),
        ("return x + parameter(1, like = x)", True),
        ("return x + parameter(1, like = global_average_pool(x))", False),
    ],
)
def test_what_fixes_the_size(body: str, fixed: bool) -> None:
    assert set(program(body).static_axes) == ({"height", "width"} if fixed else set())


def test_channels_that_are_laid_out_are_all_counted() -> None:
    counted = types("let y = reshape(x, 2, 4)\nreturn reshape(y, y.channels)")
    assert counted == types("return reshape(reshape(x, 2, 4), x.channels)")


def test_feature_maps_by_name_in_any_order() -> None:
    turned = types("return resize(like = x, x = max_pool(x, kernel = 2, stride = 2))")
    assert turned == types("return resize(max_pool(x, kernel = 2, stride = 2), x)")
