"""Compare: every witness against the reference interpreter, one after the other.

In: a program, sizes, weights. Out: a `Report`. The interpreter in float64 is the reference. An engine in float32 may be
as far from it as float32 itself comes where an output is what is left of much larger maps: ten times what the same
interpreter loses in float32.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinedsl.agreement.inputs import image, lively_weights, usual_sizes
from spinedsl.agreement.report import Difference, Failure, Missing, Report, Size
from spinedsl.agreement.witnesses import WITNESSES, Witness
from spinedsl.ops.graph import flatten
from spinedsl.ops.interpret import run
from spinedsl.ops.program import Program
from spinedsl.record import Record

Array = NDArray[Any]

REFERENCE = "reference interpreter in float64"
HEADROOM = 10  # times what float32 loses at least


class _Truth(Record):
    """The reference at one size: its outputs, and how much of them float32 loses, scaled."""

    size: Size
    image: Array
    outputs: dict[str, Array]
    lost: dict[str, float]


def agree(
    program: Program,
    sizes: Sequence[Size] = (),
    *,
    seed: int = 0,
    weights: Mapping[str, Array] | None = None,
    origin: str = "",
    witnesses: Sequence[Witness] = WITNESSES,
) -> Report:
    """Run a network by every witness that is installed.

    Args:
        program: the network.
        sizes: of the input, each legal; without any, a few small ones.
        seed: of the images, and of the weights where none are given.
        weights: tensors by canonical name; `origin` says where they come from.
        origin: the name of the weights, for the report.
        witnesses: the engines to ask; those that are not installed are `missing` in the report.
    """
    graph = flatten(program)
    sizes = tuple(sizes) or usual_sizes(program)
    if weights is None:
        weights, origin = lively_weights(graph.parameters, seed), f"values of seed {seed}"
    absent = tuple(_absent(witnesses))
    present = [witness for witness in witnesses if witness.name not in {one.witness for one in absent}]
    truths = []
    for size in sizes if present else ():
        given = image(program, size, seed)
        exact, rounded = run(graph, weights, given, dtype=np.float64), run(graph, weights, given)
        lost = {name: distance(rounded[name], exact[name])[1] for name in program.outputs}
        truths.append(_Truth(size, given, {name: exact[name] for name in program.outputs}, lost))
    differences: list[Difference] = []
    failures: list[Failure] = []
    for witness in present:
        try:
            differences += _testimony(witness, program, weights, truths)
        except Exception as error:  # noqa: BLE001  whatever an engine raises, it did not agree
            failures.append(Failure(witness.name, _first_line(error)))
    versions = {witness.name: _version(witness.packages[-1]) for witness in present}
    return Report(program.name, REFERENCE, origin, seed, sizes, versions, tuple(differences), tuple(failures), absent)


def _testimony(
    witness: Witness, program: Program, weights: Mapping[str, Array], truths: Sequence[_Truth]
) -> Iterator[Difference]:
    """What one witness says at every size. The engine is gone afterwards: several would not fit beside each other."""
    runner = witness.open(program, weights)
    for truth in truths:
        outputs = runner(truth.image)
        if list(outputs) != list(program.outputs):
            raise ValueError(f"it gives {', '.join(outputs)} instead of {', '.join(program.outputs)}")
        for name, exact in truth.outputs.items():
            largest, scaled = distance(outputs[name], exact)
            double = outputs[name].dtype == np.float64
            allowed = witness.tolerance if double else max(witness.tolerance, HEADROOM * truth.lost[name])
            yield Difference(truth.size, name, exact.shape, witness.name, largest, scaled, allowed)


def distance(ours: Array, exact: Array) -> tuple[float, float]:
    """The largest difference, and that over the largest number; both infinite for other shapes or no finite number."""
    if ours.shape != exact.shape or not (np.isfinite(ours).all() and np.isfinite(exact).all()):
        return math.inf, math.inf
    largest, most = float(np.abs(ours - exact).max()), float(np.abs(exact).max())
    if largest == 0:
        return 0.0, 0.0
    return largest, largest / most if most else math.inf


def _absent(witnesses: Sequence[Witness]) -> Iterator[Missing]:
    for witness in witnesses:
        lacking = [package for package in witness.packages if find_spec(package) is None]
        if lacking:
            yield Missing(witness.name, f"{' and '.join(lacking)} not installed", f"pip install '{witness.extra}'")


def _version(package: str) -> str:
    """The installed version, without the part that only tells how it was built."""
    try:
        return metadata.version(package).partition("+")[0]
    except metadata.PackageNotFoundError:
        return "(unknown version)"


def _first_line(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
