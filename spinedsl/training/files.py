"""What a run writes into its folder: logs, checkpoints, and that of an unfinished run under another name.

In: the folder, and who is told. Out: files, each written whole. One that cannot be written is reported, and is a
mistake where it has to be there. Of several processes one writes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from spinedsl import api
from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic
from spinedsl.record import replace
from spinedsl.training import checkpoint as checkpoints
from spinedsl.training.folder import BEST, LAST, STOPPED, STOPPED_BEST
from spinedsl.training.logs import Logs
from spinedsl.training.messages import not_saved, nowhere, unwritten
from spinedsl.training.progress import Watcher
from spinedsl.training.state import State


class Files:
    """The files of a run."""

    def __init__(
        self, folder: Path, watch: Sequence[Watcher], warn: Callable[[Diagnostic], None], *, leads: bool
    ) -> None:
        self.folder, self.watch, self.warn, self.leads = folder, watch, warn, leads
        self.last, self.best = folder / LAST, folder / BEST
        self.lost: set[Path] = set()  # files that could not be written
        self.stale = False  # the best checkpoint is that of a run before this one

    # ---- what is there ----

    def checkpoint(self) -> checkpoints.Checkpoint | None:
        """The last checkpoint, to go on from; None where there is none.

        Raises:
            Mistakes: it cannot be read.
        """
        if not self.last.exists():
            return None
        outcome = checkpoints.read(self.last)
        if outcome.value is None and self.best.exists():
            fix = f"begin from the best weights of the run: `--weights {self.best}`, with another `output`"
            raise api.Mistakes([replace(one, fixes=()).with_fix(fix) for one in outcome.diagnostics])
        return api.valued(outcome)

    def best_figure(self) -> float | None:
        """The figure that the best checkpoint was chosen by; None where there is none."""
        best: float | None = checkpoints.about_of(self.best).get("best")
        return best

    def set_aside(self) -> None:
        """Give the checkpoints of a run that was not finished other names: `--resume` may have been forgotten.

        Those of a finished run stay until this one has some of its own.
        """
        self.stale = self.leads
        about = checkpoints.about_of(self.last)
        step, steps = about.get("step", 0), about.get("steps", 0)
        if self.leads and 0 < step < steps:
            kept = self.last.with_name(STOPPED.format(step=step))
            try:
                self.last.replace(kept)
                if self.best.exists():
                    self.best.replace(self.best.with_name(STOPPED_BEST.format(step=step)))
            except OSError as error:
                raise api.Mistakes([unwritten(kept, error)]) from None
            found = say.UNFINISHED_RUN.at(nowhere(), step=step, steps=steps, kept=str(kept))
            self.warn(found.with_fix(f"to go on with it, call it {LAST} again, and give `--resume`"))

    # ---- what is written ----

    def logs(self, step: int) -> Logs | None:
        """The logs from a step on; None of a process that writes none."""
        if not self.leads:
            return None
        try:
            return Logs(self.folder, step, self._lost)
        except OSError as error:
            raise api.Mistakes([unwritten(self.folder, error)]) from None

    def _lost(self, path: Path, error: OSError) -> None:
        """A file of the run could not be written: of each one, it is reported once."""
        if path not in self.lost:
            self.lost.add(path)
            self.warn(not_saved(path, error))

    def save_best(self, state: State, about: Callable[[], dict[str, Any]]) -> None:
        """Write the weights that are for use."""
        self._write(self.best, state, about, whole=False)

    def save_last(self, state: State, about: Callable[[], dict[str, Any]], *, must: bool = False) -> None:
        """Write all that a run goes on from; where it cannot be written and `must` be, that is a mistake."""
        self._write(self.last, state, about, whole=True, must=must)

    def _write(
        self, path: Path, state: State, about: Callable[[], dict[str, Any]], *, whole: bool, must: bool = False
    ) -> None:
        if not self.leads:
            return
        try:
            checkpoints.write(path, state.sets(whole=whole), about())
        except OSError as error:
            if must:
                raise api.Mistakes([unwritten(path, error)]) from None
            self.warn(not_saved(path, error))
        else:
            if self.stale and path == self.last:
                self.best.unlink(missing_ok=True)
            self.stale = False
            for watcher in self.watch:
                watcher.saves(path)
