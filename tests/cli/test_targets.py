"""What `-o` may replace, and what is wrong with it: said before anything is computed, for each command that writes."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from spinedsl import driver
from spinedsl.backends import BACKENDS
from spinedsl.cli import main
from spinedsl.cli.output import KINDS
from tests.cli.running import NET, run

# A command line without its target, the target's name, and its kind.
WRITES = {
    "torch": ("compile net.spine --to torch -o", "model.py", "torch"),
    "onnx": ("compile net.spine --to onnx -o", "model.onnx", "onnx"),
    "mermaid": ("compile net.spine --to mermaid -o", "chart.mmd", "mermaid"),
    "svg": ("draw net.spine -o", "net.svg", "svg"),
    "html": ("draw net.spine -o", "net.html", "html"),
    "png": ("draw net.spine -o", "net.png", "png"),
    "bench": ("bench net.spine --engines onnxruntime-O1 --rounds 1 -o", "bench.svg", "svg"),
    "stats": ("stats net.spine --memory -o", "held.svg", "svg"),
    "diff": ("diff net.spine net.spine -o", "net.svg", "svg"),
    "mapping": ("diff net.spine net.spine --mapping", "names.json", "mapping"),
    "convert": ("weights convert w.npz net.spine -o", "w.safetensors", "weights"),
}
OF_EXPORTS = ("card", "openvino", "executorch", "litert", "pt2", "tensors")  # see `test_export.py`
EVERY = pytest.mark.parametrize("name", WRITES)


def test_every_kind_is_written_here() -> None:
    # of fuzz, and into folders: test_use.py, test_boxes.py, test_space.py
    elsewhere = {"law", "evaluation", "predictions", "table", "results", "candidate", *OF_EXPORTS}
    assert {kind for _, _, kind in WRITES.values()} == KINDS.keys() - elsewhere


def test_every_backend_has_its_kind_of_file() -> None:
    assert set(BACKENDS) <= KINDS.keys(), "KINDS of cli/output.py"


@pytest.fixture
def never(net: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read, let alone computed."""

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("too late: it is being read")

    for where in ("read", "load", "analyse", "program"):
        monkeypatch.setattr(driver, where, fail)


def refused(capsys: pytest.CaptureFixture[str], name: str, target: str, *more: str) -> str:
    """What is said of a target that is not written to, without the command's name."""
    words, _, _ = WRITES[name]
    before = Path(target).read_bytes() if Path(target).is_file() else None
    status, out, err = run(capsys, *words.split(), target, *more)
    assert (status, out) in ((2, ""), (1, ""))
    assert (Path(target).read_bytes() if Path(target).is_file() else None) == before
    return err.partition(": ")[2] if status == 2 else err


@EVERY
def test_what_spine_wrote_is_replaced_without_a_word(name: str, net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words, target, _ = WRITES[name]
    first = run(capsys, *words.split(), target)
    written = (net / target).read_bytes()
    assert first[0] == 0
    assert run(capsys, *words.split(), target) == first
    assert (net / target).read_bytes() == written


@EVERY
def test_an_empty_file_is_nobodys(name: str, net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words, target, _ = WRITES[name]
    (net / target).touch()
    assert run(capsys, *words.split(), target)[0] == 0


@EVERY
@pytest.mark.usefixtures("never")
def test_a_file_of_somebody_else_is_not(name: str, net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = WRITES[name][1]
    for theirs in (
        b"import torch\n",
        b"\x08\x0a\x12\x07pytorch",
        b"<svg></svg>",
        b'{"a": {"b": 1}}',
        b"\x00",
        b'"""Net."""',
    ):
        (net / target).write_bytes(theirs)
        said = refused(capsys, name, target)
        assert said == f"`{target}` is there, and spine did not write it: choose another name, or --force replaces it\n"


@EVERY
def test_unless_that_is_wanted(name: str, net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words, target, kind = WRITES[name]
    (net / target).write_text("mine")
    (net / target).chmod(0o400)
    assert run(capsys, *words.split(), target, "--force")[0] == 0
    assert KINDS[kind].begins((net / target).read_bytes())


@EVERY
@pytest.mark.usefixtures("never")
def test_what_the_command_reads_is_never_replaced(name: str, net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not by another name, and not with --force."""
    target = WRITES[name][1]
    for made in (Path.symlink_to, Path.hardlink_to):
        made(net / target, net / "net.spine")
        said = refused(capsys, name, target, "--force")
        assert said == f"`{target}` is read by this command: choose another name for what it writes\n"
        (net / target).unlink()


@EVERY
def test_nor_what_that_imports(name: str, net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`net.spine` imports a file that has the ending of what is to be written."""
    target = WRITES[name][1]
    (net / target).write_text("spine 1\nnetwork Other { }\n".replace("network Other { }", "def same(x) { return x }"))
    (net / "net.spine").write_text(NET.replace("import std.stems", f'import std.stems\nimport "{target}"'))
    if run(capsys, "check", "net.spine", "-q")[0] != 0:
        pytest.skip("such a file cannot be imported")
    said = refused(capsys, name, target, "--force")
    assert said == f"`{target}` is read by this command: choose another name for what it writes\n"


@EVERY
@pytest.mark.usefixtures("never")
def test_a_place_that_is_none(name: str, net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = WRITES[name][1]
    ending = Path(target).suffix
    (net / f"folder{ending}").mkdir()
    assert refused(capsys, name, f"folder{ending}").startswith(
        f"`folder{ending}` is a folder: name the file to write, "
    )
    said = refused(capsys, name, f"no/such/{target}")
    assert f"error[E0802]: cannot write `no/such/{target}`: there is no folder `no/such`\n" in said
    assert "help: make it first: `mkdir -p no/such`" in said
    said = refused(capsys, name, f"net.spine/{target}")
    assert f"error[E0802]: cannot write `net.spine/{target}`: not a directory" in said


@EVERY
@pytest.mark.usefixtures("never")
def test_what_is_read_only(name: str, net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = WRITES[name][1]
    (net / target).touch()
    (net / target).chmod(0o444)
    assert f"error[E0802]: cannot write `{target}`: it is read-only" in refused(capsys, name, target)
    (net / target).unlink()
    monkey = pytest.MonkeyPatch()
    monkey.setattr(os, "access", lambda *_: False)  # the administrator may write everywhere
    assert "permission denied" in refused(capsys, name, target)
    monkey.undo()


@EVERY
@pytest.mark.usefixtures("never")
def test_an_ending_of_another_kind(name: str, net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words, _, kind = WRITES[name]
    for other in KINDS:
        ending = KINDS[other].endings[0]
        pictures = {"bench": ("svg", "png"), "stats": ("svg",)}.get(name, ("svg", "png", "html"))
        if ending in KINDS[kind].endings or (kind in pictures and other in pictures):
            continue
        said = refused(capsys, name, f"x{ending}")
        if kind in pictures:
            assert said == f"`x{ending}` is none of {', '.join(f'.{one}' for one in pictures)}\n"
        else:
            better = f"what is written is {KINDS[kind].words}: name it `x{KINDS[kind].endings[0]}`, not `x{ending}`"
            assert said.startswith(better)
            assert ("`--to" in said) == (other in ("torch", "onnx") and words.startswith("compile"))


@pytest.mark.parametrize("name", ["onnx", "convert"])
@pytest.mark.usefixtures("never")
def test_binary_data_is_not_for_a_terminal(
    name: str, net: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdout", Terminal())
    assert main([*WRITES[name][0].split(), "-"]) == 2
    assert "is not for a terminal: `-o " in capsys.readouterr().err


@pytest.mark.parametrize("name", ["torch", "mermaid", "svg", "diff", "mapping"])
def test_standard_output_takes_one_thing(name: str, net: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    words, target, _ = WRITES[name]
    assert main([*words.split(), target, "-q"]) == 0
    capsysbinary.readouterr()
    assert main([*words.split(), "-", "-q"]) == 0
    assert capsysbinary.readouterr().out == (net / target).read_bytes()


def test_two_targets_that_are_one(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, "diff", "net.spine", "net.spine", "-o", "x.svg", "--mapping", "x.svg")
    assert (status, err) == (2, "spine diff: -o and --mapping both write x.svg: choose another name for one of them\n")


# ---- files that are changed, begun or named by the command ----


def test_fmt_leaves_a_read_only_file(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (net / "net.spine").write_text(NET.replace("    widths", "  widths"))
    (net / "net.spine").chmod(0o444)
    status, _, err = run(capsys, "fmt", "net.spine")
    assert status == 1
    assert "error[E0802]: cannot write `net.spine`: it is read-only" in err


def test_new_replaces_nothing(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = "spine new: `net.spine` is there already: choose another name, or --force replaces it\n"
    assert run(capsys, "new", "net.spine") == (2, "", said)
    assert run(capsys, "new", "net.spine", "--force")[0] == 0
    assert run(capsys, "new", "no/such.spine")[0] == 1
    assert run(capsys, "new", ".")[0] == 2


def test_a_second_file_beside_a_model(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = "compile net.spine --to onnx --external-data always -q -o model.onnx".split()
    assert run(capsys, *words) == run(capsys, *words) == (0, "", "")
    (beside,) = net.glob("*.data")
    (net / "model.onnx").unlink()
    assert run(capsys, *words) == (0, "", "")  # what is there is what would be written
    (net / "model.onnx").unlink()
    beside.write_bytes(b"of somebody else")
    status, _, err = run(capsys, *words)
    assert (status, f"`{beside.name}` is there, and would be replaced" in err) == (2, True)
    assert run(capsys, *words, "--force")[0] == 0


@pytest.mark.parametrize("there", [None, "# Law `agree` does not hold\n", "spine 1\n"])
def test_fuzz_takes_a_name_that_is_free(there: str | None, tmp_path: Path) -> None:
    from spinedsl.cli.fuzz import _free

    if there is not None:
        (tmp_path / "fuzz-agree.spine").write_text(there)
    expected = "fuzz-agree-2.spine" if there == "spine 1\n" else "fuzz-agree.spine"
    assert _free(tmp_path, "fuzz-agree").name == expected
