"""Values where others are needed, one in the body of a definition each: what is said of it, and nothing else."""

from __future__ import annotations

import pytest

from spinedsl import driver
from spinedsl.source import Source

FILE = """\
spine 1
import std.stems
import std.outputs

def helper(x, channels, times = 1) -> channels {
    var y = conv(x, channels, kernel = 1)
    if times > 0 { y = act(y) }
    repeat times { y = act(y) }
    return y
}
def other(x, first, second) { return x }
def several(x, times) {
    let y = sum([x, other(act(x), 1, 2)])
    return act(y) if times > 0 else y
}
block_type mine(x, channels) -> channels {
    BODY
}
network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 8
    block b0: mine level 2 channels 8 after s
    output C2: b0
}
"""
# What it is: the body, the code, the message, and what to do.
CASES = {
    "property of a block on a map": (
        "let n = x.in_channels\nreturn conv(x, n, kernel = 1)",
        "E0212",
        "a feature map has no property `in_channels`",
        "did you mean `channels`?",
    ),
    "a text": (
        'return conv(x, "8", kernel = 1)',
        "E0502",
        "an expression expects a number, a name or a symbol, got a text in quotes",
        "without quotes: `8`",
    ),
    "list with a number": (
        "return sum([x, 3])",
        "E0502",
        "a list expects feature maps, got 3",
        "a list has feature maps or numbers, not both",
    ),
    "list with what is wrong": (
        "return sum([x, conv(x, relu, kernel = 1)])",
        "E0502",
        "`channels` of `conv` expects a number of channels, got `relu`",
        "",
    ),
    "symbol as condition": (
        "return x if relu else act(x)",
        "E0502",
        "`if` expects `true` or `false`, got `relu`",
        "",
    ),
    "map as condition": (
        "if x { return x }\nreturn act(x)",
        "E0502",
        "`if` expects `true` or `false`, got `x`, which is a feature map of 8x16x16 (level 2)",
        "compare a number of it, as in `x.channels > 64`",
    ),
    "number as condition": (
        "return x if channels else act(x)",
        "E0502",
        "`if` expects `true` or `false`, got `channels`, which is 8",
        "compare it, as in `channels > 0`",
    ),
    "symbols in order": (
        "return x if relu < gelu else act(x)",
        "E0502",
        "`<` expects two numbers, got `relu`",
        "",
    ),
    "flag and number": (
        "return x if true == 1 else act(x)",
        "E0502",
        "`==` expects a flag, as on its left, got 1",
        "",
    ),
    "map compared": (
        "return x if x == x else act(x)",
        "E0502",
        "`==` expects a number, got `x`, which is a feature map of 8x16x16 (level 2)",
        "read a number of it, as in `x.channels`",
    ),
    "minus a flag": (
        "return conv(x, -true, kernel = 1)",
        "E0502",
        "`-` expects a number or a feature map, got `true`",
        "choose between two values by it, as in `2 if true else 1`",
    ),
    "minus what is wrong": (
        "return conv(x, -(1 / 0), kernel = 1)",
        "E0505",
        "division by zero",
        "divide by another number",
    ),
    "number times wrong": (
        "return 2 - conv(x, relu, kernel = 1)",
        "E0502",
        "`channels` of `conv` expects a number of channels, got `relu`",
        "",
    ),
    "number minus what fits no longer": (
        "return 2 - (x + conv(x, channels + 1, kernel = 1))",
        "E0501",
        "`+` cannot take these: 8 channels and 9 channels",
        "bring them to the same channels first, as by `conv(…, kernel = 1)`, or `concat` them",
    ),
    "map minus map of other channels": (
        "return x - conv(x, channels + 1, kernel = 1)",
        "E0501",
        "`+` cannot take these: 8 channels and 9 channels",
        "bring them to the same channels first, as by `conv(…, kernel = 1)`, or `concat` them",
    ),
    "map by nothing": (
        "return x / 0",
        "E0505",
        "division by zero",
        "divide by another number",
    ),
    "function of a map": (
        "return conv(x, floor(x), kernel = 1)",
        "E0502",
        "`floor` expects a number, got `x`, which is a feature map of 8x16x16 (level 2)",
        "read a number of it, as in `x.channels`",
    ),
    "function of what is wrong": (
        "return conv(x, floor(1 / 0), kernel = 1)",
        "E0505",
        "division by zero",
        "divide by another number",
    ),
    "sum of a map": (
        "return sum(x)",
        "E0502",
        "`sum` expects a list of one or more feature maps, got `x`, which is a feature map of 8x16x16 (level 2)",
        "`[x]` is a list of one",
    ),
    "sum of nothing": (
        "return x + sum(rest([x]))",
        "E0502",
        "`sum` expects a list of one or more feature maps, got an empty list",
        "",
    ),
    "sum of what is wrong": (
        "return sum(rest(conv(x, relu, kernel = 1)))",
        "E0502",
        "`channels` of `conv` expects a number of channels, got `relu`",
        "",
    ),
    "no channels": (
        "return conv(x, kernel = 3)",
        "E0210",
        "`conv` needs `channels`",
        "give it: `channels = …`",
    ),
    "number as a map": (
        "return conv(3, channels, kernel = 1)",
        "E0502",
        "`conv` expects a feature map, got 3",
        "feature maps come first, as in `conv(x, …)`",
    ),
    "list as a map": (
        "return conv([x, x], channels, kernel = 1)",
        "E0502",
        "`conv` expects a feature map, got a list of feature maps",
        "make one map of them first, by `sum` or `concat`",
    ),
    "too many values": (
        "return act(x, 1, 2, 3, 4)",
        "E0211",
        "`act` takes 1 arguments in order, got 5",
        "",
    ),
    "nothing to add": (
        "return concat(rest([x]))",
        "E0210",
        "`concat` needs `x`",
        "",
    ),
    "no input": (
        "return conv(channels = 8, kernel = 1)",
        "E0210",
        "`conv` needs `x`",
        "give it: `x = …`",
    ),
    "definition without its argument": (
        "return helper(x, 1 / 0)",
        "E0505",
        "division by zero",
        "divide by another number",
    ),
    "definition that is wrong inside": (
        "return helper(x, relu)",
        "E0502",
        "`channels` of `conv` expects a number of channels, got `relu`",
        "",
    ),
    "choice of something else": (
        "return upsample(x, levels = 1, mode = cubic)",
        "E0201",
        "there is no value named `cubic`",
        "give `nearest` or `bilinear`",
    ),
    "choice of a number": (
        "return upsample(x, levels = 1, mode = 3)",
        "E0502",
        "`mode` of `upsample` expects `nearest` or `bilinear`, got 3",
        "choose `nearest` or `bilinear`",
    ),
    "number beyond reason": (
        "return x * 1e31",
        "E0603",
        "a number has at most 30 digits and an exponent of at most 30",
        "nothing in a network needs numbers of that size",
    ),
    "attribute beyond reason": (
        "return pad(x, top = 1, value = 1e31)",
        "E0603",
        "a number has at most 30 digits and an exponent of at most 30",
        "nothing in a network needs numbers of that size",
    ),
    "repeat by a symbol": (
        "var y = x\nrepeat relu { y = act(y) }\nreturn y",
        "E0502",
        "`repeat` expects a whole number, 0 or more, got `relu`",
        "",
    ),
    "repeat by what is wrong": (
        "var y = x\nrepeat 1 / 0 { if channels > 3 { y = act(y) } else { y = x }\nrepeat 2 { y = act(y) } }\nreturn y",
        "E0505",
        "division by zero",
        "divide by another number",
    ),
    "each of a number": (
        "var y = x\neach p in 3 { y = act(y) }\nreturn y",
        "E0502",
        "`each` expects a list, got 3",
        "a list is written `[a, b]`",
    ),
    "each of a map": (
        "var y = x\neach p in x { y = act(p) }\nreturn y",
        "E0502",
        "`each` expects a list, got `x`, which is a feature map of 8x16x16 (level 2)",
        "`[x]` is a list of one",
    ),
    "groups of the output": (
        "return conv(x, 9, kernel = 1, groups = 4)",
        "E0501",
        "`conv` cannot take these: 4 groups do not divide 9 output channels",
        "the nearest that divides is `groups = 1`",
    ),
    "map and vector": (
        "return x + flatten(global_average_pool(x))",
        "E0501",
        "`+` cannot take these: a feature map and a vector",
        "flatten both of them, or neither",
    ),
    "concat of map and vector": (
        "return concat(x, flatten(global_average_pool(x)))",
        "E0501",
        "`concat` cannot take these: feature maps and vectors",
        "flatten both of them, or neither",
    ),
    "concat of levels": (
        "return concat(x, max_pool(x, kernel = 2, stride = 2))",
        "E0501",
        "`concat` cannot take these: level 2 and level 3",
        "bring them to one level first, by a stride or by `upsample`",
    ),
    "concat of sizes": (
        "return concat(x, pad(x, top = 1))",
        "E0501",
        "`concat` cannot take these: 16x16 and 17x16",
        "bring them to one size first, by `pad`, `crop` or `resize`",
    ),
    "sum of sizes": (
        "return x + pad(x, top = 1, left = 2)",
        "E0501",
        "`+` cannot take these: 16x16 and 17x18",
        "bring them to one size first, by `pad`, `crop` or `resize`",
    ),
    "up from a pooled map": (
        "return upsample(global_average_pool(x), levels = 1)",
        "E0501",
        "`upsample` cannot take these: a map that is pooled has no level to go down from",
        "give it the size of another map first: `resize(x, like = …)`",
    ),
    "up too far": (
        "return upsample(x, levels = 9)",
        "E0501",
        "`upsample` cannot take these: a map of level 2 cannot go down 9 levels",
        "at most `levels = 2`",
    ),
    "transpose of a pooled map": (
        "return conv_transpose(global_average_pool(x), channels, kernel = 2)",
        "E0501",
        "`conv_transpose` cannot take these: a map that is pooled has no level to go down from",
        "give it the size of another map first: `resize(x, like = …)`",
    ),
    "transpose by three": (
        "return conv_transpose(x, channels, kernel = 3, stride = 3)",
        "E0501",
        "`conv_transpose` cannot take these: a stride is a power of two, so that levels stay whole; got 3",
        "a stride of 2 or 4",
    ),
    "transpose uneven": (
        "return conv_transpose(x, channels, kernel = 3, stride = 2)",
        "E0501",
        "`conv_transpose` cannot take these: a kernel of 3 for a stride of 2: it is the stride plus an even number",
        "take `kernel = 4`",
    ),
    "transpose too far": (
        "return conv_transpose(x, channels, kernel = 64, stride = 64)",
        "E0501",
        "`conv_transpose` cannot take these: a map of level 2 cannot go down 6 levels",
        "a stride of at most 4",
    ),
    "nothing left": (
        "return conv(crop(x, top = 15, left = 15), channels, kernel = 5, padding = 0)",
        "E0501",
        "`conv` cannot take these: kernel 5 and padding 0+0 leave nothing of 1x1",
        "take a smaller kernel, or crop less",
    ),
    "shared that differs inside a definition": (
        "var y = x\nrepeat i in 2 { y = shared helper(y, channels, i) }\nreturn y",
        "E0512",
        "`shared helper` has a `relu` here, but nothing more before",
        "let it be the same every time, or take `shared` away",
    ),
    "level of a pooled map": (
        "return conv(x, global_average_pool(x).level, kernel = 1)",
        "E0507",
        "the level of `global_average_pool(x)` cannot be known here",
        "read it from the feature map that was pooled",
    ),
    "level between levels": (
        "return conv(x, channels * average_pool(x, kernel = 3, stride = 3).level, kernel = 1)",
        "E0501",
        "`average_pool` cannot take these: a stride is a power of two, so that levels stay whole; got 3",
        "a stride of 2 or 4",
    ),
    "held number called": (
        "return channels(x)",
        "E0203",
        "`channels` is 8, not something to call",
        "call an operation or a definition; a parameter can hold one's name, or that of an activation",
    ),
    "unknown attribute of a role": (
        "return act(x, alpha = 3)",
        "E0208",
        "`act` has no parameter `alpha`",
        "take it away",
    ),
    "three to add, of other channels": (
        "return sum([x, conv(x, channels + 1, kernel = 1), x])",
        "E0501",
        "`sum` cannot take these: 8 channels and 9 channels",
        "bring them to the same channels first, as by `conv(…, kernel = 1)`, or `concat` them",
    ),
    "beyond the last channel": (
        "return slice(x, start = 6, channels = 8)",
        "E0501",
        "`slice` cannot take these: channels 6 to 13 of 8",
        "",
    ),
    "sum of nothing said": ("return sum()", "E0210", "`sum` needs `list`", "give it: `list = …`"),
    "several arguments missing": ("return other()", "E0210", "`other` needs `x`", "give it: `x = …`"),
    "list and numbers in a shared call": (
        "var y = x\nrepeat i in 2 { y = shared several(y, i) }\nreturn y",
        "E0512",
        "`shared several` has a `relu` here, but nothing more before",
        "let it be the same every time, or take `shared` away",
    ),
    "assigned to an index": (
        "var y = x\nrepeat i in 2 { i = 3 }\nreturn y",
        "E0213",
        "`i` cannot be assigned: it is the index of a `repeat`",
        "",
    ),
}


def said_of(body: str) -> list[tuple[str, str, str]]:
    """Code, message and repair of all that is said."""
    text = FILE.replace("BODY", body.replace("\n", "\n    "))
    found = driver.analyse(Source.from_text(text)).diagnostics
    return [(d.code.id, d.message, d.fixes[0].text if d.fixes else "") for d in found]


@pytest.mark.parametrize("what", CASES)
def test_what_is_said(what: str) -> None:
    body, *said = CASES[what]
    assert said_of(body) == [tuple(said)]


def test_flags_may_be_compared() -> None:
    codes = [code for code, _, _ in said_of("return x if true == false else act(x)")]
    assert set(codes) == {"W0706"}  # the definitions that this body leaves unused


def test_a_long_chain_of_else_if() -> None:
    others = "".join(f" else if channels == {number} {{ return x }}" for number in range(23))
    ((code, message, _),) = said_of(f"if channels == 23 {{ return x }}{others} else {{ return act(x) }}")
    assert (code, message) == ("E0602", "a chain of `else if` is nested too deep")
