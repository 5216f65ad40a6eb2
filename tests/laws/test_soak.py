"""The soak: a fault that is planted is found and made small, and figures stand until what they are of is changed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from spinedsl import driver
from tests import soak
from tests.laws.sections import SECTIONS, batch, broken, shortest

OTHER_THAN_A_SOAK = 1_000_000  # the number of a batch that no soak comes to


@pytest.mark.parametrize("name", SECTIONS)
def test_a_batch_keeps_the_laws(name: str) -> None:
    """A whole batch of texts: this is where they are tried on every commit. The other laws have tests of their own."""
    section = SECTIONS[name]
    counts: Counter[str] = Counter()
    assert section.run(OTHER_THAN_A_SOAK, section.examples if name == "texts" else 2, counts) is None
    assert counts["examples"] == section.examples if name == "texts" else counts["examples"] > 0


def test_a_fault_is_found_and_the_text_made_small(monkeypatch: pytest.MonkeyPatch) -> None:
    real = driver.analyse

    def analyse(source: Any, *arguments: Any, **named: Any) -> Any:
        if "residual" in source.text and source.name == "<text>":
            raise RuntimeError("a fault")
        return real(source, *arguments, **named)

    monkeypatch.setattr(driver, "analyse", analyse)
    _, counts, _, said = batch("texts", 0)
    assert said == "answered: RuntimeError: a fault\nresidual"
    assert counts.get("examples", 0) < SECTIONS["texts"].examples


def test_shortest() -> None:
    assert shortest("the quick brown fox", lambda text: "q" in text and "x" in text) == "qx"
    assert broken("spine 1\n") is None


def test_figures_stand_until_what_they_are_of_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = tmp_path / "RELIABILITY.md"
    document.write_text(f"before\n{soak.MARKS[0]}\nold\n{soak.MARKS[1]}\nafter\n")
    monkeypatch.setattr(soak, "RESULTS", tmp_path / "soak.json")
    monkeypatch.setattr(soak, "DOCUMENT", document)
    monkeypatch.setattr(soak, "_git", lambda *arguments: "" if arguments[0] == "status" else "0123456789")
    monkeypatch.setattr(soak, "_stands", lambda name, done: name != "edits")
    state = soak.load(tuple(SECTIONS))
    for name in ("texts", "edits"):
        state[name]["counts"] = {"examples": 1_000_000}
    state["texts"]["failures"] = ["answered: one"]
    soak.save(state)
    written = document.read_text()
    assert "| mutated texts | 1,000,000 | 1,000,000, reached | 1 |" in written
    assert "| networks, three witnesses | 0 | 5,000, not reached | 0 |" in written
    assert written.startswith("before\n")
    assert written.endswith("after\n")
    again = soak.load(("texts", "edits"))
    assert again["texts"] == state["texts"]
    assert again["edits"]["counts"] == {}
