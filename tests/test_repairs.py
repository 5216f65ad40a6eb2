"""Every repair that a message proposes, applied, removes the mistake, and no other error stands where it was made.

Over machine-made mistakes, whose authors nobody can ask what they meant; `tests/test_mistakes.py` holds the written
ones to it, `tests/laws` those that are planted, `tests/syntax/test_strays.py` stray words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

import pytest

from spinedsl import checks as say
from spinedsl import driver
from spinedsl.diagnostics import Diagnostic, Edit, Fix, repairs
from spinedsl.source import Source
from spinedsl.testing.laws import repaired
from tests.mutants import FILES, SLIPS, mutant
from tests.texts import ROOT

EACH = 40  # texts for each kind of slip


@pytest.mark.parametrize("kind", SLIPS)
def test_after_a_slip(kind: str) -> None:
    random = Random(kind)
    proposed = 0
    for _ in range(EACH):
        path = random.choice(FILES)
        source = driver.read(path, str(path.relative_to(ROOT))).value
        assert source is not None
        changed = mutant(source, SLIPS[kind], random)
        repaired(changed)
        proposed += sum(bool(fix.edits) for found in driver.analyse(changed).diagnostics for fix in found.fixes)
    assert proposed


# ---- what is tried ----

TEXT = Source.from_text("one two three\nfour\n")


def unknown(word: str, new: str, instead: Fix | None = None, source: Source = TEXT) -> Diagnostic:
    start = source.text.index(word)
    span = source.span(start, start + len(word))
    found = say.UNKNOWN_NAME.at(span, kind="word", name=word, where="here")
    return found.with_fix(f"did you mean `{new}`?", Edit(span, new), instead=instead)


def again(*refused: str) -> Callable[[Source], Sequence[Diagnostic]]:
    """Checks a text that may have none of these words."""
    return lambda text: [unknown(word, "", source=text) for word in refused if word in text.text]


def left(*found: Diagnostic, again: repairs.Again) -> list[list[str]]:
    return [[fix.text for fix in one.fixes] for one in repairs.proven(TEXT, found, again)]


def test_a_repair_that_holds_stays() -> None:
    assert left(unknown("two", "2"), again=again("two")) == [["did you mean `2`?"]]


def test_a_repair_that_is_refused_goes() -> None:
    assert left(unknown("two", "2"), again=again("2")) == [[]]
    assert left(unknown("two", "two"), again=again("two")) == [[]]


def test_the_next_one_is_tried_instead() -> None:
    second = Fix("read another")
    (found,) = repairs.proven(TEXT, [unknown("two", "2", second)], again("2"))
    assert found.fixes == (second,)
    (found,) = repairs.proven(TEXT, [unknown("two", "2", second)], again())
    assert [(fix.text, fix.instead) for fix in found.fixes] == [("did you mean `2`?", None)]


def test_what_was_said_before_and_what_is_said_elsewhere_does_not_count() -> None:
    assert left(unknown("two", "2"), unknown("three", "3"), again=again("three")) == [
        ["did you mean `2`?"],
        ["did you mean `3`?"],
    ]
    assert left(unknown("two", "2"), again=again("four")) == [["did you mean `2`?"]]


def test_a_second_mistake_of_the_line_does_not_speak_against_a_name() -> None:
    assert left(unknown("two", "second"), again=again("three")) == [["did you mean `second`?"]]

    def form(word: str) -> Diagnostic:
        found = unknown(word, "")
        return say.UNEXPECTED.at(found.span, found=word, expected="nothing").with_fix("away", Edit(found.span, ""))

    assert left(form("two"), again=again("three")) == [[]]


def test_only_so_much_is_tried() -> None:
    tried: list[str] = []

    def never(text: Source) -> Sequence[Diagnostic]:
        tried.append(text.text)
        return [unknown("2", "", source=text)]

    many = [unknown("two", "2")] * (repairs.MOST_TRIED + 3)
    assert [len(fixes) for fixes in left(*many, again=never)] == [0] * repairs.MOST_TRIED + [1] * 3
    assert len(tried) == repairs.MOST_TRIED
    assert left(*many[:2], again=lambda text: None) == [["did you mean `2`?"]] * 2


@pytest.mark.parametrize(
    ("row", "message", "fixes"),
    [
        # `b0` is read already.
        ("block b2: plain_block level 2 from b0, b00", "there is no block named `b00`", "read one of those"),
        ("let x_größe = 1", "has no meaning here", "write `x_grosse`"),
        ("let größer = 1", "has no meaning here", "write `grosser`"),
        ("let имя = 1", "has no meaning here", "write a name of those"),
    ],
)
def test_what_really_works_is_said(row: str, message: str, fixes: str) -> None:
    text = (
        "import std.stems\nimport std.blocks\nnetwork A {\n    input i: 3 x 64 x 64\n"
        "    defaults { act relu, norm batch_norm }\n    stem s: resnet_stem channels 8\n"
        "    block b0: residual level 2 after s channels 8\n"
        f"    block b1: residual level 2 after s channels 8\n    {row}\n    output P: b1\n}}\n"
    )
    found = next(one for one in driver.analyse(Source.from_text(text)).diagnostics if message in one.message)
    assert [fix.text[: len(fixes)] for fix in found.fixes] == [fixes]


@pytest.mark.parametrize(
    ("before", "after", "code", "fix"),
    [
        ("act relu", "act linear", "E0203", "did you mean `identity`?"),
        ("act relu", "act conv", "E0203", "choose `relu`, "),
        ("norm batch_norm", "norm relu", "E0203", "choose `batch_norm`"),
        ("mbconv", "mbconv(inner = none)", "E0201", "leave out what is not wanted"),
        ("mbconv", "mbconv(kernel = own)", "E0502", "give a number, as in `kernel = 3`"),
        ("return relu(x)", "return own", "E0203", "call it where its map is meant, as in `own(y)`"),
        ("return relu(x)", "return average_pool(x, output_size = 2)", "E0208", "the size comes of kernel and stride"),
        ("return relu(x)", "return average_pool(x, kernel = 2, wobble = 2)", "E0208", "take it away"),
        ("return relu(x)", "return average_pool(x, wobble = 2)", "E0208", "give it what it takes instead"),
    ],
)
def test_of_what_the_language_has_not_the_next_best_is_said(before: str, after: str, code: str, fix: str) -> None:
    text = (
        "import std.stems\nimport std.mobile\ndef own(x) { return relu(x) }\nnetwork A {\n    input i: 3 x 64 x 64\n"
        "    defaults { act relu, norm batch_norm }\n    stem s: resnet_stem channels 8\n"
        "    block b: mbconv level 2 after s channels 8\n    output P: b\n}\n"
    )
    assert driver.analyse(Source.from_text(text)).ok
    (found,) = driver.analyse(Source.from_text(text.replace(before, after, 1))).diagnostics
    assert found.code.id == code
    assert [one.text[: len(fix)] for one in found.fixes] == [fix]


def test_a_keyword_in_capitals_is_that_keyword() -> None:
    source = Source.from_text("def f(x) {\n    Var y = x\n    y = relu(y)\n    return y\n}\n")
    (found,) = driver.analyse(source).diagnostics
    assert [fix.text for fix in found.fixes] == ["did you mean `var`?"]


def test_of_two_rows_the_one_is_moved_that_can_be() -> None:
    text = (
        "import std.stems\nimport std.blocks\nimport std.outputs\nnetwork A {\n    input i: 3 x 64 x 64\n"
        "    defaults { act relu, norm batch_norm }\n    stem s: resnet_stem channels 8\n"
        "    block b1: residual level 2 after b0 channels 8\n    block b2: residual level 2 after b1 channels 8\n"
        "    block b0: residual level 2 after s channels 8\n    output P: b2\n}\n"
    )
    source = Source.from_text(text)
    (found,) = driver.analyse(source).diagnostics
    assert found.code.id == "E0303"
    (fix,) = found.fixes
    assert fix.text.startswith("move the row of `b0` above that of `b1`")
    assert driver.analyse(repairs.apply(source, fix.edits)).diagnostics == ()


def test_all_that_is_not_reached_is_taken_away() -> None:
    source = Source.from_text("def f(x) {\n    return x\n    let y = relu(x)\n    return y\n}\n")
    (found,) = driver.analyse(source).diagnostics
    (fix,) = found.fixes
    assert driver.analyse(repairs.apply(source, fix.edits)).diagnostics == ()
