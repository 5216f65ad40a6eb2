"""E0506: size does not fit the level."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0506",
    title="size does not fit the level",
    message="`{operation}` turns {before} into {after}, but {level} has {expected}",
    label="the map no longer fits its level",
    default=Default.ERROR,
    explanation="""\
A feature map at level L is the input divided by 2^L, exactly: that is what makes maps comparable,
so that they can be added after resampling. An operation that trims the border, such as a
convolution without padding, leaves a map that belongs to no level. `padding = same` keeps the size;
so does `symmetric`, for an odd kernel.

In a network of any size (`rules { sizes any }`) the division is rounded up, for every size and not
only for the one in the file. `padding = same` always fits. One of a fixed size (`sizes fixed`) may trim.
""",
    wrong="""\
spine 1
import std.stems

block_type mine(x, channels) -> channels {
    return conv(x, channels, kernel = 3, padding = 0)
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
    return conv(x, channels, kernel = 3, padding = same)
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
