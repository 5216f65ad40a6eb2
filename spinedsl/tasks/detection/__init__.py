"""Detection: boxes around objects, of classes, as pure functions on tensors.

From a network's heads to boxes: `places`, `coding`, `decoding`, `suppression`; from objects to what is taught:
`matching`, `losses`, `objective`; from boxes to figures: `precision`. `boxes` says what a box is. What the heads of a
network mean, its task row says: `detector(program)` gives it as a `Detector`, and
`detect(module, program, images)` what a module finds.
"""

from __future__ import annotations

from spinedsl.ops.detection import Detector, detector
from spinedsl.tasks.detection import (
    boxes,
    coding,
    decoding,
    losses,
    matching,
    objective,
    places,
    precision,
    suppression,
)
from spinedsl.tasks.detection.decoding import decode
from spinedsl.tasks.detection.finding import detect
from spinedsl.tasks.detection.precision import Objects, Precision, average_precision
from spinedsl.tasks.detection.suppression import Candidates, Found

__all__ = [
    "Candidates",
    "Detector",
    "Found",
    "Objects",
    "Precision",
    "average_precision",
    "boxes",
    "coding",
    "decode",
    "decoding",
    "detect",
    "detector",
    "losses",
    "matching",
    "objective",
    "places",
    "precision",
    "suppression",
]
