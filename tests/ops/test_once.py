"""A program is flattened once, whatever is made of it; one that was changed is another program."""

from __future__ import annotations

from pathlib import Path

import pytest

import spinedsl
from spinedsl.backends import BACKENDS
from spinedsl.cli import main
from spinedsl.ops import graph
from spinedsl.ops.graph import Graph, flatten
from spinedsl.ops.program import Program
from spinedsl.record import replace
from tests.texts import ROOT

FILE = ROOT / "examples/tutorial/2_scales.spine"
NETWORK = "examples/spinenet.spine --network SpineNet49S"
COMMANDS: dict[str, str] = {
    **{name: f"compile {NETWORK} --to {name} -o" for name in BACKENDS},
    "show": f"show {NETWORK}",
    "stats": f"stats {NETWORK}",
    "draw": f"draw {NETWORK} -o -",
    "diff": "diff examples/spinenet.spine:SpineNet49S examples/spinenet.spine:SpineNet49",
}


@pytest.fixture
def flattened(monkeypatch: pytest.MonkeyPatch) -> list[Program]:
    """The programs that are flattened from now on."""
    found: list[Program] = []
    real = graph._flattened

    def counting(program: Program) -> Graph:
        found.append(program)
        return real(program)

    monkeypatch.setattr(graph, "_flattened", counting)
    return found


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_flattens_a_program_once(
    command: str, flattened: list[Program], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    line = COMMANDS[command].split()
    assert main([*line, str(tmp_path / "model")] if line[-1] == "-o" else line) in {0, 1}
    assert len(flattened) == {"diff": 2, "mermaid": 0}.get(command, 1)


def test_a_changed_program_is_another() -> None:
    program = spinedsl.program(FILE)
    assert flatten(program) is flatten(program)
    changed = replace(program, rows=program.rows[:-1], outputs=program.outputs[:-1])
    assert len(flatten(changed).rows) == len(flatten(program).rows) - 1
    assert [*changed.by_name] == [row.name for row in program.rows[:-1]]
