"""What passes and orders cost grows with the graph, and no faster: counted in steps, so that no machine changes it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from spinedsl import Source, analysis, api
from spinedsl.backends.torch import emit_inference
from spinedsl.cli.stats import memory
from spinedsl.ops.graph import Graph, flatten
from spinedsl.ops.program import Program
from spinedsl.passes import effects, optimised
from spinedsl.testing.steps import stepped

FEW, MANY = 16, 64
MOST = 1.5  # times as much for each block

HEAD = """\
spine 1
import std.stems
import std.blocks
import std.resample
network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..5: 8 }
    rules { inputs 1..3 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 8
    block b0: residual level 2 after s
    block b1: residual level 3 from b0
    block b2: residual level 4 from b1
    block b3: residual level 5 from b2
"""


@cache
def program(blocks: int) -> Program:
    """Blocks that go up and down, so that every pass finds something in each."""
    rows = [f"    block b{n}: residual level {3 + n % 3} from b{n - 1}, b{n - 2}, b{n - 4}\n" for n in range(4, blocks)]
    return api.program(Source.from_text(f"{HEAD}{''.join(rows)}    output P: b{blocks - 1}\n}}\n"))


def graph(blocks: int) -> Graph:
    return flatten(program(blocks))


TASKS: dict[str, Callable[[int], object]] = {
    "passes": lambda blocks: optimised(graph(blocks), 1),
    "passes for ONNX Runtime": lambda blocks: optimised(graph(blocks), 2, runtime="onnxruntime"),
    "what passes did": lambda blocks: effects(graph(blocks), 1),
    "costs": lambda blocks: analysis.costs_by_row(graph(blocks)),
    "what rows hold": lambda blocks: memory(graph(blocks)),
    "file for inference": lambda blocks: emit_inference(program(blocks)),
}


@pytest.mark.parametrize("task", TASKS.values(), ids=[*TASKS])
def test_blocks_cost_the_same_in_large_networks(task: Callable[[int], object]) -> None:
    def steps(blocks: int) -> float:
        task(blocks)  # what is kept for the next time
        return stepped(lambda: task(blocks))[1] / blocks

    assert steps(MANY) < MOST * steps(FEW)


def test_every_pass_has_something_to_do_in_these_networks() -> None:
    found = {one.name for one in effects(graph(FEW), 1)}
    assert {"fold", "below", "order"} <= found
