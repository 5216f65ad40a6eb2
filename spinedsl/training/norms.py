"""Batch norms: where they cannot be computed, how far their statistics lag, and statistics computed anew.

In: a program, or a module. Out: diagnostics, or a module with other statistics.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from spinedsl import checks as say
from spinedsl.brief import counted
from spinedsl.diagnostics import Diagnostic
from spinedsl.ops.graph import flatten
from spinedsl.ops.naming import row_of
from spinedsl.ops.program import Program
from spinedsl.source import Source
from spinedsl.training.fine import norms_in

LAG = 0.05  # of the starting values left in the statistics at the end of a run


def one_value(program: Program, images: int, frozen: frozenset[str], *, norms: bool) -> Diagnostic | None:
    """The first batch norm that would see one number for each channel, of so many images at once."""
    if images > 1 or norms:
        return None
    graph = flatten(program)
    for node in graph.nodes:
        type_ = graph.types[node.result]
        if node.primitive == "batch_norm" and type_.height * type_.width == 1 and not _held(program, node.row, frozen):
            found: Diagnostic = say.ONE_VALUE_NORM.at(Source("", "").span(0, 0), name=node.name)
            what = "it is given a vector" if type_.is_vector else "its map is 1x1"
            found = found.with_notes(f"{what} (row `{node.row}`), and a part of the batch is one image")
            return found.with_fix("take 2 images or more in each part: a larger `batch`, or a smaller `accumulate`")
    return None


def _held(program: Program, row: str, frozen: frozenset[str]) -> bool:
    """The row, or a part that it is of, is frozen."""
    name = program.weights_of(row)
    return row_of(name, frozen) in frozen


def lagging(module: nn.Module, updates: int) -> Diagnostic | None:
    """Batch norms whose statistics are still in part what they started with, after so many updates."""
    left = [(1 - part.momentum) ** updates for part in norms_in(module) if part.momentum is not None]
    late = [share for share in left if share > LAG]
    if not late:
        return None
    found: Diagnostic = say.LAGGING_NORMS.at(
        Source("", "").span(0, 0), steps=updates, share=f"{max(late):.0%}", norms=counted(len(late), "batch norm")
    )
    return found.with_fix("`recalibrate = 100` in [run] computes them anew, over 100 batches")


def recalibrate(module: nn.Module, batches: Iterable[Tensor], frozen: frozenset[str] = frozenset()) -> None:
    """Compute the statistics of batch norms anew: their plain mean over batches. Frozen rows keep theirs."""
    parts = [part for part in norms_in(module, frozen) if part.track_running_stats]
    kept = [(part.momentum, part.num_batches_tracked.clone()) for part in parts if part.num_batches_tracked is not None]
    module.eval()
    for part in parts:
        part.reset_running_stats()
        part.momentum = None  # a plain mean
        part.train()
    with torch.no_grad():
        for images in batches:
            module(images)
    for part, (momentum, tracked) in zip(parts, kept, strict=True):
        part.momentum = momentum
        assert part.num_batches_tracked is not None
        part.num_batches_tracked.copy_(tracked)
    module.eval()
