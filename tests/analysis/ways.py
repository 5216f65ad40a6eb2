"""Blocks that read their map in ways of their own: every primitive, and where maps stand when ways meet.

Each is the body of `block_type own(x, channels)`, at level 3 and back there, in a network with a map of level 3 above
it whose positions differ: it went up from level 4.
"""

from __future__ import annotations

WAYS = {
    "squares of channels as positions, and back": """
        return conv(pixel_shuffle(conv(pixel_unshuffle(x), channels * 4, kernel = 3)), channels, kernel = 3)""",
    "by places of a square alone": """
        return upsample(slice(pixel_unshuffle(conv(x, channels, kernel = 3), factor = 4), channels), levels = 2) + x""",
    "over all channels": """
        let y = conv(x, channels, kernel = 3)
        return channel_max(y) * y + channel_mean(x) / (1 + exp(min(channel_sum(y), 1)))""",
    "along the channels": """
        let y = concat(slice(x, 1), conv(slice(x, 1), 3, kernel = 5), x, conv(slice(x, 1), 2, kernel = 9))
        return slice(channel_conv(y, kernel = 3), channels) + x""",
    "number by number": """
        let y = max(conv(x, channels, kernel = 3), 0.5, x)
        return min(y, conv(x, channels, kernel = 5)) + power(x, 2) + max(x, 1)""",
    "kernels of two sides": "return conv(conv(x, channels, kernel = [1, 7]), channels, kernel = [3, 1])",
    "kernels that are standardised": """
        let y = conv(x, channels, kernel = [1, 5], weight = standardised)
        return conv(y, channels, kernel = 3, dilation = 2, weight = scaled, gamma = 1.5) + x""",
    "the largest of all positions": "return x * global_max_pool(x)",
    "the sum of all positions": "return x * global_sum_pool(x)",
    "a grid, and back": "return x + resize(adaptive_average_pool(x, 1), like = x)",
    "a window of each padding": """
        return conv(conv(x, channels, kernel = 5, padding = symmetric), channels, kernel = 3, padding = 1)""",
    "windows that overlap to one side": "return conv(conv(x, channels, kernel = 2), channels, kernel = 4)",
    "two ways, one to the right of the other": """
        return conv(pad(x, right = 6, bottom = 6), channels, kernel = 7, padding = 0) + x""",
    "two ways that lie apart": """
        return crop(pad(x, left = 9), right = 9) + crop(pad(x, right = 7), left = 7)""",
    "along one axis alone": "return crop(pad(x, top = 5), bottom = 5) + x",
    "along the other axis alone": "return crop(pad(x, left = 5), right = 5) + x",
    "mirrored at the edge": """
        let wide = conv(pad(x, left = 2, right = 3, top = 1, mode = reflect), channels, kernel = [2, 6], padding = 0)
        return wide + crop(pad(x, bottom = 4, mode = edge), top = 4)""",
    "blurred": """
        let wide = pad(x, left = 1, right = 1, top = 1, bottom = 1, mode = reflect)
        let low = average_pool(average_pool(wide, kernel = 2, padding = 0), kernel = 2, stride = 2, padding = 0)
        return conv(upsample(low, levels = 1), channels, kernel = 3) + x""",
    "over one side alone": """
        let wide = conv(x, channels, kernel = [5, 1])
        return conv(x, channels, kernel = 3) * global_average_pool(wide, over = width)""",
    "over the other side alone": """
        let line = conv(global_max_pool(x, over = height), channels, kernel = [3, 7], padding = [1, 3])
        return x + line""",
    "over both sides, one after another": "return x * global_max_pool(global_sum_pool(x, over = width), over = height)",
    "dilated": "return conv(x, channels, kernel = 3, dilation = 5) + max_pool(x, kernel = 2)",
    "a stride wider than the kernel": """
        return upsample(conv(x, channels, kernel = 1, stride = 4), levels = 2) + x""",
    "down and up": "return upsample(max_pool(conv(x, channels, kernel = 3), kernel = 3, stride = 4), levels = 2) + x",
    "down and up, in between": """
        let low = average_pool(x, kernel = 4, stride = 2)
        return conv(upsample(conv(low, channels, kernel = 3), levels = 1), channels, kernel = 3)""",
    "bilinear": """
        let low = conv(x, channels, kernel = 2, stride = 2)
        return upsample(low, levels = 1, mode = bilinear) + x""",
    "bilinear over two levels": """
        let low = conv(x, channels, kernel = 3, stride = 4, padding = same)
        return conv(upsample(low, levels = 2, mode = bilinear), channels, kernel = 2)""",
    "bilinear over no level": "return upsample(x, levels = 0, mode = bilinear)",
    "resized up and down": """
        let low = conv(x, channels, kernel = 3, stride = 2)
        let fine = conv(resize(low, like = x, mode = bilinear), channels, kernel = 3)
        return upsample(resize(fine, like = low, mode = bilinear), levels = 1) + fine""",
    "resized down, nearest": """
        let low = conv(x, channels, kernel = 1, stride = 8)
        return upsample(resize(conv(x, channels, kernel = 3), like = low) + low, levels = 3)""",
    "transposed": "return conv_transpose(conv(x, channels, kernel = 2, stride = 2), channels, kernel = 2) + x",
    "transposed, spread": "return conv_transpose(conv(x, channels, kernel = 3, stride = 2), channels, kernel = 6)",
    "transposed by four": """
        let low = conv(x, channels, kernel = 4, stride = 4)
        return conv(conv_transpose(low, channels, kernel = 8, stride = 4), channels, kernel = 2)""",
    "transposed by one": "return conv_transpose(x, channels, kernel = 3, stride = 1)",
    "channels that part": """
        let wide = concat(conv(x, channels, kernel = 7), conv(x, channels, kernel = 1))
        return slice(wide, channels, start = channels)""",
    "channels of a group": """
        let wide = concat(conv(x, channels, kernel = 7), conv(x, channels, kernel = 1))
        let apart = conv(wide, channels, kernel = 3, groups = 2)
        return conv(slice(apart, channels / 2, start = channels / 2), channels, kernel = 1)""",
    "channels of one group and a half": """
        let wide = concat(conv(x, channels, kernel = 7), conv(x, channels, kernel = 1))
        let apart = conv(slice(wide, channels, start = channels / 4 * 3), channels, kernel = 3, groups = 4)
        return conv(slice(apart, channels / 2, start = channels / 2), channels, kernel = 1)""",
    "channels shuffled": """
        let wide = concat(conv(x, channels, kernel = 7), conv(x, channels, kernel = 1))
        let mixed = reshape(transpose(reshape(wide, 2, channels)), channels * 2)
        return conv(concat(slice(mixed, 1, start = 1), slice(mixed, 1, start = 5)), channels, kernel = 1)""",
    "channels along an axis": """
        let wide = reshape(concat(conv(x, channels, kernel = 7), conv(x, channels, kernel = 1)), 2, channels)
        let flat = reshape(transpose(l2_normalise(transpose(wide))), channels * 2)
        return slice(flat, channels, start = channels)""",
    "channels across an axis": """
        let wide = reshape(concat(conv(x, channels, kernel = 7), conv(x, channels, kernel = 1)), 2, channels)
        return slice(reshape(softmax(wide), channels * 2), channels, start = channels)""",
    "one for each of an axis": """
        let wide = reshape(concat(conv(x, channels, kernel = 5), conv(x, channels, kernel = 1)), 2, channels)
        let one = reshape(conv(x, channels, kernel = 3), 1, channels)
        return slice(reshape(wide * one, channels * 2), channels, start = channels)""",
    "one channel over all": "return conv(x, 1, kernel = 7) * conv(x, channels, kernel = 1)",
    "norms at a position": """
        let wide = concat(conv(x, channels, kernel = 7), conv(x, channels, kernel = 1))
        let apart = slice(layer_norm(wide), channels, start = channels)
        return gelu(batch_norm(apart)) + swish(relu(hard_swish(relu6(identity(apart)))))""",
    "a norm over positions": "return group_norm(x, groups = 2)",
    "a norm over the positions of others": """
        let wide = concat(group_norm(x, groups = 1), conv(x, channels, kernel = 3))
        return slice(wide, channels, start = channels)""",
    "a gate": "return x * hard_sigmoid(conv(global_average_pool(x), channels, kernel = 1))",
    "a gate that reads nothing": """
        let gate = sigmoid(conv(concat(parameter(channels), constant(0.5, 1)), channels, kernel = 1))
        return x * gate * parameter(1, like = upsample(x, levels = 0)) + 1""",
    "numbers that train": "return stochastic_depth(x, rate = 0.5) * 2 + dropout(x, rate = 0.5)",
    "times nothing": "return conv(x, channels, kernel = 9) * 0 + x",
    "through a vector": """
        let low = conv(x, 1, kernel = 1, stride = 8)
        let all = reshape(linear(flatten(low), low.height * low.width), 1, like = low)
        return upsample(all, levels = 3) * x""",
}
# What stands at the image's one side falls otherwise on the pixels than at the other.
STRETCHED = {
    "stretched": """
        let wide = conv(pad(x, left = 1, right = 2, top = 1, bottom = 2), channels, kernel = 2, padding = 0)
        return resize(wide, like = x, mode = bilinear) + x""",
    "pressed together": "return resize(crop(x, left = 2, top = 1), like = x, mode = bilinear) + x",
}

NETWORK = """spine 1
block_type own(x, channels) -> channels {{{body}
}}
stem_type enter(x, channels) -> channels {{ return conv(x, channels, kernel = 3, stride = 4) }}
block_type down(x, channels, stride) -> channels {{ return conv(x, channels, kernel = 2, stride = stride) }}
block_type lift(x, channels) -> channels {{
    return conv(upsample(conv(x, channels, kernel = 3, stride = 2), levels = 1), channels, kernel = 1) + x
}}
network N {{
    input image: 3 x {height} x {width}
    defaults {{ {defaults} }}
    {rules}
    stem s: enter channels 4
    block before: down level 3 after s channels 8
    block between: lift level 3 after before channels 8
    block b: own level 3 after between channels 8
    block after_: lift level 3 after b channels 8
    output P3: after_
}}
"""


def network(body: str, height: int, width: int, *, any_size: bool = False, defaults: str = "act relu") -> str:
    """A file with a network that has such a block."""
    rules = "rules { sizes any }" if any_size else ""
    return NETWORK.format(body=body, height=height, width=width, rules=rules, defaults=defaults)


JOINED = """spine 1
import std.fpn
import std.resample
block_type plain(x, channels, stride) -> channels {{ return conv(x, channels, kernel = 3, stride = stride) }}
block_type square(x, channels) -> channels {{ return conv(x, channels, kernel = 3) }}
stem_type enter(x, channels) -> channels {{ return conv(x, channels, kernel = 3, stride = 4) }}
resample_type to_target(x, source, target) -> target.in_channels {{
    return conv(resize(x, like = target, mode = bilinear), target.in_channels, kernel = 1)
}}
network N {{
    input image: 3 x {height} x {width}
    rules {{ sizes {sizes} }}
    defaults {{ act relu, norm identity }}
    resample to_target
    join plain_sum
    stem s: enter channels 4
    block b0: plain level 4 after s channels 4
    block b1: square level 5 from s, b0 channels 4
    block b2: square level 3 from b0, b1 channels 4 resample spinenet
    block b3: square level 3 from b1, b2 channels 4
    output P3: b3
}}
"""
