"""The networks of `examples/learning`: a scale-permuted one and a residual one of equal cost, with the same task."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import spinedsl
from spinedsl.agreement import Size, agree
from spinedsl.analysis import costs
from spinedsl.ops.graph import flatten

FOLDER = Path(__file__).resolve().parent.parent / "examples" / "learning"
FILES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.spine"))
NETWORKS = ("Permuted", "Residual")
TASKS = {  # of each file: the task, its kind, the size of its one vector and the millions of multiply-adds
    "drawing_styles/networks.spine": ("identify", "embedding", 128, 25),
    "fashion_mnist/networks.spine": ("classify", "classification", 10, 11),
    "solar_cells/networks.spine": ("classify", "classification", 2, 44),
}


def test_every_file_is_here() -> None:
    assert sorted(TASKS) == FILES


@pytest.mark.parametrize("file", FILES)
def test_both_networks_cost_the_same(file: str) -> None:
    permuted, residual = (costs(flatten(spinedsl.program(FOLDER / file, network=name))) for name in NETWORKS)
    assert np.isclose(permuted.multiply_adds, residual.multiply_adds, rtol=0.03)
    assert round(permuted.multiply_adds / 1e6) in (TASKS[file][3], TASKS[file][3] - 1)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("file", FILES)
def test_every_engine_agrees_on_their_task(file: str, network: str) -> None:
    made = spinedsl.program(FOLDER / file, network=network)
    (task,) = made.tasks
    (output,) = task.outputs["from"]
    assert (task.name, task.kind) == TASKS[file][:2]
    assert flatten(made).types[flatten(made).outputs[output]].shape == (TASKS[file][2],)
    report = agree(made, sizes=[Size(2, made.input_type.height, made.input_type.width)])
    assert report.agrees
    assert report.witnesses
