"""Random block types: a list of small numbers becomes the body of a `block_type`, valid whatever the numbers are.

Every step keeps the channels and the size of its map, so any steps in any order are a definition that takes any stride,
any input and any channels.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

# Steps of several lines.
KEPT = """\
var kept{n} = []
    repeat i{n} in 2 {{
        kept{n} = kept{n} + [conv(y, channels, kernel = [3, 5][i{n}], groups = channels)]
    }}
    y = conv(concat(kept{n}), channels, kernel = 1)"""
RESPONSE = """\
let long{n} = sqrt(global_sum_pool(y * y) + 0.5)
    y = y + parameter(channels) * (y * long{n} / (channel_mean(long{n}) + 1))"""
CROSSED = """\
var cross{n} = y
    each p{n} in [global_max_pool(y, over = width), global_sum_pool(y, over = height) * 0.1] {{
        cross{n} = cross{n} + act(shared norm(shared conv(p{n}, channels, kernel = 1)))
    }}
    y = act(cross{n})"""
MIRRORED = """\
let wide{n} = pad(upsample(y, levels = 1), top = 1, bottom = 1, left = 1, right = 1, mode = reflect)
    y = y + average_pool(average_pool(wide{n}, kernel = 2, padding = 0), kernel = 2, stride = 2, padding = 0)"""
STANDARDISED = """\
repeat i{n} in 2 {{ y = conv(y, channels, kernel = 3, weight = scaled if i{n} == 0 else plain, gain_init = 0.5) }}
    y = norm(conv(y, channels, kernel = 2, weight = standardised, epsilon = 1e-3, bias = true))"""
LARGER = """\
if y.level > 0 {{
        let larger{n} = conv_transpose(y, channels, kernel = 4, stride = 2)
        y = average_pool(larger{n}, kernel = 2, stride = 2)
    }}"""
ENLARGED = """\
if y.level > 1 {{
        let enlarged{n} = upsample(identity(y), levels = 2, mode = bilinear)
        y = conv(enlarged{n}, channels, kernel = 4, stride = 4)
    }}"""
# Numbers near the ends of what float32 holds.
ENDS = """\
let large{n} = min(constant(1e30) * 1e8, 0.5)
    y = y + large{n} * (constant(power(2, -99)) * power(2, 99))"""
# What a step does; `{n}` is its number, for names of its own. Some indices have names of what generated code defines.
STEPS = (
    "y = act(y)",
    "y = norm(y)",
    "let refine{n} = norm(conv(y, channels, kernel = 3))\n    y = y + refine{n}",
    "y = conv(y, channels, kernel = 5, groups = channels)",
    "let wide{n} = act(conv(y, channels * 2, kernel = 1))\n    y = conv(wide{n}, channels, kernel = 1, bias = true)",
    "y = y * sigmoid(conv(global_average_pool(y), channels, kernel = 1, bias = true))",
    "y = max_pool(y, kernel = 3)",
    "y = average_pool(y, kernel = 3)",
    "y = slice(concat(y, relu(y)), channels, start = 1)",
    "repeat 2 {{ y = act(shared conv(y, channels, kernel = 3)) }}",
    "repeat rep in 2 {{ y = y + conv(y, channels, kernel = 1 + 2 * rep) }}",
    "y = layer_norm(y)",
    "y = y * parameter(channels, init = 0.5)",
    "y = y * 0.5 + 0.125",
    "if x.level > 2 {{ y = gelu(y) }} else {{ y = hard_swish(y) }}",
    "y = stochastic_depth(y, rate = 0.1) + dropout(y, rate = 0.2)",
    "y = conv(y, channels, kernel = 3, dilation = 2)",
    "y = resize(y, like = enter)",
    "y = l2_normalise(y)",
    "y = hard_sigmoid(y, slope = 0.16667) * softmax(y)",
    "y = slice(reshape(transpose(reshape(concat(y, relu(y)), 2, channels)), channels * 2), channels, start = 1)",
    "y = act(norm(conv(pad(y, top = 1, bottom = 1, left = 2, value = -0.5), channels, kernel = 3, padding = 0)))",
    "y = crop(pad(y, bottom = 1), top = 1) + y",
    "y = y * sigmoid(conv(concat(parameter(2), global_average_pool(y), constant(0.5, -1)), channels, kernel = 1))",
    "y = y + parameter(channels, init = truncated_normal)",
    "repeat i{n} in 3 {{ y = act(y) if i{n} == 1 else norm(conv(y, channels, kernel = 1)) }}",
    "repeat rep in 3 {{ if rep < 2 {{ y = y + conv(y, channels, kernel = 1) }} else {{ y = swish(norm(y)) }} }}",
    "repeat own in 2 {{ repeat rep in 2 {{ y = sigmoid(y) if own == rep else conv(y, channels, kernel = 1) }} }}",
    "each p{n} in [y, conv(y, channels, kernel = 1)] {{ y = y + act(p{n}) }}",
    "each p{n} in [x, enter] {{ y = y + conv(resize(p{n}, like = y), channels, kernel = 1) }}",
    "each p{n} in [y, relu(y)] {{ repeat own in 2 {{ y = y + (norm(p{n}) if own == 0 else p{n}) }} }}",
    "y = conv(y, channels, kernel = 3) if channels > 8 else y + act(norm(y))",
    KEPT,
    RESPONSE,
    # `{op}` is a parameter, or else `{far}`; see GIVEN.
    "y = {op}(y, channels)",
    "repeat i{n} in 2 {{ let held{n} = {op} if i{n} == 0 else {far}\n    y = held{n}(y, channels) }}",
    "let given{n} = {near}(y, channels, op = {op})\n    y = given{n}",
    "each k{n} in [3, 1] {{ y = act(conv(y, channels, kernel = k{n})) * k{n} + shared conv(y, channels, kernel = 1) }}",
    "repeat i{n} in 2 {{ each k{n} in [i{n}, 1] {{ y = norm(y) * k{n} + shared conv(y, channels, kernel = 1) }} }}",
    "y = channel_conv(y, kernel = 5) * sigmoid(channel_conv(global_average_pool(y), kernel = 3))",
    "y = y * sigmoid(norm(conv(global_average_pool(y, over = width), channels, kernel = 3)))",
    CROSSED,
    # Behind `upsample` a map has two rows and columns at least, so that one can be mirrored.
    MIRRORED,
    "y = conv(pad(y, top = 2, right = 2, mode = edge), channels, kernel = 3, padding = 0)",
    "repeat 2 {{ y = act(shared norm(shared conv(y, channels, kernel = 3))) }}",
    "repeat i{n} in 2 {{ y = act(shared norm(conv(y, channels, kernel = 1) if i{n} == 0 else y)) }}",
    "repeat 2 {{ y = act(norm(shared conv(y, channels, kernel = 1, bias = true))) }}",
    "y = conv(y, channels, kernel = [1, 5]) + conv(y, channels, kernel = [3, 1], padding = [1, 0], groups = channels)",
    "y = max_pool(y, kernel = [3, 1]) + average_pool(y, kernel = [1, 3])",
    "y = conv(y, channels, kernel = 5, padding = symmetric) + conv(y, channels, kernel = 3, dilation = 2, padding = 2)",
    "y = group_norm(y, groups = 1) * exp(min(y, 1) - 1)",
    "y = max(y, -3, norm(y) * 0.5) + min(y, act(y), 2)",
    "y = y * sigmoid(channel_max(y) - channel_sum(y) * 0.125) + relu6(y)",
    "y = y * sigmoid(conv(adaptive_average_pool(y, size = 1) + global_max_pool(y), channels, kernel = 1))",
    LARGER,
    "if y.level > 0 {{ y = max_pool(pixel_shuffle(conv(y, channels * 4, kernel = 1)), kernel = 3, stride = 2) }}",
    ENLARGED,
    STANDARDISED,
    "repeat 2 {{ y = y + act(shared conv(y, channels, kernel = 3, weight = scaled, gamma = 1.7, bias = true)) }}",
    "y = act(norm(conv(y, channels, kernel = [3, 1], groups = channels, weight = standardised)))",
    ENDS,
)
# What those steps call; `op` of a block type is one of the two.
GIVEN = """\
def {far}(x, channels) {{
    let far = conv(x, channels, kernel = 3, dilation = 2, groups = channels)
    return act(norm(far))
}}

def {near}(x, channels, op = {far}) {{
    return op(conv(x, channels, kernel = 1), channels) + x
}}

"""
KERNELS = (3, 1, 5)
HIGHEST = len(STEPS) - 1

Numbers = Sequence[int]


def decode(name: str, numbers: Numbers) -> str:
    """The definition of any numbers: the first tells kernel, shortcut, whether a stride has to be given, and `op`.

    Each other one is a step. What they call stands above it.
    """
    first, *steps = numbers or [0]
    near, far, takes = f"{name}_near", f"{name}_far", first // 18 % 2
    lines = [f"let enter = conv(x, channels, kernel = {KERNELS[first % 3]}, stride = stride)", "var y = act(enter)"]
    called = {"near": near, "far": far, "op": "op" if takes else far}
    lines += [STEPS[step % len(STEPS)].format(n=n, **called) for n, step in enumerate(steps)]
    if first // 3 % 2:
        lines.append("if stride == 1 and x.channels == channels { return x + y }")
    body = "".join(f"    {line}\n" for line in [*lines, "return y"])
    stride = "stride" if first // 6 % 3 == 2 else "stride = 1"
    given = GIVEN.format(near=near, far=far) if takes or far in body else ""
    op = f", op = {near}" if takes else ""
    return f"{given}block_type {name}(x, channels, {stride}{op}) -> channels {{\n{body}}}\n"


def uses(name: str, text: str) -> list[str]:
    """How rows may name a block type that was decoded: as it is, and with another definition."""
    return [name, f"{name}(op = {name}_far)"] if f"op = {name}_near" in text else [name]


def numbers(most: int = 5) -> st.SearchStrategy[list[int]]:
    """What a block type is decoded from, with at most `most` steps."""
    return st.lists(st.integers(0, HIGHEST), min_size=1, max_size=most + 1)


def block_types(name: str = "drawn", most: int = 5) -> st.SearchStrategy[str]:
    """Texts of valid block types of one name, with at most `most` steps. They need nothing imported."""
    return st.builds(lambda drawn: decode(name, drawn), numbers(most))
