"""Small files, checked: what the tests of resolving and expanding ask for."""

from __future__ import annotations

import numpy as np

from spinedsl import driver
from spinedsl.diagnostics.render import render
from spinedsl.lower import lower
from spinedsl.ops.graph import Graph, flatten
from spinedsl.ops.initial import seeded
from spinedsl.ops.interpret import run
from spinedsl.ops.program import Program
from spinedsl.source import Source

NETWORK = """
network Net {{
    input image: 3 x 32 x 32
    defaults {{ act relu, norm batch_norm }}
    stem s: taken channels 8
    {rows}
}}
stem_type taken(image, channels) -> channels {{ return conv(image, channels, kernel = 1) }}
"""


def program(text: str, network: str = "Net", origin: str = "") -> Program:
    """The program of a faultless file, which may import others if it stands at `origin`."""
    outcome = driver.analyse(Source.from_text(text, "net.spine", origin))
    assert outcome.ok, render(outcome.diagnostics)
    assert outcome.value is not None
    return lower(outcome.value.checked[network])


def graph(text: str, network: str = "Net") -> Graph:
    """The same as a graph."""
    return flatten(program(text, network))


def with_block(definition: str, row: str = "block b: mine level 0 channels 8 after s") -> str:
    """A file with definitions and one block of them."""
    return definition + NETWORK.format(rows=f"{row}\n    output C0: b")


def shapes(text: str, row: str = "b") -> dict[str, tuple[int, ...]]:
    """The parameters of one row, without its name, and their shapes."""
    parameters = graph(text).parameters
    return {
        name.removeprefix(f"{row}."): parameter.shape
        for name, parameter in parameters.items()
        if name.startswith(f"{row}.")
    }


def names(text: str, row: str = "b") -> list[str]:
    """The parameters of one row, by name, in the order in which they are used."""
    return list(shapes(text, row))


def said(text: str) -> list[str]:
    """The codes of all that is said of a file."""
    return [diagnostic.code.id for diagnostic in driver.analyse(Source.from_text(text, "net.spine")).diagnostics]


def outputs(text: str, network: str = "Net") -> dict[str, tuple[int, ...]]:
    """Run a network in NumPy: the shapes of all rows, which are those of their types."""
    made = graph(text, network)
    image = np.zeros((2, *_sizes(made)), np.float32)
    values = run(made, seeded(made.parameters, seed=0), image)
    for row, value in values.items():
        type_ = made.types[made.rows[row]]
        assert value.shape[1] == type_.channels
        assert np.isfinite(value).all()
    return {row: value.shape for row, value in values.items()}


def _sizes(made: Graph) -> tuple[int, int, int]:
    return made.input_type.channels, made.input_type.height, made.input_type.width
