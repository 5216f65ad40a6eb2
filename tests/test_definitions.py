"""Blocks, necks and heads that the prelude does not have, each a file in `definitions/`.

The language has to be able to say them, and all that runs them has to agree: PyTorch, ONNX Runtime, the interpreter,
and the same network written by hand in `definitions/reference.py`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import spinedsl
from spinedsl.analysis import costs
from spinedsl.ops.graph import flatten
from spinedsl.ops.interpret import run
from spinedsl.ops.program import Program
from spinedsl.source import Source
from tests.definitions.reference import APPROXIMATE, REFERENCES
from tests.witnesses import assert_witnesses_agree, images, weights_of

FOLDER = Path(__file__).with_name("definitions")
FILES = sorted(path.stem for path in FOLDER.glob("*.spine"))


def sizes_for(program: Program) -> list[tuple[int, int, int]]:
    """Batches of several sizes, odd multiples of the divisor among them; of one, where the file fixes it."""
    height, width, side = program.input_type.height, program.input_type.width, program.divisor
    return [(3, height, width)] if program.static_axes else [(3, height, width), (2, 3 * side, 5 * side)]


def test_every_file_has_a_reference() -> None:
    assert set(FILES) == set(REFERENCES)


@pytest.mark.parametrize("name", FILES)
def test_witnesses_agree(name: str) -> None:
    program = spinedsl.program(FOLDER / f"{name}.spine")
    assert_witnesses_agree(program, sizes_for(program))


@pytest.mark.parametrize("name", FILES)
def test_as_written_by_hand(name: str) -> None:
    program = spinedsl.program(FOLDER / f"{name}.spine")
    graph = flatten(program)
    weights = weights_of(graph.parameters)
    tensors = {parameter: torch.from_numpy(value).double() for parameter, value in weights.items()}
    for image in images(program, sizes_for(program)):
        got = run(graph, weights, image, dtype=np.float64)
        expected = REFERENCES[name](tensors, torch.from_numpy(image).double())
        assert len(expected) == len(program.outputs)
        for output, tensor in zip(program.outputs, expected, strict=True):
            assert got[output].shape == tensor.shape
            most = np.abs(tensor.numpy()).max()
            assert np.abs(got[output] - tensor.numpy()).max() <= (2e-6 if name in APPROXIMATE else 1e-12) * most, output


def test_a_neck_that_concatenates_has_the_size_of_the_published_one() -> None:
    """YOLOv8n without the 16 fixed numbers that Ultralytics counts as well: 3,157,200 in all."""
    text = (FOLDER / "yolov8n.spine").read_text()
    text += "network N = YOLOv8(classes = 80, width = 0.25, boxes = 64, hidden = 80)\n"
    program = spinedsl.program(Source.from_text(text), network="N")
    assert costs(flatten(program)).parameters == 3_157_184


@pytest.mark.parametrize(
    ("arguments", "widths", "parameters"),
    [
        # RegNetY-400MF, -800MF and -1.6GF as torchvision counts them, without their classifiers of 1,000 classes.
        ("depth = 16, w0 = 48, wa = 27.89, wm = 2.09", (48, 104, 208, 440), 4_344_144 - 441 * 1000),
        ("depth = 14, w0 = 56, wa = 38.84, wm = 2.4, group = 16", (64, 144, 320, 784), 6_432_512 - 785 * 1000),
        ("depth = 27, w0 = 48, wa = 20.71, wm = 2.65, group = 24", (48, 120, 336, 888), 11_202_430 - 889 * 1000),
    ],
)
def test_widths_that_a_function_gives(arguments: str, widths: tuple[int, ...], parameters: int) -> None:
    text = (FOLDER / "regnet.spine").read_text() + f"network N = RegNetY({arguments}, entry = 32)\n"
    program = spinedsl.program(Source.from_text(text), network="N")
    assert tuple(row.type.channels for row in program.rows if row.kind == "block") == widths
    assert costs(flatten(program)).parameters == parameters


def test_a_resampling_of_one_input_makes_the_network_of_the_published_size() -> None:
    """U-Net, as the code that most people use counts it: of 3 channels, for one class."""
    text = (FOLDER / "unet.spine").read_text() + "network N = Net(width = 64)\n"
    assert costs(flatten(spinedsl.program(Source.from_text(text), network="N"))).parameters == 31_037_633


def test_parts_take_few_rows() -> None:
    """Seven cells are one row and a line; so are three layers of a BiFPN, and the modules of a stage."""
    most = {"nas_fpn": 22, "efficientdet_neck": 17, "hourglass": 20, "hrnet": 32}
    for name, rows in most.items():
        text = (FOLDER / f"{name}.spine").read_text()
        found = [line for line in text.splitlines() if line.strip().startswith(("stem ", "block ", "part ", "output "))]
        assert len(found) <= rows, name


def test_copies_of_a_part_have_weights_of_their_own() -> None:
    program = spinedsl.program(FOLDER / "nas_fpn.spine")
    shapes = {name: value.shape for name, value in flatten(program).parameters.items()}
    for copy in range(7):
        assert shapes[f"cells.rep{copy}.P4.conv.weight"] == (256, 256, 3, 3)
    assert not any(name.startswith("cells.rep7.") for name in shapes)
    module = spinedsl.load(FOLDER / "nas_fpn.spine")
    assert {name for name in module.state_dict() if not name.endswith("num_batches_tracked")} == set(shapes)


def test_how_often_a_part_repeats_may_be_given() -> None:
    text = (FOLDER / "nas_fpn.spine").read_text() + "\nnetwork Deep = Net(n = 9)\n"
    names = flatten(spinedsl.program(Source.from_text(text, "deep.spine"), network="Deep")).parameters
    assert "cells.rep8.P4.conv.weight" in names
    assert "cells.rep9.P4.conv.weight" not in names


def test_an_edit_reaches_a_row_of_one_copy() -> None:
    """The edited row reads what the part is given, under the name that the part has for it."""
    text = (FOLDER / "hrnet.spine").read_text() + "\nnetwork Edited = Net with { block two.y3 from two.x3 }\n"
    source = Source.from_text(text, "edited.spine")
    before, after = (set(flatten(spinedsl.program(source, network=n)).parameters) for n in ("Net", "Edited"))
    assert after < before
    assert {name.partition(".from_")[0] for name in before - after} == {"two.y3"}
