"""W0706: definition or parameter that nothing uses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spinedsl.diagnostics import Default, Diagnostic, Rule

if TYPE_CHECKING:
    from spinedsl.ir.library import Unit

RULE = Rule(
    "W0706",
    title="definition or parameter that nothing uses",
    message="{what} is never used",
    label="nothing in this file reads it",
    fix="use it, or take it away",
    default=Default.WARNING,
    explanation="""\
No network of the file uses this definition, or nothing in a definition or network reads this parameter. Whoever
gives the parameter another value expects another network and gets the same one; mostly a name was misspelt, or an
edit left it behind. A file without networks is a library, whose definitions are for others; what rows fill in by
themselves, such as `stride`, may stay unread. To keep a name, write `allow W0706 "the reason"` into a network of
the file.
""",
    wrong="""\
spine 1
import std.stems

block_type plain(x, channels, stride = 1, groups = 4) -> channels {
    return act(norm(conv(x, channels, kernel = 3, stride = stride)))
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 32
    block b0: plain level 2 after s channels 32
    output C2: b0
}
""",
    right="""\
spine 1
import std.stems

block_type plain(x, channels, stride = 1, groups = 4) -> channels {
    return act(norm(conv(x, channels, kernel = 3, stride = stride, groups = groups)))
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 32
    block b0: plain level 2 after s channels 32
    output C2: b0
}
""",
)


def check(unit: Unit) -> Iterator[Diagnostic]:
    """Definitions that no network of the file reaches, and parameters that nothing reads."""
    for unused in unit.unused_names:
        what = f"`{unused.name}`" if not unused.owner else f"parameter `{unused.name}` of `{unused.owner}`"
        yield RULE.at(unused.place, what=what).repaired()
