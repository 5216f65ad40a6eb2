"""Values and rows that do not fit, one in a network each: what is said of it, and nothing else."""

from __future__ import annotations

import pytest

from spinedsl import driver
from spinedsl.source import Source

FILE = """\
spine 1
import std.stems
import std.blocks
import std.outputs
import std.resample

block_type pooled(x, channels) -> channels { return conv(global_average_pool(x), channels, kernel = 1) }
block_type third(x, channels) -> channels { return conv(max_pool(x, kernel = 3, stride = 3), channels, kernel = 1) }
block_type flat(x, channels) -> channels { return linear(flatten(global_average_pool(x)), channels) }
resample_type stays(x, source, target) -> target.in_channels { return conv(x, target.in_channels, kernel = 1) }
resample_type narrow(x, source, target) -> x.channels { return max_pool(x, kernel = 2, stride = 2) }
resample_type gone(x, source, target) -> x.channels { return global_average_pool(x) }
resample_type vanishes(x, source, target) -> x.channels { return flatten(global_average_pool(x)) }
network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 8 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 8
    block b0: residual level 2 from s
    output C2: b0
}
"""
# What it is: what stands instead of what, the code, the message, and what to do.
CASES = {
    "size that is a symbol": (
        {"input image: 3 x 64 x 64": "input image: 3 x relu x 64"},
        "E0502",
        "a size of the input expects a whole number, got `relu`",
        "",
    ),
    "size that is not known": (
        {"input image: 3 x 64 x 64": "input image: 3 x (1 / 0) x 64"},
        "E0505",
        "division by zero",
        "divide by another number",
    ),
    "level that is a symbol": (
        {"level 2 from s": "level relu from s"},
        "E0502",
        "a level expects a whole number, got `relu`",
        "say its number, as in `level 4`: a map of that level is 1/16 of the input",
    ),
    "width of a level that is a symbol": (
        {"widths { level 2..7: 8 }": "widths { level relu: 8, level 2..7: 8 }"},
        "E0502",
        "a level expects a whole number, got `relu`",
        "say its number, as in `level 4`: a map of that level is 1/16 of the input",
    ),
    "width of an unknown level": (
        {"widths { level 2..7: 8 }": "widths { level 1 / 0: 8, level 2..7: 8 }"},
        "E0505",
        "division by zero",
        "divide by another number",
    ),
    "a row that reads the image": (
        {"from s": "from image"},
        "E0203",
        "`image` is the input, not a block or a stem",
        "only a stem reads the input: read a stem, as in `stem s: resnet_stem channels 64`",
    ),
    "a row that reads a let": (
        {"    input image": "    let k = 3\n    input image", "from s": "from k"},
        "E0203",
        "`k` is a `let`, not a block or a stem",
        "name a row above this one",
    ),
    "argument that is not known": (
        {"residual level 2 from s": "bottleneck(expansion = 1 / 0) level 2 from s"},
        "E0505",
        "division by zero",
        "divide by another number",
    ),
    "from a pooled map": (
        {"    output C2: b0": "block p: pooled level 2 after b0\nblock b1: residual level 3 from p\noutput C2: b1"},
        "E0405",
        "block `p` declares level 2, but its result is at no level (pooled to 1x1)",
        "",
    ),
    "from a vector": (
        {"    output C2: b0": "block p: flat level 2 after b0\nblock b1: residual level 3 from p\noutput C2: b1"},
        "E0405",
        "block `p` declares level 2, but its result is at no level (a vector)",
        "",
    ),
    "from between levels": (
        {"    output C2: b0": "block p: third level 2 after b0\nblock b1: residual level 3 from p\noutput C2: b1"},
        "E0501",
        "`max_pool` cannot take these: a stride is a power of two, so that levels stay whole; got 3",
        "a stride of 2 or 4",
    ),
    "resampled to too coarse a level": (
        {"    resample spinenet": "    resample narrow"},
        "E0408",
        "resampling `s` for `b0` gives level 3 and 8 channels, expected level 2 and 8 channels",
        "go down by `upsample(x, levels = x.level - target.level)`",
    ),
    "resampled not far enough": (
        {
            "    resample spinenet": "    resample stays",
            "residual level 2 from s": "residual level 3 from s",
        },
        "E0408",
        "resampling `s` for `b0` gives level 2 and 8 channels, expected level 3 and 8 channels",
        "go up by convolutions or pools of stride 2, as often as `target.level - x.level` says",
    ),
    "resampled to nothing": (
        {"level 2 from s": "level 2 from s resample gone"},
        "E0408",
        "resampling `s` for `b0` gives no level (pooled to 1x1) and 8 channels, expected level 2 and 8 channels",
        "go up by convolutions or pools of stride 2, as often as `target.level - x.level` says",
    ),
    "resampled to a vector": (
        {"level 2 from s": "level 2 from s resample vanishes"},
        "E0408",
        "resampling `s` for `b0` gives no level (a vector) and 8 channels, expected level 2 and 8 channels",
        "go up by convolutions or pools of stride 2, as often as `target.level - x.level` says",
    ),
    "down by a resample that only goes up": (
        {
            "    output C2: b0": "block b1: residual level 3 from b0\nblock b2: pooled level 2 from b1 resample narrow",
            "block b2: pooled": "block b2: residual",
            "resample narrow": "resample narrow\noutput C2: b2",
        },
        "E0408",
        "resampling `b1` for `b2` gives level 4 and 8 channels, expected level 2 and 8 channels",
        "go down by `upsample(x, levels = x.level - target.level)`",
    ),
    "default twice": (
        {"norm batch_norm }": "norm batch_norm, relu() , relu() }"},
        "E0311",
        "`relu` is set twice in network `Net`",
        "take one of them away",
    ),
    "wrong channels": (
        {"level 2 from s": "level 2 channels relu from s"},
        "E0502",
        "`channels` of `b0` expects a number of channels, got `relu`",
        "",
    ),
    "from a pooled stem": (
        {
            "    output C2: b0": "    stem t: tiny after s\n    block b1: residual level 3 from t\n    output C2: b0\n    output C3: b1",
            "import std.stems": "import std.stems\nstem_type tiny(image) -> image.channels { return global_average_pool(image) }",
        },
        "E0507",
        "the level of `t` cannot be known here",
        "",
    ),
    "resampled to other channels": (
        {
            "    resample spinenet": "    resample wider",
            "block_type pooled": "resample_type wider(x, source, target) { return conv(x, target.in_channels + 1, kernel = 1) }\nblock_type pooled",
        },
        "E0408",
        "resampling `s` for `b0` gives level 2 and 9 channels, expected level 2 and 8 channels",
        "end with a convolution to `target.in_channels`, or let its signature say what it gives, as in `-> …`",
    ),
    "join argument that is not known": (
        {
            "    join activated_sum": "    join scaled(by = 1 / 0)",
            "block_type pooled": "join_type scaled(inputs, by) { return sum(inputs) * by }\nblock_type pooled",
        },
        "E0505",
        "division by zero",
        "divide by another number",
    ),
    "norm that needs groups": (
        {"norm batch_norm": "norm group_norm"},
        "E0210",
        "`norm` needs `groups`",
        "say it in the network: `defaults { norm group_norm(groups = …) }`",
    ),
    "padded map upsampled at any size": (
        {
            "block_type pooled": "block_type up(x, channels) -> channels { return conv(upsample(pad(x, top = 1), levels = 1), channels, kernel = 3, stride = 2) }\nblock_type pooled",
            "residual level 2 from s": "up level 2 from s",
            "    input": "    rules { sizes any }\n    input",
        },
        "E0501",
        "`upsample` cannot take these: in a network of any size, 17x16",
        "undo what was put around it by `crop`, or what was cut off by `pad`",
    ),
    "channels that the target does not say": (
        {
            "    resample spinenet": "    resample asking",
            "block_type pooled": "block_type plain(x) -> 8 { return conv(x, 8, kernel = 1) }\nresample_type asking(x, source, target) -> target.in_channels { return conv(x, target.channels, kernel = 1) }\nblock_type pooled",
            "residual level 2": "plain level 2",
        },
        "E0507",
        "`channels` of `target` cannot be known here",
        "",
    ),
    "from into a type without a signature": (
        {
            "block_type pooled": "block_type silent(x, channels) { return conv(x, channels, kernel = 1) }\nblock_type pooled",
            "residual level 2": "silent level 2",
        },
        "E0507",
        "what `b0` expects its inputs to be cannot be known here",
        "let its signature tell, as in `-> channels`, or feed the block by `after`",
    ),
    "a symbol as the signature": (
        {
            "block_type pooled": "block_type odd(x, channels) -> relu { return conv(x, channels, kernel = 1) }\nblock_type pooled",
            "residual level 2 from s": "odd level 2 after s",
        },
        "E0502",
        "`->` expects a number of channels, got `relu`",
        "",
    ),
    "no number as the signature": (
        {
            "block_type pooled": "block_type odd(x, channels) -> channels / 0 { return conv(x, channels, kernel = 1) }\nblock_type pooled",
            "residual level 2 from s": "odd level 2 after s",
        },
        "E0505",
        "division by zero",
        "divide by another number",
    ),
    "a head that yields a number": (
        {
            "block_type pooled": "head_type odd(features) { each p in features { yield 3 } }\nblock_type pooled",
            "    output C2: b0": "    output C2: b0\n    head h: odd from C2",
        },
        "E0508",
        "`odd` returns 3",
        "yield what an operation gives",
    ),
    "a block as a number": (
        {
            "block_type pooled": "resample_type odd(x, source, target) -> target.in_channels { return conv(x, target, kernel = 1) }\nblock_type pooled",
            "    resample spinenet": "    resample odd",
        },
        "E0502",
        "`channels` of `conv` expects a number of channels, got block `b0`",
        "",
    ),
    "a block given on": (
        {
            "block_type pooled": "def bring(x, to) { return conv(x, to.in_channel, kernel = 1) }\nresample_type odd(x, source, target) -> target.in_channels { return bring(x, target) }\nblock_type pooled",
            "    resample spinenet": "    resample odd",
        },
        "E0212",
        "a feature map or block has no property `in_channel`",
        "did you mean `in_channels`?",
    ),
    "norm of an unknown name": (
        {"norm batch_norm": "norm batch_nrm"},
        "E0201",
        "there is no normalisation named `batch_nrm`",
        "did you mean `batch_norm`?",
    ),
    "attribute of a default twice": (
        {"norm batch_norm": "norm batch_norm(epsilon = 1e-3, epsilon = 1e-4)"},
        "E0209",
        "`epsilon` is given twice to `batch_norm`",
        "take one of them away",
    ),
    "attribute of a default without a name": (
        {"norm batch_norm": "norm batch_norm(1e-3)"},
        "E0222",
        "`defaults` give arguments of `batch_norm` by name",
        "name it, as in `momentum = 1e-3`",
    ),
}


@pytest.mark.parametrize("what", CASES)
def test_what_is_said(what: str) -> None:
    changes, *said = CASES[what]
    text = FILE
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new, 1)
    found = driver.analyse(Source.from_text(text)).diagnostics
    assert [[d.code.id, d.message, d.fixes[0].text if d.fixes else ""] for d in found] == [said]


def test_the_file_itself_is_right() -> None:
    assert {found.code.id for found in driver.analyse(Source.from_text(FILE)).diagnostics} == {
        "W0706"
    }  # what changes use


def test_a_chain_of_calls_that_is_too_deep() -> None:
    chain = "".join(f"def d{i}(x) {{ if true {{ return d{i + 1}(x) }}\n return x }}\n" for i in range(60))
    deep = "block_type deep(x, channels) -> channels { return d0(x) }\n"
    text = FILE.replace("block_type pooled", f"{chain}def d60(x) {{ return act(x) }}\n{deep}block_type pooled")
    text = text.replace("residual level 2 from s", "deep level 2 after s")
    (found,) = driver.analyse(Source.from_text(text)).diagnostics
    assert (found.code.id, found.message) == ("E0602", "this chain of calls is nested too deep")
