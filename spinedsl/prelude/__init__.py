"""The standard prelude: `.spine` files with the block types, stems, resampling and outputs that `std.…` names."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
_DEFINITION = re.compile(r"^(?:[a-z]+_type|def) +([A-Za-z_][A-Za-z0-9_]*)", re.MULTILINE)


@cache
def modules() -> tuple[str, ...]:
    """Names that `import std.…` knows."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.spine")))


@cache
def _homes() -> dict[str, str]:
    texts = {module: (FOLDER / f"{module}.spine").read_text(encoding="utf-8") for module in modules()}
    return {name: module for module, text in texts.items() for name in _DEFINITION.findall(text)}


def home_of(definition: str) -> str | None:
    """The module of the prelude that defines a name, for the message that tells what to import."""
    return _homes().get(definition)
