"""The form of edits: a grammar without conflicts, one report for each broken edit, one canonical text."""

from __future__ import annotations

import pytest

from spinedsl.source import Source
from spinedsl.syntax import tree
from spinedsl.syntax.format import format_source
from spinedsl.syntax.parse import parse


def edits(text: str) -> tuple[tree.EditItem, ...]:
    """The edits of a text without mistakes of form."""
    outcome = parse(Source.from_text(text))
    assert outcome.value is not None
    assert not outcome.diagnostics, outcome.diagnostics
    (instance,) = outcome.value.networks
    assert isinstance(instance, tree.Instance)
    assert instance.edits is not None
    return instance.edits


def test_an_edit_may_go_on_in_the_next_line() -> None:
    found = edits(
        "network V = Base(width = 2)\nwith {\nblock b7\n  level 5\n  channels 64\n"
        "add block x: residual from b0,\n  b1 level 4\n  right after b3\n"
        "add block y: residual after x level 4\n  before b4\n}"
    )
    change, first, second = found
    assert isinstance(change, tree.Change)
    assert [clause.keyword.text for clause in change.clauses] == ["level", "channels"]
    assert isinstance(first, tree.Addition)
    assert isinstance(second, tree.Addition)
    assert first.place is not None
    assert second.place is not None
    assert (first.place.word, first.place.row.text) == ("after", "b3")
    assert (second.place.word, second.place.row.text) == ("before", "b4")
    assert [clause.keyword.text for clause in second.row.clauses] == ["after", "level"]


def test_settings_and_parameters_begin_an_edit_of_their_own() -> None:
    found = edits(
        "network V = Base with {\nblock b7 level 5\nresample spinenet(\n  alpha = 1)\nblock b8\n  channels 3\n"
        "channels = 64\ndrop = 2\njoin none let n = 3 widths {\n  level 2: 3,\n  level 3..5: n }\n"
        "block b9 level 3 defaults { act relu }\nhead boxes from P3, P4\nadd head x: tower from P3\n"
        "rules { inputs 1..3 } input image: 3 x 64 x n\n}"
    )
    assert [type(edit).__name__ for edit in found] == [
        "Change", "Setting", "Change", "Argument", "Argument", "Setting", "Binding", "Widths", "Change", "Defaults",
        "Change", "Addition", "Rules", "Input",
    ]  # fmt: skip


def test_soft_words_name_rows_and_parameters() -> None:
    drop, move, change = edits("network V = Base with { drop drop\nmove add before move\nblock before channels none }")
    assert isinstance(drop, tree.Drop)
    assert drop.name.text == "drop"
    assert isinstance(move, tree.Move)
    assert (move.name.text, move.place.row.text) == ("add", "move")
    assert isinstance(change, tree.Change)


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        ("drop block b1", "E0101"),
        ("drop b1, b2", "E0101"),
        ("drop", "E0102"),
        ("add x1: residual level 3", "E0101"),
        ("add block x1", "E0102"),
        ("add", "E0102"),
        ("move b1", "E0102"),
        ("move b1 b2", "E0101"),
        ("move b1 below b2", "E0101"),
        ("drp b1", "E0103"),
        ("block b1", "E0102"),
        ("block b1 level", "E0102"),
        ("blok b1 level 3", "E0103"),
        ("blok b1: residual", "E0103"),
        ("widths { level 2 }", "E0101"),
        ("widths level 2: 3", "E0101"),
        ("defaults { act }", "E0101"),
        ("resample", "E0102"),
        ("resample: spinenet", "E0101"),
        ("input image: 64 x 64", "E0112"),
        ("let = 3", "E0101"),
        ("width =", "E0102"),
        ("width: 3", "E0103"),
        ("head h", "E0102"),
        ("add block x: residual channels after b1", "E0101"),
    ],
)
def test_a_broken_edit_is_one_report_and_hides_nothing(edit: str, code: str) -> None:
    text = f"network V = Base with {{\n    drop b8\n    {edit}\n    drop b9\n}}\nnetwork W = Base\n"
    outcome = parse(Source.from_text(text))
    assert [(found.code.id, found.span.line) for found in outcome.diagnostics] == [(code, 3)]
    assert outcome.value is not None
    instance, plain = outcome.value.networks
    assert isinstance(instance, tree.Instance)
    assert isinstance(plain, tree.Instance)
    assert [type(found) for found in instance.edits or ()] == [tree.Drop, tree.Broken, tree.Drop]
    assert plain.edits is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("network V = Base { drop b1 }", "E0101"),
        ("network V = Base with\n    drop b1\n}\n", "E0106"),
        ("network V = Base with", "E0102"),
        ("network V = Base with { drop b1\nnetwork W = Base\n", "E0104"),
    ],
)
def test_braces_and_with_go_together(text: str, code: str) -> None:
    outcome = parse(Source.from_text(text))
    assert [found.code.id for found in outcome.diagnostics] == [code]


def test_edits_are_formatted() -> None:
    text = """\
network V=Base( width=2 )
  with{ # a
# b
block b7   level 5
     channels 64   # c
block b8 :residual( expansion=2 )  absorb none


add block x:residual level 4 from b0,b1 before b7  # d
add block xyz:bottleneck level 3 after b0
   right after b7
drop  b1
move b2   after b3
widths{level 3:96,level 4 .. 5:2*n}   # e
defaults { act   swish ,
   norm batch_norm( momentum=0.9 ) }
resample  spinenet( alpha=1 )
join none
rules{inputs 1 .. 3}
input image:3 x 64 x 64
let n=2
width=0.5
add  head boxes :tower from P3,P4
head classes   from P3 }
network W = Base with{drop b1}
"""
    expected = """\
network V = Base(width = 2) with {  # a
    # b
    block b7 level 5 channels 64  # c
    block b8: residual(expansion = 2) absorb none

    add block x:   residual    level 4  from b0, b1  before b7  # d
    add block xyz: bottleneck  level 3  after b0     right after b7
    drop b1
    move b2 after b3
    widths { level 3: 96, level 4..5: 2 * n }  # e
    defaults { act swish, norm batch_norm(momentum = 0.9) }
    resample spinenet(alpha = 1)
    join none
    rules { inputs 1..3 }
    input image: 3 x 64 x 64
    let n = 2
    width = 0.5
    add head boxes: tower from P3, P4
    head classes from P3
}
network W = Base with { drop b1 }
"""
    assert format_source(Source.from_text(text)).value == expected
    assert format_source(Source.from_text(expected)).value == expected
