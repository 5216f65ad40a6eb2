"""What a detector is taught: beside the parts by hand, and by a detector that learns what it was shown."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import spinedsl
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.ops.detection import Detector
from spinedsl.record import replace
from spinedsl.source import Source
from spinedsl.tasks.detection import Objects, decode, detect, detector
from spinedsl.tasks.detection.boxes import giou, iou, placed
from spinedsl.tasks.detection.coding import centreness, from_distances, to_distances
from spinedsl.tasks.detection.decoding import rows
from spinedsl.tasks.detection.losses import normaliser
from spinedsl.tasks.detection.matching import IGNORED
from spinedsl.tasks.detection.objective import lesson, losses_of

SIZE = (64, 96)
SIDES = ((2.0, 2.0), (3.0, 3.0), (2.0, 4.0))
DETECTORS = {
    "anchors": Detector("find", 3, (8, 16), ("s3", "s4"), ("b3", "b4"), (), SIDES),
    "points": Detector("find", 3, (8, 16), ("s3", "s4"), ("b3", "b4"), ("q3", "q4")),
    "points without quality": Detector("find", 3, (8, 16), ("s3", "s4"), ("b3", "b4")),
}
THERE = [
    Objects(torch.tensor([[8.0, 8, 40, 40], [50, 10, 90, 60]]), torch.tensor([1, 2])),
    Objects(torch.empty(0, 4), torch.empty(0).long()),
    Objects(torch.tensor([[20.0, 20, 44, 52], [5, 5, 5, 9], [48, 0, 96, 64]]), torch.tensor([0, 1, 2]),
            torch.tensor([False, False, True])),
]  # fmt: skip


def outputs(what: Detector, value: float = 0.0) -> dict[str, Tensor]:
    many, made = max(1, len(what.sides)), {}
    for number, stride in enumerate(what.strides):
        for names, channels in ((what.scores, 3 * many), (what.boxes, 4 * many), (what.quality, many)):
            for name in names[number : number + 1]:
                made[name] = torch.full((3, channels, SIZE[0] // stride, SIZE[1] // stride), value)
    return made


@pytest.mark.parametrize("kind", DETECTORS)
def test_a_lesson_names_what_is_there(kind: str) -> None:
    what = DETECTORS[kind]
    given = lesson(what, outputs(what), THERE)
    assert given.found.shape == (3, len(given.places))
    assert given.positives == int((given.found >= 0).sum()) > 4
    assert not (given.found[1] >= 0).any()
    image = given.at // len(given.places)
    assert set(image.tolist()) == {0, 2}
    # Of the third image the flat box and the crowd are taught to nobody; the crowd makes places ignored.
    assert set(given.labels[image == 2].tolist()) == {0}
    assert (given.found[2] == IGNORED).any() == bool(what.sides)
    for number, box in enumerate(THERE[0].boxes):
        assert (given.boxes[given.labels == number + 1] == box).all()


@pytest.mark.parametrize("kind", DETECTORS)
def test_losses_fall_until_what_was_shown_is_found(kind: str) -> None:
    """Free numbers instead of a network: descent along the losses leads to the objects, and to nothing else."""
    what = DETECTORS[kind]
    given = outputs(what, 0.1)
    for name in what.scores:
        given[name].fill_(-0.2)  # what is ignored stays there
    for values in given.values():
        values.requires_grad_()
    optimizer = torch.optim.Adam(given.values(), 0.3)
    first = last = 0.0
    for step in range(120):
        shown = lesson(what, given, THERE)
        parts = losses_of(what, given, shown, normaliser(shown.positives))
        assert parts.keys() == ({"classes", "boxes", "quality"} if what.quality else {"classes", "boxes"})
        loss = torch.stack([*parts.values()]).sum()
        first = first if step else float(loss.detach())
        last = float(loss.detach())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert last < 0.3 * first
    with torch.no_grad():
        found = decode(what, given, SIZE, score=0.5)
    assert found.of(0).labels.sort().values.tolist() == [1, 2]
    for box, label in zip(found.of(0).boxes, found.of(0).labels, strict=True):
        assert float(iou(box, THERE[0].boxes[label - 1])) > 0.8
    assert int(found.count[1]) == 0
    inside = found.of(2).labels == 0
    assert int(inside.sum()) == 1
    assert float(iou(found.of(2).boxes[inside][0], THERE[2].boxes[0])) > 0.8


def test_without_quality_the_classes_are_taught_the_overlap() -> None:
    what = DETECTORS["points without quality"]
    given = {name: torch.rand_like(values) * 3 for name, values in outputs(what).items()}
    shown = lesson(what, given, THERE)
    codes = torch.cat([given[name].permute(0, 2, 3, 1).reshape(3, -1, 4) for name in what.boxes], 1)
    own = shown.at % len(shown.places)
    boxes = from_distances(codes.reshape(-1, 4)[shown.at], shown.places[own], shown.strides[own])
    taught = iou(boxes, shown.boxes)
    logits = torch.cat([given[name].permute(0, 2, 3, 1).reshape(3, -1, 3) for name in what.scores], 1).reshape(-1, 3)
    total = 0.0
    at = {int(place): number for number, place in enumerate(shown.at)}
    for place, row in enumerate(logits.double().tolist()):
        for kind, x in enumerate(row):
            wanted = float(taught[at[place]]) if place in at and int(shown.labels[at[place]]) == kind else 0.0
            share = torch.tensor(x).double().sigmoid()
            entropy = -(wanted * share.log() + (1 - wanted) * (1 - share).log())
            total += float((wanted - share).abs() ** 2 * entropy)
    found = losses_of(what, given, shown, 7)
    assert float(found["classes"]) == pytest.approx(total / 7, rel=1e-4)


def test_boxes_of_points_count_by_their_centreness_and_are_divided_by_the_number_of_places() -> None:
    what = DETECTORS["points"]
    torch.manual_seed(0)
    given = {name: torch.rand_like(values) * 3 for name, values in outputs(what).items()}
    shown = lesson(what, given, THERE)
    codes = torch.cat([given[name].permute(0, 2, 3, 1).reshape(3, -1, 4) for name in what.boxes], 1).reshape(-1, 4)
    own = shown.at % len(shown.places)
    boxes = from_distances(codes[shown.at], shown.places[own], shown.strides[own])
    total = 0.0
    for (x, y), box, wanted in zip(shown.places[own].tolist(), boxes, shown.boxes, strict=True):
        left, top, right, bottom = wanted.tolist()
        across, down = (x - left, right - x), (y - top, bottom - y)
        centre = (min(across) / max(across) * min(down) / max(down)) ** 0.5
        total += centre * (1 - float(giou(box[None], wanted[None])))
    assert shown.count == shown.positives
    found = losses_of(what, given, shown, shown.count)
    assert float(found["boxes"]) == pytest.approx(total / shown.positives, rel=1e-4)


def test_the_centreness_of_places_is_on_the_average_what_the_documents_say() -> None:
    """0.54: of boxes of 12 to 200 pixels, each size as likely, in images of 256."""
    what, size = Detector("find", 1, (8, 16, 32, 64, 128), ("s",) * 5, ("b",) * 5, ("q",) * 5), 256
    maps = {f"{kind}{n}": torch.zeros(1, 4, size >> n, size >> n) for n in range(3, 8) for kind in "sbq"}
    named = {field: tuple(f"{kind}{n}" for n in range(3, 8)) for field, kind in (("scores", "s"), ("boxes", "b"))}
    what = replace(what, **named, quality=tuple(f"q{n}" for n in range(3, 8)))
    draw, found = torch.Generator().manual_seed(0), []
    for _ in range(100):
        sides = 12 * (200 / 12) ** torch.rand(3, 2, generator=draw)
        corner = torch.rand(3, 2, generator=draw) * (size - sides)
        there = Objects(torch.cat([corner, corner + sides], 1), torch.zeros(3).long())
        shown = lesson(what, maps, [there])
        own = shown.at % len(shown.places)
        found.append(centreness(to_distances(shown.boxes, shown.places[own], shown.strides[own])))
    assert float(torch.cat(found).mean()) == pytest.approx(0.54, abs=0.01)


@pytest.mark.parametrize("kind", DETECTORS)
def test_a_batch_of_nothing_is_taught_silence(kind: str) -> None:
    what = DETECTORS[kind]
    given = {name: values.requires_grad_() for name, values in outputs(what).items()}
    shown = lesson(what, given, [THERE[1]] * 3)
    parts = losses_of(what, given, shown, normaliser(shown.positives))
    assert shown.positives == 0
    assert float(parts["classes"].detach()) > 0
    assert float(parts["boxes"].detach()) == 0
    torch.stack([*parts.values()]).sum().backward()  # type: ignore[no-untyped-call]


def test_ignored_places_are_taught_nothing_and_all_others_something() -> None:
    what = DETECTORS["anchors"]
    given = {name: values.requires_grad_() for name, values in outputs(what).items()}
    shown = lesson(what, given, THERE)
    losses_of(what, given, shown, 1)["classes"].backward()  # type: ignore[no-untyped-call]
    slopes = [given[name].grad for name in what.scores]
    each = torch.cat([rows(slope, 3) for slope in slopes if slope is not None], 1)
    assert torch.equal((each == 0).all(2), shown.found == IGNORED)
    assert (shown.found == IGNORED).any()


# ---- what a module finds ----

NETWORK = """spine 1
import std.blocks
import std.stems
import std.heads
network Net {
    input image: 3 x 64 x 96
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 8
    block b3: residual level 3 after s channels 8
    block b4: residual level 4 after b3 channels 8
    output P3: b3
    output P4: b4
    head f: fcos(classes = 3, depth = 1, groups = 4, start = 0) from P3, P4 channels 8
    task find: detection(classes = 3) classes f.scores boxes f.boxes quality f.centreness
}
"""


def test_what_a_module_finds_is_in_the_pictures_pixels() -> None:
    source = Source.from_text(NETWORK, "net.spine")
    module, program = spinedsl.load(source).eval(), spinedsl.program(source)
    images = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    found = detect(module, program, images, score=0.3, most=20)
    with torch.no_grad():
        expected = decode(detector(program), module(images), SIZE, score=0.3, most=20)
    assert torch.equal(found.boxes, expected.boxes)
    assert int(found.count.min()) > 0
    settings = Preprocessing(64, 96, resize="letterbox")
    placements = [settings.placement(100, 300), settings.placement(96, 128)]
    there = detect(module, program, images, placements, score=0.3, most=20)
    for number, (height, width) in enumerate([(100, 300), (96, 128)]):
        boxes = there.of(number).boxes
        assert (boxes >= 0).all()
        assert (boxes[:, 0::2] <= width).all()
        assert (boxes[:, 1::2] <= height).all()
        assert (boxes[:, :2] < boxes[:, 2:]).all()
        assert not there.scores[number, len(boxes) :].any()
        back = placed(boxes, placements[number])
        same = torch.isin(found.of(number).scores, there.of(number).scores)  # those that lie in the margins are gone
        assert int(same.sum()) == len(boxes)
        inside = (back - found.of(number).boxes[same]).abs().amax(1) < 1e-3
        assert inside.any()  # those that the margins did not cut
    with pytest.raises(ValueError, match="1 placements for 2 images"):
        detect(module, program, images, placements[:1])
