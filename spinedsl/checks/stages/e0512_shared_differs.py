"""E0512: shared operation that differs."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0512",
    title="shared operation that differs",
    message="`shared {name}` has {second} here, but {first} before",
    label="shared by every iteration of the loop",
    default=Default.ERROR,
    explanation="""\
A `shared` call is one module, made once: the weights are the same every time it runs, and so is all
else that it does, its normalisation and how its tensors start. Only a convolution called directly may
move over each map in its own way: `stride`, `padding` and `dilation` can differ, as for the branches of
a trident block (Li et al., ICCV 2019). What has to differ otherwise stands outside of the shared call.
""",
    wrong="""\
spine 1
import std.stems

block_type mine(x, channels) -> channels {
    var y = x
    repeat i in 2 { y = shared norm(conv(y, channels, kernel = 3), epsilon = 0.1 * (i + 1)) }
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
    var y = x
    repeat i in 2 { y = norm(conv(y, channels, kernel = 3), epsilon = 0.1 * (i + 1)) }
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
