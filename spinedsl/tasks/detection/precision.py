"""Average precision, as COCO defines it: the mean over classes and over overlaps from 0.50 to 0.95, and by size.

In: what was found and what is there, image by image. Out: `Precision`. It is computed by faster-coco-eval, whose
figures are those of pycocotools.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from spinedsl.extras import require
from spinedsl.record import Record
from spinedsl.tasks.detection.boxes import area
from spinedsl.tasks.detection.suppression import Candidates

PACKAGES = ("faster_coco_eval",)
MOST = 100  # boxes of an image that count
NOTHING = -1.0  # of COCO, where there is no object to be found


class Objects(Record, eq=False):
    """What is there in an image: `boxes` (objects, 4) in pixels, `labels` (objects,).

    `crowds` (objects,), true for boxes around many objects that nobody told apart: what lies in one counts neither as
    right nor as wrong. `areas` (objects,) in square pixels, by which sizes are told; those of the boxes if there are
    none.
    """

    boxes: Tensor
    labels: Tensor
    crowds: Tensor | None = None
    areas: Tensor | None = None


class Precision(Record):
    """COCO's figures, each from 0 to 1, or no number (nan) where there is nothing to be found.

    `ap` is the mean over overlaps from 0.50 to 0.95 and over classes, `ap_50` and `ap_75` those of one overlap,
    `small`, `medium` and `large` those of objects below 32x32, below 96x96 and from there on, `by_class` that of each
    class, and `recall` the mean recall, of at most 100 boxes an image.
    """

    ap: float
    ap_50: float
    ap_75: float
    small: float
    medium: float
    large: float
    recall: float
    by_class: tuple[float, ...]


def average_precision(found: Sequence[Candidates], there: Sequence[Objects], classes: int) -> Precision:
    """The precision of what was found in some images, of which at most 100 boxes each count.

    Args:
        found: of each image.
        there: of the same images.
        classes: how many there are; labels are from 0 on.

    Raises:
        MissingPackage: faster-coco-eval is not installed.
        ValueError: the two are not of equally many images.
    """
    return Judged(found, there, classes).precision()


class Judged:
    """What was found in some images, each box compared with the objects of its image: once, for many figures.

    Raises:
        MissingPackage: faster-coco-eval is not installed.
        ValueError: the two are not of equally many images.
    """

    def __init__(self, found: Sequence[Candidates], there: Sequence[Objects], classes: int) -> None:
        require(*PACKAGES)
        from faster_coco_eval import COCO, COCOeval_faster  # noqa: PLC0415 - only who asks for AP needs it

        truth, results = truth_of(there, classes), results_of(found)
        if len(found) != len(there):
            raise ValueError(f"results of {len(found)} images for {len(there)} images")
        self.images, self.classes = len(there), classes
        self._parts: list[Any] = []  # of each class, size and image
        if truth["annotations"]:
            known = COCO(truth)
            compared = COCOeval_faster(known, known.loadRes(results), "bbox", separate_eval=True)
            compared.params.maxDets = [MOST]
            compared.evaluate()
            self._settings, self._parts = compared._paramsEval, compared._evalImgs_cpp  # noqa: SLF001 - its own names

    @property
    def cost(self) -> int:
        """How many parts each figure is made of, by which its time can be told."""
        return len(self._parts)

    def precision(self, images: Sequence[int] | None = None) -> Precision:
        """The figures of all images, or of some, each as often as it is given."""
        held = self._accumulated(images)
        if held is None:
            no = float("nan")
            return Precision(no, no, no, no, no, no, no, (no,) * self.classes)
        precision, recall = held["precision"][..., -1], held["recall"][..., -1]  # overlap, recall, class, size
        whole = precision[:, :, :, 0]
        small, medium, large = (_mean(precision[:, :, :, number]) for number in (1, 2, 3))
        return Precision(
            _mean(whole), _mean(whole[0]), _mean(whole[5]), small, medium, large, _mean(recall[:, :, 0]),
            tuple(_mean(whole[:, :, number]) for number in range(self.classes)),
        )  # fmt: skip

    def curves(self) -> list[list[float]]:
        """The precision of each class at overlap 0.50, at recalls of 0, 0.01, …, 1; nothing for one without objects."""
        held = self._accumulated(None)
        if held is None:
            return [[] for _ in range(self.classes)]
        at_half = held["precision"][0, :, :, 0, -1]
        return [_there(at_half[:, number].tolist()) for number in range(self.classes)]

    def _accumulated(self, images: Sequence[int] | None) -> Mapping[str, Any] | None:
        """What the comparison comes to, of some images."""
        from faster_coco_eval import faster_eval_api_cpp as core  # noqa: PLC0415 - as above

        if not self._parts:
            return None
        parts = self._parts
        if images is not None:
            rows = range(0, len(parts), self.images)
            parts = [parts[row + image] for row in rows for image in images]
        found: Mapping[str, Any] = core.COCOevalAccumulate(self._settings, parts)
        return found


def _there(values: list[float]) -> list[float]:
    """The values, if COCO has any."""
    return [] if NOTHING in values else values


def _mean(values: Any) -> float:
    """The mean of what there is; COCO has -1 where there is nothing."""
    there = values[values > NOTHING]
    return float(there.mean()) if there.size else float("nan")


def truth_of(there: Sequence[Objects], classes: int) -> dict[str, Any]:
    """What is there, as COCO's JSON has it. Images, classes and boxes are numbered from 1, as COCO does."""
    annotations: list[dict[str, Any]] = []
    for number, objects in enumerate(there, 1):
        sizes = area(objects.boxes.double()) if objects.areas is None else objects.areas
        crowds = objects.crowds if objects.crowds is not None else torch.zeros(len(objects.boxes), dtype=torch.bool)
        for box, label, size, crowd in zip(objects.boxes, objects.labels, sizes, crowds, strict=True):
            annotations.append(
                {"id": len(annotations) + 1, "image_id": number, "category_id": int(label) + 1, "bbox": _sides(box),
                 "area": float(size), "iscrowd": int(crowd)}
            )  # fmt: skip
    return {
        "info": {},
        "images": [{"id": number} for number in range(1, len(there) + 1)],
        "categories": [{"id": number, "name": str(number)} for number in range(1, classes + 1)],
        "annotations": annotations,
    }


def results_of(found: Sequence[Candidates]) -> list[dict[str, Any]]:
    """What was found, as COCO's results have it, of the same numbers."""
    return [
        {"image_id": number, "category_id": int(label) + 1, "bbox": _sides(box), "score": float(score)}
        for number, one in enumerate(found, 1)
        for box, label, score in zip(one.boxes, one.labels, one.scores, strict=True)
    ]


def _sides(box: Tensor) -> list[float]:
    """Left, top, width, height."""
    left, top, right, bottom = box.double().tolist()
    return [left, top, right - left, bottom - top]


def words(precision: Precision) -> Mapping[str, float]:
    """The figures by name, without those by class."""
    return {name: getattr(precision, name) for name in ("ap", "ap_50", "ap_75", "small", "medium", "large", "recall")}
