"""The ONNX backend: a program and its weights become a model, directly, without tracing and without PyTorch.

In: a `Program` and `Options`. Out: the bytes of a model by file name (`emit`), or its structure as text (`to_text`).
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto

from spinedsl import checks as say
from spinedsl.backends import Options, line_of
from spinedsl.backends.finding import finding
from spinedsl.backends.onnx.boxes import described, find_boxes
from spinedsl.backends.onnx.emit import Around, emit_files, emit_model
from spinedsl.backends.onnx.target import HALF_MOST, Target
from spinedsl.backends.onnx.text import to_text
from spinedsl.diagnostics import Diagnostic, Outcome
from spinedsl.ops.detection import Detector, Limits
from spinedsl.ops.graph import Node, flatten
from spinedsl.ops.initial import Drawn
from spinedsl.ops.program import Program
from spinedsl.ops.prune import prune
from spinedsl.ops.text import plain_tasks

__all__ = ["Around", "emit", "emit_files", "emit_model", "to_text"]

OF_A_TASK = ("name", "kind", "arguments", "outputs")  # what a model says of each
MOST_BYTES = 2**31 - 2**24  # of the tensors in one file, with room for the graph


def emit(
    program: Program, options: Options, *, around: Around | None = None, more: Mapping[str, str] | None = None
) -> Outcome[dict[str, bytes]]:
    """The model as `NAME.onnx`, with the tensors of the options or values made from the seed.

    `around` puts nodes around those of the network, and `more` goes into the model's properties.

    Where they are too large for one file, or that is asked for, the tensors stand in a second one, `NAME.DIGEST.data`.
    What is wrong comes back as diagnostics: an axis that is to vary though a definition reads it, a number that
    float16 does not hold, and tensors that no file or no memory holds.
    """
    target = Target(options.opset, options.half, options.batch)
    if options.detect:
        found = finding(program, options)
        if found.value is None:
            return Outcome(None, found.diagnostics)
        program, around, more = _with_boxes(program, *found.value, around, more or {})
    size = _bytes(program, target)
    beside = options.external_data == "always" or (options.external_data == "auto" and size > MOST_BYTES)
    once = options.weights is None  # what is drawn is made as it is written
    reported = [*_fixed_axes(program, options.dynamic), *_too_large(program, size, beside=beside, once=once)]
    if target.half:
        reported += _numbers_beyond_half(program)
    weights, origin = options.weights, options.origin
    if weights is None and not reported:
        weights, origin = Drawn(flatten(program).parameters, options.seed), f"seed {options.seed}"
    if weights is not None and target.half:
        reported += _tensors_beyond_half(program, weights)
    if reported or weights is None:
        return Outcome(None, tuple(reported))
    metadata = {
        "spine.weights": origin,
        **({"spine.verified": options.verified} if options.verified else {}),
        **options.properties,
        **(more or {}),
    }
    if program.tasks:
        tasks = [{key: task[key] for key in OF_A_TASK} for task in plain_tasks(program)]
        metadata["spine.tasks"] = json.dumps(tasks, ensure_ascii=False)
    given: dict[str, Any] = {
        "dynamic": options.dynamic, "target": target, "metadata": metadata, "around": around,
        "level": options.optimise, "runtime": options.runtime,
    }  # fmt: skip
    if beside:
        return Outcome(emit_files(program, weights, **given))
    model = emit_model(program, weights, **given)
    return Outcome({f"{program.name}.onnx": model})


def _with_boxes(
    program: Program, what: Detector, limits: Limits, around: Around | None, more: Mapping[str, str]
) -> tuple[Program, Around, Mapping[str, str]]:
    """The part of a program that finds boxes, what is put around its nodes, and the properties of the model."""

    def both(graph: GraphProto, target: Target) -> None:
        find_boxes(graph, target, what, limits)
        if around is not None:
            around(graph, target)

    needed = prune(program, (*what.scores, *what.boxes, *what.quality))
    return needed, both, {**described(what, limits), **more}


def _bytes(program: Program, target: Target) -> int:
    """What the tensors take."""
    return (2 if target.half else 4) * sum(p.elements for p in flatten(program).parameters.values())


def _too_large(program: Program, size: int, *, beside: bool, once: bool) -> Iterator[Diagnostic]:
    """What no file, or no memory, holds. Protobuf, the format of ONNX models, ends at 2 GiB."""
    memory = _memory()
    if size * (1 if once else 2) > memory:
        needed = "as much" if once else "twice that"
        reason = f"writing them takes {needed}, and this machine has {memory / 2**30:.1f} GiB of memory"
        repair = "make it smaller: `spine stats` shows which rows have the parameters"
    elif size > MOST_BYTES and not beside:
        reason = "one ONNX file holds at most 2"
        repair = "write a file, whose tensors then stand in a second one beside it: `-o model.onnx`"
    else:
        return
    place = line_of(program, program.loc)
    found = say.MODEL_TOO_LARGE.at(place, network=program.name, size=f"{size / 2**30:.1f}", reason=reason)
    yield found.with_fix(repair)


def _memory() -> int:
    """Bytes of this machine's memory; where it does not say, as many as there may be."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return sys.maxsize


def _fixed_axes(program: Program, dynamic: frozenset[str]) -> Iterator[Diagnostic]:
    for axis in sorted(dynamic & set(program.static_axes)):
        yield say.FIXED_AXIS.at(line_of(program, program.static_axes[axis]), axis=axis, network=program.name)


# ---- float16 ----


def _numbers_beyond_half(program: Program) -> Iterator[Diagnostic]:
    """Numbers of the file that would become infinite, each line once."""
    places: set[object] = set()
    for node in flatten(program).nodes:
        large = next((number for number in _numbers(node) if abs(number) > HALF_MOST), None)
        if large is not None and node.loc not in places:
            places.add(node.loc)
            what = f"the number {large:.4g} of `{node.row}`"
            yield say.BEYOND_HALF.at(line_of(program, node.loc), what=what).with_fix(_KEEP_SINGLE)


def _numbers(node: Node) -> Iterator[float]:
    for name in ("value", "values"):
        held: Any = node.attributes.get(name, ())
        yield from map(float, held if isinstance(held, tuple) else (held,))


def _tensors_beyond_half(program: Program, weights: Mapping[str, NDArray[Any]]) -> Iterator[Diagnostic]:
    """Finite numbers of tensors that would become infinite, reported together."""
    beyond = {name: int((np.isfinite(array) & (abs(array) > HALF_MOST)).sum()) for name, array in weights.items()}
    notes = [f"`{name}`: {count} of {weights[name].size} numbers" for name, count in beyond.items() if count]
    if notes:
        more = [f"and {len(notes) - LISTED} more tensors"] if len(notes) > LISTED else []
        found = say.BEYOND_HALF.at(line_of(program, program.loc), what="a tensor")
        yield found.with_notes(*notes[:LISTED], *more).with_fix(_KEEP_SINGLE)


LISTED = 8  # tensors in one message
_KEEP_SINGLE = "leave out `--half`: float32 holds it"
