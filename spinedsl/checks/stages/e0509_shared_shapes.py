"""E0509: shared weights of two shapes."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0509",
    title="shared weights of two shapes",
    message="`shared {name}` needs weights of {second} here, but of {first} before",
    label="shared by every iteration of the loop",
    default=Default.ERROR,
    explanation="""\
A `shared` call has one set of weights for every iteration of the loop, as the towers of RetinaNet
have for every level of the pyramid (Lin et al., ICCV 2017). So what goes in must have the same
channels each time. Here the first iteration sees another number than the second. Bring the map to
its channels before the loop, or drop `shared`.
""",
    wrong="""\
spine 1
import std.stems

block_type mine(x, channels) -> channels * 2 {
    var y = x
    repeat 2 { y = shared conv(y, channels * 2, kernel = 3) }
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

block_type mine(x, channels) -> channels * 2 {
    var y = conv(x, channels * 2, kernel = 1)
    repeat 2 { y = shared conv(y, channels * 2, kernel = 3) }
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
