"""Files as users write them, with block types, resampling and joins of their own: they check, and run in NumPy."""

from __future__ import annotations

import pytest

from tests.ir.built import graph, outputs

MOBILE = """spine 1
import std.stems

# Squeeze and excitation: Hu et al. 2018, with the ratio of the channels that come in.
def excite(x, ratio = 0.25) -> x.channels {
    let all = global_average_pool(x)
    let squeeze = swish(conv(all, max(1, x.channels * ratio), kernel = 1, bias = true))
    let excite = sigmoid(conv(squeeze, x.channels, kernel = 1, bias = true))
    return x * excite
}

# Inverted residual: wide in the middle, depthwise, narrow at both ends.
block_type mbconv(x, channels, stride = 1, expansion = 4, kernel = 3, rate = 0.1) -> channels {
    let wide = round(x.channels * expansion, to = 8)
    var y = x
    if expansion > 1 { y = act(norm(conv(y, wide, kernel = 1))) }
    let depthwise = act(norm(conv(y, wide, kernel = kernel, stride = stride, groups = wide)))
    let project = norm(conv(excite(depthwise), channels, kernel = 1))
    if stride == 1 and x.channels == channels { return x + stochastic_depth(project, rate = rate) }
    return project
}

network Mobile(width = 0.75) {
    input image: 3 x 64 x 64
    defaults { act swish, norm batch_norm(momentum = 0.99, epsilon = 1e-3), conv(padding = symmetric) }
    widths { level 2: 16 * width, level 3: 24 * width, level 4: 40 * width }

    stem s: resnet_stem channels 32 * width
    block b0: mbconv                 level 2  after s   repeat 2
    block b1: mbconv(kernel = 5)     level 3  after b0  repeat 2
    block b2: mbconv(expansion = 6)  level 4  after b1

    output C2: b0
    output C3: b1
    output C4: b2
}
"""

CONVNEXT = """spine 1

# Liu et al. 2022: patches, depthwise 7x7, two linear layers by 1x1 convolutions, a scale for each channel.
stem_type patchify(image, channels, size = 4) -> channels {
    return layer_norm(conv(image, channels, kernel = size, stride = size, padding = 0, bias = true))
}

block_type convnext(x, channels, stride = 1, expansion = 4, scale = 1e-6) -> channels {
    let entry = x if stride == 1 and x.channels == channels else shrink(x, channels, stride)
    let spatial = layer_norm(conv(entry, channels, kernel = 7, groups = channels, bias = true), epsilon = 1e-6)
    let wide = gelu(conv(spatial, channels * expansion, kernel = 1, bias = true))
    let narrow = conv(wide, channels, kernel = 1, bias = true)
    let gamma = parameter(channels, init = scale)
    return entry + narrow * gamma
}

def shrink(x, channels, stride) {
    return conv(layer_norm(x), channels, kernel = stride, stride = stride, padding = 0, bias = true)
}

network Tiny {
    input image: 3 x 64 x 64
    widths { level 2: 24, level 3: 48, level 4: 96 }
    stem s: patchify channels 24
    block stage1: convnext  level 2  after s       repeat 2
    block stage2: convnext  level 3  after stage1  repeat 2
    block stage3: convnext  level 4  after stage2  repeat 3
    output C2: stage1
    output C3: stage2
    output C4: stage3
}
"""

PYRAMID = """spine 1
import std.blocks
import std.stems

# Lin et al. 2017: lateral 1x1 convolutions, upsampled and added from the top.
resample_type lateral(x, source, target) -> target.in_channels {
    var y = x
    if x.channels != target.in_channels { y = conv(x, target.in_channels, kernel = 1, bias = true) }
    if target.level < x.level { y = upsample(y, levels = x.level - target.level) }
    repeat target.level - x.level if target.level > x.level else 0 { y = max_pool(y, kernel = 3, stride = 2) }
    return y
}
join_type plain_sum(inputs) { return sum(inputs) }
block_type smooth(x, channels) -> channels { return conv(x, channels, kernel = 3, bias = true) }

network Pyramid(width = 32) {
    input image: 3 x 64 x 128
    defaults { act relu, norm batch_norm }
    widths { level 2: 16, level 3: 32, level 4: 64, level 5: 128 }
    resample lateral
    join plain_sum

    stem s: resnet_stem channels 16
    block c2: residual level 2 after s
    block c3: residual level 3 after c2
    block c4: residual level 4 after c3
    block c5: residual level 5 after c4

    block m5: smooth level 5 channels width from c5
    block m4: smooth level 4 channels width from c4, m5
    block m3: smooth level 3 channels width from c3, m4

    output P3: m3
    output P4: m4
    output P5: m5
}
"""

FUSION = """spine 1
import std.blocks
import std.stems

# Every input with weights of its own, beside each other, then one convolution that mixes them.
join_type mixed(inputs) { return concat(inputs) }
resample_type steps(x, source, target, narrow = 0.5) -> target.in_channels {
    let down = target.level - x.level
    var y = act(norm(conv(x, narrow * source.channels, kernel = 1)))
    if down > 0 { repeat i in down { y = act(norm(conv(y, target.in_channels / (i + 1), kernel = 3, stride = 2))) } }
    if down < 0 { y = upsample(y, levels = -down) }
    return conv(y, target.in_channels, kernel = 1)
}
def gated(features, channels) {
    var total = conv(features_mean(features), channels, kernel = 1)
    each p in features {
        let gate = hard_sigmoid(conv(p, 1, kernel = 1, bias = true))
        total = total + gate * conv(p, channels, kernel = 1)
    }
    return total
}
def features_mean(features) { return sum(features) / 3 }
block_type fuse(x, channels) -> channels {
    let narrow = conv(x, channels, kernel = 1)
    let twice = conv(narrow, channels, kernel = 3, dilation = 2)
    return relu6(gated([narrow, twice, narrow * twice], channels) + 3) * 0.16667
}

network Fusion {
    input image: 3 x 64 x 64
    defaults { act hard_swish, norm group_norm(groups = 4) }
    widths { level 2..4: 16 }
    resample steps(narrow = 0.25)
    join mixed
    stem s: resnet_stem channels 16
    block a: residual level 3 after s
    block b: residual level 4 after a
    block c: fuse level 3 from s, b
    block d: fuse level 2 from c, b
    block e: fuse level 4 from c, d
    output P2: d
    output P3: c
    output P4: e
}
"""


@pytest.mark.parametrize(
    ("text", "network", "expected"),
    [
        (MOBILE, "Mobile", {"C2": (2, 12, 16, 16), "C3": (2, 18, 8, 8), "C4": (2, 30, 4, 4)}),
        (CONVNEXT, "Tiny", {"C2": (2, 24, 16, 16), "C3": (2, 48, 8, 8), "C4": (2, 96, 4, 4)}),
        (PYRAMID, "Pyramid", {"P3": (2, 32, 8, 16), "P4": (2, 32, 4, 8), "P5": (2, 32, 2, 4)}),
        (FUSION, "Fusion", {"P2": (2, 16, 16, 16), "P3": (2, 16, 8, 8), "P4": (2, 16, 4, 4)}),
    ],
    ids=["mobile", "convnext", "pyramid", "fusion"],
)
def test_they_run(text: str, network: str, expected: dict[str, tuple[int, ...]]) -> None:
    made = outputs(text, network)
    assert {name: made[name] for name in expected} == expected


def test_their_parameters_are_named_as_they_are_written() -> None:
    parameters = graph(CONVNEXT, "Tiny").parameters
    assert "stage2.rep0.entry.shrink.conv.weight" in parameters
    assert "stage2.rep1.gamma.parameter.weight" in parameters
    assert parameters["stage2.rep1.gamma.parameter.weight"].shape == (48, 1, 1)
    excited = [
        name for name in graph(MOBILE, "Mobile").parameters if ".excite." in name and name.startswith("b0.rep0.")
    ]
    assert excited == [
        "b0.rep0.project.excite.squeeze.conv.weight",
        "b0.rep0.project.excite.squeeze.conv.bias",
        "b0.rep0.project.excite.excite.conv.weight",
        "b0.rep0.project.excite.excite.conv.bias",
    ]
