"""A fault of ours: the report holds all that shows it again, and nothing else, wherever it can be written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import HANG

ROOT = Path(__file__).parents[2]
SECRET = "hunter2-do-not-tell"
MAIN = """spine 1
import std.stems
import "parts/blocks.spine"
import "../outside.spine"
network N { input image: 3 x 32 x 32 }
"""
FAULT = """
import resource, sys
import spinedsl.checking as checking
def fail(*arguments): raise {error}
checking.resolve_networks = fail
{limit}
from spinedsl.cli import main
sys.exit(main({arguments!r}))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "parts").mkdir(parents=True)
    (folder / "pyproject.toml").touch()
    (folder / "net.spine").write_text(MAIN)
    (folder / "parts/blocks.spine").write_text('spine 1\nimport "more.spine"\ndef first(x) { return x }\n')
    (folder / "parts/more.spine").write_text('spine 1\nimport "blocks.spine"\ndef second(x) { return x }\n')
    (folder / "parts/other.spine").write_text(f"# {SECRET}\n")
    (tmp_path / "outside.spine").write_text(f"# {SECRET}\n")
    (tmp_path / "temp").mkdir()
    return folder


def failing(
    project: Path, *arguments: str, error: str = "RuntimeError('planted')", text: str = "", limit: str = ""
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """The command with a fault in it; what it says, and the reports that it wrote."""
    code = FAULT.format(error=error, arguments=list(arguments), limit=limit)
    temp = project.parent / "temp"
    env = {**os.environ, "TMPDIR": str(temp), "PASSWORD": SECRET, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=project, check=False, env=env, input=text,
        timeout=HANG,
    )  # fmt: skip
    return done, [path.read_text() for path in temp.glob("spine-fault-*.txt")]


def test_a_report_is_complete(project: Path) -> None:
    done, (report,) = failing(project, "check", "net.spine")
    assert done.returncode == 70
    assert "Traceback" not in done.stderr
    assert "internal error: RuntimeError: planted" in done.stderr
    (name,) = re.findall(r"report it with the file (\S+),", done.stderr)
    assert (project.parent / "temp" / Path(name).name).is_file()
    first, second, third, *_ = report.split("\n")
    assert re.fullmatch(r"spine \S+, Python 3\S+, .+", first)
    assert re.search(r"lark \d.*jinja2 \d.*torch \d.*onnx \d.*numpy \d.*safetensors \d", second)
    assert third == "command: spine check net.spine"
    assert "RuntimeError: planted" in report
    assert MAIN in report
    assert "def first(x)" in report
    assert "def second(x)" in report


def test_a_report_shows_the_fault_again(project: Path, tmp_path: Path) -> None:
    """The sources in it, laid out as they are named, are the files that were read."""
    _, (report,) = failing(project, "check", "net.spine")
    parts = re.split(r"^---- (.+) ----\n", report, flags=re.MULTILINE)[1:]
    found = {Path(name).name: text for name, text in zip(parts[::2], parts[1::2], strict=True)}
    assert sorted(found) == ["blocks.spine", "more.spine", "net.spine"]
    for name, text in found.items():
        (file,) = project.rglob(name)
        assert file.read_text().strip() == text.strip()


def test_a_report_leaks_nothing(project: Path) -> None:
    """No environment, no file that no command read, and none from outside the project."""
    done, (report,) = failing(project, "check", "net.spine")
    assert SECRET not in report + done.stderr
    assert os.environ["PATH"] not in report


def test_standard_input_is_repeated(project: Path) -> None:
    _, (report,) = failing(project, "check", "-", text="spine 1\n# from a pipe\nnetwork N { }\n")
    assert "# from a pipe" in report


def test_a_folder_is_repeated_as_far_as_it_was_read(project: Path) -> None:
    _, (report,) = failing(project, "check", "parts")
    assert "def first(x)" in report
    assert SECRET not in report


def test_a_long_source_is_cut_and_says_so(project: Path) -> None:
    (project / "net.spine").write_text(MAIN + "# a\n" * 300_000)
    _, (report,) = failing(project, "check", "net.spine")
    assert len(report) < 1_100_000
    assert re.search(r"---- and \d+ more ----", report)


def test_without_a_place_for_it_the_report_is_printed(project: Path) -> None:
    """No folder for temporary files can be written to."""
    full = "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))"
    done, reports = failing(project, "check", "net.spine", limit=full)
    assert done.returncode == 70
    assert not reports
    assert "Please report it with this:" in done.stderr
    assert "RuntimeError: planted" in done.stderr
    assert "def second(x)" in done.stderr
    assert not list((project.parent / "temp").iterdir())


def test_what_an_error_says_reaches_the_terminal_escaped(project: Path) -> None:
    done, _ = failing(project, "check", "net.spine", error="RuntimeError('\\x1b[31m\\n::error::')")
    assert "\x1b" not in done.stderr
    assert "\n::error" not in done.stderr
