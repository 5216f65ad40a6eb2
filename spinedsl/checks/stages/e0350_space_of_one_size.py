"""E0350: space of a network of one size."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0350",
    title="space of a network of one size",
    message="`{network}` takes images of one size alone, and a space has no such network",
    label="expected a network without `rules {{ sizes fixed }}`",
    fix="let it take every size: `rules {{ sizes any }}`",
    default=Default.ERROR,
    explanation="""\
Whatever a space chooses is a network, since all maps of a level have one size. In a network of one size, by
`rules { sizes fixed }`, a row may give a map of another size than its level, and blocks that change places,
types or levels would be given maps that do not fit each other. With `sizes any` the input may have
every size, and maps have the sizes of their levels.
""",
    wrong="""\
spine 1
import std.stems

block_type trimmed(x, channels, stride = 1) -> channels {
    return act(norm(conv(x, channels, kernel = 3, stride = stride, padding = 0)))
}

block_type padded(x, channels, stride = 1) -> channels {
    return act(norm(conv(x, channels, kernel = 3, stride = stride)))
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    rules { sizes fixed }
    stem s: resnet_stem channels 16
    block b: trimmed level 3 after s channels 16
    output P3: b
}

space Small of Net {
    types b: trimmed, padded
}
""",
    right="""\
spine 1
import std.stems

block_type padded(x, channels, stride = 1) -> channels {
    return act(norm(conv(x, channels, kernel = 3, stride = stride)))
}

block_type twice(x, channels, stride = 1) -> channels {
    return padded(padded(x, channels, stride = stride), channels)
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    rules { sizes any }
    stem s: resnet_stem channels 16
    block b: twice level 3 after s channels 16
    output P3: b
}

space Small of Net {
    types b: padded, twice
}
""",
)
