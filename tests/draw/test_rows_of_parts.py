"""Rows of parts have long names, which differ by how they end."""

from __future__ import annotations

import spinedsl
from spinedsl.draw import lay_out
from spinedsl.source import Source

TEXT = """spine 1
import std.blocks
import std.stems
import std.resample

network Cell {
    input p3, p4: level 3..4
    block P3: bottleneck level 3 from p3, p4 channels 8
    block P4: residual level 4 from p4, P3 channels 32
    output P3, P4
}

network Neck {
    input p3, p4: level 3..4
    part cell: Cell from p3, p4 repeat 2
    output P3, P4: cell
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 32
    block b3: residual level 3 after s channels 32
    block b4: residual level 4 after b3 channels 32
    part neck: Neck from b3, b4 repeat 2
    output P3, P4: neck
}
"""


def test_each_box_shows_which_row_it_is() -> None:
    program = spinedsl.program(Source.from_text(TEXT), network="Net")
    (panel,) = lay_out(program).panels
    shown = {name: box.words for name, box in panel.boxes.items()}
    assert shown["neck.rep0.cell.rep0.P3"] == "neck.rep0.cell.rep0.P3"
    assert shown["neck.rep1.cell.rep1.P4"].startswith("…")  # beside the output that reads it
    assert len(set(shown.values())) == len(shown)
    for name, words in shown.items():
        assert name.endswith(words.removeprefix("…"))
        assert words in (name, f"…{words[1:]}")
