"""Costs in closed form against torch's own counters on random networks: parameters and multiply-adds, to the digit.

    python -m benchmarks.counts                    # 1,000 different networks, seed 0: a few minutes
    python -m benchmarks.counts --networks 50 --seed 7

Each network is compiled to PyTorch, its parameters are counted in the module, and its multiply-adds by torch's
`FlopCounterMode` while it runs on tensors without memory. Exit status 1 if any network differs; its text is printed.
"""

from __future__ import annotations

import argparse
import sys
import time

from hypothesis import HealthCheck, Phase, given, seed, settings

from benchmarks.figures import measured
from spinedsl.agreement import counted
from spinedsl.analysis import costs
from spinedsl.ops.graph import flatten
from spinedsl.testing import STANDARD, networks
from spinedsl.testing.laws import program_of


def texts(wanted: int, number: int) -> list[str]:
    """Different random networks of the prelude's types, as Hypothesis draws them."""
    found: dict[str, None] = {}

    @seed(number)
    @settings(
        max_examples=3 * wanted, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(networks())
    def draw(text: str) -> None:
        if len(found) < wanted:
            found[text] = None

    draw()
    return list(found)


def main() -> int:
    """Count all; status 1 if any count differs."""
    parser = argparse.ArgumentParser(description="costs in closed form against torch's own counters")
    parser.add_argument("--networks", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    started = time.monotonic()
    drawn, differ, operations = texts(options.networks, options.seed), 0, 0
    for text in drawn:
        program = program_of(STANDARD.source(text), "Net")
        closed = costs(flatten(program))
        ours, theirs = (closed.parameters, closed.multiply_adds), counted(program)
        operations += len(flatten(program).nodes)
        if ours != theirs:
            differ += 1
            print(f"{ours} in closed form, {theirs} as torch counts:\n{STANDARD.source(text).text}\n")
    spent = time.monotonic() - started
    print(f"{len(drawn):,} random networks of {operations:,} operations: {differ} differ ({spent:.0f} s)")
    return 1 if differ or len(drawn) < options.networks else 0


if __name__ == "__main__":
    sys.exit(measured("counts", main))
