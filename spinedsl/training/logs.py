"""What a run leaves to read: a line of numbers every few steps, as CSV and for TensorBoard, and pictures.

In: numbers of steps and of validations. Out: `log.csv`, `validation.csv`, `pictures/`, and files for TensorBoard if it
is installed. A run that resumes takes away the lines after the step that it resumes from.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from spinedsl.record import Record

STEPS = ("step", "epoch", "loss", "rate", "images_per_second", "waiting")


class Line(Record):
    """A few steps: the last one's number, and means over all of them. `waiting` is the share of time for images."""

    step: int
    epoch: float
    loss: float
    rate: float
    images_per_second: float
    waiting: float


class Logs:
    """The files of a run in a folder. `from_step` is where it begins."""

    def __init__(self, folder: Path, from_step: int, *, tensorboard: bool = True) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("log.csv", "validation.csv"):
            _cut(folder / name, from_step)
        self.board: Any = None
        if tensorboard and find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415  it may not be installed

            self.board = SummaryWriter(str(folder / "tensorboard"), purge_step=from_step or None)

    def line(self, line: Line) -> None:
        """A few steps more."""
        values = [getattr(line, name) for name in STEPS]
        _append(self.folder / "log.csv", STEPS, values)
        if self.board is not None:
            for name in STEPS[2:]:
                self.board.add_scalar(f"train/{name}", getattr(line, name), line.step)

    def figures(self, step: int, figures: Mapping[str, float]) -> None:
        """The figures of a validation."""
        _append(self.folder / "validation.csv", ("step", *figures), [step, *figures.values()])
        if self.board is not None:
            for name, value in figures.items():
                self.board.add_scalar(f"validation/{name}", value, step)

    def picture(self, step: int, png: bytes, pixels: Any) -> None:
        """A sheet of validation images with what was predicted: PNG, and the same as height x width x 3."""
        folder = self.folder / "pictures"
        folder.mkdir(exist_ok=True)
        (folder / f"step-{step:07}.png").write_bytes(png)
        if self.board is not None:
            self.board.add_image("validation", pixels, step, dataformats="HWC")

    def close(self) -> None:
        """Write what is still held."""
        if self.board is not None:
            self.board.close()


def _append(path: Path, head: Sequence[str], values: Sequence[object]) -> None:
    fresh = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if fresh:
            writer.writerow(head)
        writer.writerow([repr(value) if isinstance(value, float) else value for value in values])


def _cut(path: Path, step: int) -> None:
    """Take away lines after a step, which a resumed run makes again; one cut short by a crash goes too."""
    if not path.exists():
        return
    head, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [
        row for row in rows if row.endswith("\n") and row.partition(",")[0].isdigit() and int(row.split(",")[0]) <= step
    ]
    if step:
        path.write_text("".join([head, *kept]), encoding="utf-8")
    else:
        path.unlink()
