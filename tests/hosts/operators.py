"""Operators of torchvision that its wheel lacks beside a PyTorch without CUDA: defined here, so that it is imported.

Nothing is defined where torchvision has them itself. `import tests.hosts.operators` comes before `import torchvision`.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import torch


def complete() -> bool:
    """torchvision's own library can be loaded, or there is no torchvision."""
    found = find_spec("torchvision")
    if found is None or found.origin is None:
        return True
    try:
        for library in Path(found.origin).parent.glob("_C*.so"):
            torch.ops.load_library(library)  # type: ignore[no-untyped-call]
    except OSError:
        return False
    return hasattr(torch.ops.torchvision, "nms")


def nms(boxes: torch.Tensor, scores: torch.Tensor, iou_threshold: float) -> torch.Tensor:
    """Indices of the boxes that no better box overlaps by more than the threshold, best first."""
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    left = scores.argsort(descending=True, stable=True)
    kept = []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(best)
        low = torch.maximum(boxes[best, :2], boxes[left, :2])
        high = torch.minimum(boxes[best, 2:], boxes[left, 2:])
        shared = (high - low).clamp(min=0).prod(1)
        left = left[shared / (areas[best] + areas[left] - shared) <= iou_threshold]
    return torch.stack(kept) if kept else torch.empty(0, dtype=torch.int64)


def _has_ops() -> bool:
    return True


if not complete():
    LIBRARY = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for name in ("nms", "qnms"):
        form = f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        LIBRARY.define(form)  # type: ignore[no-untyped-call]
    LIBRARY.impl("nms", nms, "CPU")  # type: ignore[no-untyped-call]
    # These never run, but TorchScript looks them up.
    LIBRARY.define("box_iou_rotated(Tensor boxes1, Tensor boxes2) -> Tensor")  # type: ignore[no-untyped-call]
    LIBRARY.define(  # type: ignore[no-untyped-call]
        "roi_align(Tensor input, Tensor rois, float spatial_scale, int pooled_height, int pooled_width, "
        "int sampling_ratio, bool aligned) -> Tensor"
    )

    import torchvision

    torchvision.extension._has_ops = _has_ops  # asked by `nms`; what it imported before goes its way without
