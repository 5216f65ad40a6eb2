"""E0511: row that gives no whole map."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0511",
    title="row that gives no whole map",
    message="`{type}` of {row} `{name}` gives {got}",
    label="expected {expected}",
    default=Default.ERROR,
    explanation="""\
What passes between rows is one map for each image, of exactly the size of its level, with its channels
in one row: that is what makes maps of one level comparable. Inside a definition a map may be padded or
cropped, or its channels laid out along axes by `reshape`; what the definition gives is whole again. A
convolution without padding takes away what `pad` put around, `crop` does too, and a second `reshape`
puts the channels back in one row. A head may give any of these, but made of
the image too. With `rules { sizes fixed }` a row may give another size.
""",
    wrong="""\
spine 1
import std.stems

block_type mine(x, channels) -> channels {
    let around = pad(x, top = 1, bottom = 1, left = 1, right = 1)
    return conv(around, channels, kernel = 1)
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
    let around = pad(x, top = 1, bottom = 1, left = 1, right = 1)
    return conv(around, channels, kernel = 3, padding = 0)
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
