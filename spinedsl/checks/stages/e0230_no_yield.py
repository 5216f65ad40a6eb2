"""E0230: head that gives nothing."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0230",
    title="head that gives nothing",
    message="head `{name}` neither yields nor returns a value{when}",
    label="expected a `yield` for each value, or a `return`",
    default=Default.ERROR,
    explanation="""\
What a head gives are outputs of the network. One that neither yields nor returns computes something
that nobody can read. Yield a value for each map, or return one for all of them.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

head_type predict(features, outputs) {
    each p in features { let scores = conv(p, outputs, kernel = 1) }
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
    each p in features { yield conv(p, outputs, kernel = 1) }
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
