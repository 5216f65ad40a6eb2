"""The networks of `examples/learning`: a scale-permuted one and a residual one of equal cost, with the same task."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import spinedsl
from spinedsl.agreement import Size, agree
from spinedsl.analysis import costs, costs_by_row
from spinedsl.ops.graph import flatten

FOLDER = Path(__file__).resolve().parent.parent / "examples" / "learning"
FILES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("networks.spine"))
NETWORKS = ("Permuted", "Residual")
TASKS = {  # of each file: the task, its kind, the channels of its output for it, and the millions of multiply-adds
    "drawing_styles/networks.spine": ("identify", "embedding", 320, 25),
    "fashion_mnist/networks.spine": ("classify", "classification", 10, 11),
    "many_sizes/networks.spine": ("find", "detection", 1, 517),
    "solar_cells/networks.spine": ("classify", "classification", 2, 44),
    "tree_crowns/networks.spine": ("find", "detection", 1, 385),
}


def test_every_file_is_here() -> None:
    assert sorted(TASKS) == FILES


@pytest.mark.parametrize("file", FILES)
def test_both_networks_cost_the_same(file: str) -> None:
    permuted, residual = (costs(flatten(spinedsl.program(FOLDER / file, network=name))) for name in NETWORKS)
    assert np.isclose(permuted.multiply_adds, residual.multiply_adds, rtol=0.03)
    assert round(permuted.multiply_adds / 1e6) in (TASKS[file][3], TASKS[file][3] - 1)


def test_every_file_of_networks_is_here() -> None:
    others = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.spine")} - {*FILES}
    assert others == {"many_sizes/basic.spine"}


def test_a_scale_permuted_network_of_basic_blocks_that_costs_less() -> None:
    made = spinedsl.program(FOLDER / "many_sizes/basic.spine")
    levels = [row.level for row in made.rows if row.kind == "block"]
    assert levels == [2, 3, 4, 5, 6, 4, 3, 4, 5, 6, 7]
    assert round(costs(flatten(made)).multiply_adds / 1e6) == 475
    report = agree(made, sizes=[Size(2, 128, 128)])
    assert report.agrees
    assert report.witnesses


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("file", FILES)
def test_every_engine_agrees_on_their_task(file: str, network: str) -> None:
    made = spinedsl.program(FOLDER / file, network=network)
    (task,) = made.tasks
    output = task.outputs["from" if "from" in task.outputs else "classes"][0]
    assert (task.name, task.kind) == TASKS[file][:2]
    assert flatten(made).types[flatten(made).outputs[output]].channels == TASKS[file][2]
    side = made.input_type.height if task.kind != "detection" else 128  # theirs may be of any size
    report = agree(made, sizes=[Size(2, side, side)])
    assert report.agrees
    assert report.witnesses


@pytest.mark.parametrize("name", ["SpineNet49", "R0SP53", "R23SP30", "R50FPN"])
def test_detectors_are_the_networks_of_the_paper(name: str, tmp_path: Path) -> None:
    """At full width, row for row, the cost of those in `examples`, which are held to what was published."""
    examples = FOLDER.parent
    official = {
        "SpineNet49": ("spinenet.spine", "SpineNet49"),
        "R0SP53": ("permuted.spine", "R0SP53"),
        "R23SP30": ("permuted.spine", "R23SP30_256"),
        "R50FPN": ("fpn.spine", "ResNet50FPN"),
    }
    own = "Permuted" if name == "SpineNet49" else name
    text = (FOLDER / "many_sizes/networks.spine").read_text(encoding="utf-8")
    whole = f"{text}\nnetwork Whole = {own}(width = 1, entry = 64, pyramid = 256, size = 640)\n"
    (tmp_path / "whole.spine").write_text(whole, encoding="utf-8")
    made = costs_by_row(flatten(spinedsl.program(tmp_path / "whole.spine", network="Whole")))
    file, network = official[name]
    expected = costs_by_row(flatten(spinedsl.program(examples / file, network=network)))
    assert len(expected) > 16
    assert {row: made[row] for row in expected} == dict(expected)
    assert set(made) == {*expected, "found"}
