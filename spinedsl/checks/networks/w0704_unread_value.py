"""W0704: value that is not read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spinedsl.checks.accept import accept
from spinedsl.diagnostics import Default, Diagnostic, Label, Rule

if TYPE_CHECKING:
    from spinedsl.ir.typed import TypedNetwork

RULE = Rule(
    "W0704",
    title="value that is not read",
    message="`{name}` of `{definition}` is computed, {how}",
    label="no gradient reaches what it is made of",
    fix="take it away, or let what is returned read it",
    default=Default.WARNING,
    explanation="""\
A definition computes a feature map and nothing that it returns or yields depends on it. It costs time
all the same, its weights stand in every checkpoint, and no gradient ever reaches them: training on
several devices stops at that. Often a `let` stands above an `if` of which only one side reads it. Put
it into that side, or write down why it is there: `allow W0704 "kept for old checkpoints"`.
""",
    wrong="""\
spine 1
import std.stems

block_type shortcut(x, channels, stride = 1) -> channels {
    let project = norm(conv(x, channels, kernel = 1, stride = stride))
    let y = act(norm(conv(x, channels, kernel = 3, stride = stride)))
    if stride == 1 { return x + y }
    return project + y
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 32
    block b0: shortcut level 2 after s channels 32
    output C2: b0
}
""",
    right="""\
spine 1
import std.stems

block_type shortcut(x, channels, stride = 1) -> channels {
    let y = act(norm(conv(x, channels, kernel = 3, stride = stride)))
    if stride == 1 { return x + y }
    let project = norm(conv(x, channels, kernel = 1, stride = stride))
    return project + y
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 32
    block b0: shortcut level 2 after s channels 32
    output C2: b0
}
""",
)


def check(network: TypedNetwork) -> Iterator[Diagnostic]:
    """Operations whose result nothing reads: in no use of their definition, or in some of them."""
    for unread in network.unread_values:
        how = "but none of its channels is read" if unread.size_alone else "and nothing reads it"
        found = RULE.at(unread.place, name=unread.name, definition=unread.definition, how=how)
        if unread.unread_in is None:
            yield accept(network, found)
            continue
        found = found.with_others(Label(unread.unread_in, f"nothing reads it in this use of `{unread.definition}`"))
        yield accept(network, found, "compute it only where it is read, below the `if`")
