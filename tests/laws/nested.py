"""What holds of networks whose definitions have loops in loops: every law of networks, and a second reading."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from spinedsl import agreement
from spinedsl.agreement import Witness, lively_weights, usual_sizes
from spinedsl.agreement.compare import distance
from spinedsl.cli.stats import statistics
from spinedsl.compare import Tier, compare, side
from spinedsl.compare.words import to_text as in_words
from spinedsl.draw import lay_out, to_svg
from spinedsl.ops.graph import flatten
from spinedsl.ops.interpret import run
from spinedsl.ops.program import Program
from spinedsl.ops.text import to_text
from spinedsl.ops.verify import verify
from spinedsl.source import Source
from spinedsl.testing import laws
from spinedsl.testing.laws import SEED, program_of, require
from spinedsl.testing.nested import to_text as to_file
from tests.reading import read

SAME = 1e-9  # scaled difference of two readings in float64


def _interpreter(program: Program, weights: Mapping[str, agreement.witnesses.Array]) -> agreement.witnesses.Runner:
    graph = flatten(program)

    def single(image: agreement.witnesses.Array) -> dict[str, agreement.witnesses.Array]:
        values = run(graph, weights, image)
        return {name: values[name] for name in program.outputs}

    return single


SINGLE = Witness("interpreter in float32", ("numpy",), "spinedsl", agreement.witnesses.SINGLE, _interpreter)
ALL = (*laws.THREE, SINGLE)


def reads(source: Source, network: str) -> None:
    """The interpreter gives what the second reading of the text gives, for every row."""
    program = program_of(source, network)
    verify(program)
    graph = flatten(program)
    weights = lively_weights(graph.parameters, SEED)
    image = agreement.image(program, usual_sizes(program)[0], SEED)
    ours = run(graph, weights, image, dtype=np.float64)
    theirs = read(source.text, list(weights.values()), image, network)
    for row in program.rows:
        require(len(row.values) == len(theirs[row.name]), f"{row.name} gives {len(theirs[row.name])} values when read")
        for name, value in zip(row.values, theirs[row.name], strict=True):
            _, scaled = distance(value.array, ours[name])
            require(scaled <= SAME, f"{name} is {scaled:.1e} from what is read")


def told(source: Source, network: str) -> None:
    """It can be shown, counted, drawn, and compared with itself."""
    program = program_of(source, network)
    require(bool(to_text(program)), "it is not shown")
    require(statistics(flatten(program))["parameters"] > 0, "it has no parameters")
    require("<svg" in to_svg(lay_out(program)), "it is not drawn")
    ours, simplest = side(source, network=network), side(Source.from_text(to_file([])))
    same, other = compare(ours, side(source, network=network)), compare(simplest, ours)
    require(same.tier is Tier.NONE and not same.changes, "it differs from itself")
    require(bool(in_words(same)) and bool(in_words(other)), "it is not compared")


MAIN = ("read", "agreed")  # what a soak tries
LAWS: Mapping[str, Callable[[Source, str], None]] = {
    "read": reads,
    "compiled": laws.compiled,
    "agreed": partial(laws.agreed, witnesses=ALL),
    "agreed at a fixed size": laws.agreed_at_fixed_size,
    "indifferent": laws.indifferent,
    "told": told,
    "formatted": lambda source, network: laws.formatted(source),
}
