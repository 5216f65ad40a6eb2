"""The ONNX backend: a program and its weights become a model, directly, without tracing and without PyTorch.

In: a `Program` and `Options`. Out: the bytes of a model by file name (`emit`), or its structure as text (`to_text`).
"""

from __future__ import annotations

from collections.abc import Iterator

from spinedsl.backends import Options, line_of
from spinedsl.backends.onnx.emit import emit_model
from spinedsl.backends.onnx.text import to_text
from spinedsl.diagnostics import Diagnostic, Outcome
from spinedsl.diagnostics import catalogue as say
from spinedsl.ops.graph import flatten
from spinedsl.ops.initial import seeded
from spinedsl.ops.program import Program

__all__ = ["emit", "emit_model", "to_text"]

MOST_BYTES = 2**31 - 2**24  # of tensors, with room for the graph


def emit(program: Program, options: Options) -> Outcome[dict[str, bytes]]:
    """The model as `NAME.onnx`, with the tensors of the options or values made from the seed.

    What is wrong comes back as diagnostics: an axis that is to vary though a definition reads it, and a model that is
    larger than its format can be.
    """
    said = (*_fixed_axes(program, options.dynamic), *_too_large(program))
    if said:
        return Outcome(None, said)
    weights = options.weights
    origin = options.origin
    if weights is None:
        weights, origin = seeded(flatten(program).parameters, options.seed), f"seed {options.seed}"
    metadata = {"spine.weights": origin, **({"spine.verified": options.verified} if options.verified else {})}
    model = emit_model(program, weights, dynamic=options.dynamic, metadata=metadata)
    return Outcome({f"{program.name}.onnx": model})


def _too_large(program: Program) -> Iterator[Diagnostic]:
    """Protobuf, the format of ONNX models, ends at 2 GiB."""
    size = 4 * sum(parameter.elements for parameter in flatten(program).parameters.values())
    if size > MOST_BYTES:
        place = line_of(program, program.loc)
        yield say.MODEL_TOO_LARGE.at(place, network=program.name, size=f"{size / 2**30:.1f}")


def _fixed_axes(program: Program, dynamic: frozenset[str]) -> Iterator[Diagnostic]:
    for axis in sorted(dynamic & set(program.static_axes)):
        yield say.FIXED_AXIS.at(line_of(program, program.static_axes[axis]), axis=axis, network=program.name)
