"""The parser that Lark makes of `grammar/spine.lark`, from tables saved beside this file.

Building the tables takes longer than everything else a check does, so they are kept in `spine.tables`. The file is a
cache and nothing more: it bears the digest of the grammar and the version of Lark that made it, and where either
differs the tables are built from the grammar. `python -m spinedsl.syntax.tables` writes it anew; a test proves that it
is fresh.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lark
from lark import Lark, Token, Transformer

STARTS = (
    "file",
    "version_head",
    "import_head",
    "definition_head",
    "network_head",
    "instance",
    "edited_head",
    "edit",
    "row",
    "simple",
    "if_head",
    "else_head",
    "repeat_head",
    "each_head",
)
SAVED = Path(__file__).resolve().with_name("spine.tables")


class _KeepBad:
    """Tells Lark to keep the catch-all terminal, which no rule mentions, so that lexing never fails."""

    always_accept = ("BAD",)

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        return stream


def grammar_text() -> str:
    """The text of `spine.lark`: beside the checkout, else as shipped in the wheel."""
    package = Path(__file__).resolve().parent.parent
    for place in (package.parent / "grammar", package / "_grammar"):
        if (found := place / "spine.lark").is_file():
            return found.read_text(encoding="utf-8")
    raise FileNotFoundError("spine.lark is missing from this installation of spinedsl")


def build(transformer: Transformer[Token, Any] | None = None, *, strict: bool = False) -> Lark:
    """The parser, from the grammar itself. `strict` refuses every conflict; it needs the package `interegular`."""
    return Lark(
        grammar_text(),
        parser="lalr",
        lexer="basic",
        start=list(STARTS),
        postlex=_KeepBad(),
        transformer=transformer,
        maybe_placeholders=True,
        strict=strict,
    )


def load(transformer: Transformer[Token, Any]) -> Lark:
    """The parser, from the saved tables where they fit."""
    try:
        with SAVED.open("rb") as file:
            if file.readline() != key():
                return build(transformer)
            # Our own package data, as trusted as the code beside it: no input ever reaches this.
            saved = pickle.load(file)  # noqa: S301
    except OSError:
        return build(transformer)
    # What Lark's own standalone parsers call.
    restore: Callable[..., Lark] = Lark._load_from_dict  # noqa: SLF001
    return restore(saved["data"], saved["memo"], transformer=transformer, postlex=_KeepBad())


def key() -> bytes:
    """What the tables depend on, as the first line of the saved file."""
    digest = hashlib.sha256(grammar_text().encode()).hexdigest()
    return f"spine tables 1, grammar {digest}, lark {lark.__version__}\n".encode()


def save() -> None:
    """Write `spine.tables` anew."""
    tables = io.BytesIO()
    build().save(tables)
    plain = pickle.loads(tables.getvalue())  # noqa: S301  what was just made
    plain["data"]["options"]["postlex"] = None  # given again when the tables are loaded
    SAVED.write_bytes(key() + pickle.dumps(plain, protocol=4))


if __name__ == "__main__":
    save()
