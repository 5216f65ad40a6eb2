"""E0229: yield and return."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0229",
    title="yield and return",
    message="head `{name}` yields, and so cannot return",
    label="expected a `yield`, or `return` alone",
    fix="yield it as well",
    default=Default.ERROR,
    explanation="""\
A head either yields, once for each value that it gives, or returns its only one: then the output has
the name of the head itself. Both at once would leave it open which outputs the network has.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

head_type predict(features, outputs) {
    each p in features { yield conv(p, outputs, kernel = 1) }
    return first(features)
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
