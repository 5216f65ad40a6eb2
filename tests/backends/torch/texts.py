"""Definitions that are hard to turn into readable classes, each as a network whose only purpose is to use it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import spinedsl
from spinedsl.ops.program import Program
from spinedsl.source import Source

NETWORK = """
spine 1
{definitions}
stem_type enter(image, channels) -> channels {{ return conv(image, channels, kernel = 4, stride = 4) }}
output_type leave(x, channels) -> channels {{ return conv(x, channels, kernel = 1, bias = true) }}
resample_type halving(x, source, target) {{
    var y = x
    if target.level > x.level {{ y = max_pool(y, kernel = 3, stride = 2) }}
    return y
}}
join_type plain(inputs) {{ return sum(inputs) }}

network {name} {{
    input image: 3 x 64 x 64
    defaults {{ act relu, norm batch_norm(momentum = 0.99, epsilon = 1e-3) }}
    widths {{ level 2..5: 8 }}
    resample {resample}
    join {join}
    stem s: enter channels 8
{rows}
    output P: leave from b channels 8
}}
"""


def program(
    definitions: str, rows: str, *, name: str = "Net", join: str = "plain", resample: str = "halving"
) -> Program:
    """The program of a network with these definitions and rows; the stem is `s`, the last row is called `b`."""
    return spinedsl.program(source(definitions, rows, name=name, join=join, resample=resample), network=name)


def source(definitions: str, rows: str, *, name: str = "Net", join: str = "plain", resample: str = "halving") -> Source:
    """The file of that network."""
    text = NETWORK.format(definitions=definitions, rows=rows, name=name, join=join, resample=resample)
    return Source.from_text(text, "net.spine")


TWO = "block a: tower level 2 after s\nblock b: tower level 3 after a"
FANCY = "block a: {0} level 2 after s\nblock b: {0} level 2 from s, a"

TEXTS: dict[str, Callable[[], Program]] = {}


def add(what: str, definitions: str, rows: str, **more: str) -> None:
    TEXTS[what] = cache(partial(program, definitions, rows, **more))


add(
    "repeat",
    """
    block_type tower(x, channels, stride = 1, depth = 3) -> channels {
        var y = conv(x, channels, kernel = 3, stride = stride)
        repeat depth { y = act(norm(conv(y, channels, kernel = 3))) }
        return y
    }""",
    "block a: tower level 2 after s\nblock b: tower(depth = 1) level 3 after a",
)
add(
    "repeat, first input unlike the others",
    """
    block_type tower(x, channels, stride = 1) -> channels * 2 {
        var y = x
        repeat i in 3 {
            let c = act(norm(conv(y, channels * 2, kernel = 3, stride = stride if i == 0 else 1)))
            y = c
        }
        return y
    }""",
    TWO,
)
add(
    "repeat, widths by iteration",
    """
    block_type tower(x, channels, stride = 1) -> channels {
        var y = conv(x, channels, kernel = 3, stride = stride)
        var width = channels
        repeat i in 3 {
            width = width * 1.5
            y = act(conv(y, width, kernel = 1))
        }
        return conv(y, channels, kernel = 1)
    }""",
    "block a: tower level 2 after s\nblock b: tower level 3 channels 12 after a",
)
add(
    "repeat in repeat",
    """
    block_type tower(x, channels, stride = 1, times = 2) -> channels {
        var y = conv(x, channels, kernel = 3, stride = stride)
        repeat i in times {
            repeat j in i + 1 {
                let mixed = norm(conv(y, channels, kernel = 1 + 2 * j))
                y = act(mixed + y)
            }
            y = norm(y)
        }
        repeat times { y = max_pool(y, kernel = 3) }
        repeat 0 { y = conv(y, channels, kernel = 1) }
        return y
    }""",
    "block a: tower level 2 after s\nblock b: tower(times = 3) level 3 after a",
)
add(
    "shared",
    """
    block_type tower(x, channels, stride = 1) -> channels {
        var y = conv(x, channels, kernel = 3, stride = stride)
        repeat 2 {
            let c = act(norm(shared conv(y, channels, kernel = 3)))
            y = y + shared inner(c, channels)
            y = shared norm(y)
        }
        return y
    }
    def inner(x, channels) -> channels { return norm(conv(x, channels, kernel = 1)) }
    """,
    TWO,
)
add(
    "shared, used differently by each iteration",
    """
    block_type trident(x, channels, stride = 1, branches = 3) -> channels {
        let start = conv(x, channels, kernel = 1, stride = stride)
        var total = start
        repeat i in branches {
            let wide = act(norm(shared conv(start, channels, kernel = 3, dilation = i + 1, bias = true)))
            let odd = shared conv(start, channels, kernel = 4, stride = 2 if i == 1 else 4)
            total = total + wide + upsample(odd, levels = 1 if i == 1 else 2)
        }
        return total
    }""",
    "block a: trident level 2 after s\nblock b: trident(branches = 2) level 3 after a",
)
add(
    "each, with weights of its own",
    """
    join_type weighted(inputs) {
        let start = parameter(1, init = 0.5)
        var total = start_of(inputs)
        each p in inputs {
            let weight = act(parameter(1))
            total = total + p * weight
        }
        return norm(conv(total, 8, kernel = 1)) * start
    }
    def start_of(inputs) { return sum(inputs) }
    block_type body(x, channels, stride = 1) -> channels { return norm(conv(x, channels, kernel = 1, stride = stride)) }
    """,
    """
    block a: body level 2 from s
    block c: body level 2 from s, a
    block d: body level 2 from a, c
    block b: body level 3 from c, d absorb e
    block e: body level 3 from a
    """.replace(
        "block b: body level 3 from c, d absorb e\n    block e: body level 3 from a",
        "block e: body level 3 from a\n    block b: body level 3 from c, d absorb e",
    ),
    join="weighted",
)
add(
    "lists",
    """
    join_type stack(inputs) { return conv(concat(inputs), 8, kernel = 1) }
    block_type body(x, channels, stride = 1) -> channels {
        let y = conv(x, channels, kernel = 3, stride = stride)
        let all = [y, relu(y), swish(y)]
        let more = concat(all)
        var z = concat(y, more)
        each item in all { z = z + concat(item, item, item, item) }
        return conv(z, channels, kernel = 1) + sum(all) + sum([y, y])
    }
    """,
    FANCY.format("body"),
    join="stack",
)
HEADS = """
    block_type body(x, channels, stride = 1) -> channels {
        return norm(conv(x, channels, kernel = 3, stride = stride))
    }"""
UNDER_HEADS = "block a: body level 2 after s\nblock c: body level 3 channels 12 after a\nblock b: body level 4 after c"
add(
    "a head that shares over levels",
    HEADS
    + """
    head_type tower(features, channels, outputs, depth = 2) -> outputs {
        each p in features {
            var y = conv(p, channels, kernel = 1)
            repeat i in depth { y = act(norm(shared conv(y, channels * (i + 1), kernel = 3, bias = true))) }
            let predict = shared conv(y, outputs, kernel = 3, bias = true)
            yield predict
        }
    }""",
    UNDER_HEADS
    + """
    head one: tower(outputs = 4) from a, c, b channels 8
    head two: tower(outputs = 6, depth = 3) from c, b channels 5""",
)
add(
    "a head of two towers",
    HEADS
    + """
    head_type towers(features, channels, classes = 5, depth = 2) {
        each p in features {
            var left = conv(p, channels, kernel = 1)
            var right = left
            repeat depth {
                left = act(norm(shared conv(left, channels, kernel = 3)))
                right = act(norm(shared conv(right, channels, kernel = 3)))
            }
            let scores = shared conv(left, classes, kernel = 3, bias = true)
            let boxes = shared conv(right, 4, kernel = 3, bias = true)
            yield scores
            yield boxes
        }
        let all = linear(flatten(global_average_pool(last(features))), classes)
        yield all
    }""",
    UNDER_HEADS + "\nhead towers_of: towers from a, b channels 6",
)
add(
    "a repeat, an each and another repeat around what is shared",
    HEADS
    + """
    head_type deep(features, channels) {
        repeat i in 2 {
            each p in features {
                var y = conv(p, channels, kernel = 1)
                repeat 2 { y = y + norm(shared refine(y)) }
                each q in rest(features) { y = y + resize(shared conv(q, channels, kernel = 1 + 2 * i), like = y) }
                yield y
            }
        }
    }
    def refine(x) { return act(conv(x, x.channels, kernel = 1)) }""",
    UNDER_HEADS + "\nhead d: deep from a, b channels 6",
)
add(
    "heads without submodules of their own",
    HEADS
    + """
    head_type pooled(features) { each p in features { yield global_average_pool(p) } }
    head_type halves(features, half) {
        each p in features {
            let low = slice(p, half)
            yield low
            yield l2_normalise(slice(p, half, start = half))
        }
    }
    head_type mean(features) { return softmax(flatten(sum(features) / len(features))) }""",
    UNDER_HEADS.replace("channels 12 ", "")
    + """
    head means: pooled from a, b
    head parts: halves(half = 4) from c, b
    head flat: mean from a""",
)
add(
    "dropout, transposed convolution and bilinear resizing",
    HEADS
    + """
    head_type classify(features, classes, rate = 0.5) {
        let fine = act(conv_transpose(last(features), 6, kernel = 4, bias = true))
        let coarse = resize(upsample(fine, levels = 1, mode = bilinear), like = first(features), mode = bilinear)
        let pooled = dropout(flatten(global_average_pool(concat(coarse, first(features)))), rate = rate)
        let hidden = act(linear(pooled, 16))
        return linear(dropout(hidden, rate = 0), classes, bias = false, init = uniform)
    }""",
    UNDER_HEADS + "\nhead logits: classify(classes = 3) from a, b",
)
add(
    "an activation as a parameter",
    """
    def excite(x, ratio = 0.25, inner = relu, gate = sigmoid) -> x.channels {
        let squeeze = inner(conv(global_average_pool(x), max(1, floor(ratio * x.channels)), kernel = 1, bias = true))
        let scale = gate(conv(squeeze, x.channels, kernel = 1, bias = true))
        return x * scale
    }
    block_type body(x, channels, stride = 1, inner = relu) -> channels {
        let wide = act(norm(conv(x, channels * 3, kernel = 3, stride = stride)))
        let excited = excite(wide, inner = inner)
        return norm(conv(excited, channels, kernel = 1))
    }
    """,
    """
    block a: body level 2 after s
    block c: body(inner = swish) level 2 from s, a
    block b: body(inner = silu) level 3 from a, c
    """,
)
add(
    "maps chosen by a condition",
    """
    block_type body(x, channels, stride = 1, late = false) -> channels {
        let y = conv(x, channels, kernel = 3, stride = stride)
        return relu(y) if late else y
    }
    """,
    "block a: body level 2 after s\nblock b: body(late = true) level 3 from s, a",
)
add(
    "choices",
    """
    def pick(x, channels, way, deep = false) -> channels {
        if way == 0 { return conv(x, channels, kernel = 1) }
        else if way == 1 { return conv(x, channels, kernel = 3) }
        if way == 2 {
            if deep { return norm(conv(x, channels, kernel = 3)) }
            return norm(conv(x, channels, kernel = 1))
        }
        let y = conv(x, channels, kernel = 5)
        var z = y
        if deep and way == 3 or not deep and way > 4 { z = act(y) } else { let n = norm(y) z = n }
        return z
    }
    block_type body(x, channels, stride = 1, way = 0, deep = false) -> channels {
        let y = conv(x, channels, kernel = 3, stride = stride)
        return pick(y, channels, way, deep)
    }
    """.replace("{ let n = norm(y) z = n }", "{\n let n = norm(y)\n z = n\n }"),
    "\n".join(
        f"block {name}: body(way = {way}, deep = {deep}) level 2 after {source}"
        for name, way, deep, source in (
            ("c", 0, "true", "s"),
            ("d", 1, "false", "c"),
            ("e", 2, "false", "d"),
            ("f", 2, "true", "e"),
            ("g", 3, "true", "f"),
            ("h", 3, "false", "g"),
            ("i", 5, "false", "h"),
            ("b", 5, "true", "i"),
        )
    ),
)
add(
    "windows",
    """
    block_type body(x, channels, stride = 1, kernel = 3, dilation = 1, padding = same) -> channels {
        let y = conv(x, channels, kernel = kernel, stride = stride, dilation = dilation, padding = padding)
        let z = norm(max_pool(y, kernel = kernel))
        return z + average_pool(y, kernel = kernel) + max_pool(relu(y), kernel = 2)
    }
    block_type pools(x, channels, stride = 1) -> channels {
        let a = max_pool(conv(x, channels, kernel = 1), kernel = 3, stride = stride)
        let b = average_pool(conv(x, channels, kernel = 1), kernel = 3, stride = stride)
        return a + b
    }
    """,
    """
    block c: body level 2 after s
    block d: body(kernel = 5) level 2 after c
    block e: body(kernel = 3, dilation = 2) level 2 after d
    block f: body(kernel = 7, padding = symmetric) level 2 after e
    block g: body(kernel = 3, padding = 1) level 3 after f
    block h: pools level 3 after g
    block b: pools level 4 after h
    """,
)
add(
    "arithmetic",
    """
    def same(x) { return x }
    def twice(x) { return same(x) + same(x) }
    block_type body(x, channels, stride = 1, factor = 0.5, offset = 2) -> channels {
        let y = conv(x, channels, kernel = 3, stride = stride)
        let gate = relu6(y + 3) * 0.16667
        let other = (y - (gate - y)) * factor - offset
        let third = -(y + gate) * (1 - other) / 3 + hard_sigmoid(y - 1, slope = 0.2) + hard_sigmoid(y)
        let fourth = third - twice(same(y)) + identity(gate)
        return relu(-fourth * (third + 1) * gate) + gelu(y) + hard_swish(y) + swish(y) + sigmoid(y)
    }
    """,
    "block a: body level 2 after s\nblock b: body(factor = 0.25, offset = -1) level 3 after a",
)
add(
    "several in one let",
    """
    block_type body(x, channels, stride = 1, scale = 1) -> channels {
        let y = conv(x, channels, kernel = 3, stride = stride)
        let gate = sigmoid(conv(relu(conv(global_average_pool(y), 4, kernel = 1) + 1), channels, kernel = 1))
        let mixed = norm(conv(y * gate, channels, kernel = 1)) * 2 + conv(y, channels, kernel = 2)
        let nested = inner(act(norm(conv(mixed, channels, kernel = 1))), channels)
        let unused = conv(mixed, channels, kernel = 1)
        let depth = 2 * scale
        let blown = upsample(max_pool(nested, kernel = 4, stride = 4), levels = depth)
        return layer_norm(blown) + group_norm(nested, groups = 2)
    }
    def inner(z, channels) -> channels { return group_norm(conv(z, channels, kernel = 1), groups = channels / 2) }
    """,
    "block a: body level 2 after s\nblock b: body level 3 after a",
)
add(
    "initialisation",
    """
    block_type body(x, channels, stride = 1, start = 1) -> channels {
        let y = norm(conv(x, channels, kernel = 3, stride = stride, init = uniform, init_scale = 2, init_fan = fan_out))
        let even = conv(y, channels * 2, kernel = 3, groups = 2, init_fan = fan_out, init_scale = 1 / 3)
        let z = batch_norm(even, scale_init = start)
        let w = batch_norm(conv(z, channels, kernel = 1, init = zeros, bias = true, bias_init = -4.6), scale_init = 0)
        let v = conv(y, channels, kernel = 1, bias = true)
        return w * parameter(channels, init = 0.1) + v + conv(y, channels, kernel = 1, init_scale = 2)
    }
    """,
    "block a: body level 2 after s\nblock b: body(start = 0.5) level 3 after a",
)
add(
    "stochastic depth",
    """
    def dropped(x, rate) { return stochastic_depth(x, rate = rate) }
    def never(x) { return stochastic_depth(x, rate = 0) }
    block_type body(x, channels, stride = 1, rate = 0) -> channels {
        let y = conv(x, channels, kernel = 3, stride = stride)
        return dropped(norm(y), rate) + stochastic_depth(y, rate = 0.5) + never(y)
    }
    """,
    "block a: body(rate = 0.1) level 2 after s\nblock b: body(rate = 0.2) level 3 after a",
)
add(
    "without parameters",
    """
    block_type shrink(x, channels, stride = 1) -> channels { return max_pool(x, kernel = stride + 1, stride = stride) }
    resample_type sizes(x, source, target) { return halving_(x, target.level - x.level) }
    def halving_(x, times) {
        var y = x
        repeat times { y = average_pool(y, kernel = 2, stride = 2) }
        return y
    }
    """,
    "block a: shrink level 3 from s\nblock c: shrink level 4 from s, a\nblock b: shrink level 4 after c repeat 2",
    resample="sizes",
)
add(
    "repeated rows",
    """
    block_type tower(x, channels, stride = 1) -> channels {
        return act(norm(conv(x, channels, kernel = 3, stride = stride)))
    }
    """,
    """
    block a: tower level 2 after s repeat 1
    block c: tower level 3 from s, a repeat 2
    block b: tower level 3 channels 16 from a, c repeat 5
    """.replace("channels 16 ", ""),
)
add(
    "names that Python has taken",
    """
    block_type self(torch, channels, nn = 1, stride = 1, in_channels = 2, half = 3, training = 1) -> channels {
        let x = conv(torch, channels * in_channels, kernel = 3, stride = stride)
        var type_ = with_(x, nn)
        repeat range in in_channels { type_ = norm(conv(type_, channels * in_channels, kernel = 1)) }
        let F = torch_(type_, lambda = in_channels)
        var len = F * half + relu(x)
        if in_channels > training { len = len + 1 }
        return activate(odd(conv(len, channels, kernel = 1)))
    }
    def with_(self, forward) { return norm(conv(self, self.channels * forward, kernel = 1)) }
    def torch_(def_, lambda = 1) { return conv(def_, def_.channels, kernel = 1 + lambda) }
    def activate(None) { return relu(None) }
    def odd(x, train = relu, class = swish) { return x + called(x, train = train, class = class) }
    def called(x, train, class) {
        let y = class(train(norm(conv(x, x.channels, kernel = 1))))
        return class(train(y))
    }
    """,
    """
    block a: self level 2 after s
    block l: self(in_channels = 3, half = 4, training = 3) level 2 from s, a
    block O: self level 3 after l
    block b: self level 3 after O
    """,
    name="OrderedDict",
)
add(
    "concat, a map and a list",
    """
    join_type beside(inputs) {
        let mixed = concat(first(inputs), rest(inputs), [constant_map(first(inputs)), last(inputs)])
        let vector = concat(flatten(parameter(2)), flatten(global_average_pool(mixed)), flatten(constant(3)))
        return conv(mixed, 8, kernel = 1) + reshape(linear(vector, 8), 8, like = constant(0))
    }
    def constant_map(x) { return resize(parameter(2), like = x) }
    block_type body(x, channels) -> channels { return conv(x, channels, kernel = 3) }""",
    FANCY.format("body"),
    join="beside",
)
add(
    "reshape, axes and widths that differ",
    """
    def shuffle(x, groups = 2) { return reshape(transpose(reshape(x, groups, x.channels / groups)), x.channels) }
    def regroup(x, inner) {
        let y = reshape(x, inner, x.channels / inner)
        return shuffle(reshape(y, x.channels)) + reshape(reshape(y, x.channels / inner, inner), x.channels)
    }
    block_type tower(x, channels, stride = 1, groups = 4) -> channels {
        let y = conv(shuffle(x), channels * groups, kernel = 3, stride = stride)
        let z = regroup(shuffle(y, groups = groups), 2)
        return conv(softmax(z) * 0.5 + shuffle(y), channels, kernel = 1)
    }""",
    "block a: tower level 2 after s\nblock b: tower(groups = 3) level 3 after a channels 6",
)
add(
    "pad and crop, amounts that differ",
    """
    block_type tower(x, channels, stride = 1, around = 1) -> channels {
        let y = pad(x, top = around, bottom = around, left = around, right = around, value = around / 2)
        let z = conv(y, channels, kernel = 1 + 2 * around, stride = stride, padding = 0)
        return crop(pad(z, top = 2 - around, left = 1), bottom = 2 - around, right = 1)
    }""",
    "block a: tower level 2 after s\nblock b: tower(around = 2) level 3 after a",
)
add(
    "constants and parameters that differ",
    """
    def shifted(x, by, spread) {
        if spread { return x + constant(by, -by, 1, 0.5, 0.25, 3, 2, 1) }
        return x * constant(by) + parameter(x.channels, init = by)
    }
    block_type tower(x, channels, stride = 1, by = 0.1, spread = false) -> channels {
        return shifted(conv(x, channels, kernel = 3, stride = stride), by, spread)
    }""",
    "block a: tower level 2 after s\nblock c: tower(spread = true, by = 0.3) level 2 after a\n"
    "block b: tower(by = 0.2) level 3 after c",
)
