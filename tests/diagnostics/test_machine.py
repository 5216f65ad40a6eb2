"""JSON, SARIF and GitHub's annotations, read back as their readers do: each finds the text that was meant."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Edit, Label, in_order
from spinedsl.diagnostics.machine import to_github, to_json, to_sarif
from spinedsl.source import Source

# Of one, two and four bytes, beyond the sixteen bits of UTF-16, combining, wide, and what aligns otherwise.
LETTERS = "ab é日\N{COMBINING ACUTE ACCENT}\N{GRINNING FACE}\N{MATHEMATICAL BOLD SMALL X}\t"
TEXTS = st.lists(st.text(LETTERS, max_size=8), min_size=1, max_size=4).map("\n".join)


def at(source: Source, start: int, end: int) -> Diagnostic:
    return say.UNEXPECTED.at(source.span(start, end), found="this", expected="something else")


@st.composite
def marked(draw: st.DrawFn) -> tuple[Source, int, int]:
    """A text and a stretch of it."""
    text = draw(TEXTS)
    start = draw(st.integers(0, len(text)))
    return Source.from_text(text, "net.spine"), start, draw(st.integers(start, len(text)))


def stretch(text: str, first: tuple[int, int], last: tuple[int, int], *, wide: bool = False) -> tuple[int, int]:
    """Where a region begins and ends in a text, by lines and columns from 1, the end behind its last character.

    Columns count code points or, if they are `wide`, the units of UTF-16.
    """

    def offset(line: int, column: int) -> int:
        assert line >= 1
        assert column >= 1
        lines = text.split("\n")
        here, before = lines[line - 1], sum(len(part) + 1 for part in lines[: line - 1])
        if not wide:
            assert column <= len(here) + 1
            return before + column - 1
        units = here.encode("utf-16-le")[: 2 * (column - 1)]
        assert len(units) == 2 * (column - 1)
        return before + len(units.decode("utf-16-le"))

    return offset(*first), offset(*last)


def sarif_stretch(run: Mapping[str, Any], text: str, region: Mapping[str, int]) -> tuple[int, int]:
    """A region as the standard says: the columns are those of `columnKind`, UTF-16 where a run does not say."""
    ends = (region["startLine"], region["startColumn"]), (region["endLine"], region["endColumn"])
    kind = run.get("columnKind", "utf16CodeUnits")
    assert kind in ("utf16CodeUnits", "unicodeCodePoints")
    return stretch(text, *ends, wide=kind == "utf16CodeUnits")


def commands(text: str) -> list[tuple[dict[str, str], str]]:
    """Workflow commands as GitHub's runner reads them: properties and the message, escapes taken back."""

    def read(escaped: str) -> str:
        for escape, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
            escaped = escaped.replace(escape, character)
        return escaped

    found = []
    for line in text.split("\n"):
        parts = re.fullmatch(r"::(?:error|warning|notice) (.*?)::(.*)", line)
        assert parts is not None, line
        pairs = (pair.partition("=") for pair in parts[1].split(","))
        found.append(({name: read(value) for name, _, value in pairs}, read(parts[2])))
    return found


@given(marked())
def test_every_format_points_at_the_same_text(drawn: tuple[Source, int, int]) -> None:
    source, start, end = drawn
    said = at(source, start, end).with_others(Label(source.span(0, start), "before it"))
    (plain,) = json.loads(to_json([said]))
    for place, expected in ((plain["place"], (start, end)), (plain["others"][0], (0, start))):
        ends = (place["line"], place["column"]), (place["end_line"], place["end_column"])
        assert stretch(source.text, *ends) == expected
    (run,) = json.loads(to_sarif([said], "1"))["runs"]
    (result,) = run["results"]
    for location, expected in ((result["locations"][0], (start, end)), (result["relatedLocations"][0], (0, start))):
        assert sarif_stretch(run, source.text, location["physicalLocation"]["region"]) == expected
    ((found, _),) = commands(to_github([said]))
    ends = (int(found["line"]), int(found["col"])), (int(found["endLine"]), int(found["endColumn"]))
    assert stretch(source.text, *ends) == (start, end)


@given(marked(), st.text(LETTERS, max_size=5))
def test_repairs_that_are_carried_out_by_a_program_make_the_same_text(drawn: tuple[Source, int, int], new: str) -> None:
    source, start, end = drawn
    expected = source.text[:start] + new + source.text[end:]
    said = at(source, start, end).with_fix("in words alone").with_fix("write it so", Edit(source.span(start, end), new))
    (plain,) = json.loads(to_json([said]))
    (edit,) = plain["fixes"][1]["edits"]
    first, last = stretch(source.text, (edit["line"], edit["column"]), (edit["end_line"], edit["end_column"]))
    assert source.text[:first] + edit["replacement"] + source.text[last:] == expected
    (run,) = json.loads(to_sarif([said], "1"))["runs"]
    (fix,) = run["results"][0]["fixes"]  # the standard has none without a change
    (change,) = fix["artifactChanges"]
    (replacement,) = change["replacements"]
    first, last = sarif_stretch(run, source.text, replacement["deletedRegion"])
    assert source.text[:first] + replacement["insertedContent"]["text"] + source.text[last:] == expected


@pytest.mark.parametrize("text", ["100% of it", "a%0Ab", "one\ntwo", "::error file=x::y", "a, b: c", "%25 %"])
def test_a_runner_reads_what_was_said(text: str) -> None:
    source = Source.from_text("one two\n", "50%, a:b.spine")
    said = at(source, 0, 3).with_notes(text)
    ((found, message),) = commands(to_github([said]))
    assert message.split("\n", 1)[1] == text
    assert found["file"] == "50%, a:b.spine"
    assert found["title"].startswith("E0101 ")


def test_every_result_has_the_rule_of_its_code() -> None:
    source = Source.from_text("one two three\n", "a.spine")
    said = [
        at(source, 4, 7),
        say.CANNOT_READ.at(source.span(0, 3), path="x", reason="y"),
        say.UNKNOWN_WEIGHTS.at(source.span(8, 13), path="x", what="y"),
    ]
    (run,) = json.loads(to_sarif(said, "1"))["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len(run["results"]) == len({rule["id"] for rule in rules}) == len(rules) == 3
    for result in run["results"]:
        rule = rules[result["ruleIndex"]]
        assert rule["id"] == result["ruleId"]
        assert rule["defaultConfiguration"]["level"] == result["level"]
    codes = [diagnostic.code.id for diagnostic in in_order(said)]
    assert [result["ruleId"] for result in run["results"]] == codes
    assert [entry["code"] for entry in json.loads(to_json(said))] == codes


def test_what_is_said_stands_in_the_order_of_the_text_whatever_its_code() -> None:
    """By file, then by place; the code decides only between two at one place."""
    here, there = Source.from_text("one two\n", "a.spine"), Source.from_text("one two\n", "b.spine")
    said: list[Diagnostic] = []
    for source in (there, here):
        for span in (source.span(4, 7), source.span(0, 3)):
            said.append(say.UNKNOWN_WEIGHTS.at(span, path="x", what="y"))
            said.append(say.UNEXPECTED.at(span, found="x", expected="y"))
    got = [(entry["place"]["file"], entry["place"]["column"], entry["code"]) for entry in json.loads(to_json(said))]
    assert got == [
        (file, column, code) for file in ("a.spine", "b.spine") for column in (1, 5) for code in ("E0101", "E0902")
    ]
