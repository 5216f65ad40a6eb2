"""Convert: weights of other codes to the canonical names and layouts of a network.

In: a graph and the weights of a file. Out: float32 arrays by canonical name, what was left out, and warnings where the
network computes something else than the code that the weights come from; or why they cannot be converted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Outcome, one_of
from spinedsl.ops.graph import Graph
from spinedsl.record import Record, replace
from spinedsl.weights.caveats import caveats
from spinedsl.weights.match import Fit, compare
from spinedsl.weights.places import Place, places
from spinedsl.weights.schemes import SCHEMES, Pairing, Scheme, scheme_of
from spinedsl.weights.tensors import Weights, nowhere


class Converted(Record, eq=False):
    """Tensors by canonical name, how they fit the network, whose they were, and names of the file that went nowhere."""

    tensors: dict[str, NDArray[np.float32]]
    fit: Fit
    scheme: str  # empty: they had canonical names already
    left_out: tuple[str, ...]


def convert(graph: Graph, weights: Weights, *, partial: bool = False, whole: Graph | None = None) -> Outcome[Converted]:
    """The weights under canonical names. `partial`: some of the network's tensors may be missing.

    Of a graph that has lost rows, `whole` is the one with all of them, by which names of other codes are told.
    """
    weights = _without_prefix(weights)
    names = weights.tensors.keys()
    scheme = scheme_of(names)
    if scheme is None:
        fit = compare(graph.parameters, weights.tensors, weights.prefix, graph.program.dropped)
        if not (fit.parameters.keys() & fit.tensors.keys() or fit.ways):
            return Outcome(None, (_foreign(graph, weights, "none of its names is known"),))
        return _fitted(graph, weights, fit, Pairing(), "", partial=partial)
    if weights.prefix:
        reason = f"no name of {scheme.name} in it begins with `{weights.prefix}`"
        return Outcome(None, (_foreign(graph, weights, reason),))
    found = places(whole or graph)
    pairing = scheme.pair(found, names)
    if pairing.problems:
        diagnostic = _foreign(graph, weights, f"its names are those of {scheme.name}, but it is another network")
        return Outcome(None, (diagnostic.with_notes(*pairing.problems),))
    renamed = _renamed(found, weights, pairing, scheme)
    fit = compare(graph.parameters, renamed.tensors, "", graph.program.dropped)
    outcome = _fitted(graph, weights, fit, pairing, scheme.name, partial=partial)
    differences = caveats(graph, scheme)
    if outcome.value is None or not differences:
        return outcome
    warning = say.OTHER_FUNCTION.at(
        nowhere(weights.path), path=weights.path, code=scheme.name, network=graph.program.name
    )
    return Outcome(outcome.value, (*outcome.diagnostics, warning.with_notes(*differences)))


def _without_prefix(weights: Weights) -> Weights:
    """Without the prefix that is asked for, or that `DataParallel` puts there, where names of another code follow."""
    for prefix in (weights.prefix,) if weights.prefix else ("module.",) if weights.prefix is None else ():
        inner = {name[len(prefix) :]: array for name, array in weights.tensors.items() if name.startswith(prefix)}
        if inner and scheme_of(inner) is not None:
            return replace(weights, tensors=inner, prefix=None)
    return weights


def _fitted(
    graph: Graph, weights: Weights, fit: Fit, pairing: Pairing, scheme: str, *, partial: bool
) -> Outcome[Converted]:
    if not (fit.partial if partial else fit.whole):
        return Outcome(None, (fit.diagnostic(weights.path, graph.program.name),))
    return Outcome(Converted(fit.fitting(), fit, scheme, (*pairing.left_out, *fit.beside)))


def _renamed(found: list[Place], weights: Weights, pairing: Pairing, scheme: Scheme) -> Weights:
    """The tensors under our names and in our layout; those that the pairing does not know keep their own."""
    depthwise = {
        full
        for place in found
        if place.kind == "depthwise"
        for last, full in place.node.parameters.items()
        if last == "weight"
    }
    theirs = {name: weights.tensors[other] for name, other in pairing.pairs.items()}
    if scheme.tensorflow:
        theirs = {name: _from_tensorflow(array, depthwise=name in depthwise) for name, array in theirs.items()}
    gone = {*pairing.pairs.values(), *pairing.left_out}
    return Weights(weights.path, theirs | {name: a for name, a in weights.tensors.items() if name not in gone})


def _from_tensorflow(array: NDArray[Any], *, depthwise: bool) -> NDArray[Any]:
    """Kernels from (height, width, in, out) to (out, in, height, width), and from (in, out) to (out, in).

    Depthwise ones are (height, width, in, multiplier) there, and (in * multiplier, 1, height, width) here.
    """
    if array.ndim == 2:
        return array.T
    if array.ndim != 4:
        return array
    if depthwise:
        height, width, channels, multiplier = array.shape
        return array.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, height, width)
    return array.transpose(3, 2, 0, 1)


def _foreign(graph: Graph, weights: Weights, reason: str) -> Diagnostic:
    known = one_of(SCHEMES, conjunction="and")
    diagnostic: Diagnostic = say.FOREIGN_WEIGHTS.at(
        nowhere(weights.path), path=weights.path, network=graph.program.name, reason=reason
    )
    return diagnostic.repaired(known=known)
