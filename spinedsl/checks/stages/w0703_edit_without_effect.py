"""W0703: edit that changes nothing."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "W0703",
    title="edit that changes nothing",
    message="{what}",
    label="{label}",
    default=Default.WARNING,
    explanation="""\
An edit says how a network differs from the one that it is made of. One that changes nothing is
easily read as if it did, and usually something else was meant: another row, another value, or the
other network has changed since. So is an instance whose arguments and edits make the same network as
before: a parameter that nothing reads is most often the cause. Take it away, or let it say what you wanted.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

network Base {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: residual  level 2  after s
    block b1: residual  level 3  after b0
    output top: b1
}

network Variant = Base with {
    block b1 level 3
}
""",
    right="""\
spine 1
import std.blocks
import std.stems

network Base {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: residual  level 2  after s
    block b1: residual  level 3  after b0
    output top: b1
}

network Variant = Base with {
    block b1 level 4
}
""",
)
