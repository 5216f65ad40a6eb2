"""Loops beside and inside each other that bind the same names: files in `loops/`, by every engine."""

from __future__ import annotations

from pathlib import Path

import pytest

import spinedsl
from spinedsl.agreement import Size, agree
from spinedsl.source import Source
from spinedsl.testing import laws
from tests.laws.nested import ALL, LAWS
from tests.texts import text_of

FOLDER = Path(__file__).with_name("loops")
FILES = sorted(FOLDER.glob("*.spine"))
SIZES = (Size(1, 64, 64), Size(2, 32, 96), Size(3, 128, 32))

files = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def source_of(file: Path) -> Source:
    return Source.from_text(text_of(file), file.name)


@files
def test_a_check_says_nothing(file: Path) -> None:
    outcome = spinedsl.check(file)
    assert outcome.ok
    assert outcome.diagnostics == ()


@files
@pytest.mark.parametrize("law", LAWS)
def test_laws(file: Path, law: str) -> None:
    source = source_of(file)
    LAWS[law](source, spinedsl.program(source).name)


@files
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_engines_agree(file: Path, size: Size) -> None:
    program = spinedsl.program(file)
    report = agree(program, [size], seed=laws.SEED, witnesses=ALL)
    assert report.agrees, list(report.disagreements())
    assert len(report.differences) == len(program.outputs) * len(ALL)
