"""Networks of one size: `rules { sizes fixed }` lets maps have other sizes than their levels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - everybody calls it so
from hypothesis import given

import spinedsl
from spinedsl.backends import Options
from spinedsl.backends import onnx as onnx_backend
from spinedsl.backends import torch as torch_backend
from spinedsl.draw import lay_out, to_svg
from spinedsl.ops.graph import flatten
from spinedsl.ops.interpret import run
from spinedsl.ops.text import to_text
from spinedsl.source import Source
from spinedsl.testing import STANDARD, laws, networks
from tests.profiles import drawn
from tests.witnesses import assert_witnesses_agree, images, weights_of

NET = """spine 1
stem_type entry(image, channels) -> channels {
    return max_pool(conv(image, channels, kernel = 3, stride = 2, padding = 0), kernel = 3, stride = 2, padding = 0)
}
block_type trimmed(x, channels, stride = 1) -> channels {
    return act(norm(conv(x, channels, kernel = 3, stride = stride, padding = 0)))
}
block_type both(x, y, channels) -> channels {
    return conv(concat(x, resize(y, like = x, mode = bilinear)), channels, kernel = [1, 3], padding = [0, 1])
}
network Net {
    input image: 3 x 43 x 51
    defaults { act relu, norm batch_norm }
    rules { sizes fixed }
    widths { level 2..3: 8 }
    stem s: entry channels 8
    block a: trimmed  level 2  after s
    block b: trimmed  level 3  after s
    block c: both     level 2  after a, b
    output P2: c
    output P3: b
}
"""


@pytest.mark.parametrize("size", [(43, 51), (40, 40), (30, 61)])
def test_engines_agree(size: tuple[int, int]) -> None:
    assert_witnesses_agree(spinedsl.program(Source.from_text(NET), size=size), [(1, *size), (2, *size)])


@pytest.mark.parametrize("size", [(75, 74), (64, 96), (51, 43)])
def test_same_padding_may_follow(size: tuple[int, int]) -> None:
    """A stride need not divide the map: what `same` pads is known, as TensorFlow has it."""
    text = (
        NET[: NET.index("network Net")]
        + """
block_type padded(x, channels, stride = 1) -> channels {
    let y = conv(x, channels, kernel = 3, stride = stride) + conv(x, channels, kernel = [5, 2], stride = stride)
    let z = max_pool(x, kernel = 2, stride = stride) + average_pool(x, kernel = 3, stride = stride)
    return act(norm(y + z))
}
network Net {
    input image: 3 x 75 x 74
    defaults { act relu, norm batch_norm }
    rules { sizes fixed }
    widths { level 2..4: 8 }
    stem s: entry channels 8
    block a: padded level 3 after s
    block b: padded level 4 after a repeat 2
    output P: b
}
"""
    )
    program = spinedsl.program(Source.from_text(text), size=size)
    assert_witnesses_agree(program, [(1, *size), (2, *size)])
    outcome = torch_backend.emit(program, Options())
    assert outcome.value is not None
    (written,) = outcome.value.values()
    assert b"same_pad" not in written


def test_maps_are_as_pytorch_makes_them() -> None:
    program = spinedsl.program(Source.from_text(NET))
    graph = flatten(program)
    weights = weights_of(graph.parameters)
    (image,) = images(program, [(1, 43, 51)])
    y = F.conv2d(torch.from_numpy(image).double(), torch.from_numpy(weights["s.conv.weight"]).double(), stride=2)
    stem = F.max_pool2d(y, 3, 2)
    assert stem.shape == (1, 8, 10, 12)
    got = run(graph, weights, image, dtype=np.float64)
    assert [got[name].shape for name in ("P2", "P3")] == [(1, 8, 8, 10), (1, 8, 4, 5)]
    w = {
        name.removeprefix("b."): torch.from_numpy(value).double() for name, value in weights.items() if name[:2] == "b."
    }
    y = F.conv2d(stem, w["conv.weight"], stride=2)
    mean, var, weight, bias = (w[f"norm.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
    expected = F.batch_norm(y, mean, var, weight, bias).relu().numpy()
    assert np.abs(got["P3"] - expected).max() <= 1e-12 * np.abs(expected).max()


def test_axes_cannot_vary() -> None:
    program = spinedsl.program(Source.from_text(NET))
    outcome = onnx_backend.emit(program, Options(dynamic=frozenset({"height"})))
    assert [found.code.id for found in outcome.diagnostics] == ["E0906"]
    module = spinedsl.load(Source.from_text(NET))
    with pytest.raises(ValueError, match="height"):
        module(torch.zeros(1, 3, 44, 51))


def test_where_maps_fit_the_numbers_are_those_of_any_size() -> None:
    padded = NET.replace(", padding = 0)", ")").replace("[1, 3], padding = [0, 1]", "1")
    one, every = (Source.from_text(padded.replace("sizes fixed", f"sizes {word}")) for word in ("fixed", "any"))
    graphs = [flatten(spinedsl.program(source)) for source in (one, every)]
    weights = weights_of(graphs[0].parameters)
    (image,) = images(graphs[0].program, [(1, 43, 51)])
    first, second = (run(graph, weights, image) for graph in graphs)
    assert all((first[name] == second[name]).all() for name in second)


def test_a_parameter_may_say_it() -> None:
    text = NET.replace("network Net {", "network Net(sizes = divisible) {").replace("sizes fixed", "sizes sizes")
    assert not spinedsl.check(Source.from_text(text)).ok
    assert spinedsl.check(Source.from_text(text.replace("= divisible", "= fixed"))).ok


def test_a_definition_of_that_name_is_given_as_before() -> None:
    text = NET.replace("    rules { sizes fixed }\n", "").replace(", padding = 0)", ", padding = same)")
    text = text.replace("channels, stride = 1)", "channels, stride = 1, op = fixed)").replace("act(norm(", "op(norm(")
    text = text.replace("43 x 51", "40 x 48").replace("mode = bilinear", "mode = nearest")
    text += "def fixed(x) { return x * 0.5 }\n"
    shown = to_text(spinedsl.program(Source.from_text(text)))
    assert "divisor 8" in shown
    assert shown.count("0.5") == 2


def test_what_is_shown_says_it() -> None:
    assert "sizes   fixed\n" in to_text(spinedsl.program(Source.from_text(NET)))


def test_a_figure_says_the_size_that_all_maps_of_a_level_have() -> None:
    """Of the stem and two blocks of level 2, of which one is smaller, nothing; of level 3 what is there."""
    text = to_svg(lay_out(spinedsl.program(Source.from_text(NET))))
    assert "4 x 5<" in text
    assert "11 x 13<" not in text
    assert "10 x 12<" not in text


def test_random_networks_agree() -> None:
    space = STANDARD.but(sizes=("fixed",), blocks=("trimmed", "residual", "cell", "pair"))
    seen: set[bool] = set()

    @drawn(10)
    @given(networks(space, parts=False))
    def agree(text: str) -> None:
        source = space.source(text)
        rows = spinedsl.program(source, network="Net").rows
        seen.add(any(row.kind == "block" and row.type.extra != (0, 0) for row in rows))
        laws.agreed(source, "Net")

    agree()
    assert seen == {True, False}


SAME = """spine 1
stem_type entry(image, channels) -> channels {
    return conv(image, channels, kernel = 3, stride = 2, padding = 0)
}
block_type strided(x, channels, stride = 1) -> channels * 4 {
    let a = conv(x, channels, kernel = 5, stride = stride)
    let b = conv(x, channels, kernel = 3, stride = stride, dilation = 2)
    let c = max_pool(x, kernel = 3, stride = stride)
    return concat(a, b, c, average_pool(x, kernel = 2, stride = stride))
}
network Net {
    input image: 3 x 43 x 48
    rules { sizes fixed }
    stem s: entry channels 8
    block a: strided  level 2  after s  channels 8
    output P2: a
}
"""


@pytest.mark.parametrize("size", [(43, 48), (41, 51), (32, 32)])
def test_same_pads_sizes_that_a_stride_does_not_divide(size: tuple[int, int]) -> None:
    """The maps of level 1 have one row or column less than half the image, so some are odd."""
    program = spinedsl.program(Source.from_text(SAME), size=size)
    assert_witnesses_agree(program, [(1, *size)])
    graph = flatten(program)
    weights = {name: torch.from_numpy(value).double() for name, value in weights_of(graph.parameters).items()}
    (image,) = images(program, [(1, *size)])
    x = F.conv2d(torch.from_numpy(image).double(), weights["s.conv.weight"], stride=2)

    def padded(reach: int, outside: float = 0) -> torch.Tensor:
        totals = [max((-(-side // 2) - 1) * 2 + reach - side, 0) for side in x.shape[2:]]
        (top, left) = (total // 2 for total in totals)
        return F.pad(x, (left, totals[1] - left, top, totals[0] - top), value=outside)

    expected = torch.cat(
        [
            F.conv2d(padded(5), weights["a.a.conv.weight"], stride=2),
            F.conv2d(padded(5), weights["a.b.conv.weight"], stride=2, dilation=2),
            F.max_pool2d(padded(3, float("-inf")), 3, 2),
            F.avg_pool2d(x, 2, 2, ceil_mode=True),
        ],
        1,
    ).numpy()
    got = run(graph, {name: value.numpy() for name, value in weights.items()}, image, dtype=np.float64)["P2"]
    assert got.shape == expected.shape
    assert np.abs(got - expected).max() <= 1e-12 * np.abs(expected).max()
