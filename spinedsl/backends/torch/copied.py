"""Code that generated files copy. In: a file beside this one; out: its definitions, as they stand there."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

FOLDING = "folding.py"  # definitions that files for inference copy


@cache
def definitions_in(file: str) -> Mapping[str, list[str]]:
    """The lines of each function and class of a file, with its decorators."""
    text = files("spinedsl.backends.torch").joinpath(file).read_text(encoding="utf-8")
    rows = text.split("\n")
    return {
        node.name: rows[min(part.lineno for part in (node, *node.decorator_list)) - 1 : node.end_lineno]
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
