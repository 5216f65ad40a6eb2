"""Mistakes, each with what is said of it: `mistakes/CODE-what.spine` (or a folder with `main.spine`) beside its `.txt`.

A file named for a code makes one mistake, and exactly that one is reported. A file named `ten-…` makes ten, one in each
statement, and exactly ten are reported. `UPDATE_GOLDENS=1` writes the `.txt` files anew: read what changed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from spinedsl import checks, driver
from spinedsl.checks.switches import showing
from spinedsl.diagnostics import Diagnostic, Edit, Fix
from spinedsl.diagnostics.render import render
from spinedsl.source import Source

FOLDER = Path(__file__).with_name("mistakes")
INPUTS = sorted(path.name for path in FOLDER.iterdir() if path.suffix != ".txt")
SINGLE = [name for name in INPUTS if not name.startswith("ten-")]
UPDATE = os.environ.get("UPDATE_GOLDENS") == "1"
# What no file of a few lines can cause, with the tests that do.
ELSEWHERE = {
    "E0601": "a file of megabytes: tests/syntax/test_any_text.py",
    "E08": "files that cannot be read or written: tests/cli",
    "E09": "weights and backends: tests/weights, tests/backends",
    "W09": "weights: tests/weights",
    "E10": "settings and training: tests/test_settings.py, tests/training",
    "W10": "training: tests/training",
    "E11": "pictures and labels: tests/data",
    "W11": "pictures and labels: tests/data",
    "E1206": "candidates of a space: tests/spaces",
    "E1207": "a network and a space: tests/spaces",
    "E1208": "candidates of a space: tests/spaces",
    "E1209": "searches: tests/search",
    "E1210": "searches: tests/search",
    "E1211": "searches: tests/search",
    "E1212": "searches: tests/search",
    "E1213": "searches: tests/search",
    "E1214": "searches: tests/search",
    "E1215": "searches: tests/search",
    "E1216": "searches: tests/search",
    "E1225": "reports on searches: tests/report",
}


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The mistakes as a project of their own, whose folder imports may not leave."""
    root = tmp_path_factory.mktemp("mistakes")
    shutil.copytree(FOLDER, root / "project/mistakes")
    (root / "project/spine.toml").touch()
    (root / "elsewhere.spine").write_text("def elsewhere(x) { return x }\n", encoding="utf-8")
    return root / "project/mistakes"


def check(folder: Path, name: str) -> tuple[Diagnostic, ...]:
    path = folder / name
    if path.is_dir():
        path /= "main.spine"
    rule = checks.rule(name[:5]) if name in SINGLE else None
    switches = showing(rule) if rule is not None else driver.USUAL
    return driver.read(path, path.name).then(lambda source: driver.analyse(source, switches=switches)).diagnostics


def golden(name: str) -> Path:
    return FOLDER / f"{name.removesuffix('.spine')}.txt"


@pytest.mark.parametrize("name", INPUTS)
def test_says_what_it_said_before(name: str, project: Path) -> None:
    text = render(check(project, name))
    if UPDATE:
        golden(name).write_text(text, encoding="utf-8")
    assert text == golden(name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SINGLE)
def test_one_mistake_is_reported_once(name: str, project: Path) -> None:
    assert [diagnostic.code.id for diagnostic in check(project, name)] == [name[:5]]


@pytest.mark.parametrize("name", [name for name in INPUTS if name.startswith("ten-")])
def test_ten_mistakes_are_ten_reports(name: str, project: Path) -> None:
    diagnostics = check(project, name)
    assert len(diagnostics) == 10
    places = [(diagnostic.span.start, diagnostic.span.end) for diagnostic in diagnostics]
    assert len(set(places)) == 10


def test_nearly_every_message_has_a_place_and_a_way_out(project: Path) -> None:
    """1 for a message without a place, 2 with one, 3 with a repair too: the mean of all, which only rises."""
    said = [diagnostic for name in INPUTS for diagnostic in check(project, name)]
    scores = [
        1 + bool(diagnostic.span.text or diagnostic.span.source.text) + bool(diagnostic.fixes) for diagnostic in said
    ]
    assert sum(scores) / len(scores) >= 2.97


def test_every_golden_has_its_input() -> None:
    goldens = {path.stem for path in FOLDER.glob("*.txt")}
    assert goldens == {name.removesuffix(".spine") for name in INPUTS}


def test_every_code_has_a_mistake() -> None:
    shown = {name[:5] for name in SINGLE}
    missing = {
        code for code in checks.codes() if code not in shown and code not in ELSEWHERE and code[:3] not in ELSEWHERE
    }
    assert missing == set()
    assert shown <= {*checks.codes()}


# ---- repairs ----


def apply(source: Source, edits: Sequence[Edit]) -> str:
    """The text of a source after edits, which do not overlap."""
    text = source.text
    for edit in sorted(edits, key=lambda edit: edit.span.start, reverse=True):
        assert edit.span.source is source
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


def repairs(diagnostics: Sequence[Diagnostic]) -> list[tuple[Diagnostic, Fix]]:
    return [(diagnostic, fix) for diagnostic in diagnostics for fix in diagnostic.fixes if fix.edits]


@pytest.mark.parametrize("name", INPUTS)
def test_a_repair_removes_its_mistake(name: str, project: Path) -> None:
    """Every fix with edits, applied alone: the mistake is gone, and there is nothing new."""
    diagnostics = check(project, name)
    before = {(diagnostic.code.id, diagnostic.message) for diagnostic in diagnostics}
    for diagnostic, fix in repairs(diagnostics):
        source = fix.edits[0].span.source
        repaired = Source.from_text(apply(source, fix.edits), source.name, source.origin)
        after = driver.analyse(repaired).diagnostics
        assert (diagnostic.code.id, diagnostic.message) not in {(d.code.id, d.message) for d in after}, fix.text
        if name in SINGLE:
            new = [d.message for d in after if (d.code.id, d.message) not in before and d.code.id[0] == "E"]
            assert new == [], fix.text
