"""Detection as a task of a network: what its row says, what it is checked for, and the heads that fit."""

from __future__ import annotations

import json
from fractions import Fraction
from math import prod
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor
from torch.nn import functional

import spinedsl
from spinedsl import edit
from spinedsl.analysis import costs_by_row
from spinedsl.backends.torch import build
from spinedsl.compare import Tier, compare, derive, side
from spinedsl.draw import lay_out, to_svg
from spinedsl.ops.detection import detector
from spinedsl.ops.graph import flatten
from spinedsl.ops.program import Program
from spinedsl.ops.text import plain, to_text
from spinedsl.ops.verify import Invalid, verify
from spinedsl.record import replace
from spinedsl.source import Source
from spinedsl.syntax.format import format_source
from spinedsl.tasks.detection import decode

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
HEAD = """spine 1
import std.blocks
import std.stems
import std.heads

network Net {
    input image: 3 x 64 x 96
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 8
    block b3: residual  level 3  after s   channels 8
    block b4: residual  level 4  after b3  channels 8
    output P3: b3
    output P4: b4
"""
POINTS = """    head fcos: fcos(classes = 5, depth = 2, groups = 4) from P3, P4 channels 8
    task find: detection(classes = 5) classes fcos.scores boxes fcos.boxes quality fcos.centreness
"""
ANCHORS = """    head scores: retina_tower(outputs = 5 * 6, depth = 1) from P3, P4 channels 8
    head boxes: retina_tower(outputs = 4 * 6, depth = 1) from P3, P4 channels 8
    task find: detection(classes = 5, ratios = [0.5, 1, 2], scales = 2) classes scores boxes boxes
"""


def source(rows: str, *edits: str) -> Source:
    other = "network Other = Net with {\n" + "".join(f"    {one}\n" for one in edits) + "}\n"
    return Source.from_text(HEAD + rows + "}\n" + (other if edits else ""), "net.spine")


def program(rows: str) -> Program:
    return spinedsl.program(source(rows))


def test_a_program_says_what_decoding_needs() -> None:
    made = program(POINTS)
    verify(made)
    (task,) = made.tasks
    assert dict(task.heads) == {"classes": "fcos", "boxes": "fcos", "quality": "fcos"}
    assert dict(task.parts) == {"classes": "scores", "boxes": "boxes", "quality": "centreness"}
    found = detector(made)
    assert (found.classes, found.strides, found.sides) == (5, (8, 16), ())
    assert found.scores == ("fcos_scores_P3", "fcos_scores_P4")
    assert found.boxes == ("fcos_boxes_P3", "fcos_boxes_P4")
    assert found.quality == ("fcos_centreness_P3", "fcos_centreness_P4")
    anchored = detector(program(ANCHORS), "find")
    assert (anchored.scores, anchored.quality) == (("scores_P3", "scores_P4"), ())
    assert len(anchored.sides) == 6
    assert anchored.sides[1] == (4.0, 4.0)


def test_levels_come_from_fine_to_coarse_whatever_the_order_of_the_row() -> None:
    found = detector(program(ANCHORS.replace("from P3, P4", "from P4, P3")))
    assert found.strides == (8, 16)
    assert found.boxes == ("boxes_P3", "boxes_P4")


def test_one_task_is_chosen() -> None:
    with pytest.raises(ValueError, match="has not one detection task; it has none"):
        detector(program(""))
    with pytest.raises(ValueError, match="has no detection task `face`; it has find"):
        detector(program(POINTS), "face")
    two = program(ANCHORS + "    task more: detection(classes = 30) classes scores boxes b4s\n".replace("b4s", "own")
        + "    head own: retina_tower(outputs = 4, depth = 1) from P3, P4 channels 8\n")  # fmt: skip
    with pytest.raises(ValueError, match="it has find, more"):
        detector(two)
    assert detector(two, "more").sides == ()


def test_texts_say_the_task_as_a_file_does() -> None:
    made = program(POINTS)
    row = "detection(classes = 5) classes fcos.scores boxes fcos.boxes quality fcos.centreness"
    assert f"task    find: {row}  net.spine" in to_text(made)
    assert plain(made)["tasks"][0]["arguments"] == {"classes": 5, "ratios": [], "scales": 3, "size": 4}
    svg = to_svg(lay_out(made))
    assert row in svg
    assert ">detection<" in svg
    formatted = format_source(source(POINTS.replace("classes fcos", "\n        classes   fcos"))).value
    assert formatted is not None
    assert row.replace(" boxes f", "  boxes f").replace(" quality", "  quality") in formatted
    (data,) = spinedsl.compile(source(POINTS), to="onnx").values()
    said = {entry.key: entry.value for entry in onnx.load_from_string(data).metadata_props}
    assert json.loads(said["spine.tasks"])[0]["outputs"]["boxes"] == ["fcos_boxes_P3", "fcos_boxes_P4"]


BROKEN: dict[str, dict[str, object]] = {
    "has other clauses than its kind": {"heads": {"classes": "fcos"}},
    "is of outputs that its heads do not give": {"parts": {"classes": "boxes", "boxes": "scores"}},
}


@pytest.mark.parametrize("problem", BROKEN)
def test_the_verifier_holds_what_clauses_name(problem: str) -> None:
    made = program(POINTS)
    with pytest.raises(Invalid, match=problem):
        verify(replace(made, tasks=(replace(made.tasks[0], **BROKEN[problem]),)))


OTHER = "task find: detection(classes = 5) classes fcos.scores boxes fcos.boxes"
WITH_OWN = OTHER + " quality own"
SMALLER = "task find: detection(classes = 5, ratios = [0.5, 1, 2], scales = 2, size = 3) classes scores boxes boxes"
CHANGES = [
    (Tier.INTERFACE, POINTS, OTHER, "quality nothing, was fcos.centreness"),
    (Tier.INTERFACE, POINTS, WITH_OWN, "quality own, was fcos.centreness"),
    (Tier.NUMERIC, ANCHORS, SMALLER, "size 3, was 4"),
]


@pytest.mark.parametrize(("tier", "rows", "change", "reason"), CHANGES)
def test_whom_another_detection_breaks(tier: Tier, rows: str, change: str, reason: str) -> None:
    own = "    head own: retina_tower(outputs = 1, depth = 0) from P3, P4 channels 8\n" if "own" in change else ""
    text = source(rows + own, change)
    sides = [side(text, network=name) for name in ("Net", "Other")]
    found = compare(*sides)
    assert (found.tier, [(one.about, one.text) for one in found.reasons]) == (tier, [("task find", reason)])
    edits = derive(*sides)
    assert edits is not None
    made = spinedsl.program(edit.apply(text, edits, base="Net", name="Made"), network="Made")
    assert made.tasks[0].named == sides[1].program.tasks[0].named


# ---- the heads ----


def test_fcos_has_the_parameters_that_are_published() -> None:
    """torchvision's fcos_resnet50_fpn: 32,269,600, of which 4,946,016 are the head; it has no scales, five here.

    Its norms outside the head are frozen, and not counted.
    """
    text = (EXAMPLES / "fpn.spine").read_text() + (
        "network FCOS = RetinaNetR50FPN with {\n    drop scores\n    drop boxes\n"
        "    add head fcos: fcos(classes = 91) from P3, P4, P5, P6, P7 channels 256\n}\n"
    )
    graph = flatten(spinedsl.program(Source.from_text(text, str(EXAMPLES / "fpn.spine")), network="FCOS"))
    head = costs_by_row(graph)["fcos"].parameters
    assert head == 4_946_016 + 5
    of_norms = {name for node in graph.nodes if node.primitive == "batch_norm" for name in node.parameters.values()}
    shapes = {name: one.shape for name, one in graph.parameters.items() if name not in of_norms}
    assert sum(map(prod, shapes.values())) == 32_269_600 + 5


def test_fcos_is_what_its_paper_says() -> None:
    """The head by hand: both towers with the same weights at both levels, a scale for each, distances from zero up."""
    made = program(POINTS)
    module = build(made).eval()
    torch.manual_seed(0)
    with torch.no_grad():
        for tensor in module.parameters():
            tensor.copy_(torch.rand_like(tensor) - 0.4)
    given = module(torch.rand(2, 3, 64, 96))
    state = {name.removeprefix("fcos."): tensor for name, tensor in module.state_dict().items() if "fcos." in name}

    def conv(x: Tensor, path: str) -> Tensor:
        return functional.conv2d(x, state[f"{path}.weight"], state[f"{path}.bias"], padding=1)

    def tower(x: Tensor, kind: str) -> Tensor:
        for i in range(2):
            norm = f"rep{i}.{kind}_norm.group_norm"
            y = conv(x, f"rep{i}.{kind}_conv.conv")
            x = functional.group_norm(y, 4, state[f"{norm}.weight"], state[f"{norm}.bias"]).relu()
        return x

    for level in range(2):
        x = given[f"P{level + 3}"]
        torch.testing.assert_close(given[f"fcos_scores_P{level + 3}"], conv(tower(x, "class"), "scores.conv"))
        boxes, scale = tower(x, "box"), state[f"p{level}.scale.parameter.weight"]
        expected = (scale * conv(boxes, "boxes.conv")).relu()
        torch.testing.assert_close(given[f"fcos_boxes_P{level + 3}"], expected)
        torch.testing.assert_close(given[f"fcos_centreness_P{level + 3}"], conv(boxes, "centreness.conv"))
    without = POINTS.replace("groups = 4", "groups = 4, quality = false").replace(" quality fcos.centreness", "")
    assert not any("centreness" in name for name in program(without).outputs)


@pytest.mark.parametrize("rows", [POINTS, ANCHORS], ids=["points", "anchors"])
def test_a_network_finds_boxes_by_either_engine(rows: str) -> None:
    """From the outputs of PyTorch and of ONNX Runtime: equal boxes, but for what differs in the outputs."""
    text = source(rows)
    module = spinedsl.load(text).eval()
    (data,) = spinedsl.compile(text, to="onnx", weights=None).values()
    images = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    what = detector(spinedsl.program(text))
    with torch.no_grad():
        one = decode(what, module(images), (64, 96), score=0.001)
    others = []
    for image in images.numpy():
        names = [output.name for output in session.get_outputs()]
        got = session.run(None, {session.get_inputs()[0].name: image[None]})
        outputs = {name: torch.from_numpy(value) for name, value in zip(names, got, strict=True)}
        others.append(decode(what, outputs, (64, 96), score=0.001))
    assert int(one.count.min()) > 0
    for image, other in enumerate(others):
        assert int(other.count[0]) == int(one.count[image])
        assert np.allclose(other.scores[0], one.scores[image], atol=1e-5)
    assert (one.boxes >= 0).all()
    assert (one.boxes[..., 0::2] <= 96).all()
    assert (one.boxes[..., 1::2] <= 64).all()


def test_the_example_has_the_anchors_of_the_released_code() -> None:
    made = spinedsl.program(EXAMPLES / "retinanet.spine", network="RetinaNet49")
    what = detector(made)
    assert (what.classes, what.strides) == (91, (8, 16, 32, 64, 128))
    assert [round(w * h, 6) for w, h in what.sides[::3]] == [round(9 * 4 ** (i / 3), 6) for i in range(3)]
    assert [Fraction(w / h).limit_denominator(9) for w, h in what.sides[:3]] == [Fraction(1, 2), 1, 2]
