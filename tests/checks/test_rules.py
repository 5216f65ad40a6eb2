"""Rules: each is one complete object in a file of its own, and whatever is reported goes through one.

What their explanations say is compiled in `tests/cli/test_explain.py`, and each has its mistakes in `tests/mistakes`.
"""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

import spinedsl
from spinedsl import checks
from spinedsl.diagnostics import Default, Rule

PACKAGE = Path(spinedsl.__file__).parent
FILES = [path for folder in checks.FOLDERS for path in sorted((PACKAGE / "checks" / folder).glob("[!_]*.py"))]
STAGES = "say"  # what stages call `checks`, as in `say.UNEXPECTED.at(…)`


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in PACKAGE.rglob("*.py"):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    return path.stem[len("e0000_") :].upper()


def facts_of(*texts: str) -> set[str]:
    return {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_each_rule_has_a_file_and_a_name_of_its_own() -> None:
    assert sorted(path.stem[:5].upper() for path in FILES) == list(checks.codes())
    names = [name_of(path) for path in FILES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.stem))
def test_a_rule_is_complete(path: Path) -> None:
    """Its file is named for it, and it has a title, a message, a default and an explanation, with two files or none."""
    rule: Rule = getattr(checks, name_of(path))
    assert (rule.id, rule) == (path.stem[:5].upper(), checks.rule(rule.id))
    assert rule.id[:3] in checks.GROUPS
    assert (rule.default is Default.ERROR) == rule.id.startswith("E")
    assert rule.title == rule.title.strip() != ""
    assert rule.title[-1] not in ".!?"
    assert rule.message
    assert rule.explanation.strip()
    assert bool(rule.wrong) == bool(rule.right)
    assert (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").startswith(f"{rule.id}: {rule.title}")


def test_the_rules_of_networks_and_files_have_a_check_and_the_others_none() -> None:
    for path in FILES:
        defined = {node.name for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, ast.FunctionDef)}
        assert ("check" in defined) == (path.parent.name in ("networks", "files")), path.name


def test_every_diagnostic_goes_through_a_rule() -> None:
    """A diagnostic is made by `Rule.at`, and a rule only in a file of its own; each rule is asked for somewhere."""
    asked = {name_of(path) for path in FILES if path.parent.name != "stages"}
    for path, module in modules():
        made = [
            node.func.id for node in ast.walk(module) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        ]
        from_model = {name for node in module.body if isinstance(node, ast.ImportFrom) for name in _of_model(node)}
        if path != PACKAGE / "diagnostics/model.py":
            allowed = {"Rule"} if path in FILES else set()
            assert from_model & {*made} & {"Diagnostic", "Rule"} <= allowed, path
        for node in ast.walk(module):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == STAGES:
                asked.add(node.attr)
                assert hasattr(checks, node.attr), f"{path}:{node.lineno}: there is no rule {node.attr}"
    assert {name_of(path) for path in FILES} - asked == set()


def test_whoever_asks_for_a_rule_gives_the_facts_that_its_words_name() -> None:
    seen = 0
    for path, module in modules():
        for node in ast.walk(module):
            rule = _asked(path, node)
            if rule is not None and isinstance(node, ast.Call) and all(keyword.arg for keyword in node.keywords):
                assert {keyword.arg for keyword in node.keywords} == facts_of(rule.message, rule.label), (
                    f"{path}:{node.lineno}"
                )
                seen += 1
    assert seen > 200


def test_the_repair_of_a_rule_is_given_with_the_facts_that_it_names() -> None:
    """Where a stage calls `repaired`, it asks for a rule whose `fix` takes just those facts; each `fix` is given."""
    given: set[str] = set()
    for path, module in modules():
        for function in (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)):
            for call in ast.walk(function):
                match call:
                    case ast.Call(func=ast.Attribute(_, "repaired")):
                        facts = {keyword.arg for keyword in call.keywords}
                        rules = [rule for rule in _named(path, function) if rule.fix and facts_of(rule.fix) == facts]
                        assert rules, f"{path}:{call.lineno}"
                        given |= {rule.id for rule in rules}
                    case ast.Call(func=ast.Name("accept")):
                        given |= {rule.id for rule in _named(path, function)}
    assert {code for code in checks.codes() if checks.rule(code).fix} <= given


def _named(path: Path, node: ast.AST) -> Iterator[Rule]:
    """The rules that a function names; of the file of a rule, that one."""
    if path in FILES:
        yield checks.rule(path.stem[:5].upper())
    for part in ast.walk(node):
        match part:
            case ast.Attribute(ast.Name("say"), name) if name.isupper():
                yield getattr(checks, name)


def _of_model(node: ast.ImportFrom) -> list[str]:
    return [alias.name for alias in node.names] if (node.module or "").startswith("spinedsl.diagnostics") else []


def _asked(path: Path, node: ast.AST) -> Rule | None:
    """The rule of a call such as `say.UNEXPECTED.at(…)`, or `RULE.at(…)` in the file of a rule."""
    match node:
        case ast.Call(func=ast.Attribute(ast.Name("RULE"), "at")) if path in FILES:
            return checks.rule(path.stem[:5].upper())
        case ast.Call(func=ast.Attribute(ast.Attribute(ast.Name("say"), name), "at")):
            rule = getattr(checks, name)
            assert isinstance(rule, Rule)
            return rule
    return None


def test_a_rule_is_read_when_it_is_asked_for(tmp_path: Path) -> None:
    """A clean file needs no words for mistakes: of the rules, those that look at networks are there, and no others."""
    from tests.test_imports import EXAMPLE, command, loaded_by

    stages = tuple(f"spinedsl.checks.stages.{path.stem}" for path in FILES if path.parent.name == "stages")
    assert loaded_by(command("check", str(EXAMPLE)), tmp_path, stages) == (0, set())
    wrong = tmp_path / "net.spine"
    wrong.write_text("network N {\n", encoding="utf-8")
    status, loaded = loaded_by(command("check", str(wrong)), tmp_path, stages)
    assert status == 1
    assert "spinedsl.checks.stages.e0104_unclosed" in loaded
    assert len(loaded) < 12
