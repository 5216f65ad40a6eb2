"""What ships: the sdist, the wheel that is built from it, and that wheel in use, away from the checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from spinedsl.extras import APART
from tests.patience import HANG
from tests.shipping import ROOT, Built, Installed, build, install

GRAMMAR = "spinedsl/_grammar/spine.lark"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The sdist and the wheel."""
    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """A new environment with the wheel."""
    return install(built.wheel, tmp_path_factory.mktemp("environment"))


def shipped(folder: str) -> set[str]:
    """The files of a folder of the checkout, without what Python and the tools leave there."""
    paths = (path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file())
    left = ("__pycache__", ".", *(("data", "runs") if folder == "examples" else ()))
    return {path.as_posix() for path in paths if not any(part.startswith(left) for part in path.parts)}


def of_the_wheel(name: str) -> bool:
    """An example that the wheel has: a network, or what its training needs."""
    return name.endswith((".spine", ".spine.txt")) or name.startswith("examples/learning/")


def use(installed: Installed, line: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a `spine` command of the installation."""
    command = [str(installed.spine), *line.split()]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, env=installed.environment, check=False, timeout=HANG
    )


def contents(wheel: Path) -> dict[str, bytes]:
    """The files of a wheel."""
    with zipfile.ZipFile(wheel) as file:
        return {name: file.read(name) for name in file.namelist()}


def test_sdist_holds_everything_to_build_and_test(built: Built) -> None:
    with tarfile.open(built.sdist) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    wanted = {
        "grammar/spine.lark",
        "pyproject.toml",
        "Makefile",
        "constraints.txt",
        "LICENSE",
        "CITATION.cff",
        ".ci/run",
    }
    for folder in ("spinedsl", "grammar", "examples", "generated", "tests", "docs"):
        wanted |= shipped(folder)
    assert wanted <= names, sorted(wanted - names)


def test_wheel_holds_the_package_what_it_reads_and_nothing_else(built: Built) -> None:
    files = contents(built.wheel)
    names = {name for name in files if ".dist-info/" not in name}
    examples = {name for name in shipped("examples") if of_the_wheel(name)}
    read = examples | shipped("docs")
    assert names == shipped("spinedsl") | {GRAMMAR} | {f"spinedsl/_{name}" for name in read}
    assert files[GRAMMAR] == (ROOT / "grammar/spine.lark").read_bytes()
    assert files["spinedsl/_examples/spinenet.spine"] == (ROOT / "examples/spinenet.spine").read_bytes()
    (entry_points,) = (text for name, text in files.items() if name.endswith("entry_points.txt"))
    assert b"spine = spinedsl.__main__:main" in entry_points


@pytest.mark.parametrize(
    "pattern",
    [
        r"spinedsl/py\.typed", r"spinedsl/prelude/.*\.spine", r"spinedsl/checks/networks/w0702_\w+\.py",
        r"spinedsl/.*templates/.*\.jinja", r"spinedsl/backends/torch/templates/adapters/timm\.jinja",
        r"spinedsl/cli/new\.spine", r".*\.dist-info/licenses/LICENSE",
    ],
)  # fmt: skip
def test_wheel_has_what_no_import_would_miss(pattern: str, built: Built) -> None:
    assert any(re.fullmatch(pattern, name) for name in contents(built.wheel))


def test_wheel_has_no_tests_and_no_local_path(built: Built) -> None:
    """Neither names of this machine's folders, nor what a run leaves."""
    for name, data in contents(built.wheel).items():
        assert not re.search(r"(^|/)(tests?|conftest|test_[^/]*)(/|\.py$)|__pycache__|\.pyc$", name), name
        for folder in (ROOT, Path.home(), sys.prefix):
            assert f"{folder}/".encode() not in data, name


def test_the_checkout_and_the_sdist_make_the_same_wheel(built: Built, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(tmp_path), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False, timeout=HANG)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    assert contents(wheel) == contents(built.wheel)


def test_the_environment_has_the_wheel_and_nothing_of_the_checkout(installed: Installed, tmp_path: Path) -> None:
    code = "import spinedsl, sys; print(spinedsl.__file__); print(*sys.path, sep='\\n')"
    done = subprocess.run(
        [installed.python, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=installed.environment,
        check=True, timeout=HANG,
    )  # fmt: skip
    file, *search = done.stdout.splitlines()
    assert file.startswith(str(installed.python.parent.parent))
    assert str(ROOT) not in search


def test_wheel_checks_a_file_away_from_the_checkout(installed: Installed, tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples/spinenet.spine", tmp_path)
    run = use(installed, "check spinenet.spine", tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr

    text = (tmp_path / "spinenet.spine").read_text(encoding="utf-8")
    (tmp_path / "broken.spine").write_text(text.replace("residual ", "residul ", 1), encoding="utf-8")
    run = use(installed, "check broken.spine", tmp_path)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "residul" in run.stdout + run.stderr


@pytest.mark.parametrize(
    "line", ["explain E0303", "draw {} -o n.svg", "draw {} -o n.html", "stats {}", "compile {} --to torch -o m.py",
             "compile {} --to torch --adapter mmdet -o a.py", "compile {} --to onnx -o m.onnx"],
)  # fmt: skip
def test_wheel_does_its_work_away_from_the_checkout(line: str, installed: Installed, tmp_path: Path) -> None:
    assert use(installed, "new net.spine", tmp_path).returncode == 0
    run = use(installed, line.format("net.spine"), tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    assert all(path.stat().st_size > 0 for path in tmp_path.iterdir())


def test_wheel_writes_the_examples(installed: Installed, tmp_path: Path) -> None:
    run = use(installed, "new --example all", tmp_path)
    assert run.returncode == 0, run.stderr
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {name for name in shipped("examples") if of_the_wheel(name)}
    assert all((tmp_path / name).read_bytes() == (ROOT / name).read_bytes() for name in written)


def test_in_a_checkout_its_own_grammar_wins_over_a_stale_copy(tmp_path: Path) -> None:
    """An editable install leaves a copy of the grammar behind, which the next edit does not reach."""
    shutil.copytree(ROOT / "spinedsl", tmp_path / "spinedsl", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "grammar", tmp_path / "grammar")
    shutil.copy(ROOT / "examples/spinenet.spine", tmp_path)
    (tmp_path / "spinedsl/_grammar").mkdir(exist_ok=True)
    (tmp_path / GRAMMAR).write_text("this is no grammar", encoding="utf-8")
    command = [sys.executable, "-m", "spinedsl", "check", "spinenet.spine"]
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=env, check=False, timeout=HANG)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_command_is_installed() -> None:
    """`spine` beside this interpreter is the command of this checkout."""
    command = shutil.which("spine", path=os.path.dirname(sys.executable))  # noqa: PTH120  (which takes a search path)
    assert command, f"no `spine` beside {sys.executable}: install with `pip install -e .`"
    run = subprocess.run([command, "check", ROOT / "examples/spinenet.spine"], capture_output=True, check=False)
    assert run.returncode == 0, run.stderr.decode()


# ---- what a package index shows ----


def described(built: Built) -> str:
    """The long description of the wheel."""
    (metadata,) = (data for name, data in contents(built.wheel).items() if name.endswith(".dist-info/METADATA"))
    return str(Parser().parsestr(metadata.decode()).get_payload())


def test_an_index_takes_both_files(built: Built) -> None:
    command = [sys.executable, "-m", "twine", "check", "--strict", str(built.sdist), str(built.wheel)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=HANG)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count("PASSED") == 2


def test_every_link_and_picture_of_the_description_leads_somewhere(built: Built) -> None:
    """As an index shows it: to an address, or to a heading of the page itself; all else has become words."""
    from readme_renderer.markdown import render

    page = render(described(built)) or ""
    headings = set(re.findall(r'id="([^"]+)"', page))
    leads = re.findall(r'(?:href|src)="([^"]*)"', page)
    assert len(leads) >= 10
    for lead in leads:
        assert lead.startswith("https://") or lead.removeprefix("#") in headings, lead
    for words in (
        "MODELS.md",
        "RELIABILITY.md",
        "ARCHITECTURE.md",
        "Write a network",
        "CITATION.cff",
        "spine docs language",
    ):
        assert f">{words}</a>" not in page
        assert words in page
    assert "pip install 'spinedsl[all]'" in described(built)
    assert "in this folder" not in described(built)


def test_the_description_is_the_readme_but_for_those(built: Built) -> None:
    """Word for word: a pattern that fits too much would take whole lines away."""
    readme, shown = ((ROOT / "README.md").read_text(encoding="utf-8").splitlines(), described(built).splitlines())
    assert len(readme) == len(shown)
    other = [line for line, after in zip(readme, shown, strict=True) if line != after]
    assert len(other) < 20
    assert all(re.search(r"\]\(|pip install", line) for line in other)


def test_classifiers_say_what_is_tested() -> None:
    """The versions of Python are those that RELIABILITY.md has figures of."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    claimed = {name.rpartition(" ")[2] for name in project["classifiers"] if re.search(r":: 3\.\d+$", name)}
    text = (ROOT / "RELIABILITY.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| Python (3\.\d+)\.\d+ ", text, re.MULTILINE))
    assert claimed == rows
    assert {"Homepage", "Repository"}.isdisjoint(project["urls"]) == ("there is a public address" in text)


def test_all_brings_what_users_may_need() -> None:
    """Every extra but the one of developers and those apart, which are large or for a few."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    (named,) = re.findall(r"spinedsl\[(.*)\]", " ".join(extras["all"]))
    assert set(named.split(",")) == extras.keys() - {"all", "dev", *APART}


def test_the_citation_is_of_this_version_and_of_the_paper() -> None:
    """What `cffconvert --validate` reads: the keys that the format asks for, and no name of another project."""
    yaml = pytest.importorskip("yaml")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors", "type"} <= cited.keys()
    assert (cited["title"], str(cited["version"]), cited["license"]) == (
        project["name"],
        project["version"],
        project["license"],
    )
    paper = cited["preferred-citation"]
    assert {"type", "title", "authors", "year", "doi"} <= paper.keys()
    assert all({"family-names", "given-names"} == author.keys() for author in paper["authors"])
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    names = " and ".join(f"{author['family-names']}, {author['given-names']}" for author in paper["authors"])
    assert f"author = {{{names}}}" in readme
    assert f"pages = {{{paper['start']}--{paper['end']}}}" in readme
