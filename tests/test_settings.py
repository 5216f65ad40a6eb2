"""Settings: every mistake of a table at once, with its place, what was expected and what was meant."""

from __future__ import annotations

from typing import Any

import pytest

from spinedsl.diagnostics import Diagnostic
from spinedsl.settings import KINDS, Setting, Table, in_words, problems, read_table
from spinedsl.source import Source
from spinedsl.toml import Document, read_toml

TABLE = Table(
    (Setting("file", "path", None, "the network", needed=True),),
    {
        "run": Table(
            (
                Setting("steps", "whole", 10, "how many steps", 1),
                Setting("rate", "number", 0.1, "the learning rate", above=0),
                Setting("fast", "flag", False, "whether"),
                Setting("device", "text", "auto", "where", choices=("auto", "cpu", "cuda")),
                Setting("mean", "numbers", [0.0], "of channels", 0, 255),
            ),
            {"inner": Table((Setting("depth", "whole", 1, "how deep"),))},
        ),
    },
)


def read(text: str) -> tuple[dict[str, Any], list[Diagnostic]]:
    document = read_toml(Source.from_text(text, "x.toml")).value
    assert document is not None
    whole = Table(TABLE.settings, {**TABLE.tables, "images": Table(())})  # which is read elsewhere
    return read_table(document, TABLE, (), (whole, ()))


def test_what_is_not_said_has_its_default() -> None:
    values, said = read('file = "net.spine"\n[run]\nrate = 1\n')
    assert said == []
    assert values == {
        "file": "net.spine",
        "run": {
            "steps": 10, "rate": 1, "fast": False, "device": "auto", "mean": [0.0], "inner": {"depth": 1},
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code", "place", "words"),
    [
        ("[run]\nfast = 1\n", "E1003", "1", "must be true or false, got 1"),
        ("steps = 1\n", "E1002", "steps", "`steps` stands in [run]"),
        ("[runn]\n", "E1002", "runn", "did you mean `run`?"),
        ("[image]\n", "E1002", "image", "did you mean `images`?"),  # which another table reads
        ("[run]\nstep = 1\n", "E1002", "step", "did you mean `steps`?"),
        ("[run]\ndepth = 1\n", "E1002", "depth", "`depth` stands in [run.inner]"),
        ("[run.inner]\nfile = 1\n", "E1002", "file", "`file` stands in no table"),
        ("run = 3\n", "E1003", "3", "must be a table of settings"),
        ('[run]\nsteps = "5"\n', "E1003", '"5"', "a number stands without quotes: `5`"),
        ("[run]\nsteps = 1.5\n", "E1003", "1.5", "must be a whole number from 1 on, got 1.5"),
        ("[run]\nsteps = true\n", "E1003", "true", "got true"),
        ("[run]\nsteps = 0\n", "E1004", "0", "must be a whole number from 1 on, got 0"),
        ("[run]\nrate = 0\n", "E1004", "0", "a number above 0, got 0"),
        ("[run]\nrate = nan\n", "E1003", "nan", "a number above 0"),
        (f"[run]\nrate = {10**400}\n", "E1003", str(10**400), "a number above 0"),
        ('[run]\nfast = "yes"\n', "E1003", '"yes"', "did you mean `true`?"),
        ('[run]\ndevice = "cud"\n', "E1005", '"cud"', 'did you mean "cuda"?'),
        ("[run]\nmean = [1, 300]\n", "E1004", "300", "`run.mean` must be a list of numbers from 0 to 255"),
        ('[run]\nmean = "1"\n', "E1003", '"1"', "a list of numbers"),
    ],
)
def test_a_mistake_is_said_where_it_stands(text: str, code: str, place: str, words: str) -> None:
    _, said = read(f'file = "net.spine"\n{text}')
    assert [one.code.id for one in said] == [code]
    assert said[0].span.text == place
    assert words in str(said[0])


def test_all_mistakes_are_said_at_once() -> None:
    values, said = read('fiel = "x"\n[run]\nstep = 5\nrate = "fast"\ndevice = "tpu"\n[run.inner]\ndepth = 1.5\n')
    assert sorted(one.code.id for one in said) == ["E1002", "E1002", "E1003", "E1003", "E1005", "E1006"]
    assert values["run"]["rate"] == 0.1
    missing = next(one for one in said if one.code.id == "E1006")
    assert "write `file = …` in the file: the network" in str(missing)


def test_every_kind_says_what_it_takes_and_refuses_something() -> None:
    for words, fits in KINDS.values():
        assert words
        assert not fits(None)
        assert not fits(object())


SWITCHES = Table(
    (),
    {
        "flip": Table((Setting("chance", "number", 0.5, "how often", 0, 1),), switch=True),
        "scale": Table((Setting("factor", "range", [0.8, 1.2], "by what", 0.01, 100),), switch=True, short="factor"),
    },
)


@pytest.mark.parametrize(
    ("values", "read"),
    [
        ({}, {"flip": None, "scale": None}),
        ({"flip": True, "scale": False}, {"flip": {"chance": 0.5}, "scale": None}),
        ({"flip": {}, "scale": [0.5, 2]}, {"flip": {"chance": 0.5}, "scale": {"factor": [0.5, 2]}}),
        ({"flip": {"chance": 1}, "scale": True}, {"flip": {"chance": 1}, "scale": {"factor": [0.8, 1.2]}}),
    ],
)
def test_a_table_may_be_a_switch_or_the_value_of_a_setting(values: dict[str, Any], read: dict[str, Any]) -> None:
    document = Document(Source("", ""), values, {}, {})
    assert read_table(document, SWITCHES) == (read, [])


def test_a_switch_that_is_none_is_reported_at_its_place() -> None:
    text = "flip = 1\nscale = [2, 1]\n"
    document = read_toml(Source.from_text(text, "x.toml")).value
    assert document is not None
    found = read_table(document, SWITCHES)[1]
    assert [(one.code.id, one.span.line) for one in found] == [("E1003", 1), ("E1003", 2)]
    words = "`flip` must be true, false, or a table of settings, got 1: did you mean `flip = { chance = 1 }`?; "
    words += "`scale` must be two numbers in order from 0.01 to 100, got [2, 1]"
    assert in_words(found) == words == in_words(problems({"flip": 1, "scale": [2, 1]}, SWITCHES))


def test_a_key_of_a_table_further_in_is_named_by_its_whole_path() -> None:
    document = read_toml(Source.from_text("[data]\nchance = 1\n", "x.toml")).value
    assert document is not None
    (found,) = read_table(document, SWITCHES, ("data",))[1]
    assert found.fixes[0].text == "`chance` stands in [data.flip]"
