"""W0709: windows that are shifted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spinedsl.checks.accept import accept
from spinedsl.diagnostics import Default, Diagnostic, Rule

if TYPE_CHECKING:
    from spinedsl.ir.typed import TypedNetwork

RULE = Rule(
    "W0709",
    title="windows that are shifted",
    message="`padding = symmetric` shifts the windows of `{operation}` by {before}",
    label="a window of {reach} every {stride}",
    default=Default.WARNING,
    explanation="""\
Windows that do not overlap cut a map into patches, and `symmetric` pads half a window in front of
the first one: every patch begins too early, and what stands last is read by none. Most often a
setting of the whole network, `conv(padding = symmetric)`, reaches a convolution that other codes
write with padding 0. With `same` or 0 nothing is padded there.
""",
    wrong="""\
spine 1
import std.blocks

stem_type patches(image, channels) -> channels {
    return conv(image, channels, kernel = 4, stride = 4, bias = true)
}

network Net {
    input image: 3 x 64 x 64
    defaults { act gelu, norm layer_norm, conv(padding = symmetric) }
    stem s: patches channels 8
    block b2: convnext level 2 after s channels 8
    output P2: b2
}
""",
    right="""\
spine 1
import std.blocks

stem_type patches(image, channels) -> channels {
    return conv(image, channels, kernel = 4, stride = 4, padding = 0, bias = true)
}

network Net {
    input image: 3 x 64 x 64
    defaults { act gelu, norm layer_norm, conv(padding = symmetric) }
    stem s: patches channels 8
    block b2: convnext level 2 after s channels 8
    output P2: b2
}
""",
)


def check(network: TypedNetwork) -> Iterator[Diagnostic]:
    """Each operation that says so, once."""
    for one in network.shifted_windows:
        found = RULE.at(one.place, operation=one.operation, before=one.before, reach=one.reach, stride=one.stride)
        own = f"write `{one.definition}` as a definition of your own, with `padding = 0` there"
        yield accept(network, found, own if one.trusted else "say `padding = 0` there")
