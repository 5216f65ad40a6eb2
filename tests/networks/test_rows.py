"""How many rows networks made of networks take, as `spine fmt` writes them, and what they cost."""

from __future__ import annotations

from pathlib import Path

import pytest

import spinedsl
from spinedsl.analysis import costs
from spinedsl.ops.graph import flatten

FOLDER = Path(__file__).parent
ROWS = ("input ", "stem ", "block ", "part ", "output ", "head ")


def rows(file: str, *networks: str) -> list[str]:
    """The rows of some networks of a file."""
    found: list[str] = []
    inside = False
    for line in (FOLDER / f"{file}.spine").read_text().splitlines():
        if line.startswith("network "):
            inside = line.split()[1].partition("(")[0] in networks
        elif inside and line.strip().startswith(ROWS):
            found.append(line.strip())
    return found


def test_hrnet_takes_few_rows() -> None:
    found = rows("hrnet_w18", "Two", "Three", "Four", "HRNet")
    assert 30 < len(found) <= 45


@pytest.mark.parametrize(
    ("file", "layer", "network", "names"),
    [("resnet50_nas_fpn", "Cell", "NASFPN", 7), ("efficientdet_d0", "BiFPN", "EfficientDetD0", 8)],
)
def test_a_repeated_neck_takes_its_layer_and_a_row(file: str, layer: str, network: str, names: int) -> None:
    """The layer with what it takes and gives, the row that repeats it, and the outputs: at most 20."""
    own = rows(file, layer)
    around = [row for row in rows(file, network) if row.startswith("part ") or row.endswith(": neck")]
    assert len([row for row in own if row.startswith("block ")]) == names
    assert len(around) == 2
    assert len(own) + len(around) <= 20


def test_what_a_neck_costs_is_as_published() -> None:
    """ResNet-50 with NAS-FPN at 640: 140.0 billion with RetinaNet's head, which has 57.02 (SpineNet, Table 2)."""
    made = costs(flatten(spinedsl.program(FOLDER / "resnet50_nas_fpn.spine", network="NASFPN")))
    assert made.multiply_adds / 1e9 + 57.02 == pytest.approx(140.0, rel=5e-3)


@pytest.mark.parametrize(
    ("file", "network", "parameters"),
    [
        ("efficientdet_d0", "EfficientDetD0", 3_880_067),  # 3.9 M in Table 2, so many in its port to PyTorch
        ("yolov8n", "YOLOv8n", 3_157_200 - 16),  # without the 16 fixed numbers that its authors' code counts as well
        ("hourglass_stack2", "Stack2", 6_730_912),  # 6.73 M of the code that most people have, with one block a step
        ("unet", "UNet", 31_037_698),  # of the code that most people have, for two classes
    ],
)
def test_sizes_are_as_published(file: str, network: str, parameters: int) -> None:
    made = costs(flatten(spinedsl.program(FOLDER / f"{file}.spine", network=network)))
    assert made.parameters == parameters
