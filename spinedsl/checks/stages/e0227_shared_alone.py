"""E0227: shared with nothing."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0227",
    title="shared with nothing",
    message="`shared` means nothing here: {why}",
    label="shared with nothing",
    fix="take the word away",
    default=Default.ERROR,
    explanation="""\
`shared` says that a call in a loop has one set of weights: for all maps of the `each` around it,
or, without one, for all iterations of the `repeat`. Where there is no loop, or where what is called
has no weights, there is nothing to share, and the word would only mislead. Take it away, or put the
call into the loop that you had in mind. A RetinaNet tower shares its convolutions over the levels
just so (Lin et al., ICCV 2017), while each level keeps norms of its own.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

head_type predict(features, outputs) {
    each p in features { yield conv(shared relu(p), outputs, kernel = 1) }
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 8
    block b3: residual  level 3  after s   channels 8
    block b4: residual  level 4  after b3  channels 8
    output P3: b3
    output P4: b4
    head scores: predict(outputs = 4) from P3, P4
}
""",
    right="""\
spine 1
import std.blocks
import std.stems

head_type predict(features, outputs) {
    each p in features { yield shared conv(relu(p), outputs, kernel = 1) }
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 8
    block b3: residual  level 3  after s   channels 8
    block b4: residual  level 4  after b3  channels 8
    output P3: b3
    output P4: b4
    head scores: predict(outputs = 4) from P3, P4
}
""",
)
