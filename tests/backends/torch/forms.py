"""Definitions of every form: choices, loops and lists inside each other, each in a network that uses it several times.

`texts.py` has those whose classes are looked at; these only have to be right.
"""

from __future__ import annotations

UNIT = """
def unit(x, channels, activation = relu, kernel = 1) -> channels {
    return activation(norm(conv(x, channels, kernel = kernel)))
}
"""
BARE = """
block_type bare(x, channels, stride = 1) -> channels { return conv(x, channels, kernel = 3, stride = stride) }
"""
TWICE = "block a: body level 2 after s\nblock b: body level 2 after a"
STRIDE = "block a: body level 2 after s\nblock b: body level 3 after a"
HEAD = """
block a: bare level 2 after s
block c: bare level 3 after a
block b: bare level 4 after c
output Q2: a
output Q3: c
head h: tower from Q2, Q3 channels 6
"""
FORMS: dict[str, tuple[str, str]] = {
    "transposes whose axes differ": (
        """
        block_type body(x, channels, axis = 1) -> channels {
            let y = transpose(reshape(x, channels / 4, 2, 2), first = 0, second = axis)
            return conv(reshape(y, channels), channels, kernel = 1)
        }
        """,
        "block a: body level 2 after s\nblock b: body(axis = 2) level 2 after a",
    ),
    "an average pool before a convolution": (
        """
        block_type body(x, channels, stride = 1) -> channels {
            return act(norm(conv(average_pool(x, kernel = 3, stride = stride, padding = 1), channels, kernel = 1)))
        }
        """,
        STRIDE,
    ),
    "an average pool with a name": (
        """
        block_type body(x, channels, stride = 1) -> channels {
            let smooth = average_pool(x, kernel = 3, stride = stride, padding = 1)
            let pick = max_pool(smooth, kernel = 3, stride = 1, padding = 1)
            return act(norm(conv(pick, channels, kernel = 1)))
        }
        """,
        STRIDE,
    ),
    "dilations that differ": (
        """
        block_type body(x, channels, stride = 1, dilation = 1) -> channels {
            return act(norm(conv(x, channels, kernel = 3, stride = stride, dilation = dilation)))
        }
        """,
        "block a: body(dilation = 2) level 2 after s\nblock c: body(dilation = 3) level 3 after a\nblock b: body level 4 after c",
    ),
    "a dilated stride": (
        """
        block_type body(x, channels, stride = 1, dilation = 2) -> channels {
            return act(norm(conv(x, channels, kernel = 3, stride = stride, dilation = dilation)))
        }
        """,
        "block a: body(dilation = 3) level 3 after s\nblock b: body level 4 after a",
    ),
    "a list whose maps the loop changes": (
        """
        block_type body(x, channels) -> channels {
            var y = conv(x, channels, kernel = 1)
            each p in [y, x, y] { y = y + act(conv(p, channels, kernel = 1)) }
            return y
        }
        """,
        TWICE,
    ),
    "a list that the loop changes": (
        """
        block_type body(x, channels) -> channels {
            var y = conv(x, channels, kernel = 1)
            var ps = [y, x]
            each p in ps {
                y = y + act(conv(p, channels, kernel = 1))
                ps = [y, y]
            }
            return y + sum(ps)
        }
        """,
        TWICE,
    ),
    "a list in a loop's head": (
        """
        block_type body(x, channels) -> channels {
            let left = conv(x, channels, kernel = 1)
            let right = conv(x, channels, kernel = 3)
            var y = x
            each p in [left, right, x] { y = y + act(conv(p, channels, kernel = 1)) }
            return y
        }
        """,
        TWICE,
    ),
    "a list of one in a loop's head": (
        """
        block_type body(x, channels) -> channels {
            var y = x
            each p in [x] { y = y + act(p) }
            return y + sum([x])
        }
        """,
        TWICE,
    ),
    "nothing around": (
        """
        block_type body(x, channels, more = 0) -> channels {
            let y = conv(pad(crop(x, left = more), left = more), channels, kernel = 3)
            return crop(pad(y))
        }
        """,
        TWICE,
    ),
    "an arm that does nothing": (
        """
        block_type body(x, channels, stride = 1, deep = false) -> channels {
            var y = conv(x, channels, kernel = 3, stride = stride)
            if deep { y = y } else { let more = conv(y, channels, kernel = 1)
                y = act(more) }
            return y
        }
        """,
        "block a: body level 2 after s\nblock b: body(deep = true) level 3 after a",
    ),
    "an arm without weights first": (
        """
        block_type body(x, channels, stride = 1, deep = false) -> channels {
            var y = conv(x, channels, kernel = 3, stride = stride)
            if deep { y = relu(y) } else { y = act(norm(conv(y, channels, kernel = 1))) }
            return y
        }
        """,
        "block a: body level 2 after s\nblock b: body(deep = true) level 3 after a",
    ),
    "the other arm returns": (
        """
        block_type body(x, channels, stride = 1, deep = false) -> channels {
            var y = conv(x, channels, kernel = 3, stride = stride)
            if deep { y = y + relu(y) } else { return swish(y) }
            return conv(y, channels, kernel = 1)
        }
        """,
        "block a: body level 2 after s\nblock b: body(deep = true) level 3 after a",
    ),
    "both arms return": (
        """
        block_type body(x, channels, stride = 1, deep = false) -> channels {
            let y = conv(x, channels, kernel = 3, stride = stride)
            if deep { return y } else { return swish(norm(y)) }
        }
        """,
        "block a: body level 2 after s\nblock b: body(deep = true) level 3 after a",
    ),
    "both arms have weights": (
        """
        block_type body(x, channels, stride = 1, deep = false) -> channels {
            var y = conv(x, channels, kernel = 3, stride = stride)
            if deep { let left = norm(conv(y, channels, kernel = 1))
                y = left } else { let right = norm(conv(y, channels, kernel = 3))
                let again = act(right)
                y = again + y }
            return y
        }
        """,
        "block a: body level 2 after s\nblock b: body(deep = true) level 3 after a",
    ),
    "a choice of attributes": (
        """
        block_type body(x, channels, stride = 1, large = true, kernel = 5) -> channels {
            let first = conv(x, channels, kernel = kernel if large else 3, stride = stride)
            let second = conv(first, channels, kernel = kernel if true else 3)
            return act(second + conv(first, channels, kernel = 1 if false else kernel))
        }
        """,
        "block a: body level 2 after s\nblock b: body(large = false, kernel = 3) level 3 after a",
    ),
    "modes that differ": (
        """
        block_type body(x, channels, mode = nearest) -> channels {
            let down = conv(x, channels, kernel = 3, stride = 2)
            return x + upsample(down, levels = 1, mode = mode)
        }
        """,
        "block a: body level 2 after s\nblock b: body(mode = bilinear) level 2 after a",
    ),
    "activations by iteration": (
        UNIT
        + """
        block_type body(x, channels, stride = 1, activation = swish) -> channels {
            var y = conv(x, channels, kernel = 3, stride = stride)
            repeat i in 3 { y = unit(y, channels) if i == 0 else unit(y, channels, activation) }
            return y
        }
        """,
        "block a: body level 2 after s\nblock b: body(activation = gelu) level 3 after a",
    ),
    "kernels by iteration": (
        """
        block_type body(x, channels, depth = 2) -> channels {
            var y = x
            repeat i in depth { repeat j in i + 1 { y = y + act(conv(x, channels, kernel = 2 * j + 1, dilation = i + 1)) } }
            return y
        }
        """,
        "block a: body level 2 after s\nblock b: body(depth = 3) level 2 after a",
    ),
    "a choice in a loop": (
        """
        block_type body(x, channels, depth = 2, first = true) -> channels {
            var y = x
            repeat i in depth { if first and i == 0 { y = conv(y, channels, kernel = 1) } else { y = y + act(norm(conv(y, channels, kernel = 3))) } }
            return y
        }
        """,
        "block a: body level 2 after s\nblock b: body(depth = 3, first = false) level 2 after a",
    ),
    "a return in a choice in a choice": (
        """
        block_type body(x, channels, a = 1, b = 1) -> channels {
            if a == 1 { if b == 1 { return conv(x, channels, kernel = 1) }
                let inner = act(conv(x, channels, kernel = 3))
                if b == 2 { return inner }
                return inner + x }
            return norm(conv(x, channels, kernel = 3))
        }
        """,
        "block a: body level 2 after s\nblock c: body(b = 2) level 2 after a\nblock d: body(b = 3) level 2 after c\nblock b: body(a = 2) level 2 after d",
    ),
    "differences": (
        """
        block_type body(x, channels) -> channels {
            let y = conv(x, channels, kernel = 1)
            return 3 - (x - y) * (1 - sigmoid(y)) - 2 * x / 3 + (-y)
        }
        """,
        TWICE,
    ),
    "outer index": (
        UNIT
        + """
        block_type body(x, channels) -> channels {
            var y = x
            repeat i in 2 { repeat j in 3 { y = unit(y, channels) if i == 0 else unit(y, channels, swish) } }
            return y
        }
        """,
        TWICE,
    ),
    "both indices": (
        UNIT
        + """
        block_type body(x, channels) -> channels {
            var y = x
            repeat i in 3 { repeat j in 2 { y = unit(y, channels) if i == j else unit(y, channels, swish) } }
            return y
        }
        """,
        TWICE,
    ),
    "alternating": (
        UNIT
        + """
        block_type body(x, channels, depth = 5) -> channels {
            var y = x
            repeat i in depth { y = unit(y, channels) if i - 2 * floor(i / 2) == 0 else unit(y, channels, swish) }
            return y
        }
        """,
        "block a: body level 2 after s\nblock b: body(depth = 2) level 2 after a",
    ),
    "three ways": (
        UNIT
        + """
        block_type body(x, channels) -> channels {
            var y = x
            repeat i in 6 { y = unit(y, channels) if i < 2 else unit(y, channels, swish) if i < 4 else unit(y, channels, gelu) + y }
            return y
        }
        """,
        TWICE,
    ),
    "by level": (
        UNIT
        + BARE
        + """
        head_type tower(features, channels) -> channels {
            each p in features {
                let y = unit(p, channels) if p.level == 2 else unit(p, channels, swish)
                yield conv(y, channels, kernel = 1) if p.level == 3 else y
            }
        }
        """,
        HEAD,
    ),
    "norms by iteration": (
        """
        block_type body(x, channels) -> channels {
            var y = x
            repeat i in 3 { let n = norm(y) if i == 0 else layer_norm(y)
                y = y + act(conv(n, channels, kernel = 1)) }
            return y
        }
        """,
        TWICE,
    ),
    "shared but for the first": (
        """
        block_type body(x, channels) -> channels {
            var y = x
            repeat i in 3 { y = act(conv(y, channels, kernel = 1) if i == 0 else shared conv(y, channels, kernel = 3)) }
            return y
        }
        """,
        TWICE,
    ),
    "lists of other lengths": (
        """
        block_type body(x, channels) -> channels {
            var y = x
            repeat i in 3 { y = act(conv(concat([x, y]) if i == 0 else concat([x, y, y]), channels, kernel = 1)) }
            return y
        }
        """,
        TWICE,
    ),
    "lists by name": (
        """
        block_type body(x, channels) -> channels {
            var y = x
            repeat i in 3 { let l = [x, y] if i == 0 else [x, y, y]
                y = act(conv(sum(l), channels, kernel = 1)) }
            return y
        }
        """,
        TWICE,
    ),
    "a choice that differs by use too": (
        UNIT
        + """
        block_type body(x, channels, activation = relu, turn = 1) -> channels {
            var y = x
            repeat i in 3 { y = unit(y, channels, activation) if i == turn else unit(y, channels, sigmoid) }
            return y
        }
        """,
        "block a: body level 2 after s\nblock c: body(turn = 2) level 2 after a\nblock b: body(activation = gelu) level 2 after c",
    ),
    "an activation of each": (
        """
        block_type body(x, channels, first = relu, then = swish) -> channels {
            var y = x
            each p in [x, conv(x, channels, kernel = 1)] { repeat i in 2 { y = y + (first(p) if i == 0 else then(p)) } }
            return y
        }
        """,
        TWICE,
    ),
    "maps or themselves": (
        """
        block_type body(x, channels) -> channels {
            var y = x
            repeat i in 3 { y = y if i == 1 else act(norm(conv(y, channels, kernel = 1))) }
            return y
        }
        """,
        TWICE,
    ),
    "numbers or maps": (
        """
        block_type body(x, channels) -> channels {
            var y = x
            repeat i in 3 { y = y * (2 if i == 1 else sigmoid(conv(x, channels, kernel = 1))) }
            return y
        }
        """,
        TWICE,
    ),
    "activation in a let": (
        """
        block_type body(x, channels) -> channels {
            var y = x
            repeat i in 3 { let a = relu if i == 0 else swish
                y = a(norm(conv(y, channels, kernel = 1))) }
            return y
        }
        """,
        TWICE,
    ),
    "a long loop": (
        """
        block_type body(x, channels) -> channels {
            var y = x
            repeat i in 300 { y = relu(y) if i - 3 * floor(i / 3) == 0 else swish(y) }
            return y
        }
        """,
        TWICE,
    ),
    "lists as arguments": (
        """
        def mix(maps, channels) -> channels {
            var y = first(maps)
            each p in rest(maps) { y = y + conv(p, channels, kernel = 1) }
            return act(y / len(maps))
        }
        block_type body(x, channels) -> channels { return mix([x, conv(x, channels, kernel = 3), norm(x)], channels) + mix([x, relu(x)], channels) }
        """,
        TWICE,
    ),
    "lists of lists' items": (
        """
        def mix(maps, channels) -> channels {
            let a = [last(maps), first(maps)]
            return conv(concat(a), channels, kernel = 1) + sum(maps)
        }
        block_type body(x, channels) -> channels { return mix([x, conv(x, channels, kernel = 3)], channels) }
        """,
        TWICE,
    ),
    "an each in an each": (
        """
        block_type body(x, channels) -> channels {
            let l = [x, conv(x, channels, kernel = 3)]
            var y = x
            each p in l { each q in [p, x] { y = y + conv(p * q, channels, kernel = 1) } }
            return y
        }
        """,
        TWICE,
    ),
    "an each in a repeat": (
        """
        block_type body(x, channels) -> channels {
            var y = x
            repeat i in 2 { each q in [y, conv(y, channels, kernel = 3)] { y = y + act(conv(q, channels, kernel = 2 * i + 1)) } }
            return y
        }
        """,
        TWICE,
    ),
    "a list in a repeat's each with choice": (
        """
        block_type body(x, channels) -> channels {
            var y = x
            repeat i in 3 { each q in [y, conv(y, channels, kernel = 3)] if i == 0 else [x, y] { y = y + act(q) } }
            return y
        }
        """,
        TWICE,
    ),
    "a def with a choice of result": (
        UNIT
        + """
        def pick(x, y, channels, which = 0) {
            if which == 0 { return x }
            if which == 1 { return unit(y, channels) }
            return x + y
        }
        block_type body(x, channels) -> channels {
            let y = unit(x, channels, kernel = 3)
            return pick(x, y, channels) + pick(x, y, channels, which = 1) + pick(x, y, channels, which = 2)
        }
        """,
        TWICE,
    ),
    "a head with choices of yields": (
        BARE
        + """
        head_type tower(features, channels, twice = true) -> channels {
            each p in features {
                let scores = conv(p, channels, kernel = 1)
                yield scores
                if twice { let boxes = act(conv(p, channels, kernel = 3))
                    yield boxes }
            }
        }
        """,
        HEAD,
    ),
    "a head that shares in a choice": (
        BARE
        + """
        head_type tower(features, channels) -> channels {
            each p in features {
                var y = p
                repeat i in 3 { y = act(norm(shared conv(y, channels, kernel = 3))) if i < 2 else y + act(shared conv(y, channels, kernel = 1)) }
                yield y
            }
        }
        """,
        HEAD,
    ),
    "a head over parts": (
        BARE
        + """
        head_type tower(features, channels) -> channels {
            let top = last(features)
            each p in rest(features) { yield conv(p, channels, kernel = 1) }
            let all = global_average_pool(first(features))
            let more = linear(flatten(all), channels)
            yield more
            let top_one = conv(top, channels, kernel = 1)
            yield top_one
        }
        """,
        HEAD,
    ),
    "parameters in loops": (
        """
        block_type body(x, channels) -> channels {
            var y = x
            repeat i in 3 { y = y * parameter(channels, init = i + 1) + parameter(1, init = 0) }
            return conv(y, channels, kernel = 1)
        }
        """,
        TWICE,
    ),
    "a scalar var": (
        """
        block_type body(x, channels) -> channels {
            var k = 1
            var y = x
            repeat i in 3 { y = y + act(conv(x, channels, kernel = k))
                k = k + 2 }
            return conv(y, channels, kernel = k)
        }
        """,
        TWICE,
    ),
    "a scalar var in a choice": (
        """
        block_type body(x, channels, wide = false) -> channels {
            var k = 1
            if wide { k = 3 }
            var y = conv(x, channels, kernel = k)
            repeat i in k { y = act(norm(conv(y, channels * k, kernel = 1)))
                y = conv(y, channels, kernel = 1) }
            return y
        }
        """,
        "block a: body level 2 after s\nblock b: body(wide = true) level 2 after a",
    ),
    "a flag by arithmetic": (
        UNIT
        + """
        block_type body(x, channels, stride = 1) -> channels {
            let same = stride == 1 and x.channels == channels
            let y = unit(conv(x, channels, kernel = 3, stride = stride), channels)
            return y + x if same else y
        }
        """,
        "block a: body level 2 after s\nblock c: body level 3 after a\nblock b: body level 3 channels 12 after c",
    ),
    "groups and widths": (
        """
        block_type body(x, channels, groups = 4) -> channels {
            let width = max(floor(channels / groups) * groups, groups)
            let y = conv(x, width, kernel = 1)
            let z = conv(y, width * 2, kernel = 3, groups = groups)
            return conv(z, channels, kernel = 1, groups = min(groups, 2))
        }
        """,
        "block a: body level 2 after s\nblock b: body(groups = 2) level 2 channels 16 after a",
    ),
    "zero repeats": (
        UNIT
        + """
        block_type body(x, channels, depth = 0) -> channels {
            var y = x
            repeat depth { y = unit(y, channels) }
            repeat i in depth - depth { y = unit(y, channels) }
            return conv(y, channels, kernel = 1)
        }
        """,
        "block a: body level 2 after s\nblock b: body(depth = 2) level 2 after a",
    ),
    "calls in arguments": (
        UNIT
        + """
        block_type body(x, channels) -> channels {
            return unit(unit(x, channels, kernel = 3) + unit(relu(x), channels, swish), channels, activation = sigmoid)
        }
        """,
        TWICE,
    ),
    "a let twice used and dead": (
        UNIT
        + """
        block_type body(x, channels) -> channels {
            let a = unit(x, channels)
            let b = a
            let dead = unit(b, channels)
            let c = b + b
            return c * a
        }
        """,
        TWICE,
    ),
    "vectors": (
        """
        block_type body(x, channels) -> channels {
            let v = flatten(global_average_pool(x))
            var g = linear(v, channels / 2)
            repeat i in 2 { g = relu(linear(g, channels / 2)) if i == 0 else linear(g, channels) }
            return x * sigmoid(reshape(g, channels, like = global_average_pool(x)))
        }
        """,
        TWICE,
    ),
    "splits": (
        """
        block_type body(x, channels) -> channels {
            let part = channels / 2
            var y = slice(x, part)
            var rest_ = slice(x, part, start = part)
            repeat i in 2 { y = y + conv(rest_, part, kernel = 1)
                rest_ = rest_ + y }
            return concat(y, rest_)
        }
        """,
        TWICE,
    ),
    "a repeat of nothing but names": (
        """
        block_type body(x, channels) -> channels {
            var y = x
            var z = conv(x, channels, kernel = 1)
            repeat 3 { let w = y
                y = z
                z = w }
            return y + z * 2
        }
        """,
        TWICE,
    ),
    "lists made in the heads of loops": (
        """
        block_type body(x, channels) -> channels {
            var y = x
            each p in [y, conv(y, channels, kernel = 1)] { y = y + act(p) }
            each r in [norm(conv(y, channels, kernel = 3)), x] { y = y + act(norm(conv(r, channels, kernel = 1))) }
            each q in [conv(y, channels, kernel = 1)] { y = y + q }
            let ps = conv(y, channels, kernel = 1)
            return ps
        }
        """,
        TWICE,
    ),
    "a value that nothing reads": (
        """
        block_type body(x, channels) -> channels {
            let y = act(norm(conv(x, channels, kernel = 3)))
            let unread = norm(conv(y, channels, kernel = 1))
            var again = conv(y, channels, kernel = 1)
            repeat 2 { again = act(norm(conv(again, channels, kernel = 1))) }
            return y
        }
        """,
        TWICE,
    ),
    "a value that one use reads": (
        """
        block_type body(x, channels, stride = 1) -> channels {
            let project = norm(conv(x, channels, kernel = 1, stride = stride))
            let y = act(norm(conv(x, channels, kernel = 3, stride = stride)))
            if stride == 1 { return x + y }
            return project + y
        }
        """,
        STRIDE,
    ),
    "a list that nothing reads": (
        """
        block_type body(x, channels) -> channels {
            var y = conv(x, channels, kernel = 3)
            let parts = [conv(y, channels, kernel = 1), y]
            each p in [conv(y, channels, kernel = 1), y] { let z = conv(p, channels, kernel = 1) }
            each q in [conv(y, channels, kernel = 1), y] { y = relu(y) }
            return y
        }
        """,
        TWICE,
    ),
    "an argument that nothing reads": (
        """
        def helper(x, channels, z) { return conv(x, channels, kernel = 1) }
        block_type body(x, channels) -> channels {
            let y = act(norm(conv(x, channels, kernel = 3)))
            let unread = helper(y, channels, relu(y))
            return helper(y, channels, conv(y, channels, kernel = 1))
        }
        """,
        TWICE,
    ),
    "an argument of which only the channels are read": (
        """
        def shortcut(x, like) { return x if x.channels == like.channels else norm(conv(x, like.channels, kernel = 1)) }
        block_type body(x, channels) -> channels {
            let y = conv(x, channels, kernel = 3)
            return y + shortcut(x, conv(y, channels, kernel = 1))
        }
        """,
        TWICE,
    ),
    "loops one after another whose indices and items have one name": (
        """
        block_type body(x, channels, stride = 1) -> channels {
            var y = conv(x, channels, kernel = 3, stride = stride)
            repeat i in 3 { y = act(y) if i == 1 else norm(conv(y, channels, kernel = 1)) }
            repeat i in 2 { repeat j in i + 1 { y = conv(y, channels, kernel = 1) if i == j else act(y) } }
            repeat j in 2 { repeat i in 2 { y = conv(y, channels, kernel = 1) if i == j else act(y) } }
            let i = channels / 2
            each p in [conv(y, i, kernel = 1), conv(y, i, kernel = 3)] {
                let z = conv(p, channels, kernel = 1)
                y = y + z
            }
            repeat k in 2 { each p in [y, conv(y, channels, kernel = 1)] { y = y + act(p) } }
            let p = conv(y, i, kernel = 1)
            let p0 = conv(p, channels, kernel = 1)
            return p0
        }
        """,
        STRIDE,
    ),
}
