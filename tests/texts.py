"""Texts of files, and texts like them: what the tests of the front end read."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

from spinedsl.testing import texts

ROOT = Path(__file__).resolve().parent.parent
VALID = sorted([*(ROOT / "examples").rglob("*.spine"), *(ROOT / "spinedsl/prelude").glob("*.spine")])
MISTAKEN = sorted((ROOT / "tests/mistakes").glob("*.spine"))


def text_of(path: Path) -> str:
    """The text of a file, as it stands; bytes that are no UTF-8 are kept as lone surrogates."""
    return path.read_text(encoding="utf-8", errors="surrogateescape")


def mutated(paths: tuple[Path, ...] = tuple(VALID + MISTAKEN)) -> st.SearchStrategy[str]:
    """The text of a file after a few edits: pieces taken out, put in, doubled or moved."""
    return texts([text_of(path) for path in paths])
