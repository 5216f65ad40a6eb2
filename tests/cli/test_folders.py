"""Folders: what is found in them, what `.spineignore` leaves out; every folder of the project can be checked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from spinedsl import driver
from spinedsl.cli.folders import files_below, holds_files
from tests.cli.running import NET, run

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(
    {
        path
        for top in ("examples", "generated", "tests", "spinedsl", "grammar", "benchmarks")
        for path in (ROOT / top, *(ROOT / top).iterdir(), *(ROOT / top).glob("*/*"))
        if path.is_dir() and "__pycache__" not in path.parts
    }
)


@pytest.mark.parametrize("command", [["check"], ["fmt", "--check"]])
def test_a_first_command_on_any_folder_of_the_project_succeeds(
    command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them at once: those one by one are only what these are made of."""
    monkeypatch.chdir(ROOT)
    for folder in (".", *(str(path.relative_to(ROOT)) for path in SHIPPED if len(path.relative_to(ROOT).parts) == 1)):
        status, out, err = run(capsys, *command, folder)
        assert status == 0, (folder, out, err)
    checked = run(capsys, "check", "examples")[1]
    assert checked.endswith("no mistakes\n")


def test_no_folder_holds_what_is_not_left_out_and_wrong() -> None:
    """Every file that a search of any folder finds is one that a search of the whole finds."""
    whole = {Path(path).resolve() for path in files_below(str(ROOT))}
    for folder in SHIPPED:
        assert {Path(path).resolve() for path in files_below(str(folder))} <= whole, folder


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (
        "a.spine",
        "b/c.spine",
        "b/d/e.spine",
        "b/wrong/f.spine",
        ".hidden/g.spine",
        "b/note.txt",
        "b/wrong.spine",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(NET)
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "b/folder.spine").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("ignored", "searched", "found"),
    [
        ({}, ".", "a.spine b/c.spine b/d/e.spine b/wrong.spine b/wrong/f.spine"),
        ({".": "wrong/"}, ".", "a.spine b/c.spine b/d/e.spine b/wrong.spine"),
        ({".": "wrong*"}, ".", "a.spine b/c.spine b/d/e.spine"),
        ({".": "# wrong\n\n  d  \n"}, ".", "a.spine b/c.spine b/wrong.spine b/wrong/f.spine"),
        ({".": "/a.spine"}, ".", "b/c.spine b/d/e.spine b/wrong.spine b/wrong/f.spine"),
        ({".": "b/wrong"}, ".", "a.spine b/c.spine b/d/e.spine b/wrong.spine"),
        ({"b": "wrong\nc.spine"}, ".", "a.spine b/d/e.spine b/wrong.spine"),
        ({".": "wrong"}, "b/wrong", ""),
        ({".": "wrong"}, "b", "b/c.spine b/d/e.spine b/wrong.spine"),
        ({".": "*"}, "b/d", ""),
        ({"b/d": "*"}, "b", "b/c.spine b/wrong.spine b/wrong/f.spine"),
        ({"..": "*"}, ".", "a.spine b/c.spine b/d/e.spine b/wrong.spine b/wrong/f.spine"),  # above the project
    ],
)
def test_what_is_found(
    ignored: dict[str, str], searched: str, found: str, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree)
    for folder, text in ignored.items():
        (tree / folder / ".spineignore").write_text(text)
    try:
        got = [os.path.normpath(path) for path in files_below(searched)]
    finally:
        (tree / ".." / ".spineignore").unlink(missing_ok=True)
    assert sorted(got) == found.split()


def test_a_file_that_is_named_is_always_read(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / ".spineignore").write_text("*")
    assert run(capsys, "check", str(tree / "a.spine"))[1].startswith("1 file checked")
    status, out, err = run(capsys, "check", str(tree))
    assert (status, out, err) == (0, "", f"spine: no .spine file in {tree} but what .spineignore leaves out\n")
    assert holds_files(str(tree))


def test_a_folder_without_files_is_no_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = f"spine: no .spine file in {tmp_path}\n"
    assert run(capsys, "check", str(tmp_path)) == (0, "", said)
    assert run(capsys, "check", "-q", str(tmp_path)) == (0, "", said), "nothing was checked: that is worth saying"
    assert run(capsys, "check", "--json", str(tmp_path)) == (0, "[]\n", said)
    assert run(capsys, "fmt", "--check", str(tmp_path)) == (0, "", said)


@pytest.mark.parametrize("name", ["a b.spine", "a\nb.spine", "\udce9.spine", "-x.spine", "\x1b[31m.spine", "ä.spine"])
def test_names_of_every_kind(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / name
    path.write_text(NET.replace("after s", "after nothing"))
    for words in (
        ["check", str(path)],
        ["check", str(tmp_path)],
        ["show", str(path)],
        ["fmt", str(path)],
        ["stats", str(path)],
    ):
        status, out, err = run(capsys, *words)
        assert status == (0 if words[0] == "fmt" else 1)
        assert "\x1b" not in out + err
        assert "\udce9" not in out + err
    path.write_text(NET)
    assert run(capsys, "draw", str(path), "-o", str(tmp_path / f"{name}.svg"))[0] == 0
    assert run(capsys, "compile", str(path), "--to", "torch", "-o", str(tmp_path / f"{name}.py"))[0] == 0


@pytest.mark.parametrize(
    "files", [["."], ["bad.spine", "z.spine"], ["./bad.spine", "bad.spine"], ["z.spine", "{here}/bad.spine"]]
)
def test_a_mistake_of_a_file_is_reported_once_whatever_it_is_called(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the file itself, by one that imports it, and by the same file under another name."""
    monkeypatch.chdir(tmp_path)
    Path("spine.toml").touch()
    wrong = "def f(x) { return relo(x) }\ndef g(x) { return conv(x, 8, kernel = 3, wobble = 3) }\n"
    Path("bad.spine").write_text(NET + wrong, encoding="utf-8")
    Path("z.spine").write_text('import "bad.spine"\nnetwork R = Net\n', encoding="utf-8")
    out = run(capsys, "check", *(file.format(here=tmp_path) for file in files))[1]
    assert "2 errors" in out
    assert out.count("did you mean `relu`?") == out.count("take it away") == 1


def test_what_is_repaired_in_an_imported_file_is_what_that_file_says(tmp_path: Path) -> None:
    """Repairs are tried there too: one that leads to another error is proposed in neither."""
    (tmp_path / "bad.spine").write_text("def f(x) { return conv(x, 8, kernel 3 }\n", encoding="utf-8")
    (tmp_path / "z.spine").write_text('import "bad.spine"\ndef own(x) { return x }\n', encoding="utf-8")
    said = [driver.read(tmp_path / name).then(driver.analyse).diagnostics for name in ("bad.spine", "z.spine")]
    assert [(one.message, one.fixes) for one in said[0]] == [(one.message, one.fixes) for one in said[1]]
