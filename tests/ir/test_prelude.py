"""The prelude is right: what every run takes for granted is checked here, as a file of anyone would be."""

import re
from pathlib import Path

import pytest

from spinedsl import driver, reading
from spinedsl.prelude import modules, path_of, text_of
from spinedsl.source import Source


@pytest.mark.parametrize("module", modules())
def test_a_module_of_the_prelude_has_no_mistake(module: str) -> None:
    outcome = driver.analyse(Source.from_text(text_of(module), f"{module}.spine", path_of(module)))
    assert not outcome.diagnostics
    assert outcome.value is not None
    assert all(defined.sound for defined in outcome.value.unit.own())
    assert {defined.name for defined in outcome.value.unit.own()} == {
        defined.name
        for defined in reading.prelude(module).value.own()  # type: ignore[union-attr]
    }


def test_a_mistake_in_it_would_be_seen() -> None:
    text = text_of("blocks")
    source = Source.from_text(text.replace("kernel = 3", "kernal = 3", 1), "blocks.spine")
    assert [d.code.id for d in driver.analyse(source).diagnostics][:1] == ["E0208"]


def documented() -> dict[str, list[tuple[str, str]]]:
    """For each module the definitions that the language's page lists, with the parameters written there."""
    page = (Path(__file__).parents[2] / "docs" / "language.md").read_text(encoding="utf-8")
    rows = re.findall(r"(?m)^\| `std\.(\w+)` \| (.*) \|$", page)
    named = re.compile(r"`(\w+)(?:\((.*?)\))?`")
    return {module: [found for found in named.findall(text) if found[0] != "def"] for module, text in rows}


@pytest.mark.parametrize("module", modules())
def test_the_page_lists_what_there_is(module: str) -> None:
    unit = reading.prelude(module).value
    assert unit is not None
    own = {defined.name: defined.definition for defined in unit.own()}
    listed = documented()[module]
    assert sorted(name for name, _ in listed) == sorted(own)
    for name, written in listed:
        has = {p.name.text: p.default.span.text if p.default is not None else None for p in own[name].parameters}
        for parameter in filter(None, written.split(", ")):
            word, _, default = parameter.partition(" = ")
            assert has[word] == (default or None), name
