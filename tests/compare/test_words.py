"""What a difference says, and in which order: sections and rows as a file has them, counts that add up, places."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from spinedsl.compare import Reason, Tier, derive
from spinedsl.compare.rows import aligned
from spinedsl.compare.words import LISTED, reason_lines, to_text
from spinedsl.record import replace
from tests.compare.test_laws import hold, outputs_of, state_of
from tests.compare.test_tiers import NET, difference

HEAD = "    head {}: separable_tower(outputs = {}, depth = 1) from P4 channels 4\n"
TWO = HEAD.format("H", 2) + HEAD.format("G", 3)
HEADS = NET.rstrip().removesuffix("}") + TWO + "}\n"


def test_sections_and_rows_stand_as_in_a_file() -> None:
    """A network is written from its input to its heads; so is what changed of it, by rows, not by their names."""
    text = to_text(
        difference(
            ("image: 3 x 64", "image: 3 x 128"),
            ("act relu", "act swish"),
            ("kernel = 3", "kernel = 5"),
            ("stem s: resnet_stem channels 4", "stem s: resnet_stem channels 8"),
            ("level 2: 4, level 3: 6", "level 2: 8, level 3: 12"),
            ("from d channels 4", "from d channels 8"),
            ("H: separable_tower(outputs = 2", "H: separable_tower(outputs = 4"),
            ("G: separable_tower(outputs = 3", "G: separable_tower(outputs = 5"),
            old=HEADS.replace("block a:", "block x:").replace("from a", "from x"),
        )
    )
    changes = text.partition("\ncosts\n")[0]
    assert re.findall(r"^\w+$", changes, re.MULTILINE) == [
        "input", "settings", "definitions", "stems", "blocks", "outputs", "heads",
    ]  # fmt: skip
    rows = [name for line in re.findall(r"^  ~ ([\w, ]*?)  ", changes, re.MULTILINE) for name in line.split(", ")]
    assert [name for name in rows if name in ("s", "x", "b", "P3", "H", "G")] == ["s", "x", "b", "P3", "H", "G"]


@pytest.mark.parametrize(
    ("old", "new", "tier"),
    [
        (TWO, HEAD.format("G", 3) + HEAD.format("H", 2), Tier.INTERFACE),  # heads give as they stand
        ("output P3: endpoint from d channels 4\n    output P4: endpoint from c channels 4",
         "output P4: endpoint from c channels 4\n    output P3: endpoint from d channels 4", Tier.NONE),  # by level
    ],
)  # fmt: skip
def test_rows_that_change_places(old: str, new: str, tier: Tier) -> None:
    """Whether what comes out comes in another order is what PyTorch's ordered dictionary says."""
    found = difference((old, new), old=HEADS)
    assert found.tier is tier
    hold(found)
    state = state_of(found.old)
    before, after = (list(outputs_of(one, state)) for one in (found.old, found.new))
    assert sorted(before) == sorted(after)
    assert (before == after) == (tier is Tier.NONE)
    assert [reason.text for reason in found.reasons] == ["come in another order"] * (before != after)


@pytest.mark.parametrize("pair", [("b", "c"), ("P3", "P4")])
def test_a_row_that_moved_says_below_which_it_stands(pair: tuple[str, str]) -> None:
    """The row above it, as either text has them."""
    text = NET.replace("from a, b", "from a, s")  # so that `b` and `c` may change places
    one, other = (re.search(rf"^ +\w+ {name}: .*\n", text, re.MULTILINE)[0] for name in pair)  # type: ignore[index]
    found = difference((one + other, other + one), old=text)
    (moved,) = [change for change in found.changes if change.how == "moved"]
    for said, written in ((moved.old, text), (moved.new, text.replace(one + other, other + one))):
        names = re.findall(r"^ +(?:stem|block|output) (\w+):", written, re.MULTILINE)
        assert said == f"below {names[names.index(moved.name) - 1]}"


def test_shares_are_of_what_was() -> None:
    text = to_text(difference(("level 4: 8", "level 4: 12")))
    lines = re.findall(r"([\d,]+) -> ([\d,]+)  \(([-+][\d.]+)%\)", text)
    assert len(lines) == 2
    for old, new, share in lines:
        was, now = (int(count.replace(",", "")) for count in (old, new))
        assert now > was
        assert float(share) == pytest.approx(100 * (now / was - 1), abs=0.05)


@pytest.mark.parametrize("count", [1, LISTED, LISTED + 1, LISTED + 7])
def test_what_is_listed_and_what_is_not_add_up(count: int) -> None:
    reasons = tuple(Reason(Tier.NUMERIC, f"b.conv{i}", f"stride {i + 2}, was 1") for i in range(count))
    *listed, last = reason_lines(replace(difference(("act relu", "act swish")), reasons=reasons), Tier.NUMERIC)
    more = re.fullmatch(r"and (\d+) more", last)
    assert len(listed) + (int(more[1]) if more else 1) == count
    assert bool(more) == (count > LISTED)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("bottleneck", "bottleneck"),
        ("bottleneck(expansion = 4)", "bottleneck"),  # as it is by itself
        ("bottleneck(expansion = 2)", "bottleneck(expansion = 2)"),
    ],
)
def test_arguments_are_said_that_are_not_the_default(written: str, said: str) -> None:
    row = f"    block e: {written} level 4 from a, b\n    output P4: endpoint from e channels 4"
    found = difference(("    output P4: endpoint from c channels 4", row))
    (added,) = [change for change in found.changes if change.how == "added"]
    assert added.new.partition(", level")[0] == said


@pytest.mark.parametrize(
    ("row", "text"),
    [("level 2 after a", "block b level 2 after a"), ("level 3 from s, a", "block b from s, a")],
)
def test_edits_of_what_feeds_a_row(row: str, text: str) -> None:
    """`from` and `after` take each other's place: neither is taken away as well."""
    found = difference(("block b: mix level 3 from a", f"block b: mix {row}"))
    edits = derive(found.old, found.new)
    assert edits is not None
    assert edits.to_text() == f"with {{\n    {text}\n}}"


def test_edits_of_rows_that_move_to_the_top() -> None:
    """Two stems that change places: whichever moves, it ends where it stands in the new network."""
    stem = "    stem s: resnet_stem channels 4\n"
    both = (stem, stem.replace("s:", "t:"))
    text = NET.replace(stem, "".join(both)).replace("from a, b", "from a, t")
    found = difference(("".join(both), "".join(both[::-1])), old=text)
    edits = derive(found.old, found.new)
    assert edits is not None
    assert edits.to_text() in ("with {\n    move t before s\n}", "with {\n    move s after t\n}")


def test_operations_of_a_row_are_aligned_without_a_look_at_all_rows() -> None:
    """Of every row that changed: else a long network whose first row changes takes its square."""

    class Asked(dict[str, str]):
        def __iter__(self) -> Iterator[str]:
            raise AssertionError("every row is looked at")

        items = keys = values = __iter__  # type: ignore[assignment]

    nodes: list[Any] = [
        SimpleNamespace(primitive="conv", name=f"b5.from_{source}.reduce.conv", row="b5") for source in "abc"
    ]
    found = list(aligned(nodes[:2], [nodes[2], nodes[1]], Asked(a="c", b="b")))
    assert found == [(nodes[0], nodes[2]), (nodes[1], nodes[1])]
