"""What a command does grows with the rows of a network, and no faster: twice the rows, at most about twice the work.

Work is counted in lines of Python, so the bound is sharp: a loop over all rows for each row is seen at sixty rows.
What a built-in function does by itself is not counted; `python -m benchmarks.bench growth` has the seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from spinedsl.backends.torch.classes import classes_of
from spinedsl.backends.torch.initial import Rules
from spinedsl.backends.torch.parts import parts_of
from spinedsl.cli import main
from spinedsl.draw.figure import Spacing
from spinedsl.draw.layout import _columns
from spinedsl.source import Source
from spinedsl.testing.laws import program_of
from tests.counting import lines
from tests.syntax.heaps import HEAD, NET

ROWS = 60
MOST = 2.05  # times the lines, of twice the rows
COMMANDS = {
    "check": "check new.spine",
    "fmt": "fmt new.spine",
    "show": "show new.spine",
    "show a part": "show new.spine --outputs P",
    "stats": "stats new.spine",
    "draw": "draw new.spine -o figure.svg",
    "draw by costs": "draw new.spine -o figure.svg --widths channels --color memory",
    "draw a page": "draw new.spine -o figure.html",
    "draw changes": "draw new.spine --against old.spine -o figure.svg",
    "torch": "compile new.spine --to torch -o model.py",
    "onnx": "compile new.spine --to onnx -o model.onnx",
    "mermaid": "compile new.spine --to mermaid -o model.mmd",
    "diff": "diff old.spine new.spine",
    "diff as edits": "diff old.spine new.spine --edits",
}


def network(count: int) -> str:
    """A network of so many blocks without mistakes, that read near blocks, far ones, and one that many read."""
    first = "block b0: residual level 2 after s\nblock b1: residual level 3 from s, b0\n"
    others = [(i - 2, i // 2 - 1, 0)[i % 3] if i > 3 else i - 2 for i in range(count)]
    blocks = [f"block b{i}: residual level {2 + i % 4} from b{i - 1}, b{others[i]}\n" for i in range(2, count)]
    return "".join([HEAD, NET.replace(": 64", ": 4"), first, *blocks, f"output P: b{count - 1}\n}}\n"])


def parts(count: int) -> str:
    """One of about as many blocks, in parts: half of them in a row of copies, the others one by one."""
    cell = "network Cell {\ninput x, y: level 2..3\nblock b9: residual level 2 from x, y\n"
    cell += "block d: residual level 3 from b9, y\noutput P, Q: b9, d\n}\n"
    rows = ["block b0: residual level 2 after s\nblock b1: residual level 3 from s, b0\n"]
    rows += [f"part many: Cell from b0, b1 repeat {count // 4}\npart n0: Cell from many\n"]
    rows += [f"part n{i}: Cell from n{i - 1}.P, n{i // 2}.Q\n" for i in range(1, count // 4)]
    return "".join([HEAD, NET.replace(": 64", ": 4"), *rows, f"output P: n{count // 4 - 1}.Q\n}}\n", cell])


@pytest.mark.parametrize("made", [network, parts])
@pytest.mark.parametrize("command", COMMANDS)
def test_twice_the_rows_are_twice_the_work(
    command: str, made: Callable[[int], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    statuses: set[int] = set()

    def run(count: int) -> int:
        text = made(count)
        (tmp_path / "new.spine").write_text(text)
        (tmp_path / "old.spine").write_text(text.replace("b9: residual", "b9: bottleneck"))
        return lines(lambda: statuses.add(main(COMMANDS[command].split())))

    monkeypatch.chdir(tmp_path)
    run(ROWS)  # what is imported or remembered on first use is
    assert run(2 * ROWS) < MOST * run(ROWS)
    assert statuses == {0}


def test_a_box_is_placed_by_those_near_it() -> None:
    """What all commands do hides a small loop over all boxes; it shows where nothing else is done."""
    spacing = Spacing(narrowest=40.0, gap=10.0, clear=8.0)

    def run(count: int) -> int:
        nodes: Any = [SimpleNamespace(tier=i % 4) for i in range(count)]
        return lines(lambda: _columns(nodes, [40.0] * count, [20.0] * count, spacing, 0.0))

    assert run(2 * ROWS) < MOST * run(ROWS)


def test_the_classes_of_parts_are_found_part_by_part() -> None:
    """What a file of PyTorch takes otherwise hides a loop over all rows for each part."""

    def run(count: int) -> int:
        program = program_of(Source.from_text(parts(count)), "N")
        classes = classes_of(program, Rules.of(program), set())
        return lines(lambda: parts_of(program, classes, set()))

    assert run(4 * ROWS) < MOST * run(2 * ROWS)
