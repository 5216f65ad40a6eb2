"""What a command imports before it does anything: help and version no command, a command only itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.patience import HANG
from tests.texts import ROOT

FIRST = "examples/tutorial/1_first_network.spine"
LOADED = """
import contextlib, io, sys
from spinedsl.cli import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(sys.stdout), contextlib.suppress(SystemExit):
    main(sys.argv[1:])
print(*sorted(sys.modules))
"""
SERVING = ("http.server", "spinedsl.watch")
HEAVY = ("torch", "onnx", "numpy", "jinja2")


def loaded_by(*arguments: str) -> list[str]:
    """The modules that are there after a command."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        capture_output=True, text=True, check=True, cwd=ROOT, timeout=HANG,
    )  # fmt: skip
    return done.stdout.split()


@pytest.mark.parametrize("arguments", [["--version"], ["-V"], ["--help"], ["-h"], ["help"], []])
def test_help_and_version_import_no_command(arguments: list[str]) -> None:
    found = loaded_by(*arguments)
    ours = {name for name in found if name.startswith("spinedsl.cli.")}
    assert ours == {f"spinedsl.cli.{name}" for name in ("options", "parsing", "voice")}
    assert not {"spinedsl.driver", "lark", *SERVING, *HEAVY} & {*found}


@pytest.mark.parametrize("arguments", [["check", FIRST], ["fmt", "--check", FIRST], ["watch", "--help"]])
def test_a_command_imports_itself_alone(arguments: list[str]) -> None:
    found = loaded_by(*arguments)
    others = {name for name in ("check", "fmt", "watch", "draw", "compile") if name != arguments[0]}
    assert f"spinedsl.cli.{arguments[0]}" in found
    assert not {f"spinedsl.cli.{name}" for name in others} & {*found}
    assert not {*HEAVY, *(SERVING if arguments[0] != "watch" else ())} & {*found}


def test_a_clean_file_is_checked_without_what_only_mistakes_and_rare_files_need() -> None:
    """`difflib` alone takes a hundredth of the time."""
    found = {*loaded_by("check", "examples/spinenet.spine")}
    assert "spinedsl.ir.elaborate.joining" in found
    rare = ("diagnostics.repairs", "syntax.misread", "syntax.strays", "ir.read_maps", "ir.edits", "ir.parts")
    assert not {"difflib", "unicodedata", *(f"spinedsl.{name}" for name in rare)} & found
