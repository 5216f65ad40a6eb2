"""Fine-tuning: what of other weights fits a network, and what of the network stays as it is.

In: a module, its program and weights. Out: the module with what fits, and a list of what was taken and what starts
fresh. Weights are whatever `spine weights convert` reads, and checkpoints.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from spinedsl import api
from spinedsl.brief import counted
from spinedsl.diagnostics import Outcome, nearest, one_of
from spinedsl.ops.graph import Graph, flatten
from spinedsl.ops.naming import row_of
from spinedsl.ops.program import Program
from spinedsl.record import Record
from spinedsl.weights import Weights, compare, convert
from spinedsl.weights.match import Fit
from spinedsl.weights.schemes import scheme_of

NORM = nn.modules.batchnorm._BatchNorm  # noqa: SLF001  the base of all batch norms
LISTED = 8  # names in a sentence


class Taken(Record):
    """What was taken of other weights: how many tensors, and which start fresh, with the reason."""

    path: str
    taken: int
    fresh: dict[str, str]
    left: tuple[str, ...]

    def lines(self) -> Iterable[str]:
        """It in words."""
        yield f"{counted(self.taken, 'tensor')} taken from {self.path}"
        rows: dict[str, list[str]] = {}
        for name in self.fresh:
            rows.setdefault(name.partition(".")[0], []).append(name)
        for row, names in rows.items():
            why = self.fresh[names[0]]
            yield f"`{row}` starts fresh: {counted(len(names), 'tensor')}, such as `{names[0]}` ({why})"
        if self.left:
            shown = ", ".join(f"`{name}`" for name in self.left[:LISTED]) + ", …" * (len(self.left) > LISTED)
            yield f"{counted(len(self.left), 'tensor')} of it fit nothing: {shown}"


def take(module: nn.Module, program: Program, path: Path, key: str | None, prefix: str | None) -> Outcome[Taken]:
    """Put into the module what fits it by name and shape; what fits nothing at all is a mistake."""
    try:
        weights = api.read_weights(path, key=key, prefix=prefix, hear=lambda reported: None)
    except api.Mistakes as mistakes:
        return Outcome(None, tuple(mistakes.diagnostics))
    graph = flatten(program)
    if scheme_of(weights.tensors) is not None:
        return _converted(module, graph, weights)
    fit = compare(graph.parameters, weights.tensors, weights.prefix, program.dropped)
    fitting = {name: array for name, array in fit.fitting().items() if name not in fit.misfits}
    if not fitting or fit.ways or fit.unusable:
        return Outcome(None, (fit.diagnostic(weights.path, program.name),))
    fresh = dict.fromkeys(fit.missing, "not there") | dict(fit.misfits)
    return Outcome(_load(module, weights.path, fitting, fresh, (*fit.unexpected, *fit.beside)))


def _converted(module: nn.Module, graph: Graph, weights: Weights) -> Outcome[Taken]:
    """The same of weights that another code named."""
    outcome = convert(graph, weights, partial=True)
    if outcome.value is None:
        return Outcome(None, outcome.diagnostics)
    fit: Fit = outcome.value.fit
    fresh = dict.fromkeys(fit.missing, "not there")
    taken = _load(module, weights.path, outcome.value.tensors, fresh, outcome.value.left_out)
    return Outcome(taken, outcome.diagnostics)


def _load(
    module: nn.Module, path: str, tensors: Mapping[str, Any], fresh: dict[str, str], left: tuple[str, ...]
) -> Taken:
    module.load_state_dict({name: torch.tensor(array) for name, array in tensors.items()}, strict=False)
    return Taken(path, len(tensors), fresh, left)


def no_row(program: Program, rows: Iterable[str]) -> str:
    """Which of these rows and parts there is not, and what may have been meant; nothing where all are there."""
    known = {row.name for row in program.rows}
    for row in rows:
        if not any(f"{program.weights_of(name)}.".startswith(f"{row}.") for name in known):
            near = nearest(row, known)
            return f"network `{program.name}` has no row `{row}`" + (
                f"; did you mean `{near}`?" if near else f": it has {one_of(sorted(known), conjunction='and')}"
            )
    return ""


def freeze(module: nn.Module, rows: Iterable[str], *, norms: bool) -> None:
    """Freeze rows and parts, by what their parameters are called after, and with `norms` every batch norm."""
    for row in rows:
        for name, parameter in module.named_parameters():
            if name.startswith(f"{row}."):
                parameter.requires_grad_(False)
    if norms:
        for part in module.modules():
            for parameter in part.parameters(recurse=False) if isinstance(part, NORM) else ():
                parameter.requires_grad_(False)


def norms_in(module: nn.Module, frozen: frozenset[str] = frozenset()) -> list[nn.modules.batchnorm._BatchNorm]:
    """The batch norms of a module, less those of frozen rows."""
    named = ((name, part) for name, part in module.named_modules() if isinstance(part, NORM))
    return [part for name, part in named if row_of(name, frozen) not in frozen]


def train_mode(module: nn.Module, frozen: frozenset[str], *, norms: bool) -> None:
    """Training mode, but for batch norms that are frozen: those of frozen rows, or all of them."""
    module.train()
    learning = set() if norms else {*norms_in(module, frozen)}
    for part in norms_in(module):
        part.train(part in learning)
