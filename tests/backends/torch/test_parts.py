"""Classes of parts: one for copies that are wired alike, with what differs as arguments."""

from __future__ import annotations

import ast
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from spinedsl.backends.torch import build
from spinedsl.backends.torch.emit import emit_module
from spinedsl.source import Source
from spinedsl.testing.laws import agreed, program_of, trained
from tests.scripting import is_scripted, same, scripted
from tests.texts import ROOT

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")

HEAD = """spine 1
import std.blocks
import std.fpn
import std.stems

network Pair(wide = 8) {
    input x, y: level 2
    block a: residual level 2 after x channels wide
    block b: bottleneck level 2 after y channels 8
    output A: b
    output B: a
}
"""
NET = """
network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    rules { outputs any, inputs 1..4 }
    widths { level 2..4: 8 }
    resample nearest
    join sum
    stem s: resnet_stem channels 8
    block b2: residual level 2 after s
    ROWS
}
"""
RESAMPLE = """
resample_type nearest(x, source, target) -> target.in_channels {
    return conv(x, target.in_channels, kernel = 1)
}
"""


def file(rows: str, more: str = "", edit: str = "") -> Source:
    """A file with a network `Net` of these rows, or one to which an edit is made."""
    text = HEAD + more + NET.replace("ROWS", rows.replace("\n", "\n    ")) + RESAMPLE
    if edit:
        text = text.replace("network Net", "network Base") + f"\nnetwork Net = Base with {{\n{edit}\n}}\n"
    return Source.from_text(text)


def classes(source: Source) -> dict[str, ast.ClassDef]:
    tree = ast.parse(emit_module(program_of(source, "Net")))
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def method(node: ast.ClassDef, name: str) -> str:
    return next(ast.unparse(one) for one in node.body if isinstance(one, ast.FunctionDef) and one.name == name)


AROUND = """
network Around(wide = 8) {
    input x, y: level 2
    part one: Pair(wide) from x, y repeat 2
    part two: Pair(wide) from one
    output A, B: two
}
"""
CASES = {
    "a chain": "part n: Pair from b2, s repeat 3\noutput P, Q: n",
    "a chain of which one output is read": "part n: Pair from b2, s repeat 2\noutput P: n.A",
    "two of other widths": "part n: Pair(4) from b2, s\npart m: Pair(wide = 12) from n\noutput P, Q: m",
    "one map twice": "part n: Pair from b2, b2\npart m: Pair from n\noutput P, Q: m",
    "a part in a part": "part n: Around from b2, s\npart m: Around(16) from n repeat 2\noutput P, Q: m",
    "a row that reads all": "part n: Pair from b2, s repeat 2\nblock c: residual level 2 from n, b2\noutput P: c",
    "names that are taken": "part Pair: Pair from b2, s\npart sizes: Pair from Pair\noutput P, Q: sizes",
}


@pytest.mark.parametrize("rows", CASES.values(), ids=CASES)
def test_parts_compute_what_the_interpreter_does(rows: str) -> None:
    source = file(rows, AROUND)
    agreed(source, "Net")
    trained(source, "Net")
    is_scripted(source, "Net")
    made = program_of(source, "Net")
    names = {name.rpartition(".")[0] for name in build(made).state_dict()}
    wanted = {row.name for row in made.rows if row.kind == "block"}
    assert {name for name in wanted if not any(n.startswith(f"{name}.") for n in names)} == set()


def test_equal_copies_are_one_class_and_a_loop() -> None:
    found = classes(file("part n: Pair from b2, s repeat 4\noutput P, Q: n"))
    assert [*found][-2:] == ["Pair", "Net"]
    assert "nn.ModuleDict(" in method(found["Net"], "__init__")
    assert "for part in self.n.values():\n        n_b, n_a = part(n_b, n_a)" in method(found["Net"], "forward")


class Doubled(nn.Module):
    """Gives twice what it takes."""

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return 2 * x, 2 * y


def test_what_somebody_puts_into_the_place_of_a_copy_runs() -> None:
    module: Any = build(program_of(file("part n: Pair from b2, s repeat 3\noutput P, Q: n"), "Net")).eval()
    image = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    gave: list[Tensor] = []
    took: list[Tensor] = []
    hooks = [
        module.n.rep0.register_forward_hook(lambda _, given, result: gave.extend(result)),
        module.n.rep2.register_forward_hook(lambda _, given, result: took.extend(given)),
    ]
    module.n.rep1 = Doubled()
    with torch.no_grad():
        found = module(image)
        assert all(torch.equal(2 * before, after) for before, after in zip(gave, took, strict=True))
        for hook in hooks:
            hook.remove()
        assert same(scripted(module)(image), found)


def test_what_differs_is_an_argument() -> None:
    found = classes(file("part n: Pair(4) from b2, s\npart m: Pair(wide = 12) from n\noutput P, Q: m"))
    assert method(found["Pair"], "__init__").startswith(
        "def __init__(self, in_channels: int, channels: int, b_in_channels"
    )
    assert "Pair2" not in found
    assert "self.m = Pair(in_channels=32, channels=12, b_in_channels=4)" in method(found["Net"], "__init__")


def test_a_copy_that_an_edit_changes_is_a_class_of_its_own() -> None:
    source = file(
        "part n: Pair from b2, s repeat 3\noutput P, Q: n",
        edit="block n.rep1.a: bottleneck\nadd block z: residual level 2 after n.rep0.b right after n.rep0.b\n"
        "add output Z: z before P",
    )
    found = classes(source)
    assert {"Pair", "Pair2"} <= {*found}
    assert "for part" not in method(found["Net"], "forward")
    agreed(source, "Net")


def test_an_intermediate_copy_that_others_read_is_written_out() -> None:
    source = file("part n: Pair from b2, s repeat 3\noutput P, Q: n", edit="add output Z: n.rep0.b before P")
    assert "n_rep0_b, n_rep0_a = self.n.rep0(b2, s)" in method(classes(source)["Net"], "forward")
    agreed(source, "Net")


def test_seven_cells_are_written_once() -> None:
    source = Source.from_text((ROOT / "tests" / "definitions" / "nas_fpn.spine").read_text(encoding="utf-8"))
    found = classes(source)
    assert "Cell" in found
    assert len(found["Cell"].body[1].body) == 1 + 27  # type: ignore[attr-defined]
    assert "self.cells = nn.ModuleDict({f'rep{i}': Cell() for i in range(7)})" in method(found["Net"], "__init__")
    with torch.device("meta"):
        names = [*build(program_of(source, "Net")).state_dict()]
    assert "cells.rep6.P7.conv.weight" in names
