"""The example of a space of one's own is run as it stands, and so are the figures that RELIABILITY.md quotes."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.patience import HANG
from tests.soak import DOCUMENT, MARKS, RESULTS, figures
from tests.texts import ROOT


def test_the_example_passes() -> None:
    file = ROOT / "examples/testing/test_own_space.py"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file)]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=HANG, check=False)
    assert made.returncode == 0, made.stdout
    assert "3 passed" in made.stdout


def test_the_document_quotes_the_last_soak() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    quoted = text[text.index(MARKS[0]) + len(MARKS[0]) : text.index(MARKS[1])]
    assert quoted.strip() == figures(json.loads(RESULTS.read_text(encoding="utf-8"))).strip()
