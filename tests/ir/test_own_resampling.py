"""`from a resample X, b`: what resamples one input, in a network, in a part, in edits, and in candidates of a space."""

from __future__ import annotations

import pytest

from spinedsl import edit
from spinedsl.ops.program import Program
from spinedsl.ops.text import to_text
from tests.ir.built import program

HEAD = """
import std.blocks
import std.stems
import std.resample

network Cell(share, steps = true) {
    input p2, p3: level 2..3
    widths { level 2..3: 8 }
    block P2: residual level 2 from p2 resample spinenet(alpha = share, chained = steps), p3
    block P3: residual level 3 from p3, P2
    output P2, P3
}
"""


def network(row: str, part: str = "Cell(share = 1 / 4)") -> str:
    return f"""{HEAD}
network Net {{
    input image: 3 x 64 x 64
    defaults {{ act relu, norm batch_norm }}
    widths {{ level 2..4: 8 }}
    rules {{ inputs 1..3 }}
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 8
    block b2: residual level 2 after s
    block b3: residual level 3 after b2
    part n: {part} from b2, b3
    block b: residual level 3 {row}
    output P: b
}}
"""


def resampled(made: Program, row: str = "b") -> list[str]:
    """What each input of a row is resampled by: the definition, and the numbers that it was given."""
    calls = [connection.resample for connection in made.row(row).inputs]
    return [f"{call.module.definition} {call.scalars.get('alpha')}" if call is not None else "" for call in calls]


def types(made: Program) -> list[str]:
    return [found.partition(" ")[0] for found in resampled(made)]


def test_each_input_has_its_own_or_that_of_the_row() -> None:
    made = program(network("from b2 resample spinenet(alpha = 1), b3 resample identity, n.P3"))
    assert types(made) == ["spinenet", "identity", "spinenet"]
    made = program(network("from b2 resample spinenet_by_width, b3, n.P3 resample identity"))
    assert types(made) == ["spinenet_by_width", "identity", "identity"]


def test_a_part_gives_several_maps_which_are_all_resampled_so() -> None:
    """Behind the name of the part, it says of each of its maps what a row for each would say."""
    whole = program(network("from n resample spinenet(alpha = 1), b2"))
    written = program(network("from n.P2 resample spinenet(alpha = 1), n.P3 resample spinenet(alpha = 1), b2"))
    assert resampled(whole) == resampled(written)
    assert types(whole) == ["spinenet"] * 3
    assert len(set(resampled(whole))) == 2
    assert to_text(whole).replace("from_n_P", "from_P") == to_text(written).replace("from_n_P", "from_P")


def test_what_a_part_is_given_is_known_where_one_input_is_resampled() -> None:
    made = program(network("from n.P3, b2", "Cell(share = 1 / 2, steps = false)"))
    call = made.row("n.P2").inputs[0].resample
    assert call is not None
    assert str(call.scalars["alpha"].value) == "1/2"
    assert call.scalars["chained"].value is False
    other = made.row("n.P2").inputs[1].resample
    assert other is not None
    assert other.scalars["chained"].value is True


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("resample spinenet_by_width", ["identity", "spinenet_by_width"]),
        ("from b3 resample spinenet_by_width, b2", ["spinenet_by_width", "spinenet"]),
        ("from b3, b2", ["spinenet", "spinenet"]),
        ("after b3", [""]),
        ("repeat 2", ["identity", "spinenet"]),
    ],
)
def test_edits_replace_the_clause_that_they_give(change: str, expected: list[str]) -> None:
    text = network("from b3 resample identity, n.P2")
    made = program(f"{text}\nnetwork Other = Net with {{\n    block b {change}\n}}\n", "Other")
    assert types(made) == expected


def test_edits_as_values_say_it_too() -> None:
    changes = edit.Edits([edit.Change("b", edit.clauses(from_=["b3 resample spinenet(alpha=1)", "b2"]))])
    assert edit.parse(changes.to_text()).value == changes
    assert "from b3 resample spinenet(alpha = 1), b2" in str(changes)
    with pytest.raises(ValueError, match="not the form of one edit"):
        edit.Change("b", edit.clauses(from_=["b3", "b2 resample identity"]))  # which is the row's own clause
