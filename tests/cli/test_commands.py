"""The command line as its users meet it: exit status, streams, files, folders, standard input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from spinedsl.cli import main
from tests.patience import HANG

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
TUTORIAL = EXAMPLES / "tutorial"
FIRST = str(TUTORIAL / "1_first_network.spine")
FAMILY = str(TUTORIAL / "3_family.spine")
WRONG = str(EXAMPLES / "demo" / "three_mistakes.spine.txt")


def spine(*arguments: str, text: str = "", env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "spinedsl", *arguments],
        input=text,
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        env={**os.environ, **(env or {})},
        timeout=HANG,
    )


def test_a_clean_file_is_status_0() -> None:
    done = spine("check", FIRST)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "1 file checked, 1 network: no mistakes\n"


def test_mistakes_are_status_1_and_all_said() -> None:
    done = spine("check", WRONG)
    assert done.returncode == 1
    assert done.stdout.count("error[") == 3
    assert done.stdout.endswith("1 file checked: 3 errors; `spine explain E0402` says more\n")


def test_a_folder_is_searched() -> None:
    done = spine("check", str(TUTORIAL))
    assert done.returncode == 0
    assert "6 files checked, 11 networks" in done.stdout


def test_a_network_is_counted_where_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of several files, in which a network is looked for, those that have it."""
    text = Path(FIRST).read_text(encoding="utf-8")
    for name, network in (("a", "First"), ("b", "Other"), ("c", "First")):
        (tmp_path / f"{name}.spine").write_text(text.replace("network First", f"network {network}"), encoding="utf-8")
    for network, count in (("First", "2 networks"), ("Other", "1 network")):
        assert main(["check", str(tmp_path), "--network", network]) == 0
        assert f"3 files checked, {count}: no mistakes" in "".join(capsys.readouterr())


@pytest.mark.parametrize("how", ["human", "json", "sarif", "github"])
def test_warnings_alone_are_status_0(how: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In every format: what only might be wrong fails no script."""
    text = (ROOT / "tests/mistakes/W0701-skipped.spine").read_text(encoding="utf-8")
    for added, status, code in (("", 0, "W0701"), ("\nnonsense\n", 1, "E01")):
        (tmp_path / "net.spine").write_text(text + added, encoding="utf-8")
        assert main(["check", str(tmp_path / "net.spine"), "--format", how]) == status
        assert code in capsys.readouterr().out


def test_standard_input_is_a_file() -> None:
    done = spine("check", "-", text=Path(WRONG).read_text())
    assert done.returncode == 1
    assert "--> <stdin>:" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "commands:"),
        (["chekc", FIRST], "spine: unknown command `chekc`; did you mean `check`?"),
        (["check"], "FILE"),
        (["check", "--input", "64x", FIRST], "HEIGHTxWIDTH"),
        (["check", "--input", "0x64", FIRST], "at least one pixel"),
        (["check", "--input", "-1x5", FIRST], "each 1 or more, got '-1x5'"),
        (["check", "--input", "-5", FIRST], "each 1 or more, got '-5'"),
        (["compile", FIRST, "--to", "tf", "-o", "x"], "--to: there is no `tf`: choose `torch`, `onnx` or `mermaid`"),
        (
            ["compile", FIRST, "--to", "onnx", "--dynamic", "depth", "-o", "x"],
            "has no axis `depth`: there is `batch`, `height` and `width`",
        ),
        (["compile", FIRST, "--to", "torch", "--dynamic", "batch", "-o", "x"], "is for `onnx`, not for `torch`"),
        (["compile", FAMILY, "--to", "torch", "-o", "-"], "choose one: `Family`, `Small`, `Base` or `Large`"),
        (["compile", FAMILY, "--network", "Smal", "--to", "torch", "-o", "-"], "did you mean `Small`?"),
        (["show", FAMILY, "--network", "Nothing"], "it has `Family`"),
        (["fmt", "-", FIRST], "stands alone"),
        (["check", "-", FIRST, "-"], "- is given twice"),
        (["draw", "-", "-", "-o", "x.svg"], "- is given twice"),
        (["compile", FIRST, "--to", "torch", "-o", ""], "the file to write is empty"),
        (["watch", str(TUTORIAL)], "is a folder: name a file in it"),
    ],
)
def test_wrong_use_is_status_2(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status = main(arguments)
    except SystemExit as exit_:
        status = int(str(exit_.code))
    assert status == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("command", ["check", "compile", "verify", "show", "stats", "fmt"])
def test_help_has_examples_of_its_own_command(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main([command, "--help"])
    assert exit_.value.code == 0
    assert f"  spine {command} " in capsys.readouterr().out


def test_a_missing_file_is_said_with_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "nowhere.spine"]) == 1
    assert "error[E0801]: cannot read `nowhere.spine`: no such file or directory" in capsys.readouterr().out


def test_a_misspelt_file_is_said_with_the_one_that_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets/first.spine").write_text("spine 1\n")
    for given, near in (("nets/frist.spine", "nets/first.spine"), ("net", "nets"), ("./nest", "./nets")):
        assert main(["show", given]) == 1
        assert f"  = help: did you mean `{near}`?\n" in capsys.readouterr().err
    assert main(["show", "nowhere/first.spine"]) == 1
    assert "did you mean" not in capsys.readouterr().err


def test_compile_writes_the_whole_file_or_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "model.py"
    assert main(["compile", FIRST, "--to", "torch", "-o", str(target)]) == 0
    written = target.read_bytes()
    assert b"class First(nn.Module)" in written
    assert main(["compile", WRONG, "--to", "torch", "-o", str(target)]) == 1
    assert target.read_bytes() == written
    assert [path.name for path in tmp_path.iterdir()] == ["model.py"]
    assert "error[E0402]" in capsys.readouterr().err


def test_compile_keeps_the_permissions_of_a_file_that_is_there(tmp_path: Path) -> None:
    target = tmp_path / "model.py"
    target.touch()
    target.chmod(0o600)
    link = tmp_path / "link.py"
    link.symlink_to(target)
    assert main(["compile", FIRST, "--to", "torch", "-o", str(link)]) == 0
    assert link.is_symlink()
    assert target.stat().st_mode & 0o777 == 0o600
    assert target.read_text() != ""


def test_an_unwritable_folder_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "missing" / "model.py"
    assert main(["compile", FIRST, "--to", "torch", "-o", str(target)]) == 1
    assert "error[E0802]: cannot write" in capsys.readouterr().err
    assert main(["compile", FIRST, "--to", "torch", "-o", str(tmp_path)]) == 2
    assert "is a folder" in capsys.readouterr().err


def test_onnx_without_weights_says_which_values_it_has(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", FIRST, "--to", "onnx", "--seed", "3", "-o", str(tmp_path / "m.onnx")]) == 0
    assert "values made from seed 3" in capsys.readouterr().err


def test_input_size_reaches_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", FIRST, "--input", "128x64"]) == 0
    assert "input   image 3x128x64 (level 0)" in capsys.readouterr().out
    assert main(["show", FIRST, "--input", "100x64"]) == 1
    said = capsys.readouterr().err
    assert "E0402" in said
    assert "given on the command line" in said


def test_json_has_place_and_fixes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--format", "json", WRONG]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [entry["code"] for entry in found] == ["E0402", "E0305", "E0201"]
    (rename,) = found[2]["fixes"][0]["edits"]
    assert rename["replacement"] == "bottleneck"
    text = Path(WRONG).read_text().split("\n")[rename["line"] - 1]
    assert text[rename["column"] - 1 : rename["end_column"] - 1] == "botleneck"


def test_sarif_has_a_rule_for_each_result(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--format", "sarif", WRONG]) == 1
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [rules[result["ruleIndex"]] for result in run["results"]] == [result["ruleId"] for result in run["results"]]
    assert len(run["results"]) == 3


def test_github_annotations_stay_on_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--format", "github", WRONG]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("::error file=") for line in lines)


def test_stats_json_has_the_totals(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", str(EXAMPLES / "spinenet.spine"), "--network", "SpineNet49", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["parameters"] == 21_831_488
    assert figures["multiply_adds"] == 28_261_990_400
    assert sum(row["multiply_adds"] for row in figures["rows"]) == figures["multiply_adds"]


def test_a_closed_pipe_is_no_error() -> None:
    show = f"{sys.executable} -m spinedsl show {EXAMPLES / 'spinenet.spine'} --network SpineNet49"
    command = f"{show} | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=ROOT, check=False, timeout=HANG)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_fault_of_ours_leaves_a_report(tmp_path: Path) -> None:
    broken = (
        "import sys, spinedsl.cli.check as c\n"
        "def fail(options): raise RuntimeError('planted')\n"
        "c.run = fail\n"
        "from spinedsl.cli import main\n"
        f"sys.exit(main(['check', {FIRST!r}]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", broken], capture_output=True, text=True, cwd=ROOT, check=False,
        env={**os.environ, "TMPDIR": str(tmp_path)}, timeout=HANG,
    )  # fmt: skip
    assert done.returncode == 70
    assert "Traceback" not in done.stderr
    (report,) = tmp_path.glob("spine-fault-*.txt")
    text = report.read_text()
    assert "RuntimeError: planted" in text
    assert "command: spine check" in text
    assert "network First" in text


def test_new_starts_a_file_that_is_clean_and_formatted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "my-net.spine"
    assert main(["new", str(file)]) == 0
    assert "network MyNet" in capsys.readouterr().out
    assert main(["check", str(file)]) == 0
    assert main(["fmt", "--check", str(file)]) == 0
    assert main(["new", str(file)]) == 2
    assert main(["new", str(tmp_path / "net.txt")]) == 2
    assert main(["new", str(tmp_path / "other.spine"), "--name", "1; import os"]) == 2
    for name in ("block", "network", "true", "spine", "in"):
        assert main(["new", str(tmp_path / "other.spine"), "--name", name]) == 2, name
        assert f"'{name}' cannot name a network" in capsys.readouterr().err
        assert not (tmp_path / "other.spine").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["my-net.spine"]


def test_a_missing_package_is_named_with_what_brings_it(tmp_path: Path) -> None:
    without = (
        "import sys; sys.modules['onnx'] = None\n"
        "from spinedsl.cli import main\n"
        f"sys.exit(main(['compile', {FIRST!r}, '--to', 'onnx', '-o', {str(tmp_path / 'm.onnx')!r}]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", without], capture_output=True, text=True, cwd=ROOT, check=False, timeout=HANG
    )
    assert done.returncode == 2
    assert done.stderr == "spine compile: this needs onnx: pip install 'spinedsl[onnx]'\n"


def test_standard_input_beyond_the_limit_is_refused_not_cut() -> None:
    network = Path(FIRST).read_text()
    done = spine("check", "-", text=network + "#" * 10_000_001)
    assert done.returncode == 1
    assert "error[E0801]: cannot read `<stdin>`: more than 10000000 bytes" in done.stdout


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"SQLite format 3\0\x10\0\xff", "but seems to be an SQLite database: `--study` takes those"),
        (b"PK\x03\x04\0\0\xff", "but seems to be a zip archive, as PyTorch writes weights"),
        (b"\x08\x09\x12\0\xff", "but seems to be an ONNX model"),
        (b'\x20\0\0\0\0\0\0\0{"w": 1}\xff', "but seems to be a `.safetensors` file"),
        (b"\x1f\x8b\x08\0\0\xff", "but seems to be compressed by gzip"),
        (b"\x7fELF\0\0\xff", "but numbers of some kind"),
    ],
)
def test_a_file_that_is_no_text(data: bytes, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "net.spine").write_bytes(data)
    assert main(["check", str(tmp_path / "net.spine")]) == 1
    assert f"it is no text, {words}\n" in capsys.readouterr().out
