"""One side of a comparison: a network as it is written, and as it runs."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from spinedsl import api, driver
from spinedsl.analysis import Costs, costs
from spinedsl.ir.networks import Network
from spinedsl.ops.graph import Graph, flatten
from spinedsl.ops.program import Program
from spinedsl.record import Record
from spinedsl.source import Source


class Side(Record, eq=False):
    """A network of a file without mistakes."""

    source: Source
    network: Network
    program: Program

    @property
    def name(self) -> str:
        """Name of the network."""
        return self.program.name

    @cached_property
    def graph(self) -> Graph:
        """Its operations."""
        return flatten(self.program)

    @cached_property
    def costs(self) -> Costs:
        """Parameters and multiply-adds of the whole."""
        return costs(self.graph)


def side(
    file: str | Path | Source | driver.Loaded, *, network: str | None = None, size: tuple[int, int] | None = None
) -> Side:
    """A network of a file, for comparing; arguments as those of `api.program`.

    Raises:
        Mistakes: the file has mistakes.
        NetworkChoice: several networks and none chosen, or an unknown one.
    """
    return side_of(api.made(file, network=network, size=size))


def side_of(made: driver.Made) -> Side:
    """A network that was compiled, for comparing."""
    return Side(made.loaded.source, made.network, made.program)
