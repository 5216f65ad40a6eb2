"""How a detector is taught: matching, losses and their weights, as settings whose defaults follow from the detector.

In: a `Detector` and settings. Out: a `Teaching`, or which of the settings do not go with the detector.

With anchors it is RetinaNet's: matching by IoU, focal loss, smooth L1. With points it is FCOS's: matching by range,
GIoU and, beside a quality, focal loss; where there is none, quality focal loss teaches the classes how good boxes are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from spinedsl.ops.detection import Detector
from spinedsl.record import Record
from spinedsl.settings import Setting

IOU, FCOS, ALIGNED = "iou", "fcos", "aligned"
FOCAL, QUALITY_FOCAL = "focal", "quality_focal"
SMOOTH_L1, GIOU = "smooth_l1", "giou"

SETTINGS = (
    Setting(
        "matching", "text", None, "which places find an object: by iou for anchors, for points by fcos or aligned",
        choices=(IOU, FCOS, ALIGNED),
    ),
    Setting(
        "classification", "text", None, "the loss of classes; quality_focal teaches them how good their boxes are",
        choices=(FOCAL, QUALITY_FOCAL),
    ),
    Setting("boxes", "text", None, "the loss of boxes", choices=(SMOOTH_L1, GIOU)),
    Setting("boxes_weight", "number", 1.0, "what the loss of boxes is multiplied by", 0),
    Setting("quality_weight", "number", 1.0, "the same of quality", 0),
    Setting("focal_alpha", "number", 0.25, "of focal: the weight of what is there, from 0 to 1", 0, 1),
    Setting("focal_gamma", "number", 2.0, "of focal and quality_focal: how much less counts what is right", 0, 10),
    Setting("smooth_l1_beta", "number", 0.1, "of smooth_l1: from where it is linear", 0, 10),
    Setting("foreground", "number", 0.5, "of iou: the overlap from which an anchor finds an object", 0, 1),
    Setting("background", "number", 0.4, "of iou: the overlap below which it is taught that there is none", 0, 1),
    Setting("radius", "number", 1.5, "of fcos: how far from a centre points may be, in strides; 0 for any", 0),
    Setting("aligned_most", "whole", 13, "of aligned: how many points an object gets", 1),
)  # fmt: skip


class Teaching(Record):
    """How a detector is taught; the fields are the settings."""

    matching: str
    classification: str
    boxes: str
    boxes_weight: float = 1.0
    quality_weight: float = 1.0
    focal_alpha: float = 0.25
    focal_gamma: float = 2.0
    smooth_l1_beta: float = 0.1
    foreground: float = 0.5
    background: float = 0.4
    radius: float = 1.5
    aligned_most: int = 13


def teaching(detector: Detector, values: Mapping[str, Any] | None = None) -> Teaching:
    """How a detector is taught, by settings or, where they say nothing, by what fits it."""
    given = {setting.name: setting.default for setting in SETTINGS}
    given |= {name: value for name, value in (values or {}).items() if name in given and value is not None}
    anchored = bool(detector.sides)
    given["matching"] = given["matching"] or (IOU if anchored else FCOS)
    plain = given["matching"] != ALIGNED and (anchored or detector.quality)
    given["classification"] = given["classification"] or (FOCAL if plain else QUALITY_FOCAL)
    given["boxes"] = given["boxes"] or (SMOOTH_L1 if anchored else GIOU)
    return Teaching(**given)


# Settings that only some choices read: the choice, and its values.
_READ = {
    "focal_alpha": ("classification", (FOCAL,)),
    "smooth_l1_beta": ("boxes", (SMOOTH_L1,)),
    "foreground": ("matching", (IOU,)),
    "background": ("matching", (IOU,)),
    "radius": ("matching", (FCOS,)),
    "aligned_most": ("matching", (ALIGNED,)),
}


def odds(detector: Detector, values: Mapping[str, Any], says: Callable[[str], bool]) -> Iterator[tuple[str, str, str]]:
    """Settings that do not go with a detector, or that nothing reads: name, what is wrong, what to do.

    Args:
        detector: what the heads mean.
        values: of all settings.
        says: whether a setting was written.
    """
    how = teaching(detector, values)
    kind, fits = ("anchors", (IOU,)) if detector.sides else ("points", (FCOS, ALIGNED))
    if how.matching not in fits:
        fix = " or ".join(f'`matching = "{one}"`' for one in fits)
        yield "matching", f"task `{detector.name}` has {kind}, which cannot be matched by {how.matching}", fix
        return
    if how.matching == ALIGNED and how.classification == FOCAL:
        what = "aligned matching teaches the classes scores between 0 and 1, which focal loss cannot take"
        yield "classification", what, 'leave it out, or `classification = "quality_focal"`'
    if detector.quality and how.classification == QUALITY_FOCAL:
        which = "matching" if how.matching == ALIGNED else "classification"
        what = f"the classes would be taught how good boxes are, and task `{detector.name}` has a quality for that"
        yield which, what, "leave out the task's `quality …`, or this setting"
    if how.background > how.foreground:
        what = f"`task.background` is {how.background:g}, above `task.foreground`, {how.foreground:g}"
        yield "background", what, f"`background = {how.foreground:g}` or less"
    if says("quality_weight") and not detector.quality:
        yield "quality_weight", f"task `{detector.name}` has no quality", "leave it out"
    for name, (choice, read) in _READ.items():
        if says(name) and getattr(how, choice) not in read:
            what = f'`task.{name}` counts for {choice} = "{read[0]}" alone, and it is "{getattr(how, choice)}"'
            yield name, what, "leave it out"
