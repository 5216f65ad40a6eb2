"""Explanations: every code has one; its wrong file makes that one mistake, and its right file makes none."""

from __future__ import annotations

import pytest

from spinedsl import checks, driver, reading
from spinedsl.checks.switches import showing
from spinedsl.cli import main
from spinedsl.cli.explain import NAME, ORIGIN
from spinedsl.diagnostics.explain import Example, explanation
from spinedsl.source import Source
from spinedsl.syntax.format import format_source

# What no text that can be shown here makes anybody say: these have the situation in words.
IN_WORDS = (
    "E0232",
    "E0601",
    "E08",
    "E09",
    "W09",
    "E10",
    "W10",
    "E11",
    "W11",
    "E1206",
    "E1207",
    "E1208",
    "E1209",
    "E1210",
    "E1211",
    "E1212",
    "E1213",
    "E1214",
    "E1215",
    "E1216",
    "E1225",
)


def codes_of(example: Example, code: str) -> list[str]:
    switches = showing(checks.rule(code))
    outcome = reading.decode(example.data, NAME, ORIGIN).then(lambda source: driver.analyse(source, switches=switches))
    return [diagnostic.code.id for diagnostic in outcome.diagnostics]


@pytest.mark.parametrize("code", checks.codes())
def test_the_wrong_file_makes_one_mistake_and_the_right_file_none(code: str) -> None:
    explained = explanation(checks.rule(code))
    assert explained.paragraphs
    if code.startswith(IN_WORDS):
        assert (explained.wrong, explained.right) == (None, None)
        return
    assert explained.wrong is not None
    assert explained.right is not None
    assert codes_of(explained.wrong, code) == [code]
    assert codes_of(explained.right, code) == []
    right = explained.right.data.decode()
    assert format_source(Source.from_text(right)).value == right


@pytest.mark.parametrize("code", checks.codes())
def test_an_explanation_is_short(code: str) -> None:
    explained = explanation(checks.rule(code))
    assert "```" not in "".join(explained.paragraphs)
    assert sum(len(text.split()) for text in explained.paragraphs) <= 110
    for example in (explained.wrong, explained.right):
        if example is not None:
            assert example.shown.isascii() or code == "E0116"
            assert len(example.shown.splitlines()) <= 24


def test_the_command_shows_the_rule_both_files_and_what_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "e0303"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("E0303: input below the block\n\nThe rows stand in the order of the network")
    assert "\n\nWrong:\n\n    spine 1\n" in said
    assert "\n\nWhat `spine check` prints:\n\n    error[E0303]: `b0` stands below `b1`" in said
    assert "\n\nRight:\n\n    spine 1\n" in said
    assert not any(line != line.rstrip() for line in said.splitlines())


def test_code_in_a_text_stays_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "E0112"]) == 0
    assert "`3 x 640 x 640`" in capsys.readouterr().out


def test_several_codes_each_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "E0801", "w0701", "E0801"]) == 0
    said = capsys.readouterr().out
    assert said.count("E0801: cannot read") == 1
    assert said.index("E0801: ") < said.index("W0701: ")


def test_without_a_code_all_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in said if line.startswith("  ")] == [
        code for group in checks.GROUPS for code in checks.codes() if code.startswith(group)
    ]


def test_an_unknown_code_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "E0303", "E303"]) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert "no code 'E303'; did you mean E0303?" in streams.err


def test_what_cannot_be_seen_is_written_by_its_number() -> None:
    assert Example("a\\u{202e}b\\x{f6}\\n").data == "a\u202eb".encode() + b"\xf6\\n"
