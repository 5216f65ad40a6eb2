"""What a planted bug is."""

from __future__ import annotations

from typing import NamedTuple

AGREE = "tests/laws/test_laws.py::test_three_witnesses_agree"
PAPER = "tests/published/test_paper.py"


class Plant(NamedTuple):
    """A bug: what it breaks, in which file, which text becomes which, and the tests that should notice."""

    what: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
