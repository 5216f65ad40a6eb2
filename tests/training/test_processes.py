"""Several processes: two by torchrun are one that accumulates two halves. `make processes` makes fifty steps."""

from __future__ import annotations

import pytest

from benchmarks.processes import TASKS, largest


@pytest.mark.parametrize("task", TASKS)
def test_two_processes_are_one_that_accumulates_two_halves(task: str) -> None:
    assert largest(4, TASKS[task]) <= 1e-5
