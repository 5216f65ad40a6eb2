"""`spine new --example`: every example by its names, what it imports, and files that are there already."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from spinedsl.cli import examples, main

ROOT = Path(__file__).parents[2]
LEARNING = ROOT / "examples/learning"
TRAINED = sorted(path.parent.name for path in LEARNING.glob("*/permuted.toml"))
SCRIPTS = sorted(path.name for path in LEARNING.glob("*.py"))
BESIDE = [
    path.relative_to(ROOT / "examples").as_posix()
    for name in ("*.py", "*/*.toml", "*/*.md")
    for path in LEARNING.glob(name)
]
SHIPPED = sorted(path.relative_to(ROOT / "examples").as_posix() for path in (ROOT / "examples").rglob("*.spine"))


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Status and streams of `spine new`."""
    status = main(["new", *words])
    return status, *capsys.readouterr()


def files() -> dict[str, str]:
    return {path.as_posix(): path.read_text(encoding="utf-8") for path in Path().rglob("*") if path.is_file()}


def test_the_list_has_every_example_with_a_word_about_it(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = said(capsys, "--list")
    assert status == 0
    assert "`spine new --example NAME` writes one" in err
    rows = [line.split("  ", 1) for line in out.splitlines()]
    assert len(TRAINED) == 5
    folders = [f"learning/{name}" for name in TRAINED]
    assert [name for name, _ in rows] == sorted([*(name.removesuffix(".spine") for name in SHIPPED), *folders])
    assert all(2 < len(about.strip()) < 120 for _, about in rows)
    assert files() == {}


@pytest.mark.parametrize("path", SHIPPED)
def test_each_example_is_written_with_what_it_imports_and_checks(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(capsys, "--example", path.removesuffix(".spine"))
    assert status == 0
    name = path.rpartition("/")[2]
    text = (ROOT / "examples" / path).read_text(encoding="utf-8")
    imported = re.findall(r'^import "(.*)"', text, re.MULTILINE)
    assert set(files()) == {name, *imported}
    assert files()[name] == text
    assert f"{name}: written\n" in out
    assert main(["check", name]) == 0


@pytest.mark.parametrize(
    "name", ["5_own_block", "tutorial/5_own_block", "5_own_block.spine", "examples/tutorial/5_own_block.spine"]
)
def test_an_example_has_its_names(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "--example", name, "mine.spine")[0] == 0
    assert files() == {"mine.spine": (ROOT / "examples/tutorial/5_own_block.spine").read_text(encoding="utf-8")}


def test_all_of_them_make_the_folder_and_are_left_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(capsys, "--example", "all")
    every = [*SHIPPED, *BESIDE, "demo/three_mistakes.spine.txt"]
    assert (status, out.splitlines()[0]) == (0, f"examples/: {len(every)} files written")
    assert set(files()) == {f"examples/{path}" for path in every}
    (Path("examples") / "resnet.spine").unlink()
    assert said(capsys, "--example", "all")[1].startswith(f"examples/: 1 file written, {len(every) - 1} there before\n")


@pytest.mark.parametrize("name", TRAINED)
@pytest.mark.parametrize("where", [(), ("my runs",)])
def test_a_folder_is_written_with_what_gets_its_images(
    name: str, where: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = said(capsys, "--example", f"learning/{name}", *where)
    assert status == 0
    own = ["networks.spine", "permuted.toml", "residual.toml", "README.md"]
    own += ["basic.spine", "basic.toml"] if name == "many_sizes" else []
    there = {"/".join([*where, file]): LEARNING / file for file in (*SCRIPTS, *(f"{name}/{one}" for one in own))}
    assert files() == {path: source.read_text(encoding="utf-8") for path, source in there.items()}
    getter, train = (shlex.split(line) for line in out.rpartition("next:")[2].strip().splitlines())
    assert getter == ["python", "/".join([*where, "get_data.py"]), name]
    assert train == ["spine", "train", "/".join([*where, name, "permuted.toml"])]
    (Path(*where) / name / "residual.toml").write_text("mine\n")
    assert said(capsys, "--example", name, *where)[0] == 2
    assert (Path(*where) / name / "residual.toml").read_text() == "mine\n"


def test_a_file_that_says_otherwise_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing else is written, of all that should have been."""
    Path("spinenet.spine").write_text("mine\n")
    status, _, err = said(capsys, "--example", "variants")
    assert status == 2
    assert err.startswith("spine new: `spinenet.spine` is there already, and is not the example: move it, or --force ")
    assert files() == {"spinenet.spine": "mine\n"}
    assert said(capsys, "--example", "variants", "--force")[0] == 0
    assert files()["spinenet.spine"] == (ROOT / "examples/spinenet.spine").read_text(encoding="utf-8")


@pytest.mark.parametrize("words", [("my folder/a b.spine",), ("--example", "resnet", "my folder/it's.spine")])
def test_the_next_command_can_be_typed(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    Path("my folder").mkdir()
    status, out, _ = said(capsys, *words)
    assert status == 0
    (line,) = re.findall(r"^next:  spine (.*)$", out, re.MULTILINE)
    assert main(shlex.split(line)) == 0


WRONG = {
    ("--example", "spinnet"): "there is no example `spinnet`; did you mean `spinenet`?",
    ("--example", "fashon_mnist"): "there is no example `fashon_mnist`; did you mean `fashion_mnist`?",
    ("--example", "fashion_mnist", "net.spine"): "`net.spine` is no folder: fashion_mnist is one, and goes into the ",
    ("--example", "5_own"): "there is no example `5_own`; did you mean `5_own_block`?",
    ("--example", "al"): "there is no example `al`; did you mean `all`?",
    ("--example", "../pyproject"): "there is no example `../pyproject`: there are `classifier`, ",
    ("--example", "qqqqqq"): "there is no example `qqqqqq`: there are `classifier`, ",
    ("--example", "spinenet", "--name", "A"): "--name is for a new network: an example keeps its names",
    ("--example", "variants", "spinenet.spine"): "`spinenet.spine` is the name of a file that the example imports: ",
    ("--example", "spinenet", "net"): "`net` does not end in .spine; did you mean `net.spine`?",
    ("--example", "spinenet", ""): "the name of the file to write is empty",
    (
        "--example",
        "all",
        "net.spine",
    ): "`net.spine` is no folder, where all examples go: `spine new examples ",
    ("--list", "spinenet"): "--list only lists them; did you mean `--example spinenet`?",
    ("--list", "--force"): "--list only lists them: leave out --force",
    (): "FILE is missing: `spine new net.spine`, or an example: `spine new --list` lists them",
}


@pytest.mark.parametrize("words", WRONG)
def test_wrong_use_says_what_to_do(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = said(capsys, *words)
    assert (status, out) == (2, "")
    assert err.startswith(f"spine new: {WRONG[words]}")
    assert files() == {}


def test_a_folder_that_cannot_be_made_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").touch()
    status, _, err = said(capsys, "--example", "all", "file/examples")
    assert status == 1
    assert "error[E0802]: cannot write `file/examples/classifier.spine`: not a directory" in err


def test_an_installation_without_them_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examples, "PLACES", (Path("nowhere"),))
    examples.examples.cache_clear()
    status, _, err = said(capsys, "--example", "spinenet")
    assert status == 1
    assert err == "spine: nowhere: no such file or directory\n"
    monkeypatch.undo()
    examples.examples.cache_clear()
