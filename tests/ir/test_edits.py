"""Edited networks: what an edit does, what it leaves alone, and whom a message points at."""

from __future__ import annotations

import pytest

import spinedsl
from spinedsl.diagnostics import Outcome
from spinedsl.driver import Analysis, analyse
from spinedsl.ops.graph import flatten
from spinedsl.source import Source

BASE = """\
spine 1
import std.blocks
import std.stems
import std.resample
import std.outputs

network Base(width = 1.0, deep = 1) {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2: 4 * width, level 3: 6 * width, level 4..5: 8 * width }
    resample spinenet
    join activated_sum

    stem s: resnet_stem channels 4

    block b0: residual level 2 after s repeat deep
    block b1: residual level 4 from b0
    block b2: residual level 3 from b0, b1
    block b3: residual level 5 from b1, b2
    block b4: residual level 4 from b2, b3 absorb b1

    output P3: endpoint from b2 channels 8
    output P4: endpoint from b4 channels 8
    output P5: endpoint from b3 channels 8
}
"""


def checked(text: str) -> Outcome[Analysis]:
    """What is said of the base with `text` below it."""
    return analyse(Source.from_text(BASE + text, "net.spine"))


def edited(*edits: str, head: str = "network V = Base") -> Outcome[Analysis]:
    """The same of a network `V` with these edits."""
    return checked(f"{head} with {{\n" + "".join(f"    {edit}\n" for edit in edits) + "}\n")


def rows(outcome: Outcome[Analysis], network: str = "V") -> dict[str, tuple[int | None, int | None]]:
    """Level and declared channels of each row, in order, of a network without mistakes."""
    assert {found.code.id for found in outcome.diagnostics} <= {"W0706"}, (
        outcome.diagnostics
    )  # base files have spare names
    assert outcome.value is not None
    typed = outcome.value.checked[network].typed
    return {name: (row.level, row.channels) for name, row in typed.rows.items()}


def said(outcome: Outcome[Analysis]) -> list[tuple[str, str]]:
    """Code and place of everything that is said."""
    return [(found.code.id, found.span.text) for found in outcome.diagnostics]


def parameters(text: str, network: str) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the parameters of a network."""
    graph = flatten(spinedsl.program(Source.from_text(BASE + text), network=network))
    return {name: parameter.shape for name, parameter in graph.parameters.items()}


# ---- what edits do ----


def test_a_level_moves_the_channels_with_it() -> None:
    assert rows(edited("block b1 level 3", "block b4 absorb none"))["b1"] == (3, 6)
    assert rows(edited("block b1 level 3", "block b4 absorb none", head="network V = Base(width = 2)"))["b1"] == (3, 12)


def test_each_clause_replaces_only_itself() -> None:
    outcome = edited("block b4 channels 12 absorb none", "block b0 repeat 2", "output P3 channels 16")
    found = rows(outcome)
    assert (found["b4"], found["P3"]) == ((4, 12), (3, 16))
    assert outcome.value is not None
    b4 = outcome.value.checked["V"].typed.rows["b4"].declared
    assert [name.text for name in b4.sources] == ["b2", "b3"]
    assert b4.absorbed == ()


def test_from_replaces_after_and_after_replaces_from() -> None:
    outcome = edited("block b1 after b0", "block b0: bottleneck")
    assert rows(outcome)
    assert outcome.value is not None
    assert outcome.value.checked["V"].typed.rows["b1"].declared.direct


def test_rows_are_added_dropped_and_moved() -> None:
    outcome = edited(
        "add block x1: residual level 3 from b0, b1 before b3",
        "add block x2: residual level 4 from b1, x1 right after x1",
        "add block x3: residual level 5 from b3, x2",
        "block b3 from x1, b2",
        "block b4 from x2, b3",
        "output P5 from x3",
        "drop P4",
        "add output P4: endpoint from b4 channels 8",
        "move b1 after b0",
        "move P5 before P3",
        'allow W0703 "b1 stands there"',
    )
    assert list(rows(outcome)) == ["s", "b0", "b1", "b2", "x1", "x2", "b3", "b4", "x3", "P5", "P3", "P4"]


def test_edits_are_made_in_order() -> None:
    outcome = edited(
        "block b4 absorb none",
        "add block x1: residual level 4 from b2, b3",
        "block x1 channels 10",
        "output P4 from x1",
        "drop b4",
        "add block b4: residual level 4 from b1, b2",
        "block x1 from b4, b3",
        "move b4 before b3",
        'allow W0703 "b4 was another one"',
    )
    found = rows(outcome)
    assert list(found)[-6:] == ["b4", "b3", "x1", "P3", "P4", "P5"]
    assert found["x1"] == (4, 10)


def test_an_edited_network_is_edited_further() -> None:
    text = (
        "network A = Base(width = 2) with { block b1 level 3\nblock b4 absorb none }\n"
        "network B = A with { block b1 level 4\nblock b4 absorb b1 }\n"
        "network C = B(width = 3, deep = 2)\n"
    )
    outcome = checked(text)
    assert rows(outcome, "A")["b1"] == (3, 12)
    assert rows(outcome, "B")["b1"] == (4, 16)
    assert rows(outcome, "C")["b1"] == (4, 24)
    assert parameters(text, "B") == parameters("network W = Base(width = 2)", "W")


def test_values_of_edits_may_use_what_the_rows_use() -> None:
    assert rows(edited("block b3 channels 5 * width", head="network V = Base(width = 3)"))["b3"] == (5, 15)


def test_names_of_rows_that_no_edit_touches_stay() -> None:
    text = """
network V = Base with {
    block b4 absorb none
    add block x1: residual level 4 from b0, b1 before b2
    block b2 from b0, x1
    move P5 before P3
}
"""
    before, after = parameters("", "Base"), parameters(text, "V")
    changed = {name.split(".")[0] for name in before.keys() ^ after.keys()}
    assert changed == {"x1", "b2"}
    assert {name: shape for name, shape in before.items() if not name.startswith("b2.")} == {
        name: shape for name, shape in after.items() if not name.startswith(("b2.", "x1."))
    }
    assert {name for name in before.keys() - after.keys() if not name.startswith("b2.from_b1.")} == set()


def test_a_dropped_row_takes_only_its_own_parameters_along() -> None:
    text = "network V = Base with {\nblock b4 absorb none\nblock b3 from b2\nblock b2 from b0\ndrop b1\n}"
    before, after = parameters("", "Base"), parameters(text, "V")
    gone = before.keys() - after.keys()
    assert after.keys() <= before.keys()
    assert all(name.startswith(("b1.", "b2.from_b1.", "b3.from_b1.")) for name in gone)


def test_soft_words_are_names_elsewhere() -> None:
    text = BASE.replace(
        "width = 1.0, deep = 1", "width = 1, drop = 1, add = 1, move = 1, before = 8, right = 1, none = 8"
    )
    text = text.replace("repeat deep", "repeat drop * add").replace("from b2 channels 8", "from b2 channels before")
    text = text.replace("from b3 channels 8", "from b3 channels none")
    text += "network V = Base(drop = 2, none = 12) with {\n    output P4 channels right + none\n}\n"
    found = rows(analyse(Source.from_text(text)))
    assert (found["P3"], found["P4"], found["P5"]) == ((3, 8), (4, 13), (5, 12))


# ---- what is said ----


def test_a_row_that_reads_a_dropped_one_shows_both_places() -> None:
    outcome = edited("drop b1")
    assert said(outcome) == [("E0318", "b1")] * 3
    assert [label.span.text for found in outcome.diagnostics for label in found.others] == ["drop b1"] * 3
    assert [found.span.line for found in outcome.diagnostics] == [18, 19, 20]


def test_a_mistake_in_an_edit_shows_the_row_that_it_edits() -> None:
    outcome = edited("block b3 level 99", "block b2 from b9")
    assert said(outcome) == [("E0401", "99"), ("E0201", "b9")]
    assert [[label.span.line for label in found.others] for found in outcome.diagnostics] == [[19], [18]]


def test_what_an_edit_does_to_other_rows_is_said_at_the_edit() -> None:
    (found,) = edited("drop P5", "block b4 from b1, b2 absorb none").diagnostics
    assert (found.code.id, found.span.text) == ("E0305", "block b4 from b1, b2 absorb none")
    assert [label.span.text for label in found.others] == ["b3"]
    assert found.fixes[0].edits[0].text == "\n    drop b3"


def test_what_an_edit_does_to_its_own_row_is_said_at_the_edit() -> None:
    (found,) = edited("output P4 channels 9", "block b4 level 3", "drop P3").diagnostics
    assert (found.code.id, found.span.text) == ("E0308", "block b4 level 3")
    assert [label.span.text for label in found.others] == ["b1", "b1"]


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        (["block b9 level 3"], [("E0201", "b9")]),
        (["move b2 before b9"], [("E0201", "b9")]),
        (["block P3 channels 3"], [("E0203", "block")]),
        (["add block b2: residual level 3 from b0, b1"], [("E0202", "b2")]),
        (["drop P3", "drop P3"], [("E0224", "P3")]),
        (["drop P3", "output P3 channels 3"], [("E0224", "P3")]),
        (["output P3 channels 3", "drop P3"], [("W0703", "channels 3")]),
        (["block b4 absorb none", "block b4 absorb b1"], [("E0225", "absorb b1")]),
        (["block b4 level 3 level 4"], [("E0308", "block b4 level 3 level 4"), ("E0217", "level 4")]),
        (["block b1 from b0 after s"], [("E0312", "after s")]),
        (["block b3 absorb none"], [("E0226", "absorb none")]),
        (["block b4 level 4"], [("W0703", "level 4")]),
        (["block b4: residual"], [("W0703", "residual")]),
        (["move b2 after b1"], [("W0703", "move b2 after b1")]),
        (["move b3 before b2"], [("E0303", "b2")]),
        (["move b1 after b2"], [("E0303", "b1")]),
        (["add block x: residual level 3 from b0, b1"], [("E0305", "x")]),
        (["add output P6: endpoint from b3 channels 8 after b4"], [("E0307", "P6"), ("E0312", "after b4")]),
        (["block b4 absorb b0"], [("E0308", "b0")]),
        ([], [("W0703", "V")]),
        (["block b4 levle 3"], [("E0216", "levle")]),
    ],
)
def test_each_mistake_is_said_once_and_in_its_place(edits: list[str], expected: list[tuple[str, str]]) -> None:
    assert said(edited(*edits)) == expected


def test_a_mistake_of_the_base_is_said_of_the_base_only() -> None:
    text = BASE.replace("from b1, b2\n", "from b1, b7\n").replace("channels 4\n", "channels 0\n")
    text += "network V = Base with { output P3 channels 9 }\nnetwork W = V(width = 2)\n"
    outcome = analyse(Source.from_text(text))
    assert [(found.code.id, found.span.line) for found in outcome.diagnostics] == [("E0403", 14), ("E0201", 19)]


def test_a_mistake_of_an_edit_is_said_once_for_all_that_is_made_of_it() -> None:
    outcome = checked(
        "network V = Base with { block b3 level 99 }\n"
        "network W = V(width = 2)\n"
        "network X = V with { output P3 channels 9 }\n"
    )
    assert said(outcome) == [("E0401", "99")]


def test_a_broken_edit_hides_no_other_and_has_no_consequences() -> None:
    outcome = edited("drop b1,", "add block x1 residual", "block b3 from x1, b2", "block b77 level 3")
    assert [code for code, _ in said(outcome)] == ["E0101", "E0101", "E0201"]


@pytest.mark.parametrize(
    ("edits", "code"),
    [
        (["block b1 level 3 level 3"], "E0217"),
        (["block b1 level 3 level 4"], "E0217"),
        (["block b1 after b0 after b0"], "E0217"),
        (["block b1 level 3", "block b1 level 3"], "E0225"),
        (["block b1: residual", "block b1: residual"], "E0225"),
        (["move b1 after b0", "move b1 after b0"], "E0225"),
        (["widths { level 3: 8, level 3: 8 }"], "E0409"),
        (["widths { level 3: 8 }", "widths { level 3: 8 }"], "E0311"),
        (["defaults { act relu, act relu }"], "E0311"),
        (["let k = 2", "let k = 2"], "E0311"),
        (["depth = 2", "depth = 2"], "E0209"),
    ],
)
def test_what_is_said_twice_is_one_mistake(edits: list[str], code: str) -> None:
    """Also where each of the two says what is there already."""
    base = (
        "import std.stems\nimport std.blocks\nnetwork A(depth = 2) {\ninput image: 3 x 64 x 64\n"
        "defaults { act relu, norm batch_norm }\nwidths { level 3: 8 }\nlet k = 2\nstem s: resnet_stem channels 8\n"
        "block b0: residual level 3 after s repeat depth\n"
        "block b1: residual level 3 after b0 repeat k\noutput P: b1\n}\n"
    )
    text = base + "network B = A with {\n" + "\n".join(edits) + "\n}\n"
    assert [found.code.id for found in analyse(Source.from_text(text)).diagnostics] == [code]
