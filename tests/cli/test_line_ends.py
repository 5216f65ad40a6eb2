"""`spine fmt` keeps the line ends of a file, unless it is told otherwise."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from spinedsl.cli import main

LF = b"spine 1\n# a comment\ndef twice(x) { return x + x }\n"
UGLY = LF.replace(b" + ", b"+")
CRLF, CR = LF.replace(b"\n", b"\r\n"), LF.replace(b"\n", b"\r")
MARK = b"\xef\xbb\xbf"

# The bytes of a file, further arguments, and what formatting makes of it.
CASES: dict[str, tuple[bytes, list[str], bytes]] = {
    "LF stays": (LF, [], LF),
    "CRLF stays": (CRLF, [], CRLF),
    "CRLF stays in a file that changes": (UGLY.replace(b"\n", b"\r\n"), [], CRLF),
    "mostly CRLF": (LF.replace(b"\n", b"\r\n", 2), [], CRLF),
    "mostly LF": (LF.replace(b"\n", b"\r\n", 1), [], LF),
    "as many": (b"spine 1\r\n# a\n", [], b"spine 1\n# a\n"),
    "CR alone": (CR, [], LF),
    "a mark and CRLF": (MARK + CRLF, [], CRLF),
    "to LF": (CRLF, ["--line-ending", "lf"], LF),
    "to CRLF": (LF, ["--line-ending", "crlf"], CRLF),
    "auto is said": (CRLF, ["--line-ending", "auto"], CRLF),
}


@pytest.mark.parametrize("name", CASES)
def test_files(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, arguments, after = CASES[name]
    path = tmp_path / "net.spine"
    path.write_bytes(before)
    changes = before != after
    for look in ("--check", "--diff"):
        assert main(["fmt", look, *arguments, str(path)]) == changes
        out = capsys.readouterr().out
        assert bool(out) == changes
        assert path.read_bytes() == before
    assert main(["fmt", *arguments, str(path)]) == 0
    assert path.read_bytes() == after
    assert main(["fmt", "--check", *arguments, str(path)]) == 0


@pytest.mark.parametrize("name", CASES)
def test_standard_input(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    before, arguments, after = CASES[name]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(before)))
    assert main(["fmt", *arguments, "-"]) == 0
    assert capsys.readouterr().out.encode() == after


def test_a_difference_of_line_ends_alone_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "net.spine"
    path.write_bytes(CASES["mostly CRLF"][0])
    assert main(["fmt", "--diff", str(path)]) == 1
    assert "its line ends become CRLF" in capsys.readouterr().out
