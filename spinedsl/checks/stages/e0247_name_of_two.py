"""E0247: name of parameters of two things."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0247",
    title="name of parameters of two things",
    message="the parameters of {first} and of {second} would both be named `{name}`",
    label="`{name}` again",
    default=Default.ERROR,
    explanation="""\
Parameters are named after the text. Those of the first iteration of `each p in …` stand under `p0`, those of
the second under `p1`. A call that is `shared` by the iterations stands beside them, and so does what comes
after the loop: `let p1 = shared conv(…)`, a third `conv` beside `each conv_ in …`, or the first iteration of
`each p1 in …` after eleven of `each p in …` would have the name of an iteration. Weights are read, written
and shared by their names, so each name is of one thing.
""",
    wrong="""\
spine 1
import std.stems
import std.blocks

head_type finds(maps, channels) {
    each p in maps {
        let p1 = shared conv(p, channels, kernel = 3)
        yield conv(p1, 4, kernel = 3)
    }
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 16
    block b3: residual level 3 after s channels 16
    output P2: s
    output P3: b3
    head f: finds from P2, P3 channels 8
}
""",
    right="""\
spine 1
import std.stems
import std.blocks

head_type finds(maps, channels) {
    each p in maps {
        let y = shared conv(p, channels, kernel = 3)
        yield conv(y, 4, kernel = 3)
    }
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 16
    block b3: residual level 3 after s channels 16
    output P2: s
    output P3: b3
    head f: finds from P2, P3 channels 8
}
""",
)
