"""What somebody sees while a search runs: the best or the front so far, candidates a minute, time left, what failed.

A bar by rich on standard error, after two seconds, which goes again. Nothing with `-q`, and where nobody is looking.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from spinedsl.cli.progress import PATIENCE, Clock, timer
from spinedsl.cli.voice import MANNER, note
from spinedsl.diagnostics.plain import counted
from spinedsl.extras import missing

if TYPE_CHECKING:
    from spinedsl.search.records import Finished
    from spinedsl.search.study import Study

Hear = Callable[["Finished"], None]


class Tally:
    """What the bar says of a search. Candidates that were settled before it began do not count for its pace."""

    def __init__(self, study: Study, now: Callable[[], float] = time.monotonic) -> None:
        self.study, self.now = study, now
        self.signs = [1.0 if one.direction == "maximize" else -1.0 for one in study.setup.objectives]
        self.front: list[tuple[float, ...]] = []  # so that more is better
        self.failed = self.pruned = 0
        self.since: tuple[float, int] | None = None  # when the first candidate was heard of, and how many there were

    def hear(self, one: Finished) -> None:
        """A candidate is settled."""
        from spinedsl.search.pareto import joined  # noqa: PLC0415  who looks has Optuna

        if self.since is None:
            self.since = self.now(), len(self.study.settled)
        if one.values is None:
            self.failed += 1
        elif one.pruned:
            self.pruned += 1
        else:
            scores = tuple([sign * value for sign, value in zip(self.signs, one.values, strict=True)])
            self.front = joined(self.front, scores)

    @property
    def a_minute(self) -> float | None:
        """How many are settled in a minute; None before that can be told."""
        if self.since is None:
            return None
        begun, count = self.since
        done, seconds = len(self.study.settled) - count, self.now() - begun
        return 60 * done / seconds if done and seconds > 0 else None

    @property
    def words(self) -> str:
        """All of it, but for how many are settled."""
        counts = (("failed", self.failed), ("given up early", self.pruned))
        parts = [self._best(), *(f"{count:,} {what}" for what, count in counts if count)]
        pace = self.a_minute
        if pace is not None:
            left = self.study.setup.budget - len(self.study.settled)
            parts += [f"{pace:,.0f} a minute" if pace >= 10 else f"{pace:.1f} a minute", _left(60 * left / pace)]
        return "  ".join(filter(None, parts))

    def _best(self) -> str:
        if not self.front:
            return ""
        if len(self.signs) > 1:
            return f"front of {len(self.front):,}"
        value = self.signs[0] * self.front[0][0]
        return f"best {self.study.setup.objectives[0].name} {value:,.6g}"


def _left(seconds: float) -> str:
    """How long it still takes."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{max(seconds, 0):.0f} s left"
    return f"{minutes} min left" if minutes < 120 else f"{minutes / 60:.0f} h left"


class Bar:
    """The bar, from the moment on at which the search has taken long."""

    def __init__(self, tally: Tally, console: Any, clock: Callable[[float, Callable[[], None]], Clock] = timer) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

        self.tally = tally
        self.progress = Progress(
            TextColumn("searching"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[words]}"),
            TimeElapsedColumn(), console=console, transient=True,
        )  # fmt: skip
        self.task = self.progress.add_task("", total=tally.study.setup.budget, words="", start=True)
        self.clock = clock(PATIENCE, self.progress.start)
        self.clock.start()

    def hear(self, one: Finished) -> None:
        """Move it."""
        self.tally.hear(one)
        done = min(len(self.tally.study.settled), self.tally.study.setup.budget)
        self.progress.update(self.task, completed=done, words=self.tally.words)

    def close(self) -> None:
        """Take it away."""
        self.clock.cancel()
        self.progress.stop()


@contextmanager
def watched(study: Study) -> Iterator[Hear]:
    """What is told of each candidate that is settled, while somebody may be looking."""
    if MANNER.quiet or not sys.stderr.isatty() or missing(["rich"]):
        yield lambda one: None
        return
    from rich.console import Console  # noqa: PLC0415  only who looks needs it

    bar = Bar(Tally(study), Console(stderr=True))
    try:
        yield bar.hear
    finally:
        bar.close()


@contextmanager
def told_of_interruption(study: Study) -> Iterator[None]:
    """Say, of a search that a person ends, what is left of it."""
    try:
        yield
    except KeyboardInterrupt:
        done = f"{len(study.settled):,} of {counted(study.setup.budget, 'candidate')} measured"
        kept = f"these are kept in {study.name}, and the same command goes on"
        note(f"{done}; {kept if study.place else 'nothing is kept without --study'}")
        raise
