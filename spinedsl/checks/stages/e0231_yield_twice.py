"""E0231: two values of one name."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0231",
    title="two values of one name",
    message="two values that head `{name}` yields would both be named `{value}`",
    label="the second of that name",
    default=Default.ERROR,
    explanation="""\
What a head yields is named after the head, then, where the head yields under several names, that
name, then the row that each map came from: `scores_P3`. Names of outputs are what programs look
for, so two values of one name would hide each other. Give each value a `let` of its own and yield
that.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

head_type predict(features, outputs) {
    each p in features {
        yield conv(p, outputs, kernel = 1)
        yield conv(p, 4, kernel = 1)
    }
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
    each p in features {
        let scores = conv(p, outputs, kernel = 1)
        yield scores
        let boxes = conv(p, 4, kernel = 1)
        yield boxes
    }
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
