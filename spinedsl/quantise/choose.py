"""Which rows stay float: those whose error is largest, as many as it takes.

In: a float network, images to calibrate and others to measure on, a limit. Out: a `Choice`: the model, the rows that
stay float, and the error of every row when it alone is int8.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

from spinedsl.quantise.engines import USUAL, prepared
from spinedsl.quantise.network import Float, Outputs, runner
from spinedsl.record import Record
from spinedsl.timing.measure import error_of

Hear = Callable[[str], None]


class RowError(Record):
    """A row: its convolutions and linear layers, the error when it alone is int8, and whether it stays float."""

    name: str
    heavy: int
    error: float
    kept: bool
    asked: bool = False  # whoever calls asked for it to stay float


class Choice(Record, eq=False):
    """What became of a network. Errors are the largest relative difference (L2) of any output from the float one's."""

    model: ModelProto
    rows: tuple[RowError, ...]
    error: float  # of the model
    whole: float  # of the one in which no row stays float that need not

    @property
    def kept(self) -> tuple[str, ...]:
        """The rows that stay float."""
        return tuple(row.name for row in self.rows if row.kept)


class Pictures(Record, eq=False):
    """Images as the network takes them: those that ranges are taken from, and those that errors are measured on."""

    calibrate: Sequence[NDArray[Any]]  # each (1, channels, height, width)
    measure: NDArray[Any]
    apart: bool = True  # something is measured on that no range comes from


def choose(
    network: Float,
    pictures: Pictures,
    *,
    limit: float,
    keep: Collection[str] = (),
    reduce_range: bool = False,
    engine: str = USUAL,
    hear: Hear = lambda text: None,
) -> Choice:
    """The int8 model whose error is at most the limit, with as few rows in float as that takes, the worst first."""
    hear(f"calibrating on {len(pictures.calibrate)} pictures")
    made = prepared(engine, network, pictures.calibrate, reduce_range=reduce_range)
    expected = network.run(pictures.measure)
    free = [row for row in network.rows if row not in keep]

    def tried(rows: Collection[str]) -> tuple[ModelProto, float]:
        model = made(rows)
        return model, _error(expected, runner(model)(pictures.measure))

    alone: dict[str, float] = {}
    for number, row in enumerate(network.rows):
        hear(f"measuring row {number + 1} of {len(network.rows)}")
        alone[row] = tried([row])[1]
    worst = sorted(free, key=lambda row: -alone[row])
    found = {0: tried(free)}
    whole = found[0][1]
    low, high = (0, 0) if whole <= limit else (1, len(worst))
    while low < high:  # the least number of rows with which it is near enough
        middle = (low + high) // 2
        hear(f"keeping {middle} rows float")
        found[middle] = tried([row for row in free if row not in worst[:middle]])
        low, high = (low, middle) if found[middle][1] <= limit else (middle + 1, high)
    if low not in found:
        found[low] = tried([row for row in free if row not in worst[:low]])
    kept = {*keep, *worst[:low]}
    model, error = found[low]
    rows = tuple(RowError(row, network.heavy(row), alone[row], row in kept, row in keep) for row in network.rows)
    return Choice(model, rows, error, whole)


def _error(expected: Outputs, found: Outputs) -> float:
    error = error_of(expected, found)
    assert error is not None
    return error if np.isfinite(error) else float("inf")
