"""The standard prelude: `.spine` files with the block types, stems, resampling and outputs that `std.…` names."""

from __future__ import annotations

import os
import re
from functools import cache

FOLDER = os.path.dirname(os.path.realpath(__file__))
_DEFINITION = r"(?m)^(?:[a-z]+_type|def|fn) +([A-Za-z_][A-Za-z0-9_]*)"


@cache
def modules() -> tuple[str, ...]:
    """Names that `import std.…` knows."""
    return tuple(sorted(name.removesuffix(".spine") for name in os.listdir(FOLDER) if name.endswith(".spine")))


def path_of(module: str) -> str:
    """Where a module is."""
    return os.path.join(FOLDER, f"{module}.spine")


def text_of(module: str) -> str:
    """What a module says."""
    with open(path_of(module), encoding="utf-8") as file:
        return file.read()


@cache
def _homes() -> dict[str, str]:
    return {name: module for module in modules() for name in re.findall(_DEFINITION, text_of(module))}


def home_of(definition: str) -> str | None:
    """The module of the prelude that defines a name, for the message that tells what to import."""
    return _homes().get(definition)
