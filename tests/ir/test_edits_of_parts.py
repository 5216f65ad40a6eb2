"""Edits of parts: an edited network is the one that is written by hand, whatever edits came before."""

from __future__ import annotations

from pathlib import Path

import pytest

import spinedsl
from spinedsl.ops.graph import flatten
from spinedsl.source import Source
from tests.compare.test_parts import TEXT
from tests.test_edit_laws import meaning

HEAD, _, NET = TEXT.partition("network Net")
BASE = "network Net" + NET
PART = "    part neck: Cell(wide = 8) from b3, b4 repeat times\n"
READER = "    block b5: residual level 5 after neck.P4\n"
OUTPUTS = "    output C3, C4: neck\n"


def written(*changes: tuple[str, str]) -> str:
    """The network by hand: its text with other lines."""
    text = BASE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text.replace("network Net", "network Hand")


def source(*networks: str) -> Source:
    return Source.from_text("\n".join((HEAD, BASE, *networks)), "net.spine")


def edited(what: str, edits: str) -> str:
    """The network of that name, made of that one by edits with `;` between them."""
    return f"network {what} with {{\n" + "".join(f"    {one}\n" for one in edits.split("; ")) + "}\n"


def same(hand: str, *networks: str, name: str = "V") -> None:
    """The network that edits make is the one by hand."""
    found = source(hand, *networks)
    assert {one.code.id for one in spinedsl.check(found).diagnostics} <= {"W0706"}  # parameters that nothing reads
    assert meaning(found, name) == meaning(found, "Hand").replace("Hand", name)  # type: ignore[union-attr]


MORE = "    part more: Cell from neck repeat 2\n"


@pytest.mark.parametrize(
    ("edits", "changes"),
    {
        "added with a place": (
            "add part more: Cell from neck repeat 2 right after neck; block b5 after more.P4",
            [(PART, PART + MORE), (READER, READER.replace("neck", "more"))],
        ),
        "added below the blocks": (
            "add part more: Cell from neck repeat 2; output C3: more.P3; output C4: more.P4",
            [(READER, READER + MORE), (OUTPUTS, OUTPUTS.replace("neck", "more"))],
        ),
        "added before a part": (
            "add part more: shared Cell from b3, b4 repeat 2 before neck; part neck from more",
            [(PART, MORE.replace("Cell from neck", "shared Cell from b3, b4") + PART.replace("b3, b4", "more"))],
        ),
        "added above a row that it reads": (
            (
                "add part more: Down from c; part neck from more.P3, b4; "
                "add block c: residual level 3 from b3 before neck; move more after c"
            ),
            [
                (PART, f"    block c: residual level 3 from b3\n    part more: Down from c\n{PART}"),
                ("from b3, b4 repeat", "from more.P3, b4 repeat"),
            ],
        ),
        "dropped": (
            "drop neck; block b5 after b4; output C3: b3; output C4: b4",
            [(PART, ""), ("after neck.P4", "after b4"), ("C3, C4: neck", "C3, C4: b3, b4")],
        ),
        "dropped with its outputs": (
            "drop neck; block b5 after b4; drop C3; drop C4",
            [(PART, ""), ("after neck.P4", "after b4"), (OUTPUTS, "")],
        ),
        "one of its outputs dropped": ("drop C3", [("C3, C4: neck", "C4: neck.P4")]),
        "one of its outputs another row": ("output C3: b3", [("C3, C4: neck", "C4: neck.P4\n    output C3: b3")]),
        "repeated more often": ("part neck repeat 4", [("repeat times", "repeat 4")]),
        "there once": ("part neck repeat none", [(" repeat times", "")]),
        "of another network": (
            "part neck: Around",
            [("Cell(wide = 8) from b3, b4 repeat times", "Around from b3, b4 repeat times")],
        ),
        "with other arguments and shared": (
            "part neck: shared Cell(wide = 4 * times)", [("Cell(wide = 8)", "shared Cell(wide = 4 * times)")],
        ),
        "given other maps": ("part neck from b3, b4b; add block b4b: residual level 4 from b4 before neck",
            [(PART, "    block b4b: residual level 4 from b4\n" + PART.replace("b4 repeat", "b4b repeat"))],
        ),
        "moved": (
            (
                "add block c: residual level 4 from b4; add output CC: c; move neck after c; "
                "move b5 after neck; rules { outputs any }"
            ),
            [
                (PART, "    block c: residual level 4 from b4\n" + PART),
                ("    output C5: b5\n", "    output C5: b5\n    output CC: c\n    rules { outputs any }\n"),
            ],
        ),
        "a parameter": ("times = 3", [("times = 2", "times = 3")]),
    }.values(),
)  # fmt: skip
def test_an_edit_of_a_part_is_what_is_written_by_hand(edits: str, changes: list[tuple[str, str]]) -> None:
    same(written(*changes), edited("V = Net", edits))


def test_a_let_that_is_edited_decides_how_often_a_part_repeats() -> None:
    counted = ("network Net(times = 2) {\n", "network Net {\n    let times = 2\n")
    hand = written(counted, ("let times = 2", "let times = 3"))
    base = written(counted).replace("network Hand", "network Base")
    same(hand, base, "network V = Base with { let times = 3 }")


def test_edits_inside_stay_when_the_part_is_changed() -> None:
    inside = edited("A = Net", "block neck.rep0.P4 channels 4; block neck.rep1.P4 channels 4")
    often = inside + "network V = A with { part neck repeat 3 }\n"
    same(edited("Hand = Net(times = 3)", "block neck.rep0.P4 channels 4; block neck.rep1.P4 channels 4"), often)
    same(
        written(("repeat times", "repeat 1")).replace("Hand", "Once")
        + ("network Hand = Once with { block neck.rep0.P4 channels 4 }\n"),
        inside + "network V = A with { part neck repeat 1 }\n",
    )


def test_a_part_that_is_dropped_and_added_again_is_as_it_is_written() -> None:
    inside = "network A = Net with { block neck.rep0.P4 channels 4 }\n"
    same(written(), inside + f"network V = A with {{\n    drop neck\n    add {PART.strip()} right after b4\n}}\n")


def test_a_row_beside_those_of_a_part_stays_there_and_can_be_edited() -> None:
    first = edited(
        "A = Net",
        "add block x: residual level 4 from b4 right after neck.rep0.P4; block neck.rep1.P3 from x, neck.rep0.P3",
    )
    found = source(first, edited("V = A", "block x level 3 from b3; part neck repeat 3"))
    assert spinedsl.check(found).ok
    names = [row.name for row in spinedsl.program(found, network="V").rows]
    assert names.index("x") == names.index("neck.rep0.P4") + 1
    assert "neck.rep2.P4" in names


def test_arguments_decide_how_often_an_added_part_repeats() -> None:
    more = edited("A = Net", "add part more: Cell from neck repeat times + 1 right after neck; block b5 after more.P4")
    hand = written(
        (PART, PART + MORE.replace("2", "times + 1")),
        (READER, READER.replace("neck", "more")),
        ("times = 2", "times = 3"),
    )
    same(hand, more, "network V = A(times = 3)")
    same(hand, more, "network B(n = 1) = A(times = n)", "network V = B(n = 3)")
    same(hand, more, "network B(n = 1) = A(times = n)", "network V = B with { n = 3 }")


def test_parameters_of_a_part_that_was_added_are_called_as_those_of_others() -> None:
    found = source(
        edited("V = Net", "add part more: shared Cell from neck repeat 2 right after neck; block b5 after more.P4")
    )
    graph = flatten(spinedsl.program(found, network="V"))
    mine = {name.removeprefix("more.") for name in graph.parameters if name.startswith("more.")}
    assert mine == {name.removeprefix("neck.rep0.") for name in graph.parameters if name.startswith("neck.rep0.")}


def test_a_part_may_be_of_a_network_that_is_edited_itself() -> None:
    own = "network Wide = Cell with { block P4 channels 4 }\n"
    hand = written(("Cell(wide = 8)", "Wide(wide = 8)"))
    same(hand, own, "network V = Net with { part neck: Wide(wide = 8) }")


def test_a_part_added_to_a_network_of_another_file_is_of_the_own_file(tmp_path: Path) -> None:
    (tmp_path / "net.spine").write_text(HEAD + BASE, encoding="utf-8")
    own = HEAD.replace("network Cell", "network Mine").partition("network Down")[0]
    edits = edited(
        "V = Net", "add part more: Mine from neck right after neck; block b5 after more.P4; part neck repeat 3"
    )
    text = own.replace("import std.blocks", 'import std.blocks\nimport "net.spine"') + edits
    found = Source.from_text(text, "main.spine", str(tmp_path / "main.spine"))
    assert spinedsl.check(found, network="V").ok
    parts = spinedsl.program(found, network="V").parts
    assert [(name, part.network) for name, part in parts.items() if "." not in name or name.startswith("neck")] == [
        ("more", "Mine"), ("neck.rep0", "Cell"), ("neck.rep1", "Cell"), ("neck.rep2", "Cell"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("edits", "codes"),
    {
        "a name that is taken": ("add part b3: Cell from b3, b4", ["E0202"]),
        "no such part": ("part nack repeat 2", ["E0201"]),
        "beside a row of a part": ("add part more: Cell from b3, b4 right after neck.rep0.P3", ["W0708", "E0203"]),
        "moved beside a row of a part": ("add part m: Cell from b3, b4; move m after neck.rep0.P3", ["E0203"]),
        "what it gives is read": ("drop neck; output C3: b3; output C4: b4", ["E0318"]),
        "a row that it reads is dropped": ("drop b4", ["E0318"]),
        "too few maps": ("part neck from b3", ["E0241"]),
        "two levels that do not fit": ("part neck from b4, b3", ["E0331", "E0331"]),
        "below what reads it": ("add part more: Cell from neck; block b5 after more.P4", ["E0303"]),
        "above what it reads": ("move neck before b4", ["E0303"]),
        "made of itself": ("add part more: V from neck", ["E0220"]),
        "no such output any more": ("part neck: One from b3 repeat none; output C3: b3; output C4: b4", ["E0201"]),
        "twice": ("part neck repeat 3; part neck repeat 4", ["E0225"]),
        "the same": ("part neck: Cell(wide = 8); block b5 channels 16", ["W0703"]),
        "a row of what is dropped": ("drop neck; block b5 after b4; drop C3; drop C4; drop neck.rep0.P3", ["E0224"]),
        "a copy that is not there": ("part neck repeat 1; block neck.rep1.P3 channels 8", ["E0201"]),
    }.values(),
)  # fmt: skip
def test_each_mistake_is_reported_once(edits: str, codes: list[str]) -> None:
    one = "network One {\n    input p3: level 3\n    block P3: residual level 3 after p3\n    output P3\n}\n"
    found = spinedsl.check(source(one, edited("V = Net", edits))).diagnostics
    assert [one.code.id for one in found] == codes
