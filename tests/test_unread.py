"""What definitions compute and nothing reads: none in the prelude and the examples, and which are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from spinedsl import driver
from spinedsl.ops.depends import Depends
from tests.backends.torch.forms import FORMS
from tests.backends.torch.texts import source
from tests.texts import ROOT

EXAMPLES = sorted((ROOT / "examples").rglob("*.spine"))
FOUND = {
    "a value that nothing reads": ["unread", "again"],
    "a value that one use reads": ["project"],
    "a list that nothing reads": ["parts", "z", "conv"],
    "an argument that nothing reads": ["unread", "conv"],
    "an argument of which only the channels are read": ["conv"],
}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_prelude_and_the_examples_compute_nothing_in_vain(path: Path) -> None:
    analysis = driver.read(path).then(driver.analyse).value
    assert analysis is not None
    for network in analysis.checked.values():
        depends = network.typed.asked(Depends(trusted=""))
        assert depends.unread == []
        assert depends.known


@pytest.mark.parametrize("form", FOUND)
def test_what_is_found(form: str) -> None:
    said = [found for found in driver.analyse(source(*FORMS[form])).diagnostics if found.code.id != "W0706"]
    assert {found.code.id for found in said} <= {"W0704"}
    assert [found.message.split("`")[1] for found in said] == FOUND[form]
