"""Edits of parts are found again: where a part was added, that is one edit."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given

from spinedsl import edit
from spinedsl.compare import Side, compare, derive, side
from spinedsl.compare.words import to_text
from spinedsl.source import Source
from spinedsl.testing import edits
from tests.profiles import drawn
from tests.test_edit_laws import meaning

TEXT = """spine 1
import std.blocks
import std.stems
import std.resample

network Cell(wide = 8) {
    input p3, p4: level 3..4
    block P3: residual level 3 from p3, p4 channels wide
    block P4: residual level 4 from p4, P3 channels wide
    output P3, P4
}

network Down {
    input p3: level 3
    block P3: residual level 3 after p3 channels 8
    block P4: residual level 4 after P3 channels 8
    output P3, P4
}

network Around {
    input p3, p4: level 3..4
    part cell: Cell(wide = 8) from p3, p4 repeat 2
    output P3, P4: cell
}

network Net(times = 2) {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..5: 8 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 8
    block b3: residual level 3 after s
    block b4: residual level 4 after b3
    part neck: Cell(wide = 8) from b3, b4 repeat times
    block b5: residual level 5 after neck.P4
    output C3, C4: neck
    output C5: b5
}
"""
BASE = Source.from_text(TEXT, "parts.spine")


@cache
def old() -> Side:
    return side(BASE, network="Net")


def edited(text: str, name: str = "Edited") -> Side:
    """The network that edits make of `Net`."""
    changes = edit.parse("with {\n" + text + "\n}").value
    assert changes is not None
    return side(edit.apply(BASE, changes, base="Net", name=name), network=name)


FOUND = {
    "added": "add part more: shared Cell(wide = 8) from neck repeat 2 right after neck\nblock b5 after more.P4",
    "dropped": "drop neck\nblock b5 after b4\noutput C3: b3\noutput C4: b4",
    "of another network": "part neck: Down from b3 repeat none\nblock b5 from neck.P4, b4",
    "with other arguments": "part neck: Cell(wide = 16)",
    "shared": "part neck: shared Cell(wide = 8)",
    "repeated less": "part neck repeat 1",
    "given other maps": "add block b31: residual level 3 from b3 right after b4\npart neck from b31, b4",
    "edited inside": "block neck.rep1.P4 channels 16",
    "edited outside and inside": "part neck repeat 3\nblock neck.rep2.P4 channels 16",
    "nested": "add part more: Around from neck right after neck\nblock b5 after more.P4",
}


@pytest.mark.parametrize("what", FOUND)
def test_an_edit_of_a_part_is_found_as_it_is_written(what: str) -> None:
    found = derive(old(), edited(FOUND[what]))
    assert found is not None
    assert sorted(found.to_text().splitlines()[1:-1]) == sorted(f"    {line}" for line in FOUND[what].splitlines())


@pytest.mark.parametrize("what", FOUND)
def test_a_part_is_found_the_other_way_round(what: str) -> None:
    new = edited(FOUND[what])
    found = derive(new, old())
    assert found is not None
    source = edit.apply(new.source, found, base="Edited", name="Again")
    assert meaning(source, "Again") == meaning(BASE, "Net")


def test_a_part_that_is_added_is_one_line() -> None:
    text = to_text(compare(old(), edited(FOUND["added"])))
    assert "+ more  added  Cell, from neck.rep1.P3, neck.rep1.P4, 2 times, shared weights\n" in text
    assert "more.rep0.P3" not in text
    assert "~ b5  inputs  after neck.rep1.P4 -> after more.rep1.P4\n" in text


def test_a_copy_more_is_one_line() -> None:
    difference = compare(old(), edited("part neck repeat 3"))
    assert "~ neck  repeat  2 -> 3\n" in to_text(difference)
    assert "+ neck" not in to_text(difference)
    assert {change.name for change in difference.changes if change.how == "added"} == {"neck.rep2.P3", "neck.rep2.P4"}


@given(edits(BASE, "Net"))
@drawn(20)
def test_random_edits_are_found_again(changes: edit.Edits) -> None:
    source = edit.apply(BASE, changes, base="Net", name="Edited")
    new = side(source, network="Edited")
    found = derive(old(), new)
    assert found is not None, changes.to_text()
    again = edit.parse(found.to_text()).value
    assert again == found
    if found.items:
        made = side(edit.apply(BASE, found, base="Net", name="Again"), network="Again")
        assert compare(made, new).changes == ()
        assert list(made.graph.parameters.items()) == list(new.graph.parameters.items())
