"""`spine diff` and `spine breaking` as their users meet them: files, revisions of git, formats, wrong use."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from spinedsl import edit
from spinedsl.cli import main

ROOT = Path(__file__).resolve().parents[2]
EDITS = str(ROOT / "examples/tutorial/6_edits.spine")
WRONG = str(ROOT / "examples/demo/three_mistakes.spine.txt")
OWN = """\
spine 1
block_type mix(x, channels, stride = 1) -> channels { return act(norm(conv(x, channels, kernel = 3, stride = stride))) }
"""
NET = """\
spine 1
import std.stems
import std.resample
import std.outputs
import "parts/own.spine"

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2: 4, level 3: 6, level 4: 8 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 4
    block a: mix level 2 after s
    block b: mix level 3 from a
    output P3: endpoint from b channels 4
}
network Twin = Net with { widths { level 3: 8 } }
"""


def git(folder: Path, *arguments: str) -> None:
    names = {f"GIT_{who}_{what}": f"{who}@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(
        ["git", "-c", "init.defaultBranch=main", *arguments],
        cwd=folder, env={**os.environ, **names}, check=True, capture_output=True,
    )  # fmt: skip


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A history of two commits: a 3x3 block type in an import becomes a 5x5 one, and the network gets an output."""
    folder = tmp_path / "repository"
    nets = folder / "nets"
    (nets / "parts").mkdir(parents=True)
    git(folder, "init")
    (nets / "net.spine").write_text(NET, encoding="utf-8")
    (nets / "parts/own.spine").write_text(OWN, encoding="utf-8")
    (nets / "link.spine").symlink_to("net.spine")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "first")
    git(folder, "tag", "v1")
    (nets / "parts/own.spine").write_text(OWN.replace("kernel = 3", "kernel = 5"), encoding="utf-8")
    git(folder, "commit", "-a", "-m", "wider kernels")
    monkeypatch.chdir(folder)
    return folder


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    try:
        status = main(list(arguments))
    except SystemExit as stopped:
        status = int(stopped.code or 0)
    out, err = capsys.readouterr()
    return status, out, err


# ---- revisions ----


@pytest.mark.parametrize(
    "old",
    [f"{name}.spine:Net" for name in ("HEAD~1:nets/net", "v1:nets/net", "HEAD^{/first}:nets/link", "v1:./nets/net")],
)  # fmt: skip
def test_a_revision_is_read_with_its_imports(old: str, repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "diff", old, "nets/net.spine:Net")
    assert (status, err) == (0, "")
    assert "~ mix" in out
    assert "parts/own.spine:2 -> nets/parts/own.spine:2" in out
    assert "a.conv.weight: 4 x 4 x 5 x 5, was 4 x 4 x 3 x 3" in out
    assert run(capsys, "diff", old, old.replace("link", "net"))[1].splitlines()[-1].startswith("NONE")


@pytest.mark.parametrize("old", ["HEAD~1:nets/net.spine", "v1:nets/net.spine:Net", "HEAD:./nets/net.spine:Twin"])
def test_a_figure_against_a_revision(old: str, repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["draw", "nets/net.spine", "--network", "Net", "--against", old, "-o", "x.svg"]
    assert run(capsys, *arguments) == (0, "", "")
    before = old.rpartition(":")[2] if old.endswith(("Net", "Twin")) else "Net"
    assert f"<title>{before} (before), Net (after)</title>" in (repository / "x.svg").read_text(encoding="utf-8")
    arguments[5] = "nowhere:nets/net.spine"
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (1, "")
    assert "git knows no revision `nowhere`" in err


def test_the_index_and_a_folder_below(
    repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository / "nets")
    (repository / "nets/net.spine").write_text(NET.replace("level 3: 6", "level 3: 7"), encoding="utf-8")
    assert "channels  6 -> 7" in run(capsys, "diff", ":nets/net.spine", "net.spine", "--network", "Net")[1]
    git(repository, "add", ".")
    assert "channels  6 -> 7" in run(capsys, "diff", "HEAD:./net.spine", ":./net.spine", "--network", "Net")[1]
    status, _, err = run(capsys, "diff", "HEAD:net.spine", "net.spine", "--network", "Net")
    assert status == 1
    assert "no such file in revision `HEAD`" in err
    assert "did you mean `HEAD:./net.spine`?" in err


@pytest.mark.parametrize(
    ("old", "status", "said"),
    [
        ("nowhere:nets/net.spine", 1, "git knows no revision `nowhere`"),
        ("HEAD:nets/other.spine", 1, "no such file in revision `HEAD`"),
        (":nets/other.spine", 1, "no such file in git's index"),
        ("HEAD:nets", 1, "this is no file"),
        ("HEAD:../../etc/passwd", 1, "outside the repository"),
        ("--output=x:nets/net.spine", 2, "`NEW` is missing"),
        ("$(touch x):nets/net.spine", 1, "git knows no revision"),
        ("other.spine", 1, "no such file or directory"),
    ],
)
def test_what_is_not_there(
    old: str, status: int, said: str, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    got, out, err = run(capsys, "diff", old, "nets/net.spine", "--network", "Net")
    assert (got, out) == (status, "")
    assert said in err
    assert not (repository / "x").exists()


def test_an_import_that_the_revision_does_not_have(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git(repository, "mv", "nets/parts/own.spine", "nets/parts/moved.spine")
    git(repository, "commit", "-m", "moved")
    (repository / "nets/parts/own.spine").write_text(OWN, encoding="utf-8")  # on the disk, not in the revision
    status, _, err = run(capsys, "diff", "HEAD:nets/net.spine:Net", "nets/net.spine:Net")
    assert status == 1
    assert "--> HEAD:nets/net.spine:5:1" in err


def test_outside_a_repository(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    status, _, err = run(capsys, "diff", "HEAD:net.spine", EDITS)
    assert status == 2
    assert err.startswith("spine diff: git: not a git repository")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (
        run(capsys, "diff", "HEAD:net.spine", EDITS)[2]
        == "spine diff: REVISION:FILE needs git, which is not installed\n"
    )


def test_a_bare_repository(
    repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    git(repository.parent, "clone", "--bare", "repository", "bare")
    monkeypatch.chdir(repository.parent / "bare")
    status, out, err = run(capsys, "diff", "v1:nets/net.spine", "main:nets/net.spine", "--network", "Net")
    assert (status, err) == (0, "")
    assert "WEIGHTS" in out


# ---- diff ----


def test_edits_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("diff", f"{EDITS}:Plain", f"{EDITS}:Permuted", "--edits")
    out = run(capsys, *arguments)[1]
    printed = out[out.index("with {") :]
    found: dict[str, Any] = json.loads(run(capsys, *arguments, "--format", "json")[1])
    assert edit.parse(printed).value == edit.parse(found["edits"]).value
    assert edit.parse(printed).ok
    assert found["tier"] == "weights"
    assert {"kind": "block", "name": "b2", "how": "changed", "what": "level", "old": "4", "new": "5"} in found[
        "changes"
    ]
    assert found["costs"]["parameters"]["old"] == 89600
    assert set(found) == {"old", "new", "tier", "reasons", "changes", "costs", "tensors", "notes", "edits"}


def test_edits_that_cannot_be(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "diff", "v1:nets/net.spine:Net", "nets/net.spine:Net", "--edits")
    assert status == 0
    assert "with {" not in out
    assert "no edits make the one of the other: the definition `mix` is not the same in both" in err
    found = json.loads(
        run(capsys, "diff", "v1:nets/net.spine:Net", "nets/net.spine:Net", "--edits", "--format", "json")[1]
    )
    assert (found["edits"], found["out_of_reach"]) == (None, "the definition `mix` is not the same in both")
    assert "no edit is needed" in run(capsys, "diff", f"{EDITS}:Plain", f"{EDITS}:Plain", "--edits")[1]


@pytest.mark.parametrize("suffix", ["svg", "png", "html"])
def test_pictures(suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / f"changes.{suffix}"
    arguments = ["diff", f"{EDITS}:Plain", f"{EDITS}:Permuted", "-o", str(path)]
    assert run(capsys, *arguments)[0] == 0
    start = {"svg": b"<svg", "png": b"\x89PNG", "html": b"<!doctype html>"}[suffix]
    assert path.read_bytes().startswith(start)
    if suffix == "svg":
        assert b"Plain (before), Permuted (after)" in path.read_bytes()
        assert b"prefers-color-scheme" in path.read_bytes()
        assert run(capsys, *arguments, "--theme", "dark")[0] == 0
        assert b"prefers-color-scheme" not in path.read_bytes()


def test_names_of_renamed_tensors(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (repository / "nets/net.spine").read_text(encoding="utf-8")
    (repository / "nets/net.spine").write_text(text.replace("block b:", "block c:").replace("from b", "from c"))
    status, _, err = run(capsys, "diff", "HEAD:nets/net.spine:Net", "nets/net.spine:Net", "--mapping", "names.json")
    assert (status, err) == (0, "")
    names = json.loads((repository / "names.json").read_text(encoding="utf-8"))
    assert names["b.conv.weight"] == "c.conv.weight"
    assert names["b.norm.num_batches_tracked"] == "c.norm.num_batches_tracked"
    printed = run(capsys, "diff", "HEAD:nets/net.spine:Net", "nets/net.spine:Net", "--mapping", "-")[1]
    assert json.loads(printed) == names


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([EDITS, EDITS], "choose one: `Plain`, `Permuted` or `Wide` (FILE:NAME, or --network NAME for both)"),
        ([f"{EDITS}:Plan", f"{EDITS}:Plain"], "did you mean `Plain`?"),
        (["-", "-"], "only one of the two can be standard input"),
        ([f"{EDITS}:Plain", f"{EDITS}:Wide", "-o", "x.jpg"], "`x.jpg` is none of .svg, .png, .html"),
        ([EDITS], "`NEW` is missing"),
    ],
)
def test_wrong_use_of_diff(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "diff", *arguments)
    assert (status, out) == (2, "")
    assert said in err


def test_mistakes_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (("diff", WRONG, EDITS), ("diff", f"{EDITS}:Plain", WRONG), ("breaking", EDITS, WRONG)):
        status, out, err = run(capsys, *arguments)
        assert (status, out) == (1, "")
        assert "error[" in err


# ---- breaking ----


def test_breaking_by_tier(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("breaking", "HEAD~1:nets/net.spine", "nets/net.spine")
    status, out, _ = run(capsys, *arguments)
    assert status == 1
    assert "WEIGHTS    Net: weights of the old network do not load" in out
    assert "WEIGHTS    Twin: weights" in out
    assert run(capsys, *arguments, "--tier", "numeric")[0] == 1
    assert run(capsys, *arguments, "--tier", "interface")[0] == 0
    assert run(capsys, "breaking", "HEAD:nets/net.spine", "nets/net.spine", "--tier", "numeric")[0] == 0


def test_networks_that_come_and_go(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (repository / "nets/net.spine").read_text(encoding="utf-8")
    (repository / "nets/net.spine").write_text(text.replace("network Twin", "network Other"), encoding="utf-8")
    arguments = ("breaking", "HEAD:nets/net.spine", "nets/net.spine", "--tier", "interface")
    status, out, _ = run(capsys, *arguments)
    assert status == 1
    assert "INTERFACE  Twin: the network is dropped" in out
    assert "NONE       Other: the network is added" in out
    assert run(capsys, *arguments, "--network", "Net")[0] == 0
    assert run(capsys, *arguments, "--network", "Twin")[0] == 1
    status, _, err = run(capsys, *arguments, "--network", "Oter")
    assert status == 2
    assert "did you mean `Other`? (--network NAME)" in err
    assert run(capsys, "breaking", "HEAD:nets/net.spine:Net", "nets/net.spine")[0] == 2


PARTLY = """\
network Cell { input m: level 3 channels 4 output o: m }
network Wide(channels) {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels channels
    output P2: s
}
network Usual = Wide(channels = 8)
"""


def test_networks_that_wait_for_values_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Those that are not compared are a note, in every format; one that begins to wait breaks whoever takes it."""
    files = {
        "waits": PARTLY.replace(" output o", "\n output o"),
        "wider": PARTLY.replace(" output o", "\n output o").replace("output P2", "output Q2"),
        "whole": PARTLY.replace(" output o", "\n output o").replace("(channels)", "(channels = 8)"),
        "alone": PARTLY[: PARTLY.index("network Usual")][PARTLY.index("network Wide") :],
    }
    for name, text in files.items():
        (tmp_path / f"{name}.spine").write_text(f"spine 1\nimport std.stems\n{text}", encoding="utf-8")

    def broken(old: str, new: str, *options: str) -> tuple[int, str]:
        paths = (str(tmp_path / f"{name}.spine") for name in (old, new))
        return run(capsys, "breaking", *paths, "--tier", "interface", *options)[:2]

    notes = "note: not compared: `Cell` is a part of others\nnote: not compared: `Wide` waits for values\n"
    status, out = broken("waits", "wider")
    assert status == 1
    assert "INTERFACE  Usual: what goes in" in out
    assert notes in out
    assert broken("alone", "alone") == (0, "note: not compared: `Wide` waits for values\n")
    assert broken("waits", "alone")[1].count("and is dropped") == 1
    status, out = broken("whole", "waits")
    assert status == 1
    assert "INTERFACE  Wide: the network now waits for values\n" in out
    assert "is dropped" not in out
    status, out = broken("waits", "whole")
    assert (status, "NONE       Wide: the network no longer waits for values\n" in out) == (0, True)
    assert "`Wide`" not in out
    found = json.loads(broken("waits", "waits", "--format", "json")[1])
    assert [one["network"] for one in found["not_compared"]] == ["Cell", "Wide"]
    assert found["not_compared"][1]["text"] == "`Wide` waits for values"
    found = json.loads(broken("waits", "waits", "--network", "Usual", "--format", "json")[1])
    assert found["not_compared"] == []
    lines = broken("waits", "waits", "--format", "github")[1].splitlines()
    assert [line.partition("::not compared:")[0] for line in lines] == [
        f"::notice file={tmp_path / 'waits.spine'},line={line},title=not compared {name}"
        for line, name in ((3, "Cell"), (5, "Wide"))
    ]


def test_breaking_for_programs(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("breaking", "HEAD~1:nets/net.spine", "nets/net.spine", "--format")
    found = json.loads(run(capsys, *arguments, "json")[1])
    assert (found["tier"], found["asked"], found["breaking"]) == ("weights", "weights", True)
    assert [network["network"] for network in found["networks"]] == ["Net", "Twin"]
    assert found["networks"][0]["difference"]["tensors"]["reshaped"]["a.conv.weight"]["old"] == [4, 4, 3, 3]
    lines = run(capsys, *arguments, "github")[1].splitlines()
    assert lines[0].startswith("::error file=nets/net.spine,line=7,title=WEIGHTS Net::Net: weights of the old network")
    assert lines[1].startswith("::error file=nets/net.spine,line=18,title=WEIGHTS Twin::")
    notices = run(capsys, *arguments, "github", "--tier", "interface")[1]
    assert notices.startswith("::notice file=nets/net.spine")
    assert run(capsys, "breaking", "nets/net.spine", "nets/net.spine", "--format", "github")[1] == ""


def test_the_tier_of_a_file_is_the_highest_of_its_networks(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One network as it was, one whose checkpoint no longer loads: whichever comes first, the file breaks."""
    for change in (("level 3: 6", "level 3: 7"), ("widths { level 3: 8 }", "widths { level 3: 9 }")):
        (repository / "nets/net.spine").write_text(NET.replace(*change), encoding="utf-8")
        arguments = ("breaking", "HEAD:nets/net.spine", "nets/net.spine", "--format", "json")
        for tier, broken in (("numeric", True), ("weights", True), ("interface", False)):
            status, out, _ = run(capsys, *arguments, "--tier", tier)
            found = json.loads(out)
            assert sorted(network["tier"] for network in found["networks"]) == ["none", "weights"]
            assert (found["tier"], found["asked"], found["breaking"], status) == ("weights", tier, broken, int(broken))
