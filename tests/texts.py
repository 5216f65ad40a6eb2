"""Texts of files, and texts like them: what the tests of the front end read."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parent.parent
VALID = sorted([*(ROOT / "examples").rglob("*.spine"), *(ROOT / "spinedsl/prelude").glob("*.spine")])
VALID = [path for path in VALID if path.name != "three_mistakes.spine"]
MISTAKEN = sorted((ROOT / "tests/mistakes").glob("*.spine"))
PIECES = (
    *"(){}[],:=+-*/<>.#\"'\\\n\t \0\r;@",
    "->", "..", "==", " x ", "\n\n", "}\n}\n", "{\n", "1e999", "0", "-1", "2.5", "1" * 40, "b0", "self", "__init__",
    "spine 1", "import", "network", "block_type", "def", "input", "defaults", "widths", "rules", "stem", "block",
    "output", "level", "from", "after", "repeat", "absorb", "resample", "join", "let", "var", "return", "if", "else",
    "each", "in", "shared", "and", "or", "not", "true", "false", "allow", "with", "none", "channels", "conv", "norm",
    "\ufeff", "\u202e", "\u200b", "\u00a0", "\u0430", "\U0001f600", "\ud800",
)  # fmt: skip


def text_of(path: Path) -> str:
    """The text of a file, as it stands; bytes that are no UTF-8 are kept as lone surrogates."""
    return path.read_text(encoding="utf-8", errors="surrogateescape")


@st.composite
def mutated(draw: st.DrawFn, paths: tuple[Path, ...] = tuple(VALID + MISTAKEN)) -> str:
    """The text of a file after a few edits: pieces taken out, put in, doubled or moved."""
    text = text_of(draw(st.sampled_from(paths)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(start + draw(st.integers(0, 30)), len(text))
        kind = draw(st.sampled_from(("take", "put", "double", "move")))
        if kind == "take":
            text = text[:start] + text[end:]
        elif kind == "put":
            text = text[:start] + draw(st.sampled_from(PIECES)) + text[start:]
        elif kind == "double":
            text = text[:end] + text[start:end] + text[end:]
        else:
            rest = text[:start] + text[end:]
            at = draw(st.integers(0, len(rest)))
            text = rest[:at] + text[start:end] + rest[at:]
    return text
