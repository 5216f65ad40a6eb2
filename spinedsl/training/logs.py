"""What a run leaves to read: a line of numbers every few steps, as CSV and for TensorBoard, and pictures.

In: numbers of steps and of validations. Out: `log.csv`, `validation.csv`, `pictures/`, and files for TensorBoard if it
is installed. A run that resumes takes away the lines after the step that it resumes from. What the system refuses to
write ends no run: `lost` is told of it.
"""

from __future__ import annotations

import csv
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from spinedsl.record import Record
from spinedsl.writing import write_file

STEPS = ("step", "epoch", "loss", "rate", "images_per_second", "waiting")


class Line(Record):
    """A few steps: the last one's number, and means over all of them. `waiting` is the share of time for images."""

    step: int
    epoch: float
    loss: float
    rate: float
    images_per_second: float
    waiting: float
    parts: Mapping[str, float] = {}  # of the loss, each with its weight

    def named(self) -> dict[str, float]:
        """All of it by the names of columns."""
        return {name: getattr(self, name) for name in STEPS} | {f"loss_{name}": one for name, one in self.parts.items()}


class Logs:
    """The files of a run in a folder. `from_step` is where it begins; `lost` is told which file was not written.

    Raises:
        OSError: the folder cannot be made, or the files of an earlier run in it cannot be changed.
    """

    def __init__(self, folder: Path, from_step: int, lost: Callable[[Path, OSError], None]) -> None:
        self.folder = folder
        self.lost = lost
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("log.csv", "validation.csv"):
            _cut(folder / name, from_step)
        self.board: Any = None
        self.hook: Callable[[Any], object] | None = None  # that of the program, while there is a board
        if find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415  it may not be installed

            self.hook = threading.excepthook
            threading.excepthook = partial(_of_a_thread, self.hook)
            with self.for_board():
                self.board = SummaryWriter(str(folder / "tensorboard"), purge_step=from_step or None)

    def line(self, line: Line) -> None:
        """A few steps more."""
        named = line.named()
        columns = self.columns("log.csv") or list(named)  # of a run that an earlier spinedsl began, its own
        self.append("log.csv", columns, [named.get(name, "") for name in columns])
        with self.for_board() as board:
            for name in list(named)[2:] if board is not None else ():
                board.add_scalar(f"train/{name}", named[name], line.step)

    def columns(self, name: str) -> list[str]:
        """Those that a file has already."""
        try:
            with (self.folder / name).open(newline="", encoding="utf-8") as file:
                return next(csv.reader(file), [])
        except (OSError, ValueError):
            return []

    def figures(self, step: int, figures: Mapping[str, float]) -> None:
        """The figures of a validation."""
        self.append("validation.csv", ("step", *figures), [step, *figures.values()])
        with self.for_board() as board:
            for name, value in figures.items() if board is not None else ():
                board.add_scalar(f"validation/{name}", value, step)

    def picture(self, step: int, png: bytes, pixels: Any) -> None:
        """A sheet of validation images with what was predicted: PNG, and the same as height x width x 3."""
        path = self.folder / "pictures" / f"step-{step:07}.png"
        try:
            path.parent.mkdir(exist_ok=True)
            write_file(path, png)
        except OSError as error:
            self.lost(path, error)
        with self.for_board() as board:
            if board is not None:
                board.add_image("validation", pixels, step, dataformats="HWC")

    def append(self, name: str, head: Sequence[str], values: Sequence[object]) -> None:
        """Add a line to a file, the head before the first one; a line that does not fit on the disk is left out."""
        path = self.folder / name
        try:
            _append(path, head, values)
        except OSError as error:
            self.lost(path, error)

    @contextmanager
    def for_board(self) -> Iterator[Any]:
        """TensorBoard, if there is one. It writes beside the run, ends with its first error, and is left then."""
        try:
            yield self.board
        except OSError as error:
            self.board = None
            self.lost(self.folder / "tensorboard", error)

    def close(self) -> None:
        """Write what is still held."""
        with self.for_board() as board:
            if board is not None:
                board.close()
        if self.hook is not None:
            threading.excepthook = self.hook


def _of_a_thread(others: Callable[[Any], object], args: threading.ExceptHookArgs) -> None:
    """What ended a thread: that of TensorBoard raises its error again where it is used, which is soon enough."""
    if not (isinstance(args.exc_value, OSError) and type(args.thread).__name__ == "_AsyncWriterThread"):
        others(args)


def _append(path: Path, head: Sequence[str], values: Sequence[object]) -> None:
    """Add a whole line or nothing: what stands behind half a line would be lost with it."""
    before = path.stat().st_size if path.exists() else 0
    try:
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if not before:
                writer.writerow(head)
            writer.writerow([repr(value) if isinstance(value, float) else value for value in values])
    except OSError:
        if path.exists():
            os.truncate(path, before)
        raise


def _cut(path: Path, step: int) -> None:
    """Take away lines after a step, which a resumed run makes again; one cut short by a crash goes too."""
    head, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else [""]
    kept = [
        row for row in rows if row.endswith("\n") and row.partition(",")[0].isdigit() and int(row.split(",")[0]) <= step
    ]
    if not step or not head:
        path.unlink(missing_ok=True)
    elif kept != rows:
        write_file(path, "".join([head, *kept]).encode())
