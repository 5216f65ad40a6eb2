"""E0604: too many."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0604",
    title="too many",
    message="too many {what}: at most {limit}, got {got}",
    label="at most {limit}",
    default=Default.ERROR,
    explanation="""\
Loops and definitions are written out when a network is compiled, and a few characters can ask for
more operations than fit into memory. So the number of repetitions, rows, imports and statements
after expansion is limited, far above what anybody could train. The message says which limit it is.
""",
    wrong="""\
spine 1
import std.stems

block_type mine(x, channels) -> channels {
    var y = conv(x, channels, kernel = 1)
    repeat 100000 { y = relu(y) }
    return y
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: mine level 2 after s
    output C2: b0
}
""",
    right="""\
spine 1
import std.stems

block_type mine(x, channels) -> channels {
    var y = conv(x, channels, kernel = 1)
    repeat 10 { y = relu(y) }
    return y
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: mine level 2 after s
    output C2: b0
}
""",
)
