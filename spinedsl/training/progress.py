"""What somebody sees while a run trains: loss, images a second, time left, the share of time spent waiting for images.

In: what `loop.train` tells a `Watcher`. Out: a bar by rich, on standard error or in a notebook.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinedsl.diagnostics import Diagnostic
from spinedsl.training.logs import Line

if TYPE_CHECKING:
    from spinedsl.training.loop import Run


class Watcher:
    """Is told what happens in a run; every method does nothing here."""

    def begins(self, run: Run) -> None:
        """Everything is ready, and the first step comes."""

    def notes(self, text: str) -> None:
        """Something worth a line."""

    def warns(self, found: Diagnostic) -> None:
        """Something may not be as it was meant."""

    def steps(self, line: Line) -> None:
        """A few steps are done."""

    def validates(self, step: int, figures: Mapping[str, float]) -> None:
        """Figures of the validation images."""

    def saves(self, path: Path) -> None:
        """A checkpoint is written."""

    def ends(self, run: Run) -> None:
        """No step is left, or the run was interrupted."""


class Bar(Watcher):
    """The bar, and a line for each validation."""

    def __init__(self) -> None:
        self.progress: Any = None
        self.task: Any = None

    def begins(self, run: Run) -> None:
        """Show it."""
        from rich.console import Console  # noqa: PLC0415  only who looks needs it
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

        self.progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[numbers]}"),
            TimeRemainingColumn(), console=Console(stderr=True),
        )  # fmt: skip
        self.task = self.progress.add_task("training", total=run.steps, completed=run.state.step, numbers="")
        self.progress.start()

    def steps(self, line: Line) -> None:
        """Move it."""
        numbers = f"loss {line.loss:.4f}  {line.images_per_second:,.0f} images/s  waiting {line.waiting:.0%}"
        self.progress.update(self.task, completed=line.step, numbers=numbers)

    def validates(self, step: int, figures: Mapping[str, float]) -> None:
        """A line above the bar."""
        shown = "  ".join(f"{name} {value:.4f}" for name, value in figures.items())
        self.progress.console.print(f"step {step}: {shown}", highlight=False)

    def ends(self, run: Run) -> None:  # noqa: ARG002  what it is told
        """Take it away."""
        if self.progress is not None:
            self.progress.stop()
