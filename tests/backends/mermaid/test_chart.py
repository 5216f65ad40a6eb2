"""The Mermaid chart: every row a node, every connection an arrow."""

from __future__ import annotations

from pathlib import Path

import pytest

import spinedsl
from spinedsl.backends.mermaid import OUTLINES
from tests.generate import NETWORKS

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.mark.parametrize(("file", "network"), NETWORKS.items())
def test_every_row_and_connection_is_drawn(file: str, network: str) -> None:
    program = spinedsl.program(EXAMPLES / file, network=network)
    (data,) = spinedsl.compile(EXAMPLES / file, to="mermaid", network=network).values()
    comment, head, *lines = data.decode().splitlines()
    assert comment.startswith(f"%% {network}: input {program.input_type.channels} x ")
    assert head == "flowchart LR"
    arrows = [line for line in lines if "-->" in line or "-.->" in line or ".->" in line]
    assert len(lines) - len(arrows) == 1 + len(program.rows)
    assert len(arrows) == sum(len(row.inputs) + len(row.absorbed) for row in program.rows)
    for row in program.rows:
        left, _ = OUTLINES[row.kind]
        assert any(line.startswith(f'    n_{row.name}{left}"{row.name}<br/>') for line in lines)


def test_spinenet_absorbs_its_orphan() -> None:
    (data,) = spinedsl.compile(EXAMPLES / "spinenet.spine", to="mermaid", network="SpineNet49").values()
    text = data.decode()
    assert '    n_b14["b14<br/>bottleneck x 1<br/>1024x20x20 (level 5)"]\n' in text
    assert "    n_b7 -->|spinenet| n_b14\n" in text
    assert "    n_b11 -. absorbed .-> n_b14\n" in text


def test_a_head_that_yields_several_values_says_how_many() -> None:
    text = """spine 1
head_type both(maps) {
    let kept = maps[0]
    let pooled = global_average_pool(kept)
    yield kept
    yield pooled
}
stem_type patches(x, channels) { return conv(x, channels, kernel = 4, stride = 4, padding = 0) }
network Net {
    input image: 3 x 32 x 64
    stem s: patches channels 8
    output P2: s
    head h: both from P2
}
"""
    (data,) = spinedsl.compile(spinedsl.Source.from_text(text), to="mermaid").values()
    assert '    n_h{{"h<br/>both<br/>8x8x16 (level 2) and 1 more"}}\n' in data.decode()
    assert '"P2<br/>8x8x16 (level 2)"' in data.decode()
