"""E0510: map and vector confused."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0510",
    title="map and vector confused",
    message="`{operation}` takes {expected}, got {got}",
    label="expected {expected}",
    default=Default.ERROR,
    explanation="""\
A feature map has the shape (batch, channels, height, width), a vector (batch, features). Convolutions
and pools take maps, `linear` takes vectors; `flatten` turns the one into the other. A map that was
pooled to 1x1 first becomes a vector with a feature for each channel, which is how the paper
classifies.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

head_type classify(features, classes) {
    return linear(global_average_pool(first(features)), classes)
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 8
    block b3: residual  level 3  after s   channels 8
    block b4: residual  level 4  after b3  channels 8
    output P3: b3
    output P4: b4
    head scores: classify(classes = 10) from P3
}
""",
    right="""\
spine 1
import std.blocks
import std.stems

head_type classify(features, classes) {
    return linear(flatten(global_average_pool(first(features))), classes)
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 8
    block b3: residual  level 3  after s   channels 8
    block b4: residual  level 4  after b3  channels 8
    output P3: b3
    output P4: b4
    head scores: classify(classes = 10) from P3
}
""",
)
