"""Definitions as arguments: what is called by a parameter's name is what a call by the definition's own name gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from spinedsl import driver, edit
from spinedsl.backends.torch import emit_module
from spinedsl.diagnostics.render import render
from spinedsl.ops.graph import flatten
from spinedsl.ops.program import Program
from spinedsl.source import Source
from tests.ir.built import graph, program
from tests.witnesses import assert_witnesses_agree

DEFINITIONS = """spine 1
import std.stems

def plain(x, channels, stride = 1) {
    return act(norm(conv(x, channels, kernel = 3, stride = stride)))
}

def thin(x, channels, stride = 1) {
    let inner = conv(x, channels, kernel = 1, stride = stride)
    return norm(inner)
}

fn wider(v) { return v * 2 }
"""
NETWORK = """
network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 8
    ROWS
    output P: b
}
"""
CELL = """
block_type cell(x, channels, stride = 1, op = plain, act2 = relu) -> channels {
    let y = op(x, channels, stride = stride)
    return act2(y + op(y, channels))
}
"""
ROW = "block b: cell level 3 after s channels 12"


def text(definitions: str, rows: str, network: str = NETWORK) -> str:
    return DEFINITIONS + definitions + network.replace("ROWS", rows)


def below(*rows: str) -> str:
    return "\n    ".join(rows)


def parameters(file: str) -> dict[str, tuple[int, ...]]:
    return {name: parameter.shape for name, parameter in graph(file).parameters.items()}


def classes(made: Program) -> list[str]:
    """The classes of the PyTorch file, and its functions, in order."""
    code = emit_module(made).decode()
    found = [line.split("(")[0].split()[1] for line in code.splitlines() if line.startswith(("class ", "def "))]
    return [name for name in found if name[0] in "CWTP" or name.startswith("cell")]


@pytest.mark.parametrize("op", ["plain", "thin"])
def test_as_if_called_by_its_own_name(op: str) -> None:
    """The same operations; where the call is all of a `let`, the same parameters too."""
    given = text(CELL, ROW.replace("cell", f"cell(op = {op})"))
    called = text(CELL.replace(", op = plain", "").replace("op(", f"{op}("), ROW)
    assert [node.primitive for node in graph(given).nodes] == [node.primitive for node in graph(called).nodes]
    names = {name.replace("b.op.", f"b.{op}."): shape for name, shape in parameters(given).items()}
    assert names == parameters(called)
    assert "b.y.conv.weight" in names or "b.y.inner.conv.weight" in names


def test_what_is_left_out_is_the_default() -> None:
    assert parameters(text(CELL, ROW)) == parameters(text(CELL, ROW.replace("cell", "cell(op = plain)")))


def test_a_definition_of_an_activation_s_place() -> None:
    gate = "def gate(x) { return x * sigmoid(x) }"
    made = graph(text(CELL + gate, ROW.replace("cell", "cell(act2 = gate)")))
    assert [node.primitive for node in made.nodes][-2:] == ["sigmoid", "multiply"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("stride == 2", "b.y.inner.conv.weight"),
        ("op == plain", "b.y.inner.conv.weight"),
        ("op != plain", "b.y.conv.weight"),
    ],
)
def test_a_choice_among_definitions(condition: str, expected: str) -> None:
    cell = CELL.replace("let y = op(", f"let chosen = thin if {condition} else op\n    let y = chosen(")
    assert expected in parameters(text(cell, ROW))


def test_passed_on_through_two_definitions() -> None:
    outer = (
        "block_type outer(x, channels, stride = 1, inner) -> channels { return cell(x, channels, stride, op = inner) }"
    )
    made = parameters(text(CELL + outer, "block b: outer(inner = thin) level 3 after s channels 12"))
    assert "b.cell.y.inner.conv.weight" in made


def test_one_definition_inside_itself_for_another() -> None:
    """That is no recursion: what is given ends it."""
    around = "def around(x, channels, op) { return op(x, channels) + conv(x, channels, kernel = 1) }"
    nested = "def nested(x, channels) { return around(x, channels, op = thin) }"
    file = text(f"{CELL}{around}\n{nested}\n" "block_type t(x, channels, stride = 1) -> channels {"
                " return around(plain(x, channels, stride), channels, op = nested) }",
                ROW.replace("cell", "t"))  # fmt: skip
    assert "b.around.op.around.op.inner.conv.weight" in parameters(file)
    assert_witnesses_agree(program(file), [(2, 64, 32)])


def test_two_definitions_that_are_given_each_other() -> None:
    """Each stands in the other, and ends in a third: their classes are written from the inside out."""
    pair = """
def left(x, channels, op) { return op(x, channels) + x }
def right(x, channels, op) { return act(op(x, channels)) }
def left_of_right(x, channels) { return left(x, channels, op = right_of_thin) }
def right_of_thin(x, channels) { return right(x, channels, op = thin) }
def right_of_left(x, channels) { return right(x, channels, op = left_of_thin) }
def left_of_thin(x, channels) { return left(x, channels, op = thin) }
block_type both(x, channels, stride = 1) -> channels {
    let y = plain(x, channels, stride)
    return left_of_right(y, channels) + right_of_left(y, channels)
}
"""
    made = program(text(pair, ROW.replace("cell", "both")))
    assert_witnesses_agree(made, [(2, 64, 32)])


def test_resampling_join_output_head_and_defaults() -> None:
    definitions = """
resample_type fit(x, source, target, op = plain) -> target.in_channels {
    var y = op(x, target.in_channels)
    repeat target.level - x.level { y = max_pool(y, kernel = 3, stride = 2) }
    return y
}
join_type joined(maps, how = plain) { return how(sum(maps), first(maps).channels) }
output_type end(x, channels, op = plain) -> channels { return op(x, channels) }
head_type ends(maps, channels, op = plain) {
    each p in maps { yield shared op(p, channels) }
}
def leaky(x, gate) { return max(x, gate(x) * 0.1) }
def soft(x) { return x * sigmoid(x) }
"""
    network = NETWORK.replace("act relu", "act leaky(gate = soft)").replace(
        "output P: b", "output P: end(op = thin) from b channels 4\n    head H: ends(op = thin) from P channels 5"
    )
    rows = "resample fit(op = thin)\n    join joined(how = thin)\n    block b: plain_block level 3 from s channels 12"
    block = "block_type plain_block(x, channels) -> channels { return plain(x, channels) }\n"
    names = parameters(text(definitions + block, rows, network))
    for name in ("b.from_s.op.inner.conv.weight", "b.how.inner.conv.weight", "P.op.inner.conv.weight"):
        assert any(known.endswith(name.partition(".")[2]) and known.startswith(name[0]) for known in names), names
    assert "H.op.inner.conv.weight" in names


def test_functions_are_given_too() -> None:
    network = NETWORK.replace("network Net {", "network Net(rule = wider) {").replace("channels 8", "channels rule(8)")
    assert parameters(text(CELL, ROW, network))["s.enter.conv.weight"][0] == 16
    definitions = "fn twice(v, f = wider) { return f(f(v)) }\n" + CELL.replace(
        "op(x, channels", "op(x, twice(channels)"
    )
    definitions = definitions.replace("y + op(y", "op(y")
    assert parameters(text(definitions, ROW))["b.y.conv.weight"][0] == 48


def test_an_instance_and_a_part_pass_it_on() -> None:
    network = NETWORK.replace("network Net {", "network Net(kind = plain) {") + "network Other = Net(kind = thin)\n"
    file = text(CELL, ROW.replace("cell", "cell(op = kind)"), network)
    assert "b.y.inner.conv.weight" in graph(file, "Other").parameters
    assert "b.y.conv.weight" in graph(file).parameters
    part = """
network Part(kind = plain, rule = wider) {
    input p: level 2
    block q: cell(op = kind) level 3 after p channels rule(6)
    output q
}
"""
    rows = below("part n: Part(kind = thin) from s", "block b: cell(op = thin) level 4 after n.q channels 4")
    parted = text(CELL + part, rows)
    assert parameters(parted)["n.q.y.inner.conv.weight"] == (12, 8, 1, 1)


def test_a_name_means_what_it_means_in_its_file(tmp_path: Path) -> None:
    """A default is of the file in which it stands, whatever has that name in the file of the network."""
    plain = "def plain(x, channels, stride = 1) { return conv(x, channels, kernel = KERNEL, stride = stride) }\n"
    (tmp_path / "plain.spine").write_text("spine 1\n" + plain.replace("KERNEL", "5"))
    (tmp_path / "cells.spine").write_text(f'spine 1\nimport "plain.spine"\n{CELL}')
    rows = below("block a: cell level 3 after s channels 12", "block b: cell(op = plain) level 4 after a channels 12")
    own = plain.replace("KERNEL", "3") + NETWORK.replace("ROWS", rows)
    made = program(f'spine 1\nimport std.stems\nimport "cells.spine"\n{own}', origin=str(tmp_path / "main.spine"))
    found = flatten(made).parameters
    assert [found[f"{row}.y.conv.weight"].shape[2] for row in "ab"] == [5, 3]


def test_classes_are_named_after_what_they_call() -> None:
    rows = below(
        "block a: cell level 3 after s channels 12",
        "block c: cell(op = thin) level 3 after a channels 12",
        "block d: cell(op = thin) level 4 after c channels 24",
        "block b: cell(op = thin, act2 = gate) level 4 after d channels 24",
    )
    made = program(text(CELL + "def gate(x) { return x * sigmoid(x) }\n", rows))
    assert classes(made) == ["Plain", "Thin", "Cell", "CellThin", "CellThinGate"]


def test_many_definitions_make_no_name() -> None:
    cell = """
block_type cell(x, channels, stride = 1, a, b, c) -> channels {
    return a(b(c(x, channels, stride), channels), channels)
}
"""
    rows = below(
        "block d: cell(a = plain, b = thin, c = thin) level 3 after s channels 8",
        "block b: cell(a = thin, b = thin, c = plain) level 4 after d channels 8",
    )
    assert classes(program(text(cell, rows))) == ["Thin", "Plain", "Cell", "Cell2"]


def test_edits_give_definitions() -> None:
    network = NETWORK + "network Other = Net with { block b: cell(op = thin) }\n"
    assert "b.y.inner.conv.weight" in graph(text(CELL, ROW, network), "Other").parameters
    source = Source.from_text(text(CELL, ROW), "net.spine")
    edits = edit.Edits([edit.Change("b", type="cell(op = thin)")])
    edited = edit.apply(source, edits, base="Net", name="Other")
    assert "b.y.inner.conv.weight" in graph(edited.text, "Other").parameters


def test_the_same_mistake_in_two_rows_is_told_of_both() -> None:
    rows = (
        "block a: cell(op = gate) level 3 after s channels 8\n    block b: cell(op = gate) level 3 after s channels 8"
    )
    found = driver.analyse(Source.from_text(text(CELL + "def gate(x) { return sigmoid(x) }\n", rows), "net.spine"))
    lines = [one.span.line for one in found.diagnostics if one.code.id == "E0246"]
    assert lines == [25, 26], render(found.diagnostics)
