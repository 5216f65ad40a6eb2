"""Compile texts and print a digest of everything that comes out: run by the tests in processes of their own.

In: a JSON list of texts on standard input, and `--onnx` where the packages are there. Out: one digest a text.
"""

from __future__ import annotations

import hashlib
import json
import sys

import spinedsl
from spinedsl import driver
from spinedsl.backends import BACKENDS, Target
from spinedsl.diagnostics.render import render
from spinedsl.ops.text import to_text
from spinedsl.source import Source
from spinedsl.syntax.format import format_source

WITHOUT_ONNX: tuple[Target, ...] = ("torch", "mermaid")


def digest(text: str, onnx: bool) -> str:
    """Of the code, the graph, the formatted text and what is said."""
    source = Source.from_text(text, "net.spine")
    outcome = driver.analyse(source)
    parts = [render(outcome.diagnostics), format_source(source).value or ""]
    for name in outcome.value.checked if outcome.value is not None else ():
        program = spinedsl.program(source, network=name)
        parts.append(to_text(program))
        for backend in BACKENDS if onnx else WITHOUT_ONNX:
            parts += [repr(item) for item in spinedsl.api.emit(program, to=backend).items()]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "backslashreplace")).hexdigest()


if __name__ == "__main__":
    for text in json.load(sys.stdin):
        sys.stdout.write(digest(text, "--onnx" in sys.argv) + "\n")
