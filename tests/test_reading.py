"""The second reading of the language gives what the interpreter gives, on files whose numbers have other witnesses."""

from __future__ import annotations

from pathlib import Path

import pytest

import spinedsl
from spinedsl.source import Source
from tests.laws.nested import reads
from tests.texts import ROOT, text_of

DEFINITIONS = sorted((ROOT / "tests/definitions").glob("*.spine"))
EXAMPLES = {
    "tutorial/1_first_network.spine": "First",
    "tutorial/2_scales.spine": "Scales",
    "tutorial/4_rules.spine": "Rules",
    "tutorial/5_own_block.spine": "OwnBlock",
    "convnext.spine": "ConvNeXtTiny",
}


@pytest.mark.parametrize("file", DEFINITIONS, ids=lambda file: file.stem)
def test_definitions(file: Path) -> None:
    source = Source.from_text(text_of(file))
    reads(source, spinedsl.program(source).name)


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples(name: str) -> None:
    reads(Source.from_text(text_of(ROOT / "examples" / name)), EXAMPLES[name])
