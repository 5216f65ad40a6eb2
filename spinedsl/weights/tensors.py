"""The data type of a weights file that was read, and how it is reported that there is none.

In: what a reader found. Out: `Weights`, arrays by name and what else the file says, or an `Outcome` with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spinedsl import checks as say
from spinedsl.brief import counted, short_path
from spinedsl.diagnostics import Diagnostic, Outcome
from spinedsl.record import Record, field
from spinedsl.source import Source, Span

TRAINING, USE = "spine.training", "spine.use"  # metadata of a checkpoint: of its run, and which set to use
Tensors: TypeAlias = Mapping[str, NDArray[Any]]


class Weights(Record, eq=False):
    """Tensors of a file, by name. `sealed`: the header and every tensor carried a digest, and all of them hold.

    `key` names the set of tensors in the file that these are, where it has names for them. `changed`: we wrote the
    file, and another tool has changed it since. `prefix` is what stands before the names of a network's tensors; None
    where nobody has told, and the names shall tell.
    """

    path: str
    tensors: Tensors
    metadata: Mapping[str, str] = field(default_factory=dict)
    sealed: bool = False
    key: str = ""
    changed: bool = False
    prefix: str | None = None

    def __brief__(self) -> str:
        return f"{short_path(self.path)}: {counted(len(self.tensors), 'tensor')}{', sealed' * self.sealed}"

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return sum(array.size for array in self.tensors.values())

    def not_finite(self) -> dict[str, int]:
        """How many numbers of a tensor are infinite or none, of the tensors where some are."""
        counts = {
            name: int(array.size - np.count_nonzero(np.isfinite(array)))
            for name, array in self.tensors.items()
            if array.dtype.kind == "f"
        }
        return {name: count for name, count in counts.items() if count}


def nowhere(path: Path | str) -> Span:
    """The place of a diagnostic about a file that is no text."""
    return Source(str(path), "").span(0, 0)


def broken(path: Path, reason: str) -> Outcome[Weights]:
    """The file is not what its name says, or holds what nobody should have to read."""
    return Outcome(None, (say.BROKEN_WEIGHTS.at(nowhere(path), path=path, reason=reason),))


def damaged(path: Path, reason: str, *, checkpoint: bool = False) -> Outcome[Weights]:
    """The file was written by us and has changed since."""
    diagnostic: Diagnostic = say.DAMAGED_WEIGHTS.at(nowhere(path), path=path, reason=reason)
    if checkpoint:
        return Outcome(None, (diagnostic.with_fix("fetch it again, or take another checkpoint of its run"),))
    return Outcome(None, (diagnostic.repaired(),))


def refused(path: Path, reason: str) -> Outcome[Weights]:
    """The file holds something other than tensors by name."""
    diagnostic: Diagnostic = say.NOT_A_STATE_DICT.at(nowhere(path), path=path, reason=reason)
    return Outcome(None, (diagnostic.repaired(),))


def first_sentence(error: Exception) -> str:
    """What an error of a library says, in a line."""
    return str(error).partition("\n")[0].partition(". ")[0]


def shape_text(shape: tuple[int, ...]) -> str:
    """`64x3x7x7`."""
    return "x".join(map(str, shape)) or "one number"
