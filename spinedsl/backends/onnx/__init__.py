"""The ONNX backend: a program and its weights become a model, directly, without tracing and without PyTorch.

In: a `Program` and `Options`. Out: the bytes of a model by file name (`emit`), or its structure as text (`to_text`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from spinedsl.backends import Options
from spinedsl.backends.onnx.emit import emit_model
from spinedsl.backends.onnx.text import to_text
from spinedsl.diagnostics import Diagnostic, Outcome
from spinedsl.diagnostics import catalogue as say
from spinedsl.ops.graph import flatten
from spinedsl.ops.initial import seeded
from spinedsl.ops.program import Program
from spinedsl.ops.types import Loc
from spinedsl.source import Source, Span
from spinedsl.weights import match, read

__all__ = ["emit", "emit_model", "to_text"]


def emit(program: Program, options: Options) -> Outcome[dict[str, bytes]]:
    """The model as `NAME.onnx`, with the weights of a file or values made from the seed.

    What is wrong comes back as diagnostics: weights that cannot be read or do not fit, and an axis that is to vary
    though a definition reads it.
    """
    fixed = tuple(_fixed_axes(program, options.dynamic))
    weights = _weights(program, options)
    if fixed or weights.value is None:
        return Outcome(None, (*fixed, *weights.diagnostics))
    origin = options.weights.name if options.weights is not None else f"seed {options.seed}"
    model = emit_model(program, weights.value, dynamic=options.dynamic, metadata={"spine.weights": origin})
    return Outcome({f"{program.name}.onnx": model}, weights.diagnostics)


def _weights(program: Program, options: Options) -> Outcome[dict[str, NDArray[Any]]]:
    parameters = flatten(program).parameters
    if options.weights is None:
        return Outcome(dict(seeded(parameters, options.seed)))
    path = str(options.weights)
    return read(options.weights).then(lambda tensors: match(parameters, tensors, path, program.name))


def _fixed_axes(program: Program, dynamic: frozenset[str]) -> Iterator[Diagnostic]:
    for axis in sorted(dynamic & set(program.static_axes)):
        yield say.FIXED_AXIS.at(_line(program, program.static_axes[axis]), axis=axis, network=program.name)


def _line(program: Program, loc: Loc) -> Span:
    """The line of a file that the program was made from."""
    text = next((source.text for source in program.sources if source.name == loc.file), "")
    source = Source(loc.file, text)
    line = min(loc.line, len(source.line_starts))
    start, content = source.line_starts[line - 1], source.line_text(line)
    return source.span(start + len(content) - len(content.lstrip()), start + len(content.rstrip()))
