"""Lints are switched by the command line, above the nearest configuration; nothing else is, and nothing is silent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from spinedsl import checks, driver
from spinedsl.checks.switches import Layer, Switches
from spinedsl.cli.lints import configuration
from spinedsl.diagnostics import Default
from tests.cli.running import run
from tests.cli.test_given import LINT, LINTS
from tests.test_imports import command, loaded_by

EVERY = ("check FILE", "compile FILE --to mermaid -o -", "show FILE", "stats FILE", "draw FILE -o -", "verify FILE")


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in a folder of a project, in which the command is run."""
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets/net.spine").write_text(LINT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[tuple[str, str]]]:
    """The exit status of a check, and the codes with their levels."""
    status, out, _ = run(capsys, "check", *words, "--json")
    return status, [(one["code"], one["severity"]) for one in json.loads(out)]


FAR, ODD = ("W0702", "warning"), ("W0705", "warning")


@pytest.mark.parametrize(
    ("options", "status", "found"),
    [
        ("", 0, [FAR]),
        ("--allow W0702", 0, []),
        ("--allow w07", 0, []),
        ("--warn W0705", 0, [ODD, FAR]),
        ("--warn W07", 0, [FAR]),
        ("--deny W07", 1, [("W0702", "error")]),
        ("--deny W", 1, [("W0702", "error")]),
        ("--deny W07 --allow W0702", 0, []),
        ("--deny W07 --warn W0702", 0, [FAR]),
        ("--deny W0705,W0702", 1, [("W0705", "error"), ("W0702", "error")]),
        ("--deny W0705 --deny W0702", 1, [("W0705", "error"), ("W0702", "error")]),
        ("--set W0702.levels=4", 0, []),
        ("--set W0702.levels=1", 0, [FAR]),
        ("--warn W0705 --set W0705.multiple=4", 0, [FAR]),
    ],
)
def test_the_command_line(
    options: str, status: int, found: list[tuple[str, str]], net: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shown(capsys, "nets", *options.split()) == (status, found)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("--allow E0407", "`E0407` is an error, which has to be mended: only lints can be switched"),
        ("--warn E0", "only lints can be switched"),
        ("--deny W0901", "`W0901` is about weights"),
        ("--deny warnings", "`W07` is all lints"),
        ("--allow W0799", "there is no lint `W0799`"),
        ("--allow W072", "there is no lint `W072`; did you mean"),
        ("--allow W0702,", "there is no lint ``"),
        ("--allow W0702 --deny W0702", "give it to one of them"),
        ("--set W0702", "expected CODE.NAME=N"),
        ("--set W0702.level=4", "W0702 has no setting `level`; did you mean `levels`?"),
        (
            "--set W0701.levels=4",
            "W0701 has no settings: there is `W0702.levels`, `W0705.multiple`, `W0707.multiple` and `W0707.percent`",
        ),
        ("--set W07.levels=4", "a setting is of one lint"),
        ("--set W0702.levels=0", "a whole number from 1 to 16"),
        ("--set W0702.levels=4.5", "a whole number from 1 to 16"),
        ("--set W0702.levels=4 --set W0702.levels=5", "is set twice"),
        ("--set W0705.multiple=16", "W0705 is off: --warn W0705 switches it on"),
        ("--allow W0702 --set W0702.levels=4", "W0702 is off"),
    ],
)
def test_what_cannot_be_switched_is_wrong_use(
    options: str, reason: str, net: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = run(capsys, "check", "nets", *options.split())
    assert (status, out) == (2, "")
    assert reason in err


@pytest.mark.parametrize(
    ("files", "options", "status", "found"),
    [
        ({"spine.toml": 'deny = ["W0702"]'}, "", 1, [("W0702", "error")]),
        ({"spine.toml": 'deny = ["W0702"]'}, "--warn W07", 0, [FAR]),
        ({"spine.toml": 'allow = ["W07"]'}, "--deny W0702", 1, [("W0702", "error")]),
        ({"spine.toml": 'warn = ["W0705"]'}, "--deny W07", 1, [("W0705", "error"), ("W0702", "error")]),
        ({"spine.toml": 'warn = ["w0705"]\n[W0705]\nmultiple = 4'}, "", 0, [FAR]),
        ({"spine.toml": "[W0702]\nlevels = 4"}, "", 0, []),
        ({"spine.toml": "W0702.levels = 4"}, "--set W0702.levels=3", 0, [FAR]),
        ({"pyproject.toml": '[tool.spine]\nallow = ["W0702"]'}, "", 0, []),
        ({"pyproject.toml": "[tool.spine.W0702]\nlevels = 4"}, "", 0, []),
        ({"pyproject.toml": '[project]\ndependencies = ["spinedsl"]'}, "", 0, [FAR]),
        ({"pyproject.toml": "[tool.other]\nspine = 3"}, "", 0, [FAR]),
        ({"pyproject.toml": '[tool]\nspine.allow = ["W0702"]'}, "", 0, []),
        ({"pyproject.toml": 'tool.spine.allow = ["W0702"]'}, "", 0, []),
        ({"pyproject.toml": 'tool = { spine = { allow = ["W0702"] } }'}, "", 0, []),
        ({"pyproject.toml": ' [ "tool" . \'spine\' ] # here\nallow = ["W0702"]'}, "", 0, []),
        ({"pyproject.toml": "[tool.spine-other]\nallow = 3"}, "", 0, [FAR]),
        ({"spine.toml": "", "pyproject.toml": '[tool.spine]\nallow = ["W0702"]'}, "", 0, [FAR]),
        ({"nets/spine.toml": "", "spine.toml": 'deny = ["W0702"]'}, "", 0, [FAR]),
        ({"nets/pyproject.toml": "[project]\n", "spine.toml": 'deny = ["W0702"]'}, "", 1, [("W0702", "error")]),
    ],
)
def test_a_configuration(
    files: dict[str, str],
    options: str,
    status: int,
    found: list[tuple[str, str]],
    net: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, text in files.items():
        (net / name).write_text(text, encoding="utf-8")
    assert shown(capsys, "nets", *options.split()) == (status, found)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("deny = [W0702]", [("E1001", 1, 9)]),
        ('allow = ["E0407", "W0702"]', [("E1005", 1, 10)]),
        ('# one\nallow = [\n  "W0702",\n  "W0799",\n]', [("E1005", 4, 3)]),
        ('deny = "W0702"', [("E1003", 1, 8)]),
        ("deny = [1]", [("E1003", 1, 8)]),
        ('wran = ["W0702"]', [("E1002", 1, 1)]),
        ('deny = ["W0702"]\nallow = ["W0702"]', [("E1007", 1, 9)]),
        ('deny = ["W0702"]\ndeny = ["W0702"]', [("E1001", 2, 1)]),
        ("[W0702]\nlevel = 4", [("E1002", 2, 1)]),
        ("[W0702]\nlevels = true", [("E1003", 2, 10)]),
        ("[W0702]\nlevels = 17", [("E1004", 2, 10)]),
        ("W0702 = 4", [("E1003", 1, 9)]),
        ("[W0701]\nlevels = 4", [("E1002", 1, 2)]),
        ("[E0407]\nlevels = 4", [("E1002", 1, 2)]),
        ('a = 1\nb = 2\n"deny" = ["W0999"]', [("E1002", 1, 1), ("E1002", 2, 1), ("E1005", 3, 11)]),
    ],
)
@pytest.mark.parametrize("form", ["spine.toml", "pyproject.toml"])
def test_a_wrong_configuration_is_said_at_its_place(
    form: str, text: str, places: list[tuple[str, int, int]], net: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once, whatever number of files it is for; none of them is checked by half of it."""
    before = 0
    if form == "pyproject.toml":
        text = "[tool.spine]\n" + text.replace("[W", "[tool.spine.W").replace("[E", "[tool.spine.E")
        text = text.replace("[tool.spine.W0702]\n", "[tool.spine.W0702]\n").replace("= [tool.spine.", "= [")
        before = 1
    (net / form).write_text(text, encoding="utf-8")
    (net / "nets/other.spine").write_text(LINT, encoding="utf-8")
    status, out, _ = run(capsys, "check", "nets", "--json")
    assert status == 1
    found = [(one["code"], one["place"]["line"]) for one in json.loads(out)]
    assert found == [(code, line + before) for code, line, _ in places]
    if not before:
        assert [one["place"]["column"] for one in json.loads(out)] == [column for _, _, column in places]
    assert {one["place"]["file"] for one in json.loads(out)} == {form}
    assert all(one["notes"] or one["fixes"] or one["place"]["label"] for one in json.loads(out))


@pytest.mark.parametrize("head", ["[[tool.spine]]", ' [[ "tool" . spine ]]', "tool.spine = 3", "[tool]\nspine = []"])
def test_what_should_be_a_table_is_reported(head: str, net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (net / "pyproject.toml").write_text(f"{head}\n", encoding="utf-8")
    status, out, _ = run(capsys, "check", "nets", "--json")
    assert (status, [one["code"] for one in json.loads(out)]) == (1, ["E1003"])


@pytest.mark.parametrize("words", EVERY)
def test_every_command_that_reports_warnings_has_one_convention(
    words: str, net: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Warnings are shown, denied ones end the command, and so does a wrong configuration."""
    line = words.replace("FILE", "nets/net.spine").split()
    status, out, err = run(capsys, *line)
    assert status == 0
    assert "warning[W0702]" in out + err
    status, out, err = run(capsys, *line, "--deny", "W0702")
    assert status == 1
    assert "error[W0702]" in out + err
    assert "denied on the command line" in out + err
    assert "W0702" not in "".join(run(capsys, *line, "--allow", "W0702")[1:])
    (net / "spine.toml").write_text('deny = ["W07"]', encoding="utf-8")
    status, out, err = run(capsys, *line)
    assert status == 1
    assert "denied in spine.toml" in out + err
    (net / "spine.toml").write_text("deny = 7", encoding="utf-8")
    status, out, err = run(capsys, *line)
    assert status == 1
    assert "error[E1003]" in out + err


@pytest.mark.parametrize("how", ["json", "sarif", "github"])
def test_formats_for_programs_carry_the_level(how: str, net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = run(capsys, "check", "nets", "--format", how)[1]
    denied = run(capsys, "check", "nets", "--format", how, "--deny", "W0702")[1]
    levels = {"json": '"severity": "{}"', "sarif": '"level": "{}",\n          "message"', "github": "::{} file="}[how]
    assert (levels.format("warning") in said, levels.format("error") in said) == (True, False)
    assert (levels.format("warning") in denied, levels.format("error") in denied) == (False, True)


def test_an_allow_row_stands_whatever_is_denied(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reasoned = LINT.replace("    stem s", '    allow W0702 "found by search"\n    stem s')
    (net / "nets/net.spine").write_text(reasoned, encoding="utf-8")
    assert shown(capsys, "nets", "--deny", "W07") == (0, [])


def test_standard_input_has_the_configuration_of_the_folder(
    net: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import io
    import sys

    (net / "spine.toml").write_text('deny = ["W0702"]', encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LINT.encode())))
    assert shown(capsys, "-") == (1, [("W0702", "error")])


def test_no_configuration_no_cost(net: Path) -> None:
    """Neither a parser of TOML nor what reads settings is imported, also where a pyproject.toml is of others."""
    for name in ("none", "pyproject.toml"):
        text = "[project]\nname = 'x'\ndependencies = ['spinedsl']\n[tool.ruff]\nexclude = ['net.spine']\n"
        (net / name).write_text(text, encoding="utf-8")
        toml = ("tomllib", "spinedsl.toml", "spinedsl.settings", "spinedsl.cli.config", "pathlib")
        assert loaded_by(command("check", "nets/net.spine", "--allow", "W0702"), net, toml) == (0, set())


def test_configurations_of_other_folders_are_not_read(net: Path) -> None:
    (net / "elsewhere").mkdir()
    (net / "elsewhere/spine.toml").touch()
    assert configuration(str(net / "nets")) is None
    (net / "nets/spine.toml").mkdir()
    assert configuration(str(net / "nets")) is None
    (net / "spine.toml").touch()
    assert configuration(str(net / "nets")) == str(net / "spine.toml")


def test_switches_change_nothing_but_lints() -> None:
    """Whatever is asked for, errors are errors, and the networks that are checked are the same."""
    for code in checks.codes():
        rule = checks.rule(code)
        for level in Default:
            found = Switches((Layer("here", dict.fromkeys((code, code[:3], "W", "E", "W07"), level)),)).level(rule)
            lint = code in checks.lints()
            assert found is (level if lint else rule.default), code


def test_python_reads_no_configuration(net: Path) -> None:
    import spinedsl

    (net / "spine.toml").write_text('deny = ["W0702"]', encoding="utf-8")
    assert spinedsl.check("nets/net.spine").ok
    denied = spinedsl.check("nets/net.spine", deny=["W0702"])
    assert not denied.ok
    assert denied.value is not None
    assert [one.code.id for one in denied.diagnostics] == ["W0702"]
    for options, said in (
        ({"allow": ["E0407"]}, "only lints"),
        ({"warn": ["W0702"], "deny": ["W0702"]}, "keep one of them"),
        ({"settings": {"W0702": {"levels": 99}}}, "from 1 to 16"),
        ({"settings": {"W0705": {"multiple": 16}}}, "W0705 is off"),
        ({"settings": {"W0702": {"level": 4}}}, "did you mean `levels`"),
    ):
        with pytest.raises(spinedsl.OptionChoice, match=said):
            spinedsl.check("nets/net.spine", **options)
    with pytest.raises(TypeError, match="settings must be numbers by name"):
        spinedsl.check("nets/net.spine", settings={"W0702": 4})  # type: ignore[dict-item]


def test_every_lint_option_is_tried() -> None:
    assert {*LINTS} == {"--warn", "--allow", "--deny", "--set"}
    assert Switches() == driver.USUAL
