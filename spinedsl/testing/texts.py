"""Random texts that are nearly files: pieces of files taken out, put in, doubled and moved."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from spinedsl.prelude import FOLDER, modules
from spinedsl.testing.networks import networks
from spinedsl.testing.space import STANDARD, Space

PIECES = (
    *"(){}[],:=+-*/<>.#\"'\\\n\t \0\r;@",
    "->", "..", "==", " x ", "\n\n", "}\n}\n", "{\n", "1e999", "0", "-1", "2.5", "1" * 40, "b0", "self", "__init__",
    "spine 1", "import", "network", "block_type", "def", "input", "defaults", "widths", "rules", "stem", "block",
    "output", "level", "from", "after", "repeat", "absorb", "resample", "join", "let", "var", "return", "if", "else",
    "each", "in", "shared", "and", "or", "not", "true", "false", "allow", "with", "none", "channels", "conv", "norm",
    "\ufeff", "\u202e", "\u200b", "\u00a0", "\u0430", "\U0001f600", "\ud800",
)  # fmt: skip


def _prelude() -> list[str]:
    return [(FOLDER / f"{module}.spine").read_text(encoding="utf-8") for module in modules()]


@st.composite
def texts(draw: st.DrawFn, seeds: Sequence[str] = (), space: Space = STANDARD) -> str:
    """One of the texts `seeds` after a few edits by which it need not stay a file.

    Without seeds it is a network of a space, or a file of the prelude.
    """
    text = draw(st.sampled_from(seeds) if seeds else networks(space) | st.sampled_from(_prelude()))
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
