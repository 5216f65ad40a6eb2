"""What was measured: times of each engine, and figures that follow from them alone.

In: times. Out: best, median and spread; the ratio to the first engine, as the median over rounds; the share of the
core's measured peak. All of it as JSON.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from html import escape
from typing import Any

from spinedsl.brief import counted, cut, html_table, table
from spinedsl.record import Record, asdict
from spinedsl.timing.machine import Machine

HEADINGS = ("engine", "CPU ms best", "median", "spread", "wall ms", "ratio", "of peak", "memory MiB", "error")
BUSY = 1.3  # times more on the clock than on the processor, with one thread: others take the core


class Timing(Record):
    """Times of one engine in seconds, of each round: of the processor, over all threads, and as they passed.

    `ready` is what opening it took, with the first run; `memory` the bytes that the first run added at most. `error` is
    the largest relative difference of its outputs from those of the first engine, None where those are others.
    """

    name: str
    title: str
    precision: str
    cpu: tuple[float, ...]
    wall: tuple[float, ...]
    ready: float
    memory: int | None
    error: float | None
    note: str = ""

    @property
    def best(self) -> float:
        """The least time of the processor."""
        return min(self.cpu)

    @property
    def median(self) -> float:
        """The median of the same."""
        return statistics.median(self.cpu)

    @property
    def spread(self) -> float:
        """How far the middle half of the same is apart, as a share of the median."""
        if len(self.cpu) < 2:
            return 0.0
        low, _, high = statistics.quantiles(self.cpu, n=4, method="inclusive")
        return (high - low) / (self.median or 1.0)

    @property
    def wall_median(self) -> float:
        """The median of times as they passed."""
        return statistics.median(self.wall)


class Bench(Record):
    """What was measured of a network: `work` is its multiply-adds for the whole batch. It prints as a table."""

    network: str
    shape: Sequence[int]
    work: int
    threads: int
    machine: Machine
    peaks: tuple[float, ...]  # multiply-adds that a core did in a second at most, in each round
    timings: tuple[Timing, ...]

    def __brief__(self) -> str:
        return f"{cut(self.network, 40)}: {counted(len(self.timings), 'engine')}, {counted(self.rounds, 'round')}"

    def __str__(self) -> str:
        """What was measured, on what, and a table of the engines."""
        return "\n".join([*self.head(), "", *table([HEADINGS, *map(self.row, self.timings)])])

    def _repr_html_(self) -> str:
        head = "".join(f"<p>{escape(line)}</p>" for line in self.head())
        return head + html_table(map(self.row, self.timings), HEADINGS)

    def head(self) -> tuple[str, str]:
        """What was measured, and on what machine."""
        size, threads = " x ".join(map(str, self.shape)), counted(self.threads, "thread")
        return (
            f"{self.network} at {size}: {self.work:,} multiply-adds; {threads}, {counted(self.rounds, 'round')}",
            f"{self.machine}; a core does {self.peak / 1e9:.3g} G multiply-adds a second in float32",
        )

    def row(self, one: Timing) -> tuple[str, ...]:
        """The figures of an engine, below `HEADINGS`."""
        return (
            one.title,
            f"{1000 * one.best:.2f}",
            f"{1000 * one.median:.2f}",
            f"{one.spread:.0%}",
            f"{1000 * one.wall_median:.2f}",
            f"{self.ratio(one):.2f}",
            f"{self.share(one):.0%}",
            "-" if one.memory is None else f"{one.memory / 2**20:.1f}",
            "-" if one.error is None else f"{one.error:.1e}",
        )

    @property
    def rounds(self) -> int:
        """How often each engine ran."""
        return len(self.timings[0].cpu)

    @property
    def peak(self) -> float:
        """Multiply-adds that a core did in a second at most: the median of the rounds."""
        return statistics.median(self.peaks)

    @property
    def busy(self) -> bool:
        """Other programs took the cores meanwhile: clock and processor are far apart."""
        return self.threads == 1 and any(one.wall_median > BUSY * one.median for one in self.timings)

    def ratio(self, one: Timing) -> float:
        """The time of an engine over that of the first, round by round: the median."""
        pairs = zip(one.cpu, self.timings[0].cpu, strict=True)
        return statistics.median(mine / (first or 1e-9) for mine, first in pairs)

    def share(self, one: Timing) -> float:
        """The share of the peak in float32 that an engine reaches, round by round; narrower numbers can be above 1."""
        pairs = zip(one.cpu, self.peaks, strict=True)
        return statistics.median(self.work / (spent or 1e-9) / peak for spent, peak in pairs)

    def to_json(self) -> dict[str, Any]:
        """All of it, with every time."""
        engines = [
            {
                **asdict(one), "best": one.best, "median": one.median, "spread": one.spread,
                "wall_median": one.wall_median, "ratio": self.ratio(one), "share_of_peak": self.share(one),
            }
            for one in self.timings
        ]  # fmt: skip
        return {
            "network": self.network, "shape": list(self.shape), "multiply_adds": self.work, "threads": self.threads,
            "rounds": self.rounds, "busy": self.busy, "peak": self.peak,
            "machine": {name: value for name, value in asdict(self.machine).items() if name != "memory"},
            "engines": engines,
        }  # fmt: skip
