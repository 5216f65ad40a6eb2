"""Random valid networks as text: small tuples decoded with modulo and repaired, so that every draw is a network."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

HEAD = """\
spine 1
import std.blocks
import std.stems
import std.resample
import std.outputs
import std.heads

def excite(x, ratio = 0.25) -> x.channels {
    let squeeze = act(conv(global_average_pool(x), ratio * x.channels, kernel = 1, bias = true))
    let gate = hard_sigmoid(conv(squeeze, x.channels, kernel = 1, bias = true), slope = 0.16667)
    return x * gate
}
block_type inverted(x, channels, stride = 1, expansion = 2) -> channels {
    let width = x.channels * expansion
    let expand = norm(conv(x, width, kernel = 1))
    let depthwise = act(norm(conv(expand, width, kernel = 5, stride = stride, groups = width)))
    let project = norm(conv(excite(depthwise), channels, kernel = 1))
    if stride == 1 and x.channels == channels { return project + x * 0.5 }
    return project
}
block_type shuffled(x, channels, stride = 1) -> channels {
    let mixed = reshape(transpose(reshape(x, 2, x.channels / 2)), x.channels)
    let around = pad(mixed, top = 1, bottom = 1, left = 2, value = -0.5)
    let y = act(norm(conv(around, channels, kernel = 3, stride = stride, padding = 0)))
    let known = concat(parameter(2, init = truncated_normal), global_average_pool(y), constant(0.5, -1))
    let gate = sigmoid(conv(known, channels, kernel = 1, bias = true))
    return crop(pad(y * gate, bottom = 1), top = 1) + y
}
join_type mean(inputs) { return concat(sum(inputs) * 0.5) + 0.125 }
resample_type plain(x, source, target) -> target.in_channels {
    var y = x
    if target.level > x.level { repeat target.level - x.level { y = average_pool(y, kernel = 3, stride = 2) } }
    if target.level < x.level { y = upsample(y, levels = x.level - target.level) }
    return norm(conv(y, target.in_channels, kernel = 1))
}
"""
TYPES = ("residual", "bottleneck", "inverted", "bottleneck(expansion = 2)", "shuffled")
LEVELS = (2, 3, 4, 5)
CHANNELS = (4, 8, 12)
HEADS = (
    "",
    "classifier(classes = 7)",
    "retina_tower(outputs = 5, depth = 2)",
    "separable_tower(outputs = 5, depth = 1)",
)


@dataclass(frozen=True)
class Block:
    """A block as drawn and repaired: `parents` are indices of blocks above it, -1 the stem."""

    type: str
    level: int
    channels: int
    parents: tuple[int, ...]
    direct: bool
    repeat: int


Draw = tuple[int, int, int, int, int, int]


def decode(draws: list[Draw]) -> list[Block]:
    """Blocks of any draws: parents by distance back, levels and types by remainder."""
    blocks: list[Block] = []
    for index, (type_, level, channels, first, second, how) in enumerate(draws):
        parents = list(dict.fromkeys(index - 1 - distance % (index + 1) for distance in (first, second)))
        direct = how % 4 == 0
        if direct:
            parents = parents[:1]
        above = 2 if parents[0] < 0 else blocks[parents[0]].level
        wanted = LEVELS[level % len(LEVELS)]
        blocks.append(
            Block(
                TYPES[type_ % len(TYPES)], max(wanted, above) if direct else wanted, CHANNELS[channels % len(CHANNELS)],
                tuple(parents), direct, how % 3,
            )
        )  # fmt: skip
    return blocks


def reachable(blocks: list[Block], outputs: list[int]) -> set[int]:
    """Blocks that some output reads, however indirectly."""
    found, pending = set(), list(outputs)
    while pending:
        index = pending.pop()
        if index >= 0 and index not in found:
            found.add(index)
            pending += blocks[index].parents
    return found


def to_text(blocks: list[Block], act: str, padding: str, resample: str, join: str, head: str) -> str:
    """The network as a file. The last block of each level is an output; what reaches none is left out."""
    outputs = list({block.level: index for index, block in enumerate(blocks)}.values())
    kept = sorted(reachable(blocks, outputs))
    rows = []
    for index in kept:
        block = blocks[index]
        names = ", ".join("s" if parent < 0 else f"b{parent}" for parent in block.parents)
        row = f"    block b{index}: {block.type} level {block.level} {'after' if block.direct else 'from'} {names}"
        rows.append(f"{row} channels {block.channels}" + (f" repeat {block.repeat}" if block.repeat else ""))
    rows += [f"    output O{blocks[index].level}: endpoint from b{index} channels 4" for index in outputs]
    if head:
        channels = "" if head.startswith("classifier") else " channels 6"
        rows.append(f"    head H: {head} from {', '.join(f'O{blocks[index].level}' for index in outputs)}{channels}")
    return "\n".join(
        [
            HEAD,
            "network Net {",
            "    input image: 3 x 64 x 64",
            f"    defaults {{ act {act}, norm batch_norm(momentum = 0.9, epsilon = 1e-3), conv(padding = {padding}) }}",
            f"    resample {resample}",
            f"    join {join}",
            '    allow W0701 "random"',
            "    stem s: resnet_stem channels 8",
            *rows,
            "}\n",
        ]
    )


def networks(most: int = 8) -> st.SearchStrategy[str]:
    """Texts of valid networks with one to `most` blocks."""
    number = st.integers(0, 23)
    draws = st.lists(st.tuples(number, number, number, number, number, number), min_size=1, max_size=most)
    return st.builds(
        lambda drawn, *choices: to_text(decode(drawn), *choices),
        draws,
        st.sampled_from(("relu", "swish", "hard_swish", "relu6", "gelu")),
        st.sampled_from(("same", "symmetric")),
        st.sampled_from(("spinenet", "spinenet(alpha = 1)", "spinenet(chained = false)", "plain")),
        st.sampled_from(("activated_sum", "mean")),
        st.sampled_from(HEADS),
    )


def drawn(usual: int) -> settings:
    """Settings of a law on random networks: it draws the usual number, or that of the profile `soak`."""
    soak = settings.get_current_profile_name() == "soak"
    count = settings().max_examples if soak else usual
    return settings(max_examples=count, deadline=None, suppress_health_check=[HealthCheck.too_slow])
