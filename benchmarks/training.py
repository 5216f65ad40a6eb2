"""What the trainer's loop adds to a step: `python -m benchmarks.training`, on one thread.

A step of `spinedsl.train` beside the same module, optimizer and images in a bare loop of PyTorch. Both take turns, in
pairs of a few steps each, and of each pair the ratio counts; the median is printed.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path
from time import process_time
from typing import Any

import torch

from benchmarks.figures import measured
from spinedsl.training.distributed import Group
from spinedsl.training.loop import Run
from spinedsl.training.setup import Setup, set_up

STEPS, PAIRS = 4, 15
TEXT = """\
spine 1
import std.blocks
import std.heads
import std.outputs
import std.resample
import std.stems

network Bench {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm(momentum = 0.9) }
    widths { level 2: 16, level 3: 24, level 4: 32 }
    resample spinenet(alpha = 0.5)
    join activated_sum
    stem s: resnet_stem channels 16
    block b0: bottleneck  level 2  after s
    block b1: bottleneck  level 3  from s, b0
    block b2: residual    level 4  from b0, b1
    block b3: bottleneck  level 2  from b1, b2
    output P2: endpoint from b3 channels 32
    head logits: pooled_classifier(classes = 10) from P2
}
"""


class Constant:
    """One picture again and again: reading costs nothing on both sides."""

    classes = tuple(map(str, range(10)))

    def __len__(self) -> int:
        return 1024

    def read(self, index: int) -> tuple[Any, int]:
        """Pixels and label."""
        import numpy as np

        return np.full((64, 64, 3), index % 256, dtype=np.uint8), index % 10


def prepared(folder: Path) -> Setup:
    """The run of the benchmark."""
    from spinedsl.training.config import read_config

    (folder / "net.spine").write_text(TEXT, encoding="utf-8")
    config = read_config(
        {
            "network": {"file": str(folder / "net.spine")},
            "data": {"train": "in memory"},
            "run": {
                "steps": 10_000, "batch": 16, "threads": 1, "workers": 0, "device": "cpu", "save_every": 100_000,
                "output": str(folder / "run"),
            },
        }
    ).value  # fmt: skip
    assert config is not None
    setup = set_up(config, Constant(), None, None, Group()).value
    assert setup is not None
    return setup


def main() -> int:
    """Time both in turn, and print the median of the ratios."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as root, Run(prepared(Path(root)), Group(), ()) as run:
        run.begin(resume=False)
        ours = steps_of(run)
        bare = bare_steps(run)
        ours(), bare()
        pairs = [(timed(ours), timed(bare)) for _ in range(PAIRS)]
    ratios = [one / other for one, other in pairs]
    each = statistics.median(other for _, other in pairs) / STEPS
    low, high = min(ratios), max(ratios)
    print(f"a bare step takes {1000 * each:.0f} ms of CPU; ours {statistics.median(ratios):.3f} times as long", end="")
    print(f" (median of {PAIRS} pairs of {STEPS} steps; {low:.3f} to {high:.3f})")
    return 0


def timed(work: Any) -> float:
    """CPU seconds."""
    begun = process_time()
    work()
    return process_time() - begun


def steps_of(run: Run) -> Any:
    """A few steps of the trainer's loop: images, schedule, losses, logs."""

    def work() -> None:
        run.advance(run.state.step + STEPS)

    return work


def bare_steps(run: Run) -> Any:
    """The same module as one would write it: batches that are made the same way, forward, backward, step."""
    setup, module = run.setup, run.state.module
    optimizer = torch.optim.SGD(module.parameters(), lr=1e-3, momentum=0.9, weight_decay=1e-4)
    recipe = run.loader.recipe

    def work() -> None:
        module.train()
        for step in range(STEPS):
            batch = recipe.batch(step, 0, setup.plan.indices(step))
            images = setup.preprocessing.normalised_tensor(torch.from_numpy(batch.pictures))
            loss = torch.nn.functional.cross_entropy(module(images)["logits"], torch.from_numpy(batch.labels))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()

    return work


if __name__ == "__main__":
    sys.exit(measured("training", main))
