"""Parameters of instances: what they are given goes where it is said, along any chain, and nowhere else."""

from __future__ import annotations

import pytest

from spinedsl import driver
from spinedsl.lower import lower
from spinedsl.source import Source

BASE = """\
spine 1
import std.blocks
import std.heads
import std.stems

network Base(width = 16, repeats = 1) {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 8
    block b: residual  level 2  after s  channels width  repeat repeats
    output C2: b
}
"""
CHAINS = {
    "passed on": ("network N(w = 24) = Base(width = w)", 24, 1),
    "by position": ("network N(w = 24, r = 2) = Base(w, r)", 24, 2),
    "computed": ("network N(w = 12, r = 1) = Base(2 * w, repeats = r + 1)", 24, 2),
    "of a parameter above": ("network N(w = 12, v = 2 * w) = Base(v)", 24, 1),
    "under its own name": ("network N(width = 24) = Base(width = width)", 24, 1),
    "another default": ("network N(width = 24) = Base", 24, 1),
    "another default over one that is given": ("network A = Base(width = 48)\nnetwork N(width = 24) = A", 24, 1),
    "given": ("network A(w = 24) = Base(w)\nnetwork N = A(w = 32)", 32, 1),
    "own ones come first": ("network A(w = 24) = Base(w)\nnetwork N = A(32, repeats = 3)", 32, 3),
    "through two": ("network A(w = 24) = Base(2 * w)\nnetwork N(v = 5) = A(w = 4 * v)", 40, 1),
    "the base's own, past one in between": ("network A(w = 24) = Base(w)\nnetwork N(r = 3) = A(repeats = r)", 24, 3),
    "needed": ("network A(w) = Base(w)\nnetwork N = A(32)", 32, 1),
    "by an edit": ("network N(w = 24) = Base with { width = w }", 24, 1),
    "in edits": ("network N(w = 24) = Base with { block b channels w }", 24, 1),
    "in a `let` among edits": ("network N(w = 12) = Base with {\nlet v = 2 * w\nblock b channels v\n}", 24, 1),
}


@pytest.mark.parametrize("name", CHAINS)
def test_where_it_goes(name: str) -> None:
    text, width, repeats = CHAINS[name]
    outcome = driver.analyse(Source.from_text(f"{BASE}\n{text}\n"))
    analysis = outcome.value
    assert analysis is not None
    assert [str(found) for found in outcome.diagnostics] == []
    program = lower(analysis.checked["N"])
    row = next(row for row in program.rows if row.name == "b")
    assert next(iter(row.values.values())).channels == width
    assert len(row.calls) == repeats


def test_a_head_takes_its_classes_along_a_chain() -> None:
    head = "add head logits: pooled_classifier(classes = classes) from C2"
    lines = (
        f"network A(classes = 10) = Base with {{ {head} }}",
        "network B(classes = 3) = A(width = 8)",
        "network C = B(classes = 7)",
    )
    analysis = driver.analyse(Source.from_text("\n".join([BASE, *lines, ""]))).value
    assert analysis is not None
    found = [lower(analysis.checked[name]).rows[-1].values["logits"].channels for name in ("A", "B", "C")]
    assert found == [10, 3, 7]


def test_without_a_value_it_is_no_network_by_itself() -> None:
    analysis = driver.analyse(Source.from_text(f"{BASE}\nnetwork N(w) = Base(w)\n")).value
    assert analysis is not None
    assert "N" not in analysis.checked
    assert "Base" in analysis.checked
