"""Heavy packages stay out of what does not need them: a check starts fast, and compiling to one target needs no other.

import-linter holds the direction of imports; this watches what is really loaded when a command runs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parent.parent / "examples/spinenet.spine"
HEAVY = ("jinja2", "numpy", "onnx", "onnxruntime", "safetensors", "torch")
SLOW = ("dataclasses", "inspect", "lark", "pathlib", "spinedsl.api", "spinedsl.ir.edits", "tempfile", "threading")

# Prints which of the packages the statement has loaded, as the last line.
PROBE = """
import json, sys
there = set(sys.modules)
status = None
try:
    {statement}
except SystemExit as stopped:
    status = stopped.code
print()
print(json.dumps([status, sorted(set({packages!r}) & set(sys.modules) - there)]))
"""


def loaded_by(statement: str, cwd: Path, packages: tuple[str, ...] = HEAVY) -> tuple[int | None, set[str]]:
    """Exit status of a statement, where it exits, and which of the packages it loaded."""
    code = PROBE.format(statement=statement, packages=packages)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=cwd, check=False)
    assert run.returncode == 0, run.stderr
    status, loaded = json.loads(run.stdout.splitlines()[-1])
    return status, set(loaded)


def command(*arguments: str) -> str:
    return f"from spinedsl.cli import main; sys.exit(main({list(arguments)!r}))"


@pytest.mark.parametrize("module", ["spinedsl", "spinedsl.driver", "spinedsl.cli"])
def test_importing_loads_nothing_heavy(module: str, tmp_path: Path) -> None:
    assert loaded_by(f"import {module}", tmp_path) == (None, set())


@pytest.mark.parametrize(
    ("text", "status"),
    [(None, 0), ("spine 1\nnetwork N { block b: nothing level 2 from c }\n", 1)],
    ids=["valid", "mistakes"],
)
def test_check_loads_nothing_heavy(text: str | None, status: int, tmp_path: Path) -> None:
    file = tmp_path / "net.spine"
    file.write_text(text or EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    assert loaded_by(command("check", str(file)), tmp_path) == (status, set())


def test_checking_a_clean_file_loads_nothing_slow(tmp_path: Path) -> None:
    assert loaded_by(command("check", str(EXAMPLE)), tmp_path, SLOW) == (0, set())


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", str(EXAMPLE), "--network", "SpineNet49"),
        ("stats", str(EXAMPLE), "--network", "SpineNet49"),
        ("explain", "E0303", "W0701"),
        ("fmt", "--check", str(EXAMPLE)),
        ("new", "mine.spine"),
    ],
    ids=lambda arguments: str(arguments[0]),
)
def test_other_commands_load_nothing_heavy(arguments: tuple[str, ...], tmp_path: Path) -> None:
    assert loaded_by(command(*arguments), tmp_path) == (0, set())


@pytest.mark.parametrize(
    ("target", "output", "allowed"),
    [("torch", "model.py", {"jinja2"}), ("onnx", "model.onnx", {"numpy", "onnx", "safetensors"})],
)
def test_compiling_loads_only_what_its_target_needs(
    target: str, output: str, allowed: set[str], tmp_path: Path
) -> None:
    arguments = ("compile", str(EXAMPLE), "--network", "SpineNet49S", "--to", target, "-o", output)
    status, loaded = loaded_by(command(*arguments), tmp_path)
    assert status == 0
    assert loaded <= allowed
