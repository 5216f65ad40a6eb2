"""Every setting of a task is read: another value of it alone gives another loss, or other things found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from spinedsl.data.preprocessing import Preprocessing
from spinedsl.ops.detection import Detector
from spinedsl.tasks import TASKS, Reading
from spinedsl.tasks.detection import Objects
from spinedsl.tasks.detection.task import Scene

SIZE = (64, 96)
STEP = 10
ANCHORS = Detector("find", 3, (8, 16), ("s3", "s4"), ("b3", "b4"), (), ((2.0, 2.0), (3.0, 3.0), (2.0, 4.0)))
POINTS = Detector("find", 3, (8, 16), ("s3", "s4"), ("b3", "b4"))
WITH_QUALITY = Detector("find", 3, (8, 16), ("s3", "s4"), ("b3", "b4"), ("q3", "q4"))
OBJECTS = Objects(torch.tensor([[6.0, 6, 38, 40], [50, 10, 90, 60]]), torch.tensor([1, 2]))


class Case(NamedTuple):
    """What a setting is read of, the values beside it, and the one that it has instead of the default."""

    other: Any
    beside: Mapping[str, Any] = {}
    detector: Detector = ANCHORS


CASES: Mapping[str, Mapping[str, Case]] = {
    "classification": {"smoothing": Case(0.2), "class_weights": Case([1.0, 2.0, 4.0])},
    "embedding": {
        "loss": Case("contrastive"),
        "scale": Case(32.0),
        "margin": Case(0.2),
        "margin_warm_up": Case(20),
        "temperature": Case(0.5, {"loss": "contrastive"}),
    },
    "detection": {
        "matching": Case("aligned", {"classification": "quality_focal"}, POINTS),
        "classification": Case("quality_focal"),
        "boxes": Case("giou"),
        "boxes_weight": Case(2.0),
        "quality_weight": Case(2.0, {}, WITH_QUALITY),
        "focal_alpha": Case(0.5),
        "focal_gamma": Case(1.0),
        "smooth_l1_beta": Case(1.0),
        "foreground": Case(0.7),
        "background": Case(0.2),
        "radius": Case(0.5, {}, POINTS),
        "aligned_most": Case(2, {"matching": "aligned"}, POINTS),
        "score": Case(0.85),
        "overlap": Case(0.05),
        "top": Case(2),
        "most": Case(3),
    },
}
# Of more than one loss, matching or kind of places: each reads the setting.
MORE = (
    ("focal_gamma", Case(1.0, {"classification": "quality_focal"})),
    ("boxes_weight", Case(2.0, {}, POINTS)),
    ("smooth_l1_beta", Case(1.0, {"boxes": "smooth_l1"}, WITH_QUALITY)),
)
ELSEWHERE = {("classification", "mixup")}  # by who trains: `training/test_loop.py`


def maps(what: Detector) -> dict[str, Tensor]:
    """Outputs of a detector for one image, some of which are sure of something."""
    many, made = max(1, len(what.sides)), {}
    generator = torch.Generator().manual_seed(0)
    for number, stride in enumerate(what.strides):
        for names, channels in ((what.scores, 3 * many), (what.boxes, 4 * many), (what.quality, many)):
            for name in names[number : number + 1]:
                shape = (1, channels, SIZE[0] // stride, SIZE[1] // stride)
                made[name] = torch.rand(shape, generator=generator) * 2 + (
                    0.5 if name[0] == "b" and not what.sides else 0
                )
    return made


def outcome(kind: str, case: Case, **changed: Any) -> list[float]:
    """The loss, divided by what it counts, and the numbers that are decoded."""
    task = TASKS[kind]
    values = task.values({**case.beside, **changed})
    generator = torch.Generator().manual_seed(1)
    outputs: dict[str, Tensor]
    truth: Any
    if kind == "detection":
        outputs, truth = maps(case.detector), [Scene(OBJECTS, OBJECTS, Preprocessing(*SIZE).placement(*SIZE))]
        reading = Reading("find", tuple(outputs), 3, case.detector)
    else:
        outputs, truth = {"v": torch.randn(6, 3, generator=generator)}, torch.arange(6) % 3
        reading = Reading("v", ("v",), 3)
    shapes = task.tensors(3, 3, values)
    tensors = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    taught = task.loss(reading, outputs, truth, tensors, values, STEP)
    decoded = task.decode(reading, outputs, SIZE, values)
    found = [decoded] if isinstance(decoded, Tensor) else [decoded.boxes, decoded.scores, decoded.count]
    loss = taught.loss if taught.count is None else taught.loss / taught.count
    return [float(loss), *(float(number) for part in found for number in part.flatten())]


def test_every_setting_has_a_case() -> None:
    for kind, task in TASKS.items():
        read_elsewhere = {name for of, name in ELSEWHERE if of == kind}
        assert {setting.name for setting in task.settings} == {*CASES[kind]} | read_elsewhere


ALL = [(kind, name, case) for kind, named in CASES.items() for name, case in named.items()]
ALL += [("detection", name, case) for name, case in MORE]


@pytest.mark.parametrize(("kind", "name", "case"), ALL)
def test_a_setting_makes_a_difference(kind: str, name: str, case: Case) -> None:
    usual, other = outcome(kind, case), outcome(kind, case, **{name: case.other})
    assert usual == outcome(kind, case), "the same settings give the same"
    assert usual != other
