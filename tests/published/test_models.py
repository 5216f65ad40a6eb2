"""MODELS.md has every published network, with the size, parameters and multiply-adds that it has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from spinedsl.analysis import costs, costs_by_row
from tests.published.examples import EXAMPLES, graph_of, networks

MODELS = (Path(__file__).parents[2] / "MODELS.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(\w+)` \| (\d+x\d+) \| ([\d,]+) \| ([\d,]+) \| (.+) \|$", re.MULTILINE)
ROWS = {found[1]: found for found in ROW.finditer(MODELS)}
LIKE = {name: found[1] for name, row in ROWS.items() if (found := re.match(r"(?:backbone )?as ([A-Z]\w+)", row[5]))}
BASE = re.compile(r"^network \w+ = (\w+)", re.MULTILINE)


def test_every_network_is_in_the_table() -> None:
    """All but those that stand for a family: they are there for others to be made of."""
    named = [name for names in networks().values() for name in names]
    assert len(set(named)) == len(named)
    bases = {name for file in networks() for name in BASE.findall((EXAMPLES / f"{file}.spine").read_text())}
    assert ROWS.keys() <= set(named)
    assert set(named) - ROWS.keys() <= bases


@pytest.mark.parametrize("network", ROWS)
def test_the_table_says_what_it_costs(network: str) -> None:
    row, graph = ROWS[network], graph_of(network)
    counted, image = costs(graph), graph.program.input_type
    assert (row[2], row[3], row[4]) == (
        f"{image.height}x{image.width}",
        f"{counted.parameters:,}",
        f"{counted.multiply_adds:,}",
    )


def parameters_but_heads(network: str) -> int:
    """Trainable ones of everything but the heads."""
    graph = graph_of(network)
    heads = {row.name for row in graph.program.heads}
    return sum(count.parameters for row, count in costs_by_row(graph).items() if row not in heads)


@pytest.mark.parametrize(("network", "like"), LIKE.items())
def test_what_is_as_another_costs_the_same(network: str, like: str) -> None:
    assert parameters_but_heads(network) == parameters_but_heads(like)
