"""Compare: every witness against the reference interpreter, one after the other.

In: a program, sizes, weights. Out: a `Report`. The interpreter in float64 is the reference; its shapes are held against
the types. An engine in float32 may be as far from it as float32 itself comes where an output is what is left of much
larger maps: ten times what the same interpreter loses by rounded maps, or by weights that are off in their last bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from importlib import metadata
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinedsl.agreement.inputs import image, lively_weights, trembling, usual_sizes
from spinedsl.agreement.report import Difference, Failure, Missing, Overflow, Report, Size
from spinedsl.agreement.witnesses import WITNESSES, Witness
from spinedsl.diagnostics.plain import counted
from spinedsl.ops.graph import Graph, flatten
from spinedsl.ops.interpret import run
from spinedsl.ops.program import Program
from spinedsl.ops.prune import prune
from spinedsl.ops.types import Type

Array = NDArray[Any]

REFERENCE = "reference interpreter in float64"
HEADROOM = 10  # times what float32 loses at least
BEYOND = 0.01  # a difference, scaled, that no rounding explains
DRAWS = 4  # of weights that are off in their last bit


class _Truth:
    """The reference at one size. How near float32 can come to it is found out where an engine differs."""

    def __init__(self, graph: Graph, weights: Mapping[str, Array], size: Size, pixels: Array) -> None:
        self.graph, self.weights, self.size, self.image = graph, weights, size, pixels
        exact = self._run(np.float64)
        self.outputs = {name: exact[name] for name in graph.outputs}
        self.infinite = _infinite(exact)

    def _run(self, precision: type[np.float32 | np.float64]) -> dict[str, Array]:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return run(self.graph, self.weights, self.image, dtype=precision)

    @cached_property
    def infinite_in_float32(self) -> frozenset[str]:
        """The values of rows that are not finite in float32."""
        return _infinite(self._run(np.float32))

    def overflow(self, program: Program, name: str, ours: Array) -> Overflow | None:
        """Where the network's own numbers stop being finite, if an output is not finite for that."""
        if name in self.infinite:
            return _begins(program, name, self.infinite, "float64")
        if ours.dtype == np.float64 or np.isfinite(ours).all() or name not in self.infinite_in_float32:
            return None
        return _begins(program, name, self.infinite_in_float32, "float32")

    @cached_property
    def lost(self) -> dict[str, float]:
        """How much of each output float32 loses, scaled: in the maps, or in the last bit of weights, drawn a few times.

        Where the network enlarges a small difference, what one draw loses may be ten times what another does.
        """
        off = (trembling(self.weights, seed) for seed in range(DRAWS))
        found = [run(self.graph, self.weights, self.image)]
        found += [run(self.graph, weights, self.image, dtype=np.float64) for weights in off]
        return {name: max(distance(ours[name], exact)[1] for ours in found) for name, exact in self.outputs.items()}

    def allowed(self, name: str, ours: Array, scaled: float, tolerance: float) -> float:
        """The most that an output may differ, scaled. Where float32 comes to no number at all, no more than usual."""
        if scaled <= tolerance or scaled > BEYOND or ours.dtype == np.float64:
            return tolerance
        lost = self.lost[name]
        return max(tolerance, HEADROOM * lost) if math.isfinite(lost) else tolerance


def agree(
    program: Program,
    sizes: Sequence[Size] = (),
    *,
    seed: int = 0,
    weights: Mapping[str, Array] | None = None,
    origin: str = "",
    witnesses: Sequence[Witness] = WITNESSES,
    say: Callable[[str], None] = lambda text: None,
) -> Report:
    """Run a network by every witness that is installed.

    Args:
        program: the network.
        sizes: of the input, each legal; without any, a few small ones.
        seed: of the images, and of the weights where none are given.
        weights: tensors by canonical name; `origin` says where they come from.
        origin: the name of the weights, for the report.
        witnesses: the engines to ask; those that are not installed are `missing` in the report.
        say: is told what begins, in a few words.
    """
    graph = flatten(program)
    sizes = tuple(sizes) or usual_sizes(program)
    if weights is None:
        weights, origin = lively_weights(graph.parameters, seed), f"values of seed {seed}"
    absent = tuple(_absent(witnesses))
    present = [witness for witness in witnesses if witness.name not in {one.witness for one in absent}]
    truths = []
    for at, size in enumerate(sizes if present else (), 1):
        say(f"computing the reference, {size}: {at} of {counted(len(sizes), 'size')}")
        truths.append(_Truth(graph, weights, size, image(program, size, seed)))
    differences: list[Difference] = []
    failures = [failure for truth in truths for failure in _misshapen(graph, truth)]
    for witness in present:
        try:
            differences += _testimony(witness, program, weights, truths, say)
        except Exception as error:  # noqa: BLE001  whatever an engine raises, it did not agree
            failures.append(Failure(witness.name, _first_line(error)))
    versions = {witness.name: _version(witness.packages[-1]) for witness in present}
    return Report(program.name, REFERENCE, origin, seed, sizes, versions, tuple(differences), tuple(failures), absent)


def _testimony(
    witness: Witness,
    program: Program,
    weights: Mapping[str, Array],
    truths: Sequence[_Truth],
    say: Callable[[str], None],
) -> Iterator[Difference]:
    """What one witness says at every size. The engine is gone afterwards: several would not fit beside each other."""
    say(f"opening {witness.name}")
    runner = witness.open(program, weights)
    for at, truth in enumerate(truths, 1):
        say(f"comparing {witness.name}, {truth.size}: {at} of {counted(len(truths), 'size')}")
        outputs = runner(truth.image)
        if list(outputs) != list(program.outputs):
            raise ValueError(f"it gives {', '.join(outputs)} instead of {', '.join(program.outputs)}")
        for name, exact in truth.outputs.items():
            largest, scaled = distance(outputs[name], exact)
            allowed = truth.allowed(name, outputs[name], scaled, witness.tolerance)
            overflow = truth.overflow(program, name, outputs[name])
            yield Difference(truth.size, name, exact.shape, witness.name, largest, scaled, allowed, overflow)


def _infinite(values: Mapping[str, Array]) -> frozenset[str]:
    """The names of values that are not finite."""
    return frozenset(name for name, value in values.items() if not np.isfinite(value).all())


def _begins(program: Program, output: str, infinite: frozenset[str], precision: str) -> Overflow:
    """The first row that an output needs whose numbers are not finite."""
    rows = prune(program, [output]).rows
    return Overflow(next((row.name for row in rows if infinite & row.values.keys()), output), precision)


def _misshapen(graph: Graph, truth: _Truth) -> Iterator[Failure]:
    """Outputs of the reference that have another shape than their types say."""
    for name, shape in shapes_of(graph, truth.size).items():
        if truth.outputs[name].shape != shape:
            got = truth.outputs[name].shape
            yield Failure(REFERENCE, f"{name} has shape {got} at {truth.size}, its type says {shape}")


def shapes_of(graph: Graph, size: Size) -> dict[str, tuple[int, ...]]:
    """The shape of every output for an input of a size, from the types alone."""
    types = {name: graph.types[value] for name, value in graph.outputs.items()}
    return {name: (size.batch if type_.batched else 1, *_shape(type_, size)) for name, type_ in types.items()}


def _shape(type_: Type, size: Size) -> tuple[int, ...]:
    """The shape that a value has for one image of another size than the program's."""
    channels = type_.axes or (type_.channels,)
    if type_.is_vector:
        return channels
    if type_.is_pooled:
        return (*channels, type_.height, type_.width)
    (lines, columns), (tall, wide) = type_.strides, type_.extra
    height = 1 if type_.over == "height" else -(-size.height // lines) + tall
    return (*channels, height, 1 if type_.over == "width" else -(-size.width // columns) + wide)


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
