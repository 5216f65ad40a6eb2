"""The spaces that tests of the search use."""

from __future__ import annotations

from pathlib import Path

SPACES = Path(__file__).parents[2] / "examples" / "spaces.spine"

# A small network, whose blocks behind the first two read two others.
NET = """\
spine 1
import std.blocks
import std.resample
import std.stems

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..5: 16 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 16
    block b0: residual  level 2  after s
    block b1: residual  level 3  after b0
    block b2: residual  level 4  from b0, b1
    block b3: residual  level 3  from b1, b2
    block b4: residual  level 4  from b2, b3
    output P4: b4
}
"""
